# %% [markdown]
# # Week 1, part two: what is a good loss?
#
# In part one the loss became a number that you can compute. Now somebody tells you: “my model has a loss of two”.
# Is that good? Which second number do you need before you can say?
#
# **In plain words.** Perplexity turns the loss into a count: how many equally likely pieces the model seems to waver between.
# One means that it always knows. As many as the vocabulary has means that it knows nothing.
#
# **The working idea.** Perplexity is e to the mean loss. It says nothing that the loss does not say, in another scale: what loss adds, perplexity multiplies.
# Half the loss is therefore the square root of the choices: at half of ln 259 a model wavers between 16 bytes instead of 259.
# Move the slider, then read the pairs that people quote most, and what a model that knows nothing has.

# %%
import itertools
import math
from collections import Counter, defaultdict

import torch

from course.lab import assessment, plots, text, training
from course.lab.clinics import week1 as clinics
from course.lab.demos import week1 as demos
from course.lab.journal import attempt, commit

# %%
demos.choices()

# %%
for loss in (5.5, 4.0, 3.0, 2.0, 1.0, 0.0):
    print(f"loss {loss:3.1f} nats per token   perplexity {math.exp(loss):6.1f}")
nothing = math.log(text.VOCAB_SIZE)
print(f"knows nothing of {text.VOCAB_SIZE} tokens: loss {nothing:.3f}, perplexity {math.exp(nothing):.1f}")

# %% [markdown]
# ### Predict first
# An evaluation has two batches. One holds long texts, many tokens, and has a low loss; the other holds short texts, few tokens, and has a high one.
# Predict the perplexity of both together: nearer to the first batch's, halfway, or nearer to the second's? Write a number; the cell after the exercise keeps it and measures.

# %%
losses, token_counts = torch.tensor([1.0, 4.0]), torch.tensor([900, 100])
print("perplexity of each batch:", [round(loss.exp().item(), 1) for loss in losses])
print("tokens in each batch:    ", token_counts.tolist())
my_prediction = None

# %% [markdown]
# ### Perplexity of a corpus
# An evaluation runs in batches and gives one mean loss for each, but batches hold different numbers of tokens.
# Combine them into the perplexity of the whole corpus, as if it had been one batch.
# A batch without any token that counts has NaN as its mean; it must not spoil the rest.
# %% exercise="week1.perplexity"
def perplexity(losses, token_counts):
    """Perplexity of a corpus from the mean loss, in nats, of each batch.

    losses: float tensor (N,). token_counts: int64 tensor (N,), the number of tokens behind each mean; their sum is not 0.
    A batch without tokens has NaN as its loss and does not count. Returns a scalar.
    """
    ### BEGIN SOLUTION
    counts = token_counts > 0
    total = (losses[counts] * token_counts[counts]).sum()
    return torch.exp(total / token_counts.sum())
    ### END SOLUTION
# %% check="week1.perplexity"
check("week1.perplexity", perplexity)

# %%
commit("Perplexity of both batches together", my_prediction, lambda: perplexity(losses, token_counts))
print(f"mean of the two perplexities, which is no perplexity of anything: {losses.exp().mean():.1f}")
print(f"e to the plain mean of the two losses: {losses.mean().exp():.1f}")

# %% [markdown]
# ### Bits per byte
# Perplexity counts choices *per token*. Cut the same text into longer tokens, and every choice is harder, but there are fewer of them.
# So two tokenizers cannot be compared by loss per token. Bits per byte of text can: it is what an ideal compressor driven by the model would need.
#
# One bit is the loss of a fair coin: ln 2, in nats.
# %% exercise="week1.bits_per_byte"
def bits_per_byte(mean_loss, n_tokens, n_bytes):
    """Bits that the model needs for one byte of text.

    mean_loss: float, mean loss in nats per token. n_tokens, n_bytes: ints, the length of the same text in tokens and
    in bytes, both at least 1. Returns a float.
    """
    ### BEGIN SOLUTION
    bits = mean_loss * n_tokens / math.log(2)
    return bits / n_bytes
    ### END SOLUTION
# %% check="week1.bits_per_byte"
check("week1.bits_per_byte", bits_per_byte)

# %% [markdown]
# ## Folklore audit: “a perplexity between 20 and 50 is good”
# You can read this in many tutorials. Put it to the test with four models on one and the same held-out text:
#
# - **byte frequencies**: bets on each byte as often as it occurs, and looks at *nothing* before it;
# - **byte pairs**: looks at one byte before;
# - **small GPT on bytes**: the model of the live run, at most 63 bytes before;
# - **word pairs**: counts which word follows which; knows no grammar and no spelling.
#
# Predict: which one has the lowest perplexity, and which one compresses the text best? Write a name into each line.

# %%
lowest_perplexity = None
best_compressor = None
models = clinics.yardsticks()


def ranking(measure):
    values = sorted((float(measure(one)), one.name) for one in models)
    return values[0][1] + "".join(f"\n      {value:8.2f}  {name}" for value, name in values)


def perplexity_of(one):
    return perplexity(torch.tensor([one.mean_loss]), torch.tensor([one.tokens]))


commit("Lowest perplexity", lowest_perplexity, lambda: ranking(perplexity_of))
commit("Fewest bits per byte", best_compressor,
       lambda: ranking(lambda one: bits_per_byte(one.mean_loss, one.tokens, one.bytes)))

# %% [markdown]
# **Verdict.** The rule has no meaning without the tokens. Byte frequencies, a model that reads nothing at all, falls into the “good” range. Word pairs lie far outside it, and yet need the fewest bits.
# Compare perplexities only on the same text with the same tokens; else use bits per byte.
#
# <details><summary><b>In practice</b></summary>
#
# Reports differ in more than the tokens. How long a window the model sees, whether windows overlap, whether the text was cleaned first, and what the sum is divided by: each moves the figure.
# The perplexities in the GPT-2 report are counted per *word* of the original text, although the model's tokens are pieces of words ([Radford et al. 2019](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf), section 3.1): the sum of the losses stays, the divisor changes.
# Fine-tuning usually reports the loss per answer token. A prompt that counts by mistake makes it look better or worse without any change in the model.
# </details>
#
# <details><summary><b>At the frontier</b></summary>
#
# Scaling laws fit the loss itself: it falls as a power of model size, data and compute, towards a floor that the text's own uncertainty sets ([Hoffmann et al. 2022](https://arxiv.org/abs/2203.15556), section 3.3).
# A lower loss is not the whole of being useful: models of equal loss can differ in what they can do, and tuning on human preferences may *raise* the loss on plain text.
# </details>

# %% [markdown]
# ## The model writes
# The bet says how likely each token is. Writing needs one token. Always the likeliest one makes dull text that runs in circles; drawing by the bet makes lively text with blunders.
#
# *Temperature* T lies between: the logits are divided by T before the softmax. Predict before you move the slider: what happens to the likeliest byte as T goes to zero? And what does the bet become as T grows without end?

# %%
demos.temperature()

# %% [markdown]
# ### Draw the next token
# *Top-k* forbids all but the k likeliest tokens of each row, and the rest share the probability.
# Draw one id for every row, with the generator that you are given: a run that cannot be repeated cannot be debugged.
#
# The model is no source of chance: the same text gives the same bet. Only the draw is random.
# %% exercise="week1.sample"
def sample(logits, temperature, top_k, generator):
    """One token id for each row, drawn from softmax(logits / temperature) over the row's top_k likeliest tokens.

    logits: float tensor (B, V). temperature: float, 0 or more; 0 takes the likeliest token. top_k: int of at least 1,
    or None for no limit; V or more keeps every token. generator: torch.Generator, the only source of randomness.
    Returns an int64 tensor (B,).
    """
    ### BEGIN SOLUTION
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = logits / temperature
    if top_k is not None:
        k = min(top_k, logits.shape[-1])
        smallest_kept = logits.topk(k, dim=-1).values[:, -1:]
        logits = logits.masked_fill(logits < smallest_kept, -math.inf)
    probabilities = torch.softmax(logits, dim=-1)
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(-1)
    ### END SOLUTION
# %% check="week1.sample"
check("week1.sample", sample)

# %% [markdown]
# ### Your sampler at work
# The same model, the same start, four ways to draw. Which line would you mistake for Python from a distance?
# Run the cell twice: what makes the lines come out the same?

# %%
def write(temperature, top_k, length=60):
    model, rng = demos.trained(), torch.Generator().manual_seed(0)
    ids = torch.tensor([text.encode("def ")])
    for _ in range(length):
        with torch.no_grad():
            logits = model(ids[:, -64:]).logits[:, -1]
        ids = torch.cat([ids, sample(logits, temperature, top_k, rng)[:, None]], dim=1)
    return text.decode(ids[0]).replace("\n", "¶")


for T, k in [(0, None), (0.5, None), (1.0, 5), (1.0, None)]:
    attempt(f"T = {T}, top_k = {k}", lambda T=T, k=k: write(T, k))

# %% [markdown]
# ## Reading a curve
# Each step sees another batch, and some batches are harder: the raw curve shivers. The next cell trains a short run and counts how often the loss went *up*. Guess before you run it.

# %%
raw = torch.tensor([record.loss for record in training.tiny_run(lr=2e-2, batch_size=4, steps=200)])
print(f"{(raw[1:] > raw[:-1]).float().mean():.0%} of the steps show a higher loss than the step before,")
print(f"though over the run the loss falls from {raw[0]:.2f} to {raw[-20:].mean():.2f} nats per byte.")

# %% [markdown]
# ### Smooth a noisy curve
# A running average that forgets: each new value enters with weight 1 − beta, and the old average keeps weight beta.
# It starts from zero, so its first values are too small; divide each by the sum of the weights that went into it.
# You meet the same formula again inside Adam, in week 5.
# %% exercise="week1.ema"
def ema(values, beta):
    """Exponential moving average of a curve, corrected for its start at zero.

    values: float tensor (N,), N at least 1. beta: float in [0, 1); 0 gives the values back.
    Returns N floats, a tensor or a list: entry t uses the values up to t alone.
    """
    ### BEGIN SOLUTION
    average, smooth = 0.0, []
    for step, value in enumerate(values.tolist(), 1):
        average = beta * average + (1 - beta) * value
        smooth.append(average / (1 - beta**step))
    return smooth
    ### END SOLUTION
# %% check="week1.ema"
check("week1.ema", ema)

# %%
def smoothed(beta):
    fig, (ax,) = plots.figure(1)
    plots.style(ax, "Step (updates)", "Loss (nats per byte)", f"Raw and smoothed, beta = {beta}")
    curve = [float(value) for value in ema(raw, beta)]
    ax.plot(range(1, 201), raw, color=plots.SKY, lw=1, label="each step")
    ax.plot(range(1, 201), curve, color=plots.BLUE, lw=2.5, label="smoothed")
    plots.legend(ax)
    plots.show(fig, f"The raw losses shiver; with beta {beta} {plots.curve_words('the smoothed loss', curve, 'nats per byte')}.")
    return curve[-1]


# Predict the value at which a curve with beta 0.98 ends. The mean of the last 20 losses is printed above: higher or lower than that?
my_prediction = None
commit("Smoothed loss at the end, beta 0.98", my_prediction, lambda: smoothed(0.98), "nats")
print(f"mean of the last 20 steps: {raw[-20:].mean():.3f}")

# %% [markdown]
# A strong average lags behind: while the loss falls, the smooth curve lies above it. It is a help to the eye, not a measurement. To compare two runs, measure both on the same held-out text.
#
# ## A log, and what it cannot tell
# Here is the log of a run with a vocabulary of 259, which its author explained in detail: how long warm-up took, when the learning rate began to decay.
# Before you answer the exercise, ask of each claim: *from which column could one know that?*

# %%
steps = [1, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900]
losses = [5.472, 5.801, 5.234, 4.567, 4.123, 3.889, 3.756, 3.689, 3.645, 3.621, 3.609]
fig, (ax,) = plots.figure(1, (9.6, 3.2))
plots.style(ax, "Step (updates)", "Loss (nats per token)", "Eleven rows of a log", ylim=(3, 6))
ax.plot(steps, losses, "o-", color=plots.BLUE)
plots.reference(ax, math.log(259), "ln 259")
plots.show(fig, "Loss against step: 5.472 at step 1, up to 5.801 at step 50, then down, ever more slowly, to 3.609 at step 900.")

# %% [markdown]
# ### Read a logged run
# Read numbers off the log of a run, not impressions: how high the early spike was, when it was over, where the best step is, how fast the loss still falls.
# Two more questions are often answered from such a log: when warm-up ended, and when the decay of the learning rate began.
# Answer each only if the losses can tell.
# %% exercise="week1.read_curve"
def read_curve(steps, losses):
    """What a log of losses shows, as a dict. steps: list of ints, rising; losses: list of floats; both of length N >= 3.

    The check reads several logs, of other runs too; a key counts only where it is right in all of them. Neither list
    is changed.
    "spike": how far the highest loss lies above the first, in nats; 0.0 where none is higher
    "recovered_at": first step, from the highest loss on, with a loss at or below the first; None if there is none
    "best_step": step of the lowest loss
    "tail_slope": change of the loss from the third-last entry to the last, in nats per 100 steps
    "warmup_end": step at which warm-up ends, or None where losses cannot tell
    "decay_start": step at which the learning rate begins to decay, or None where losses cannot tell
    """
    ### BEGIN SOLUTION
    peak = losses.index(max(losses))
    recovered = [step for step, loss in zip(steps[peak:], losses[peak:]) if loss <= losses[0]]
    return {
        "spike": losses[peak] - losses[0],
        "recovered_at": recovered[0] if recovered else None,
        "best_step": steps[losses.index(min(losses))],
        "tail_slope": 100 * (losses[-1] - losses[-3]) / (steps[-1] - steps[-3]),
        "warmup_end": None,
        "decay_start": None,
    }
    ### END SOLUTION
# %% check="week1.read_curve"
check("week1.read_curve", read_curve)

# %%
attempt("What the log shows", lambda: read_curve(steps, losses))

# %% [markdown]
# The log starts *below* ln V. By the rule of part one that is no fresh model, or no first loss: here a row may be an average, and nothing in the log says so.
# The spike stands *above* ln V: at step 50 this model is worse than one that knows nothing. A warm-up with a low learning rate cannot lift the loss so; steps that are too large can.
# Whether the run should go on, the tail alone cannot say either: it is the loss on *training* text, and the learning rate may be what slows it.
#
# ## How low can it go?
# Now the third question from the start of part one. Eight coins are tossed twice each, and the tosses are written down as text. Four coins always fall alike; four fall heads once and tails once.
# A model trains on these sixteen lines until it knows them by heart. Only the bytes of the answers count.
# Which loss does it end with: zero, ln 2, something between? Run the cell, look at the lines, and put your number into its last line; it is kept when you train.

# %%
coins = clinics.coin_batch()
for ids, labels in itertools.islice(zip(clinics.coins(), coins["labels"]), 6, 12):
    counted = text.decode(i for i in labels.tolist() if i != -100)
    print(f"{text.decode(ids)}   counted: {counted}")
print("…")
my_prediction = None

# %% [markdown]
# ### Write the floor down
# Where texts begin alike and go on differently, no model can give both continuations all of the probability.
# Find the places with the same inputs; the best possible bet there is the share of each label among them.
# A causal model sees at position t the inputs up to t, and nothing after them.
# %% exercise="week1.loss_floor"
def loss_floor(input_ids, labels):
    """Lowest mean loss, in nats, that any causal model can reach on these rows.

    input_ids: int64 tensor (B, T). labels: int64 tensor (B, T), not shifted: position t predicts labels[:, t + 1] from
    input_ids[:, : t + 1]. -100 does not count; at least one label counts. Returns a float, 0.0 where nothing conflicts.
    Places with the same inputs get the same prediction; the best one is the share of each label among them.
    """
    ### BEGIN SOLUTION
    seen = defaultdict(Counter)
    for ids, row in zip(input_ids.tolist(), labels.tolist()):
        for t, label in enumerate(row[1:], 1):
            if label != -100:
                seen[tuple(ids[:t])][label] += 1
    total = sum(sum(counts.values()) for counts in seen.values())
    nats = 0.0
    for counts in seen.values():
        n = sum(counts.values())
        nats -= sum(k * math.log(k / n) for k in counts.values())
    return nats / total
    ### END SOLUTION
# %% check="week1.loss_floor"
check("week1.loss_floor", loss_floor)

# %%
def reach_the_floor():
    floor = loss_floor(coins["input_ids"], coins["labels"])
    curve = clinics.overfit(coins)
    fig, (ax,) = plots.figure(1)
    plots.style(ax, "Step (updates)", "Loss (nats per counted byte)", "Sixteen lines, learnt by heart", yscale="log")
    ax.plot(range(1, len(curve) + 1), curve, color=plots.BLUE, lw=2.5)
    plots.reference(ax, floor, f"the floor that you computed: {floor:.4f}")
    plots.show(fig, f"{plots.curve_words('The loss', curve, 'nats per byte')} and stays above a dashed line, the floor, at {floor:.4f}.")
    return curve[-1]


commit("Loss after training on the coins", my_prediction, reach_the_floor, "nats")

# %% [markdown]
# The loss does not go to zero, and nothing is wrong. ln 2 for a toss that cannot be known, shared among all bytes that count: this uncertainty is in the *data*.
# In real text much of what comes next is open, so a training loss near zero means memory, not skill; and each way of padding, masking or cutting text has its own floor.
#
# ## What you can do now
# Give each line a level, and the evidence for it: a check, a figure, a run. Be as honest as with a bet; week 8 comes back to these answers.

# %%
assessment.Reflection("week1", [
    "I can say what a loss means as a probability, a number of choices and a number of bits.",
    "I can walk from text to loss and name each shape on the way.",
    "I can tell from a first loss whether a training script is sound.",
    "I can find out by measurement which part of a reported loss is wrong.",
    "I can say what may be compared by perplexity, and what may not.",
    "I can predict the lowest loss that a data set allows.",
])
