"""Answers to sgd_momentum, bias_correction, adamw_step and adam_invariance whose worth is known."""

import functools
import itertools
import math

import numpy as np
import torch

from autograde.audit import right, wrong

# --- sgd_momentum -----------------------------------------------------------------------------------------------------


@right("week5.sgd_momentum")
def in_place(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    if weight_decay != 0:
        grad.add_(param, alpha=weight_decay)
    if buf is None:
        buf = grad.clone()
    else:
        buf.mul_(momentum).add_(grad)
    param.sub_(buf, alpha=lr)
    return param, buf


@right("week5.sgd_momentum")
def from_a_zero_buffer(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    if buf is None:
        buf = torch.zeros_like(param)
    penalty = param * weight_decay
    buf = sum([buf * momentum, grad, penalty])
    moved = torch.add(param, buf, alpha=-lr)
    return moved, buf


@right("week5.sgd_momentum")
def number_by_number(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    old = [0.0] * param.numel() if buf is None else buf.flatten().tolist()
    weights, buffers = [], []
    for w, g, b in zip(param.flatten().tolist(), grad.flatten().tolist(), old, strict=True):
        b = momentum * b + g + weight_decay * w
        buffers.append(b)
        weights.append(w - lr * b)
    return torch.tensor(weights).reshape(param.shape), torch.tensor(buffers).reshape(param.shape)


@right("week5.sgd_momentum")
def with_numpy(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    p, g = param.double().numpy(), grad.double().numpy()
    v = g + weight_decay * p
    if buf is not None:
        v = v + momentum * buf.double().numpy()
    return torch.as_tensor(p - lr * v), torch.as_tensor(v)


@right("week5.sgd_momentum")
def by_the_gradient_of_a_penalty(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    p = param.detach().clone().requires_grad_()
    loss = (p * grad).sum() + weight_decay / 2 * (p**2).sum()
    (whole,) = torch.autograd.grad(loss, p)
    past = 0 if buf is None else momentum * buf
    return param - lr * (past + whole), past + whole


@right("week5.sgd_momentum")
def by_the_displacement(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    kept = (lambda: momentum * buf) if buf is not None else (lambda: torch.zeros(param.shape, dtype=param.dtype))
    new = kept()
    new += grad
    new += weight_decay * param
    displacement = -lr * new
    param = param.clone()
    param += displacement
    return (param, new)


@wrong("week5.sgd_momentum", "a dampened buffer")
def lerped(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    grad = grad.add(param, alpha=weight_decay)
    buf = grad if buf is None else grad.lerp(buf, momentum)
    return param.sub(buf, alpha=lr), buf


@wrong("week5.sgd_momentum", "lr inside the buffer")
def velocity_of_old_textbooks(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    velocity = 0 if buf is None else -buf
    velocity = momentum * velocity - lr * (grad + weight_decay * param)
    return param + velocity, -velocity


@wrong("week5.sgd_momentum", "decay beside the buffer")
def shrinks_first(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    new = grad.clone() if buf is None else buf.mul(momentum).add(grad)
    return param.mul(1 - lr * weight_decay).sub(new, alpha=lr), new


@wrong("week5.sgd_momentum", "Nesterov's step")
def looks_ahead(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    grad = grad + weight_decay * param
    buf = grad.clone() if buf is None else buf * momentum + grad
    return param.add(grad.add(buf, alpha=momentum), alpha=-lr), buf


@wrong("week5.sgd_momentum", "no first step")
def multiplies_none(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    buf = torch.add(grad + param * weight_decay, buf, alpha=momentum)
    return param - buf * lr, buf


@wrong("week5.sgd_momentum")
def torch_does_it(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    weight = torch.nn.Parameter(param.clone())
    optimizer = torch.optim.SGD([weight], lr=lr, momentum=momentum, weight_decay=weight_decay)
    if buf is not None:
        optimizer.state[weight]["momentum_buffer"] = buf
    weight.grad = grad
    optimizer.step()
    return weight.detach(), optimizer.state[weight]["momentum_buffer"]


@wrong("week5.sgd_momentum")
def fused_does_it(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    first, buf = buf is None, torch.zeros_like(param) if buf is None else buf
    settings = dict(weight_decay=weight_decay, momentum=momentum, lr=lr, dampening=0.0, nesterov=False)
    torch._fused_sgd_([param], [grad], [buf], **settings, maximize=False, is_first_step=first)
    return param, buf


@wrong("week5.sgd_momentum")
def one_velocity_for_all_calls(param, grad, buf, lr, momentum=0.9, weight_decay=0.0, memory={}):  # noqa: B006
    memory["buf"] = momentum * memory.get("buf", 0.0) + grad.mean() + weight_decay * param
    return param - lr * memory["buf"], memory["buf"]


# --- bias_correction --------------------------------------------------------------------------------------------------


@right("week5.bias_correction")
def by_the_weights(moment, beta, step):
    total = (1 - beta) * sum(math.pow(beta, age) for age in range(min(step, 5000)))
    return moment / total


@right("week5.bias_correction")
def by_an_average_of_ones(moment, beta, step):
    ones = 0.0
    for _ in range(min(step, 20000)):
        ones = beta * ones + (1 - beta) * 1.0
    return torch.div(moment, ones)


@right("week5.bias_correction")
def by_the_logarithm(moment, beta, step):
    left = math.exp(step * math.log(beta)) if beta > 0 else 0.0
    return moment * (1.0 / (1.0 - left))


@right("week5.bias_correction")
def by_numpy(moment, beta, step):
    return torch.from_numpy(np.asarray(moment.double() / (1 - np.power(float(beta), step))))


@right("week5.bias_correction")
def by_a_product(moment, beta, step):
    remaining = math.prod(itertools.repeat(beta, min(step, 9999)))
    corrected = moment.clone()
    corrected /= 1 - remaining
    return corrected


@right("week5.bias_correction")
def by_expm1(moment, beta, step):
    if not beta:
        return moment.clone()
    return moment.neg().div(math.expm1(step * math.log(beta)))


@right("week5.bias_correction")
def entry_by_entry(moment, beta, step):
    scale = 1 - beta**step
    return torch.stack([m / scale for m in moment.reshape(-1)]).reshape(moment.shape)


@wrong("week5.bias_correction", "the step counted from 0")
def one_more(moment, beta, step):
    step += 1
    return torch.div(moment, 1 - pow(beta, step))


@wrong("week5.bias_correction", "one update too few")
def counts_the_gaps(moment, beta, step):
    remaining = beta ** (step - 1)
    return moment.div(1 - remaining)


@wrong("week5.bias_correction", "nothing corrected")
def as_it_was(moment, beta, step):
    return moment.clone()


@wrong("week5.bias_correction", "the first step's factor for ever")
def by_the_last_weight(moment, beta, step):
    newest = 1 - beta
    return moment * (1 / newest)


@wrong("week5.bias_correction", "multiplied")
def shrinks(moment, beta, step):
    return moment - moment * beta**step


@wrong("week5.bias_correction")
def guards_with_eps(moment, beta, step):
    return moment / (1 - beta**step + 1e-2)


# --- adamw_step -------------------------------------------------------------------------------------------------------


@right("week5.adamw_step")
def torchs_own_order(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    beta1, beta2 = betas
    param.mul_(1 - lr * weight_decay)
    m.lerp_(grad, 1 - beta1)
    v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
    denominator = (v.sqrt() / math.sqrt(1 - beta2**step)).add_(eps)
    param.addcdiv_(m, denominator, value=-lr / (1 - beta1**step))
    return param, m, v


@right("week5.adamw_step")
def decay_last(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    b1, b2 = betas
    mean = m + (1 - b1) * (grad - m)
    square = v + (1 - b2) * (grad.square() - v)
    direction = (mean / (1 - b1**step)) / ((square / (1 - b2**step)) ** 0.5 + eps)
    param = param - lr * direction
    param = param - lr * weight_decay * param
    return param, mean, square


@right("week5.adamw_step")
def all_at_once(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    new = [beta * old + (1 - beta) * grad**power for old, beta, power in zip((m, v), betas, (1, 2), strict=True)]
    hats = [moment / (1 - beta**step) for moment, beta in zip(new, betas, strict=True)]
    change = -lr * (hats[0] / (hats[1].sqrt() + eps) + weight_decay * param)
    return (param + change, *new)


@right("week5.adamw_step")
def as_in_the_paper(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    """The efficient form, whose eps is scaled to mean the same."""
    (b1, b2), g = betas, grad
    m, v = b1 * m + g - b1 * g, b2 * v + (1 - b2) * g * g
    c2 = math.sqrt(1 - b2**step)
    alpha = lr * c2 / (1 - b1**step)
    shrunk = (1 - lr * weight_decay) * param
    return shrunk - alpha * m / (torch.sqrt(v) + eps * c2), m, v


@right("week5.adamw_step")
def in_numpy(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    p, g, m, v = (t.double().numpy() for t in (param, grad, m, v))
    m = np.add(betas[0] * m, (1 - betas[0]) * g)
    v = np.add(betas[1] * v, (1 - betas[1]) * np.square(g))
    p = p - lr * weight_decay * p
    step_size = m / (1 - betas[0] ** step) / (np.sqrt(v / (1 - betas[1] ** step)) + eps)
    return torch.as_tensor(p - lr * step_size), torch.as_tensor(m), torch.as_tensor(v)


@right("week5.adamw_step")
def one_weight_at_a_time(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    def one(w, g, first, second):
        first = betas[0] * first + (1 - betas[0]) * g
        second = betas[1] * second + (1 - betas[1]) * g * g
        hat = first / (1 - betas[0] ** step)
        size = math.sqrt(second / (1 - betas[1] ** step))
        w *= 1 - lr * weight_decay
        return w - lr * hat / (size + eps), first, second

    rows = [one(*four) for four in zip(*(t.double().flatten().tolist() for t in (param, grad, m, v)), strict=True)]
    return [torch.tensor(column, dtype=torch.float64).reshape(param.shape) for column in zip(*rows, strict=True)]


@right("week5.adamw_step")
def with_a_helper(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    def mean(old, new, beta):
        updated = torch.lerp(new, old, beta)
        return updated, updated / (1 - math.pow(beta, step))

    (m, m_hat), (v, v_hat) = mean(m, grad, betas[0]), mean(v, torch.mul(grad, grad), betas[1])
    root = torch.pow(v_hat, 0.5)
    return torch.addcdiv(param - param * (weight_decay * lr), m_hat, root + eps, value=-lr), m, v


@wrong("week5.adamw_step", "decay in the gradient")
def adam_with_l2(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    grad = torch.add(grad, param, alpha=weight_decay)
    m, v = m.lerp(grad, 1 - betas[0]), v.lerp(grad * grad, 1 - betas[1])
    bias1, bias2 = 1 - betas[0] ** step, 1 - betas[1] ** step
    return param - lr / bias1 * m / ((v / bias2).sqrt() + eps), m, v


@wrong("week5.adamw_step", "decay without lr, nothing corrected")
def a_well_known_formula(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    m.mul_(betas[0]).add_(grad, alpha=1 - betas[0])
    v.mul_(betas[1]).add_(grad.square(), alpha=1 - betas[1])
    return param - lr * m / (v.sqrt() + eps) - weight_decay * param, m, v


@wrong("week5.adamw_step", "eps before the correction")
def efficient_form_with_plain_eps(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    (b1, b2), rate = betas, lr
    rate *= math.sqrt(1 - b2**step)
    rate /= 1 - b1**step
    m, v = m.lerp(grad, 1 - b1), v.lerp(grad.square(), 1 - b2)
    return param.mul(1 - lr * weight_decay).addcdiv(m, v.sqrt().add(eps), value=-rate), m, v


@wrong("week5.adamw_step", "eps inside the root")
def safe_root(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    m, v = betas[0] * m + (1 - betas[0]) * grad, betas[1] * v + (1 - betas[1]) * grad * grad
    inverse = torch.rsqrt(v / (1 - betas[1] ** step) + eps)
    return (1 - lr * weight_decay) * param - lr * inverse * m / (1 - betas[0] ** step), m, v


@wrong("week5.adamw_step", "stores corrected moments")
def hats_kept(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    m, v = m * betas[0] + grad * (1 - betas[0]), v * betas[1] + grad * grad * (1 - betas[1])
    m /= 1 - betas[0] ** step
    v /= 1 - betas[1] ** step
    return param - lr * (m / (v**0.5 + eps) + weight_decay * param), m, v


@wrong("week5.adamw_step")
def decay_scaled_by_the_correction(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    m, v = m.lerp(grad, 1 - betas[0]), v.lerp(grad.square(), 1 - betas[1])
    rate = lr * math.sqrt(1 - betas[1] ** step) / (1 - betas[0] ** step)
    scaled = eps * math.sqrt(1 - betas[1] ** step)
    return param - rate * (m / (v.sqrt() + scaled) + weight_decay * param), m, v


@wrong("week5.adamw_step")
def torch_steps(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    weight = torch.nn.Parameter(param.clone())
    weight.grad = grad
    optimizer = torch.optim.AdamW([weight], lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
    optimizer.state[weight].update(step=torch.tensor(step - 1.0), exp_avg=m.clone(), exp_avg_sq=v.clone())
    optimizer.step()
    state = optimizer.state[weight]
    return weight.detach(), state["exp_avg"], state["exp_avg_sq"]


@wrong("week5.adamw_step")
def fused_steps(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    settings = dict(lr=lr, beta1=betas[0], beta2=betas[1], weight_decay=weight_decay, eps=eps)
    steps = [torch.tensor(float(step))]
    torch._fused_adamw_([param], [grad], [m], [v], [], steps, **settings, amsgrad=False, maximize=False)
    return param, m, v


@wrong("week5.adamw_step", "no root")
def by_the_square(param, grad, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    m, v = m.lerp(grad, 1 - betas[0]), v.lerp(grad.square(), 1 - betas[1])
    hats = m / (1 - betas[0] ** step), v / (1 - betas[1] ** step)
    return param * (1 - lr * weight_decay) - lr * hats[0] / (eps + hats[1]), m, v


# --- adam_invariance --------------------------------------------------------------------------------------------------


@right("week5.adam_invariance")
def a_plain_loop(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    beta1, beta2 = betas
    m, v, out = 0.0, 0.0, []
    for t, g in enumerate(grads.tolist()):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m_hat = m / (1 - beta1 ** (t + 1))
        v_hat = v / (1 - beta2 ** (t + 1))
        out.append(lr * abs(m_hat) / (math.sqrt(v_hat) + eps))
    return torch.tensor(out)


@right("week5.adam_invariance")
def by_matrices_of_weights(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    steps = len(grads)
    age = torch.arange(steps).unsqueeze(1) - torch.arange(steps)

    def mean(values, beta):
        weights = torch.where(age >= 0, torch.tensor(beta, dtype=torch.float64) ** age.clamp(min=0), 0.0)
        return weights @ values / weights.sum(1)

    g = grads.double()
    return lr * mean(g, betas[0]).abs() / (mean(g.square(), betas[1]).sqrt() + eps)


@right("week5.adam_invariance")
def step_after_step(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    moved = torch.empty(len(grads), dtype=torch.float64)
    first = second = torch.tensor(0.0, dtype=torch.float64)
    for i in range(len(grads)):
        first = first * betas[0] + grads[i].double() * (1 - betas[0])
        second = second * betas[1] + grads[i].double().pow(2) * (1 - betas[1])
        scale = math.sqrt(1 - betas[1] ** (i + 1)) / (1 - betas[0] ** (i + 1))
        moved[i] = lr * scale * first.abs() / (second.sqrt() + eps * math.sqrt(1 - betas[1] ** (i + 1)))
    return moved


@right("week5.adam_invariance")
def accumulated(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    def running(values, beta):
        means = itertools.accumulate(values, lambda old, new: beta * old + (1 - beta) * new, initial=0.0)
        return [mean / (1 - beta**t) for t, mean in enumerate(means) if t]

    g = [float(value) for value in grads]
    pairs = zip(running(g, betas[0]), running([x * x for x in g], betas[1]), strict=True)
    return [lr * abs(a) / (b**0.5 + eps) for a, b in pairs]


@right("week5.adam_invariance")
def with_numpy_arrays(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    g = grads.double().numpy()
    t = np.arange(1, len(g) + 1)
    moments = np.zeros((2, len(g)))
    state = np.zeros(2)
    for i, value in enumerate(g):
        state = np.array(betas) * state + (1 - np.array(betas)) * np.array([value, value**2])
        moments[:, i] = state
    moments /= 1 - np.array(betas)[:, None] ** t
    return torch.from_numpy(lr * np.abs(moments[0]) / (np.sqrt(moments[1]) + eps))


@right("week5.adam_invariance")
def folded(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    def advance(state, g):
        t, m, v, path = state
        m, v = torch.lerp(g, m, betas[0]), torch.lerp(g * g, v, betas[1])
        distance = lr * (m / (1 - betas[0] ** t)).abs() / ((v / (1 - betas[1] ** t)).sqrt() + eps)
        return t + 1, m, v, [*path, distance]

    zero = torch.zeros((), dtype=torch.float64)
    return torch.stack(functools.reduce(advance, grads.double(), (1, zero, zero, []))[-1])


@right("week5.adam_invariance")
def by_moving_a_weight(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    positions, m, v, t = [0.0], 0.0, 0.0, 0
    while t < grads.numel():
        g, t = grads[t].item(), t + 1
        m += (1 - betas[0]) * (g - m)
        v += (1 - betas[1]) * (g**2 - v)
        positions.append(positions[-1] - lr * m / (1 - betas[0] ** t) / ((v / (1 - betas[1] ** t)) ** 0.5 + eps))
    return torch.tensor(positions, dtype=torch.float64).diff().abs()


@wrong("week5.adam_invariance", "large gradients get smaller steps")
def lr_over_the_root(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    v, out = 0.0, []
    for t, g in enumerate(grads.tolist(), 1):
        v = betas[1] * v + (1 - betas[1]) * g**2
        out.append(lr / (math.sqrt(v / (1 - betas[1] ** t)) + eps))
    return torch.tensor(out, dtype=torch.float64)


@wrong("week5.adam_invariance", "always lr")
def invariant_by_decree(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    return torch.full_like(grads, lr)


@wrong("week5.adam_invariance", "SGD's steps")
def plain_descent(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    return [lr * abs(g) for g in grads.tolist()]


@wrong("week5.adam_invariance", "nothing corrected")
def from_cold_moments(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    m = v = 0.0
    out = []
    for g in grads.tolist():
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
        out.append(lr * abs(m) / (v**0.5 + eps))
    return torch.tensor(out)


@wrong("week5.adam_invariance", "signed")
def displacements(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    at, m, v = [0.0], 0.0, 0.0
    for t, g in enumerate(grads.tolist(), 1):
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
        at.append(at[-1] - lr * m / (1 - betas[0] ** t) / ((v / (1 - betas[1] ** t)) ** 0.5 + eps))
    return torch.tensor(at, dtype=torch.float64).diff()


@wrong("week5.adam_invariance")
def torch_moves_it(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    weight = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
    optimizer, path = torch.optim.Adam([weight], lr=lr, betas=betas, eps=eps), [0.0]
    for g in grads.double():
        weight.grad = g
        optimizer.step()
        path.append(weight.item())
    return torch.tensor(path, dtype=torch.float64).diff().abs()


@wrong("week5.adam_invariance")
def relative_to_the_largest(grads, lr, betas=(0.9, 0.999), eps=1e-8):
    return lr * grads.abs() / (grads.abs().max() + eps)
