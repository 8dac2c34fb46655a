"""Answers to param_groups and state_bytes whose worth is known."""

import math
from collections import defaultdict

import torch

from autograde.audit import right, wrong

# --- param_groups -----------------------------------------------------------------------------------------------------


@right("week5.param_groups")
def by_a_loop(model, weight_decay):
    decay, no_decay = [], []
    for _, p in model.named_parameters():
        if not p.requires_grad:
            continue
        if p.dim() < 2:
            no_decay.append(p)
        else:
            decay.append(p)
    return [dict(params=decay, weight_decay=weight_decay), dict(params=no_decay, weight_decay=0.0)]


@right("week5.param_groups")
def by_names(model, weight_decay):
    trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
    matrices = sorted(name for name, p in trainable.items() if len(p.shape) > 1)
    others = sorted(trainable.keys() - set(matrices))
    rates = (weight_decay, 0.0)
    return [
        {"params": [trainable[name] for name in names], "weight_decay": rate}
        for names, rate in zip((matrices, others), rates, strict=True)
    ]


@right("week5.param_groups")
def by_buckets(model, weight_decay):
    buckets = defaultdict(list)
    for p in filter(lambda p: p.requires_grad, model.parameters()):
        buckets[p.ndim >= 2].append(p)
    return tuple({"params": buckets[large], "weight_decay": weight_decay * large} for large in (True, False))


@right("week5.param_groups")
def module_by_module(model, weight_decay):
    seen, groups = set(), ([], [])
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            if id(parameter) in seen:
                continue
            seen.add(id(parameter))
            if parameter.requires_grad:
                groups[int(parameter.ndim in (0, 1))].append(parameter)
    return [{"weight_decay": weight_decay, "params": groups[0]}, {"weight_decay": 0, "params": groups[1]}]


@right("week5.param_groups")
def by_a_dict_of_both_names(model, weight_decay):
    both = dict.fromkeys(p for _, p in model.named_parameters(remove_duplicate=False))
    first = {"params": [], "weight_decay": weight_decay}
    second = {"params": [], "weight_decay": 0.0}
    for p in both:
        if p.requires_grad:
            (second if p.squeeze is None or p.ndim <= 1 else first)["params"].append(p)
    return [first, second]


class _Group(dict):
    def __init__(self, parameters, rate):
        super().__init__(params=list(parameters), weight_decay=rate)


@right("week5.param_groups")
def sorted_by_dimension(model, weight_decay):
    parameters = sorted((p for p in model.parameters() if p.requires_grad), key=lambda p: -p.ndim)
    cut = sum(p.ndim >= 2 for p in parameters)
    return [_Group(parameters[:cut], weight_decay), _Group(parameters[cut:], 0.0)]


@right("week5.param_groups")
def by_difference(model, weight_decay):
    every = [p for p in model.parameters() if p.requires_grad is True]
    flat = [p for p in every if p.shape == p.flatten().shape or p.shape == torch.Size([])]
    rest = [p for p in every if not any(p is q for q in flat)]
    groups = []
    groups.append({"params": rest, "weight_decay": weight_decay})
    groups.append({"params": flat, "weight_decay": 0.0})
    return groups


@wrong("week5.param_groups", "by the names 'norm' and 'bias'")
def the_usual_list_of_names(model, weight_decay):
    skip = ("bias", "norm")
    groups = [{"params": [], "weight_decay": rate} for rate in (weight_decay, 0.0)]
    for name, p in model.named_parameters():
        if p.requires_grad:
            groups[any(word in name for word in skip)]["params"].append(p)
    return groups


@wrong("week5.param_groups", "frozen parameters kept")
def forgets_the_frozen(model, weight_decay):
    groups = [{"params": [], "weight_decay": weight_decay}, {"params": [], "weight_decay": 0.0}]
    for p in model.parameters():
        groups[0 if p.ndim > 1 else 1]["params"].append(p)
    return groups


@wrong("week5.param_groups", "tied weights twice")
def walks_the_modules(model, weight_decay):
    found = [p for module in model.modules() for p in module._parameters.values() if p is not None and p.requires_grad]
    return [
        {"params": [p for p in found if len(p.size()) > 1], "weight_decay": weight_decay},
        {"params": [p for p in found if len(p.size()) <= 1], "weight_decay": 0.0},
    ]


@wrong("week5.param_groups", "everything decayed")
def one_rate(model, weight_decay):
    return [
        {"params": list(filter(lambda p: p.requires_grad, model.parameters())), "weight_decay": weight_decay},
        {"params": [], "weight_decay": 0.0},
    ]


@wrong("week5.param_groups", "the wrong group decayed")
def rates_swapped(model, weight_decay):
    groups = [{"params": [], "weight_decay": 0.0}, {"params": [], "weight_decay": weight_decay}]
    for p in model.parameters():
        if p.requires_grad:
            groups[p.dim() < 2]["params"].append(p)
    return groups


@wrong("week5.param_groups")
def names_instead(model, weight_decay):
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    return [
        {"params": [name for name, p in named if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [name for name, p in named if p.ndim < 2], "weight_decay": 0.0},
    ]


@wrong("week5.param_groups")
def unfreezes(model, weight_decay):
    model.requires_grad_(True)
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]


@wrong("week5.param_groups")
def freezes_what_does_not_decay(model, weight_decay):
    trainable = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]
    for p in groups[1]["params"]:
        p.requires_grad_(False)
    return groups


# --- state_bytes ------------------------------------------------------------------------------------------------------


@right("week5.state_bytes")
def by_a_table(n_params, optimizer):
    blocks = (n_params + 255) // 256
    quantized = 2 * n_params + 2 * 4 * blocks
    table = {
        "sgd": 0,
        "momentum": n_params * 4,
        "adamw": n_params * 8,
        "adamw8bit": quantized if n_params > 4095 else n_params * 8,
        "adafactor": 8 * round(n_params**0.5),
    }
    return table[optimizer]


@right("week5.state_bytes")
def by_tensors(n_params, optimizer):
    side = math.isqrt(n_params)
    square, line = torch.Size([side, side]), torch.Size([side])
    small = n_params < 4096
    kept = {
        "sgd": [],
        "momentum": [(square, torch.float32)],
        "adamw": [(square, torch.float32)] * 2,
        "adafactor": [(line, torch.float32)] * 2,
        "adamw8bit": [(square, torch.float32)] * 2
        if small
        else [(square, torch.uint8), (torch.Size([math.ceil(n_params / 256)]), torch.float32)] * 2,
    }
    return sum(shape.numel() * dtype.itemsize for shape, dtype in kept[optimizer])


@right("week5.state_bytes")
def by_match(n_params, optimizer):
    match optimizer:
        case "sgd":
            numbers = 0
        case "momentum":
            numbers = n_params
        case "adafactor":
            numbers = 2 * int(math.sqrt(n_params))
        case "adamw8bit" if n_params >= 64 * 64:
            per_moment = n_params + (-(-n_params // 256)) * 4
            return per_moment * 2
        case _:
            numbers = n_params + n_params
    return numbers * 4


@right("week5.state_bytes")
def by_moments(n_params, optimizer):
    def moment(in_eight_bits):
        if not in_eight_bits:
            return 4 * n_params
        full, rest = divmod(n_params, 256)
        return n_params + 4 * (full + bool(rest))

    eight = optimizer.endswith("8bit") and not n_params < 4096
    moments = ["sgd", "momentum", "adamw"].index(optimizer.removesuffix("8bit")) if optimizer != "adafactor" else None
    if moments is None:
        return sum(4 for _ in range(2 * math.isqrt(n_params)))
    return sum(moment(eight) for _ in range(moments))


@right("week5.state_bytes")
def by_block(n_params, optimizer):
    if optimizer == "adafactor":
        rows = columns = next(side for side in range(1, n_params + 1) if side * side == n_params)
        return 4 * (rows + columns)
    if optimizer == "adamw8bit" and n_params >= 4096:
        total = 0
        for start in range(0, n_params, 256):
            total += 2 * (min(256, n_params - start) + 4)
        return total
    return {"sgd": 0, "momentum": 4}.get(optimizer, 8) * n_params


@right("week5.state_bytes")
def measured_by_torch(n_params, optimizer):
    side = math.isqrt(n_params)
    weight = torch.nn.Parameter(torch.zeros(side, side))
    weight.grad = torch.zeros(side, side)
    if optimizer == "adamw8bit" and n_params >= 4096:
        return 2 * weight.numel() + 8 * len(weight.flatten().split(256))
    makes = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW, "adafactor": torch.optim.Adafactor}
    if optimizer == "momentum":
        real = torch.optim.SGD([weight], momentum=0.9)
    else:
        real = makes[optimizer.replace("8bit", "")]([weight])
    real.step()
    tensors = [t for state in real.state.values() for t in state.values() if torch.is_tensor(t)]
    return sum(t.element_size() * t.numel() for t in tensors if t.dim() > 0)


@wrong("week5.state_bytes", "twice the model for all")
def as_for_adam(n_params, optimizer):
    moments = ["first", "second"]
    return sum(4 * n_params for _ in moments)


@wrong("week5.state_bytes", "small tensors in 8 bits")
def always_eight_bits(n_params, optimizer):
    if optimizer == "adamw8bit":
        return 2 * n_params + 8 * -(-n_params // 256)
    return by_a_table(n_params, optimizer)


@wrong("week5.state_bytes", "8-bit scales forgotten")
def codes_alone(n_params, optimizer):
    kept = {"sgd": 0, "momentum": 4 * n_params, "adafactor": 8 * math.isqrt(n_params)}
    return kept.get(optimizer, n_params * (2 if optimizer == "adamw8bit" and n_params >= 4096 else 8))


@wrong("week5.state_bytes", "no scale for the last block")
def whole_blocks(n_params, optimizer):
    if optimizer == "adamw8bit" and n_params >= 4096:
        return 2 * n_params + 8 * (n_params // 256)
    return by_match(n_params, optimizer)


@wrong("week5.state_bytes", "a whole second moment in Adafactor")
def adafactor_with_one_moment(n_params, optimizer):
    return 4 * n_params if optimizer == "adafactor" else by_moments(n_params, optimizer)


@wrong("week5.state_bytes")
def per_parameter(n_params, optimizer):
    return {"sgd": 0, "momentum": 4, "adamw": 8, "adamw8bit": 2, "adafactor": 0}[optimizer]
