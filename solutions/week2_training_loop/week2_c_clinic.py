# %% [markdown]
# # Week 2, part three: what is wrong with it?
#
# Somebody shows you a loss curve that is clearly not right and asks what to do. There is advice for each shape: “NaN? Lower the learning rate. It swings? Lower it too. It overfits? Dropout.”
# Does such advice cure anything? And if not, what should one do instead?
#
# **In plain words.** Fever is not a disease, and a cold bath cures few of those that have it. A curve is a fever. The doctor measures until only one cause is left.
#
# Five runs are sick below. Each is a short loop with *one* thing wrong in the code. First you look, then you test the usual advice, then you measure, then you mend.

# %%
import copy
import itertools
import math
import statistics
import time
from collections import Counter

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

from course.lab import activations, assessment, plots, recordings, text, training
from course.lab.clinics import week2 as clinics
from course.lab.clinics import week2_bank as bank
from course.lab.journal import attempt, commit

# %% [markdown]
# ## The complaints
# All five train the small GPT on single lines of source, 60 steps, with AdamW at .01, from the same weights. A learns right-hand sides only: the label of everything up to the `=` is −100.
# Blue is what the loop reports, orange the loss on held-out lines.

# %%
clinics.consult()

# %% [markdown]
# ## Folklore audit: does the usual advice help?
# Each patient gets what a guide to training problems recommends for its complaint. Predict: how many of the five get well?

# %%
my_prediction = None
commit("Patients cured by the usual advice", my_prediction)
clinics.usual_cures()

# %% [markdown]
# **Verdict.** Advice that goes by the shape of a curve treats the fever. Some of it makes the curve prettier; that is worse than nothing, for then nobody looks further.
#
# ## Measure
# A loop can be asked more than its loss. For each step the chart holds:
#
# - `labels`: how many labels in the batch count;
# - `gradient`: the norm of what lies in `.grad` when the step is taken, and `own gradient`: of what this batch *alone* gives, every tenth step, on the weights as they are after it;
# - `moved`: how far the weights went in the step, relative to their size;
# - `rows seen`: how many different rows the run has looked at so far;
# - `positions`: how many places the model computed, and `padding`: which share of them was padding.
#
# For each patient, decide first: which *one* measurement would you order, and which value would prove your suspicion? Only then read the table. At the end of each block stand two healthy runs: `healthy A` learns right-hand sides only, as A does; `healthy` is for the other four.
# One disease may show in several columns. Which one comes first, and which only follow from it?

# %%
clinics.examine("labels", "gradient", "own gradient", "moved", "rows seen", "positions", "padding")

# %% [markdown]
# ### Your diagnosis
# Which number is out of line with the healthy run, in each patient, and is the cause of the others? Write the cause in a word: `"labels"`, `"weights"`, `"rows"`, `"gradients"` or `"padding"`.

# %%
diagnosis = {"A": None, "B": None, "C": None, "D": None, "E": None}
for patient, cause in diagnosis.items():
    commit(f"The cause of {patient}", cause, lambda patient=patient: clinics.DISEASES[patient])

# %% [markdown]
# ## Mend them
# Here are the five loops. Change as little as you can in each, then run the discharge below, again and again. It trains each patient anew and *measures*: whether every report is a number, how the model does on held-out lines, and how much was computed.
#
# `chart.start()` gives the model, the rows and a generator; `chart.note(…)` writes down what the table showed.

# %%
def patient_a(chart, steps=60):  # The loss is NaN.
    model, rows, rng = chart.start()
    rows = [row[:14] for row in rows if ord("=") in row]  # lines with a right-hand side, cut to save time
    optimizer = torch.optim.AdamW(model.parameters(), lr=chart.lr)
    for _ in range(steps):
        batch = clinics.right_sides([rows[i] for i in torch.randint(len(rows), (4,), generator=rng)])
        labels = batch["labels"][:, 1:]
        counts = labels != -100
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
        nats = F.cross_entropy(logits.transpose(1, 2), labels.clamp(min=0), reduction="none")
        loss = (nats * counts).sum() / counts.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        chart.note(model, batch, loss)

# %%
def patient_b(chart, steps=60):  # The loss does not fall.
    model, rows, rng = chart.start()
    optimizer = torch.optim.AdamW(model.parameters(), lr=chart.lr)
    model = copy.deepcopy(model)  # train a copy, so that the fresh model is there to compare with
    for _ in range(steps):
        batch = text.batch([rows[i] for i in torch.randint(len(rows), (16,), generator=rng)])
        loss = training.loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        chart.note(model, batch, loss)

# %%
def patient_c(chart, steps=60):  # It overfits.
    model, rows, rng = chart.start()
    optimizer = torch.optim.AdamW(model.parameters(), lr=chart.lr)
    for _ in range(steps):
        rng = training.generator(0, 4)  # seeded, so that the run can be repeated
        batch = text.batch([rows[i] for i in torch.randint(len(rows), (16,), generator=rng)])
        loss = training.loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        chart.note(model, batch, loss)

# %%
def patient_d(chart, steps=60):  # The loss swings.
    model, rows, rng = chart.start()
    optimizer = torch.optim.AdamW(model.parameters(), lr=chart.lr)
    for _ in range(steps):
        batch = text.batch([rows[i] for i in torch.randint(len(rows), (16,), generator=rng)])
        loss = training.loss(model, batch)
        loss.backward()
        optimizer.step()
        chart.note(model, batch, loss)

# %%
def patient_e(chart, steps=60, longest=192):  # It is too slow.
    model, rows, rng = chart.start()
    optimizer = torch.optim.AdamW(model.parameters(), lr=chart.lr)
    for _ in range(steps):
        batch = text.batch([rows[i] for i in torch.randint(len(rows), (16,), generator=rng)])
        missing = longest - batch["input_ids"].shape[1]  # every batch has the shape that the model was made for
        batch = {name: F.pad(batch[name], (0, missing), value=filler)
                 for name, filler in {"input_ids": text.PAD, "attention_mask": 0, "labels": -100}.items()}
        loss = training.loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        chart.note(model, batch, loss)

# %%
clinics.discharge(A=patient_a, B=patient_b, C=patient_c, D=patient_d, E=patient_e)

# %% [markdown]
# **What the clinic shows.** One wrong line, and everything else works: no error, plausible numbers, a complaint that fits a dozen causes. What finds the line is a measurement whose healthy value you know.
# A short list that would have found all five: does each batch hold labels? Do gradients exist, *and* do the weights move? Is the gradient that of this batch? How many different rows were seen? How much of the work is real?
# And before these, the two cheapest: does the first loss lie at ln V (week 1), and can the loop learn one batch by heart (part two)? Which of the five would those two have found?
#
# <details><summary><b>Why one bad batch kills patient A, and how a library hides it</b></summary>
#
# The mean of nothing is 0/0. A masked mean written by hand sends that NaN into every gradient, AdamW writes it into every weight, and nothing brings them back. `F.cross_entropy` returns NaN there too, but its gradient at ignored labels is zero: the report breaks and the model lives.
# Labels vanish in good projects: a prompt longer than the cut leaves an answer without a single token ([trl 6668](https://github.com/huggingface/trl/issues/6668), reported as a loss of zero).
# Other sources of NaN are logarithms of zero, a softmax over nothing but masked scores, numbers beyond what a format can hold (week 3), and learning rates that blow up. Find out *at which step, in which tensor* it appears first: `torch.autograd.set_detect_anomaly(True)` names the operation.
# </details>
#
# ### All five at once
# Now one loop that has none of the five diseases. It is checked from outside, the way you examined the patients: are the losses numbers, do *these* weights move, does each update follow its own batch, how many positions did the model compute, and which of them was it told are real?
# The draw of the rows is prescribed to the letter, so that your losses can be compared. The patients show what not to do; `torch.nn.utils.rnn.pad_sequence` or your `collate` from part one pads.
# %% exercise="week2.healthy_run"
def healthy_run(model, rows, steps, lr, generator):
    """Trains `model` on `rows` and returns the losses, a list of floats, in nats, each before its update.

    rows: a list of pairs (input_ids, labels), two lists of ints of one length, 2 or more; labels are not shifted, -100
    does not count, nor does the first label of a row, and a row may hold none that does. Each of the `steps` steps draws
    four rows with torch.randint(len(rows), (4,), generator=generator), and draws nothing else. They are padded on the
    right, with any id, to the longest of the four and no further; the attention_mask is 0 there. Then comes one update
    by torch.optim.AdamW, learning rate `lr` and its own defaults, on the mean over the labels that count. A batch in
    which none counts is left out: no update, and no loss in the list. Gradients from before the run are no part of it.
    The modes of the model's modules, and `rows`, stay as they are.
    """
    ### BEGIN SOLUTION
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=lr), []
    for _ in range(steps):
        picked = [rows[i] for i in torch.randint(len(rows), (4,), generator=generator)]
        ids = pad_sequence([torch.tensor(row) for row, _ in picked], batch_first=True)
        mask = pad_sequence([torch.ones(len(row)) for row, _ in picked], batch_first=True)
        labels = pad_sequence([torch.tensor(row) for _, row in picked], batch_first=True, padding_value=-100)[:, 1:]
        if (labels == -100).all():
            continue
        logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
        loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    ### END SOLUTION
# %% check="week2.healthy_run"
check("week2.healthy_run", healthy_run)

# %% [markdown]
# ## “It is too slow”: where does the time go?
# The advice for a slow run is often to make everything smaller. First *profile*: measure each part, then change the one that takes the time. Predict for the healthy batch: which takes most time, forward, backward, or the optimizer's step? And which of four things takes most memory: weights, gradients, AdamW's state, or the *activations*, which the forward pass keeps for the backward pass?

# %%
def parts(width=None, repeats=10):
    model, optimizer = clinics.fresh()
    batch, spent = clinics.a_batch(width), Counter()
    for _ in range(repeats):
        marks = [time.perf_counter()]
        loss = training.loss(model, batch)
        marks.append(time.perf_counter())
        loss.backward()
        marks.append(time.perf_counter())
        optimizer.step()
        marks.append(time.perf_counter())
        spent.update(dict(zip(("forward", "backward", "step"), (b - a for a, b in itertools.pairwise(marks)))))
    kept = activations.kept_bytes(lambda: training.loss(model, batch), but=[*model.parameters(), *batch.values()])
    weights = sum(4 * p.numel() for p in model.parameters())
    times = ", ".join(f"{name} {1000 * seconds / repeats:.1f} ms" for name, seconds in spent.items())
    held = {"weights": weights, "gradients": weights, "AdamW's state": 2 * weights, "activations": kept}
    return f"measured here: {times}\n           " + ", ".join(f"{name} {size:,} bytes" for name, size in held.items())


most_time, with_padding = None, None  # "forward", "backward" or "step"
with training.one_thread():
    commit("Most time, padded to its longest row", most_time, parts)
    commit("Most time, padded to 192", with_padding, lambda: parts(192))

# %% [markdown]
# <details><summary><b>In practice, and at the frontier: time and memory</b></summary>
#
# Time: `torch.profiler` shows every operator, and the gaps in which a GPU waits. The usual finds: it waits for data (*prefetch*), it computes padding, it starts thousands of tiny operations (*fuse* them: `torch.compile`), it copies between CPU and GPU in each step (an innocent `loss.item()` waits for the GPU: log every tenth step).
# Memory: activations grow with batch size and length, the rest does not. A loss kept as a tensor keeps its whole graph, and memory grows with each step. Gradient checkpointing (week 4) recomputes activations; smaller formats (week 3) shrink them; `zero_grad()` frees gradients until the next backward pass. `torch.cuda.max_memory_allocated()` measures, on a GPU.
# Only a change that leaves the losses as they were is a speed-up. Shorter rows, smaller batches or a smaller model are another experiment.
# </details>
#
# ## Spikes: what do five bad batches do?
# Data are never clean: a broken file, a page of the same character, a row in another encoding. *Bad-batch skipping* and clipping (week 4) are the usual answers. To say whether they help, one needs a number: how many steps until the loss is back?
#
# Back *to what*? Losses shiver. Take the mean and the standard deviation before the spike; back means: several losses in a row within two deviations, for one good batch is luck.
# %% exercise="week2.spike"
def spike(losses, start, length, window=20, hold=3):
    """How a run took `length` corrupt batches, from the loss of each step (measured before its update), a dict.

    losses: list of floats. start: index of the first corrupt batch; the losses `start` to `start + length - 1` are high
    because those batches are corrupt, and say nothing about the model. After them comes at least one clean batch.
    "Before" are the `window` losses right before `start`, or all where they are fewer; at least two, all finite.
    "limit": mean before + 2 * standard deviation before (divisor n - 1)
    "height": highest clean loss after the corrupt batches, minus the mean before, in nats; inf if one is not finite
    "steps": number of clean losses that come before the first of `hold` in a row at or below the limit: 0 if it is
             back at once. None if there are no such `hold` losses up to the end. A loss that is NaN is not back.
    """
    ### BEGIN SOLUTION
    before = losses[max(0, start - window) : start]
    clean = losses[start + length :]
    mean = statistics.mean(before)
    limit = mean + 2 * statistics.stdev(before)
    height = max(clean) - mean if all(map(math.isfinite, clean)) else math.inf
    back = [all(loss <= limit for loss in clean[k : k + hold]) for k in range(len(clean) - hold + 1)]
    return {"limit": limit, "height": height, "steps": back.index(True) if True in back else None}
    ### END SOLUTION
# %% check="week2.spike"
check("week2.spike", spike)

# %% [markdown]
# ### Which setting recovers fastest?
# Ten recorded runs got five batches of random bytes. They differ in the optimizer, in its memory of squared gradients (beta2, week 5) and in the norm to which gradients are clipped. Predict: does clipping to a norm of 0.1 shorten the recovery of AdamW? Of momentum?
#
# <details><summary><b>In practice: what to do about a spike</b></summary>
#
# First find out what it is: look at the batch (decode it), at the gradient's norm, and at whether the loss *returns*. A spike that returns by itself within its usual shiver needs no cure.
# A loop should check that the loss and the gradient are finite before it steps, skip the batch if not, *count* what it skipped, and stop when it skips too often; otherwise a run skips itself to death in silence. Week 4 writes that step.
# Teams watch a fixed set of small test problems as well, to see at once when a run becomes *worse* at something (*regression detection*), and evaluate while training goes on (*online evaluation*).
# </details>

# %%
spiked = recordings.load("spikes")
first, start = spiked.header["config"]["first_kept"], spiked.header["config"]["corrupt_from"]
traces = {name: [math.nan if row["loss"] is None else row["loss"] for row in rows] for name, rows in spiked.runs().items()}


def recoveries():
    found = {name: spike(trace, start - first, spiked.header["config"]["corrupt"]) for name, trace in traces.items()}
    return {name: f"up by {one['height']:.2f} nats, " + ("never back" if one["steps"] is None else f"back after {one['steps']} steps")
            for name, one in found.items()}


my_prediction = None
commit("Clipping shortens AdamW's recovery", my_prediction)
attempt("Height and length of each spike", recoveries)
fig, (ax,) = plots.figure(1)
plots.style(ax, "Step (updates)", "Loss (nats per byte)", "Five corrupt batches", xlim=(140, 200), ylim=(1.5, 8))
shown = [name for name in traces if "lr 0.3, clip None" in name or "0.999" in name and "1.0" not in name]
for name, colour in zip(shown, plots.PALETTE):
    ax.plot(*plots.finite(range(first + 1, first + 1 + len(traces[name])), traces[name]), color=colour, lw=2, label=name)
ax.axvspan(start + 1, start + spiked.header["config"]["corrupt"], color=plots.GREY, alpha=0.3)
plots.legend(ax)
plots.show(fig, f"Losses of {', '.join(shown)}: all rise in the grey band of corrupt batches, most of them out of the picture, then come back at different speeds.")

# %% [markdown]
# **What the spikes show.** In these ten runs clipping lowers every spike and shortens the way back, for AdamW too, although its steps do not grow with the gradient; a longer memory of squared gradients makes the spike higher; two runs never come back. Each setting ran once: a hint for an experiment, not its result.
#
# ## Folklore audit: “the loss rises at first because the warm-up learning rate is low”
# A log begins at 5.47, stands at 5.62 twenty steps later, and is explained so: warm-up starts with a very low rate, early batches may be harder, this is normal.
# The explanation can be tested. The batches may be harder or easier, so measure the loss of one *fixed* text after each step; then only the weights can move it.
#
# Five runs, batch 4, no warm-up but in the last. Predict: which is the lowest of these learning rates that lifts the fixed loss above where it started?

# %%
fixed = next(training.tiny_batches(32, seed=5))


def fixed_loss(lr, warmup, steps=40):
    model = training.tiny_model(0)
    runs = training.tiny_run(lr, 4, steps, model=model, warmup=warmup)
    return [training.evaluate(model, [fixed])] + [training.evaluate(model, [fixed]) for _ in runs]


settings = [(1e-4, 0), (1e-2, 0), (1e-1, 0), (1.0, 0), (1.0, 40)]
with training.one_thread():
    curves = {setting: fixed_loss(*setting) for setting in settings}
my_prediction = None
commit("Lowest rate that lifts the loss", my_prediction,
       lambda: min(lr for (lr, _), curve in curves.items() if max(curve) > curve[0] + 0.05))
fig, (ax,) = plots.figure(1)
plots.style(ax, "Step (updates)", "Loss of a fixed text (nats per byte)", "The first forty steps", ylim=(0, 12))
for ((lr, warmup), curve), colour in zip(curves.items(), plots.PALETTE):
    ax.plot(*plots.finite(range(41), curve), color=colour, lw=2, label=f"{lr:g}" + (f", warm-up {warmup}" if warmup else ""))
plots.legend(ax, ncols=5, loc="lower right")
plots.show(fig, "; ".join(plots.curve_words(f"rate {lr:g}, warm-up {w}: highest {max(c):.2f}", c) for (lr, w), c in curves.items()))

# %% [markdown]
# **Verdict.** The low rates lift nothing: a small step against the slope goes down. The step that is too *large* lifts it, and the same rate after a warm-up does not: that is what warm-up is for. Harder batches move the *reported* loss up and down at any rate (week 1 counted how often); that is no spike of the model.
# So of a curve that rises at the start one may say: perhaps the rate is too high for the fresh weights, perhaps the rows differ. The log alone does not tell.
#
# ## Memory or skill?
# “It has learnt the patterns, it has not memorised.” How would you know? A report on a banking model named five tests and passed them all: it gives sensible answers to *new prompts*, its two *loss curves* fall together, its *gradients* on new text are not zero, *half the data* would do nearly as well, its answers are *consistent*; and a *score* of exact matches is low.
# None of the tests was tried on a model that is *known* to have only memorised. A test that such a model passes proves nothing.
#
# The last of them first. What share of what a model writes is a copy of what it read?
# %% exercise="week2.memorization_score"
def memorization_score(generated, training_texts):
    """The share of `generated` texts that are, from the first character to the last, one of the training texts.

    generated, training_texts: lists of str. Capitals, spaces and line ends count: only an exact copy of a whole text is
    a match. A text that was generated twice counts twice; one that stands in the training texts twice matches no more
    than one that stands there once. Returns a float from 0 to 1; NaN where nothing was generated.
    """
    ### BEGIN SOLUTION
    known = set(training_texts)
    if not generated:
        return math.nan
    return sum(text in known for text in generated) / len(generated)
    ### END SOLUTION
# %% check="week2.memorization_score"
check("week2.memorization_score", memorization_score)

# %% [markdown]
# ### Two models, one of which can only have memorised
# Both read the same 450 bank questions. The first gets their answers. The second gets the same answers *shuffled* among the questions: there is no rule left that connects the two, so whatever it answers rightly it knows by heart ([Zhang et al. 2016](https://arxiv.org/abs/1611.03530) did this with images).
# Both are then trained on half of their rows, with as many updates.
#
# Predict four shares of answers right to the letter, in per cent.

# %%
some, new = bank.cut()[0][:450], list(bank.rows("held_out"))
data = {"true answers": some, "shuffled answers": bank.shuffled(some)}
models = {name: bank.train(rows, 12, dropout=0.0, watch={"own": rows, "new": new}, every=4) for name, rows in data.items()}
halves = {name: bank.train(rows[:225], 24, dropout=0.0, watch={"own": rows[:225], "new": new}, every=8)
          for name, rows in data.items()}
predicted = {"true answers": (None, None), "shuffled answers": (None, None)}  # its own questions, new families
for name, run in models.items():
    own, fresh = predicted[name]
    commit(f"{name}: questions it was trained on", own, lambda run=run: 100 * run.column("exact own")[-1], "per cent")
    commit(f"{name}: new families", fresh, lambda run=run: 100 * run.column("exact new")[-1], "per cent")

# %% [markdown]
# ### The five tests
# Now the tests, each on both models. Predict for each line of the table: does it tell the two apart?

# %%
def tested(name):
    run, half, rows = models[name], halves[name], data[name]
    answers = bank.write(run.model, new)
    right, asked = bank.names_the_thing(new, answers)
    copies = memorization_score([bank.spell(ids) for ids in answers], [bank.spell(row.reply) for row in rows])
    ratio = bank.gradient_norm(run.model, new) / bank.gradient_norm(run.model, rows[:180])
    return {
        "new prompts, sounds like the bank": f"{copies:.0%} of the answers are whole sentences of the bank",
        "new prompts, is right": f"{run.column('exact new')[-1]:.0%}",
        "curves: own rows, new rows": " → ".join(f"{a:.2f}, {b:.2f}" for a, b in zip(run.column("own")[1:], run.column("new")[1:])),
        "gradient on new rows over own rows": f"{ratio:.1f}",
        "half the data: right on own, on new": f"{half.column('exact own')[-1]:.0%}, {half.column('exact new')[-1]:.0%}",
        "consistent: names the thing asked about": f"{right} of {asked}",
        "score: copies of training answers": f"{copies:.0%}",
    }


for name in models:
    attempt(name, lambda name=name: tested(name))
for row in new[:2]:
    print(f"\n{row.question}")
    for name, run in models.items():
        print(f"  {name}: {bank.spell(bank.write(run.model, [row])[0])}")

# %% [markdown]
# **Verdict.** *Right* answers to questions of new families tell memory from skill; that test was not on the list. What merely *sounds* right does not, for the memoriser speaks the bank's language as well. Parallel curves do not, early on; a gap alone does not, both have one.
# The gradient says the reverse of what was claimed: it is small on rows a model knows and large on new ones, for both. Half the data hurts the model that has *learnt something*, for it lives on data; the memoriser has nothing to lose. Consistency tells much, if one counts right things and not alike ones: in the report, an answer about the wrong account counted as consistent. And the score of copies is high for both, for the *good* model too, because in this bank the right answer *is* a copy.
# So: first a measure that says what you want, then a model that surely lacks it, then the test.
#
# <details><summary><b>At the frontier: memory in large models</b></summary>
#
# Large models can be made to recite training text; the more often it occurred, the larger the model and the longer the prompt, the more ([Carlini et al. 2022](https://arxiv.org/abs/2202.07646)). Near-twins between training and test data are the language model's form of the leak in our random tenth. And a model can fit every training row and still improve on new ones ([Nakkiran et al. 2019](https://arxiv.org/abs/1912.02292)): to memorise and to generalise are no opposites.
# </details>
#
# ## The smallest experiment that shows something
# “Fifty examples, one epoch, three prompts before and after.” It is a good habit to start so small. How much can it show? Predict: at batch 16, how many updates are fifty examples? With the model above, which answers about half of the new questions rightly: in which share of all draws of three prompts are all three right? And if three of three are right, what is the lowest true rate that is still plausible (at 95 %)?

# %%
my_prediction = None
commit("Updates in one epoch of 50 at batch 16", my_prediction, lambda: math.ceil(50 / 16))
right = [ids == row.reply for ids, row in zip(bank.write(models["true answers"].model, new), new)]
triples = [sum(right[i] for i in torch.randint(len(new), (3,), generator=training.generator(i)).tolist()) for i in range(2000)]
my_prediction = None
commit("All three right", my_prediction, lambda: 100 * triples.count(3) / len(triples), "per cent of the draws")
my_prediction = None
commit("None of three right", my_prediction, lambda: 100 * triples.count(0) / len(triples), "per cent of the draws")
my_prediction = None
commit("Lowest plausible rate after three of three", my_prediction, lambda: 100 * 0.05 ** (1 / 3), "per cent")
print(f"{'fifty examples, one epoch':32}{'updates':>8}{'loss, new families':>24}{'right':>8}")
for name, settings in {"batch 16": {}, "batch 2": {"batch_size": 2}, "batch 2, ten times the rate": {"batch_size": 2, "lr": 0.1}}.items():
    run = bank.train(some[:50], 1, warmup=1, decay=False, dropout=0.0, watch={"new": new}, **settings)
    fell = " → ".join(f"{loss:.2f}" for loss in run.column("new"))
    print(f"{name:32}{math.ceil(50 / settings.get('batch_size', 16)):8}{fell:>24}{run.column('exact new')[-1]:8.0%}")

# %% [markdown]
# Three prompts show that *something* changed, and the table shows that with fifty examples the loss does, at the least. They cannot say how much, nor whether it is better.
# Three other small experiments are as cheap: the loss curve alone; the same prompts to both models side by side, judged without knowing which is which; ten times the learning rate, to see what breaks first. Part two gave you the rule for the next size: groups of runs, one factor, a margin fixed beforehand.
# And ten thousand examples instead of nine hundred? The halves above show the direction. You know by now what to do with such a question: name the measure, predict, run.
#
# ## What you can do now
# The question from the start of the week: which lines of a training script can be wrong in silence, and what shows it? Answer it again on paper, and compare.
# Then give each line a level, and the evidence for it: a check, a figure, a run.

# %%
assessment.Reflection("week2", [
    "I can write a training step from memory and say what each line would do if it were missing.",
    "I can derive the gradients of a linear layer and check a gradient without autograd.",
    "I can say what a one-batch test proves and what it does not.",
    "I can read a training and a validation loss and say which differences come from the way of measuring.",
    "I can decide when to stop and what to keep, and make a broken run go on exactly.",
    "I can find the wrong line of a sick loop by measurement.",
    "I can tell whether a model has learnt or memorised, with a test that a memoriser fails.",
])
