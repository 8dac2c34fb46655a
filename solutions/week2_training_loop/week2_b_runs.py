# %% [markdown]
# # Week 2, part two: how long, and what to keep?
#
# Two people train the same model on the same conversations. One stops when the validation loss no longer falls, and keeps the weights of its best epoch. The other lets it run to the end.
# Afterwards both models answer questions that neither has seen. Which one gives more right answers? And what, then, does a validation loss tell you?
#
# You cannot answer that yet. Guess, in the cell after the imports, and keep the guess: you run both of them below.
#
# A *run* is a sequence of steps with an end. This part is about the decisions around it: does the code work at all, when to stop, which weights to keep, how to go on after a crash, and what two curves say.

# %%
import itertools
import math
import os
import statistics
import tempfile
from collections import Counter
from pathlib import Path

import torch
import torch.nn.functional as F

from course.lab import plots, recordings, text, training
from course.lab.clinics import week2 as clinics
from course.lab.clinics import week2_bank as bank
from course.lab.demos import week2 as demos
from course.lab.experiments import t95
from course.lab.experiments import week2 as week2_experiment
from course.lab.journal import attempt, commit

# %%
more_right_answers = None  # "the one that stops" or "the one that runs on"
commit("More right answers to new questions", more_right_answers)

# %% [markdown]
# ## Before any run: can it learn one batch by heart?
# The cheapest test of a training script takes seconds: give it the *same* batch again and again. A sound model learns it by heart and its loss goes to zero. People who cannot get it there save themselves a night of waiting.
#
# The test is famous, and so is its misreading: “the loss went to zero, so my data are right”. Which bugs can it see? Write it first; after that you plant six bugs and find out.
# %% exercise="week2.overfit_one_batch"
def overfit_one_batch(model, batch, optimizer, loss_fn, steps, target):
    """Trains on one batch again and again, and tells by measurement whether the model can learn it by heart.

    loss_fn(model, batch): the mean loss in nats, a 0-d tensor with its graph. steps: int, 1 or more, the updates that
    `optimizer` takes. target: nats. Gradients that are there from before are no part of the first update.
    Dropout is off during the test (eval mode); afterwards each module is in the mode in which it was. The weights keep
    what they have learnt.
    Returns {"losses": the loss before each update and once after the last, so steps + 1 floats,
             "passed": True if the last of them lies below `target`, else False}.
    A loss that is not finite ends the test: it is the last of the losses, and no update is made on it.
    """
    ### BEGIN SOLUTION
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    loss = loss_fn(model, batch)
    losses = [loss.item()]
    for _ in range(steps):
        if not math.isfinite(losses[-1]):
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss = loss_fn(model, batch)
        losses.append(loss.item())
    for module, mode in modes:
        module.training = mode
    return {"losses": losses, "passed": losses[-1] < target}
    ### END SOLUTION
# %% check="week2.overfit_one_batch"
check("week2.overfit_one_batch", overfit_one_batch)

# %% [markdown]
# ### Folklore audit: “it overfits one batch, so code and data are right”
# Six bugs, one at a time: a head of zeros that is frozen; a *random* head that is frozen; a learning rate of zero; labels that are not shifted, so that place t is asked for token t; labels shifted twice; labels shuffled among the places of their row.
#
# Predict for each, with `True` or `False`: does the test *catch* it, so that the loss stays up?
#
# The table then asks each of these models something else: its loss on the same rows, by a right loss and with right labels. That is the number which the test did not look at.

# %%
def shifted_by(k):
    return lambda model, batch: F.cross_entropy(
        model(input_ids=batch["input_ids"]).logits[:, :64 - k].flatten(0, 1), batch["labels"][:, k:].flatten())


def planted(bug):
    model, batch = training.tiny_model(0, zero_head=bug != "frozen, random"), next(training.tiny_batches(4))
    model.head.weight.requires_grad_("frozen" not in bug)
    loss_fn = {"not shifted": shifted_by(0), "shifted twice": shifted_by(2)}.get(bug, training.loss)
    order = torch.randperm(64, generator=training.generator(0)) if bug == "shuffled" else torch.arange(64)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0 if bug == "rate of zero" else 1e-2)
    found = overfit_one_batch(model, batch | {"labels": batch["labels"][:, order]}, optimizer, loss_fn, 150, target=0.1)
    return not found["passed"], f"ends at {found['losses'][-1]:.3f}; by a right loss {training.evaluate(model, [batch]):.2f}"


caught = {"no bug": None, "frozen, zeros": None, "frozen, random": None, "rate of zero": None,
          "not shifted": None, "shifted twice": None, "shuffled": None}
for bug, guess in caught.items():
    commit(f"Caught: {bug}", guess, lambda bug=bug: "{}; {}".format(*planted(bug)))

# %% [markdown]
# **Verdict.** The test sees whether *enough* weights get gradients and move. A random head that is frozen passes: the layers below bend to it. And it cannot see *what* is learnt: any labels can be learnt by heart, shuffled ones too.
# For the data, decode one batch and read it: the ids as text, and under each place the label that it is asked for. Then measure the loss a second way.
#
# ## A real run, and its curves
# A small GPT learns the bank's conversations, word by word; questions count as well as answers. A *learning curve* shows progress against experience. If it shows the number that training lowers, it is an *optimisation* curve; if it shows what you want the model for, such as right answers, a *performance* curve. You need both, and each on rows that were trained on and on rows that were not.
#
# Here are two kinds of rows that were not: a **random tenth** of the 900 conversations, and **new families**, ways to ask that occur in no training row.
#
# ### Folklore audit: “the training loss always lies below the validation loss”
# The gap between both is called the *generalisation gap*, and many texts say that it always has this sign. Predict the sign after the first epoch: reported training loss minus loss on the random tenth. And after the tenth epoch?

# %%
train_rows, random_tenth = bank.cut()
new_families = list(bank.rows("held_out"))
run = bank.train(train_rows, 10, whole=True, decay=False, lr=5e-3,
                 watch={"training rows": train_rows[:180], "random tenth": random_tenth, "new families": new_families})
gap = [a - b for a, b in zip(run.column("reported"), run.column("random tenth"))]
my_prediction = None
commit("Reported training loss minus validation loss, epoch 1", my_prediction, lambda: gap[1], "nats")
my_prediction = None
commit("The same at epoch 10", my_prediction, lambda: gap[10], "nats")
shown = ("reported", "training rows, dropout on", "training rows", "random tenth", "new families")
fig, (ax,) = plots.figure(1, (9.6, 4.2))
plots.style(ax, "Epoch", "Loss (nats per word)", "One run, five ways to measure it", ylim=(0, 5), xticks=range(11))
for name, colour in zip(shown, plots.PALETTE):
    ax.plot(range(11), run.column(name), "o-", color=colour, lw=2, ms=4, label=name)
plots.legend(ax)
plots.show(fig, "Losses over ten epochs: " + "; ".join(plots.curve_words(name, run.column(name)[1:]) for name in shown) + ".")
print("epoch " + "".join(f"{name:>27}" for name in shown))
for row in run.log[1:]:
    print(f"{row['epoch']:5} " + "".join(f"{row[name]:27.3f}" for name in shown))

# %% [markdown]
# **Verdict.** Not always. The *reported* training loss is a mean over an epoch in which the model was still getting better, with dropout on. The validation loss is measured at the end, with dropout off. Read the table from left to right: the first step takes away the averaging, the second the dropout. Only then is the rest a gap between rows.
# A run whose validation loss is *below* its training loss has not “overfitted slightly”, as a report once said; and a first validation loss far below the training loss is no “jump” and no instability.
#
# The second lesson of the table is worth more: the random tenth and the new families tell two stories about one model. In a random split each held-out question has near-twins in training. It measures how well the model knows these rows; the families measure what you will meet in life.
#
# ### Folklore audit: “most is learnt in epoch one, stop at epoch four”
# A report of such a run divides the curve into phases, *memorise, generalise, refine*, says that “67 %” of the learning happens in the first epoch (its own numbers give 96 %), and that one may stop at epoch 4.
# Predict two shares: how much of the whole fall of the reported loss is done after epoch 4? And how much of the right answers to new families, of those given after epoch 10?

# %%
def share(name, epoch):
    column = run.column(name)
    return 100 * (column[epoch] - column[0]) / (column[10] - column[0])


my_prediction = None
commit("Fall of the reported loss done after epoch 4", my_prediction, lambda: share("reported", 4), "per cent")
my_prediction = None
commit("Right answers to new families gained by then", my_prediction, lambda: share("exact new families", 4), "per cent")
exact = ("exact training rows", "exact random tenth", "exact new families")
fig, (ax,) = plots.figure(1)
plots.style(ax, "Epoch", "Answers right to the letter (share)", "What the model is for", ylim=(0, 1), xticks=range(11))
for name, colour in zip(exact, plots.PALETTE[2:]):
    ax.plot(range(11), run.column(name), "o-", color=colour, lw=2, ms=4, label=name.removeprefix("exact "))
plots.legend(ax)
plots.show(fig, "Share of right answers by epoch: " + "; ".join(plots.curve_words(name, run.column(name)) for name in exact) + ".")

# %% [markdown]
# **Verdict.** “Of the learning” means nothing until you say measured by what. By the loss nearly all is done when the answers are still mostly wrong. And the phases: where is the line between memory and generalisation in these curves? Right answers to trained and to new questions rise *together*. A loss curve alone shows a steep part and a flat part; what the model did in them has to be measured.
#
# Look at both figures for the new families, loss and right answers. Do they tell the same story?
#
# <details><summary><b>How can the loss rise while the answers get better?</b></summary>
#
# The loss punishes confidence in a wrong word without bound, and the right answer only asks which word is likeliest. A model that grows surer gains on what it gets right and pays dearly for what it gets wrong; here it also pays for failing to guess the *questions*, which nobody asked of it. For classifiers the same was seen on images: the likelihood overfits while the accuracy improves ([Guo et al. 2017](https://arxiv.org/abs/1706.04599), section 3). Week 8 measures calibration.
# *Bias and variance*: a popular reading says “loss = bias² + variance + noise: first bias falls, then variance rises”. That sum holds for the *squared* error, averaged over models trained on *different samples*; it is no property of one curve of one run. What one run has is a loss on rows it saw and one on rows it did not.
# </details>
#
# ### Early stopping
# The rule that most people use: watch one number, remember its best, stop when it has not improved for some measurements. It is a dozen lines, and there are three ways to get it wrong.
# %% exercise="week2.early_stopping"
class EarlyStopping:
    """Says when to stop: after `patience` validation losses in a row without an improvement.

    patience: int, 1 or more. min_delta: nats, 0 or more. A loss improves if it lies below the best one so far by *more*
    than `min_delta`; the best one is the last that improved, infinity before the first. NaN and inf never improve.
    """

    def __init__(self, patience, min_delta=0.0):
        ### BEGIN SOLUTION
        self.patience, self.min_delta = patience, min_delta
        self.best, self.waited = float("inf"), 0
        ### END SOLUTION

    def step(self, val_loss):
        """Takes the next validation loss (a float) and returns a bool: True where this loss and those right before
        it make `patience` or more in a row without an improvement. So with patience 3 the third of them says True,
        each one after it too, and an improvement starts the count anew, even after a True.
        """
        ### BEGIN SOLUTION
        if val_loss < self.best - self.min_delta:
            self.best, self.waited = val_loss, 0
        else:
            self.waited += 1
        return self.waited >= self.patience
        ### END SOLUTION
# %% check="week2.early_stopping"
check("week2.early_stopping", EarlyStopping)

# %% [markdown]
# ### What do you watch?
# The rule is blind to what the number means. Below it watches three columns of the run above, with patience 2. Predict where each stops: on the loss of the random tenth, the loss of the new families, and the share of *wrong* answers to new families.

# %%
def stopped_by(losses):
    stopping = EarlyStopping(patience=2)
    end = next((epoch for epoch, loss in enumerate(losses) if stopping.step(loss)), None)
    best = min(range(11 if end is None else end + 1), key=losses.__getitem__)
    right, said = run.column("exact new families"), "never" if end is None else f"at epoch {end}"
    return f"{said}; its best is epoch {best}: {right[best]:.0%} of the new families right there, {right[10]:.0%} after epoch 10"


wrong = [1 - share for share in run.column("exact new families")]
for name, column in {"loss, random tenth": run.column("random tenth"),
                     "loss, new families": run.column("new families"), "wrong answers": wrong}.items():
    my_prediction = None
    commit(f"Stops on: {name}", my_prediction, lambda column=column: stopped_by(column))

# %% [markdown]
# **Verdict.** This answers the question from the top. Who stops on the loss of the new families keeps the weights of its lowest point, and the last two numbers of that line say which of the two models gives more right answers. A validation loss says how well a model guesses *every* word of a row, and how sure it is of them; it says nothing else. Watch the number that you want.
#
# ## Checkpoints
# A run of days will be broken off: a power cut, a full disk, a quota. What must lie on the disk so that the second half comes out *as if nothing had happened*?
#
# The weights are the obvious part. The optimizer remembers past gradients. The random generator decides what dropout drops next. And the file itself: a crash *while it is written* must not cost the one that was there.
# %% exercise="week2.save_checkpoint"
def save_checkpoint(path, model, optimizer, step):
    """Writes all that a run needs to go on, in such a way that no crash can cost the checkpoint that is there already.

    path: str or Path, in a folder that exists. step: int, the updates taken so far. The file is `torch.save` of a dict:
    "model" and "optimizer" hold their `state_dict()`, "step" holds `step`, "rng" the state of torch's global CPU
    generator as it is now (`torch.get_rng_state()`); more keys do no harm.
    The old file at `path`, if there is one, stays whole until the new one is complete and takes its place in a single
    move, `os.replace`. Whatever fails on the way (a full disk, a stop button's KeyboardInterrupt) is raised on, with
    the old file as it was and no other file left in the folder. Model, optimizer and generator stay as they are.
    """
    ### BEGIN SOLUTION
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "rng": torch.get_rng_state(),
    }
    partial = f"{path}.partial"
    try:
        torch.save(state, partial)
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)
    ### END SOLUTION
# %% check="week2.save_checkpoint"
check("week2.save_checkpoint", save_checkpoint)

# %% [markdown]
# ### And back
# Loading fills a model and an optimizer that exist already. A downloaded checkpoint is somebody else's file: loading it must not run their code.
#
# <details><summary><b>In practice, and at the frontier</b></summary>
#
# Also kept: the position in the data (or batches come twice), the learning-rate schedule, the loss scaler (week 3), every generator in use, the settings and the version of the code. Keep the last few files, not one: a run may have been sick for hours when you notice.
# Large runs save *sharded*, each machine its part; *asynchronously*, copied to main memory first and written while training goes on ([torch.distributed.checkpoint](https://docs.pytorch.org/docs/stable/distributed.checkpoint.html)); or *differentially*, only what changed, which pays where most rows of a table are untouched ([Check-N-Run, Eisenman et al. 2022](https://www.usenix.org/conference/nsdi22/presentation/eisenman)).
# Recovery after a spike uses them too: PaLM went back to a checkpoint from before it and skipped some hundred batches ([Chowdhery et al. 2022](https://arxiv.org/abs/2204.02311), section 5.1).
# </details>
# %% exercise="week2.load_checkpoint"
def load_checkpoint(path, model, optimizer):
    """Puts a run back to where `save_checkpoint` saw it, so that it goes on as if it had never been broken off.

    path: str or Path of a file as `save_checkpoint` describes it. Fills `model` and `optimizer` in place, gives torch's
    global CPU generator its old state, and returns the step, an int. Modes (train or eval) stay as they are.
    A file whose weights are not exactly those of the model raises, as `load_state_dict` does. The file is data: if it
    holds anything that could run code, loading raises, as `torch.load(path, weights_only=True)` does.
    """
    ### BEGIN SOLUTION
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["rng"])
    return state["step"]
    ### END SOLUTION
# %% check="week2.load_checkpoint"
check("week2.load_checkpoint", load_checkpoint)

# %% [markdown]
# ### A crash after ten steps
# A run of twenty steps, with dropout, is broken off after ten and goes on from your checkpoint. The measure: how far do its last ten losses lie from those of the unbroken run? Then the same, where one part is forgotten on purpose. Predict the order: which part costs most?

# %%
some = list(itertools.islice(training.tiny_batches(16), 20))


def off_by(forgotten):
    model, optimizer = clinics.fresh(0)
    torch.manual_seed(1)
    clinics.losses(model, some[:10], optimizer)
    with tempfile.TemporaryDirectory() as folder:
        save_checkpoint(Path(folder, "run.pt"), model, optimizer, 10)
        unbroken = clinics.losses(model, some[10:], optimizer)
        model, optimizer = clinics.fresh(2)  # as in a new process: nothing is left
        step = load_checkpoint(Path(folder, "run.pt"), model, optimizer)
    if forgotten == "optimizer":
        optimizer.state.clear()
    elif forgotten == "generator":
        torch.manual_seed(3)
    elif forgotten == "weights":
        model.load_state_dict(clinics.fresh(2)[0].state_dict())
    return max(abs(a - b) for a, b in zip(unbroken, clinics.losses(model, some[step:], optimizer)))


for part, guess in {"nothing": None, "generator": None, "optimizer": None, "weights": None}.items():
    commit(f"Off by, with this forgotten: {part}", guess, lambda part=part: off_by(part), "nats")

# %% [markdown]
# ### Keep the best
# Stopping late costs nothing if the best weights lie on the disk. The loop below trains on very little text, measures held-out text now and then, keeps the best and stops by your rule; then it loads what it kept.
# Predict: how far above the best loss does the last one lie?

# %%
def keep_the_best(patience=4):
    model, batches = training.tiny_model(0), text.batches(text.corpus().train[:8000], 16, 64, training.generator(0, 1))
    optimizer, stopping = torch.optim.AdamW(model.parameters(), lr=1e-2), EarlyStopping(patience)
    held_out, best = [next(text.batches("val", 64, 64, training.generator(0, 3)))], math.inf
    with tempfile.TemporaryDirectory() as folder:
        for step in range(15, 301, 15):
            clinics.losses(model, itertools.islice(batches, 15), optimizer)
            last = training.evaluate(model, held_out)
            if last < best:
                best = last
                save_checkpoint(Path(folder, "best.pt"), model, optimizer, step)
            if stopping.step(last):
                break
        kept = load_checkpoint(Path(folder, "best.pt"), model, optimizer)
    print(f"stopped after step {step}, the best was step {kept}; its weights, loaded: {training.evaluate(model, held_out):.3f}")
    return last - best


my_prediction = None
with training.one_thread():
    commit("The last held-out loss above the best", my_prediction, keep_the_best, "nats")

# %% [markdown]
# ## Too little, too much, about right
# Three words for three shapes. *Underfit*: the model has not learnt what the training rows hold. *Overfit*: it has learnt what only they hold. *Well-fit*: neither.
#
# Make all three yourself, with text, width and dropout. Predict before each move: which curve goes where?
# 1. Make the model overfit as badly as you can. Which slider does most?
# 2. Then cure it with one slider. Then, from the same start, with another one. Do the cures cost anything on the training text?
# 3. Make it underfit. What does the gap look like then: is a small gap a good sign?
#
# What the sliders lack: weight decay (week 5), more data from old data (*augmentation*: paraphrases, other word orders), and stopping early, which you just wrote. No run shows “shares” of these in the success, as one report gave them in per cent: for that you take each away alone and measure.

# %%
demos.underfit_or_overfit()

# %% [markdown]
# ### Folklore audit: “if the training loss still falls at the end, the model is underfit”
# The sentence stands in many guides to learning curves. Below are 75 recorded runs whose fit was decided in three independent ways that agree: by the shape of both curves, by what would have *helped*, and by where the final weights stand on text that is in no curve.
#
# Take those whose training loss still falls over the last quarter. Predict: which share of them is underfit, in per cent?

# %%
recorded = recordings.load("curves")
labels = recorded.header["config"]["labels"]
curves = {name: [[math.nan if row[key] is None else row[key] for row in rows] for key in ("train", "val")]
          for name, rows in recorded.runs().items()}
falling = [name for name, (train, _) in curves.items() if train[-1] < train[-1 - max(2, len(train) // 4)] - 0.02]
found = Counter(labels[name] for name in falling)
my_prediction = None
commit("Underfit among the runs that still fall", my_prediction, lambda: 100 * found["underfit"] / len(falling), "per cent")
print(f"of {len(falling)} runs that still fall: {dict(found)}")
fig, axes = plots.figure(4, (13, 3.2))
for ax, name in zip(axes, ("16 steps", "300 steps", "2000 bytes, 160 steps", "momentum, up to 5 in 200")):
    plots.style(ax, "Entry of the log", "Loss (nats per byte)", f"{labels[name]}\n{name}", ylim=(0, 7))
    for curve, colour, word in zip(curves[name], (plots.BLUE, plots.VERMILION), ("training", "validation")):
        ax.plot(*plots.finite(range(len(curve)), curve), "o-", color=colour, ms=3, lw=2, label=word)
plots.legend(axes[0])
plots.show(fig, "One recorded run of each kind, training and validation loss; the training loss of the first three still falls at the end.")

# %% [markdown]
# **Verdict.** The rule cannot tell them apart: good runs that could go on, bad ones that go on learning by heart, and ones that have hardly begun, all still fall. “Still falling” says that training has an effect, not that it lacks one.
#
# ### Diagnose
# Write a rule that can. It reads both curves, smooths the end a little, and compares with fixed limits; the order of the questions matters. The check asks it about the recorded runs, and about a few made by hand. (Eight more runs were recorded on which the three ways do *not* agree. They are left out: where judges differ, no rule can be graded.)
# %% exercise="week2.diagnose"
def diagnose(train_losses, val_losses):
    """What the two curves of a run say: 'diverged', 'overfit', 'underfit' or 'well-fit'.

    train_losses, val_losses: lists of N >= 6 floats, in nats. Entry 0 of both is the fresh model. After that a training
    loss is the mean over the steps since the entry before, dropout on; a validation loss is measured at that moment.
    Both curves are smoothed first: the mean of entries 0, 1, 2, then of 1, 2, 3, and so on, N - 2 numbers. *Last* and
    *lowest* are those of the smoothed curves. The first of these lines that holds is the verdict:
    'diverged'  an entry of a curve is not finite, or the last training loss is more than 0.5 above the lowest
    'overfit'   the last validation loss is more than 0.1 above the lowest
    'underfit'  the last training loss is above half of the training loss of the fresh model (its entry 0, unsmoothed)
    'well-fit'  none of these: whether or not the curves still fall, and whichever of the two lies lower
    """
    ### BEGIN SOLUTION
    if not all(math.isfinite(loss) for loss in train_losses + val_losses):
        return "diverged"
    train = [sum(train_losses[i : i + 3]) / 3 for i in range(len(train_losses) - 2)]
    val = [sum(val_losses[i : i + 3]) / 3 for i in range(len(val_losses) - 2)]
    if train[-1] > min(train) + 0.5:
        return "diverged"
    if val[-1] > min(val) + 0.1:
        return "overfit"
    return "underfit" if train[-1] > train_losses[0] / 2 else "well-fit"
    ### END SOLUTION
# %% check="week2.diagnose"
check("week2.diagnose", diagnose)

# %%
def agreement():
    said = {name: diagnose(*both) for name, both in curves.items()}
    return {kind: f"{sum(said[name] == kind for name in curves if labels[name] == kind)} of {count} found"
            for kind, count in Counter(labels.values()).items()}


attempt("Your rule on the 75 recorded runs", agreement)

# %% [markdown]
# ## What can one run prove?
# Somebody trains once with a new trick, ends lower than before, and recommends it. But two runs with the very same settings and other seeds end at other losses too: you saw several in this part. From which difference on would you believe it?
#
# ### A rule that is fixed beforehand
# An experiment of this course has two **arms**, A and B, which differ in one factor; eight runs of each; and one measure, the loss on text that no run trains on.
#
# The difference of the two means is a draw too. The **95 % interval** says how far from the measured difference the true one may well lie: it is wide where runs scatter and where they are few.
# And a difference can be true and still matter to nobody: the **margin** says how small is too small, here .03.
#
# | the interval of mean(A) − mean(B) | verdict |
# | --- | --- |
# | lies above 0 | B: its losses are lower |
# | lies below 0 | A |
# | lies within the margin, on both sides of 0 | same: whatever difference there is, it does not matter |
# | anything else | unresolved: more runs are needed, and that is an honest result |
#
# `t95` from `course.lab.experiments` says how many standard errors make such an interval: 1.96 for very many runs, more for few.
# %% exercise="week2.verdict"
def verdict(a, b, margin=0.03):
    """What the held-out losses of two arms say: "A" or "B" (that arm is better), "same" or "unresolved".

    a, b: lists of floats, nats per token, one for each run; None where a run diverged. margin: float of 0 or more.
    An arm is lost if half of its runs or more diverged. One lost arm: the other is better; both: unresolved.
    Else the runs that did not diverge decide (at least 2 in each arm), by Welch's 95 % interval of mean(a) - mean(b):
    e = sqrt(ea + eb) with ea = var(a) / n_a, and t = t95((ea + eb)² / (ea² / (n_a - 1) + eb² / (n_b - 1))).
    Clear of 0: the better arm. Wholly within [-margin, margin]: "same". Both: either word. Neither: "unresolved".
    """
    ### BEGIN SOLUTION
    kept_a, kept_b = [[x for x in arm if x is not None] for arm in (a, b)]
    lost_a, lost_b = 2 * len(kept_a) <= len(a), 2 * len(kept_b) <= len(b)
    if lost_a or lost_b:
        return "unresolved" if lost_a and lost_b else "B" if lost_a else "A"
    difference = statistics.mean(kept_a) - statistics.mean(kept_b)
    error_a, error_b = (statistics.variance(arm) / len(arm) for arm in (kept_a, kept_b))
    freedom = (error_a + error_b) ** 2 / (error_a**2 / (len(kept_a) - 1) + error_b**2 / (len(kept_b) - 1))
    reach = t95(freedom) * math.sqrt(error_a + error_b)
    if abs(difference) > reach:
        return "B" if difference > 0 else "A"
    return "same" if abs(difference) + reach <= margin else "unresolved"
    ### END SOLUTION
# %% check="week2.verdict"
check("week2.verdict", verdict)

# %% [markdown]
# ## Experiment: ten times the same text, or once?
# “One epoch with batches of 32, or ten epochs with batches of 4?” People ask it in this form, and no run can answer it: two things change at once, and with them the number of updates, from 4 to 320.
#
# So ask about one factor: *on the same text, equally often read, do batches of 4 rows end lower than batches of 32?*
# Choose the arms: `batch_size` is 4 or 32; `epochs` is 1 or 10; `lr` is 3e-3, 1e-2 or 3e-2. The text has 128 rows.
#
# Write both arms as dicts with all three settings, and a prediction: `"A"`, `"B"`, `"same"` or `"unresolved"`.
# Your seeds derive from the name that you gave in week 0. Sixteen runs take less than a minute; what has been run is kept, so you may interrupt and go on.

# %%
A = None
B = None
my_prediction = None
week2_experiment.EPOCHS_OR_BATCH.conduct(A, B, my_prediction)

# %% [markdown]
# ### Your lab report
# Paste what was printed, and add the verdict. Two fifths of the points are for arms that differ in the one factor, two fifths for a verdict that follows from your own runs, and one fifth for a prediction, right or wrong.
# The check makes one run of each arm again: with your settings and your seeds it has to end where you say.
# %% exercise="week2.epochs_or_batch"
def epochs_or_batch():
    """The lab report of your experiment, as a dict: what the run printed, and the verdict.

    "learner", "A", "B", "losses A", "losses B" and "prediction": as printed. "verdict": "A", "B", "same" or
    "unresolved", what your `verdict` says of these losses. Paste the losses in: runs belong in the cell above.
    """
    ### BEGIN SOLUTION
    report = {
        "learner": "the course",
        "A": {"batch_size": 4, "epochs": 10, "lr": 0.01},
        "B": {"batch_size": 32, "epochs": 10, "lr": 0.01},
        "losses A": [2.3961, 2.3661, 2.3846, 2.5017, 2.4697, 2.4263, 2.4536, 2.4496],
        "losses B": [2.4626, 2.5431, 2.4856, 2.5646, 2.5178, 2.5862, 2.4916, 2.5429],
        "prediction": "same",
    }
    return report | {"verdict": verdict(report["losses A"], report["losses B"])}
    ### END SOLUTION
# %% check="week2.epochs_or_batch"
check("week2.epochs_or_batch", epochs_or_batch)
