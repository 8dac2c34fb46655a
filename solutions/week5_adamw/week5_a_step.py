# %% [markdown]
# # Week 5, part one: what a step is made of
#
# Four hikers start at the same place in the fog. Each feels the same ground under the feet, and each has the same rule for how far a step may go. One is down before the others have found the path.
#
# The next picture shows four such descents. There are two weights, so the loss is a landscape. Every runner gets the exact slope at its place and the same learning rate; they differ in what they *make* of slopes.
#
# Run the cell, then move the sliders. Try all four surfaces, and a learning rate ten times smaller. Is one runner always the first?

# %%
import itertools
import math

import torch

from course.lab import assessment, text, training
from course.lab.clinics import week5_audits as audits
from course.lab.demos import week5 as demos
from course.lab.experiments import week5 as week5_experiment
from course.lab.journal import attempt, commit

# %%
demos.optimizers()

# %% [markdown]
# ## Three questions that you cannot answer yet
# - A weight has felt a steady slope of 10 for a while, another one a steady slope of a hundredth. How far does each move at the next step?
# - How long is the very first step of Adam, when it has seen next to nothing?
# - The weights of a model fit into the memory three times over. Why does the training not even start?
#
# Write a guess on paper. Part one answers the first two, part two the third.
# Before that, three questions from earlier weeks; nobody grades them.

# %%
assessment.opener(5)

# %% [markdown]
# ## The plainest step
# **In plain words.** Feel the slope, take a step downhill, as long as the ground is steep. Repeat.
#
# **The working idea.** For every weight V with its gradient g: `V = V - lr * g`. This is *gradient descent*. What it is called besides depends only on how many rows give the gradient:
#
# - all rows of the data set: *batch* gradient descent, one update for a pass over the data;
# - one row: *stochastic* gradient descent, as many updates as there are rows;
# - anything between: *mini-batch* gradient descent. People say SGD to this too, and so does this course.
#
# Here are 64 rows of text, read six times, at a learning rate of .3. Predict the loss on these rows afterwards for each of the three; a fresh model starts at ln 259.

# %%
rows = next(text.windows("train", 64, 64, training.generator(0, 8)))


def passes(size, lr=0.3, times=6):
    model = training.tiny_model()
    optimizer = torch.optim.SGD(model.parameters(), lr)
    with training.one_thread():
        for part in list(rows.split(size)) * times:
            optimizer.zero_grad()
            training.loss(model, text.batch(part)).backward()
            optimizer.step()
        return training.evaluate(model, [text.batch(rows)])


my_prediction = None
commit("Batch: 64 rows, 6 updates", my_prediction, lambda: passes(64), "nats")
my_prediction = None
commit("Mini-batch: 8 rows, 48 updates", my_prediction, lambda: passes(8), "nats")
my_prediction = None
commit("Stochastic: 1 row, 384 updates", my_prediction, lambda: passes(1), "nats")

# %% [markdown]
# Same rows, same learning rate: more updates win here, although each of them knows less (week 4 measured how much less).
#
# ### Momentum
# **In plain words.** A ball does not turn at every pebble. It keeps most of its speed and lets each slope change it a little.
#
# **The working idea.** Keep a *buffer* for every weight: momentum (.9, say) times the old buffer, plus the new gradient. Step along the buffer. What pushes to and fro cancels; what pushes the same way again and again adds up.
# Watch out for the first step: there is no old buffer yet.
# %% exercise="week5.sgd_momentum"
def sgd_momentum(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    """One step of SGD with momentum, as torch.optim.SGD takes it (dampening 0, no Nesterov).

    param, grad: float tensors of one shape. buf: the buffer that the last step returned, of the same shape, or None
    before the first step, where the buffer becomes this step's gradient. lr, momentum, weight_decay: floats >= 0.
    The decay is L2's: weight_decay * param joins the gradient before anything else. The buffer sums gradients,
    buf = momentum * buf + gradient, and holds no lr: a later lr then applies to all of it.
    Returns (param, buf), both after the step; the arguments may be changed in place.
    """
    ### BEGIN SOLUTION
    grad = grad + weight_decay * param
    buf = grad if buf is None else momentum * buf + grad
    return param - lr * buf, buf
    ### END SOLUTION
# %% check="week5.sgd_momentum"
check("week5.sgd_momentum", sgd_momentum)

# %% [markdown]
# A buffer that adds up becomes larger than a gradient. How much larger? The gradient of one weight is 1, at every step, and the learning rate is 1.
# Predict the length of the hundredth step with a momentum of .9. Then the same for a gradient that is 1, -1, 1, -1 and so on.

# %%
def last_step(gradients, momentum=0.9):
    weight, buffer = torch.zeros(()), None
    for gradient in gradients:
        old = weight.clone()
        weight, buffer = sgd_momentum(weight, torch.tensor(float(gradient)), buffer, 1.0, momentum)
    return abs(float(weight - old))


my_prediction = None
commit("Hundredth step, always 1", my_prediction, lambda: last_step([1] * 100))
my_prediction = None
commit("Hundredth step, 1 and -1 in turn", my_prediction, lambda: last_step([1, -1] * 50))

# %% [markdown]
# So a momentum of .9 is a learning rate ten times larger for what is steady, and about half of it for what swings. In the ravine of the first picture that is what helps: the walls swing, the floor is steady. It is also why a recipe for plain SGD can diverge when somebody adds momentum and leaves the rest as it was: the last figure of this part has a case.
#
# ## Experiment: warmup and momentum
# A warmup lets the learning rate rise from nearly nothing over the first steps. Momentum, too, begins slowly: the buffer has to fill. Both are said to make the start safer. Do you need the one if you have the other?
#
# Choose two arms that differ in `warmup` alone, `0` or `50` of 100 steps. `momentum` is 0.0, 0.9 or 0.98 and `lr` is 0.1, 0.3 or 1.0, the same in both arms; the optimizer is SGD. How large is a steady step, in the end, under your momentum?
# The rule is that of week 2: eight seeds an arm, a margin of .03, a prediction beforehand; a run that diverges is counted, and an arm that loses half of its runs has lost. 

# %%
A = None
B = None
my_prediction = None
week5_experiment.WARMUP_AND_MOMENTUM.conduct(A, B, my_prediction)
# %% [markdown]
# ### Your lab report
# Paste what was printed and add the verdict; your `verdict` of week 2 may say it. The check makes one run of each arm again.
# %% exercise="week5.warmup_and_momentum"
def warmup_and_momentum():
    """The lab report of your experiment, as a dict: what the run printed, and the verdict.

    "learner", "A", "B", "losses A", "losses B" and "prediction": as printed. "verdict": "A", "B", "same" or
    "unresolved", what the rule of week 2 says of these losses. Paste the losses in: runs belong in the cell above.
    """
    ### BEGIN SOLUTION
    report = {
        "learner": "the course",
        "A": {"warmup": 0, "momentum": 0.9, "lr": 1.0},
        "B": {"warmup": 50, "momentum": 0.9, "lr": 1.0},
        "losses A": [2.3358, None, None, 2.4665, None, 2.5579, None, 2.3862],
        "losses B": [2.3569, 2.3863, 2.3549, 2.3525, 2.3601, 2.3848, 2.3722, 2.3572],
        "prediction": "A",
    }
    return report | {"verdict": "B"}
    ### END SOLUTION
# %% check="week5.warmup_and_momentum"
check("week5.warmup_and_momentum", warmup_and_momentum)

# %% [markdown]
# ## Two weights, one learning rate
# One weight has a gradient around 10, another one a steady .01. Any learning rate is wrong for one of them: SGD moves the first a thousand times as far.
#
# **In plain words.** Measure each weight's slopes with a ruler of its own. A step counts in units of *what is usual for this weight*.
#
# **The working idea.** Keep two running averages for each weight, as `ema` in week 1 did for a loss: *m* of the gradient, *v* of its square. They are called the *first and second moment*; β₁ and β₂ say how much of the old average stays. √v is the usual size of the gradient. Step by lr times m / √v. This is *Adam* ([Kingma and Ba 2014](https://arxiv.org/abs/1412.6980)).
#
# ### Bias correction
# Both averages start at zero, and zero pulls them down until enough steps have passed. In week 1 you took this pull out of a smoothed curve. Now for a moment.
# %% exercise="week5.bias_correction"
def bias_correction(moment, beta, step):
    """A running mean that started at zero, freed from the pull of that zero.

    moment: float tensor after `step` updates moment = beta * moment + (1 - beta) * value. beta: float in [0, 1).
    step: int >= 1, the number of updates so far: 1 after the first. Returns a tensor of the same shape: the weights
    with which the values stand in `moment` add up to 1 - beta ** step, and the result makes them add up to 1.
    """
    ### BEGIN SOLUTION
    return moment / (1 - beta**step)
    ### END SOLUTION
# %% check="week5.bias_correction"
check("week5.bias_correction", bias_correction)

# %% [markdown]
# ## Folklore audit: “after a hundred steps β₂ to the power of 100 is about 0”
# So, the story goes, the correction is over after a hundred steps at the usual β₁ = .9 and β₂ = .999, and before that it makes steps *longer*, because the averages are too small.
# The gradient of a weight is always 1. Predict .999 to the power of 100. Then, in units of the learning rate, the first step and the hundredth step *without* correction. (Both averages are too small. Which one is worse off?)

# %%
def step_without_correction(number, beta1=0.9, beta2=0.999):
    m = v = 0.0
    for _ in range(number):
        m, v = beta1 * m + (1 - beta1) * 1.0, beta2 * v + (1 - beta2) * 1.0**2
    return m / math.sqrt(v)


my_prediction = None
commit("β₂ to the power of 100", my_prediction, lambda: 0.999**100)
my_prediction = None
commit("First step without correction", my_prediction, lambda: step_without_correction(1), "lr")
my_prediction = None
commit("Hundredth step without correction", my_prediction, lambda: step_without_correction(100), "lr")
demos.bias_correction()

# %% [markdown]
# **Verdict.** At step 100 most of the pull on v is still there. An average over about 1 / (1 - β) steps needs a few times that many to forget where it began: some dozens of steps for m, some thousands for v.
# And at the usual β the sign of the story is wrong. v is the one that lags more, and one divides by it: without correction early steps are *too long*. With it the first step of Adam is exactly one learning rate for every weight whose gradient is not nearly zero, however little it has seen. (Move β₂ down: where does the first step without correction become too short?)
#
# ## AdamW
# One part is missing. *Weight decay* takes a small share off every weight at every step, so that weights which the loss does not need fade away.
# There are two places for it. *L2* adds λ times the weight to the gradient, and then everything of the gradient's happens to it. *Decoupled* decay leaves the gradient alone and takes lr × λ of the weight off directly. The second, with Adam, is *AdamW* ([Loshchilov and Hutter 2017](https://arxiv.org/abs/1711.05101)), with which nearly all language models are trained.
#
# ### The step
# ε is a tiny number that keeps a division by zero away. It stands *beside* the root, √v + ε, not inside it.
# %% exercise="week5.adamw_step"
def adamw_step(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    """One step of AdamW (Loshchilov & Hutter 2017) for one tensor, as torch.optim.AdamW takes it.

    param, grad, m, v: float tensors of one shape; m and v are the running means of the gradient and of its square as
    the last step returned them, zeros before the first. step: int, 1 at the first step. lr, eps, weight_decay: floats.
    The decay takes the fraction lr * weight_decay off param, before or after the rest, and touches neither m nor v.
    The rest subtracts lr * m_hat / (sqrt(v_hat) + eps), where m_hat and v_hat are bias-corrected.
    Returns (param, m, v) after the step, m and v NOT bias-corrected; the arguments may be changed in place.
    """
    ### BEGIN SOLUTION
    beta1, beta2 = betas
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    m_hat, v_hat = bias_correction(m, beta1, step), bias_correction(v, beta2, step)
    param = param - lr * weight_decay * param
    return param - lr * m_hat / (v_hat.sqrt() + eps), m, v
    ### END SOLUTION
# %% check="week5.adamw_step"
check("week5.adamw_step", adamw_step)

# %% [markdown]
# ## Folklore audit: `w = w - lr * m / √v - λ * w`
# This line stands in many a write-up of AdamW, with the learning rate before the step alone. It looks nearly right.
# A weight without any gradient, λ = .1, a learning rate of 3e-4, a hundred steps: predict what share of the weight is left by this line, and by torch's AdamW.

# %%
def left_by_the_line(decay=0.1, steps=100):
    weight = 1.0
    for _ in range(steps):
        weight = weight - decay * weight
    return weight


def left_by(make, gradients, lr, decay):
    weight = torch.nn.Parameter(torch.ones(gradients.shape[1:]))
    optimizer = make([weight], lr=lr, weight_decay=decay)
    for weight.grad in gradients:
        optimizer.step()
    return weight.detach().mean()


my_prediction = None
commit("Left by the line", my_prediction, left_by_the_line)
my_prediction = None
commit("Left by AdamW", my_prediction, lambda: left_by(torch.optim.AdamW, torch.zeros(100, 1), 3e-4, 0.1))

# %% [markdown]
# **Verdict.** The line wipes the weight out; the real AdamW hardly touches it. Multiplied by the learning rate, a decay of .1 is gentle. That is also why the number before the decay means nothing without the learning rate beside it.
#
# ## Folklore audit: “Adam with L2 is the same thing”
# For plain SGD, L2 and decoupled decay are the same, up to a factor of lr in the name. And Adam?
# Here are three groups of a thousand weights, all 1 at the start. Their gradients are pure noise around zero, of a size of .01, 1 and 100. λ = .1, the learning rate is .01, a thousand steps. Without noise AdamW would leave a share of (1 - .001)¹⁰⁰⁰ = .37.
# Predict for Adam with L2 what is left on average where the gradients are of size .01, and where they are of size 100. And for AdamW at size 100?

# %%
def noise(size):
    return size * torch.randn(1000, 1000, generator=training.generator(0, 3))


def share_left(make, size):
    return left_by(make, noise(size), 0.01, 0.1)


my_prediction = None
commit("Adam with L2, gradients of .01", my_prediction, lambda: share_left(torch.optim.Adam, 0.01))
my_prediction = None
commit("Adam with L2, gradients of 100", my_prediction, lambda: share_left(torch.optim.Adam, 100))
my_prediction = None
commit("AdamW, gradients of 100", my_prediction, lambda: share_left(torch.optim.AdamW, 100))
for size in (0.01, 1, 100):
    print(f"gradients of {size:<5g} left by Adam with L2 {share_left(torch.optim.Adam, size):6.3f}"
          f"   by AdamW {share_left(torch.optim.AdamW, size):6.3f}")

# %% [markdown]
# **Verdict.** Not the same. With L2 the decay goes through the division by √v. Where gradients are large it nearly vanishes; where they are small it is all there is, and the weights are gone. AdamW decays all alike. That is the W, and the whole of it.
#
# ### How far does Adam move a weight?
# Now the first question of this week. Write down how long each step of one weight is, from the gradients that it has felt. Your `adamw_step` does the work.
# %% exercise="week5.adam_invariance"
def effective_lr(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    """How far Adam moves one weight at each step, by the gradients that it sees.

    grads: float tensor (T,), the gradients of one weight at steps 1 … T, T >= 1. lr, eps: floats; betas: two floats.
    The moments start at zero, nothing decays. Returns a tensor (T,): entry t is the distance, never negative, that
    the weight moves at that step, lr * |m_hat| / (sqrt(v_hat) + eps), with both moments bias-corrected.
    """
    ### BEGIN SOLUTION
    m = v = weight = torch.zeros((), dtype=torch.float64)
    distances = []
    for step, grad in enumerate(grads.double(), start=1):
        moved, m, v = adamw_step(weight, grad, m, v, step, lr, betas, eps, weight_decay=0.0)
        distances.append((moved - weight).abs())
    return torch.stack(distances)
    ### END SOLUTION
# %% check="week5.adam_invariance"
check("week5.adam_invariance", effective_lr)

# %% [markdown]
# ## Folklore audit: “large gradients get smaller updates”
# You read this of Adam everywhere. Four weights, four hundred steps each, and the mean length of the last two hundred steps in units of the learning rate. Predict all four:
#
# - a steady gradient of 10; a steady gradient of .01;
# - noise around zero of size 10;
# - noise of size 10 around a mean of 10.

# %%
def mean_step(mean, size):
    shaking = torch.randn(400, generator=training.generator(0, 4))
    return effective_lr(mean + size * shaking, 1.0)[200:].mean()


my_prediction = None
commit("Steady, 10", my_prediction, lambda: mean_step(10.0, 0.0), "lr")
my_prediction = None
commit("Steady, .01", my_prediction, lambda: mean_step(0.01, 0.0), "lr")
my_prediction = None
commit("Noise of 10 around 0", my_prediction, lambda: mean_step(0.0, 10.0), "lr")
my_prediction = None
commit("Noise of 10 around 10", my_prediction, lambda: mean_step(10.0, 10.0), "lr")
attempt("The same a thousand times smaller: noise of .01 around .01", lambda: mean_step(0.01, 0.01))

# %% [markdown]
# **Verdict.** Large gradients do not get smaller updates; *noisy* ones do. Steady slopes of 10 and of .01 move a weight equally far, and so do the two noisy ones of different size, for the size cancels: multiply a loss by a thousand, and Adam takes the same steps. What remains in m / √v is how well the gradients of a weight agree with each other: 1 if they all do, a fifth or so if they are pure noise at β₁ = .9.
#
# ### What β₂ and ε are for
# Two corners are left. For the first 300 steps a gradient is 1; then it is .01, for good. Predict how many steps go by until the weight moves half a learning rate again: with β₂ = .999, and with .95.
# And a steady gradient of 1e-8, as small as ε: how long is its step?

# %%
def waits(beta2, drop=300, steps=12000):
    lengths = effective_lr(torch.cat([torch.ones(drop), torch.full((steps,), 0.01)]), 1.0, (0.9, beta2))
    moved = (lengths[drop + 100 :] >= 0.5).nonzero()  # the first hundred still hold the old m
    return 100 + int(moved[0]) if len(moved) else math.inf


my_prediction = None
commit("Steps until half a learning rate, β₂ = .999", my_prediction, lambda: waits(0.999))
my_prediction = None
commit("Steps until half a learning rate, β₂ = .95", my_prediction, lambda: waits(0.95))
my_prediction = None
commit("Step at a steady 1e-8, ε = 1e-8", my_prediction, lambda: effective_lr(torch.full((50,), 1e-8), 1.0)[-1], "lr")

# %% [markdown]
# √v remembers a large gradient for a long time, and until it has forgotten, everything else is small beside it. That is what the accident of week 4 did to AdamW. Many recipes for language models take β₂ = .95, which forgets sooner.
# ε is a floor: a weight whose gradients are not well above it moves less than the others.
#
# ### An optimizer for whole models
# You have the step of one tensor. Now it must work for a model: with a schedule that changes the learning rate while it runs, with groups of different settings, with parameters that get no gradient today, and after a restart.
# `torch.optim.Optimizer` keeps two things for you. `self.param_groups` is a list of dicts, each with the `params` of a group and its settings. `self.state[p]` is a dict for the parameter p, empty at first, yours to fill; `state_dict()` saves both.
# Short tests with one group and a constant learning rate miss most mistakes; the check runs a thousand steps with all of these at once.
# %% exercise="week5.adamw"
class AdamW(torch.optim.Optimizer):
    """AdamW for whole models, to be used wherever torch.optim.AdamW is; torch's own is refused. Build on `adamw_step`.

    step() updates the weights in place, under torch.no_grad(). A parameter whose .grad is None at that step is left
    alone: no decay, and its state and step count stay as they are. Settings are read from self.param_groups at every
    step (a schedule writes there); the state lives in self.state[parameter], where state_dict() finds it, and each
    parameter counts its own steps. step(closure) first calls closure() once, with gradients enabled: it fills .grad
    and returns the loss, which step returns, too; without a closure step returns None.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    def step(self, closure=None):
        ### BEGIN SOLUTION
        loss = None if closure is None else closure()
        with torch.no_grad():
            for group in self.param_groups:
                settings = [group[name] for name in ("lr", "betas", "eps", "weight_decay")]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if not state:
                        state.update(step=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                    state["step"] += 1
                    moments = state["m"], state["v"]
                    new, state["m"], state["v"] = adamw_step(p, p.grad, *moments, state["step"], *settings)
                    p.copy_(new)
        return loss
        ### END SOLUTION
# %% check="week5.adamw"
check("week5.adamw", AdamW)

# %%
def weights_after(make, updates=60):
    model = training.tiny_model()
    optimizer = make(model.parameters(), lr=1e-2)
    batches = itertools.islice(training.tiny_batches(8), updates)
    with training.one_thread():
        records = list(training.train(model, batches, optimizer, schedule=lambda step: 0.2 / (20 + step)))
    return torch.cat([p.detach().flatten() for p in model.parameters()]), records[-1].loss


def difference():
    (mine, my_loss), (torchs, its_loss) = weights_after(AdamW), weights_after(torch.optim.AdamW)
    apart = float((mine - torchs).abs().max())
    return f"largest difference {apart:.1e}; last losses {my_loss:.4f} and {its_loss:.4f} nats"


attempt("Your AdamW and torch's, after 60 updates of the tiny model", difference)

# %% [markdown]
# <details><summary><b>In practice</b></summary>
#
# *The usual numbers.* torch and the paper: β = (.9, .999), ε = 1e-8. GPT-3: β = (.9, .95), a decay of .1 ([Brown et al. 2020](https://arxiv.org/abs/2005.14165), appendix B). Decays between .01 and .1 are common; torch's default is .01. A smaller β₁ follows the newest batch more closely, a larger one averages over more batches and reacts later.
#
# *Adam is not free of choices.* The learning rate is now a length, not a factor: each step moves each weight by about that much. As most weights of a model are well below 1 in size, useful rates are far below 1 too.
#
# *A trap.* `torch.optim.Adam(weight_decay=…)` is L2. Who wants decoupled decay writes `AdamW`.
# </details>
#
# ## Folklore audit: “Adam converges faster”
# Than what? At which learning rate? The next cell trains the tiny model of week 1 for 150 updates, with each optimizer at four learning rates. Predict how much lower AdamW at its best ends than plain SGD at *its* best, and than SGD with momentum at its best. The mean loss of the last 20 updates counts.
# And go back to the first picture. In the ravine Adam ends far below momentum. Who ends lower when the ravine is turned by 45 degrees?

# %%
my_prediction = None
commit("SGD's best, less AdamW's best", my_prediction, lambda: audits.best("sgd") - audits.best("adamw"), "nats")
my_prediction = None
commit("Best with momentum, less AdamW's best", my_prediction,
       lambda: audits.best("momentum") - audits.best("adamw"), "nats")
audits.draw()


def lower(surface):
    ends = {name: path[-1][2] for name, path in demos.race(surface, 0.1, 0.9, 0.999, 0.0, 80).items()}
    print(f"{surface}: loss at the end {ends['momentum']:.2g} with momentum, {ends['Adam']:.2g} with Adam")
    return min(("momentum", "Adam"), key=ends.get)


my_prediction = None
commit("Lower in the ravine that is turned", my_prediction, lambda: lower("ravine, turned"))
print(f"Lower in the ravine as it was: {lower('ravine')}")

# %% [markdown]
# **Verdict.** Plain SGD is clearly behind. Momentum, at a learning rate of its own, comes so close to AdamW that one seed cannot tell them apart (week 2 has a rule for that). “Faster” compares two optimizers *and* two learning rates; who tunes one of them only has measured the tuning.
# Nor does Adam win on every surface. It has a ruler for each *weight*: where the ravine runs along one weight, that is just what is needed, and where it runs between two, neither ruler fits.
# What differs visibly is *where* the good rates are: far apart, and not to be carried from one optimizer to another. For larger language models, where Adam's lead over SGD is well documented, the frontier looks for the reason.
#
# <details><summary><b>At the frontier</b></summary>
#
# *Why Adam wins on text.* Rare words give rare gradients. Gradient descent learns them slowly, Adam at the pace of the frequent ones ([Kunstner et al. 2024](https://arxiv.org/abs/2402.19449)).
#
# *Adam can fail.* There are simple problems on which it runs away from the minimum; AMSGrad repairs the proof ([Reddi et al. 2018](https://arxiv.org/abs/1904.09237)).
#
# *Only the sign.* Lion keeps one average and steps by its sign; a program search found it ([Chen et al. 2023](https://arxiv.org/abs/2302.06675)).
#
# *Second order.* √v looks like curvature and is not. Shampoo keeps a matrix for the rows and one for the columns of a weight ([Gupta et al. 2018](https://arxiv.org/abs/1802.09568)), SOAP runs Adam in Shampoo's directions ([Vyas et al. 2024](https://arxiv.org/abs/2409.11321)), Sophia estimates the diagonal of the curvature ([Liu et al. 2023](https://arxiv.org/abs/2305.14342)).
#
# *Whole layers.* LAMB scales Adam's step by the norm of each layer's weights, for very large batches ([You et al. 2019](https://arxiv.org/abs/1904.00962)).
#
# *Two rules in one.* SWATS starts with Adam and switches to SGD ([Keskar and Socher 2017](https://arxiv.org/abs/1712.07628)).
#
# *Adaptive decay.* One can let the decay follow the ratio of weight and gradient norms ([Ghiasi et al. 2022](https://arxiv.org/abs/2210.00094)), or the weights' own gradients ([Nakamura and Hong 2019](https://arxiv.org/abs/1907.08931)).
# </details>
#
# Part two: an optimizer for whole models, what it keeps, and what becomes of it in 8 bits.
