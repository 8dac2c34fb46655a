"""Answers to week4.stable_step and week4.step_order whose worth is known."""

import copy
import graphlib
import math
from enum import IntEnum

import torch
import torch.nn.functional as F

from autograde.audit import right, wrong

# --- stable_step ------------------------------------------------------------------------------------------------------


def _sum(model, batch):
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten(), reduction="sum")


def _tokens(batch):
    return int((batch["labels"][:, 1:] != -100).sum())


@right("week4.stable_step")
def torch_clips_and_raises(model, micro_batches, optimizer, max_norm):
    """The error of torch's own clipping says that a gradient is not finite."""
    optimizer.zero_grad()
    batches = list(micro_batches)
    total, loss, norm, skipped = sum(map(_tokens, batches)), 0.0, math.nan, 0
    for batch in batches:
        part = _sum(model, batch) / total
        part.backward()
        loss += part.item()
    try:
        if not math.isfinite(loss):
            raise RuntimeError("loss")
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm, error_if_nonfinite=True).item()
        optimizer.step()
    except RuntimeError:
        skipped = 1
    finally:
        optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norm, "skipped": skipped}


@right("week4.stable_step")
def gives_up_at_the_first_bad_one(model, micro_batches, optimizer, max_norm):
    dropped = {"loss": float("nan"), "grad_norm": float("nan"), "skipped": True}
    for p in model.parameters():
        p.grad = None
    nats, tokens = 0.0, 0
    for batch in micro_batches:
        loss = _sum(model, batch)
        loss.backward()
        if not bool(loss.isfinite()) or not all(bool(p.grad.isfinite().all()) for p in model.parameters()):
            optimizer.zero_grad()
            return dropped
        nats += loss.item()
        tokens += _tokens(batch)
    grads = [p.grad.div_(tokens) for p in model.parameters()]
    norm = torch.cat([g.flatten() for g in grads]).norm()
    if norm > max_norm:
        torch._foreach_mul_(grads, float(max_norm / norm))
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    return dict(loss=nats / tokens, grad_norm=norm, skipped=False)


@right("week4.stable_step")
def all_graphs_at_once(model, micro_batches, optimizer, max_norm):
    """Needs the memory of the whole batch; the update is the same."""
    optimizer.zero_grad()
    sums, counts = zip(*[(_sum(model, b), _tokens(b)) for b in micro_batches], strict=True)
    loss = torch.stack(sums).sum() / sum(counts)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    skipped = int(not (torch.isfinite(loss) and torch.isfinite(norm)))
    if skipped == 0:
        optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss.detach(), "grad_norm": norm, "skipped": torch.tensor(skipped)}


@right("week4.stable_step")
def rolled_back(model, micro_batches, optimizer, max_norm):
    """Steps in any case, and takes weights *and* optimizer state back where that was a mistake."""
    weights, state = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
    optimizer.zero_grad()
    held = [*micro_batches]
    mean = sum((lambda part: (part.backward(), part.item())[1])(_sum(model, b) / sum(map(_tokens, held))) for b in held)
    norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm))
    optimizer.step()
    optimizer.zero_grad()
    bad = math.isnan(mean - mean) or math.isnan(norm - norm)  # inf - inf is NaN, and so is NaN - NaN
    if bad:
        model.load_state_dict(weights)
        optimizer.load_state_dict(state)
    return {"loss": mean, "grad_norm": norm, "skipped": 1 if bad else 0, "note": "more keys do no harm"}


@right("week4.stable_step")
def sums_kept_outside_of_grad(model, micro_batches, optimizer, max_norm):
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    sums, nats, tokens = [torch.zeros_like(p) for p in parameters], 0.0, 0
    for batch in micro_batches:
        if not _tokens(batch):
            continue
        loss = _sum(model, batch)
        sums = [total + g for total, g in zip(sums, torch.autograd.grad(loss, parameters), strict=True)]
        nats, tokens = nats + loss.item(), tokens + _tokens(batch)
    norm = math.sqrt(sum(float(total.double().square().sum()) for total in sums)) / tokens
    good = abs(nats) < math.inf and norm < math.inf
    for p, total in zip(parameters, sums, strict=True):
        p.grad = total / tokens * min(1.0, max_norm / norm) if good else None
    if good:
        optimizer.step()
    for p in parameters:
        p.grad = None
    return {"skipped": int(not good), "loss": nats / tokens, "grad_norm": norm}


class _Step:
    def __init__(self, model, optimizer, limit):
        self.model, self.optimizer, self.limit = model, optimizer, limit
        self.optimizer.zero_grad()

    def gradients(self):
        return (p.grad for p in self.model.parameters() if p.grad is not None)

    def accumulate(self, batches):
        count, total = 0, torch.zeros(())
        for batch in batches:
            loss = _sum(self.model, batch)
            loss.backward()
            count, total = count + _tokens(batch), total + loss.detach()
        [gradient.mul_(1 / count) for gradient in self.gradients()]
        return float(total) / count

    def finish(self, loss):
        norm = torch.nn.utils.get_total_norm(list(self.gradients()))
        torch.nn.utils.clip_grads_with_norm_(self.model.parameters(), self.limit, norm)
        healthy = math.isfinite(loss + float(norm))
        healthy and self.optimizer.step()
        self.optimizer.zero_grad()
        return {"loss": loss, "grad_norm": float(norm), "skipped": 1 - healthy}


@right("week4.stable_step")
def in_a_class(model, micro_batches, optimizer, max_norm):
    step = _Step(model, optimizer, max_norm)
    return step.finish(step.accumulate(micro_batches))


@right("week4.stable_step")
def by_a_scaler_of_scale_1(model, micro_batches, optimizer, max_norm):
    """GradScaler's search for what is not finite, without its scaling."""
    scaler, batches = torch.amp.GradScaler("cpu", init_scale=1.0), list(micro_batches)
    optimizer.zero_grad()
    total = sum(_tokens(b) for b in batches)
    losses = [scaler.scale(_sum(model, b) / total) for b in batches if [0]]
    for loss in losses:
        loss.backward()
    loss = sum(loss.item() for loss in losses)
    scaler.unscale_(optimizer)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    if math.isfinite(loss):
        scaler.step(optimizer)
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norm.item(), "skipped": int(not math.isfinite(loss) or not norm.isfinite())}


def _accumulated(model, micro_batches):
    batches, loss = list(micro_batches), 0.0
    for batch in batches:
        part = _sum(model, batch) / sum(map(_tokens, batches))
        part.backward()
        loss += part.item()
    return loss


@wrong("week4.stable_step", "every micro-batch clipped")
def clipped_on_the_way(model, micro_batches, optimizer, max_norm):
    optimizer.zero_grad()
    batches, loss, norm = list(micro_batches), 0.0, 0.0
    for batch in batches:
        part = _sum(model, batch) / sum(map(_tokens, batches))
        part.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        loss += part.item()
    finite = (
        math.isfinite(loss) and bool(torch.isfinite(norm)) and all(p.grad.isfinite().all() for p in model.parameters())
    )
    if finite:
        optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norm, "skipped": int(not finite)}


@wrong("week4.stable_step", "a step on what is not finite")
def hopeful(model, micro_batches, optimizer, max_norm):
    model.zero_grad()
    loss = _accumulated(model, micro_batches)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    model.zero_grad()
    return {"loss": loss, "grad_norm": norm, "skipped": 0}


@wrong("week4.stable_step", "NaN slips through a comparison")
def too_large_is_skipped(model, micro_batches, optimizer, max_norm):
    optimizer.zero_grad()
    loss = _accumulated(model, micro_batches)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm).item()
    skipped = loss == math.inf or norm == math.inf
    if not skipped:
        optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norm, "skipped": skipped}


@wrong("week4.stable_step", "only NaN is caught")
def unequal_to_itself(model, micro_batches, optimizer, max_norm):
    optimizer.zero_grad()
    loss = _accumulated(model, micro_batches)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm).item()
    good = loss == loss and norm == norm
    if good:
        optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norm, "skipped": not good}


@wrong("week4.stable_step", "mean of means")
def divided_by_the_micro_batches(model, micro_batches, optimizer, max_norm):
    optimizer.zero_grad()
    batches, loss = list(micro_batches), 0.0
    for batch in batches:
        part = _sum(model, batch) / max(1, _tokens(batch))
        part.backward()
        loss += part.item() / len(batches)
    for p in model.parameters():
        p.grad.div_(len(batches))
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm).item()
    good = math.isfinite(loss) and math.isfinite(norm)
    if good:
        optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norm, "skipped": not good}


@wrong("week4.stable_step", "each tensor clipped by itself")
def clipped_in_a_loop(model, micro_batches, optimizer, max_norm):
    optimizer.zero_grad()
    loss = _accumulated(model, micro_batches)
    squares = 0.0
    for p in model.parameters():
        norm = p.grad.norm()
        squares += float(norm) ** 2
        p.grad.mul_(torch.clamp(max_norm / norm, max=1.0))
    good = math.isfinite(loss) and math.isfinite(squares)
    if good:
        optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": math.sqrt(squares), "skipped": not good}


@wrong("week4.stable_step", "a step with gradients of zero")
def emptied_and_stepped(model, micro_batches, optimizer, max_norm):
    optimizer.zero_grad()
    loss = _accumulated(model, micro_batches)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm).item()
    bad = not (math.isfinite(loss) and math.isfinite(norm))
    if bad:
        optimizer.zero_grad(set_to_none=False)
    optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norm, "skipped": bad}


@wrong("week4.stable_step")
def cleared_between_clip_and_step(model, micro_batches, optimizer, max_norm):
    loss = _accumulated(model, micro_batches)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm).item()
    optimizer.zero_grad()
    optimizer.step()
    return {"loss": loss, "grad_norm": norm, "skipped": int(not math.isfinite(loss + norm))}


@wrong("week4.stable_step")
def skipped_upside_down(model, micro_batches, optimizer, max_norm):
    result = all_graphs_at_once(model, micro_batches, optimizer, max_norm)
    return result | {"skipped": 1 - int(result["skipped"])}


@wrong("week4.stable_step")
def the_gradient_thrown_away_where_too_long(model, micro_batches, optimizer, max_norm):
    optimizer.zero_grad()
    loss = _accumulated(model, micro_batches)
    norm = torch.nn.utils.get_total_norm([p.grad for p in model.parameters()]).item()
    good = math.isfinite(loss) and norm <= max_norm
    if good:
        optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norm, "skipped": not good}


# --- step_order -------------------------------------------------------------------------------------------------------


@right("week4.step_order")
def cleared_first():
    return ["zero"] + ["forward", "scale", "backward"] + ["unscale", "clip", "step", "update"]


@right("week4.step_order")
def cleared_right_before_backward():
    return "forward scale zero backward unscale clip step update".split()


@right("week4.step_order")
def cleared_before_the_update():
    order = ["forward", "scale", "backward", "unscale", "clip", "update"]
    order.insert(5, "step")
    order.insert(6, "zero")
    return order


@right("week4.step_order")
def cleared_after_forward():
    names = {1: "forward", 2: "zero", 3: "scale", 4: "backward", 5: "unscale", 6: "clip", 7: "step", 8: "update"}
    return tuple(names[place] for place in sorted(names))


@right("week4.step_order")
def sorted_by_what_needs_what():
    needs = {"scale": ["forward"], "backward": ["scale"], "unscale": ["backward"], "clip": ["unscale"]}
    needs |= {"step": ["clip"], "update": ["step"], "zero": ["update"]}
    return list(graphlib.TopologicalSorter(needs).static_order())


class _Place(IntEnum):
    UPDATE = 7
    FORWARD = 1
    CLIP = 5
    SCALE = 2
    STEP = 6
    BACKWARD = 3
    ZERO = 8
    UNSCALE = 4


@right("week4.step_order")
def sorted_by_an_enumeration():
    return [place.name.lower() for place in sorted(_Place)]


@right("week4.step_order")
def built_up_by_a_generator():
    def loss():
        yield "forward"
        yield "scale"

    def gradients():
        yield from loss()
        yield "backward"
        yield "unscale"
        yield "clip"

    return [*gradients(), *("step", "update"), "zero"]


@wrong("week4.step_order", "clip before unscale")
def unscale_left_to_the_step():
    return ["forward", "scale", "backward", "clip", "step", "update", "zero"]


@wrong("week4.step_order", "clip before unscale")
def clipped_in_the_wrong_unit():
    return "zero forward scale backward clip unscale step update".split()


@wrong("week4.step_order", "the step is taken unclipped")
def clipped_while_nothing_is_there():
    return ["forward", "scale", "clip", "backward", "unscale", "step", "update", "zero"]


@wrong("week4.step_order", "gradients cleared before the step")
def cleared_too_early():
    order = ["forward", "scale", "backward", "unscale", "clip", "step", "update"]
    return order[:4] + ["zero"] + order[4:]


@wrong("week4.step_order", "gradients never cleared")
def never_clear():
    return [name for name in cleared_first() if name != "zero"]


@wrong("week4.step_order")
def in_the_order_of_the_alphabet():
    return sorted(cleared_first())


@wrong("week4.step_order")
def a_step_of_its_own():
    return [*cleared_first(), "schedule"]


@wrong("week4.step_order")
def one_long_word():
    return "forward scale backward unscale clip step update zero"


@wrong("week4.step_order")
def numbers():
    return list(range(8))


@wrong("week4.step_order")
def without_end():
    return cleared_first() * 1000
