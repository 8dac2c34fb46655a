# %% [markdown]
# # Week 3, part one: what fits into sixteen bits?
#
# Until now every number in this course took 32 bits. Half of that would do for most of them, and modern hardware is built for it.
# Below, the tiny model of week 1 trains in sixteen bits. Run the next two cells, then try all four ways in the list.

# %%
import math

import torch
import torch.nn.functional as F

from course.lab import assessment, plots
from course.lab.clinics import week3_audits as audits
from course.lab.demos import week3 as demos
from course.lab.journal import commit

# %%
demos.sixteen_bits()

# %% [markdown]
# ## A question that you cannot answer yet
# Same weights, same text, same learning rate, sixteen bits four times. Three of the runs lie on the curve of float32 or close to it.
# One is dead at its second step: its loss is *NaN*, not a number.
#
# - What killed it: a number that was too large, or one that was too small?
# - The usual advice for NaN is to clip the gradients and to lower the learning rate. Would that have saved it?
#
# Write your guesses on paper. At the end of this part you hold the number that did it.
#
# First, three questions from earlier weeks.

# %%
assessment.opener(3)

# %% [markdown]
# ## A number in bits
# **In plain words.** A ruler with the same number of marks everywhere would waste most of them: nobody needs micrometres on a road map.
# So computers keep a few digits, and beside them the place of the point. Small numbers get fine marks, large ones coarse marks.
#
# **The working idea.** A *floating-point* number has three fields: one bit for the **sign**, a few for the **exponent**, which says between which two powers of two it lies, and the rest for the **mantissa**, the digits within.
# The exponent decides how *far* a format reaches, the mantissa how *fine* it is. The distance from a number to its neighbour is the *spacing*; it doubles at each power of two.
#
# float16 and bfloat16 split the same sixteen bits differently. Move the slider and find a value that one of them can hold and the other cannot, then one where it is the other way round.
# Then go down until float16 holds 0.

# %%
demos.float_formats()

# %% [markdown]
# <details><summary><b>In practice: which format where</b></summary>
#
# *float32* (8 exponent bits, 23 mantissa bits) holds weights and optimizer state. *float16* (5 and 10) is fine and short: nothing above 65504. *bfloat16* (8 and 7) is float32 with its last sixteen bits cut off: the same reach, two to three digits ([Kalamkar et al. 2019](https://arxiv.org/abs/1905.12322)).
# *TF32* is a mode rather than a format: tensor cores of NVIDIA's Ampere and later read float32 inputs with 10 mantissa bits when `torch.set_float32_matmul_precision("high")` allows it. Nothing is stored differently.
# </details>
#
# <details><summary><b>At the frontier: eight bits and fewer</b></summary>
#
# *float8* comes in two splits: e4m3 for weights and activations, e5m2, which reaches further, for gradients ([Micikevicius et al. 2022](https://arxiv.org/abs/2209.05433)). `e4m3fn` breaks a rule of the others: it has no infinity, and uses the patterns for larger numbers.
# So few bits need a scale for every small block of a tensor. DeepSeek-V3 was trained so, with scales for blocks of 128 ([2024](https://arxiv.org/abs/2412.19437)); the MX formats put one power of two beside every 32 numbers ([Rouhani et al. 2023](https://arxiv.org/abs/2310.10537)). In week 7 you build a 4-bit format with such scales yourself.
# </details>
#
# ### Decode a float
# A format is a rule for reading bits. Write it down once for all IEEE formats: take the three fields apart, then treat the two special exponents, all zeros and all ones.
# A normal number is 1.… times a power of two. The leading 1 is not stored, since it is always there; the exponent field holds the power plus a *bias*, so that no sign is needed.
# Where the exponent field is all zeros there is no such hidden 1, and the power is that of the smallest normal number. These are the *subnormal* numbers: they fill the gap between the smallest normal number and zero, evenly.
# %% exercise="week3.decode_float"
def decode_float(bits, exponent_bits, mantissa_bits):
    """The number that a bit pattern stands for, in an IEEE format: sign, exponent and mantissa, from the highest bit.

    bits: int, 0 <= bits < 2**(1 + exponent_bits + mantissa_bits). float16 has 5 and 10 such bits, bfloat16 8 and 7.
    The bias is 2**(exponent_bits - 1) - 1. An exponent field of zeros holds 0 and the subnormals, one of ones holds
    inf (mantissa 0) and NaN (any other). Returns a Python float, exact for formats of up to 11 and 52 bits.
    Build it from arithmetic: Tensor.view is refused.
    """
    ### BEGIN SOLUTION
    mantissa = bits % 2**mantissa_bits
    exponent = (bits >> mantissa_bits) % 2**exponent_bits
    sign = -1 if bits >> (exponent_bits + mantissa_bits) else 1
    bias = 2 ** (exponent_bits - 1) - 1
    if exponent == 2**exponent_bits - 1:
        return math.nan if mantissa else sign * math.inf
    if exponent == 0:
        return sign * mantissa * 2.0 ** (1 - bias - mantissa_bits)
    return sign * (1 + mantissa / 2**mantissa_bits) * 2.0 ** (exponent - bias)
    ### END SOLUTION
# %% check="week3.decode_float"
check("week3.decode_float", decode_float)

# %% [markdown]
# ### Count the marks on the ruler
# Your function can list every number that a format has: there are only 65536 patterns. Predict first: how many float16 numbers lie from 1 up to 2, and how many from 1024 up to 2048? And how many bfloat16 numbers from 1 up to 2?

# %%
def count(low, high, exponent_bits, mantissa_bits):
    patterns = range(2 ** (1 + exponent_bits + mantissa_bits))
    return sum(low <= decode_float(bits, exponent_bits, mantissa_bits) < high for bits in patterns)


my_prediction = None
commit("float16: how many from 1 up to 2", my_prediction, lambda: count(1, 2, 5, 10))
my_prediction = None
commit("float16: how many from 1024 up to 2048", my_prediction, lambda: count(1024, 2048, 5, 10))
my_prediction = None
commit("bfloat16: how many from 1 up to 2", my_prediction, lambda: count(1, 2, 8, 7))

# %% [markdown]
# ## Folklore audit: “below 6e-5 a float16 underflows”
# *Underflow* means that a number that is not zero becomes zero. The rule is in many tutorials: gradients smaller than 6e-5 are lost in float16, hence loss scaling.
#
# Predict for three small numbers what float16 makes of them. Percent for the first, the number that is left for the other two.

# %%
def in_float16(value):
    return torch.tensor(value, dtype=torch.float16).item()


my_prediction = None
commit("5e-5: how far off is it?", my_prediction, lambda: 100 * abs(in_float16(5e-5) / 5e-5 - 1), "percent")
my_prediction = None
commit("What is left of 6e-8", my_prediction, lambda: in_float16(6e-8))
my_prediction = None
commit("What is left of 2.9e-8", my_prediction, lambda: in_float16(2.9e-8))

# %% [markdown]
# **Verdict.** The number 6e-5 is real, but it is where the *normal* numbers end. Below it the subnormals begin: they keep the value and lose its digits, one bit at every halving.
# A value is lost only at half of the smallest subnormal, two thousand times lower.
#
# ### How much underflows?
# Now a measure for whole tensors. A share needs a fair base: entries that are zero from the start had nothing to lose. Nor is an entry lost that is kept coarsely.
# %% exercise="week3.underflow_fraction"
def underflow_fraction(tensor, dtype, scale=1.0):
    """Which share of a tensor's nonzero entries becomes 0 when `tensor` is multiplied by `scale` and cast to `dtype`.

    tensor: float32 or float64 of any shape. dtype: a torch float dtype. scale: positive float, multiplied in the
    tensor's own precision, before the cast. Entries that are zero from the start count nowhere. A tiny entry that
    `dtype` keeps as a subnormal is not lost. Returns a float in [0, 1]; 0.0 where no entry is nonzero.
    """
    ### BEGIN SOLUTION
    nonzero = tensor != 0
    lost = nonzero & ((tensor * scale).to(dtype) == 0)
    return lost.sum().item() / max(nonzero.sum().item(), 1)
    ### END SOLUTION
# %% check="week3.underflow_fraction"
check("week3.underflow_fraction", underflow_fraction)

# %% [markdown]
# ## Real gradients against the range
# The demo shows gradients of the tiny model by size, after 300 steps (`late=True` below) or after 20. Its first slider multiplies all of them by a power of two, a *loss scale*; more of it at the end of this part.
# First predict three shares, between 0 and 1, and run the cell. Then move the sliders.
#
# One thing helps to guess: a mean over N tokens divides every gradient at the logits by N, and there is one for each of 259 tokens at each place, most of which the model finds very unlikely.

# %%
at_logits, at_weights = demos.gradients("logits", late=True), demos.gradients("weights", late=True)
my_prediction = None
commit("Share of the gradients at the logits that float16 loses", my_prediction,
       lambda: underflow_fraction(at_logits, torch.float16))
my_prediction = None
commit("The same with a loss scale of 65536", my_prediction,
       lambda: underflow_fraction(at_logits, torch.float16, 65536.0))
my_prediction = None
commit("Share of the gradients of the weights that float16 loses", my_prediction,
       lambda: underflow_fraction(at_weights, torch.float16))
demos.gradient_histogram()

# %% [markdown]
# Try bfloat16 in the demo, at any scale: its range is so wide that its limits lie outside the picture. Then float8: it has bfloat16's problem and float16's problem together.
#
# Much is lost at the logits, little at the weights, which sum over many places. Whether the loss of so many small gradients *hurts* is another question; at the end of this part you put it to the test.
#
# ## The update that does not arrive
# So far numbers were lost because they were small. Something else happens to numbers of ordinary size, when a small one is *added* to a larger one.
# A weight of 1 gets an update of 0.003. What is the weight afterwards, in bfloat16? Think of the spacing at 1, and note your guess: the cell below the exercise asks for it.
#
# ### Lost updates
# Write a function that says which updates vanish. What counts is the spacing *at that weight*, not at 1; and just below a power of two it is half of what it is above.
# %% exercise="week3.lost_update"
def lost_update(weight, update, dtype):
    """Which entries of `weight` stay as they are when `update` is added in `dtype`, although it is not zero.

    weight, update: float tensors of one shape; what `weight` holds is representable in `dtype`. dtype: a torch float
    dtype; both are taken to it, and so is the sum. Returns a bool tensor of the same shape: True where the update is
    lost. An update of exactly zero is not lost. Neither argument is changed.
    """
    ### BEGIN SOLUTION
    before = weight.to(dtype)
    return (before + update.to(dtype) == before) & (update != 0)
    ### END SOLUTION
# %% check="week3.lost_update"
check("week3.lost_update", lost_update)

# %% [markdown]
# Your guess for the weight of 1, then a real case: the next cell takes a single AdamW step with the trained tiny model in float32, at a learning rate that is common for fine-tuning, and keeps the weights and their updates.
# Which share of these updates would weights in bfloat16 lose? And weights in float16? Predict, then run.

# %%
my_prediction = None
commit("1 + 0.003 in bfloat16", my_prediction,
       lambda: torch.tensor(1.0, dtype=torch.bfloat16) + torch.tensor(0.003, dtype=torch.bfloat16))
weights, updates = audits.one_update(lr=3e-4)
for dtype in (torch.bfloat16, torch.float16):
    my_prediction = None
    commit(f"Share of the updates that weights in {dtype} lose", my_prediction,
           lambda dtype=dtype: lost_update(weights.to(dtype), updates, dtype).float().mean())

# %% [markdown]
# ### A thousand small steps
# One lost update is nothing. But the next one is just as small. Add 0.003 to 1 a thousand times, in three formats: where does each of them end? Guess before you run.

# %%
def add_up(dtype, steps=1000):
    total, path = torch.tensor(1.0, dtype=dtype), []
    for _ in range(steps):
        total = total + torch.tensor(0.003, dtype=dtype)
        path.append(total.item())
    return path


paths = {dtype: add_up(dtype) for dtype in (torch.float32, torch.float16, torch.bfloat16)}
fig, (ax,) = plots.figure(1, (9.6, 3.4))
plots.style(ax, "Additions of 0.003", "Sum", "The sum starts at 1", ylim=(0.8, 5))
for (dtype, path), colour in zip(paths.items(), plots.PALETTE):
    ax.plot(path, color=colour, lw=2.5, label=str(dtype).removeprefix("torch."))
plots.legend(ax)
said = ", ".join(f"{path[-1]:.3f} in {dtype}" for dtype, path in paths.items())
plots.show(fig, f"Three sums that start at 1 and get 0.003 a thousand times; they end at {said}.")

# %% [markdown]
# bfloat16 never leaves 1. float16 drifts away: every update is rounded to its spacing, which is coarser the larger the sum.
#
# **The consequence** is the first of the two ideas of mixed precision: compute in sixteen bits, but *add up* in float32. The weights that the optimizer changes are kept in float32, the **master weights**; sixteen-bit copies are made for the computation ([Micikevicius et al. 2018](https://arxiv.org/abs/1710.03740), section 3.1).
#
# <details><summary><b>At the frontier: no master weights</b></summary>
#
# Rounding can be a coin toss: up with a probability equal to the share that would be cut off. Then small updates arrive *on average*. With such *stochastic rounding*, or with a second bfloat16 number that keeps what was cut off, models train in bfloat16 alone ([Zamirai et al. 2020](https://arxiv.org/abs/2010.06192)).
# </details>
#
# ### Which sixteen bits on which machine?
# bfloat16 needs hardware that computes in it. NVIDIA's GPUs do from Ampere on, *compute capability* (8, 0); a T4, the GPU that Colab gives away, is a Turing with (7, 5) and has fast float16 only. TPUs and CPUs take bfloat16; how fast a CPU is with it depends on its generation.
#
# Do not ask `torch.cuda.is_bf16_supported()`: with its default arguments it also says yes where bfloat16 is only *emulated*, as on a T4.
# %% exercise="week3.pick_dtype"
def pick_dtype(device_type, capability):
    """The 16-bit dtype for mixed precision: torch.float16 or torch.bfloat16.

    device_type: "cpu" or "cuda". capability: None on a CPU; on CUDA a tuple (major, minor) of ints, as from
    torch.cuda.get_device_capability(): a T4 is (7, 5), Ampere begins at (8, 0), and numbers go on rising.
    bfloat16 wherever the hardware computes in it: on a CPU, and on a GPU from Ampere on. Decide by the two arguments
    alone: the machine that runs this need not be the one that they describe.
    """
    ### BEGIN SOLUTION
    if device_type == "cpu" or capability >= (8, 0):
        return torch.bfloat16
    return torch.float16
    ### END SOLUTION
# %% check="week3.pick_dtype"
check("week3.pick_dtype", pick_dtype)

# %% [markdown]
# ## What must not be computed in sixteen bits
# Three innocent formulas: a softmax, a norm, a sum. Each has something inside that is far larger than its result, or far smaller.
#
# - **Softmax** takes e to each score. Week 1 subtracted the largest score first; here you see why that is no luxury. How large may x be, a whole number, for float16 to hold e to x?
# - **RMS norm** divides by the root of the mean *square*. The square of 300 is 90000.
# - **A sum** adds a small number to a large one, again and again. What do a thousand ones add up to in bfloat16, one after the other?

# %%
def naive_softmax(x):
    return x.exp() / x.exp().sum()


def naive_rms_norm(x):
    return x / (x * x).mean().sqrt()


def one_by_one(x):
    total = torch.zeros((), dtype=x.dtype)
    for value in x:
        total = total + value
    return total


my_prediction = None
commit("Largest whole x whose e^x float16 can hold", my_prediction,
       lambda: max(x for x in range(99) if torch.tensor(x, dtype=torch.float16).exp().isfinite()))
my_prediction = None
commit("A thousand ones in bfloat16, one by one", my_prediction,
       lambda: one_by_one(torch.ones(1000, dtype=torch.bfloat16)))

# %%
scores, large, ones = torch.tensor([12.0, 11.0, 0.0]), torch.full((32,), 300.0), torch.ones(1000)
print(f"{'':10}{'softmax of 12, 11, 0':>36}{'RMS norm of 300s':>22}{'sum of 1000 ones':>20}")
print(f"{'':10}{'naive':>18}{'torch':>18}{'naive':>11}{'torch':>11}{'one by one':>12}{'torch':>8}")
for dtype in (torch.float32, torch.float16, torch.bfloat16):
    x, y, z = scores.to(dtype), large.to(dtype), ones.to(dtype)
    soft = [" ".join(f"{p:.2f}" for p in f(x).tolist()) for f in (naive_softmax, lambda x: x.softmax(-1))]
    norm = [f"{f(y)[0].item():.2f}" for f in (naive_rms_norm, lambda y: F.rms_norm(y, y.shape))]
    sums = [f"{f(z).item():.0f}" for f in (one_by_one, torch.sum)]
    print(f"{str(dtype)[6:]:10}{soft[0]:>18}{soft[1]:>18}{norm[0]:>11}{norm[1]:>11}{sums[0]:>12}{sums[1]:>8}")

# %% [markdown]
# torch's own functions give the right answer for the very same sixteen-bit inputs. Their insides subtract the maximum, and keep squares and sums in float32; only the result is rounded.
# So the dtype of an operator's output does not tell in which precision it was computed.
#
# <details><summary><b>In practice: softmax in one pass</b></summary>
#
# The maximum can be found while summing: when a larger score comes, rescale the sum so far ([Milakov & Gimelshein 2018](https://arxiv.org/abs/1805.02867)). FlashAttention is built on it ([Dao et al. 2022](https://arxiv.org/abs/2205.14135)).
# </details>
#
# ## Where NaN comes from
# NaN is the result of an operation that has no answer. It is contagious: whatever it touches is NaN too. It rarely comes out of nothing; first there is an inf or a zero that should not be there.
# Here are its births, and what clipping does when it meets an inf. Predict the latter: a gradient of [1, inf, 2] is clipped to norm 1. What is its *first* entry afterwards?

# %%
big = torch.tensor(300.0, dtype=torch.float16)
inf, zero = big * big, big * 0
for name, value in {"300 · 300": inf, "inf − inf": inf - inf, "0 · inf": zero * inf, "0 / 0": zero / zero,
                    "log 0": zero.log(), "0 · log 0": zero * zero.log()}.items():
    print(f"{name:12}{value.item()}")
weight = torch.nn.Parameter(torch.zeros(3))
weight.grad = torch.tensor([1.0, float("inf"), 2.0])
norm = torch.nn.utils.clip_grad_norm_([weight], 1.0)
my_prediction = None
commit("First entry of [1, inf, 2] after clipping", my_prediction, lambda: weight.grad[0])
print(f"all of it: {weight.grad.tolist()}, its norm before: {norm.item()}")
print(f"And a guard such as `if norm > max_norm` on a norm that is NaN: {float('nan') > 1.0}")

# %% [markdown]
# ## Folklore audit: “NaN? Clip the gradients and lower the learning rate”
# Back to the dead run: every number in float16, with torch's AdamW at its default settings. Here are four treatments. Which ones let it live? Write `"alive"` or `"dead"` in place of each `None`.
#
# Below them comes a post-mortem. AdamW divides each weight's mean gradient m by the root of its mean square v, plus a tiny *eps* against division by zero (week 5 builds it).
# The table follows the first step of the untreated run in the order in which it is computed. Find the first line where something is wrong, and two numbers that are equal.

# %%
treatments = {
    "learning rate a thousand times lower": ({"lr": 1e-5}, None),
    "gradients clipped to norm 1": ({"max_norm": 1.0}, None),
    "both": ({"lr": 1e-5, "max_norm": 1.0}, None),
    "AdamW's eps at 1e-4 instead of 1e-8": ({"eps": 1e-4}, None),
}
for name, (changes, my_prediction) in treatments.items():
    commit(name, my_prediction, lambda changes=changes: audits.half_run(**changes))
audits.post_mortem()

# %% [markdown]
# **Verdict.** Neither clipping nor a low learning rate helps, because nothing was too large: loss and gradients are fine. Something is too *small*. The square of an ordinary gradient, times .001, falls below what float16 holds, so v is 0. The eps that should save the division is 0 in float16 too. So m is divided by 0, and where m is 0 too the result is NaN.
# As many weights die as v has zeros. Look for the first bad number before you choose a cure.
#
# <details><summary><b>In practice: finding the first bad number</b></summary>
#
# In a large model, put a forward hook on every module that checks `isfinite().all()` and prints `abs().max()`; the first module that fails is near the cause. `torch.autograd.set_detect_anomaly(True)` does it for the backward pass, slowly.
# When a Gemma model gave NaN in float16 after a few steps, hooks showed where the first overflow was: in the last projection of the first MLP ([unsloth 5092](https://github.com/unslothai/unsloth/pull/5092)). A number above 65504 needs another dtype, not a lower learning rate ([5074](https://github.com/unslothai/unsloth/pull/5074)).
# Other causes to rule out: a batch in which no label counts (0 / 0), a row of attention that may look nowhere, the logarithm of a probability that was rounded to 0, and really exploding gradients, for which clipping *is* the cure.
# </details>
#
# Why, then, did both autocast runs of the demo live, although they compute in sixteen bits? Because their weights, gradients and optimizer state are kept in float32. Part two shows how that is done.
#
# ## Loss scaling
# One worry is left: gradients that become 0 on the way, inside the backward pass.
#
# **In plain words.** A letter that is too small for the scanner is enlarged first and reduced afterwards. What the scanner saw was large enough.
#
# **The working idea.** The backward pass is linear: multiply the loss by S, and every gradient on the way is S times larger, so fewer of them fall below what float16 holds. The last thing, before the optimizer looks, is to divide by S again, in float32. In exact arithmetic nothing has changed.
#
# ### A step with a fixed scale
# Write it for any model and any optimizer. The gradients must be true again when the optimizer sees them: an Adam divides by their size, an SGD does not, and clipping compares them with a number.
# %% exercise="week3.scaled_step"
def scaled_step(model, loss, optimizer, scale):
    """One step with static loss scaling: the update is that of the true gradients, the backward pass sees larger ones.

    model: an nn.Module whose trainable parameters are those of `optimizer`; some may be frozen or get no gradient.
    loss: scalar tensor with its graph. scale: positive float. Gradients that an earlier step left are cleared first;
    then backward through loss * scale, true gradients in `.grad`, one optimizer step at its own learning rate.
    Returns the loss, unscaled, as a float. Afterwards `.grad` holds the true gradients of this step.
    Build it from backward and arithmetic: torch's GradScaler is refused.
    """
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    (loss * scale).backward()
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad /= scale
    optimizer.step()
    return loss.item()
    ### END SOLUTION
# %% check="week3.scaled_step"
check("week3.scaled_step", scaled_step)

# %% [markdown]
# ## Folklore audit: “float16 does not train without loss scaling”
# Above, in a model that had trained for 300 steps, two thirds of the gradients at the logits became 0 in float16. Put it to the test with your `scaled_step`: a *fresh* tiny model for 30 steps, weights in float32 and computation in float16, once for each fixed scale from 2^−20 to 2^20, in steps of 2^4.
# A run counts as healthy if it ends within 0.1 of float32's loss, in nats.
#
# Predict the lowest and the highest healthy power of two. Is 0, no scaling at all, between them? It takes some seconds.

# %%
lowest = None
highest = None
runs = []


def healthy_scales():
    if not runs:
        runs.append(audits.sweep(scaled_step))
    losses, float32 = runs[0]
    return [k for k, loss in losses.items() if abs(loss - float32) < 0.1]


commit("Lowest healthy scale, as a power of two", lowest, lambda: min(healthy_scales()))
commit("Highest healthy scale, as a power of two", highest, lambda: max(healthy_scales()))
print("\nThe gradient of the weights after 300 steps, against float32's:")
for name, (cosine, error) in audits.late_gradients().items():
    print(f"{name:20} cosine {cosine:.5f}   error {error:.2%} of its length")

# %% [markdown]
# **Verdict.** Not true of these runs: without a scale they do as well as with one. A run of 30 steps loses hardly a gradient, so it is no proof for a long one. The last lines ask the model of 300 steps, which loses two thirds of them at the logits: the gradient of its *weights* is as good as float32's all the same.
# By the formula of week 1 a gradient at the logits is p/N for a token that did not come. The small ones belong to tokens that the model rules out anyway; the sum that reaches a weight is made by the others.
# But the healthy range has two ends. Far below it nothing is learned, in silence: all gradients are zero. Above it gradients become inf. *Where* the range lies depends on the model, the batch and the step; a mean over more tokens moves it. A scale in its middle is insurance, and bfloat16, with the range of float32, does not need any.
# Nobody knows the range in advance. In part two you build the thing that finds it during training.
