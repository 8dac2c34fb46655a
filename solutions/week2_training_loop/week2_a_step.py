# %% [markdown]
# # Week 2, part one: what happens in one step?
#
# Training takes a *step* again and again: look at a few rows of text, measure the loss, and move every weight a little downhill.
# A *row* is a piece of text, here of 64 bytes. The rule that turns slopes into moves is the *optimizer*: SGD moves straight along the slope, AdamW also keeps track of how large slopes usually are.
# Two numbers are yours to choose. The **learning rate** says how far to move. The **batch size** says how many rows to look at before each move.
#
# What happens if the learning rate is ten times too large? Ten times too small? Is a larger batch simply better?
# You need no formula to find out. You need to try it.
#
# ## Predict first
# The sliders start at a learning rate of .01, a batch of 16 rows and the optimizer AdamW; every run takes the same number of steps.
# Put a number into each line in place of `None`. They are kept in `journal.json` beside this notebook; when you have tried, compare them with what you saw.
#
# ## The model trains while you move the sliders
# Each move drops the run and starts a new one, from the same weights and on the same text. The run before stays as a dashed ghost.
#
# The left picture counts *updates*, the right one counts *bytes read*. A large batch reads more bytes per update, so the two pictures can give different winners: decide which one you pay for.
# All runs take equally many updates, so on the right compare two curves where the shorter one ends.
# Sliders also move by the arrow keys; what the picture shows stands in words above it.

# %%
import itertools
import math

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

from course.lab import assessment, banking, plots, text, training
from course.lab.demos import week2 as demos
from course.lab.gpt import GPT, GPTConfig
from course.lab.journal import attempt, commit

# %%
best_learning_rate = None     # at batch 16: which learning rate ends lowest?
worse_than_slow = None        # at batch 16: from which learning rate above .01 on does a run end worse than one at .001?
batch_for_same_bytes = None   # for the same number of *bytes* read: which batch size ends lowest at .01?

commit("Best learning rate at batch 16", best_learning_rate)
commit("At batch 16, worse than .001 from", worse_than_slow)
commit("Best batch size for the same bytes", batch_for_same_bytes)

# %%
demos.learning_rate_and_batch_size()

# %% [markdown]
# *Double-click here, and write what you saw, each time with the two runs that show it.*
#
# 1. **The edges.** Start at .01 and go up notch by notch, then down. How many notches are nearly as good as the best? What does a curve look like when the rate is too large, and when it is too small? Could you tell the two apart from their last value alone?
#    *I saw:*
# 2. **Two clocks.** Keep .01 and compare batch 4 with batch 64. Who wins on the left, who on the right? Now give each batch its own best learning rate. Does the winner stay?
#    *I saw:*
# 3. **The optimizer's own scale.** Change AdamW to SGD and leave the learning rate alone. Look for the rate at which SGD does well. How many notches away is it? Week 5 explains why.
#    *I saw:*

# %% [markdown]
# <details><summary><b>What you may have seen, and what it does not prove</b></summary>
#
# Too small a rate looks healthy: a smooth curve that is simply not down yet. Too large a rate makes the curve rough and lets it hang high.
# AdamW divides each step by the gradient's usual size, so even an absurd rate does not throw a model as small as this one out of the picture. Large models are less patient.
# Per update a larger batch gives a steadier direction and ends lower; for the same bytes it has taken fewer steps, and early on a small batch is ahead.
# One run with one seed is one draw. Differences as small as the shiver of the curve prove nothing; part two decides between groups of runs.
# </details>
#
# ## A question that you cannot answer yet
# A training script is short. Take one of its lines away, or swap two, and in many cases the loss *still falls*: nothing stops, nothing is red.
# Which lines are these? And what would you have to measure to see that something is wrong?
#
# Write your guess on paper: three lines that can be wrong in silence. This week you write every line yourself, see them fail, and end with five sick runs.
# First, three questions from earlier weeks.

# %%
assessment.opener(2)

# %% [markdown]
# ## One step, in slow motion
# **In plain words.** You stand on a hillside in fog. You feel the slope under your feet, take one step down, and feel again. The slope is different there.
#
# **The working idea.** Six lines make a step. The next cell runs them one by one, on a fresh model.
#
# 1. take a **batch**: rows of ids, and the labels that count;
# 2. **forward**: from ids to logits;
# 3. **loss**: one number, the mean over the labels that count;
# 4. **backward**: the slope of that number with respect to every weight, the *gradient*, is put into `.grad`;
# 5. **step**: the optimizer moves the weights;
# 6. **clear** the gradients, or the next ones are added to them.
#
# Predict: after this one step, what is the loss on the *same* batch? And on *another* batch? Both start at ln 259.

# %%
model, batches = training.tiny_model(0), training.tiny_batches(16)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
batch, other = next(batches), next(batches)
logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
targets = batch["labels"][:, 1:]
loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten(), ignore_index=-100)
loss.backward()
before = model.head.weight[32, :2].tolist()
optimizer.step()
print("batch    ", {name: tuple(value.shape) for name, value in batch.items()})
print("forward  ", tuple(logits.shape), "a score for every token at every place")
print(f"loss      {loss.item():.4f} nats, the mean over {(targets != -100).sum()} labels")
print(f"backward  the slope at one weight of the head: {model.head.weight.grad[32, 0]:.5f}")
print(f"step      that weight goes from {before[0]:.5f} to {model.head.weight[32, 0]:.5f}")
optimizer.zero_grad()

my_prediction = None
commit("Loss of the same batch after one step", my_prediction, lambda: training.evaluate(model, [batch]), "nats")
my_prediction = None
commit("Loss of another batch after one step", my_prediction, lambda: training.evaluate(model, [other]), "nats")

# %% [markdown]
# ## Forward: why does a block add?
# Week 1 walked through the model: embed, blocks, norm, head. A block is attention and an MLP. Why does it *add* what they say to the stream, instead of passing it on? And why is there a norm, and why *there*?
#
# The demo sends text through a stack of blocks that is wired in four ways. Left: how large the signal is after each block. Middle: how large the gradient is when it comes back to that depth. Right: whether the stack learns. Orange is the fresh model, blue the model in training.
#
# Predict before you change the wiring: what happens to the gradient without the residual, that is, when a block replaces instead of adding? And to the signal without any norm? Then make the stack deeper.

# %%
demos.through_the_blocks()

# %% [markdown]
# ### A block
# The wiring that most models use today is *pre-norm*: a norm stands before each part, and nothing stands on the way past it. The stream itself is never normalised inside the stack; the gradient finds a straight way back through the plus signs.
#
# <details><summary><b>In practice, and at the frontier</b></summary>
#
# The first transformers were post-norm and needed a careful warm-up; with pre-norm the gradients of a fresh model differ far less from depth to depth ([Xiong et al. 2020](https://arxiv.org/abs/2002.04745)). The price shows in the demo: the stream grows with depth, and late blocks add less and less to it.
# People look at *activation statistics*, layer by layer, for the reason that you just saw: a layer whose signal or gradient differs by orders of magnitude from its neighbours' is where a run dies.
# Newer models move norms again, some put one after each part or on queries and keys ([OLMo 2](https://arxiv.org/abs/2501.00656), section 3). The residual stays ([He et al. 2015](https://arxiv.org/abs/1512.03385)).
# </details>
# %% exercise="week2.pre_norm_block"
def pre_norm_block(x, norm1, attention, norm2, mlp):
    """One block of a transformer, in the order that Llama uses: each part reads a normalised stream and adds to it.

    x: float tensor (B, T, width), the residual stream. norm1, attention, norm2, mlp: callables, each (B, T, width)
    to (B, T, width). Attention comes first. Returns (B, T, width).
    Gradients flow to x and to whatever the callables hold, so nothing is changed in place that a norm has read;
    x itself stays as it is.
    """
    ### BEGIN SOLUTION
    x = x + attention(norm1(x))
    return x + mlp(norm2(x))
    ### END SOLUTION
# %% check="week2.pre_norm_block"
check("week2.pre_norm_block", pre_norm_block)

# %% [markdown]
# ## Backward: one layer
# The loss hangs on the logits, the logits on the last layer, that on the layer before. The *chain rule* says how slopes pass through such a chain: each layer is handed the slope with respect to its *output* and has to answer two questions.
#
# - How does the loss change with my **weights**? The optimizer needs that.
# - How does it change with my **input**? The layer below needs that.
#
# Write both for a linear layer. A way to find the transposes without looking them up: a gradient has the shape of the thing it belongs to, and only one product of the others has that shape.
# The mean over the batch has been taken by the loss already: it is inside `grad_output`.
# %% exercise="week2.linear_backward"
def linear_backward(x, weight, grad_output):
    """The three gradients of a linear layer y = x @ weight.T + bias, by hand: autograd is refused.

    x: float tensor (..., inputs) with any leading axes: none, (N,), (B, T) and so on. weight: (outputs, inputs).
    grad_output: (..., outputs), the gradient of the loss with respect to y; the loss is one number, and whatever it
    averages over is in grad_output already.
    Returns (grad_x, grad_weight, grad_bias) with the shapes of x, weight and bias: (..., inputs), (outputs, inputs)
    and (outputs,).
    """
    ### BEGIN SOLUTION
    rows = x.reshape(-1, x.shape[-1])
    grads = grad_output.reshape(-1, grad_output.shape[-1])
    return grad_output @ weight, grads.T @ rows, grads.sum(0)
    ### END SOLUTION
# %% check="week2.linear_backward"
check("week2.linear_backward", linear_backward)

# %% [markdown]
# ### Two checks of a gradient
# **By nudging.** Move one weight a little up and a little down, and see how the loss changes. No formula, no graph: the most honest check of any backward pass. Both numbers below should agree.
#
# **By thinking.** In this lab a fresh model's head is all zeros, and so are the last matrix of attention (`out`) and the last of the MLP (`down`). Look at your formula for `grad_x`: what does it send *down* to the layers below, when the weight is zero?
# The model has several weight tensors. Predict how many of them get a gradient other than zero in the first step, and in the second. (Week 7 starts LoRA at zero for the same reason, and needs this answer.)

# %%
def by_nudging(h=1e-3):
    rng = torch.Generator().manual_seed(0)
    x, weight, bias = (torch.randn(*shape, generator=rng, dtype=torch.float64) for shape in ((5, 4), (3, 4), (3,)))
    nudge = torch.zeros_like(weight)
    nudge[1, 2] = h
    up, down = ((x @ (weight + move).T + bias).sin().sum() for move in (nudge, -nudge))  # the loss is a sum of sines
    return {"nudged": ((up - down) / (2 * h)).item(),
            "yours": linear_backward(x, weight, (x @ weight.T + bias).cos())[1][1, 2].item()}


def moving(steps):
    model = training.tiny_model(0)
    for _ in training.tiny_run(steps=steps - 1, model=model):
        pass
    training.loss(model, batch).backward()
    return sum(bool(p.grad.any()) for p in model.parameters())


attempt("The slope at one weight", by_nudging)
print("weight tensors:", len(list(training.tiny_model(0).parameters())))
my_prediction = None
commit("Tensors with a gradient in the first step", my_prediction, lambda: moving(1))
my_prediction = None
commit("Tensors with a gradient in the second step", my_prediction, lambda: moving(2))

# %% [markdown]
# A zero matrix sends nothing down. In the first step the head alone gets a gradient; it moves, and in the second step a gradient reaches what lies right beneath it: the last norm, `out`, `down` and the embedding. What stands behind `out` and `down` waits one step more.
#
# ## Attention that cannot see the future
# Attention lets each place gather from other places: its *query* is compared with every *key*, the softmax of the scores says how much of every *value* it takes.
# All places of a row are predicted at once, so the next token, the answer, lies *in the input* one place further on. A model that can look there learns to copy it. Its loss becomes beautiful, and it cannot write a word.
#
# Where would you put the mask, before the softmax or after it? Try on paper with two places: what do the shares of place 0 add up to?
#
# <details><summary><b>In practice, and at the frontier</b></summary>
#
# Nobody computes the whole table of scores any more where it is large: kernels that fuse scores, softmax and product work through it in tiles and store only one number per row for the backward pass ([FlashAttention, Dao et al. 2022](https://arxiv.org/abs/2205.14135)). *Kernel fusion* in general means: read memory once, do several operations, write once. `torch.compile` does it for what it can.
# A row of nothing but padding has no key to look at; its softmax is 0/0. This is a common source of NaN: this lab's GPT lets every place see itself.
# </details>
# %% exercise="week2.causal_attention"
def causal_attention(q, k, v):
    """Softmax attention in which position t sees positions 0 to t, itself included, and nothing later.

    q, k: float tensors (..., T, width), with any leading axes, such as (batch, heads); v: (..., T, width of v), which
    may differ. The scores q·k are divided by the square root of `width`. Returns (..., T, width of v).
    Gradients flow to q, k and v, and the gradient of out[t] with respect to anything later than t is exactly 0.
    Scores may be large, of either sign. torch's own scaled_dot_product_attention and its kin are refused.
    """
    ### BEGIN SOLUTION
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(diagonal=1)
    return torch.softmax(scores.masked_fill(future, -math.inf), dim=-1) @ v
    ### END SOLUTION
# %% check="week2.causal_attention"
check("week2.causal_attention", causal_attention)

# %% [markdown]
# ### Does it leak?
# A leak of one token is invisible in a loss curve. It is visible in a gradient: nudge an input at place s, and no output before s may move. Not a little: by exactly zero.
# The picture shows the size of that gradient for every pair of places, for your attention and for the same without a mask. Say first what the upper triangle should look like.

# %%
def leak_of(attention, length=12):
    rng = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(1, 2, length, 8, generator=rng).requires_grad_() for _ in range(3))
    out = attention(q, k, v)
    rows = [sum(g.abs().sum((0, 1, 3)) for g in torch.autograd.grad(out[:, :, t].sum(), (q, k, v), retain_graph=True))
            for t in range(length)]
    return torch.stack(rows)


def show_leaks():
    tables = {"yours": leak_of(causal_attention), "without a mask": leak_of(F.scaled_dot_product_attention)}
    fig, axes = plots.figure(2, (9.6, 3.8))
    for ax, (name, table) in zip(axes, tables.items()):
        plots.style(ax, "Place s of the input", "Place t of the output", name, xticks=range(0, 12, 2))
        ax.grid(False)
        fig.colorbar(ax.imshow(table, cmap="cividis"), ax=ax, label="size of d out[t] / d in[s] (1)")
    future = {name: table.triu(1).sum().item() for name, table in tables.items()}
    plots.show(fig, f"Two tables of gradient sizes by place. Total above the diagonal: {future}.")
    return future


attempt("Gradient that comes from the future", show_leaks)

# %% [markdown]
# ## The data: sample, batch, epoch
# A *sample* is one row. A *batch* is what one update looks at. An *epoch* is one pass over all training samples. Updates per epoch: samples divided by batch size, rounded up, for the last batch may be smaller.
# The textbook example has no remainder: 200 samples in batches of 5 are 40 updates an epoch, and 1000 epochs are 40,000 updates.
#
# Now one with a remainder. A team has 900 conversations, keeps a tenth for validation and trains in batches of 4. Its report says “225 batches per epoch”. Predict the true number, and how many rows the last batch holds.
#
# <details><summary><b>Three names for three batch sizes, and what to do with the last one</b></summary>
#
# All samples in one batch: *batch gradient descent*. One sample: *stochastic*. Anything between: *mini-batch*, which is what everybody means by SGD today.
# The small last batch may be kept or dropped (`drop_last=True`). Kept, its few rows weigh as much in one update as a full batch does in another, and a *mean of batch means* gives them too much weight in a report. Dropped and never reshuffled, the same rows are never seen.
# With 225 batches for all 900 rows, that report trained on its validation data or validated on its training data.
# </details>
#
# ### Split
# Part of the data must stay unseen, or no measurement means anything. Shuffle first: data on a disk is often sorted, by date, by topic, by who wrote it, and the tail is not like the rest.
# The same seed must give the same split next month, on another machine, and whatever random numbers somebody drew before. So take a generator of your own.
# %% exercise="week2.split"
def split(n, val_fraction, seed):
    """Shuffle the indices 0 … n-1 and cut them in two: (train_idx, val_idx).

    n: int of at least 1. val_fraction: float from 0 to 1; n * val_fraction, rounded to the nearest whole number, many
    indices go to validation (no case lies halfway), all others to training: each is in exactly one of the two.
    seed: int of at least 0, below 2**32. The same arguments give the same split, whatever was drawn before; another
    seed gives another.
    Returns two collections of ints (lists, tuples, arrays or tensors), in any order; one may be empty. The global
    generators of torch, numpy and random are as they were before.
    """
    ### BEGIN SOLUTION
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    n_val = round(n * val_fraction)
    return order[n_val:], order[:n_val]
    ### END SOLUTION
# %% check="week2.split"
check("week2.split", split)

# %% [markdown]
# ### Collate
# Rows differ in length, a tensor does not. So rows are padded; the mask says what is real, and the label of padding is −100, which the loss skips.
#
# What would you go by to find the padding: the id, or the length of the row? Remember the story from week 1, where the end of a text and the padding had the same id.
# %% exercise="week2.collate"
def collate(sequences, pad_id, ignore_index=-100):
    """One batch of rows of unequal length, padded on the right to the longest.

    sequences: a list of B lists of ints, at least one of them not empty; an empty one becomes a row of padding.
    Returns a dict of three int64 tensors (B, T), T the length of the longest:
    `input_ids`, padded with `pad_id`; `attention_mask`, 1 at real tokens and 0 at padding; `labels`, the ids
    themselves, not shifted, with `ignore_index` at padding.
    What is padding is told by the length of a row: a real token may have the id `pad_id` (often EOS has) and keeps its
    1 and its label. `sequences` is not changed.
    """
    ### BEGIN SOLUTION
    longest = max(len(row) for row in sequences)
    batch = {"input_ids": [], "attention_mask": [], "labels": []}
    for row in sequences:
        missing = longest - len(row)
        batch["input_ids"].append(list(row) + [pad_id] * missing)
        batch["attention_mask"].append([1] * len(row) + [0] * missing)
        batch["labels"].append(list(row) + [ignore_index] * missing)
    return {name: torch.tensor(rows) for name, rows in batch.items()}
    ### END SOLUTION
# %% check="week2.collate"
check("week2.collate", collate)

# %% [markdown]
# ### From a pile of rows to batches
# Your two functions are a data pipeline; PyTorch's `DataLoader` adds the shuffling, anew in each epoch, and the cutting. Here it serves conversations of a bank's support, as bytes.
#
# Predict: a random batch of 16 conversations is padded to its longest. Which share of the positions is padding, in per cent? And if the rows are sorted by length first?
#
# <details><summary><b>In practice, and at the frontier</b></summary>
#
# The processor that prepares batches and the one that trains should not wait for each other: `num_workers` prepares batches ahead in other processes (*prefetch*), `pin_memory` and `non_blocking` let the copy to a GPU overlap with computing. Whether it helps, a profiler says; part three measures one.
# Rows of like length in one batch save padding, at the price of batches that are less random. Whole-corpus training does without padding: texts are *packed* end to end into rows of one length, and then attention must not look across the seam, or texts leak into one another.
# </details>

# %%
rows = [text.encode("\n".join(part["content"] for part in one["messages"]), eos=True) for one in banking.conversations()]


def loaders(batch_size=16):
    train_idx, val_idx = split(len(rows), 0.1, seed=0)
    served = dict(batch_size=batch_size, collate_fn=lambda picked: collate(picked, text.PAD))
    train = DataLoader([rows[i] for i in train_idx], shuffle=True, generator=torch.Generator().manual_seed(0), **served)
    return train, DataLoader([rows[i] for i in val_idx], **served)


def padding(some_rows):
    batches = [collate(some_rows[i:i + 16], text.PAD)["attention_mask"] for i in range(0, len(some_rows), 16)]
    return 100 * (1 - sum(int(mask.sum()) for mask in batches) / sum(mask.numel() for mask in batches))


print(f"200 samples, batch 5: {math.ceil(200 / 5)} updates an epoch, {1000 * math.ceil(200 / 5):,} in 1000 epochs")
my_prediction = None
commit("Batches of 4 in 810 conversations", my_prediction, lambda: len(loaders(4)[0]))
my_prediction = None
commit("Rows of the last of them", my_prediction, lambda: len(list(loaders(4)[0])[-1]["input_ids"]))
attempt("A batch", lambda: {name: tuple(value.shape) for name, value in next(iter(loaders()[0])).items()})
my_prediction = None
commit("Padding in random batches", my_prediction, lambda: padding(rows), "per cent")
my_prediction = None
commit("Padding in batches of like length", my_prediction, lambda: padding(sorted(rows, key=len)), "per cent")

# %% [markdown]
# ### The step
# Now the six lines as a function. Which order do they have, and which of them could you leave out without an error message?
#
# Two traps: the number that you return should say how good the model was *before* this update, since that is the loss whose slope you followed; and it should be a plain float. A tensor keeps its whole graph alive, and a list of a thousand of them fills the memory.
# %% exercise="week2.train_step"
def train_step(model, batch, optimizer):
    """One update of the weights on one batch; returns the loss before the update, in nats, as a float.

    batch: dict of `input_ids`, `attention_mask` and unshifted `labels`, each int64 (B, T); a label of -100 does not
    count, and at least one after the first column does. `model(input_ids=…, attention_mask=…).logits` is (B, T, V);
    the logits at t predict the label at t + 1. The loss is the mean over the labels that count.
    Gradients that are there before, from whatever came earlier, must not be added. What is in `.grad` afterwards does
    not matter. Whether the model is in train or eval mode is the caller's business: leave it as it is.
    """
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten())
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION
# %% check="week2.train_step"
check("week2.train_step", train_step)

# %% [markdown]
# ### The measurement
# The loss of a training step says how the model did on sixteen rows, with dropout on, before the update. To *decide* anything you want another number: held-out rows, dropout off, every token weighing the same.
# Measuring must leave no trace: no graph, no gradient, and every module back in the mode in which it was, for some may have been in eval mode on purpose.
# %% exercise="week2.evaluate"
def evaluate(model, batches):
    """Mean loss in nats over all labels that count in all batches, each label weighing the same; returns a float.

    batches: an iterable of dicts as in `train_step`, which can be read once only (it may be a generator). A batch may
    hold no label that counts: it changes nothing. At least one label counts in all.
    While it runs, the model is in eval mode (no dropout) and no graph is built. Afterwards every module of the model
    is in the mode that it was in before: some may have been in eval mode while others trained. Weights, their
    `.grad` and their `requires_grad` are as they were.
    """
    ### BEGIN SOLUTION
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    total = count = 0
    with torch.no_grad():
        for batch in batches:
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
            labels = batch["labels"][:, 1:].flatten()
            total += F.cross_entropy(logits[:, :-1].flatten(0, 1), labels, reduction="sum").item()
            count += (labels != -100).sum().item()
    for module, mode in modes:
        module.training = mode
    return total / count
    ### END SOLUTION
# %% check="week2.evaluate"
check("week2.evaluate", evaluate)

# %% [markdown]
# ### What the gradients look like
# Between backward and step lies the one moment at which you can see *how* the model is about to change. Three numbers tell most of it: how long the whole gradient is, its largest entry, and how many weights have none at all.
#
# A gradient of `None` is not a gradient of zero. `None` says: this weight took no part in the loss. Often that is the bug.
# %% exercise="week2.gradient_stats"
def gradient_stats(model):
    """What the gradients of a model look like after `backward`: a dict of `norm`, `max_abs` and `n_missing`.

    model: a torch.nn.Module; some of its parameters may hold no gradient (`.grad` is None).
    norm: the length of all gradients taken as one long vector. max_abs: the largest absolute value in them.
    n_missing: how many parameter tensors ask for a gradient (`requires_grad`) and have none; a frozen parameter
    asks for none, and a gradient of zeros is one. A weight that two layers share counts once.
    Without any gradient, norm and max_abs are 0. A NaN in any gradient makes norm and max_abs NaN.
    Numbers may be floats or tensors of one element without a shape. Gradients are not changed.
    """
    ### BEGIN SOLUTION
    grads = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    n_missing = sum(p.requires_grad and p.grad is None for p in model.parameters())
    if not grads:
        return {"norm": 0.0, "max_abs": 0.0, "n_missing": n_missing}
    values = torch.cat(grads)
    return {"norm": values.norm(), "max_abs": values.abs().max(), "n_missing": n_missing}
    ### END SOLUTION
# %% check="week2.gradient_stats"
check("week2.gradient_stats", gradient_stats)

# %% [markdown]
# ## Your own loop, with a log
# All your parts at once, on the bank's conversations. Four things belong in every log: the loss, the **learning rate**, the **norm of the gradient**, the **norm of the weights**. The learning rate rises over the first twenty steps (*warm-up*) and stays.
#
# You can read that a healthy gradient norm is “stable” and that weights “grow slowly”. Draw both curves with a finger on the table before you run the cell. (If your `train_step` clears the gradients at its end, the log finds none: clear them at its start.)
#
# With this you have written every line of a step. Part two asks how long to go on, what to keep, and what two curves can tell; part three hands you five loops in which one thing is wrong.
#
# <details><summary><b>In practice: what else stands in a log</b></summary>
#
# Large runs add: the loss by *component* (by data source, or prompt and answer apart), the share of tokens that count, steps skipped, the largest logit, tokens per time, memory. Each came into the log after a run had been lost without it.
# The *update* tells more than the gradient: how far the weights move in a step, relative to their own size. With AdamW the gradient's norm can change by orders of magnitude while the update does not.
# </details>

# %%
def short_run(steps=80):
    train, val = loaders()
    model, log = GPT(GPTConfig(seq_len=192), training.generator(0, 0)), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step, batch in zip(range(steps), itertools.chain.from_iterable(itertools.repeat(train))):
        optimizer.param_groups[0]["lr"] = 1e-2 * min(1, (step + 1) / 20)
        loss, weights = train_step(model, batch, optimizer), torch.cat([p.detach().flatten() for p in model.parameters()])
        log.append((loss, optimizer.param_groups[0]["lr"], float(gradient_stats(model)["norm"]), weights.norm().item()))
    return [list(column) for column in zip(*log)], evaluate(model, val)


def show_run():
    columns, held_out = short_run()
    names = ("Loss (nats per byte)", "Learning rate (1)", "Gradient norm (1)", "Weight norm (1)")
    fig, axes = plots.figure(4, (13, 3.2))
    for ax, name, column in zip(axes, names, columns):
        plots.style(ax, "Step (updates)", name)
        ax.plot(range(1, len(column) + 1), column, color=plots.BLUE, lw=2)
    plots.show(fig, "Four curves of a run: " + "; ".join(map(plots.curve_words, names, columns)) + ".")
    return {"held-out loss at the end, nats per byte": held_out, "largest gradient norm": max(columns[2])}


with training.one_thread():
    attempt("Your loop", show_run)
