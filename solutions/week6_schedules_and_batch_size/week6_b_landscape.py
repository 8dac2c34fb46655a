# %% [markdown]
# # Week 6, part two: how large a batch, and what the ground looks like
#
# You have a recipe with a batch of 2 rows and a learning rate that works. Now you get a larger machine, and 64 rows fit. Which learning rate do you take?
# Ask around and you hear “thirty-two times as much”, “√32 times as much”, and “leave it alone”. All three are right somewhere.
#
# In the picture below, 96 tiny models train at the same time: 16 learning rates for each of 6 batch sizes. Every model reads the *same number of rows*, so one with batches of 2 takes thirty-two times as many updates as one with 64.
# A circle is the best rate of its row. The two lines are the two rules: the rate grows with the batch size (*linear*), or with its square root.
#
# Predict before you look, for plain SGD. Then pick a row and compare four rates: a hundredth of the best one, a tenth, the best, ten times the best. Then move the sliders, but leave the optimizer at SGD for now: AdamW has its turn soon.

# %%
import math

import torch

from course.lab import assessment, training
from course.lab.clinics import week6_batch as clinics
from course.lab.demos import week6_batch as batch_demos
from course.lab.demos import week6_landscape as demos
from course.lab.experiments import week6 as week6_experiment
from course.lab.journal import attempt, commit
from course.lab.landscapes import twice_differentiable

# %%
my_prediction = None
commit("SGD: the best rate at batch 64, in best rates at batch 2", my_prediction)
my_prediction = None
commit("SGD: from a quarter of the best rate, the linear rule breaks at batch size", my_prediction)
batch_demos.heat_map()

# %% [markdown]
# ## Two rules
# **In plain words.** A large batch knows the way better, so you may trust it for a longer step. But the ground bends, and no knowledge of the slope makes a step safe that is longer than the bend.
#
# **The working idea.** With batches k times as large you take k times fewer steps. If all of them go roughly the same way, one step k times as long lands where k small ones did: the *linear rule* ([Goyal et al. 2017](https://arxiv.org/abs/1706.02677)).
# If the steps are mostly noise, they add up like a random walk, whose reach grows with √k: the *square-root rule* ([Krizhevsky 2014](https://arxiv.org/abs/1404.5997); for Adam [Malladi et al. 2022](https://arxiv.org/abs/2205.10287)).
# Both assume that the longer step is still a *stable* one. In the SGD map there is a wall on the right, at nearly the same rate for every batch size. Neither rule knows of it.
# %% exercise="week6.scale_lr"
def scale_lr(base_lr, base_batch, batch, rule):
    """A first guess for the learning rate at another batch size.

    base_lr: a rate that works with batches of base_batch examples. batch: the new size. rule: "linear", the rate grows
    with the batch size, or "sqrt", with its square root. Any other rule raises ValueError. Returns a float.
    """
    ### BEGIN SOLUTION
    if rule == "linear":
        return base_lr * batch / base_batch
    if rule == "sqrt":
        return base_lr * math.sqrt(batch / base_batch)
    raise ValueError(f"rule is 'linear' or 'sqrt', not {rule!r}")
    ### END SOLUTION
# %% check="week6.scale_lr"
check("week6.scale_lr", scale_lr)

# %% [markdown]
# ## Folklore audit: “scale the learning rate linearly”, under AdamW
# The advice is old, and its proof is about SGD. Adam divides the slope by its own size, so a gradient without noise does not give a longer step.
# Predict the first batch size at which the linear rule costs a tenth of a nat or more against the best rate of its row, under AdamW: when it starts from the best rate at batch 2, and when it starts from a quarter of it.

# %%
def linear(base_lr, base_batch, batch):
    return scale_lr(base_lr, base_batch, batch, "linear")


my_prediction = None
commit("AdamW, from the best rate: breaks at batch", my_prediction, lambda: clinics.breaks_at("adamw", linear, 1))
my_prediction = None
commit("AdamW, from a quarter of it: breaks at batch", my_prediction, lambda: clinics.breaks_at("adamw", linear, 1 / 4))
for share in (1, 1 / 4):
    attempt("What the rules cost", lambda: clinics.rates_table(scale_lr, share))

# %% [markdown]
# **Verdict.** No rule wins everywhere, and “linear for SGD, root for Adam” is too short.
# From the *best* rate, SGD has no room at all: its best rate is the same at nearly every batch size, right beside the wall, and both rules run into it. Under AdamW the linear rule breaks and the root stays near the best.
# From a rate well *below* the best it is the other way round. The linear rule keeps the loss, under AdamW too, until it meets the wall or the crest; the root is too timid, and only far up in the map does that save it from the wall.
# A rule is a first guess, then, and short runs on your own model decide.
#
# ## Experiment: linear, or the root?
# A batch is now 2 to 16 times as large as the one for which you know a learning rate. The linear rule multiplies the rate by as much, the other rule by its root. Which one ends lower?
#
# Choose two arms that differ in `rule` alone, `"linear"` or `"sqrt"`. `optimizer` is `"sgd"` or `"adamw"` and `batch_size` is 8, 16, 32 or 64, the same in both arms. Every run reads 800 rows; the rules start at batches of 4, with the rates that the line below prints.
# The rule of the verdict is that of week 2.

# %%
print("the rates at batches of 4:", {name: rate for name, (rate, size) in week6_experiment.BASE.items()})
A = None
B = None
my_prediction = None
week6_experiment.SCALING_RULE.conduct(A, B, my_prediction)
# %% [markdown]
# ### Your lab report
# Paste what was printed and add the verdict; your `verdict` of week 2 may say it. The check makes one run of each arm again.
# %% exercise="week6.scaling_rule"
def scaling_rule():
    """The lab report of your experiment, as a dict: what the run printed, and the verdict.

    "learner", "A", "B", "losses A", "losses B" and "prediction": as printed. "verdict": "A", "B", "same" or
    "unresolved", what the rule of week 2 says of these losses. Paste the losses in: runs belong in the cell above.
    """
    ### BEGIN SOLUTION
    report = {
        "learner": "the course",
        "A": {"rule": "linear", "optimizer": "adamw", "batch_size": 32},
        "B": {"rule": "sqrt", "optimizer": "adamw", "batch_size": 32},
        "losses A": [2.9365, 2.6172, 2.7367, 2.7506, 2.5654, 2.8394, 2.4961, 2.5705],
        "losses B": [2.637, 2.6029, 2.5968, 2.5668, 2.5739, 2.5884, 2.6085, 2.7069],
        "prediction": "A",
    }
    return report | {"verdict": "unresolved"}
    ### END SOLUTION
# %% check="week6.scaling_rule"
check("week6.scaling_rule", scaling_rule)

# %% [markdown]
# ## How much noise is in a batch?
# Whether k steps go one way or walk at random is something you can measure. Take G, the gradient over all data, and S, the variance of the gradient of a single row. A batch of b rows has a squared norm of |G|² + S / b on average: signal plus noise.
# They are equal at b = S / |G|², the *gradient noise scale* ([McCandlish et al. 2018](https://arxiv.org/abs/1812.06162)). Far below it, twice the batch is worth nearly two updates. Far above, it is worth little more than one. Hence its other name, the *critical batch size*.
#
# ### Two batch sizes are enough
# You cannot compute G, but you can measure squared norms at two batch sizes: two equations, two unknowns. Mind the order of averaging and dividing.
# After the check, predict the noise scale of the tiny model after 20 updates and after 300, in rows.
# %% exercise="week6.noise_scale"
def noise_scale(grad_sq_small, grad_sq_big, b_small, b_big):
    """The gradient noise scale B = S / |G|², in examples, from squared gradient norms at two batch sizes.

    grad_sq_small, grad_sq_big: equally long lists of floats, at least one each. Entry k of both was measured at the
    same weights: the squared norm of the gradient of a batch of b_small and of a batch of b_big examples.
    b_small, b_big: ints, 1 <= b_small < b_big. G is the gradient over all examples, S the variance of the gradient of
    one example (the trace of its covariance). A batch of b examples gives, on average, a squared norm of |G|² + S / b.
    Two batch sizes are two equations: solve them for |G|² and S. Both are noisy, so average each of them over the
    draws first, and divide once, at the end (McCandlish et al. 2018, appendix A).
    Returns a float. NaN where the averaged |G|² is not above 0: there were too few draws. A negative S gives a
    negative noise scale.
    """
    ### BEGIN SOLUTION
    small = sum(grad_sq_small) / len(grad_sq_small)
    big = sum(grad_sq_big) / len(grad_sq_big)
    signal = (b_big * big - b_small * small) / (b_big - b_small)
    noise = (small - big) / (1 / b_small - 1 / b_big)
    return noise / signal if signal > 0 else math.nan
    ### END SOLUTION
# %% check="week6.noise_scale"
check("week6.noise_scale", noise_scale)

# %%
my_prediction = None
commit("Noise scale after 20 updates", my_prediction, lambda: noise_scale(*clinics.squared_norms(20), 4, 64), "rows")
my_prediction = None
commit("Noise scale after 300 updates", my_prediction, lambda: noise_scale(*clinics.squared_norms(300), 4, 64), "rows")
batch_demos.batch_worth()

# %% [markdown]
# The critical batch size *grows* while the model learns: what all rows agree on is learned first. So why not let the batch grow with it?
# The next cell does. SGD reads 1024 rows at a learning rate of .3, with fixed batches or *driven*: it starts with 4 rows and doubles the batch when your noise scale, measured on its last 16 updates, is above it.
# Predict the largest batch that the driven runs use. And do they end lower than a fixed batch with about as many updates?

# %%
my_prediction = None
commit("Largest batch of the driven runs", my_prediction, lambda: clinics.batch_table(noise_scale), "rows")

# %% [markdown]
# Read loss and updates together. At equal rows the small batches win here: they get more updates, and the machine decides what an update costs. The driven runs work no wonder: they lie about where a fixed batch with as many updates would. What they save is the search for a size.
# <details><summary><b>In practice</b></summary>
#
# Take the largest batch that is not far above the critical one; beyond it you pay for rows that teach nothing. Fine-tuning sets are small: with a large batch few updates are left, and that is often the real limit. If the machine is too small for the batch you want, accumulate (week 4).
# Growing the batch does to the noise what lowering the rate does ([Smith et al. 2018](https://arxiv.org/abs/1711.00489)), as long as the rate is far from the wall.
# </details>
#
# ## The rate has a partner: weight decay
# In part one, lr × λ, summed over the run, said how much a weight shrinks. Four runs of AdamW, all with the *same* product, rates from .001 to .03: they should lose the same share. Do they also end at the same loss?
# Predict what the decay costs (loss with it less loss without) at the smallest rate and at ten times that.

# %%
def cost(lr):
    with_decay, without, _ = clinics.equal_products()[lr]
    return with_decay - without


my_prediction = None
commit("Cost of the decay at a rate of .001", my_prediction, lambda: cost(1e-3), "nats")
my_prediction = None
commit("Cost of the decay at a rate of .01", my_prediction, lambda: cost(1e-2), "nats")
for lr, (with_decay, without, left) in clinics.equal_products().items():
    print(f"rate {lr:<6g} λ {2e-3 / lr:<6.2g} norm, of that without {left:.2f}   loss {with_decay:.3f}, without {without:.3f}")

# %% [markdown]
# Equal products, unequal loss. The decay pulls equally hard in all four runs; a small rate cannot learn back what it takes. A product fixes how far a weight is pulled, not what the slope does against it: tune both.
#
# ## An average instead of a decay
# Near the end a constant rate jumps about the valley floor. Lowering the rate calms it. Another way: keep jumping, and take the *average* of the places. The EMA of week 1, now for whole models ([Polyak and Juditsky 1992](https://doi.org/10.1137/0330046)).
# **Folklore audit: “the average of the weights always helps”.** After the check the tiny model trains at two constant rates, .01 and .1, each with three averages beside it, and once with a rate that falls to 0.
# Predict how many of the six averages end below the last weights of their run, and at which rate the falling run beats all averages.
# %% exercise="week6.weight_ema"
def ema_update(average, model, decay):
    """Moves the weights of `average` towards those of `model`: average = decay · average + (1 − decay) · weight.

    average: a module that began as copy.deepcopy(model) and is changed in place. model: the module in training, which
    stays as it is. Called once after each optimizer step; decay is a float in [0, 1), the same for all weights.
    Every parameter is averaged, frozen ones too. Every buffer (running statistics, counters: they are no weights, and
    some are whole numbers) is copied from `model` as it is. A weight that two modules share is one weight.
    `average` begins at the model's weights, not at 0, so nothing is to be corrected for. No gradient is computed and no
    graph is kept: the parameters of `average` stay leaf tensors of their dtype, and no tensor belongs to both modules.
    Returns nothing.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        for mean, weight in zip(average.parameters(), model.parameters()):
            mean.mul_(decay).add_(weight, alpha=1 - decay)
        for mine, theirs in zip(average.buffers(), model.buffers()):
            mine.copy_(theirs)
    ### END SOLUTION
# %% check="week6.weight_ema"
check("week6.weight_ema", ema_update)

# %%
def averages_that_help():
    helped = 0
    for lr in (0.01, 0.1):
        found = clinics.averaged(ema_update, lr)
        helped += sum(loss < found["constant"] for name, loss in found.items() if name.startswith("average"))
        print(f"rate {lr:<5g}" + "".join(f"   {name} {loss:.3f}" for name, loss in found.items()))
    return helped


my_prediction = None
commit("Averages of six that end below the last weights", my_prediction, averages_that_help)

# %% [markdown]
# **Verdict.** Not always. An average with a long memory still holds weights from long ago, when the model was worse: in a run this short it *hurts*. A short memory helps. Against a falling rate it depends on the rate: at the low peak the average wins, for there the falling run spends its steps too early; at the high peak the falling rate wins.
#
# ## Looking at the ground
# All the loss values, one for each setting of the weights, form the *loss landscape*. A *minimum* is a point from which every way leads up, and its *basin* is all the ground that drains into it. A *valley* is low along a line: steep across, gentle along. At a *saddle* the slope is zero, some ways lead up and others down.
# With thousands of dimensions you can only look at slices: walk along one direction, and draw the loss. How long should a step be? A layer of large numbers hardly notices a push that turns a layer of small ones upside down. So scale the direction *filter by filter*: every row of a matrix moves in proportion to its own size ([Li et al. 2018](https://arxiv.org/abs/1712.09913)).
#
# ### A slice
# And put everything back afterwards, bit for bit. After the check: multiply the gain of a norm by 5 and divide the matrix behind it by 5. The function stays the same. Predict by how much the loss at α = 1 of your slice changes.
# %% exercise="week6.loss_slice"
def loss_slice(model, loss_fn, direction, alphas):
    """The loss along a line through the weights: loss_fn(model) at weights + alpha · d for each alpha, d normalised.

    direction: a list of tensors, one for each of model.parameters(), in that order and of the same shapes; it stays as
    it is. d is made from it filter by filter (Li et al. 2018): a filter is weight[i], what makes one output, of a
    parameter of two or more axes (a row of a matrix, of an embedding too). direction[i] is scaled to the norm of
    weight[i]; where its own norm is 0 it stays 0. Parameters of fewer than two axes (biases, norms) do not move.
    loss_fn(model): a float or a 0-d tensor. alphas: a list of floats, 0 and negative ones among them; each is counted
    from the weights as they were given.
    Returns a list of floats, one for each alpha, in order. Afterwards every weight is, bit for bit, what it was, also
    where loss_fn raises: the error goes on to the caller. No `.grad` changes.
    """
    ### BEGIN SOLUTION
    def sizes(tensor):
        return torch.linalg.vector_norm(tensor, dim=tuple(range(1, tensor.ndim)), keepdim=True)

    weights = list(model.parameters())
    start, losses = [w.data.clone() for w in weights], []
    moves = [torch.zeros_like(w) for w in start]
    for move, weight, raw in zip(moves, start, direction):
        if weight.ndim > 1:
            own = sizes(raw)
            move.copy_(raw * sizes(weight) / torch.where(own > 0, own, torch.inf))
    try:
        for alpha in alphas:
            for weight, begin, move in zip(weights, start, moves):
                weight.data.copy_(begin + alpha * move)
            losses.append(float(loss_fn(model)))
    finally:
        for weight, begin in zip(weights, start):
            weight.data.copy_(begin)
    return losses
    ### END SOLUTION
# %% check="week6.loss_slice"
check("week6.loss_slice", loss_slice)

# %%
batch = next(training.tiny_batches(8, 3, seq_len=32))


def change_at_one():
    ends = []
    for factor in (1.0, 5.0):
        model = demos.rescaled(demos.trained(300), factor)
        direction = [torch.randn(p.shape, generator=training.generator(4)) for p in model.parameters()]
        with training.one_thread(), torch.no_grad():
            ends.append(loss_slice(model, lambda model: training.loss(model, batch), direction, [0.0, 1.0]))
        print(f"matrices divided by {factor:g}: at α = 0 {ends[-1][0]:.4f}, at α = 1 {ends[-1][1]:.4f} nats")
    return round(abs(ends[1][1] - ends[0][1]), 3)


my_prediction = None
commit("Change at α = 1", my_prediction, change_at_one, "nats")
demos.loss_slices()

# %% [markdown]
# The orange slice, whose numbers are of one size in all layers, becomes a ravine or a plain by the rescaling alone; the blue one does not move. A picture of a landscape shows the ground *and the ruler*.
#
# ## Curvature as a number
# The slope is the first derivative. The second says how fast the slope changes; for every pair of weights there is one, and the table of all of them is the *Hessian* H. Ten thousand weights make a hundred million entries.
# Nobody needs the table. H times a vector v is the change of the gradient when you walk along v, and autograd gives it exactly: the gradient of (gradient · v).
# %% exercise="week6.hessian_vector_product"
def hessian_vector_product(loss_fn, params, vectors):
    """H v, the Hessian of the loss times a vector, without the Hessian: the gradient of (gradient · v).

    loss_fn(): takes nothing, returns the loss at the present weights, a 0-d tensor with its graph. params: a list of
    leaf tensors that require gradients. vectors: equally many tensors of the same shapes and dtypes, without a graph:
    together one vector v. H holds the second derivatives by all pairs of weights, also of two different tensors.
    Returns a list of tensors, shapes and dtypes those of `params`, without a graph. Zeros where the loss does not
    depend on a tensor, or only linearly (its gradient has no graph then).
    Weights, vectors and `.grad` (perhaps None, perhaps somebody's gradients) stay as they are. Exact, not by finite
    differences.
    """
    ### BEGIN SOLUTION
    gradients = torch.autograd.grad(loss_fn(), params, create_graph=True, materialize_grads=True)
    along = sum((v * g).sum() for g, v in zip(gradients, vectors))
    if not along.requires_grad:
        return [torch.zeros_like(p) for p in params]
    return list(torch.autograd.grad(along, params, materialize_grads=True))
    ### END SOLUTION
# %% check="week6.hessian_vector_product"
check("week6.hessian_vector_product", hessian_vector_product)

# %% [markdown]
# ### Sharpness
# There are directions that H only stretches: H v = λ v. Such a v is an *eigenvector*, λ its *eigenvalue*, the curvature in that direction. The largest one is the *sharpness*.
# Multiply any vector by H again and again, and the direction with the largest |λ| wins. If that λ is negative, you have found the way *down* and not the sharpest way up: hence the shift.
# %% exercise="week6.sharpness"
def sharpness(loss_fn, params, iterations):
    """The largest eigenvalue of the Hessian, with its sign: how fast the slope grows where the loss curves most upwards.

    loss_fn() and params: as in hessian_vector_product. iterations: an int, how many products H v each round takes.
    v ← H v / |H v|, again and again from a random v, ends in the direction of the eigenvalue that is largest in
    *modulus*, perhaps a negative one. A shift helps: H + s·1 has the same directions, every eigenvalue higher by s. The
    first round finds how large the largest modulus is; the second, from a new random v, iterates H + s·1 with an s that
    leaves none below 0. v is one vector over all of `params`, and vᵀ H v of a v of norm 1 is the eigenvalue.
    Returns a float: 3 for eigenvalues −5 and 3, −1 for −5 and −1, 0 where H is zero. Weights and `.grad` stay as they
    are; random numbers may come from torch's global generator. An error of 2 % is let pass.
    """
    ### BEGIN SOLUTION
    sizes = [p.numel() for p in params]

    def times(v):
        vectors = [part.view_as(p) for part, p in zip(v.split(sizes), params)]
        return torch.cat([h.flatten() for h in hessian_vector_product(loss_fn, params, vectors)])

    def iterate(shift):
        v = torch.cat([torch.randn_like(p).flatten() for p in params])
        for _ in range(iterations):
            unit = v / v.norm().clamp(min=1e-30)  # a v of zeros stays one
            product = times(unit)
            v = product + shift * unit
        return unit.dot(product), product.norm()

    _, modulus = iterate(torch.zeros(()))
    eigenvalue, _ = iterate(modulus)
    return float(eigenvalue)
    ### END SOLUTION
# %% check="week6.sharpness"
check("week6.sharpness", sharpness)

# %% [markdown]
# ## Two audits of flatness
# **“A saddle is a flat place.”** At a saddle the slope is zero, so it is said to be flat and training gets stuck there. Predict the largest and the smallest eigenvalue of x² − y² at 0. (The smallest of f is minus the largest of −f.) The table then asks the tiny model.
# **“Sharp minima generalise worse.”** Predict the factor by which the sharpness of the trained model grows when its matrices are divided by 5 and its gains multiplied: the function, and with it the loss on any text, stays the same.

# %%
def curvature(model, sign=1, iterations=20):  # the smallest one needs more: the next ones lie close to it
    with training.one_thread(), twice_differentiable():
        torch.manual_seed(0)
        return sign * sharpness(lambda: sign * training.loss(model, batch), list(model.parameters()), iterations)


at = torch.zeros(2, requires_grad=True)
my_prediction = None
commit("Largest, at the saddle", my_prediction, lambda: sharpness(lambda: at[0] ** 2 - at[1] ** 2, [at], 20))
my_prediction = None
commit("Smallest, at the saddle", my_prediction, lambda: -sharpness(lambda: at[1] ** 2 - at[0] ** 2, [at], 20))
for updates in (20, 300):
    model = demos.trained(updates)
    attempt(f"Tiny model after {updates} updates, largest and smallest",
            lambda: f"{curvature(model):.2f} and {curvature(model, -1, 60):.2f}")
my_prediction = None
commit("Sharpness after the rescaling, times that before", my_prediction,
       lambda: curvature(demos.rescaled(demos.trained(300), 5.0)) / curvature(demos.trained(300)))

# %% [markdown]
# **Verdicts.** A saddle is not flat: it is bent, up in some directions and down in others, and a step aside from its point finds a slope. A *plateau* is flat. The tiny model has both signs of curvature after a long training too: what we call a minimum seldom is one.
# Sharpness by itself says little about other text: one function has it large or small, as you like to write its weights ([Dinh et al. 2017](https://arxiv.org/abs/1703.04933)). Compare sharpness within one run, not between models.
#
# ## The edge of stability
# Where sharpness does count is the step. In a bowl of curvature λ, a step of the rate lr overshoots by more than it corrects as soon as lr > 2 / λ. So a run with a rate of .2 should stay where the sharpness is below 10, or blow up.
# Predict for that run, with all rows in every step: the highest sharpness it meets. Then try other rates.

# %%
my_prediction = None
commit("Highest sharpness at a rate of .2", my_prediction, lambda: max(s for _, _, s in demos.descent(0.2)))
demos.edge_of_stability()

# %% [markdown]
# It goes to the line, passes it, and does not blow up. The sharpness rises until it is about 2 / lr, and then hovers there while the loss still falls, not smoothly ([Cohen et al. 2021](https://arxiv.org/abs/2103.00065)). The rate *chooses* how sharp the ground is on which the run goes on. A small rate may not get there in this time.
# The wall in the SGD map is of this kind: it comes from the curvature, and so it hardly moves with the batch size.
#
# ## First weights, ten times too large
# Where a run starts decides on which ground. Multiply all first weights by .1, .3, 1, 3 or 10 and train with AdamW and with SGD, without weight decay.
# Predict how much higher the tenfold start ends than the usual one, for both.

# %%
def penalty(kind):
    _, ends = clinics.initial_scales()[kind]
    return ends[4] - ends[2]


my_prediction = None
commit("Tenfold start, AdamW, above the usual one", my_prediction, lambda: penalty("adamw"), "nats")
my_prediction = None
commit("Tenfold start, SGD, above the usual one", my_prediction, lambda: penalty("sgd"), "nats")
clinics.scale_figure()

# %% [markdown]
# Norms hide part of the error from the layers behind them, but not from the slope: it is smaller for larger weights. AdamW divides that out and recovers for the greater part; SGD is left with steps that are too small for its weights. A start that is too *small* costs little here.
#
# ## Which rate, then, for 64 rows?
# All three answers were right somewhere. If your old rate lay well below its best, scale it linearly, and stop short of the wall. If it was the best one: under AdamW take the root as a first guess, under SGD leave it alone.
# Measure the noise scale to see whether a batch of 64 is worth having. And whatever you take, try half and double of it.
# <details><summary><b>At the frontier</b></summary>
#
# Adam has an edge too: its sharpness is measured after dividing by √v ([Cohen et al. 2022](https://arxiv.org/abs/2207.14484)). Training that looks for flat ground on purpose, by a step uphill before each step down, is SAM ([Foret et al. 2021](https://arxiv.org/abs/2010.01412)).
# With Adam the best rate may even *fall* beyond some batch size ([Li et al. 2024](https://arxiv.org/abs/2405.14578)). Whether flat minima generalise better is open; every answer depends on the ruler.
# </details>

# %%
assessment.Reflection(
    "week6",
    [
        "I can say what a schedule does at its first, its middle and its last step, and prove it with a log.",
        "I can find a learning rate for a new model with a range test and three short runs.",
        "I can say where linear and square-root scaling break, with a map of my own runs.",
        "I can measure how many rows a batch is worth having, and explain the two equations behind it.",
        "I can say when an average of weights helps and when a falling rate is better.",
        "I can draw a slice of a loss without fooling myself by its ruler.",
        "I can measure sharpness and say what 2 / lr has to do with it.",
    ],
)
