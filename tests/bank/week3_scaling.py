"""Answers to scaled_step, unscale and next_scale whose worth is known."""

import itertools
import math
from collections import defaultdict

import torch

from autograde.audit import right, wrong

# --- scaled_step ------------------------------------------------------------------------------------------------------


@right("week3.scaled_step")
def scaled_by_the_root_gradient(model, loss, optimizer, scale):
    """backward() may start from the scale itself."""
    model.zero_grad()
    loss.backward(gradient=torch.full_like(loss, scale))
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    torch._foreach_div_(grads, scale)
    optimizer.step()
    return float(loss)


@right("week3.scaled_step")
def scaled_with_new_gradients(model, loss, optimizer, scale):
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = None
    torch.mul(loss, scale).backward()
    for group in optimizer.param_groups:
        for p in filter(lambda p: p.grad is not None, group["params"]):
            p.grad = p.grad / scale
    optimizer.step()
    return loss.detach().item()


@right("week3.scaled_step")
def scaled_by_autograd_grad(model, loss, optimizer, scale):
    trained = [p for p in model.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(scale * loss, trained, allow_unused=True)
    for parameter, gradient in zip(trained, gradients, strict=True):
        parameter.grad = None if gradient is None else gradient.div(scale)
    optimizer.step()
    return loss.tolist()


@right("week3.scaled_step")
def scaled_with_the_inverse(model, loss, optimizer, scale):
    optimizer.zero_grad(set_to_none=True)
    value = loss.item()
    scaled = loss * scale
    scaled.backward()
    inverse = 1.0 / scale
    with torch.no_grad():
        for _, parameter in model.named_parameters():
            if parameter.requires_grad and parameter.grad is not None:
                parameter.grad.mul_(inverse)
    optimizer.step()
    return value


@right("week3.scaled_step")
def scaled_in_parts(model, loss, optimizer, scale):
    def clear():
        for parameter in model.parameters():
            parameter.grad = None

    def unscale():
        for parameter in model.parameters():
            gradient = parameter.grad
            if isinstance(gradient, torch.Tensor):
                gradient.copy_(gradient.double() / scale)

    clear()
    (loss * torch.tensor(scale)).backward()
    unscale()
    optimizer.step()
    return float(loss.detach())


@right("week3.scaled_step")
def scaled_while_it_accumulates(model, loss, optimizer, scale):
    """Hooks divide what arrives."""
    optimizer.zero_grad()
    trained = [p for p in model.parameters() if p.requires_grad]
    handles = [p.register_hook(lambda gradient: gradient / scale) for p in trained]
    try:
        loss.mul(scale).backward()
    finally:
        for handle in handles:
            handle.remove()
    optimizer.step()
    return loss.item()


@wrong("week3.scaled_step", "gradients left scaled")
def nobody_divides(model, loss, optimizer, scale):
    model.zero_grad()
    loss.backward(torch.tensor(scale))
    optimizer.step()
    return float(loss)


@wrong("week3.scaled_step", "the scaled loss returned")
def loss_overwritten(model, loss, optimizer, scale):
    optimizer.zero_grad()
    loss *= scale
    loss.backward()
    for p in model.parameters():
        p.grad = p.grad if p.grad is None else p.grad / scale
    optimizer.step()
    return float(loss)


@wrong("week3.scaled_step", "the learning rate divided")
def rate_taken_down_and_up_again(model, loss, optimizer, scale):
    optimizer.zero_grad()
    (loss * scale).backward()
    for group in optimizer.param_groups:
        group["lr"] = group["lr"] / scale
    optimizer.step()
    for group in optimizer.param_groups:
        group["lr"] = group["lr"] * scale
    return loss.item()


@wrong("week3.scaled_step", "a calculation with None")
def every_parameter_has_a_gradient(model, loss, optimizer, scale):
    optimizer.zero_grad()
    (loss * scale).backward()
    for p in model.parameters():
        p.grad /= scale
    optimizer.step()
    return loss.item()


@wrong("week3.scaled_step", "scaled after backward")
def scaled_up_and_down(model, loss, optimizer, scale):
    optimizer.zero_grad()
    loss.backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    for gradient in gradients:
        gradient.mul_(scale)
    for gradient in gradients:
        gradient.div_(scale)
    optimizer.step()
    return loss.item()


@wrong("week3.scaled_step")
def scaled_by_torchs_scaler(model, loss, optimizer, scale):
    scaler = torch.amp.GradScaler(loss.device.type, init_scale=scale)
    optimizer.zero_grad()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    return loss.item()


@wrong("week3.scaled_step")
def divided_twice(model, loss, optimizer, scale):
    optimizer.zero_grad()
    (loss * scale).backward()
    for p in model.parameters():
        if p.grad is not None:
            p.grad /= scale * scale
    optimizer.step()
    return loss.item()


@wrong("week3.scaled_step")
def weights_divided(model, loss, optimizer, scale):
    optimizer.zero_grad()
    (loss * scale).backward()
    optimizer.step()
    with torch.no_grad():
        for p in model.parameters():
            p /= scale
    return loss.item()


@wrong("week3.scaled_step")
def loss_divided(model, loss, optimizer, scale):
    optimizer.zero_grad()
    (loss / scale).backward()
    for p in model.parameters():
        if p.grad is not None:
            p.grad *= scale
    optimizer.step()
    return loss.item()


@wrong("week3.scaled_step")
def never_steps(model, loss, optimizer, scale):
    optimizer.zero_grad()
    (loss * scale).backward()
    for p in model.parameters():
        if p.grad is not None:
            p.grad /= scale
    return loss.item()


# --- unscale ----------------------------------------------------------------------------------------------------------


@right("week3.unscale")
def unscaled_at_once(parameters, scale):
    gradients = [p.grad for p in parameters if p.grad is not None]
    if torch.float16 in {g.dtype for g in gradients}:
        raise ValueError("keep what you train in float32")
    finite = all(bool(torch.isfinite(g).all()) for g in gradients)
    if gradients:
        torch._foreach_div_(gradients, scale)
    return not finite


@right("week3.unscale")
def unscaled_by_counting(parameters, scale):
    bad = 0
    for p in parameters:
        match p.grad:
            case None:
                pass
            case torch.Tensor(dtype=torch.float16):
                raise ValueError("float16")
            case gradient:
                bad += gradient.numel() - int(gradient.isfinite().sum())
                p.grad = gradient.div(scale)
    return bad > 0


@right("week3.unscale")
def unscaled_with_the_inverse(parameters, scale):
    inverse, flags = 1 / scale, [torch.tensor(False)]
    with torch.no_grad():
        for gradient in (p.grad for p in list(parameters)):
            if gradient is not None:
                if gradient.dtype == torch.half:
                    raise ValueError
                flags.append((gradient.isnan() | gradient.isinf()).any())
                gradient.mul_(inverse)
    return torch.stack(flags).any()


@right("week3.unscale")
def unscaled_by_differences(parameters, scale):
    """x - x is 0 where x is finite and NaN elsewhere."""
    parameters = tuple(p for p in parameters if p.grad is not None)
    found = False
    for p in parameters:
        if p.grad.element_size() == 2 and p.grad.dtype != torch.bfloat16:
            raise ValueError(f"cannot unscale {p.grad.dtype}")
        zero = p.grad - p.grad
        found = found or bool((zero != 0).any())
    for p in parameters:
        p.grad.div_(scale)
    return found


@right("week3.unscale")
def unscaled_by_recursion(parameters, scale):
    def walk(rest):
        first = next(rest, None)
        if first is None:
            return False
        here = False
        if first.grad is not None:
            if first.grad.dtype is torch.float16:
                raise ValueError("no float16")
            here = any(not math.isfinite(x) for x in first.grad.flatten().tolist())
            first.grad = first.grad / scale
        return walk(rest) or here

    return walk(iter(parameters))


@right("week3.unscale")
def unscaled_by_dtype(parameters, scale):
    groups = defaultdict(list)
    for p in parameters:
        if p.grad is not None:
            groups[p.grad.dtype].append(p)
    if groups.pop(torch.float16, []):
        raise ValueError("Attempting to unscale FP16 gradients.")
    found = False
    for p in itertools.chain.from_iterable(groups.values()):
        largest = p.grad.abs().max()
        found |= not bool(largest < math.inf)
        p.grad = p.grad.clone().div_(scale)
    return found


@wrong("week3.unscale", "NaN not noticed")
def infinite_ones_only(parameters, scale):
    found = False
    for p in parameters:
        if p.grad is not None:
            if p.grad.dtype == torch.float16:
                raise ValueError
            found = found or bool(torch.isinf(p.grad).any())
            p.grad.div_(scale)
    return found


@wrong("week3.unscale", "the last gradient decides")
def assigned_anew(parameters, scale):
    found = False
    for p in parameters:
        if p.grad is None:
            continue
        if p.grad.dtype == torch.half:
            raise ValueError("half")
        found = bool(torch.logical_not(torch.isfinite(p.grad)).any())
        p.grad = p.grad / scale
    return found


@wrong("week3.unscale", "stops at the first")
def returns_at_once(parameters, scale):
    for p in parameters:
        if p.grad is None:
            continue
        if p.grad.dtype is torch.float16:
            raise ValueError
        bad = not torch.isfinite(p.grad).all().item()
        p.grad.div_(scale)
        if bad:
            return True
    return False


@wrong("week3.unscale", "gradients not divided")
def quotient_thrown_away(parameters, scale):
    found = False
    for p in parameters:
        gradient = p.grad
        if gradient is not None:
            if gradient.dtype is torch.float16:
                raise ValueError
            found = found or not bool(gradient.isfinite().all())
            gradient = gradient / scale
    return found


@wrong("week3.unscale", "float16 gradients divided")
def any_dtype_will_do(parameters, scale):
    gradients = [p.grad for p in parameters if p.grad is not None]
    found = any(not bool(g.isfinite().all()) for g in gradients)
    for g in gradients:
        g.mul_(1 / scale)
    return found


@wrong("week3.unscale")
def never_anything_wrong(parameters, scale):
    for p in parameters:
        if p.grad is not None:
            p.grad.div_(scale)
    return False


@wrong("week3.unscale")
def weights_unscaled(parameters, scale):
    with torch.no_grad():
        return not all(bool(p.div_(scale).isfinite().all()) for p in parameters)


@wrong("week3.unscale")
def through_torchs_operator(parameters, scale):
    gradients = [p.grad for p in parameters if p.grad is not None]
    found = torch.zeros(())
    torch._amp_foreach_non_finite_check_and_unscale_(gradients, found, torch.tensor(1 / scale))
    return bool(found)


@wrong("week3.unscale", "a comparison that NaN or -inf passes")
def largest_entry_above_the_range(parameters, scale):
    found = False
    for p in parameters:
        if p.grad is None:
            continue
        if p.grad.dtype is torch.float16:
            raise ValueError
        found |= bool(p.grad.max() > torch.finfo(torch.float32).max)
        p.grad /= scale
    return found


# --- next_scale -------------------------------------------------------------------------------------------------------


@right("week3.next_scale")
def moved_with_a_remainder(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    clean_steps = 0 if found_inf else (clean_steps + 1) % growth_interval
    if not clean_steps:
        scale *= backoff_factor if found_inf else growth_factor
    return scale, clean_steps


@right("week3.next_scale")
def moved_step_by_step(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    factor = 1.0
    count = clean_steps
    if found_inf:
        factor = backoff_factor
        count = 0
    else:
        count += 1
        if count >= growth_interval:
            factor = growth_factor
            count = 0
    return [scale * factor, count]


@right("week3.next_scale")
def moved_by_tensors(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    bad = torch.tensor(found_inf)
    count = torch.where(bad, 0, torch.tensor(clean_steps + 1))
    full = count == growth_interval
    factors = torch.where(bad, backoff_factor, torch.where(full, growth_factor, 1.0))
    return (scale * factors).item(), torch.where(full, 0, count).item()


@right("week3.next_scale")
def moved_by_match(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    match bool(found_inf), growth_interval - clean_steps:
        case True, _:
            return backoff_factor * scale, 0
        case False, 1:
            return growth_factor * scale, 0
        case _, left:
            return scale, growth_interval - left + 1


@right("week3.next_scale")
def moved_by_exponents(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    grow = int(not found_inf and clean_steps == growth_interval - 1)
    stay = int(not found_inf and not grow)
    return scale * growth_factor**grow * backoff_factor ** int(found_inf), stay * (clean_steps + stay)


@right("week3.next_scale")
def moved_from_a_table(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    kind = "overflow" if found_inf else "full" if clean_steps + 1 == growth_interval else "clean"
    factor = {"overflow": backoff_factor, "full": growth_factor, "clean": 1}[kind]
    return scale * factor, clean_steps + 1 if kind == "clean" else 0


@wrong("week3.next_scale", "the count goes on after an overflow")
def count_kept(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    if found_inf:
        scale = scale * backoff_factor
    else:
        clean_steps += 1
        if clean_steps == growth_interval:
            scale, clean_steps = scale * growth_factor, 0
    return scale, clean_steps


@wrong("week3.next_scale", "growth one iteration late")
def compared_before_counting(
    scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000
):
    if found_inf:
        return scale * backoff_factor, 0
    if clean_steps >= growth_interval:
        return scale * growth_factor, 0
    clean_steps += 1
    return scale, clean_steps


@wrong("week3.next_scale", "divided by the backoff factor")
def backed_off_upwards(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    if not found_inf:
        full = clean_steps + 1 == growth_interval
        return (scale * growth_factor, 0) if full else (scale, clean_steps + 1)
    scale /= backoff_factor
    return scale, 0


@wrong("week3.next_scale", "the arguments not used")
def powers_of_two_only(scale, clean_steps, found_inf, *rule):
    if found_inf:
        return scale / 2, 0
    return (2 * scale, 0) if clean_steps == 1999 else (scale, clean_steps + 1)


@wrong("week3.next_scale")
def through_torchs_update(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    value, count = torch.tensor(scale), torch.tensor(clean_steps, dtype=torch.int32)
    bad = torch.tensor(float(found_inf))
    torch._amp_update_scale_(value, count, bad, growth_factor, backoff_factor, growth_interval)
    return value.item(), count.item()


@wrong("week3.next_scale")
def growth_by_addition(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    if found_inf:
        return scale - backoff_factor, 0
    return (scale + growth_factor, 0) if clean_steps + 1 == growth_interval else (scale, clean_steps + 1)


@wrong("week3.next_scale")
def the_count_first(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    if found_inf:
        return 0, scale * backoff_factor
    return (0, scale * growth_factor) if clean_steps + 1 == growth_interval else (clean_steps + 1, scale)


@wrong("week3.next_scale", "no backoff")
def skips_and_hopes(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    clean_steps = (not found_inf) * (clean_steps + 1)
    if clean_steps == growth_interval:
        return scale * growth_factor, 0
    return scale, clean_steps
