# %% [markdown]
# # Week 4, part one: one step too far
#
# A training run goes well, step after step. Then a single step throws it away, and it never comes back.
#
# The next picture shows such a run. Its model is the smallest that can do it: one neuron, fed with its own output fifty times, which should end at 0.7. It learns two numbers, a weight w and a bias b.
# On the left you look down on the loss, as on a map; on the right you see the loss step by step. The orange run walks down the slope as it is. The blue run does the same with one line of code more.
#
# Run both cells, then move the sliders: which learning rates does orange survive, and which does blue?

# %%
import itertools
import math

import torch

from course.lab import assessment, gradients, plots, training
from course.lab.demos import week4 as demos
from course.lab.experiments import week4 as week4_experiment
from course.lab.journal import attempt, commit

# %%
demos.cliff()

# %% [markdown]
# ## Three questions that you cannot answer yet
# - Which line of code does blue have, and what does it do to a step that is *not* too long?
# - The step that ruins the orange run follows the correct slope, computed without any error. Why is it a bad guide?
# - Your machine can hold four rows of text, and the recipe asks for thirty-two. Can you still have the *very same* run?
#
# Write a guess on paper. Part one answers the first two, part two the third.
# Before that, three questions from earlier weeks; nobody grades them.

# %%
assessment.opener(4)

# %% [markdown]
# ## A limit on the step
# **In plain words.** The slope says which way is down *here*. It does not say how far that stays true.
# On gentle ground a step as long as the slope is steep does no harm. At the edge of a cliff the slope is enormous, and a step of that length lands somewhere nobody has looked. Keep the direction, limit the length.
#
# **The working idea.** Take the gradients of all parameters as one long vector. Its length is the *gradient norm*.
# If the norm is above a limit, multiply every gradient by limit ÷ norm. If it is not, leave all of them alone. This is *clipping by global norm* ([Pascanu, Mikolov and Bengio 2013](https://arxiv.org/abs/1211.5063), where the neuron above comes from).
#
# Language models have such places too. Below, the tiny model of week 1 trains with plain SGD at a learning rate of 3, which is too much for it.
# Predict for 150 updates: after how many does the run without a limit end, because its loss is not a number any more (NaN)? And where does the run with a limit of 1 end? It starts at ln 259.

# %%
runs = {}


def run(max_norm, steps=150):
    model = training.tiny_model()
    optimizer = training.OPTIMIZERS["sgd"](model.parameters(), 3.0)
    with training.one_thread():
        batches = itertools.islice(training.tiny_batches(16), steps)
        runs[max_norm] = list(training.train(model, batches, optimizer, max_norm=max_norm))
    return runs[max_norm]


my_prediction = None
commit("Updates until the run without a limit ends", my_prediction, lambda: len(run(None)))
my_prediction = None
commit("Loss of the last 20 updates, limit 1", my_prediction, lambda: sum(r.loss for r in run(1.0)[-20:]) / 20, "nats")

# %%
fig, (left, right) = plots.figure(2)
plots.style(left, "Step (updates)", "Loss (nats per byte)", "SGD at a learning rate of 3", ylim=(2, 8))
plots.style(right, "Step (updates)", "Gradient norm before clipping", "The gradient norm", yscale="log", ylim=(0.1, 1e6))
said = []
for max_norm, colour, name in [(1.0, plots.BLUE, "limit 1"), (None, plots.VERMILION, "no limit")]:
    losses, norms = [r.loss for r in runs[max_norm]], [r.grad_norm for r in runs[max_norm]]
    left.plot(*plots.finite(range(1, len(losses) + 1), losses), color=colour, lw=2)
    right.plot(*plots.finite(range(1, len(norms) + 1), norms), color=colour, lw=2, label=name)
    end = " and the run diverges" * runs[max_norm][-1].diverged
    said.append(plots.curve_words(f"{name}: the loss", losses, "nats") + end)
plots.reference(right, 1.0, "the limit")
plots.legend(right)
plots.show(fig, "; ".join(said) + ".")

# %% [markdown]
# ### The norm of everything
# The gradients of a model lie in many tensors of many shapes. Their common norm is that of one long vector which holds all the numbers.
# Two tensors with the norms 3 and 4: what is the norm of both together? If you said 7, or 4, draw a right angle.
# %% exercise="week4.global_norm"
def global_norm(tensors):
    """The L2 norm of all the numbers in all the tensors together, as if they were one long vector.

    tensors: an iterable of float tensors of any shapes and sizes, 0-d ones too; perhaps a generator, perhaps empty.
    float64, float32 or float16: calculate in float32 at least, for the square of 300 is too large for float16.
    Returns a 0-d tensor; 0 if there is no tensor at all, inf or NaN if an inf or a NaN is among the numbers.
    torch.nn.utils.get_total_norm is refused.
    """
    ### BEGIN SOLUTION
    squares = (tensor.double().square().sum() for tensor in tensors)
    return sum(squares, start=torch.zeros(())).sqrt()
    ### END SOLUTION
# %% check="week4.global_norm"
check("week4.global_norm", global_norm)

# %% [markdown]
# ### Clip by the global norm
# Now the one line of the blue run. Use your `global_norm`.
# Two things are easy to miss. A gradient that is short already must not be made longer. And `model.parameters()` can be walked through only once.
# %% exercise="week4.clip_grad_norm"
def clip_grad_norm(parameters, max_norm):
    """Scales all gradients by one common factor, so that their global norm is at most `max_norm`; returns the old norm.

    parameters: an iterable of parameters, perhaps a generator such as model.parameters(); those whose `.grad` is None
    are passed over. max_norm: a number above 0, perhaps inf. Gradients whose global norm is at most `max_norm` stay as
    they are. Afterwards every `.grad` holds the result (in the old tensor or in a new one); the weights do not change.
    Returns a 0-d tensor, the norm *before* clipping: 0 where there is no gradient, inf or NaN where a gradient has one.
    In that last case nobody looks at what `.grad` holds: the caller must not step. clip_grad_norm_ is refused.
    """
    ### BEGIN SOLUTION
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = global_norm(gradients)
    factor = torch.clamp(max_norm / norm, max=1.0)
    for gradient in gradients:
        gradient.mul_(factor)
    return norm
    ### END SOLUTION
# %% check="week4.clip_grad_norm"
check("week4.clip_grad_norm", clip_grad_norm)

# %% [markdown]
# ### How often does a limit of 1 touch anything?
# A limit of 1.0 stands in very many training scripts. Is it high or low? That depends on the norms which a model has, and few people look at them.
# Here is a healthy run with AdamW, clipped by your function. Predict: at what percentage of its 150 updates is the norm above 1?

# %%
def norms_of_a_run(max_norm, steps=150):
    model, norms = training.tiny_model(), []
    optimizer = training.OPTIMIZERS["adamw"](model.parameters(), 1e-2)
    with training.one_thread():
        for batch in itertools.islice(training.tiny_batches(16), steps):
            optimizer.zero_grad()
            training.loss(model, batch).backward()
            norms.append(float(clip_grad_norm(model.parameters(), max_norm)))
            optimizer.step()
    fig, (ax,) = plots.figure(1, (9.6, 3.2))
    plots.style(ax, "Step (updates)", "Gradient norm before clipping", "A healthy run with AdamW", ylim=(0, 2))
    ax.plot(range(1, steps + 1), norms, color=plots.BLUE, lw=2)
    plots.reference(ax, max_norm, "the limit")
    plots.show(fig, f"{plots.curve_words('The gradient norm', norms)}; its median is {sorted(norms)[steps // 2]:.2f}.")
    return sum(100 * (norm > max_norm) for norm in norms) / steps


my_prediction = None
commit("Updates with a norm above 1, in percent", my_prediction, lambda: norms_of_a_run(1.0))

# %% [markdown]
# The norm is large at first and then settles far below the limit. From there on the limit does nothing until something goes wrong, which is what a limit is for.
# A limit below the *usual* norm is another thing: then every gradient gets the same length, and only its direction is left.
#
# ## Folklore audit: “clip each parameter by itself, it comes to the same”
# You find this loop in tutorials: for every parameter, if the norm of *its* gradient is above the limit, scale that one down.
# No gradient is too long afterwards, so what could be wrong? Predict two numbers for the model after 100 updates, limit 0.1: the cosine between the gradient before and after, and the global norm after.
# The *cosine* compares directions: 1 is the same direction, 0 a right angle.

# %%
batch = next(training.tiny_batches(4, seed=3))
model = gradients.trained(100)
training.loss(model, batch).backward()
before = gradients.gradient(model)
own = [float(p.grad.norm()) for p in model.parameters()]


def each_by_itself(limit):
    for p in model.parameters():
        p.grad.mul_(min(1.0, limit / float(p.grad.norm())))
    return gradients.gradient(model)


print(f"global norm before: {before.norm():.3f}")
my_prediction = None
commit("Cosine, each parameter clipped to 0.1", my_prediction, lambda: gradients.cosine(each_by_itself(0.1), before))
my_prediction = None
commit("Global norm afterwards", my_prediction, lambda: each_by_itself(0.1).norm())

# %%
names = [name.removeprefix("blocks.0.").removesuffix(".weight") for name, _ in model.named_parameters()]
fig, (ax,) = plots.figure(1, (9.6, 3.4))
plots.style(ax, "Parameter", "Norm of its gradient", "Nine gradients, clipped in two ways")
ax.set_xticks(range(9), names, rotation=20)
ax.bar([i - 0.27 for i in range(9)], own, 0.26, color=plots.GREY, label="before")
ax.bar(range(9), [min(0.1, norm) for norm in own], 0.26, color=plots.VERMILION, label="each by itself")
together = [norm * 0.1 / float(before.norm()) for norm in own]
ax.bar([i + 0.27 for i in range(9)], together, 0.26, color=plots.BLUE, label="global norm")
plots.legend(ax)
plots.show(fig, "Norms of nine gradients: before; each clipped by itself, which cuts the tall bars to one height; "
           "clipped together, which shrinks all of them by one factor.")

# %% [markdown]
# **Verdict.** It is not the same. A common factor leaves the direction as it is. A factor for each parameter turns it: the head had most of the slope, and afterwards it has a small part.
# It does not keep the limit either: nine gradients of norm 0.1 can together have a norm of 0.3.
# A turned gradient need not be a bad one: Adam turns it too (week 5). But then it is another optimizer, and no longer a safety line.
#
# ### Clip by value
# Cruder still: limit every *number* by itself. No number is too large afterwards; the direction is whatever remains.
# %% exercise="week4.clip_grad_value"
def clip_grad_value(parameters, clip_value):
    """Limits every number of every gradient, by itself, to the interval [-clip_value, clip_value].

    parameters: an iterable of parameters, perhaps a generator; those whose `.grad` is None are passed over.
    clip_value: a number above 0. Afterwards every `.grad` holds the result (in the old tensor or in a new one);
    an infinite number becomes clip_value with its sign, NaN stays NaN. The weights do not change.
    What the function returns is not looked at. torch.nn.utils.clip_grad_value_ is refused.
    """
    ### BEGIN SOLUTION
    for p in parameters:
        if p.grad is not None:
            p.grad.clamp_(-clip_value, clip_value)
    ### END SOLUTION
# %% check="week4.clip_grad_value"
check("week4.clip_grad_value", clip_grad_value)

# %% [markdown]
# ## Five ways to shorten a gradient
# All of these are in use. Each line in the figure shortens the same gradient, with its limit chosen so that the same share of the norm is left; read how much of the *direction* is left.
# Before you run it, put the five in order, from the one that turns the gradient least to the one that turns it most.
#
# - **global norm**: one factor for all;
# - **norm of two groups**: one factor for embedding and head, another for the blocks;
# - **norm of each parameter**: the loop of the audit;
# - **each row, by its weights**: a row of a gradient may have a given share of the norm of *its weights* (*adaptive clipping*);
# - **each number**: your second function.

# %%
model.zero_grad()
training.loss(model, batch).backward()
shares = [0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 0.75, 0.9, 0.97]
fig, (ax,) = plots.figure(1, (9.6, 3.8))
plots.style(ax, "Share of the norm that is left", "Cosine with before", "What is left of the direction", ylim=(0.3, 1.03))
for way, colour in zip(gradients.WAYS, plots.PALETTE):
    kept = [gradients.cosine(gradients.shortened(way, model, share), before) for share in shares]
    ax.plot(shares, kept, "o-", color=colour, lw=2, label=way)
    print(f"{way:26} half the norm left: cosine {kept[4]:.3f}   a twentieth: {kept[0]:.3f}")
plots.legend(ax, loc="lower right")
plots.show(fig, "Cosine against the share of the norm that is left: at 1 for the global norm; the others fall with the share.")

# %%
centred = [p.grad - p.grad.mean(1, keepdim=True) if p.ndim > 1 else p.grad for p in model.parameters()]
noise = torch.randn(len(before), generator=training.generator(0)) * before.norm() / len(before) ** 0.5
print(f"mean of each row taken out: cosine {gradients.cosine(torch.cat([g.flatten() for g in centred]), before):.3f}")
print(f"noise of the gradient's own length added: cosine {gradients.cosine(before + noise, before):.3f}")

# %% [markdown]
# Two more things are done to gradients that change their direction: their means are taken out, or noise is added. The frontier says who does it and why.
#
# <details><summary><b>In practice</b></summary>
#
# `torch.nn.utils.clip_grad_norm_` clips by the global norm, and so does transformers' Trainer, at `max_grad_norm=1.0` unless you say otherwise. QLoRA's recipe for Guanaco set it to 0.3 ([Dettmers et al. 2023](https://arxiv.org/abs/2305.14314), appendix B).
# Choose the limit from your own norms: log them for a while, and put the limit above the usual ones. Go on logging them, and how often the limit acts: else nobody knows what it does.
#
# *A limit for each group* makes sense where parts of a model live on different scales, such as a fresh head on a trained trunk. Each part keeps its direction; how much each part learns is now for you to decide.
# *Second-order methods* bend the gradient by the curvature of the loss instead of only shortening it. They cost memory and time; week 5 meets the cheap diagonal version, Adam.
# </details>
#
# <details><summary><b>At the frontier</b></summary>
#
# *Adaptive limits.* Clip at a percentile of the norms so far ([Seetharaman et al. 2020](https://arxiv.org/abs/2007.14469)), or where a norm lies far outside its recent spread ([ZClip, Kumar et al. 2025](https://arxiv.org/abs/2504.02507)). Clipping each row by its weights let networks train without batch normalisation ([Brock et al. 2021](https://arxiv.org/abs/2102.06171)).
#
# *Layer by layer.* LARS and LAMB scale the update of each layer by the norm of its weights, for very large batches ([You et al. 2017](https://arxiv.org/abs/1708.03888), [2019](https://arxiv.org/abs/1904.00962)).
#
# *Noise.* Gaussian noise added to the gradient, less and less of it, helped very deep networks of their day to train ([Neelakantan et al. 2015](https://arxiv.org/abs/1511.06807)). Clipping *each example* and adding noise bounds what one person's data can do: differential privacy ([Abadi et al. 2016](https://arxiv.org/abs/1607.00133)).
#
# *Centralisation* takes the mean out of each row of a gradient; its authors report better generalisation of image models ([Yong et al. 2020](https://arxiv.org/abs/2004.01461)). The cell above says only how far it turns one gradient.
#
# *Why it helps.* Where a slope changes the faster the steeper it is, steps of a fixed size can need arbitrarily many more iterations than clipped ones ([Zhang et al. 2020](https://arxiv.org/abs/1905.11881)).
# </details>

# %% [markdown]
# ## Folklore audit: “clipping limits how far the weights move”
# For SGD it must: a step is the learning rate times the gradient. Fine-tuning mostly clips with AdamW, though.
# Below, a run of 50 updates is clipped to 1, then to 0.01, so that every gradient is shortened to a fraction. Predict how long the mean step of 0.01 is, in percent of the mean step of 1.

# %%
def steps_taken(name, lr, limit, accident=None, updates=50):
    model, lengths, losses = training.tiny_model(), [], []
    optimizer = training.OPTIMIZERS[name](model.parameters(), lr)
    with training.one_thread():
        for number, batch in enumerate(itertools.islice(training.tiny_batches(8), updates), 1):
            optimizer.zero_grad()
            loss = training.loss(model, batch)
            loss.backward()
            losses.append(loss.item())
            if number == accident:
                torch._foreach_mul_([p.grad for p in model.parameters()], 1000.0)
            torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
            old = torch.cat([p.detach().flatten() for p in model.parameters()])
            optimizer.step()
            new = torch.cat([p.detach().flatten() for p in model.parameters()])
            lengths.append(float((new - old).norm()))
    return lengths, losses

# %%
def percent(name, lr):
    return 100 * sum(steps_taken(name, lr, 0.01)[0]) / sum(steps_taken(name, lr, 1.0)[0])


my_prediction = None
commit("SGD: step at limit 0.01, in percent", my_prediction, lambda: percent("sgd", 0.5))
my_prediction = None
commit("AdamW: step at limit 0.01, in percent", my_prediction, lambda: percent("adamw", 0.01))

# %% [markdown]
# AdamW divides a step by the usual size of the gradient. If *all* gradients are shortened alike, so is their usual size, and the step stays as it was.
#
# What does clipping do for AdamW, then? Let an accident happen: at update 40 one gradient is a thousand times too long. Predict before you run: is the trouble the step at 40, or what comes after it?

# %%
fig, (ax,) = plots.figure(1, (9.6, 3.4))
plots.style(ax, "Step (updates)", "Length of the step", "AdamW, one gradient a thousand times too long", ylim=(0, 1.5))
for limit, colour, name in [(1.0, plots.BLUE, "limit 1"), (math.inf, plots.VERMILION, "no limit")]:
    steps, losses = steps_taken("adamw", 0.01, limit, accident=40, updates=100)
    ax.plot(range(1, 101), steps, color=colour, lw=2, label=name)
    means = [f"{a} to {b}: {sum(steps[a - 1 : b]) / (b - a + 1):.2f}" for a, b in [(35, 39), (40, 44), (80, 100)]]
    print(f"{name:9} mean step of updates {', '.join(means)}; last losses {sum(losses[-20:]) / 20:.3f} nats")
ax.axvline(40, color=plots.GREY, ls="--", lw=1.2)
plots.legend(ax)
plots.show(fig, "Length of AdamW's steps with and without a limit. Without one they grow at update 40 and then fall far below "
           "those with a limit, where they stay; the printed lines give the means.")

# %% [markdown]
# **Verdict.** Under SGD clipping limits the step. Under AdamW it does not: a factor that all gradients share has next to no effect. There it protects what the optimizer *remembers*, its running averages of the gradient and of its size. After one huge gradient a few steps are too long, in a direction that one bad batch has chosen; then steps are too short for a long time, for everything is measured against the accident.
#
# ## The order of a step
# Mixed precision (week 3) multiplies the loss by a scale, so that small gradients survive in 16 bits. Clipping, scaling and stepping now depend on each other, and the lines of a step can be shuffled in many ways. A wrong order need not raise an error.
#
# Put the eight lines in an order that works. The check runs your list with a real `GradScaler`, batch after batch.
# %% exercise="week4.step_order"
def step_order():
    """The eight steps of one mixed-precision update, in an order that works: a list of their names, each once.

    "backward"  loss.backward()                              "scale"    loss = scaler.scale(loss)
    "clip"      clip_grad_norm_(parameters, max_norm)        "step"     scaler.step(optimizer)
    "forward"   loss = loss of the next batch, in autocast   "unscale"  scaler.unscale_(optimizer)
    "zero"      optimizer.zero_grad()                        "update"   scaler.update()

    The check runs your list again and again, batch after batch, with a real GradScaler and SGD, and compares the
    weights after every round. No gradient is there when the first round begins. Several orders are right.
    """
    ### BEGIN SOLUTION
    return ["forward", "scale", "backward", "unscale", "clip", "step", "update", "zero"]
    ### END SOLUTION
# %% check="week4.step_order"
check("week4.step_order", step_order)

# %% [markdown]
# ### What a wrong order does
# The next cell runs any order on the tiny model: yours, and one that people have shipped. Neither raises an error.
# Predict the norm that the clipping sees in the second one; the scale is 65536. Then read the length of the steps.

# %%
def in_order(order, rounds=4):
    model, scaler = gradients.trained(100), torch.amp.GradScaler("cpu", init_scale=65536.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    batches, now, start = training.tiny_batches(4, seed=3), {}, gradients.trained(100)
    lines = {
        "forward": lambda: now.update(loss=training.loss(model, next(batches))),
        "scale": lambda: now.update(scaled=scaler.scale(now["loss"])),
        "backward": lambda: now["scaled"].backward(),
        "unscale": lambda: scaler.unscale_(optimizer),
        "clip": lambda: now.update(norm=torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item()),
        "step": lambda: scaler.step(optimizer),
        "update": scaler.update,
        "zero": optimizer.zero_grad,
    }
    for name in order * rounds:
        lines[name]()
    way = torch.cat([(p - q).detach().flatten() for p, q in zip(model.parameters(), start.parameters())]).norm()
    return f"the clipping saw a norm of {now['norm']:.4g}; {rounds} updates moved the weights by {way:.3g}"


attempt("Your order", lambda: in_order(step_order()))
shipped = ["forward", "scale", "backward", "clip", "unscale", "step", "update", "zero"]
my_prediction = None
commit("Clipped before unscaled", my_prediction, lambda: in_order(shipped))

# %% [markdown]
# Clipped before it is unscaled, *every* gradient is far above the limit, and afterwards the unscaling makes it tiny. The run learns at a snail's pace, and its loss looks like one with too low a learning rate.
#
# <details><summary><b>The true stories</b></summary>
#
# The order was wrong in [Pytorch-UNet](https://github.com/milesial/Pytorch-UNet/issues/468), a much copied repository, until somebody [added one line](https://github.com/milesial/Pytorch-UNet/pull/470); the same line was missing in an [example of PyTorch's own](https://github.com/pytorch/examples/issues/1196) and stood in the wrong place in [Lightning](https://github.com/Lightning-AI/pytorch-lightning/pull/9606).
# Under AdamW the mistake is nearly invisible, for the reason of the audit above: a constant factor cancels. What is lost is the protection.
# </details>

# %% [markdown]
# ## Experiment: does clipping help?
# Nearly every training script clips the gradient at norm 1. Who measured that it helps?
#
# Choose two arms that differ in `max_norm` alone, `None` or `1.0`. The `optimizer` is `"momentum"` (SGD with momentum .9) or `"adamw"`, and `lr` is 1e-2, 1e-1 or 1.0, the same in both arms.
# An arm is a dict with all three, such as `{"max_norm": None, "optimizer": "adamw", "lr": 1e-1}`; the prediction is `"A"` (its losses are lower), `"B"`, `"same"` or `"unresolved"`.
# Choose a place where you expect an effect, and say beforehand which way it goes. What does Adam do with the length of a gradient?
# The rule is that of week 2: eight seeds an arm, a margin of .03, a prediction before the run. A run that diverges has no loss: it is counted, and an arm that loses half of its runs or more has lost.

# %%
A = None
B = None
my_prediction = None
week4_experiment.CLIPPING.conduct(A, B, my_prediction)

# %% [markdown]
# ### Your lab report
# Paste what was printed and add the verdict; your `verdict` of week 2 may say it. The check makes one run of each arm again.
# %% exercise="week4.does_clipping_help"
def does_clipping_help():
    """The lab report of your experiment, as a dict: what the run printed, and the verdict.

    "learner", "A", "B", "losses A", "losses B" and "prediction": as printed. "verdict": "A", "B", "same" or
    "unresolved", what the rule of week 2 says of these losses. Paste the losses in: runs belong in the cell above.
    """
    ### BEGIN SOLUTION
    report = {
        "learner": "the course",
        "A": {"max_norm": None, "optimizer": "momentum", "lr": 1.0},
        "B": {"max_norm": 1.0, "optimizer": "momentum", "lr": 1.0},
        "losses A": [None, None, 3.7424, 5.5568, None, None, None, None],
        "losses B": [2.4483, 2.4102, 2.4753, 2.5052, 2.4197, 2.4541, 2.9488, 2.5029],
        "prediction": "same",
    }
    return report | {"verdict": "B"}
    ### END SOLUTION
# %% check="week4.does_clipping_help"
check("week4.does_clipping_help", does_clipping_help)

# %% [markdown]
# Part two: more rows than fit into memory, the mistake that the field shipped for years, and what it costs to forget on purpose.
