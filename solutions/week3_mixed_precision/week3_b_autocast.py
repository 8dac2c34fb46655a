# %% [markdown]
# # Week 3, part two: sixteen bits where they are safe
#
# In part one a run died because all of its numbers had sixteen bits. Two others computed in sixteen bits too and learned as well as float32 does.
# This part builds the second kind: *automatic mixed precision*, AMP. It has three pieces:
#
# 1. **master weights** in float32, because small updates get lost otherwise (part one);
# 2. **a loss scale**, which has to lie inside a healthy range (part one) and has to be found;
# 3. **autocast**, which runs some operators in sixteen bits and leaves the rest alone.
#
# AMP is said to halve the memory and to be faster, at no cost. Three questions to answer before the end of this part: does it? Which numbers *are* in sixteen bits, then? And which of three ailing runs forgot what?

# %%
import torch
import torch.nn.functional as F

from course.lab import assessment, precision, training
from course.lab.clinics import week3 as clinics
from course.lab.clinics import week3_audits as audits
from course.lab.demos import week3_cost as demos
from course.lab.experiments import week3 as week3_experiment
from course.lab.demos.week1 import trained
from course.lab.journal import attempt, commit


# %% [markdown]
# ## A scale that finds its own place
# The healthy range moves during training. So try a scale; if a gradient is inf or NaN, leave this step out and halve the scale; if all went well for a long time, double it. That is *dynamic* loss scaling.
#
# **In plain words.** Turn the volume up until it crackles, then a little down; try again from time to time. You build it in three pieces.
#
# ### Piece one: true gradients, and a look at them
# Float16 gradients have to be refused: divided, they would underflow after all. torch refuses them too: `Attempting to unscale FP16 gradients` is the error that people meet who load a model in float16 and then train it with a scaler.
# %% exercise="week3.unscale"
def unscale(parameters, scale):
    """Divide every gradient by `scale` and say whether any of them is not finite.

    parameters: an iterable of parameters, possibly a generator such as model.parameters(). scale: positive float.
    Each `.grad` that is not None holds its true value afterwards, changed in place or replaced; where some entries are
    inf or NaN they stay so, and all other gradients are divided all the same. Returns a bool: True if any entry was
    inf, -inf or NaN, False if all were finite, and if there was no gradient. A float16 gradient raises ValueError:
    divided, it would underflow again. Build it from simple operations: the operator of torch's GradScaler is refused.
    """
    ### BEGIN SOLUTION
    found_inf = False
    for parameter in parameters:
        if parameter.grad is None:
            continue
        if parameter.grad.dtype is torch.float16:
            raise ValueError("float16 gradients cannot be unscaled: keep trainable parameters in float32")
        found_inf |= not parameter.grad.isfinite().all()
        parameter.grad /= scale
    return found_inf
    ### END SOLUTION
# %% check="week3.unscale"
check("week3.unscale", unscale)

# %% [markdown]
# ### Piece two: the rule
# Two numbers are all that the rule remembers: the scale, and how many clean steps there were since it last changed.
# %% exercise="week3.next_scale"
def next_scale(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    """The rule of dynamic loss scaling, applied once after every iteration.

    scale: float. clean_steps: int in [0, growth_interval), iterations in a row without inf or NaN so far, since the
    scale last changed. found_inf: bool, whether this iteration met one. If so, the scale is multiplied by
    `backoff_factor` and the count starts again at 0. If not, the count rises by one; when it reaches
    `growth_interval`, the scale is multiplied by `growth_factor` and the count starts again.
    Returns (scale, clean_steps) for the next iteration. The operator of torch's GradScaler is refused.
    """
    ### BEGIN SOLUTION
    if found_inf:
        return scale * backoff_factor, 0
    if clean_steps + 1 == growth_interval:
        return scale * growth_factor, 0
    return scale, clean_steps + 1
    ### END SOLUTION
# %% check="week3.next_scale"
check("week3.next_scale", next_scale)

# %% [markdown]
# ### Piece three: the scaler
# Put both into a class with the interface of `torch.amp.GradScaler`, so that a training loop can use either.
# A loop calls `scale(loss).backward()`, then maybe `unscale_` in order to clip, then `step`, then `update`. What must `step` do if nobody called `unscale_`, and what must not happen twice? The scaler has to remember.
# %% exercise="week3.loss_scaler"
class LossScaler:
    """Dynamic loss scaling by your `unscale` and `next_scale`, for several optimizers; torch's own is refused.

    scale(loss): loss times scale. unscale_(optimizer): true gradients; RuntimeError if they are unscaled already, be it
    by step. step(optimizer): unscales if need be, then steps unless *this* optimizer met inf or NaN. update() ends the
    iteration: the next scale, lowered if *any* optimizer met inf or NaN. get_scale(): the scale as a float.
    """
    def __init__(self, init_scale, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
        ### BEGIN SOLUTION
        self.current, self.clean_steps = float(init_scale), 0
        self.rule = growth_factor, backoff_factor, growth_interval
        self.found = {}  # optimizer → whether unscaling met inf or NaN, since the last update
        ### END SOLUTION
    def scale(self, loss):
        ### BEGIN SOLUTION
        return loss * self.current
        ### END SOLUTION
    def unscale_(self, optimizer):
        ### BEGIN SOLUTION
        if optimizer in self.found:
            raise RuntimeError("the gradients of this optimizer are unscaled already")
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self.found[optimizer] = unscale(parameters, self.current)
        ### END SOLUTION
    def step(self, optimizer):
        ### BEGIN SOLUTION
        if optimizer not in self.found:
            self.unscale_(optimizer)
        if not self.found[optimizer]:
            optimizer.step()
        ### END SOLUTION
    def update(self):
        ### BEGIN SOLUTION
        found_inf = any(self.found.values())
        self.current, self.clean_steps = next_scale(self.current, self.clean_steps, found_inf, *self.rule)
        self.found = {}
        ### END SOLUTION
    def get_scale(self):
        ### BEGIN SOLUTION
        return self.current
        ### END SOLUTION
# %% check="week3.loss_scaler"
check("week3.loss_scaler", LossScaler)

# %% [markdown]
# ### Your scaler at work
# It starts at the absurd scale of 2^30, and may double after 10 clean steps instead of 2000, so that something happens while you watch.
# Which power of two does it hold after 120 steps, and what does the loss do meanwhile? Think of the highest healthy scale of part one.

# %%
my_prediction = None
commit("Power of two after 120 steps from 2^30", my_prediction,
       lambda: audits.dynamic(LossScaler(2.0**30, growth_interval=10)))

# %% [markdown]
# Steps that are left out are normal at the start and rare later. Count them: a run that leaves out every step looks like a run that does not learn.
#
# ## Autocast: which operator runs in what
# `with torch.autocast("cpu", torch.float16):` looks at every operator on its way to the hardware. Matrix products get sixteen-bit copies of their inputs. Some operators get float32. The rest takes what comes.
# Only the forward pass stands inside; the backward pass of each operator follows the dtype of its forward.
#
# Many pages say: “under autocast, softmax and norms are computed in float32”. Look at the table: measured on this CPU, and read from the list for CUDA in the header that torch installs. Before you run it, guess for softmax on a CPU.

# %%
my_prediction = None
commit("dtype of a softmax under autocast on the CPU", my_prediction, audits.softmax_dtype)
audits.operators()

# %% [markdown]
# **Verdict.** True for CUDA's list, not for a CPU's: here softmax and norms answer in sixteen bits. They are safe all the same, because their *insides* keep float32 (part one). Cross-entropy gets float32 on both, and that matters: a loss of a few nats in bfloat16 comes in steps of 1/64 or 1/32.
# Autocast is a policy, operator by operator and device by device. When in doubt, print a dtype.
#
# <details><summary><b>In practice: selective precision</b></summary>
#
# `with torch.autocast("cuda", enabled=False):` makes an island of float32 inside; cast its inputs with `.float()`. Candidates are what part one found dangerous: your own exponentials, squares and long sums, a router's softmax, the loss.
# Libraries keep lists of modules that must stay in float32 however a model is loaded. In a Llama of transformers the norm squares in float32 by hand, whatever autocast does.
# `torch.cuda.amp.autocast` and `torch.cuda.amp.GradScaler` in older code are deprecated names for `torch.amp.autocast` and `torch.amp.GradScaler`.
# </details>
#
# ## Folklore audit: “under AMP the gradients are in float16”
# Two questions about the trained model after one backward pass under autocast to float16. Which dtype do the `.grad`s have? And which share of the entries in the gradient of `mlp.down.weight` *could* float16 hold exactly?

# %%
def gradients_under(dtype):
    model, batch = trained(), next(training.tiny_batches(16))
    model.zero_grad()
    with torch.autocast("cpu", dtype):
        loss = training.loss(model, batch)
    loss.backward()
    return {name: p.grad for name, p in model.named_parameters()}


grads = gradients_under(torch.float16)
exact = {name: (g == g.half().float()).float().mean().item() for name, g in grads.items()}
my_prediction = None
commit("dtype of .grad", my_prediction, lambda: {str(g.dtype) for g in grads.values()})
my_prediction = None
commit("Share of down.weight.grad that float16 could hold", my_prediction, lambda: exact["blocks.0.mlp.down.weight"])
for name, share in exact.items():
    print(f"{name:32}{share:6.2f}")

# %% [markdown]
# **Verdict.** `.grad` is float32, as its parameter is: so unscaling and clipping work with float32. But the gradients of the *matrices* came out of a float16 product and were stored in a wider box afterwards: every entry is a float16 number. (In the embedding, nearly all of the float16 numbers are zeros, of bytes that did not occur.) What underflowed on the way is gone. So the scale has to be on the loss, before the backward pass; scaling the gradients later would save nothing.
#
# ### One step in mixed precision
# Now the order of things, in one function. Ask at each line: does it need the true gradients, or the scaled ones?
# %% exercise="week3.amp_step"
def amp_step(model, batch, optimizer, scaler, max_norm):
    """One training step in mixed precision. Returns the batch's loss, unscaled, as a float.

    batch: dict of input_ids, attention_mask and unshifted labels, each (B, T). Position t predicts label t + 1; the
    loss is the mean, in nats, over the labels[:, 1:] that are not -100, at least one, computed in float32.
    Forward under torch.autocast for the batch's device, at its default dtype; backward outside. scaler:
    torch.amp.GradScaler or your LossScaler. The true gradients of all model parameters are clipped to the global norm
    `max_norm` (clip_grad_norm_ is allowed). Each call takes one step, skipped by the scaler where gradients are not
    finite, and updates the scale. No gradient is there before the call; none, or only zeros, may be left after it.
    Parameters stay float32.
    """
    ### BEGIN SOLUTION
    inputs, labels = batch["input_ids"], batch["labels"]
    with torch.autocast(inputs.device.type):
        logits = model(input_ids=inputs, attention_mask=batch["attention_mask"]).logits
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten())  # -100 is ignored
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
    return loss.item()
    ### END SOLUTION
# %% check="week3.amp_step"
check("week3.amp_step", amp_step)

# %%
def train_both(steps=60):
    ends = {}
    for name, scaler in (("your amp_step and LossScaler", LossScaler(2.0**16)), ("float32", None)):
        model = training.tiny_model()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        batches = [batch for batch, _ in zip(training.tiny_batches(16), range(steps))]
        if scaler:
            losses = [amp_step(model, batch, optimizer, scaler, 1.0) for batch in batches]
        else:
            losses = [record.loss for record in training.train(model, batches, optimizer, max_norm=1.0)]
        ends[name] = f"from {losses[0]:.4f} to {sum(losses[-10:]) / 10:.4f} nats per byte"
    return ends


with training.one_thread():
    attempt("The same 60 batches", train_both)

# %% [markdown]
# ## Folklore audit: “AMP halves memory, and it is faster”
# Half the bits, half the bytes: so it says on many pages. Take stock instead. What does a training step keep for every parameter, and in which dtype? Write it down for three optimizers.
# %% exercise="week3.amp_memory"
def amp_memory(n_params, optimizer):
    """Bytes that training under 16-bit autocast keeps for the parameters, as PyTorch does it, activations apart.

    n_params: int, all of them trained, in the matrices of linear layers. optimizer: "sgd" (no momentum), "momentum"
    (SGD with momentum) or "adamw", torch's own, with its state in the parameters' dtype.
    Returns a dict of ints: "master", the float32 parameters that the optimizer updates; "copies", the 16-bit casts of
    them that forward and backward compute with; "gradients", as `.grad` holds them; "state" of the optimizer, without
    its one-number step counters.
    """
    ### BEGIN SOLUTION
    moments = {"sgd": 0, "momentum": 1, "adamw": 2}[optimizer]
    return {"master": 4 * n_params, "copies": 2 * n_params, "gradients": 4 * n_params, "state": 4 * moments * n_params}
    ### END SOLUTION
# %% check="week3.amp_memory"
check("week3.amp_memory", amp_memory)

# %% [markdown]
# Activations come on top: what the forward pass saves for the backward pass. They shrink, but not all of them: norms and the loss save float32.
# The next cell takes a model of width 256, measures the bytes of its tensors, and catches what autograd saves with `torch.autograd.graph.saved_tensors_hooks`.
#
# Predict the memory under autocast as a share of float32's, first for one row of text in a batch, then for 16 rows. “Halves” would be 0.5.

# %%
def share(rows):
    whole, half = (precision.cost(dtype, rows, width=256).bytes for dtype in (torch.float32, torch.bfloat16))
    return half / whole


my_prediction = None
commit("Memory under autocast ÷ float32, 1 row", my_prediction, lambda: share(1))
my_prediction = None
commit("Memory under autocast ÷ float32, 16 rows", my_prediction, lambda: share(16))
cost = precision.cost(torch.bfloat16, rows=16, width=256)
for part, mine in {"weights": "master", "copies": "copies", "gradients": "gradients", "state": "state"}.items():
    attempt(f"{part}, measured: {getattr(cost, part):,} bytes",
            lambda mine=mine: f"by your amp_memory: {amp_memory(cost.weights // 4, 'adamw')[mine]:,}")

# %% [markdown]
# Three of the four agree; the copies are fewer than your rule says. Which parameters does no matrix product ever read?
#
# Now the time. Suppose float32 needs a tenth of a second, `100 ms`, for something. How long does autocast to bfloat16 need for it, on your machine? And to float16?

# %%
def instead_of_100_ms(dtype):
    seconds = {kind: precision.cost(kind, rows=16, width=256).seconds for kind in (torch.float32, dtype)}
    return 100 * seconds[dtype] / seconds[torch.float32]


my_prediction = None
commit("bfloat16, measured here", my_prediction, lambda: instead_of_100_ms(torch.bfloat16), "ms")
my_prediction = None
commit("float16, measured here", my_prediction, lambda: instead_of_100_ms(torch.float16), "ms")
demos.speed_and_memory()

# %% [markdown]
# **Verdict.** *Memory*: weights, gradients and optimizer state stay as they are, and the copies come on top. Only activations shrink, and not to half. With one row AMP takes *more*; the more activations there are, the more it saves.
# *Speed*: it depends on the machine, which is why your figures stand above and none stands here. Casting costs time, and only hardware with units for sixteen bits earns it back. This course has no recorded run of this on a GPU yet, neither a T4's nor an H200's, and quotes nobody else's: run this notebook on one, and the same cells measure it.
#
# <details><summary><b>In practice: where the saving really comes from</b></summary>
#
# A language model's activations grow with batch × length × layers, so for long texts they are most of the memory, and AMP pays. For fine-tuning a large model with short texts, weights and optimizer state are most of it: that is what LoRA and 4-bit weights are for (week 7), and checkpointing for the activations (week 4).
# </details>
#
# <details><summary><b>At the frontier: training for few bits</b></summary>
#
# A model that will *run* in 8 or 4 bits can be trained to bear it. In *quantization-aware training* the forward pass rounds weights and activations to the coarse grid, while a master copy in high precision gets the updates: the idea of this week, with fewer bits. Rounding has slope zero almost everywhere, so the backward pass pretends that it is not there, the *straight-through* estimator ([Bengio et al. 2013](https://arxiv.org/abs/1308.3432); [Jacob et al. 2018](https://arxiv.org/abs/1712.05877); for language models [Liu et al. 2023](https://arxiv.org/abs/2305.17888)).
# </details>
#
# ## Clinic: three runs that learn too little
# Three people fine-tune the trained tiny model on conversations with a bank: the same weights, text, learning rate, SGD with momentum, and a scaler that may double after 10 clean steps. Each has one defect. None of them crashes, and no loss is NaN.
#
# - **order**: it clips gradients that still carry the scale;
# - **scale**: it never lowers the scale after an overflow;
# - **rounding**: its weights have sixteen bits.
#
# Which number in the table gives each away? The last row is a healthy run.

# %%
clinics.consult()

# %%
diagnosis = {"A": None, "B": None, "C": None}
for patient, disease in diagnosis.items():
    commit(f"Patient {patient} suffers from", disease, lambda patient=patient: clinics.DISEASES[patient])

# %% [markdown]
# ### Mend them
# Here are the three steps. Change as little as you can, run the cell below them, and go on until all three lie on the healthy curve.
# Gradients are cleared before each call.
#
# And a prediction. Patient A ends far above the healthy run. If both had used AdamW instead of SGD, and a scale that stays at 65536: how far above would A end, in nats?

# %%
def patient_a(model, batch, optimizer, scaler):
    with torch.autocast("cpu", torch.float16):
        loss = training.loss(model, batch)
    scaler.scale(loss).backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    scaler.step(optimizer)
    scaler.update()
    return loss.detach(), norm


def patient_b(model, batch, optimizer, scaler):
    with torch.autocast("cpu", torch.float16):
        loss = training.loss(model, batch)
    scaler.scale(loss).backward()
    norm = torch.stack([p.grad.norm() for p in model.parameters()]).norm() / scaler.get_scale()
    if norm.isfinite():  # skip bad batches
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
    return loss.detach(), norm

# %%
def patient_c(model, batch, optimizer, scaler):
    model.to(torch.bfloat16)  # saves memory
    loss = training.loss(model, batch)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.detach(), norm


clinics.discharge(A=patient_a, B=patient_b, C=patient_c)
my_prediction = None
commit("Patient A above healthy, both with AdamW", my_prediction, clinics.order_under_adamw, "nats")

# %% [markdown]
# **What the clinic shows.** All three curves could be mistaken for a learning rate that is too low. The loss does not tell the defects apart; a norm, a count of steps and a count of changed weights do. Log them.
# The order that is right, once more: forward under autocast, scale, backward, unscale, clip, step, update, with weights in float32.
#
# With AdamW and a steady scale the first defect hides even better: Adam divides by the gradient's own size, so it hardly notices that all gradients are far too small. The clipping is wrong all the same, and only the norm shows it.
#
# <details><summary><b>The true stories</b></summary>
#
# *Order*: a popular U-Net clipped before it unscaled until a reader noticed ([Pytorch-UNet 468](https://github.com/milesial/Pytorch-UNet/issues/468), mended in [470](https://github.com/milesial/Pytorch-UNet/pull/470)); the norm was too large by the scale, 65536, so that *every* step was clipped.
# *Weights in float16*: `ValueError: Attempting to unscale FP16 gradients` when adapters are loaded in float16 ([LLaVA 363](https://github.com/haotian-liu/LLaVA/issues/363)); peft's [troubleshooting page](https://huggingface.co/docs/peft/developer_guides/troubleshooting) says what you know now: what is trained belongs in float32.
# *Wrong dtype for the card*: example notebooks that ask for bfloat16 on a T4 ([unsloth 2783](https://github.com/unslothai/unsloth/issues/2783)).
# </details>

# %% [markdown]
# ## Experiment: what does low precision cost?
# bfloat16 keeps two or three decimal digits. Does training notice?
# The question has three levels: everything in float32; bf16 autocast, with weights in float32; and *all* in bf16, the weights and what is added to them too.
#
# Choose two arms that differ in `precision` alone: `"fp32"`, `"bf16 autocast"` or `"bf16 weights"`. The learning rate `lr` is 1e-3 or 1e-2, the same in both.
# An arm is a dict with both, such as `{"precision": "fp32", "lr": 1e-2}`; the prediction is `"A"` (its losses are lower), `"B"`, `"same"` or `"unresolved"`.
# Before you choose, remember which updates round away: are they more at a high learning rate, or at a low one?
# The rule is that of week 2: eight seeds an arm, a margin of .03, and a prediction before the run. It takes half a minute or so.

# %%
A = None
B = None
my_prediction = None
week3_experiment.PRECISION.conduct(A, B, my_prediction)

# %% [markdown]
# ### Your lab report
# Paste what was printed and add the verdict; your `verdict` of week 2 may say it. The check makes one run of each arm again.
# %% exercise="week3.precision_cost"
def precision_cost():
    """The lab report of your experiment, as a dict: what the run printed, and the verdict.

    "learner", "A", "B", "losses A", "losses B" and "prediction": as printed. "verdict": "A", "B", "same" or
    "unresolved", what the rule of week 2 says of these losses. Paste the losses in: runs belong in the cell above.
    """
    ### BEGIN SOLUTION
    report = {
        "learner": "the course",
        "A": {"precision": "fp32", "lr": 0.01},
        "B": {"precision": "bf16 autocast", "lr": 0.01},
        "losses A": [2.2928, 2.2859, 2.3035, 2.2969, 2.3102, 2.3384, 2.3193, 2.3173],
        "losses B": [2.2912, 2.2905, 2.3042, 2.2932, 2.3135, 2.3349, 2.3165, 2.314],
        "prediction": "same",
    }
    return report | {"verdict": "same"}
    ### END SOLUTION
# %% check="week3.precision_cost"
check("week3.precision_cost", precision_cost)

# %% [markdown]
# ## What you can do now
# Give each line a level, and the evidence for it: a check, a figure, a run. Week 8 comes back to these answers.

# %%
assessment.Reflection("week3", [
    "I can say which numbers a format holds, and where it loses digits, values and updates.",
    "I can find the first bad number in a run that gives NaN, before I choose a cure.",
    "I can say which parts of a step need float32, and why.",
    "I can build a loss scaler, and tell from its log whether it works.",
    "I can put scaling, unscaling, clipping, step and update into the right order and say why.",
    "I can predict what mixed precision saves in memory, and measure what it does to speed.",
])
