# %% [markdown]
# # Week 5, part two: what an optimizer remembers
#
# A model fits into the memory of a card three times over. Its gradients would fit as well. Training it stops before the first step is done: out of memory.
#
# **In plain words.** SGD is a hiker without a notebook. Adam keeps two pages of notes for every single weight, and the notebook is heavier than the luggage.
#
# **The working idea.** What an optimizer keeps from one step to the next is its *state*. It needs memory, it must be saved with the weights, and it can be kept in fewer bits.
#
# A checkpoint shows it at once: save the weights of the tiny model, then weights and optimizer together. Predict how many times as large the second file is after a step of AdamW, and after a step of plain SGD.

# %%
import io
import itertools
import math

import torch
import torch.nn.functional as F

from course.lab import assessment, training
from course.lab.clinics import week5 as clinics
from course.lab.demos import week5_state as demos
from course.lab.experiments import week5 as week5_experiment
from course.lab.journal import commit


# %%
def file_size(*things):
    file = io.BytesIO()
    torch.save([one.state_dict() for one in things], file)
    return len(file.getvalue())


def times_as_large(kind):
    model = training.tiny_model(width=128)
    optimizer = demos.made(kind, model.parameters())
    training.loss(model, next(training.tiny_batches(4))).backward()
    optimizer.step()
    for name, kept in optimizer.state[model.head.weight].items():
        print(f"  {kind} keeps for the head, {tuple(model.head.weight.shape)}: {name} {tuple(kept.shape)}")
    return file_size(model, optimizer) / file_size(model)


my_prediction = None
commit("File with AdamW, in files without", my_prediction, lambda: times_as_large("adamw"))
my_prediction = None
commit("File with plain SGD, in files without", my_prediction, lambda: times_as_large("sgd"))

# %% [markdown]
# torch's names for *m* and *v* are `exp_avg` and `exp_avg_sq`. Every weight drags them along, from the first step to the last.
#
# ## Which weights decay
# A gain of a norm that shrinks towards 0 silences its channel, and a bias has nothing to be kept small for. So recipes usually leave both out of the decay. How do you tell them? Not by name: every library has its own names. By their *shape*: matrices have two dimensions or more, gains and biases one.
#
# ### Two groups
# Two traps: a matrix that a model uses in two places must be listed once, and a frozen parameter not at all.
# %% exercise="week5.param_groups"
def param_groups(model, weight_decay):
    """The trainable parameters of `model` in two groups for torch.optim.AdamW: [decayed, undecayed].

    model: a torch.nn.Module. weight_decay: float. Each group is a dict of `params`, a list of parameters, and
    `weight_decay`: the given one in the first group, 0.0 in the second. Decayed is every parameter of two or more
    dimensions (matrices, embeddings, convolutions), whatever its name; undecayed the others (biases, norms, scalars).
    Frozen parameters (requires_grad False) are in neither group, tied ones in one group once. Always two groups, of
    which one may hold no parameter; the order of parameters within a group is free.
    """
    ### BEGIN SOLUTION
    trainable = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]
    ### END SOLUTION
# %% check="week5.param_groups"
check("week5.param_groups", param_groups)

# %% [markdown]
# Does the decay matter? And how large should it be? The next cell trains the tiny model for 300 updates at a learning rate of .01, four times.
# Predict two numbers for a decay of 1, compared with a run without any: the norm of all weights afterwards in percent, and by how much the loss on other text differs. (The textbook's range is .01 to .1.)

# %%
val = next(training.tiny_batches(64, seed=7, split="val"))
decayed = {}


def with_decay(decay, updates=300):
    if decay not in decayed:
        model = training.tiny_model()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=decay)
        with training.one_thread():
            list(training.train(model, itertools.islice(training.tiny_batches(8), updates), optimizer))
            norm = float(torch.cat([p.detach().flatten() for p in model.parameters()]).norm())
            decayed[decay] = norm, training.evaluate(model, [val])
    return decayed[decay]


my_prediction = None
commit("Norm at a decay of 1, in percent", my_prediction, lambda: 100 * with_decay(1.0)[0] / with_decay(0.0)[0])
my_prediction = None
commit("Loss at a decay of 1, less that without", my_prediction,
       lambda: with_decay(1.0)[1] - with_decay(0.0)[1], "nats")
for decay in (0.0, 0.01, 0.1, 1.0):
    norm, loss = with_decay(decay)
    print(f"decay {decay:<5g} norm of all weights {norm:7.2f}   loss on other text {loss:.3f} nats")

# %% [markdown]
# Inside the usual range the decay moves the weights visibly and the loss of this short run hardly at all; ten times above it, the weights shrink to a fraction and the loss pays. What decides is lr × λ, summed over all updates; week 6 makes that sum a number that you can plan with.
#
# ## What the notebook weighs
# ### Bytes of state
# Say how many bytes each of five optimizers keeps for one square matrix. You know two of them already.
# *AdamW in 8 bits* stores m and v as one-byte codes with a scale for every 256 of them (you write that below). *Adafactor* does not keep v at all, but the mean of each of its rows and columns.
# %% exercise="week5.state_bytes"
def state_bytes(n_params, optimizer):
    """Bytes that an optimizer keeps from step to step for ONE square matrix of `n_params` float32 weights.

    n_params: int, a square number: the matrix has sqrt(n_params) rows and as many columns. optimizer, by name:
    "sgd" (no momentum) and "momentum" (torch.optim.SGD), "adamw" (torch.optim.AdamW), "adamw8bit"
    (bitsandbytes.optim.AdamW8bit: 8-bit codes in blocks of 256, the last may be shorter, with one float32 absmax a
    block; a tensor of fewer than 4096 weights keeps its state in float32 instead), "adafactor" (torch.optim.Adafactor:
    of the second moment one float32 mean a row and one a column, no first moment). Not counted are weights, gradients,
    step counters, and the two tables of 256 values that all 8-bit tensors share. Returns an int.
    """
    ### BEGIN SOLUTION
    if optimizer == "sgd":
        return 0
    if optimizer == "momentum":
        return 4 * n_params
    if optimizer == "adafactor":
        return 4 * 2 * math.isqrt(n_params)
    if optimizer == "adamw8bit" and n_params >= 4096:
        return 2 * (n_params + 4 * math.ceil(n_params / 256))
    return 2 * 4 * n_params
    ### END SOLUTION
# %% check="week5.state_bytes"
check("week5.state_bytes", state_bytes)

# %%
demos.state_memory(state_bytes)

# %% [markdown]
# ## Folklore audit: “the optimizer's state is two to three times the model”
# Of *which* model, in which numbers? Week 3 told apart the weights that the model computes with from the float32 copies that the optimizer moves.
# Predict the state of AdamW as a multiple of the bytes of the model's weights: all in float32; weights in bfloat16 whose *float32 copies* are trained; AdamW in 8 bits on float32 weights; and float32 with everything frozen but the norms.
# And one more: how many GB of float32 state would 7 billion weights need?

# %%
def times_the_model(kind="adamw", computes_in=torch.float32, trains=lambda p: True):
    model = training.tiny_model(width=128)
    size = sum(p.numel() for p in model.parameters()) * computes_in.itemsize
    for p in model.parameters():
        p.requires_grad_(trains(p))
    chosen = [p for p in model.parameters() if p.requires_grad]
    training.loss(model, next(training.tiny_batches(2))).backward()
    optimizer = demos.made(kind, chosen)
    optimizer.step()
    return demos.kept(optimizer) / size


my_prediction = None
commit("All in float32", my_prediction, times_the_model)
my_prediction = None
commit("Weights in bfloat16, trained as float32 copies", my_prediction,
       lambda: times_the_model(computes_in=torch.bfloat16))
my_prediction = None
commit("8 bits", my_prediction, lambda: times_the_model("adamw8bit"))
my_prediction = None
commit("Only the norms are trained", my_prediction, lambda: times_the_model(trains=lambda p: p.ndim < 2))
my_prediction = None
commit("State of 7 billion weights", my_prediction, lambda: 7 * 4 * times_the_model(), "GB")

# %% [markdown]
# **Verdict.** There is no such factor. The state follows the number of weights *that train*, not the model: twice the float32 weights, four times weights in 16 bits (and their float32 copies come on top), half in 8 bits, and nearly nothing where nearly everything is frozen.
# That answers the third question of this week: with gradients and state, a float32 model needs four times its weights, and three times do not do. It is also why fine-tuning with small adapters (week 7) gains so little from an optimizer in 8 bits: there the notebook is thin to begin with.
#
# ## Notes in 8 bits
# **In plain words.** Round the notes. But not all of them to the same grid: a page full of tiny numbers needs a fine one.
#
# **The working idea.** Cut a tensor into *blocks*. In each, divide by the largest absolute value (*absmax*) and round to whole numbers from -127 to 127: one byte each, and one scale for the block. This is *block-wise quantization*.
#
# ### Quantize
# Two edges: a block of zeros must not divide by zero, and the last block may be short.
# %% exercise="week5.quantize_blockwise"
def quantize_blockwise(x, block_size=256):
    """x as int8 codes with one scale for every block of `block_size` numbers.

    x: float tensor of any shape, at least one number, calculated with in float32; its blocks run through x.flatten(),
    and the last one may be shorter. absmax of a block: its largest absolute value. A number becomes the code
    round(127 * number / absmax), in -127 … 127, so the number at absmax becomes 127 or -127; in a block of zeros
    absmax is 0 and the codes are 0.
    Returns (codes, absmax): codes int8 in the shape of x, absmax float32 (number of blocks,).
    """
    ### BEGIN SOLUTION
    flat = x.flatten().float()
    blocks = F.pad(flat, (0, -len(flat) % block_size)).view(-1, block_size)
    absmax = blocks.abs().amax(dim=1)
    scale = torch.where(absmax > 0, absmax, 1.0)
    codes = (127 * blocks / scale.unsqueeze(1)).round().to(torch.int8)
    return codes.flatten()[: len(flat)].view(x.shape), absmax
    ### END SOLUTION
# %% check="week5.quantize_blockwise"
check("week5.quantize_blockwise", quantize_blockwise)

# %% [markdown]
# ### And back
# %% exercise="week5.dequantize_blockwise"
def dequantize_blockwise(codes, absmax, block_size=256):
    """The numbers that `quantize_blockwise` has stored, up to half a code: code / 127 * absmax of its block.

    codes: int8 tensor of any shape, whose blocks of `block_size` run through codes.flatten(), the last one possibly
    shorter. absmax: float32 (number of blocks,). Returns float32 in the shape of codes.
    """
    ### BEGIN SOLUTION
    scale = absmax.repeat_interleave(block_size)[: codes.numel()].view(codes.shape)
    return codes / 127 * scale
    ### END SOLUTION
# %% check="week5.dequantize_blockwise"
check("week5.dequantize_blockwise", dequantize_blockwise)

# %% [markdown]
# Why blocks? Take 65,536 numbers from a normal distribution, and let a single one of them be 1000.
# Predict how many percent of all numbers become 0: with one scale for all, and in blocks of 256.

# %%
def become_zero(block_size):
    x = torch.randn(65536, generator=training.generator(0, 7))
    x[12345] = 1000.0
    codes, absmax = quantize_blockwise(x, block_size)
    return 100 * float((dequantize_blockwise(codes, absmax, block_size) == 0).float().mean())


my_prediction = None
commit("One scale for all, percent", my_prediction, lambda: become_zero(65536))
my_prediction = None
commit("Blocks of 256, percent", my_prediction, lambda: become_zero(256))

# %% [markdown]
# An outlier spoils its own block and no other. A smaller block costs more scales: that is the whole trade.
#
# ## Is that good enough for Adam?
# Here are the real m and v of the head of the tiny model, after 150 updates, in blocks of 256. Store both in even codes as yours are. Then take the step that Adam would make from them, m / (√v + ε).
# Predict two errors, that of v and that of the step, as a share of the true length (0 is exact; 1 is as bad as answering 0).

# %%
my_prediction = None
commit("Error of v", my_prediction, lambda: demos.lost("even codes", "v", 256)[0])
my_prediction = None
commit("Error of the step", my_prediction, lambda: demos.lost("even codes", "step", 256)[0])
demos.state_in_8_bits()

# %% [markdown]
# The average error is harmless and the step is ruined. v spans many powers of ten within one block; even codes turn its small entries into 0, and then m is divided by ε. A good *mean* error says nothing about what you do with the numbers next.
# Move the block size: at 32 a block is one row of the head, and even codes are enough. What counts is the range *within* a block.
#
# bitsandbytes spaces its 256 codes unevenly, fine near zero and coarse near one (*dynamic* quantization, [Dettmers et al. 2021](https://arxiv.org/abs/2110.02861)). Predict how many of its codes for v lie below 1/127, where even codes have only 0. Then go through the sliders again.

# %%
my_prediction = None
commit("Codes below 1/127", my_prediction, lambda: int((demos.codes() < 1 / 127).sum()))
for way, size in itertools.product(demos.WAYS, (32, 256, 4096)):
    errors = ", ".join(f"{what} {demos.lost(way, what, size)[0]:.3g}" for what in demos.WHAT)
    print(f"{way:13} blocks of {size:<5} error of {errors}")

# %% [markdown]
# <details><summary><b>In practice</b></summary>
#
# `bitsandbytes.optim.AdamW8bit` takes the place of `torch.optim.AdamW`. It leaves tensors of fewer than 4096 numbers in float32, as you saw in the figure of state by kind. In transformers it is `optim="adamw_8bit"`; a *paged* optimizer moves its state to the computer's memory when the card is full. QLoRA's own script takes `paged_adamw_32bit`: its adapters are so small that 8 bits would save little.
#
# A checkpoint without the state is half a checkpoint (week 2). And count the state when you choose a card: weights, gradients and state together, before the first activation.
# </details>
#
# <details><summary><b>At the frontier</b></summary>
#
# *Share it.* ZeRO gives each of N GPUs one N-th of the state, then of the gradients, then of the weights ([Rajbhandari et al. 2019](https://arxiv.org/abs/1910.02054)); PyTorch's FSDP does this.
#
# *Factor it.* Adafactor keeps v as row and column means ([Shazeer and Stern 2018](https://arxiv.org/abs/1804.04235)); Adam-mini keeps one v for a whole block of weights ([Zhang et al. 2024](https://arxiv.org/abs/2406.16793)); GaLore keeps m and v of a projection of the gradient ([Zhao et al. 2024](https://arxiv.org/abs/2403.03507)).
#
# *Fewer bits.* 4-bit state exists too ([Li et al. 2023](https://arxiv.org/abs/2309.01507)).
#
# *Fuse it.* A step reads and writes every weight several times; `fused=True` of `torch.optim.AdamW` does all in one pass. Its state is the same.
# </details>
#
# ## Experiment: what do eight bits of state cost?
# You know the error of one tensor in 8 bits. What a *run* pays for it is another question, and only runs can answer it.
#
# Choose two arms that differ in `state` alone, `"32 bits"` or `"8 bits"`. `lr` is 3e-3, 1e-2 or 3e-2 and `beta2` is 0.95 or 0.999, the same in both arms. Both arms run bitsandbytes' AdamW, and here even the small tensors are in 8 bits. Under which `beta2` would you expect a rounded second moment to matter most?
# The rule is that of week 2.

# %%
A = None
B = None
my_prediction = None
week5_experiment.EIGHT_BIT_STATE.conduct(A, B, my_prediction)
# %% [markdown]
# ### Your lab report
# Paste what was printed and add the verdict; your `verdict` of week 2 may say it. The check makes one run of each arm again.
# %% exercise="week5.eight_bit_state"
def eight_bit_state():
    """The lab report of your experiment, as a dict: what the run printed, and the verdict.

    "learner", "A", "B", "losses A", "losses B" and "prediction": as printed. "verdict": "A", "B", "same" or
    "unresolved", what the rule of week 2 says of these losses. Paste the losses in: runs belong in the cell above.
    """
    ### BEGIN SOLUTION
    report = {
        "learner": "the course",
        "A": {"state": "32 bits", "lr": 0.01, "beta2": 0.95},
        "B": {"state": "8 bits", "lr": 0.01, "beta2": 0.95},
        "losses A": [2.3097, 2.2733, 2.288, 2.3017, 2.309, 2.3248, 2.2945, 2.3358],
        "losses B": [2.3031, 2.2742, 2.2878, 2.3014, 2.3077, 2.327, 2.2946, 2.3353],
        "prediction": "same",
    }
    return report | {"verdict": "same"}
    ### END SOLUTION
# %% check="week5.eight_bit_state"
check("week5.eight_bit_state", eight_bit_state)

# %% [markdown]
# ## Experiment: when is the state worth resetting?
# The moments are a memory of gradients. When the data change, they remember gradients of the old data. Is a fresh state better, and for how long does it matter?
#
# Each run reads program text for 100 steps and then, for `steps_after` steps, conversations of a bank; the held-out loss is that of conversations. Choose two arms that differ in `state` alone, `"kept"` or `"reset"`. `steps_after` is 10 or 50, `lr` 3e-3 or 1e-2, `beta2` 0.95 or 0.999, the same in both arms.
# The rule is that of week 2.

# %%
A = None
B = None
my_prediction = None
week5_experiment.STATE_RESET.conduct(A, B, my_prediction)
# %% [markdown]
# ### Your lab report
# Paste what was printed and add the verdict; your `verdict` of week 2 may say it. The check makes one run of each arm again.
# %% exercise="week5.state_reset"
def state_reset():
    """The lab report of your experiment, as a dict: what the run printed, and the verdict.

    "learner", "A", "B", "losses A", "losses B" and "prediction": as printed. "verdict": "A", "B", "same" or
    "unresolved", what the rule of week 2 says of these losses. Paste the losses in: runs belong in the cell above.
    """
    ### BEGIN SOLUTION
    report = {
        "learner": "the course",
        "A": {"state": "kept", "steps_after": 10, "lr": 0.01, "beta2": 0.95},
        "B": {"state": "reset", "steps_after": 10, "lr": 0.01, "beta2": 0.95},
        "losses A": [2.4444, 2.4318, 2.4597, 2.436, 2.4852, 2.4394, 2.4675, 2.5129],
        "losses B": [2.3467, 2.3346, 2.3715, 2.3741, 2.3973, 2.3497, 2.3563, 2.4171],
        "prediction": "same",
    }
    return report | {"verdict": "B"}
    ### END SOLUTION
# %% check="week5.state_reset"
check("week5.state_reset", state_reset)

# %% [markdown]
# ## Clinic: four runs that look healthy
# Four people fine-tune the tiny model by one recipe. Its learning rate falls on a straight line to zero; the embedding learns at a tenth of it; matrices decay and the norms' gains do not; and a run that goes down goes on from its checkpoint. In each run one point of the recipe fails, and no error is raised:
#
# - **frozen**: the schedule writes where no step reads, and the learning rate stays as it was;
# - **first**: one group's learning rate overwrites that of all groups;
# - **decay**: the decay pulls on the norms as well;
# - **restart**: the weights come back after the crash, the optimizer's state does not.
#
# Before you look: predict by how much the *worst* of the four ends above the healthy run, on other text. Run the cell and read the table, which was measured from outside, on the weights alone. Then write your diagnosis into the same cell, and run it again.

# %%
my_prediction = None
commit("The worst patient, above the healthy run", my_prediction,
       lambda: max(one.held_out for one in clinics.patients()) - clinics.sound().held_out, "nats")
clinics.consult()
diagnosis = {"A": None, "B": None, "C": None, "D": None}
for patient, disease in diagnosis.items():
    commit(f"Patient {patient} of week 5 suffers from", disease, lambda patient=patient: clinics.DISEASES[patient])

# %% [markdown]
# ### Mend them
# Here is the code of the four. Change as little as you can, run the cell, and go on until it says that the patient is well.
# `clinics.groups(model)` gives the recipe's three groups: matrices, embedding, norms, each with its own decay and its `share` of the learning rate. `clinics.update` makes one update and returns the loss.

# %%
def patient_a(model, batches, schedule):
    optimizer = torch.optim.AdamW([dict(group, lr=schedule(0) * group["share"]) for group in clinics.groups(model)])
    for number, batch in enumerate(batches):
        optimizer.defaults["lr"] = schedule(number)
        yield clinics.update(model, batch, optimizer)


def patient_b(model, batches, schedule):
    optimizer = torch.optim.AdamW(clinics.groups(model))
    for number, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = schedule(number)
        yield clinics.update(model, batch, optimizer)

# %%
def patient_c(model, batches, schedule):
    matrices, embedding, norms = clinics.groups(model)
    matrices["params"] += norms["params"]
    optimizer = torch.optim.AdamW([matrices, embedding])
    for number, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = schedule(number) * group["share"]
        yield clinics.update(model, batch, optimizer)


def patient_d(model, batches, schedule):
    optimizer = torch.optim.AdamW(clinics.groups(model))
    for number, batch in enumerate(batches):
        if number == clinics.RESTART:  # the machine went down here
            saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            optimizer = torch.optim.AdamW(clinics.groups(model))
            model.load_state_dict(saved["model"])
        for group in optimizer.param_groups:
            group["lr"] = schedule(number) * group["share"]
        yield clinics.update(model, batch, optimizer)


clinics.discharge(A=patient_a, B=patient_b, C=patient_c, D=patient_d)

# %% [markdown]
# **What the clinic shows.** Over a run of this length none of the four loses anything that a loss would show: the differences lie far inside the margin of week 2, and sick runs even end below the healthy one. What is lost is the *experiment*. Whoever compares schedules with a frozen learning rate compares nothing, and will not notice.
# Four numbers from outside find all four: the length of a late step, how far each group moves, what decays when there is no gradient, and the step after a restart. Log the first two in every run.
#
# <details><summary><b>The true stories</b></summary>
#
# *frozen*: a library replaced the optimizer's groups by copies, and a schedule went on writing into the old ones ([ignite 545](https://github.com/pytorch/ignite/issues/545)).
# *first*: a schedule that overwrites the rates of all groups ([pytorch-cosine-annealing-with-warmup 14](https://github.com/katsura-jp/pytorch-cosine-annealing-with-warmup/issues/14)); an optimizer that computed a step from the first group's rate and kept it for the others ([RAdam 24](https://github.com/LiyuanLucasLiu/RAdam/issues/24)).
# *decay*: all parameters decayed ([lit-llama 254](https://github.com/Lightning-AI/lit-llama/issues/254)); the norms decayed again after somebody had tidied up ([Fast-LLM 542](https://github.com/ServiceNow/Fast-LLM/issues/542)).
# *restart*: the optimizer was loaded, and a line further on made anew ([OpenNMT-py 617](https://github.com/OpenNMT/OpenNMT-py/issues/617)).
# </details>
#
# ## What you can do now
# Give each line a level, and the evidence for it: a check, a figure, a run.

# %%
assessment.Reflection("week5", [
    "I can write a step of SGD with momentum and of AdamW, and say what each number in it does.",
    "I can say how far Adam moves a weight, from how its gradients agree, and why their size does not matter.",
    "I can say what bias correction repairs, how long it matters, and in which direction the error goes.",
    "I can tell L2 from decoupled weight decay, and choose which parameters decay.",
    "I can predict the bytes of an optimizer's state, and say what sharing, factoring and 8 bits save.",
    "I can judge a quantization by what is done with the numbers next, not by its mean error.",
    "I can find a wrong optimizer setup by measurement while its loss looks right.",
])
