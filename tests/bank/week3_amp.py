"""Answers to amp_step and amp_memory whose worth is known."""

import contextlib

import numpy as np
import torch
import torch.nn.functional as F

from autograde.audit import right, wrong

# --- amp_step ---------------------------------------------------------------------------------------------------------


@right("week3.amp_step")
def loss_inside_the_block(model, batch, optimizer, scaler, max_norm):
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        loss = F.cross_entropy(logits[:, :-1].transpose(1, 2), batch["labels"][:, 1:])
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], max_norm)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
    return float(loss)


@right("week3.amp_step")
def loss_by_hand(model, batch, optimizer, scaler, max_norm):
    def mean_loss():
        with torch.amp.autocast("cpu"):
            output = model(batch["input_ids"], batch["attention_mask"])
        log_p = output.logits.float().log_softmax(-1)[:, :-1]
        targets = batch["labels"][:, 1:]
        counts = targets >= 0
        picked = log_p.gather(2, targets.clamp(min=0)[..., None])[..., 0]
        return -picked[counts].sum() / counts.sum()

    loss = mean_loss()
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=max_norm, foreach=False)
    scaler.step(optimizer)
    scaler.update()
    model.zero_grad()
    return loss.detach()


@right("week3.amp_step")
def clipped_by_hand(model, batch, optimizer, scaler, max_norm):
    names = "input_ids", "attention_mask"
    context = torch.autocast(batch["input_ids"].device.type)
    context.__enter__()
    logits = model(**{name: batch[name] for name in names}).logits
    context.__exit__(None, None, None)
    targets = F.pad(batch["labels"][:, 1:], (0, 1), value=-100)
    summed = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="sum")
    loss = summed / targets.ne(-100).sum()
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    norm = torch.stack([g.double().square().sum() for g in gradients]).sum().sqrt().item()
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / norm)
    scaler.step(optimizer)
    scaler.update()
    for p in model.parameters():
        p.grad = None
    return loss.item()


@right("week3.amp_step")
def with_course_lab(model, batch, optimizer, scaler, max_norm):
    from course.lab import training

    with torch.autocast("cpu"):
        loss = training.loss(model, batch)
    value = loss.item()
    scaled = scaler.scale(loss)
    del loss
    try:
        scaled.backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(list(model.parameters()), max_norm, norm_type=2.0)
        scaler.step(optimizer)
    finally:
        scaler.update()
        optimizer.zero_grad(set_to_none=False)
    return value


@right("week3.amp_step")
def zeros_left_behind(model, batch, optimizer, scaler, max_norm):
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=True))
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    keep = batch["labels"][:, 1:] != -100
    loss = F.nll_loss(F.log_softmax(logits[:, :-1][keep].double(), dim=-1), batch["labels"][:, 1:][keep])
    loss = loss.float()
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    total = torch.nn.utils.get_total_norm([p.grad for p in model.parameters()])
    torch.nn.utils.clip_grads_with_norm_(model.parameters(), max_norm, total)
    scaler.step(optimizer)
    scaler.update()
    for p in model.parameters():
        p.grad.zero_()
    return np.float64(loss.item())


@right("week3.amp_step")
def from_autograd_grad(model, batch, optimizer, scaler, max_norm):
    @torch.autocast("cpu", dtype=torch.bfloat16)
    def forward():
        return model(attention_mask=batch["attention_mask"], input_ids=batch["input_ids"]).logits

    rows = zip(forward().float(), batch["labels"], strict=True)
    losses = torch.cat([F.cross_entropy(row[:-1], labels[1:], reduction="none") for row, labels in rows])
    loss = losses.sum() / (batch["labels"][:, 1:] != -100).sum()
    parameters = tuple(model.parameters())
    for p, gradient in zip(parameters, torch.autograd.grad(scaler.scale(loss), parameters), strict=True):
        p.grad = gradient
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(parameters, max_norm)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
    return loss.tolist()


def _loss(model, batch):
    with torch.autocast("cpu"):
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    return F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), batch["labels"][:, 1:].flatten())


@wrong("week3.amp_step", "clips before unscaling")
def clipped_at_once(model, batch, optimizer, scaler, max_norm):
    loss = _loss(model, batch)
    scaler.scale(loss).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.step(optimizer)
    scaler.update()
    model.zero_grad()
    return loss.item()


@wrong("week3.amp_step", "backward under autocast")
def all_in_one_block(model, batch, optimizer, scaler, max_norm):
    with torch.autocast("cpu"):
        loss = _loss(model, batch)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
    return loss.item()


@wrong("week3.amp_step", "update forgotten")
def scale_left_as_it_is(model, batch, optimizer, scaler, max_norm):
    loss = _loss(model, batch)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.step(optimizer)
    model.zero_grad(set_to_none=True)
    return float(loss)


@wrong("week3.amp_step", "the model converted")
def half_for_all(model, batch, optimizer, scaler, max_norm):
    model.half()
    loss = _loss(model, batch)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
    return loss.item()


@wrong("week3.amp_step", "no autocast")
def block_around_nothing(model, batch, optimizer, scaler, max_norm):
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    with torch.autocast("cpu"):
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten())
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
    return loss.item()


@wrong("week3.amp_step")
def the_plain_loop(model, batch, optimizer, scaler, max_norm):
    loss = _loss(model, batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


@wrong("week3.amp_step", "a call at the wrong time")
def unscaled_two_times(model, batch, optimizer, scaler, max_norm):
    loss = _loss(model, batch)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
    return loss.item()


@wrong("week3.amp_step")
def clipped_by_value(model, batch, optimizer, scaler, max_norm):
    loss = _loss(model, batch)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_value_(model.parameters(), max_norm / 50)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
    return loss.item()


@wrong("week3.amp_step")
def skips_by_the_loss(model, batch, optimizer, scaler, max_norm):
    loss = _loss(model, batch)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    if loss.isfinite():
        optimizer.step()
    scaler.update()
    optimizer.zero_grad()
    return loss.item()


@wrong("week3.amp_step")
def clips_after_the_step(model, batch, optimizer, scaler, max_norm):
    loss = _loss(model, batch)
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.update()
    optimizer.zero_grad()
    return loss.item()


@wrong("week3.amp_step")
def two_steps_for_one(model, batch, optimizer, scaler, max_norm):
    for _ in range(2):
        loss = _loss(model, batch)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
    return loss.item()


@wrong("week3.amp_step")
def a_scaler_of_its_own(model, batch, optimizer, scaler, max_norm):
    scaler = torch.amp.GradScaler("cpu")
    loss = _loss(model, batch)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
    return loss.item()


# --- amp_memory -------------------------------------------------------------------------------------------------------


@right("week3.amp_memory")
def memory_by_itemsize(n_params, optimizer):
    full, half = torch.float32.itemsize, torch.bfloat16.itemsize
    states = {"adamw": 2 * full, "momentum": full}.get(optimizer, 0)
    return {
        "master": full * n_params,
        "copies": half * n_params,
        "gradients": full * n_params,
        "state": n_params * states,
    }


@right("week3.amp_memory")
def memory_by_match(n_params, optimizer):
    match optimizer:
        case "sgd":
            moments = 0
        case "momentum":
            moments = 1
        case "adamw":
            moments = 2
        case other:
            raise ValueError(other)
    ledger = dict.fromkeys(("master", "gradients"), n_params * 4)
    ledger["copies"] = ledger["master"] // 2
    ledger["state"] = ledger["master"] * moments
    return ledger


@right("week3.amp_memory")
def memory_measured_on_meta(n_params, optimizer):
    weight = torch.empty(n_params, device="meta")
    tensors = {"master": [weight], "copies": [weight.bfloat16()], "gradients": [torch.empty_like(weight)]}
    tensors["state"] = [torch.empty_like(weight) for _ in range(("sgd", "momentum", "adamw").index(optimizer))]
    return {name: sum(t.numel() * t.element_size() for t in found) for name, found in tensors.items()}


@right("week3.amp_memory")
def memory_of_a_real_step(n_params, optimizer):
    weight = torch.nn.Parameter(torch.ones(8, 1))
    make = torch.optim.AdamW if optimizer == "adamw" else torch.optim.SGD
    options = {"momentum": 0.9} if optimizer == "momentum" else {}
    chosen = make([weight], lr=0.1, **options)
    with torch.autocast("cpu"):
        out = torch.ones(1, 8) @ weight
    out.float().sum().backward()
    chosen.step()
    state = sum(s.nbytes for s in chosen.state[weight].values() if torch.is_tensor(s) and s.shape == weight.shape)
    sizes = {"master": weight.nbytes, "gradients": weight.grad.nbytes, "state": state}
    sizes["copies"] = weight.numel() * out.element_size()
    return {name: size // 8 * n_params for name, size in sizes.items()}


@right("week3.amp_memory")
def memory_as_an_array(n_params, optimizer):
    per_parameter = np.array([4, 2, 4, 0])
    per_parameter[3] = np.count_nonzero([optimizer != "sgd", optimizer == "adamw"]) * 4
    return dict(zip(["master", "copies", "gradients", "state"], per_parameter.astype(np.int64) * n_params, strict=True))


@right("week3.amp_memory")
def memory_in_bits(n_params, optimizer):
    def size(bits, how_many=1):
        return how_many * bits * n_params // 8

    master = gradients = size(32)
    state = size(32, 2) if optimizer == "adamw" else size(32) if optimizer == "momentum" else 0
    return dict(master=master, gradients=gradients, state=state, copies=size(16))


@wrong("week3.amp_memory", "everything halved")
def half_of_float32(n_params, optimizer):
    moments = ["sgd", "momentum", "adamw"].index(optimizer)
    return {"master": 2 * n_params, "gradients": 2 * n_params, "state": 2 * n_params * moments, "copies": 0}


@wrong("week3.amp_memory", "gradients in 16 bits")
def gradients_as_in_the_paper(n_params, optimizer):
    """Micikevicius et al. 2018 keep them in float16."""
    state = {"sgd": 0, "momentum": 4, "adamw": 8}[optimizer] * n_params
    return {"master": n_params * 4, "copies": n_params * 2, "gradients": n_params * 2, "state": state}


@wrong("week3.amp_memory", "one moment for AdamW")
def a_single_moment(n_params, optimizer):
    state = 0 if optimizer == "sgd" else n_params * 4
    return {"master": n_params * 4, "copies": n_params * 2, "gradients": n_params * 4, "state": state}


@wrong("week3.amp_memory", "no copies")
def nothing_beside_the_weights(n_params, optimizer):
    state = n_params * 4 * len({"sgd": "", "momentum": "m", "adamw": "mv"}[optimizer])
    return {"state": state, "gradients": 4 * n_params, "copies": 0, "master": 4 * n_params}


@wrong("week3.amp_memory")
def in_gigabytes(n_params, optimizer):
    moments = {"sgd": 0, "momentum": 1, "adamw": 2}[optimizer]
    sizes = {"master": 4.0, "copies": 2.0, "gradients": 4.0, "state": 4.0 * moments}
    return {name: size * n_params / 2**30 for name, size in sizes.items()}


@wrong("week3.amp_memory")
def the_sum_alone(n_params, optimizer):
    return n_params * (10 + 4 * ("sgd", "momentum", "adamw").index(optimizer))


@wrong("week3.amp_memory")
def optimizer_by_length(n_params, optimizer):
    return {
        "master": 4 * n_params,
        "copies": 2 * n_params,
        "gradients": 4 * n_params,
        "state": len(optimizer) * n_params,
    }


@wrong("week3.amp_memory", "state in 16 bits")
def state_as_small_as_the_copies(n_params, optimizer):
    sizes = {"master": 4, "copies": 2, "gradients": 4}
    sizes["state"] = sizes["copies"] * {"sgd": 0, "momentum": 1, "adamw": 2}[optimizer]
    return {name: n_params * size for name, size in sizes.items()}
