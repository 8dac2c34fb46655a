"""Answers to week6.scale_lr, week6.token_lr and week6.decay_budget whose worth is known."""

import functools
import itertools
import math
from fractions import Fraction
from operator import mul

import numpy as np
import torch

from autograde.audit import right, wrong

# --- scale_lr ---------------------------------------------------------------------------------------------------------

SCALE = "week6.scale_lr"


@right(SCALE)
def by_exponent(base_lr, base_batch, batch, rule):
    exponents = {"linear": 1, "sqrt": 0.5}
    if rule not in exponents:
        raise ValueError("no such rule")
    return base_lr * (batch / base_batch) ** exponents[rule]


@right(SCALE)
def by_match(base_lr, base_batch, batch, rule):
    match rule:
        case "linear":
            return batch * (base_lr / base_batch)
        case "sqrt":
            return base_lr * batch**0.5 / base_batch**0.5
        case _:
            raise ValueError(rule)


@right(SCALE)
def root_on_demand(base_lr, base_batch, batch, rule):
    factor = Fraction(batch, base_batch)
    if rule == "sqrt":
        factor = math.sqrt(factor)
    elif rule != "linear":
        raise ValueError
    return base_lr * float(factor)


@right(SCALE)
def functions_in_a_dict(base_lr, base_batch, batch, rule):
    try:
        shape = {"linear": float, "sqrt": np.sqrt}[rule]
    except KeyError as error:
        raise ValueError("unknown") from error
    return shape(batch / base_batch) * base_lr


@right(SCALE)
def by_index_of_the_rule(base_lr, base_batch, batch, rule):
    place = ("linear", "sqrt").index(rule)  # raises ValueError by itself
    ratio = torch.tensor(batch / base_batch)
    return base_lr * (ratio, ratio.sqrt())[place]


@right(SCALE)
def by_logarithm(base_lr, base_batch, batch, rule):
    if rule not in ("linear", "sqrt"):
        raise ValueError(f"what is {rule}?")
    octaves = math.log2(batch) - math.log2(base_batch)
    return base_lr * 2 ** (octaves if rule == "linear" else octaves / 2)


@wrong(SCALE, "the ratio inverted")
def less_for_more(base_lr, base_batch, batch, rule):
    return by_exponent(base_lr, batch, base_batch, rule)


@wrong(SCALE, "always linear")
def one_rule_for_both(base_lr, base_batch, batch, rule):
    if rule in ("linear", "sqrt"):
        return base_lr / base_batch * batch
    raise ValueError(rule)


@wrong(SCALE, "an unknown rule is let through")
def sqrt_unless_linear(base_lr, base_batch, batch, rule):
    return base_lr * (batch / base_batch if rule == "linear" else (batch / base_batch) ** 0.5)


@wrong(SCALE, "the rules swapped")
def exponents_swapped(base_lr, base_batch, batch, rule):
    if (power := {"linear": 0.5, "sqrt": 1.0}.get(rule)) is None:
        raise ValueError(rule)
    return base_lr * (batch / base_batch) ** power


@wrong(SCALE, "never smaller")
def only_for_larger_batches(base_lr, base_batch, batch, rule):
    return by_exponent(base_lr, base_batch, max(batch, base_batch), rule)


@wrong(SCALE)
def linear_unless_sqrt(base_lr, base_batch, batch, rule):
    return base_lr * (math.sqrt(batch / base_batch) if rule == "sqrt" else batch / base_batch)


@wrong(SCALE)
def the_difference(base_lr, base_batch, batch, rule):
    if rule not in ("linear", "sqrt"):
        raise ValueError(rule)
    return base_lr * (1 + batch - base_batch)


# --- token_lr ---------------------------------------------------------------------------------------------------------

TOKEN = "week6.token_lr"


@right(TOKEN)
def updates_of_an_epoch_first(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    steps_per_epoch = steps / epochs
    return base_lr * (supervised_tokens / steps_per_epoch / pretrained_batch_tokens) ** 0.5


@right(TOKEN)
def roots_taken_apart(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    seen, compared = supervised_tokens * epochs, steps * pretrained_batch_tokens
    return base_lr * math.sqrt(seen) / math.sqrt(compared)


@right(TOKEN)
def by_logs(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    up, down = math.log(supervised_tokens) + math.log(epochs), math.log(steps) + math.log(pretrained_batch_tokens)
    return math.exp(math.log(base_lr) + 0.5 * (up - down))


@right(TOKEN)
def numpy_roots(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    ratio = np.prod([supervised_tokens, epochs], dtype=float) / np.prod([steps, pretrained_batch_tokens], dtype=float)
    return np.sqrt(base_lr**2 * ratio)


@right(TOKEN)
def tokens_added_epoch_by_epoch(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    total = 0
    for _ in range(epochs):
        total += supervised_tokens
    batch = total / steps
    return base_lr / math.sqrt(pretrained_batch_tokens / batch)


@right(TOKEN)
def a_tensor_of_float32(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    batch = torch.tensor(float(supervised_tokens)).mul(epochs).div(steps)
    return batch.div(pretrained_batch_tokens).sqrt().mul(base_lr)


@right(TOKEN)
def newton(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    target = root = supervised_tokens * epochs / (steps * pretrained_batch_tokens)
    while abs(root * root - target) > 1e-12 * target:
        root = (root + target / root) / 2
    return root * base_lr


@wrong(TOKEN, "epochs upside down")
def shared_among_the_epochs(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    tokens_per_epoch = supervised_tokens / epochs
    return base_lr * (tokens_per_epoch / steps / pretrained_batch_tokens) ** 0.5


@wrong(TOKEN, "one epoch assumed")
def steps_as_if_of_one_epoch(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    return base_lr * math.sqrt(supervised_tokens) / math.sqrt(steps * pretrained_batch_tokens)


@wrong(TOKEN, "the linear rule")
def in_proportion(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    return base_lr * supervised_tokens * epochs / steps / pretrained_batch_tokens


@wrong(TOKEN, "the ratio inverted")
def pretraining_over_ours(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    return base_lr * (pretrained_batch_tokens * steps / (supervised_tokens * epochs)) ** 0.5


@wrong(TOKEN, "tokens of the whole run")
def all_tokens_at_once(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    return math.sqrt(epochs * supervised_tokens / pretrained_batch_tokens) * base_lr


@wrong(TOKEN)
def a_cube_root(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    return base_lr * (supervised_tokens * epochs / steps / pretrained_batch_tokens) ** (1 / 3)


@wrong(TOKEN)
def rounded_to_eight_decimals(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    return round(base_lr * math.sqrt(supervised_tokens * epochs / steps / pretrained_batch_tokens), 6)


# --- decay_budget -----------------------------------------------------------------------------------------------------

BUDGET = "week6.decay_budget"


@right(BUDGET)
def a_weight_that_shrinks(lrs, weight_decay):
    weight, budget = 1.0, 0.0
    for lr in lrs:
        weight -= lr * weight_decay * weight
        budget += lr * weight_decay
    return {"exact": weight, "predicted": math.exp(-budget)}


@right(BUDGET)
def by_numpy(lrs, weight_decay):
    losses = np.array(lrs, dtype=float) * weight_decay
    return {"predicted": np.exp(-losses.sum()), "exact": np.prod(1 - losses)}


@right(BUDGET)
def by_torch_in_float32(lrs, weight_decay):
    kept = 1 - torch.tensor(lrs) * weight_decay
    return dict(exact=kept.prod(), predicted=torch.exp((kept - 1).sum()))


@right(BUDGET)
def reduced(lrs, weight_decay):
    factors = [1 - weight_decay * lr for lr in lrs]
    predicted = functools.reduce(mul, (math.e ** (factor - 1) for factor in factors), 1.0)
    return {"exact": functools.reduce(mul, factors, 1.0), "predicted": predicted}


@right(BUDGET)
def by_accumulate(lrs, weight_decay):
    *_, exact = itertools.accumulate(lrs, lambda weight, lr: weight * (1 - lr * weight_decay), initial=1.0)
    return {"exact": exact, "predicted": 1 / math.exp(weight_decay * math.fsum(lrs))}


@right(BUDGET)
def one_update_after_the_other(lrs, weight_decay):
    if not lrs:
        return {"exact": 1.0, "predicted": 1.0}
    rest = one_update_after_the_other(lrs[1:], weight_decay)
    step = lrs[0] * weight_decay
    return {"exact": rest["exact"] * (1 - step), "predicted": rest["predicted"] * math.exp(-step)}


@right(BUDGET)
def with_adamw_itself(lrs, weight_decay):
    weight = torch.nn.Parameter(torch.ones(()))
    optimizer = torch.optim.AdamW([weight], lr=1.0, weight_decay=weight_decay)
    for lr in lrs:
        weight.grad = torch.zeros(())
        for group in optimizer.param_groups:
            group["lr"] = lr
        optimizer.step()
    return {"exact": weight.item(), "predicted": np.exp(-np.dot(lrs, np.full(len(lrs), weight_decay)))}


@wrong(BUDGET, "losses added up")
def lost_from_the_first_weight(lrs, weight_decay):
    weight, budget = 1.0, 0.0
    for lr in lrs:
        weight -= lr * weight_decay
        budget += lr * weight_decay
    return {"exact": weight, "predicted": math.exp(-budget)}


@wrong(BUDGET, "the exact one without the learning rate")
def full_decay_at_every_update(lrs, weight_decay):
    weight = 1.0
    for _ in lrs:
        weight *= 1 - weight_decay
    return {"exact": weight, "predicted": math.exp(-weight_decay * math.fsum(lrs))}


@wrong(BUDGET, "growth")
def the_sign_forgotten(lrs, weight_decay):
    losses = np.array(lrs, dtype=float) * weight_decay
    return {"exact": np.prod(1 - losses), "predicted": np.exp(losses.sum())}


@wrong(BUDGET, "the rule of thumb twice")
def exponentials_multiplied(lrs, weight_decay):
    exact = math.prod(math.exp(-lr * weight_decay) for lr in lrs)
    return {"exact": exact, "predicted": math.exp(-weight_decay * sum(lrs))}


@wrong(BUDGET, "the share that is lost")
def what_has_gone(lrs, weight_decay):
    kept = 1 - torch.tensor(lrs) * weight_decay
    return dict(exact=1 - kept.prod(), predicted=1 - torch.exp((kept - 1).sum()))


@wrong(BUDGET, "the budget itself")
def never_exponentiated(lrs, weight_decay):
    budget = math.fsum(lr * weight_decay for lr in lrs)
    return {"exact": math.prod(1 - lr * weight_decay for lr in lrs), "predicted": budget}


@wrong(BUDGET)
def a_power_of_two(lrs, weight_decay):
    exact = math.prod(1 - lr * weight_decay for lr in lrs)
    return {"exact": exact, "predicted": 2 ** (-sum(lrs) * weight_decay)}


@wrong(BUDGET)
def the_last_update_forgotten(lrs, weight_decay):
    return a_weight_that_shrinks(lrs[:-1], weight_decay)


@wrong(BUDGET)
def decay_not_used_for_the_prediction(lrs, weight_decay):
    return a_weight_that_shrinks(lrs, weight_decay) | {"predicted": math.exp(-sum(lrs))}
