# %% [markdown]
# # Week 1, part one: what does the loss measure?
#
# Below, a small language model learns to write Python while you watch. Run the next two cells before you read on.
# While it runs, look at two things: the number that falls, and the text that appears.

# %%
import math

import torch
import torch.nn.functional as F

from course.lab import assessment, plots, text
from course.lab.clinics import week1 as clinics
from course.lab.demos import week1 as demos
from course.lab.journal import commit

# %%
demos.opening_run()

# %% [markdown]
# ## A question that you cannot answer yet
# The curve starts at a certain height, whatever the seed. It falls fast, then slowly, and it does not reach zero.
#
# - Why does it start *there*? Nobody told the model that number.
# - What would it mean to be at half of it?
# - How low can it go?
#
# Write your best guess about the third question on paper. By the end of part two you compute it before you train.
#
# First, three questions from week 0. To recall a thing is what makes it stay; nobody grades them.

# %%
assessment.opener(1)

# %% [markdown]
# ## A guess about what comes next
# **In plain words.** The model reads some text and makes a bet on the next piece.
# It does not name one piece: it spreads its money over all of them.
# Then the next piece comes. The more money lay on it, the better.
#
# **The working idea.** A piece of text is a *token*. Here a token is a byte, plus three special marks: begin (`BOS`), end (`EOS`) and padding (`PAD`).
# The set of all tokens is the *vocabulary*; its size is called V.
# For each place in the text the model gives V scores, the *logits*. *Softmax* turns them into probabilities: take e to each score, divide by the sum.
#
# Here is the bet of the model that trained above, after a few letters of code.

# %%
model = demos.trained()
prompt = "    for i in "
with torch.no_grad():
    bet = model(torch.tensor([text.encode(prompt)])).logits[0, -1].softmax(-1)
top = bet.topk(10)
names = [repr(chr(i)) if i < 256 else "special" for i in top.indices.tolist()]
fig, (ax,) = plots.figure(1, (9.6, 3.2))
plots.style(ax, "Next byte", "Probability", f"The bet after {prompt!r}")
ax.bar(names, top.values, color=plots.BLUE)
plots.show(fig, f"Bars: the ten likeliest bytes after {prompt!r}, from {names[0]} with {top.values[0]:.2f} down to {top.values[-1]:.3f}.")

# %% [markdown]
# ## From text to a bet: the forward pass
# Six stations lie between the text and the bet. The next cell walks through them and prints the shape at each.
#
# 1. **Tokenise**: text becomes a row of ids.
# 2. **Embed**: each id picks its row of a table, a vector that stands for the token.
# 3. **Blocks**: each block adds something to that vector, twice: first what *attention* gathers from earlier places, then what a small network (the *MLP*) makes of the place itself.
# 4. **Norm**: the vector is brought to a standard length.
# 5. **Head**: one score per token of the vocabulary.
# 6. **Softmax**: scores become probabilities.

# %%
ids = torch.tensor([text.encode(prompt)])
with torch.no_grad():
    x = model.embedding(ids)
    print(f"{'ids':14}{tuple(ids.shape)}   {ids[0, :6].tolist()} …")
    print(f"{'embedded':14}{tuple(x.shape)}")
    for block in model.blocks:
        x = block(x, model.cos[:ids.shape[1]], model.sin[:ids.shape[1]])
        print(f"{'after a block':14}{tuple(x.shape)}   the same shape: a block adds, it does not replace")
    logits = model.head(model.norm(x))
print(f"{'logits':14}{tuple(logits.shape)}  one score per token, at every place")
print(f"{'probabilities':14}{tuple(logits.softmax(-1).shape)}  each row sums to {logits.softmax(-1)[0, -1].sum():.4f}")
print("The same as model(ids)?", torch.allclose(logits, model(ids).logits))

# %% [markdown]
# <details><summary><b>In practice: the residual stream, and where LoRA adds to it</b></summary>
#
# The vector that runs through the blocks is the *residual stream*. A block computes `x = x + attention(norm1(x))`, then `x = x + mlp(norm2(x))`.
# The plus sign lets the signal, and later the gradient, pass a block unchanged; the norms keep the size of what each part reads in one range.
# LoRA (week 7) leaves a frozen linear layer in place and adds a small trained product to *its output*.
# Beside a layer that writes to the stream, such as attention's output, the product adds to the stream itself; beside queries or keys it changes where attention looks.
#
# A *causal* model, like this one, sees the places up to its own and predicts the next: every place is a training example, and the model can write.
# A *masked* model (BERT) sees both sides of a hidden token: good for reading, unable to write from left to right.
#
# *Pretraining* starts from random weights and needs very much text. *Fine-tuning* goes on from trained weights with little text. *LoRA* is fine-tuning in which only small added matrices move. All three lower the same loss, and this week is about it.
# </details>
#
# <details><summary><b>At the frontier: a language model is a compressor</b></summary>
#
# A good bet makes a short code: with arithmetic coding, text costs about as many bits as the model's summed loss, and comes back without any error ([Delétang et al. 2023](https://arxiv.org/abs/2309.10668)).
# The weights, on the other hand, are a *lossy* summary of the training text: most of it cannot be read back.
# Open to this day: what each layer holds, what most attention patterns do, and why exactly norms help as much as they do.
# </details>

# %% [markdown]
# ## What should a bet cost?
# Let p be the probability that lay on the token which came. A penalty for a bad bet should be zero at p = 1, and grow as p falls.
# It should also *add up*: two tokens in a row have probability p·q, and their penalty should be the sum of both.
# Only the logarithm turns products into sums. So the *loss* of a token is **−ln p**, and its unit is the *nat*.
#
# Move the slider. Where does a small change of p matter most?

# %%
demos.loss_of_probability()

# %% [markdown]
# ### Predict first
# A model reads “The cat sat on the” and bets: mat .4, floor .3, chair .2, car .1. The next word is “mat”.
# Put your guess of the loss in place of `None`, then run the cell. It keeps your prediction in `journal.json` beside this notebook *before* it measures.
# `None` is allowed; the cell will say that you did not guess.

# %%
bets = torch.tensor([0.4, 0.3, 0.2, 0.1])
my_prediction = None
commit("Loss of “mat”, bet .4", my_prediction, lambda: -bets[0].log(), "nats")
my_prediction = None
commit("Loss if “car” comes, bet .1", my_prediction, lambda: -bets[3].log(), "nats")

# %% [markdown]
# ### Log-softmax
# The loss needs the logarithm of a softmax. Computed in two steps it breaks: e to a large score is infinite, and a tiny probability is rounded to zero before its logarithm is taken.
#
# Write it so that neither happens. A hint in one fact: adding the same number to every score of a row does not change its softmax.
# Each row needs its own number, since rows may lie far apart.
# %% exercise="week1.log_softmax"
def log_softmax(logits):
    """Log-probabilities over the last axis, stable for logits of any size.

    logits: float tensor (..., V) with any leading shape, (V,) too. Returns a float tensor of the same shape.
    A logit of -inf, a forbidden token, gives -inf; at least one logit in a row is finite.
    Build it from simple operations: torch's own log_softmax, logsumexp and logcumsumexp are refused.
    """
    ### BEGIN SOLUTION
    shifted = logits - logits.max(dim=-1, keepdim=True).values
    return shifted - shifted.exp().sum(dim=-1, keepdim=True).log()
    ### END SOLUTION
# %% check="week1.log_softmax"
check("week1.log_softmax", log_softmax)

# %% [markdown]
# ### Cross-entropy
# The loss of one token is minus the log-probability that the model gave to it.
# The loss of a batch is the mean over the tokens that count, however they are spread over its rows.
#
# Some targets do not count: padding, or a prompt that the model is not to learn. They hold `ignore_index`, and are part neither of the sum nor of the number that you divide by.
# Use your `log_softmax`; torch's own loss functions are refused.
# %% exercise="week1.cross_entropy"
def cross_entropy(logits, targets, ignore_index=-100):
    """Mean negative log-likelihood, in nats, over the targets that count.

    logits: float tensor (..., V). targets: int64 tensor (...), each in [0, V) or equal to `ignore_index`,
    which may itself lie in [0, V). Returns a scalar; NaN where no target counts.
    """
    ### BEGIN SOLUTION
    counts = targets != ignore_index
    log_probs = log_softmax(logits)[counts]
    picked = log_probs.gather(-1, targets[counts].unsqueeze(-1))
    return -picked.mean()
    ### END SOLUTION
# %% check="week1.cross_entropy"
check("week1.cross_entropy", cross_entropy)

# %% [markdown]
# ### Inputs and labels
# What is the right answer at each place? The token that comes next: the text is its own answer key, moved by one.
#
# | place | 0 | 1 | 2 | 3 | 4 |
# | --- | --- | --- | --- | --- | --- |
# | text | BOS | h | i | EOS | PAD |
# | label | h | i | EOS | *ignored* | |
#
# The last place has no label: its next token is unknown. Padding must not be learned.
# A real end of text must be learned, or the model never stops; some models use *one* id for both, so decide by the mask and not by the id.
# %% exercise="week1.next_token_pairs"
def next_token_pairs(input_ids, attention_mask, ignore_index=-100):
    """Inputs and the labels that they should predict, aligned: labels[:, t] is the token after inputs[:, t].

    input_ids: int64 tensor (B, T), T at least 2. attention_mask: int64 tensor (B, T), 1 at real tokens, 0 at padding,
    on the right or on the left. Returns (inputs, labels), both int64 of shape (B, T - 1).
    A label that is padding becomes `ignore_index`. A real token counts as a label even where the token before it
    is padding. Neither argument is changed.
    """
    ### BEGIN SOLUTION
    inputs = input_ids[:, :-1]
    labels = input_ids[:, 1:].masked_fill(attention_mask[:, 1:] == 0, ignore_index)
    return inputs, labels
    ### END SOLUTION
# %% check="week1.next_token_pairs"
check("week1.next_token_pairs", next_token_pairs)

# %% [markdown]
# ### Your loss on real text
# Your two functions are a language model's whole loss. Predict the loss of the trained model on one line of code, then measure it.
# Two rulers to guess by: the height at which the curve at the top ended, and the height at which it began.

# %%
line = "for name in sorted(names):"
batch = text.batch([text.encode(line, bos=True, eos=True), text.encode("x = 1", bos=True, eos=True)])


def loss_of_the_line():
    inputs, labels = next_token_pairs(batch["input_ids"], batch["attention_mask"])
    with torch.no_grad():
        return cross_entropy(model(inputs, batch["attention_mask"][:, :-1]).logits, labels)


my_prediction = None
commit(f"Loss of {line!r} and 'x = 1', per byte", my_prediction, loss_of_the_line, "nats")

# %% [markdown]
# ### The loss of a model that knows nothing
# Now the first question from the top: why does the curve start where it starts?
# A fresh model gives every token the same probability. Compute its loss from the size of the vocabulary alone.
# %% exercise="week1.initial_loss"
def initial_loss(vocab_size):
    """Cross-entropy, in nats, of a model that gives each of `vocab_size` tokens the same probability.

    vocab_size: int of at least 1. Returns a float.
    """
    ### BEGIN SOLUTION
    return math.log(vocab_size)
    ### END SOLUTION
# %% check="week1.initial_loss"
check("week1.initial_loss", initial_loss)

# %% [markdown]
# ## Folklore audit: “a random model starts at ln V”
# People check a new training script with this rule, and it is a good check. Is it true?
#
# A model with large random scores is not undecided. It is *sure*, of random things. Predict before you look:
# how far above ln V does a model with a vocabulary of 119 start, if its logits are drawn with a standard deviation of 0.1? Of 1? And of 2?
#
# The demo after it shows the same. Move its vocabulary first: the rule holds. Then move its second slider, which scales the fresh model's logits.

# %%
def above_ln_v(std, vocab_size=119, rows=60_000):
    rng = torch.Generator().manual_seed(0)
    logits = std * torch.randn(rows, vocab_size, generator=rng)
    targets = torch.randint(vocab_size, (rows,), generator=rng)
    return cross_entropy(logits, targets) - initial_loss(vocab_size)


my_prediction = None
commit("Above ln V, logits of standard deviation 0.1", my_prediction, lambda: above_ln_v(0.1), "nats")
my_prediction = None
commit("Above ln V, logits of standard deviation 1", my_prediction, lambda: above_ln_v(1.0), "nats")
my_prediction = None
commit("Above ln V, logits of standard deviation 2", my_prediction, lambda: above_ln_v(2.0), "nats")

# %%
demos.initial_loss()

# %% [markdown]
# **Verdict.** The rule holds for *small* logits. Normal logits of standard deviation σ start about σ²/2 above ln V; with large σ and few tokens less than that.
# So a first loss above ln V hints at a head that starts too large. A first loss *below* ln V is no fresh model: it was trained, or the report is an average over the first steps, or a token leaks.
#
# <details><summary><b>In practice, and at the frontier</b></summary>
#
# Real models start with small weights in the head, or a head of zeros as here, so the check is sharp: the first loss should be ln V to two digits.
# A head that shares its table with the embedding (*tied*) breaks the rule again: a place then tends to score its own token high, and real text repeats itself.
# Training at large scale watches the same quantity throughout: PaLM added a small penalty on the square of the logarithm of softmax's denominator, the *z-loss*, to keep logits from drifting ([Chowdhery et al. 2022](https://arxiv.org/abs/2204.02311), section 5).
# </details>

# %% [markdown]
# ### The gradient at the logits
# The loss is a number; training needs a direction. How should each *score* move so that the loss falls?
#
# The figure in the next cell shows the answer for the cat: the bet, and the slope of the loss with respect to each score.
# Look for the rule that turns the left bars into the right ones before you derive it.

# %%
scores = bets.log().requires_grad_()
F.cross_entropy(scores, torch.tensor(0)).backward()
words = ["mat (came)", "floor", "chair", "car"]
fig, (left, right) = plots.figure(2, (9.6, 3.2))
plots.style(left, "Word", "Probability", "The bet", ylim=(-0.7, 0.5))
plots.style(right, "Word", "Slope (nats per unit)", "The gradient", ylim=(-0.7, 0.5))
left.bar(words, bets, color=plots.BLUE)
right.bar(words, scores.grad, color=plots.VERMILION)
said = ", ".join(f"{word} {p:.1f} and {g:.1f}" for word, p, g in zip(words, bets.tolist(), scores.grad.tolist()))
plots.show(fig, f"Two bar charts, the bet and the gradient at the scores, word by word: {said}.")

# %% [markdown]
# Write it for a batch, without autograd. Derive one row on paper first; it is short.
# Then ask what the mean does to every row, and what an ignored row contributes.
# %% exercise="week1.cross_entropy_backward"
def cross_entropy_backward(logits, targets, ignore_index=-100):
    """Gradient of the mean cross-entropy with respect to `logits`, by its formula: no autograd, no finite differences.

    logits: float tensor (N, V). targets: int64 tensor (N,), each in [0, V) or equal to `ignore_index`; at least one
    counts. Returns a float tensor (N, V).
    """
    ### BEGIN SOLUTION
    counts = targets != ignore_index
    gradient = torch.softmax(logits, dim=-1)
    gradient[counts, targets[counts]] -= 1.0
    return gradient * counts.unsqueeze(-1) / counts.sum()
    ### END SOLUTION
# %% check="week1.cross_entropy_backward"
check("week1.cross_entropy_backward", cross_entropy_backward)

# %% [markdown]
# ## Clinic: three sick runs
# Three people train the same model from the same weights on the same short lines, padded to equal length. Each has one wrong line in the loss; mistakes like these happen in good projects too.
#
# - one run takes its logarithm to another **base**;
# - one run counts **padding** in its mean;
# - one run **shifts** the labels twice, so that place t learns token t + 2.
#
# The table shows what each run *reported*, and what was *measured* afterwards on its model with a right loss, like yours: real tokens only, one byte ahead and two bytes ahead.
#
# Who has what? Look for the one number in the table that gives each disease away. Then write `"padding"`, `"shift"` or `"base"` for each patient into the cell below it, and only then run that one.

# %%
clinics.consult()

# %%
diagnosis = {"A": None, "B": None, "C": None}
for patient, disease in diagnosis.items():
    commit(f"Patient {patient} suffers from", disease, lambda patient=patient: clinics.DISEASES[patient])

# %% [markdown]
# ### Mend them
# Here is the code of the three. Change one line in each, run the cell, and go on until all three lie on the healthy curve.
# Patient A also teaches something else: compare what its *model* can do with what its *report* says.

# %%
def patient_a(logits, input_ids, attention_mask):
    labels = input_ids[:, 1:]
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels.flatten(), ignore_index=-100)


def patient_b(logits, input_ids, attention_mask):
    labels = input_ids[:, 1:].masked_fill(attention_mask[:, 1:] == 0, -100)
    return F.cross_entropy(logits[:, :-2].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)


def patient_c(logits, input_ids, attention_mask):
    labels = input_ids[:, 1:].masked_fill(attention_mask[:, 1:] == 0, -100)
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels.flatten(), ignore_index=-100) / math.log(2)


clinics.discharge(A=patient_a, B=patient_b, C=patient_c)

# %% [markdown]
# **What the clinic shows.** A loss is a number *about* a model, made by code that can be wrong while the model is fine (A, C), or make the model wrong while the number looks fine (B).
# So compare a reported loss with one measured some other way, at least once in every project.
#
# <details><summary><b>The true stories</b></summary>
#
# transformers' causal models shift the labels themselves. People who shift theirs first train for the token after the next; it happened so often that the documentation was to say it ([transformers 44642](https://github.com/huggingface/transformers/pull/44642)). Once a model of the library did both itself ([47394](https://github.com/huggingface/transformers/issues/47394)).
# Masking by id where the pad id is the end-of-text id removes every end of text from the loss, so the model never learns to stop: [transformers 23530](https://github.com/huggingface/transformers/issues/23530), [trl 976](https://github.com/huggingface/trl/issues/976).
# </details>
#
# Part two turns the loss into perplexity, asks what a *good* one is, lets the model write, and finds out how low a loss can go.
