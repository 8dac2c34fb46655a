# %% [markdown]
# # Week 4, part two: more rows than fit
#
# The recipe asks for thirty-two rows of text in each update. Your machine holds four. Can you have the very same run?
#
# **In plain words.** A vote does not need one large hall. Let the people come in small groups, write each group's votes on the same sheet, and count when the last group has left.
#
# **The working idea.** `.backward()` *adds* its gradient to what stands in `.grad`. So take a few rows, call `.backward()`, take the next few, and so on, without emptying `.grad` and without a step. Then step once.
# The few rows are a *micro-batch*; all that go into one step are the *effective batch*. Its size is the rows of a micro-batch times the number of micro-batches (times the number of GPUs, if each has its own): 4 × 4 = 16, 4 × 8 = 32, and 8 × 4 = 32 as well.
#
# This is *gradient accumulation*. It sounds too simple to go wrong. It went wrong, in the most used libraries, for years.

# %%
import itertools
import math
import time

import torch
import torch.nn.functional as F
from torch.nn.utils import clip_grad_norm_ as clip_grad_norm  # yours from part one does the same

from course.lab import activations, assessment, gradients, plots, text, training
from course.lab.clinics import week4 as clinics
from course.lab.demos import week4 as demos
from course.lab.journal import attempt, commit

# %% [markdown]
# ## How much does one micro-batch know?
# Why wait for thirty-two rows at all? Because the gradient of a few rows points somewhere else than the gradient of many.
# Predict the cosine between the gradient of *one* row and that of 256 rows (this one among them), on average: once for a model that has seen 20 updates, once for one that has seen 300. Then use the sliders.

# %%
my_prediction = None
commit("One row against 256, after 20 updates", my_prediction, lambda: gradients.agreement(gradients.rows_of(20), 1).mean())
my_prediction = None
commit("One row against 256, after 300 updates", my_prediction, lambda: gradients.agreement(gradients.rows_of(300), 1).mean())
demos.gradient_agreement()

# %% [markdown]
# Early on the rows agree; later each pulls its own way, and a single one says little about all. (Think of what a fresh model has to learn first, and what is left when it knows that.)
# The dashed curve is no fit: it is computed from the spread of single rows. Week 6 makes a rule for the batch size out of it.
#
# ## Five micro-batches, one after the other
# Now look at `.grad` while it fills. Five micro-batches of four rows arrive. Before you run the cell, say which is right at its end: does `.grad` hold the gradient of all twenty rows, or something else?

# %%
micro_batches = list(itertools.islice(training.tiny_batches(4, seed=3), 5))
model = gradients.trained(100)
true = gradients.gradient_of(model, gradients.whole(micro_batches))
for number, batch in enumerate(micro_batches, 1):
    training.loss(model, batch).backward()
    held = gradients.gradient(model)
    cosine = gradients.cosine(held, true)
    print(f"after micro-batch {number}: norm of .grad {held.norm():.3f}   cosine with all 20 rows {cosine:.3f}")
print(f"gradient of all 20 rows: norm {true.norm():.3f}")
print(f".grad is {held.norm() / true.norm():.3f} times as long")

# %% [markdown]
# The direction is right, the length is not: `.backward()` adds, and the loss of a batch is a *mean*. Five micro-batches are five terms, so divide each loss by five before its `.backward()`. The clinic at the end shows which optimizer would notice if you forgot.
# No weight has moved so far. At the one step that follows *all* of them move.
#
# ## Folklore audit: “accumulation is mathematically guaranteed to equal the large batch”
# So the usual line is `loss = loss / accumulation_steps`, and tutorials promise that it gives exactly the gradient of the large batch.
# Here are four micro-batches of one row each. First all rows hold 16 tokens; then they hold 4, 8, 16 and 64, as texts do.
# Predict the error of the gradient both times, as a share of the true gradient: 0 is equal, 1 is as bad as answering zero.

# %%
def error_of_the_mean_of_means(lengths):
    model, micro_batches = gradients.trained(100), gradients.pieces(lengths)
    true = gradients.gradient_of(model, gradients.whole(micro_batches))
    for batch in micro_batches:
        (training.loss(model, batch) / len(micro_batches)).backward()
    got = gradients.gradient(model)
    print(f"lengths {lengths}: cosine with the true gradient {gradients.cosine(got, true):.3f}")
    return gradients.error(got, true)


my_prediction = None
commit("Error for rows of 16, 16, 16, 16", my_prediction, lambda: error_of_the_mean_of_means((16, 16, 16, 16)))
my_prediction = None
commit("Error for rows of 4, 8, 16, 64", my_prediction, lambda: error_of_the_mean_of_means((4, 8, 16, 64)))

# %% [markdown]
# **Verdict.** The promise holds for equal token counts only. A row of 4 tokens has 3 labels, one of 64 has 63, and the mean of means gives both rows the same say: a token in the short one weighs 21 times as much. Padding, masked prompts and the last batch of an epoch all make counts unequal.
# You met this mean in week 1, as the perplexity of a corpus. There it was a wrong figure; here it is a wrong *direction*.
#
# <details><summary><b>The true story</b></summary>
#
# For years the mean of means was what the libraries did. It was noticed in 2024, when people compared runs with accumulation to runs without, on rows of unequal length ([transformers 34191](https://github.com/huggingface/transformers/pull/34191)); others had the same line ([mlx-lm 1413](https://github.com/ml-explore/mlx-lm/pull/1413)).
# The repair was not easy either: for a while the loss came out multiplied by the number of accumulation steps ([transformers 35438](https://github.com/huggingface/transformers/pull/35438), [LlamaFactory 7443](https://github.com/hiyouga/LlamaFactory/issues/7443)).
# </details>
#
# ### Accumulate, weighted by tokens
# Every token of the effective batch should weigh the same, whatever micro-batch it lies in. What must be known *before* the first `.backward()`?
# %% exercise="week4.accumulate"
def accumulate(model, micro_batches, ignore_index=-100):
    """Leaves in `.grad` the gradient of the mean loss over all counted tokens of all micro-batches; returns that loss.

    micro_batches: an iterable of batches, perhaps a generator: it can be read once. A batch is a dict of input_ids,
    attention_mask and unshifted labels, each int64 (B, T); B and T may differ from one to the next.
    model(input_ids=…, attention_mask=…).logits is (B, T, V), and position t predicts label t + 1: a batch counts
    (labels[:, 1:] != ignore_index).sum() tokens. One micro-batch may count none, all of them together count some.
    Gradients that `.grad` holds before, left over from another step, do not count. A parameter that no gradient
    reaches may end with None or with zeros. The weights do not change.
    One micro-batch at a time goes through the model, and its graph is released before the next one enters.
    Returns the mean loss per counted token, in nats, as a float.
    """
    ### BEGIN SOLUTION
    model.zero_grad()
    batches = list(micro_batches)  # a few ids each, next to nothing beside the activations
    total = sum(int((batch["labels"][:, 1:] != ignore_index).sum()) for batch in batches)
    mean = 0.0
    for batch in batches:
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
        targets = batch["labels"][:, 1:].flatten()
        nats = F.cross_entropy(logits.flatten(0, 1), targets, ignore_index=ignore_index, reduction="sum")
        (nats / total).backward()
        mean += nats.item() / total
    return mean
    ### END SOLUTION
# %% check="week4.accumulate"
check("week4.accumulate", accumulate)

# %%
def error_of_yours(lengths):
    model, micro_batches = gradients.trained(100), gradients.pieces(lengths)
    true = gradients.gradient_of(model, gradients.whole(micro_batches))
    accumulate(model, iter(micro_batches))
    return gradients.error(gradients.gradient(model), true)


attempt("Error of your gradient for rows of 4, 8, 16, 64", lambda: error_of_yours((4, 8, 16, 64)))

# %% [markdown]
# What is left is rounding: the same numbers, added in another order.
#
# ### How many updates?
# Accumulation has a price that every schedule and every log depends on: fewer updates. Count them, leftovers included.
# Choosing is simple then: the largest micro-batch that fits, and as many of them as the effective batch needs. If 32 rows are wanted and 8 fit, that is 4 micro-batches.
# %% exercise="week4.update_steps"
def update_steps(n_examples, batch_size, accumulation_steps, epochs):
    """How often the optimizer steps in a run that accumulates gradients.

    n_examples: examples of an epoch. batch_size: examples of a micro-batch; the last one of an epoch may be smaller
    and is used like the others. accumulation_steps: micro-batches for one update. At the end of *each* epoch the
    micro-batches left over, fewer than accumulation_steps, make an update of their own: none waits for the next epoch.
    All are ints; n_examples and epochs at least 0, the others at least 1. Returns an int.
    """
    ### BEGIN SOLUTION
    micro_batches = math.ceil(n_examples / batch_size)
    return epochs * math.ceil(micro_batches / accumulation_steps)
    ### END SOLUTION
# %% check="week4.update_steps"
check("week4.update_steps", update_steps)

# %% [markdown]
# ## Folklore audit: “accumulation trains faster”
# Four runs read the same 960 rows in the same order: 32 rows at once, 8 times 4 rows, 32 times 1 row, and 4 rows with an update after each.
# How many updates does each make? (`update_steps` knows.) Then predict: after the same rows, by how much does the loss with 8 × 4 rows differ from that with 32 at once? And the loss with 4 rows and no accumulation? And where 32 rows at once take a second, how long do 8 × 4 take?

# %%
fixed = next(training.tiny_batches(32, seed=7, split="val"))


def read_rows(rows, steps, lr=1e-2, total=960):
    """Trains on `total` rows, `rows` at a time, with an update after every `steps` micro-batches."""
    model, batches, curve, spent = training.tiny_model(), training.tiny_batches(rows), [], 0.0
    optimizer = training.OPTIMIZERS["adamw"](model.parameters(), lr)
    with training.one_thread():
        for number in range(1, total // rows + 1):
            start = time.perf_counter()
            (training.loss(model, next(batches)) / steps).backward()
            if number % steps == 0:
                optimizer.step()
                optimizer.zero_grad()
            spent += time.perf_counter() - start
            if number * rows % 32 == 0:
                curve.append(training.evaluate(model, [fixed]))
    return curve, spent


at_once = read_rows(32, 1)

# %%
runs = {"32 at once": at_once}


def run_of(name, rows, steps):
    if name not in runs:
        runs[name] = read_rows(rows, steps)
    return runs[name]


def above(name, rows, steps):
    return run_of(name, rows, steps)[0][-1] - at_once[0][-1]


my_prediction = None
commit("Loss of 8 × 4 rows, less that of 32 at once", my_prediction, lambda: above("8 × 4", 4, 8), "nats")
my_prediction = None
commit("Loss of 4 rows per update, less that of 32", my_prediction, lambda: above("4, no accumulation", 4, 1), "nats")
my_prediction = None
commit("Where 32 at once take a second, 8 × 4 take", my_prediction, lambda: run_of("8 × 4", 4, 8)[1] / at_once[1], "s")
run_of("32 × 1", 1, 32)
for name, (curve, spent) in runs.items():
    print(f"{name:20} loss on fixed rows {curve[-1]:.4f}   measured here: {spent:.2f} s")

# %% [markdown]
# **Verdict.** Accumulation takes the *same* updates as the large batch, to the last digits that rounding leaves, and more time. For the same rows, four at a time with an update after each is well ahead in this run.
# Accumulate when a batch must be large, because a recipe says so or because several GPUs share it; not to be fast.
#
# ## Folklore audit: “the loss oscillates, so accumulate”
# At a learning rate of .1 and two rows per update the loss stays high, and now and then it jumps. One cure is to accumulate 16 micro-batches. What else could you do?
# Predict which run ends lowest after the same 960 rows: two rows at .1, sixteen times two rows at .1, or two rows at .01.

# %%
lowest = None
cures = {"2 rows, lr .1": (2, 1, 0.1), "16 × 2 rows, lr .1": (2, 16, 0.1), "2 rows, lr .01": (2, 1, 0.01)}
curves = {}


def after_the_cures():
    curves.update({name: read_rows(*settings)[0] for name, settings in cures.items()})
    return min(curves, key=lambda name: curves[name][-1])


commit("Lowest after 960 rows", lowest, after_the_cures)
fig, (ax,) = plots.figure(1, (9.6, 3.4))
plots.style(ax, "Rows read", "Loss on fixed rows (nats per byte)", "One disease, two cures", ylim=(2.2, 4))
for (name, curve), colour in zip(curves.items(), plots.PALETTE):
    ax.plot(range(32, 961, 32), curve, color=colour, lw=2, label=name)
    jumps = [abs(b - a) for a, b in zip(curve[10:], curve[11:])]
    print(f"{name:20} ends at {curve[-1]:.3f}, mean jump between two points {sum(jumps) / len(jumps):.3f}")
plots.legend(ax)
plots.show(fig, "; ".join(plots.curve_words(name, curve, "nats") for name, curve in curves.items()) + ".")

# %% [markdown]
# **Verdict.** Accumulation is a poor cure here. Its directions are less noisy, but it makes 16 times fewer updates, each still too long: it starts wildly and passes the sick run only near the end. A lower learning rate keeps all its updates and ends far lower. The disease was a step too long for so noisy a direction; the cheaper end of that ratio is the step.
#
# ### A step that survives
# Put the week together: accumulate, clip, step, empty the gradients. One thing is new: a batch may be spoilt.
# A comparison with NaN is False, whichever way it points: `norm > max_norm` lets a NaN through, and one step later every weight is NaN. So ask for what you *want* to see, a finite number.
# %% exercise="week4.stable_step"
def stable_step(model, micro_batches, optimizer, max_norm):
    """One update from several micro-batches: accumulate, clip the global norm to `max_norm`, step, zero the gradients.

    micro_batches: as in `accumulate`, labels of -100 do not count; read once, perhaps a generator. The gradient is that
    of the mean loss over all counted tokens; one micro-batch may count none. What `.grad` held before does not count.
    Returns a dict: "loss", the mean in nats per counted token before the update; "grad_norm", the global norm before
    clipping; "skipped", 0 where the optimizer stepped, 1 where it did not, so that a run can add them up.
    If the loss or the gradient of a single micro-batch is inf or NaN, the whole update is dropped: the weights and the
    optimizer's state stay as they are, "skipped" is 1, and nobody looks at the other two. Nothing is raised.
    Afterwards every `.grad` is None or zero, in either case. Your own functions may be called, or clip_grad_norm_.
    """
    ### BEGIN SOLUTION
    loss = accumulate(model, micro_batches)
    norm = clip_grad_norm(model.parameters(), max_norm)
    finite = math.isfinite(loss) and math.isfinite(norm)
    if finite:
        optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": float(norm), "skipped": int(not finite)}
    ### END SOLUTION
# %% check="week4.stable_step"
check("week4.stable_step", stable_step)

# %%
def with_a_spoilt_batch(step, updates=30):
    model, batches, skipped = training.tiny_model(), training.tiny_batches(4), 0
    with torch.no_grad():
        model.embedding.weight[text.PAD] = math.nan  # a token that nobody should meet
    optimizer = training.OPTIMIZERS["adamw"](model.parameters(), 1e-2)
    with training.one_thread():
        for number in range(1, updates + 1):
            micro_batches = list(itertools.islice(batches, 4))
            if number == 10:
                micro_batches[2]["input_ids"][0, 5] = text.PAD
            skipped += step(model, micro_batches, optimizer, 1.0)["skipped"]
        return f"{skipped} of {updates} updates skipped, loss afterwards {training.evaluate(model, [fixed]):.3f}"


attempt("Thirty updates, the tenth is spoilt", lambda: with_a_spoilt_batch(stable_step))

# %% [markdown]
# ## To forget on purpose
# Accumulation makes the *rows* in memory few. What do they need memory for? The backward pass walks through the model from its end to its start, and at every station it needs what the forward pass had there. So autograd keeps it, for every layer, until then: the *activations*.
#
# **In plain words.** Keep a bookmark for each chapter instead of a copy of every page. To see a page again, read that one chapter again.
#
# **The working idea.** Under a *checkpoint* a block keeps its input and nothing else. When the backward pass arrives, the block is computed once more from its input, its gradient is taken, and all is dropped again ([Chen et al. 2016](https://arxiv.org/abs/1604.06174)).
#
# Predict for four blocks: how many times less is kept? And how many percent more computing does it cost, if a backward pass costs about as much as two forward passes?

# %%
deep, rows = training.tiny_model(layers=4), next(training.tiny_batches(4))
my_prediction = None
commit("Times less kept", my_prediction,
       lambda: activations.measured(deep, rows["input_ids"], False) / activations.measured(deep, rows["input_ids"], True))
my_prediction = None
commit("More computing, in percent", my_prediction,
       lambda: 100 * activations.operations(deep, rows, True) / activations.operations(deep, rows, False) - 100)
demos.activation_memory()

# %% [markdown]
# What is kept is counted twice: measured, tensor by tensor, and predicted from the sizes of the model alone. It grows with the tokens and with the layers; the checkpoint changes only the slope.
# The extra computing stays below a third, because the head is not under a checkpoint.
#
# ### Write a checkpoint
# You need `torch.autograd.Function`: its `forward` runs without a graph, and its `backward` may compute what it likes. A toy:
#
# ```python
# class Double(torch.autograd.Function):
#     @staticmethod
#     def forward(ctx, x):               # called by Double.apply(x)
#         ctx.save_for_backward(x)       # kept until backward; other things may be put on ctx
#         return 2 * x
#
#     @staticmethod
#     def backward(ctx, grad_output):    # called only if a tensor among the arguments needs a gradient
#         (x,) = ctx.saved_tensors
#         return 2 * grad_output         # one for each argument of forward, None where there is none
# ```
#
# In `backward`, `with torch.enable_grad():` records a graph again, of detached copies of the inputs. `torch.get_rng_state()` and `torch.set_rng_state()` read and set the generator.
# Two traps. A block with dropout must drop the *same* numbers the second time. And inputs that need no gradient must not keep the parameters inside from theirs.
# %% exercise="week4.checkpoint_block"
def checkpointed(function, *inputs):
    """function(*inputs), but what is computed inside is dropped after forward and computed again in backward.

    function: takes the inputs and returns one float tensor. It may hold parameters (a layer, a block) and draw from
    torch's global CPU generator (dropout). It is called once in forward and once more during backward.
    inputs: tensors or None. Some may need no gradient (a mask, a frozen embedding); perhaps none of them does, and the
    parameters inside still get theirs. Inputs may have a history, and may be used elsewhere too.
    After .backward() the gradients of inputs and parameters are those of the plain call. The second run draws the same
    random numbers as the first, and then the generator stands where it would stand without a second run.
    Between forward and backward only inputs and output are kept. Under torch.no_grad() it is a plain call.
    backward is called once; autocast need not be restored. torch.utils.checkpoint is refused.
    """
    ### BEGIN SOLUTION
    class Recompute(torch.autograd.Function):
        @staticmethod
        def forward(ctx, anchor, *inputs):
            ctx.save_for_backward(*inputs)
            ctx.generator = torch.get_rng_state()
            return function(*inputs)  # no graph is recorded in here

        @staticmethod
        def backward(ctx, gradient):
            copies = [x if x is None else x.detach().requires_grad_(x.requires_grad) for x in ctx.saved_tensors]
            with torch.random.fork_rng(), torch.enable_grad():
                torch.set_rng_state(ctx.generator)
                function(*copies).backward(gradient)
            return None, *(x if x is None else x.grad for x in copies)

    anchor = torch.zeros((), requires_grad=True)  # so that a graph exists where no input needs a gradient
    return Recompute.apply(anchor, *inputs)
    ### END SOLUTION
# %% check="week4.checkpoint_block"
check("week4.checkpoint_block", checkpointed)

# %%
def gradient_with_dropout(checkpointed):
    model = gradients.trained(100).train()
    model.blocks[0].dropout.p = 0.2
    torch.manual_seed(0)
    run = activations.with_checkpoints(model, checkpointed=checkpointed)
    training.loss(run, rows).backward()
    return gradients.gradient(model)


def kept_bytes(checkpointed):
    run = activations.with_checkpoints(deep, checkpointed=checkpointed)
    there_anyway = [*deep.parameters(), *deep.buffers(), rows["input_ids"]]
    return activations.kept_bytes(lambda: run(rows["input_ids"]).logits, there_anyway)


def other_dice(function, *inputs):
    return torch.utils.checkpoint.checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False)


plain = gradient_with_dropout(lambda function, *inputs: function(*inputs))
attempt("Yours: bytes kept by four blocks", lambda: kept_bytes(checkpointed))
attempt("Yours, with dropout: error of the gradient", lambda: gradients.error(gradient_with_dropout(checkpointed), plain))
my_prediction = None
commit("Error if dropout rolls other dice the second time", my_prediction,
       lambda: gradients.error(gradient_with_dropout(other_dice), plain))

# %% [markdown]
# ### Both together
# Accumulation cuts the rows, checkpointing what each row keeps. Predict the peak of 8 × 4 rows *with* checkpoints, in percent of 32 rows at once without. And does it take more memory to accumulate 16 micro-batches instead of 8?

# %%
def peak_of(rows, steps, checkpoints):
    return activations.peak(deep, list(itertools.islice(training.tiny_batches(rows), steps)), checkpoints)


my_prediction = None
commit("8 × 4 rows with checkpoints, in percent of 32 rows plain", my_prediction,
       lambda: 100 * peak_of(4, 8, True) / peak_of(32, 1, False))
for n, steps in [(32, 1), (4, 8), (4, 16)]:
    plain, checked = peak_of(n, steps, False), peak_of(n, steps, True)
    print(f"{steps:2} × {n:2} rows, peak in bytes: {plain:>10,} plain {checked:>10,} checkpointed")
four = list(itertools.islice(training.tiny_batches(4), 4))
sent = [gradients.exchanges(training.tiny_model(), four, no_sync) for no_sync in (False, True)]
print(f"On several GPUs, 4 micro-batches: gradients are exchanged {sent[0]} times, under no_sync {sent[1]} time")

# %% [markdown]
# More accumulation steps need no more memory: the gradients are added in one place.
#
# <details><summary><b>In practice</b></summary>
#
# *Several GPUs.* DistributedDataParallel averages the gradients of all GPUs at every `.backward()`. While you accumulate, only the last exchange is needed: put the others under `model.no_sync()`, as counted above. Off by one, and the copies of the model drift apart ([FunASR 3472](https://github.com/modelscope/FunASR/pull/3472)). The average over GPUs is a mean of means again: count the tokens over *all* GPUs.
#
# *Batch normalisation* takes its mean from the micro-batch, so with it accumulation is never the large batch. Language models normalise each token by itself. *The learning rate* belongs to the effective batch, and its schedule moves once per update (week 6).
# </details>
#
# <details><summary><b>At the frontier</b></summary>
#
# *What to forget.* Inside attention some activations are large and cheap to compute again; recomputing only those saves most of the memory for little time ([Korthikanti et al. 2022](https://arxiv.org/abs/2205.05198)). With a checkpoint around every √L of L layers, memory grows with √L ([Chen et al. 2016](https://arxiv.org/abs/1604.06174)).
#
# *Whether to accumulate at all.* On one GPU small batches with a fitting optimizer do as well or better per operation, say [Marek et al. 2025](https://arxiv.org/abs/2507.07101), who call accumulation wasteful there. How large a batch is worth having follows from the noise in the gradient ([McCandlish et al. 2018](https://arxiv.org/abs/1812.06162)).
# </details>

# %% [markdown]
# ## Clinic: four sick updates
# Four people fine-tune the tiny model on short lines of code, four micro-batches to an update. Each has one thing wrong between the loss and the step, as it happens in good projects.
#
# - **scale**: only the *report* is divided by the number of micro-batches;
# - **zero**: the gradients are emptied before every micro-batch;
# - **guard**: a micro-batch in which no label counts divides 0 by 0, and `norm > max_norm` watches over the step;
# - **checkpoint**: torch's older, *reentrant* checkpoint sits behind a frozen embedding.
#
# Curves alone will not tell you. The table holds what was *measured*: the gradient that the optimizer used, against that of all rows in one batch. Diagnose before you run the second cell.

# %%
clinics.consult()

# %%
diagnosis = {"A": None, "B": None, "C": None, "D": None}
for patient, disease in diagnosis.items():
    commit(f"Patient {patient} suffers from", disease, lambda patient=patient: clinics.PATIENTS[patient].disease)

# %% [markdown]
# ### Mend them
# Here is the code of the four. Change as little as you can, run the cell, and go on until it says that the patient is well.
# `token_losses` gives the loss of every token and a 1 where its label counts; `counted` says how many do.

# %%
def patient_a(model, micro_batches, optimizer):
    optimizer.zero_grad()
    total, reported = sum(map(gradients.counted, micro_batches)), 0.0
    for batch in micro_batches:
        nats, counts = clinics.token_losses(model, batch)
        loss = (nats * counts).sum() * len(micro_batches) / total
        loss.backward()
        reported += loss.item() / len(micro_batches)
    optimizer.step()
    return reported


def patient_b(model, micro_batches, optimizer):
    total, reported = sum(map(gradients.counted, micro_batches)), 0.0
    for batch in micro_batches:
        optimizer.zero_grad()
        nats, counts = clinics.token_losses(model, batch)
        loss = (nats * counts).sum() / total
        loss.backward()
        reported += loss.item()
    optimizer.step()
    return reported

# %%
def patient_c(model, micro_batches, optimizer, max_norm=1.0):
    optimizer.zero_grad()
    total, reported = sum(map(gradients.counted, micro_batches)), 0.0
    for batch in micro_batches:
        nats, counts = clinics.token_losses(model, batch)
        loss = (nats * counts).sum() / counts.sum() * gradients.counted(batch) / total
        loss.backward()
        reported += loss.item()
    norm = torch.nn.utils.get_total_norm([p.grad for p in model.parameters()])
    if norm > max_norm:
        for p in model.parameters():
            p.grad *= max_norm / norm
    optimizer.step()
    return reported


def patient_d(model, micro_batches, optimizer):
    forward = activations.with_checkpoints(model, use_reentrant=True)
    return clinics.healthy(forward, micro_batches, optimizer)


clinics.discharge(A=patient_a, B=patient_b, C=patient_c, D=patient_d)

# %% [markdown]
# ### Who notices?
# Patient A ran with SGD. The next cell gives the same disease to AdamW. Predict the loss on other lines after it, against that of a healthy run with AdamW: how many nats worse?

# %%
my_prediction = None
commit("AdamW with a gradient 4 times too long, worse by", my_prediction,
       lambda: clinics.run(clinics.PATIENTS["A"].update, "A", "B").held_out - clinics.sound("B").held_out, "nats")
clinics.who_notices()

# %% [markdown]
# **What the clinic shows.** A right loss proves nothing about the step. A and B report the right loss of the right rows and use another gradient; under AdamW even a factor of four leaves no trace in the curve. It waits there until somebody clips, or changes the optimizer.
# Three measurements find all four: the gradient against that of one large batch, the number of parameters without one, and whether all weights are finite.
#
# <details><summary><b>The true stories</b></summary>
#
# *scale*: loss and gradient norm grew with the accumulation steps ([axolotl 2262](https://github.com/axolotl-ai-cloud/axolotl/issues/2262)) until the loss was [scaled before backward](https://github.com/huggingface/transformers/pull/35207).
# *zero*: in [torchtitan](https://github.com/pytorch/torchtitan/pull/3575), and in [alpaca_farm](https://github.com/tatsu-lab/alpaca_farm/issues/57), whose author had trained models that did about equally well with it and without.
# *checkpoint*: [transformers 21381](https://github.com/huggingface/transformers/issues/21381), [diffusers 3404](https://github.com/huggingface/diffusers/pull/3404), and a weather model whose encoder silently stayed random ([ace 1493](https://github.com/ai2cm/ace/pull/1493)). torch prints a warning; in a long log nobody reads it.
# </details>
#
# ## What you can do now
# Give each line a level, and the evidence for it: a check, a figure, a run.

# %%
assessment.Reflection("week4", [
    "I can say what clipping does to a gradient's length and direction, and choose a limit from measured norms.",
    "I can put scaling, unscaling, clipping, stepping and zeroing in an order that works, and say what another order does.",
    "I can accumulate a gradient that equals the large batch's for rows of any length, and prove it by measurement.",
    "I can say what accumulation costs and what it does not bring.",
    "I can predict the activations of a model in bytes, with checkpoints and without.",
    "I can find a wrong update by measurement while its loss looks right.",
])
