# %% [markdown]
# # Week 6, part one: a rate that changes while you train
#
# Two runs of the tiny model: the same weights, the same rows, the same learning rate for four fifths of the way. Then blue lowers its rate to next to nothing, and grey does not.
# Blue now takes smaller and smaller steps. And its loss, which had hardly moved for a while, *falls*.
#
# Run the two cells below and try the shapes in the list, the peak and the other sliders: the run before stays as a dashed line. Which shape ends lowest? Does the same shape win at a peak of .001, and of .3?
#
# Three questions that you cannot answer yet; write a guess on paper:
# - How can smaller steps bring the loss down? And why not take small steps from the start?
# - A log shows six learning rates of a run that nobody has seen end. Can you say how long it is going to be?
# - Somebody hands you a formula that turns numbers of tokens into a learning rate. How far off can it be, and what do you do instead?
#
# After the picture come three questions from earlier weeks; nobody grades them.

# %%
import math

import torch

from course.lab import assessment, training
from course.lab.clinics import week6_rates as runs
from course.lab.clinics import week6_schedules as clinics
from course.lab.clinics.week6_schedules import accumulate  # yours of week 4 does the same
from course.lab.demos import week6_schedules as demos
from course.lab.experiments import week6 as week6_experiment
from course.lab.journal import attempt, commit

# %%
demos.schedule_composer()

# %%
assessment.opener(6)

# %% [markdown]
# ## A function of the step
# **In plain words.** In open country you walk in long strides; looking for a door in the dark you take small steps. A *schedule* says how long the strides are at each moment of a training run.
#
# **The working idea.** A schedule is a function: the number of updates taken so far goes in, the learning rate of the next update comes out. The loop asks it before each update. It knows nothing of the loss, and the same step always gives the same rate. That makes it the part of a training run that is easiest to check, and the part that most people never look at.
#
# ### Warm-up, then a straight line
# At the start the weights are fresh and the slopes large; in week 2 a large rate lifted the loss there, and the same rate after a *warm-up* did not. So most schedules begin with a straight line up to the highest rate, the *peak*. Recipes give the warm-up 2 to 10 percent of the updates; these are habits, no law.
# Then the rate *decays*. The simplest decay is a straight line down to 0 at the last step.
# Two traps wait in this function: a run without a warm-up, and the step that comes after the last.
# %% exercise="week6.warmup_linear"
def warmup_linear(step, peak_lr, warmup_steps, total_steps):
    """The learning rate of one update: a straight line up, a straight line down to 0.

    step: an int, the updates taken before this one; the first update is step 0. 0 <= warmup_steps < total_steps, ints.
    0 at step 0, peak_lr at step warmup_steps, 0 at step total_steps and at every later one; straight lines between.
    Without a warmup (warmup_steps is 0) step 0 has peak_lr.
    Returns a float. The same step gives the same rate whatever was asked before.
    """
    ### BEGIN SOLUTION
    if step < warmup_steps:
        return peak_lr * step / warmup_steps
    return peak_lr * max(0, total_steps - step) / (total_steps - warmup_steps)
    ### END SOLUTION
# %% check="week6.warmup_linear"
check("week6.warmup_linear", warmup_linear)

# %% [markdown]
# ### Half a cosine
# The rate stays near the peak for a while, falls fastest in the middle and arrives gently. Half a cosine does that:
#
# $$\text{lr} = \text{lr}_\min + (\text{lr}_\max - \text{lr}_\min)\,\frac{1 + \cos(\pi p)}{2}$$
#
# where p, the *progress*, goes from 0 at the end of the warm-up to 1 at the last step.
#
# A report on a banking model gives it as `lr_new = lr_old * (1 + cos(epoch / T_max)) / 2`, once per epoch. Compare the two: what is missing in the cosine, and what happens to a rate that is computed from the rate before? It is the last shape in the composer; see where it ends. "Once per epoch" stands there too, with the right formula: the same curve, as a staircase.
# %% exercise="week6.warmup_cosine"
def warmup_cosine(step, max_lr, min_lr, warmup_steps, total_steps):
    """The learning rate of one update: a straight line up, half a cosine down to min_lr, then flat.

    step: the updates taken before this one, at least 0. 0 <= warmup_steps < total_steps; all three are ints, as a rule.
    0 at step 0, in a straight line to max_lr at step warmup_steps (with warmup_steps 0, step 0 has max_lr); from there
    half a period of a cosine, from its top, max_lr, to its bottom, min_lr, at step total_steps. min_lr ever after.
    Returns a float. The same step gives the same rate whatever was asked before.
    """
    ### BEGIN SOLUTION
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    progress = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
    return min_lr + (max_lr - min_lr) * (1 + math.cos(math.pi * progress)) / 2
    ### END SOLUTION
# %% check="week6.warmup_cosine"
check("week6.warmup_cosine", warmup_cosine)

# %% [markdown]
# ### Warm up, stay, decay
# Both curves must know the last step from the start: they give another rate to every step of a run that is made longer. *Warmup, stable, decay* (WSD) does not. It stays at the peak as long as you like, and comes down when you want to stop.
#
# The cell after the exercise asks what the decay is good for. It trains six times for 300 updates: at a constant rate of .001, .01 and .07, and three times with your schedule. Predict:
# - which constant rate ends lowest?
# - the peak is .07, and the last 60 updates decay to 0: how far *below* the constant run does it end, in nats?
# - the same with a peak of .001 (a minus means above)?
# - the peak is .07, the decay takes updates 180 to 240, and then the rate goes *back* to .07: how far below the constant run is its end?
# %% exercise="week6.warmup_stable_decay"
def warmup_stable_decay(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
    """The learning rate of one update in three phases, whose lengths are given in updates; each may be 0.

    Warmup: at step 0 min_lr, from there in a straight line to peak_lr at step warmup_steps.
    Stable: peak_lr for stable_steps updates. Decay: half a cosine from peak_lr down to min_lr, which it reaches
    decay_steps after the end of the stable phase. From there on min_lr. With all lengths 0 it is min_lr throughout.
    step: an int, the updates taken before this one, at least 0. Returns a float.
    """
    ### BEGIN SOLUTION
    if step < warmup_steps:
        return min_lr + (peak_lr - min_lr) * step / warmup_steps
    decayed = step - warmup_steps - stable_steps
    if decayed < 0:
        return peak_lr
    if decayed >= decay_steps:
        return min_lr
    return min_lr + (peak_lr - min_lr) * (1 + math.cos(math.pi * decayed / decay_steps)) / 2
    ### END SOLUTION
# %% check="week6.warmup_stable_decay"
check("week6.warmup_stable_decay", warmup_stable_decay)

# %%
rates, losses = (0.001, 0.01, 0.07), {}
schedules = {f"constant {peak:g}": lambda step, peak=peak: peak * min(1, step / 15) for peak in rates}
losses |= {name: runs.run(one) for name, one in schedules.items()}
my_prediction = None
commit("Lowest constant rate", my_prediction, lambda: min(rates, key=lambda peak: losses[f"constant {peak:g}"][-1]))


def decay(step, peak=0.07, stable=225):
    return warmup_stable_decay(step, peak, 0.0, 15, stable, 60)


def below(name, peak, schedule):
    losses[name], schedules[name] = runs.run(schedule), schedule
    return losses[f"constant {peak:g}"][-1] - losses[name][-1]


my_prediction = None
commit("Decay from .07, below constant by", my_prediction, lambda: below("decay from .07", 0.07, decay), "nats")
my_prediction = None
commit("Decay from .001, below constant by", my_prediction,
       lambda: below("decay from .001", 0.001, lambda step: decay(step, 0.001)), "nats")
my_prediction = None
commit("Decay, and back to .07, below constant by", my_prediction,
       lambda: below("and back to .07", 0.07, lambda step: decay(step, stable=165) if step < 240 else 0.07), "nats")
attempt("The runs", lambda: runs.draw(schedules, losses))

# %% [markdown]
# **What the runs show.** The highest constant rate gets stuck, the lowest is still on its way at the end, and the one between wins. A decay helps the run whose rate is too high, and hurts the one that is too slow: that one needed its steps.
# The last run is the telling one. It goes on training at the old rate, and most of what the decay had gained is *lost* again. So most of this gain was no new knowledge. Think of a ball in a valley that is kicked at every step: the harder the kicks, the higher it flies, and the loss measures how high. The decay lets it settle. That answers the first question; small steps from the start would be the slow run.
#
# ### One cycle
# Another habit makes the warm-up long: the rate rises for a third of the run and falls for the rest, each along half a cosine (*one cycle*, [Smith and Topin 2017](https://arxiv.org/abs/1708.07120)). See how it does in the composer. PyTorch counts so that the top lies at `pct_start * total_steps - 1` and the last update is `total_steps - 1`.
#
# <details><summary><b>In practice: the other shapes, and who uses them</b></summary>
#
# *Linear, cosine and WSD* after a short warm-up are what language models are trained with. *Steps*, *exponential* and *polynomial* decay are older; try them in the composer. *Cyclical* rates swing between two bounds ([Smith 2015](https://arxiv.org/abs/1506.01186)), and restarts begin the cosine again ([Loshchilov and Hutter 2016](https://arxiv.org/abs/1608.03983)): look at what the loss does at each rise.
# *Adaptive*: `ReduceLROnPlateau` lowers the rate when the held-out loss has stopped falling for some checks. It is no function of the step, so its state belongs in the checkpoint.
# *Layer-wise*: each layer has a factor of its own, smaller towards the input, so that what is general changes least ([Howard and Ruder 2018](https://arxiv.org/abs/1801.06146)). The composer's last slider does it; in PyTorch each layer is a parameter group, and a scheduler multiplies them all.
# </details>
#
# <details><summary><b>At the frontier</b></summary>
#
# From one long stable phase, decays can branch off at several points, and each gives a finished model ([Hu et al. 2024](https://arxiv.org/abs/2404.06395), [Hägele et al. 2024](https://arxiv.org/abs/2405.18392)). Down to 0 or to a tenth of the peak? [Bergsma et al. 2025](https://arxiv.org/abs/2502.15938) find a straight line to 0 best for long runs. An average of the weights can stand in for the decay ([Defazio et al. 2024](https://arxiv.org/abs/2405.15682)); so can a batch that grows ([Smith et al. 2017](https://arxiv.org/abs/1711.00489)).
# Two names promise more than a curve. *Curriculum* schedules tie the rate, or the order of the data, to how hard the examples are ([Bengio et al. 2009](https://dl.acm.org/doi/10.1145/1553374.1553380)). *Annealing* means any slow decay, or sliding from one schedule into another: with shares a and 1 - a it is one line of code.
# </details>
# %% exercise="week6.one_cycle"
def one_cycle(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    """The learning rate of one update in a one-cycle schedule: half a cosine up, then half a cosine down.

    step: an int from 0 to total_steps - 1, which is the last update. It starts at step 0 with max_lr / div_factor.
    The top, max_lr, lies at pct_start * total_steps - 1, which need not be a whole number and is greater than 0 here.
    The last update has the starting rate divided by final_div_factor.
    Between two of these three points the rate follows half a period of a cosine, flat at both ends.
    0 < pct_start < 1. Returns a float.
    """
    ### BEGIN SOLUTION
    start, top = max_lr / div_factor, pct_start * total_steps - 1
    if step <= top:
        first, last, progress = start, max_lr, step / top
    else:
        first, last, progress = max_lr, start / final_div_factor, (step - top) / (total_steps - 1 - top)
    return last + (first - last) * (1 + math.cos(math.pi * progress)) / 2
    ### END SOLUTION
# %% check="week6.one_cycle"
check("week6.one_cycle", one_cycle)

# %% [markdown]
# ## Folklore audit: “the decay begins at 80 percent”
# A report on a small language model describes its schedule: a warm-up of 10 steps to 0.001, then constant, and from 80 percent of the run on half a cosine down to 0.0001. It prints six lines of its log; next to the line of step 231 it notes that the decay has begun.
#
# | step | 1 | 11 | 21 | 231 | 241 | 251 |
# | --- | --- | --- | --- | --- | --- | --- |
# | learning rate | 0.000100 | 0.001000 | 0.001000 | 0.000919 | 0.000911 | 0.000904 |
#
# Six decimals are enough to test the story. If the decay began at 80 percent, each of the last three lines says by itself how long the run is, and a run has only *one* length.
# Write the function that finds out which schedule wrote a log, and how long its run is; the lines are rounded, so several lengths can fit. The cell after it puts the story to the test. Predict first: which length does the line of step 231 give under the story, and which the line of step 251?
# %% exercise="week6.which_schedule"
def which_schedule(steps, lrs, peak_lr, min_lr, warmup_steps):
    """Which schedule wrote this log, and how long is its run? Returns (name, total_steps), a str and an int.

    steps, lrs: lists of one length, the updates that the log shows and their learning rates, rounded to six decimals.
    The log may stop long before the run ends. All three schedules rise in a straight line from 0 to peak_lr at step
    warmup_steps (at least 1). Then they reach their lowest rate at total_steps and stay there:
    "linear": a straight line from peak_lr to 0, as in warmup_linear; min_lr plays no part.
    "cosine": half a cosine from peak_lr to min_lr, as in warmup_cosine.
    "stable": peak_lr up to step 0.8 * total_steps, then half a cosine to min_lr.
    total_steps is at least the last step of the log and at most 3000. Any total_steps is right for which the schedule
    lies within 1e-6 of every line of the log: the rounding hides more. Your earlier functions may be called.
    """
    ### BEGIN SOLUTION

    def stable(step, total):
        if step < 0.8 * total:
            return peak_lr * min(1.0, step / warmup_steps)
        return warmup_cosine(step, peak_lr, min_lr, 0.8 * total, total)

    schedules = {
        "linear": lambda step, total: warmup_linear(step, peak_lr, warmup_steps, total),
        "cosine": lambda step, total: warmup_cosine(step, peak_lr, min_lr, warmup_steps, total),
        "stable": stable,
    }
    for total in range(max(steps), 3001):
        for name, rate in schedules.items():
            if all(abs(rate(step, total) - lr) < 0.6e-6 for step, lr in zip(steps, lrs, strict=True)):
                return name, total
    ### END SOLUTION
# %% check="week6.which_schedule"
check("week6.which_schedule", which_schedule)

# %%
from_231, from_251 = None, None  # your predictions
commit("The story's length, from the line of step 231", from_231,
       lambda: runs.length_by_the_story(231, runs.LOG[231]), "updates")
commit("The story's length, from the line of step 251", from_251,
       lambda: runs.length_by_the_story(251, runs.LOG[251]), "updates")


def explained():
    steps, lrs = list(runs.LOG), list(runs.LOG.values())
    name, total = which_schedule(steps, lrs, runs.PEAK, runs.LOW, runs.WARMUP)
    rates = {
        "linear": lambda step: warmup_linear(step, runs.PEAK, runs.WARMUP, total),
        "cosine": lambda step: warmup_cosine(step, runs.PEAK, runs.LOW, runs.WARMUP, total),
    }
    runs.draw_log(rates[name])
    print(runs.in_text(rates[name], total))
    return f"{name}, {total} updates"


attempt("Yours", explained)

# %% [markdown]
# **Verdict.** The story is refuted by its own log: every ten lines later its run would be eleven updates longer. One schedule passes through all six points, a plain cosine that starts where the warm-up ends, for a run more than four times as long as what the log shows. There never was a constant phase: near its top a cosine is so flat that it looks like one. That answers the second question. (The stars are how people draw a schedule in a log; read off where *they* would see the decay begin.)
#
# ## The clock, and a clinic
# A right function is not yet a right schedule: somebody has to call it at the right moments. A scheduler of PyTorch counts how often its `.step()` was called. What it should count are *updates*, not micro-batches and not epochs.
#
# First the exercise, a loop that keeps the clock right. Then the *clinic*: three loops in which the rate is not what their authors meant. Their complaints:
#
# - **A** “It learns nicely at first and then stands still, although three quarters of the data are still to come.”
# - **B** “I asked for a warm-up of 20 updates because the rate is high. It makes no difference what number I give.”
# - **C** “I doubled the number of updates. The best loss comes half way, and at the end it is worse.”
#
# Look at the rates that the updates *used*, over those meant; name the cause; mend one line or two in each and run the cell again until all are well. `get_scheduler` knows `"constant"`, `"constant_with_warmup"` and `"linear"`, like the function of transformers.
# %% exercise="week6.scheduler_clock"
def scheduler_clock(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    """Trains for `epochs` passes over the list `micro_batches`, in its order, with a schedule whose clock is right.

    micro_batches: a list of batches as in week4.accumulate (input_ids, attention_mask, unshifted labels, each (B, T)).
    Each update takes the next `accumulation_steps` micro-batches, and its gradient is that of the mean loss over all
    their counted tokens. What is left over at the end of each epoch, fewer than accumulation_steps, makes an update of
    its own. Every update counts some token. Gradients that `.grad` holds before the call do not count.
    scheduler: one of torch.optim.lr_scheduler that has been built for `optimizer`, so the rate of the first update is
    set already. It counts updates: it moves on once after each. Nothing is clipped.
    Returns the learning rates that the updates used, in order: a list of floats, those of the first parameter group.
    The gradients that are left at the end do not matter. `accumulate`, from week 4, may be called.
    """
    ### BEGIN SOLUTION
    lrs = []
    for _ in range(epochs):
        for start in range(0, len(micro_batches), accumulation_steps):
            accumulate(model, micro_batches[start : start + accumulation_steps])
            lrs.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    return lrs
    ### END SOLUTION
# %% check="week6.scheduler_clock"
check("week6.scheduler_clock", scheduler_clock)

# %%
def patient_a(run):
    clock = clinics.get_scheduler("linear", run.optimizer, 10, run.updates)
    for _ in range(run.updates):
        for batch in run.batches(4):
            (training.loss(run.model, batch) / 4).backward()
            clock.step()
        run.step()


def with_clock(run, clock):
    for _ in range(run.updates):
        training.loss(run.model, *run.batches(1)).backward()
        run.step()
        clock.step()


def patient_b(run):
    with_clock(run, clinics.get_scheduler("constant", run.optimizer, 20, run.updates))


def patient_c(run):
    with_clock(run, torch.optim.lr_scheduler.CosineAnnealingLR(run.optimizer, T_max=run.updates // 2))


clinics.discharge(A=patient_a, B=patient_b, C=patient_c)

# %% [markdown]
# **What the clinic shows.** No error, a loss that falls, and a rate that nobody had asked for. All three are found by one plot: the rate that each update used.
# *A* counts micro-batches: with four of them to an update the schedule is over after a quarter of the updates, and the rest moves nothing ([accelerate 963](https://github.com/huggingface/accelerate/issues/963), [lightning 1476](https://github.com/Lightning-AI/pytorch-lightning/issues/1476)). *B* trusts a name: `constant` takes the warm-up as an argument and ignores it; a script of QLoRA's authors for a 7B model asks for exactly that. *C* runs past the end, where a cosine goes up again, and there the gain of the decay goes the way you saw above.
#
# ## Two rules for the height of the peak
# The shape is settled; how high is the peak? A guide to fine-tuning has two rules.
#
# **“High learning rate = fewer epochs, low learning rate = more epochs.”** The cell below passes again and again over the same 128 rows, until the held-out loss falls below 2.5. A rate of .003 takes seven passes. Predict how many .01 takes, and .1.
#
# **A formula**, which takes the rate of the pretraining and the number of *supervised* tokens (labels that count) in a batch: base rate · √(tokens in your batch ÷ tokens in the batch of the pretraining). Write it; then it is put to the test on the tiny model. That is trained on source code with batches of 64 rows and a rate of .01, and fine-tuned on a bank's conversations with 4 rows. Predict the best rate of a sweep as a multiple of what the formula says.
# %% exercise="week6.token_lr"
def token_lr(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    """A first guess for a fine-tuning rate: the square-root rule, with batches counted in supervised tokens.

    base_lr: the rate of the pretraining, whose batches held pretrained_batch_tokens tokens.
    supervised_tokens: the labels that count in the data set, each counted once however many epochs there are.
    steps: the updates of the whole run, all epochs together. epochs: passes over the data set.
    What counts is how many supervised tokens one update of this run sees, on average. Returns a float.
    """
    ### BEGIN SOLUTION
    tokens_per_update = supervised_tokens * epochs / steps
    return base_lr * math.sqrt(tokens_per_update / pretrained_batch_tokens)
    ### END SOLUTION
# %% check="week6.token_lr"
check("week6.token_lr", token_lr)

# %%
def passes(lr):
    return runs.epochs_until(2.5, lr)[0] or "not reached in ten"


my_prediction = None
commit("Passes at a rate of .01", my_prediction, lambda: passes(0.01))
my_prediction = None
commit("Passes at a rate of .1", my_prediction, lambda: passes(0.1))
for lr in (0.001, 0.003, 0.01, 0.03, 0.1):
    print(f"rate {lr:5g}   passes until below 2.5: {passes(lr)}   lowest of ten passes: {runs.epochs_until(2.5, lr)[1]:.3f}")


def sweep_against_the_formula(updates=150, rows=4, labels=63):
    formula = token_lr(runs.BASE_LR, rows * labels * updates, updates, 1, runs.BASE_ROWS * labels)
    return runs.sweep(formula)[updates] / formula


my_prediction = None
commit("Best rate of the sweep, in multiples of the formula's", my_prediction, sweep_against_the_formula)

# %% [markdown]
# **Verdict on the epochs.** Half a rule. From low rates up to a good one, a higher rate does need fewer passes. Beyond it the rule turns round: the highest rate never gets there. And the two are no exchange: the rates also differ in the loss that they reach in the end.
#
# **Verdict on the formula.** Its arithmetic is in order, and its answer is far too low here, at both lengths; the figure shows what that costs. It knows the sizes of two batches. It does not know whether the old rate was the best for its own batch, how long the new run is, how far the new text lies from the old, or which weights you train. Such a formula gives a place to *start* a sweep, and no more: this is one sweep of one small model, and for another model it may come out on the other side.
#
# ### What the rate decides besides
# AdamW shrinks every weight by the factor 1 - lr · λ in each update (week 5; λ is the weight decay). So how much a weight is shrunk over a whole run depends on the *sum* of all learning rates times λ, whatever the schedule looked like: a budget.
# Write what is left of a weight that gets no gradient, exactly and by the rule of thumb. The tiny model has such weights: the embedding of a token that never occurs.
# Then predict for 150 updates at a rate of .01 with λ = .1: which share of those weights is left? And four runs with equal products of rate and λ: by how much do their held-out losses differ, from the lowest to the highest?
# %% exercise="week6.decay_budget"
def decay_budget(lrs, weight_decay):
    """How far AdamW's weight decay alone shrinks a weight over a run: twice, exactly and by a rule of thumb.

    lrs: a list of floats, the learning rate of every update; it may be empty. weight_decay: a float, at least 0.
    The weight gets no gradient but zeros. Returns a dict of two floats, both shares of the weight that are left (1.0:
    nothing is lost): "exact", after the updates of torch.optim.AdamW one by one; "predicted", e to the minus budget,
    where the budget is the sum of learning rate times weight decay over all updates.
    """
    ### BEGIN SOLUTION
    exact = 1.0
    for lr in lrs:
        exact *= 1 - lr * weight_decay
    return {"exact": exact, "predicted": math.exp(-sum(lrs) * weight_decay)}
    ### END SOLUTION
# %% check="week6.decay_budget"
check("week6.decay_budget", decay_budget)

# %%
pairs = [(0.001, 1.0), (0.01, 0.1), (0.03, 0.1 / 3), (0.1, 0.01)]
found = {}


def spread():
    found.update({pair: runs.decayed(*pair) for pair in pairs})
    return max(loss for _, loss in found.values()) - min(loss for _, loss in found.values())


my_prediction = None
commit("Share left after 150 updates, rate .01, λ = .1", my_prediction, lambda: runs.decayed(0.01, 0.1)[0])
attempt("By your function", lambda: decay_budget([0.01] * 150, 0.1))
my_prediction = None
commit("Losses of four equal products, highest less lowest", my_prediction, spread, "nats")
for (lr, decay_), (left, loss) in found.items():
    print(f"rate {lr:5g}   decay {decay_:6.3f}   share of the unseen weights left {left:.4f}   held-out loss {loss:.3f}")

# %% [markdown]
# ## Experiment: is warmup needed?
# Nearly every recipe begins with a warmup. What does it cost, where it is not needed? And where is it needed?
#
# Choose two arms that differ in `warmup` alone, `0` or `50` of 150 steps. `lr`, the peak of the learning rate, is 3e-3, 1e-2, 3e-2 or 1e-1, the same in both arms; the optimizer is AdamW.
# The rule is that of week 2: eight seeds an arm, a margin of .03, a prediction beforehand. Your answer holds for this model, this peak and this length of a run; compare with somebody who chose another peak.

# %%
A = None
B = None
my_prediction = None
week6_experiment.IS_WARMUP_NEEDED.conduct(A, B, my_prediction)
# %% [markdown]
# ### Your lab report
# Paste what was printed and add the verdict; your `verdict` of week 2 may say it. The check makes one run of each arm again.
# %% exercise="week6.is_warmup_needed"
def is_warmup_needed():
    """The lab report of your experiment, as a dict: what the run printed, and the verdict.

    "learner", "A", "B", "losses A", "losses B" and "prediction": as printed. "verdict": "A", "B", "same" or
    "unresolved", what the rule of week 2 says of these losses. Paste the losses in: runs belong in the cell above.
    """
    ### BEGIN SOLUTION
    report = {
        "learner": "the course",
        "A": {"warmup": 0, "lr": 0.03},
        "B": {"warmup": 50, "lr": 0.03},
        "losses A": [2.1235, 2.1535, 2.1592, 2.1449, 2.0905, 2.2078, 2.1841, 2.2381],
        "losses B": [2.2405, 2.3185, 2.2482, 2.2943, 2.2212, 2.2566, 2.4406, 2.2474],
        "prediction": "B",
    }
    return report | {"verdict": "A"}
    ### END SOLUTION
# %% check="week6.is_warmup_needed"
check("week6.is_warmup_needed", is_warmup_needed)

# %% [markdown]
# **What the runs show.** Four times the same share is left, to the last digit shown, and four different losses. The product says how fast old weights are forgotten. It says nothing about how well the model learns: for that the rate counts by itself.
#
# ## A rate without a formula
# The third question is left: how do you find a peak? The honest way is a *sweep*: whole runs at rates that differ by a factor of three, with everything else, the schedule and the length too, as it will be; then a finer sweep around the best. Is the loss still too high and falling steadily, go up; does it swing or jump, go down.
#
# A *range test* gives a first guess for the price of one run ([Smith 2015](https://arxiv.org/abs/1506.01186)): let the rate rise by a constant factor in each step, from far too small to far too large, and watch the loss. While the rate is too small nothing happens; then the loss falls; then it explodes.
# The lowest point is a tempting answer. But there the rate is about to become too large, and the loss is low because of all the steps before. The usual rule takes the place where it falls most *steeply*.
#
# After the exercise your rule meets the tiny model. Predict how far a whole run at your suggestion ends above the best of seven whole runs. The panel shows both rules on the left and the whole runs on the right: try the optimizers and the batch sizes. Which of the two rules comes nearer, and is it always the same one?
#
# <details><summary><b>After your run: how often does each rule find a good rate?</b></summary>
#
# In {{ range_tests.tests }} recorded range tests on tiny models, with three optimizers, three batch sizes and three widths, whole runs at the suggested rate ended close to the best ones {{ range_tests.running_mean }} times where the running mean falls most steeply, {{ range_tests.unsmoothed }} times without smoothing, and {{ range_tests.lowest }} times where the running mean is lowest. So the steepest place is the better guess, and a guess it stays: the sweep decides.
# </details>
#
# That ends part one. Part two asks what the batch size does to all this, and draws the valley itself.
# %% exercise="week6.lr_range_test"
def suggest_lr(lrs, losses):
    """A learning rate to train with, read off a range test: one step at each rate, from far too small to far too large.

    lrs: a list of floats that rise by a constant factor, in any unit: only their ratios matter.
    losses: equally many floats; losses[k] is the training loss of a batch, measured just before the step at lrs[k].
    They are noisy. From some entry on they may lie far above the first, or be inf or NaN: the run had diverged. At
    least the first 40 are finite.
    Smooth the losses with `ema` of week 1 (beta 0.8) or with a moving mean of five; look no further than where they are
    lowest; suggest the rate at which they fall most steeply from one entry, so one factor of learning rate, to the next.
    Returns a float between the first and the last of `lrs`. What counts is what a rate is worth: a suggestion passes
    where recorded runs of the same model end within 0.05 nat of the best one. Any rule that finds such a rate passes.
    """
    ### BEGIN SOLUTION
    smooth, mean = [], 0.0
    for count, loss in enumerate(losses, 1):
        if not math.isfinite(loss):
            break
        mean = 0.8 * mean + 0.2 * loss
        smooth.append(mean / (1 - 0.8**count))
    lowest = smooth.index(min(smooth))
    falls = [smooth[k] - smooth[k + 1] for k in range(lowest)]
    return lrs[falls.index(max(falls))]
    ### END SOLUTION
# %% check="week6.lr_range_test"
check("week6.lr_range_test", suggest_lr)

# %%
def above_the_best():
    with training.one_thread():
        lrs, losses = map(list, zip(*runs.range_test()))
        suggested = suggest_lr(lrs, losses)
        print(f"suggested: {suggested:.3g}")
        return runs.trained_at(suggested) - min(runs.trained_at(lr) for lr in runs.TRIED)


my_prediction = None
commit("Your suggestion, above the best of seven", my_prediction, above_the_best, "nats")
demos.lr_range_test()
