"""Answers to week 2's train_step, evaluate and gradient_stats whose worth is known, for `autograde audit`."""

import contextlib
import copy
import functools
import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from autograde.audit import right, wrong
from course.lab import training

# --- train_step -------------------------------------------------------------------------------------------------------


def _loss(model, batch):
    """The mean loss of a batch, for answers that are about something else."""
    return training.loss(model, batch)


@right("week2.train_step")
def step_with_the_library_of_the_lab(model, batch, optimizer):
    model.zero_grad()
    loss = training.loss(model, batch)
    loss.backward()
    optimizer.step()
    return float(loss)


@right("week2.train_step")
def step_by_a_closure(model, batch, optimizer):
    def closure():
        optimizer.zero_grad(set_to_none=False)
        logits = model.forward(batch["input_ids"], batch["attention_mask"]).logits.double()
        loss = F.cross_entropy(logits[:, :-1].transpose(1, 2), batch["labels"][:, 1:])
        loss.backward()
        return loss

    return optimizer.step(closure).item()


@right("week2.train_step")
def step_with_gradients_put_in_place(model, batch, optimizer):
    given = {name: batch[name] for name in ("input_ids", "attention_mask")}
    log_probs = torch.log_softmax(model(**given).logits, dim=-1)[:, :-1]
    labels = batch["labels"][:, 1:]
    counts = labels.ne(-100)
    loss = -log_probs[counts].gather(-1, labels[counts].unsqueeze(-1)).mean()
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        weight.grad = gradient
    optimizer.step()
    return loss.detach().item()


@right("week2.train_step")
def step_with_the_loss_of_each_row(model, batch, optimizer):
    for weight in model.parameters():
        weight.grad = None
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    total, count = 0.0, 0
    for scores, labels in zip(logits, batch["labels"], strict=True):
        places = [t for t in range(1, len(labels)) if labels[t] != -100]
        for t in places:
            total = total + torch.logsumexp(scores[t - 1], 0) - scores[t - 1, labels[t]]
        count += len(places)
    (total / count).backward()
    optimizer.step()
    optimizer.zero_grad()
    return total.item() / count


@right("week2.train_step")
def step_row_by_row(model, batch, optimizer):
    """The gradients of the rows add up; each row's sum is divided by the number of labels in all."""
    optimizer.zero_grad()
    count, loss = int((batch["labels"][:, 1:] != -100).sum()), 0.0
    for row in range(len(batch["labels"])):
        one = {name: part[row : row + 1] for name, part in batch.items()}
        logits = model(input_ids=one["input_ids"], attention_mask=one["attention_mask"]).logits[0, :-1]
        part = F.cross_entropy(logits, one["labels"][0, 1:], reduction="sum") / count
        part.backward()
        loss += part.item()
    optimizer.step()
    return loss


class _Step:
    def __init__(self, model, optimizer):
        self.model, self.optimizer = model, optimizer

    def loss(self, input_ids, attention_mask, labels):
        logits = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        moved = torch.cat([labels[:, 1:], labels.new_full((len(labels), 1), -100)], dim=1)
        nats = nn.CrossEntropyLoss(reduction="none")(logits.flatten(0, 1), moved.flatten())
        return nats.sum() / moved.ne(-100).sum()

    def __call__(self, batch):
        loss = self.loss(**batch)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        return loss.tolist()


@right("week2.train_step")
def step_by_a_class(model, batch, optimizer):
    return _Step(model, optimizer)(batch)


@right("week2.train_step")
def step_with_one_hot_labels(model, batch, optimizer):
    ids, mask, labels = batch["input_ids"], batch["attention_mask"], batch["labels"]
    with torch.enable_grad():
        logits = model(input_ids=ids, attention_mask=mask).logits
        wanted = (labels[:, 1:, None] == torch.arange(logits.shape[-1])).to(logits.dtype)
        loss = -(wanted * logits[:, :-1].log_softmax(-1)).sum() / wanted.sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward(retain_graph=True)
    value = loss.item()
    optimizer.step()
    return value


@right("week2.train_step")
def step_without_changing_the_batch(model, batch, optimizer):
    copied = {name: tensor.clone() for name, tensor in batch.items()}
    labels = copied.pop("labels")
    labels[:, 0] = -100
    targets = labels.roll(-1, dims=1)
    logits = model(**copied).logits
    keep = targets.flatten() != -100
    loss = F.nll_loss(F.log_softmax(logits.reshape(-1, logits.size(-1))[keep], -1), targets.flatten()[keep])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("week2.train_step", "gradients are never zeroed")
def gradients_added_up(model, batch, optimizer):
    loss = _loss(model, batch)
    torch.autograd.backward([loss])
    optimizer.step()
    return float(loss)


@wrong("week2.train_step", "gradients are zeroed too late")
def gradients_cleared_for_the_next(model, batch, optimizer):
    loss = _loss(model, batch)
    loss.backward()
    optimizer.step()
    for weight in model.parameters():
        weight.grad = None
    return float(loss)


@wrong("week2.train_step", "the weights never move")
def gradients_cleared_before_the_step(model, batch, optimizer):
    loss = _loss(model, batch)
    loss.backward()
    model.zero_grad()
    optimizer.step()
    return float(loss)


@wrong("week2.train_step", "step before backward")
def order_turned_round(model, batch, optimizer):
    optimizer.step()
    optimizer.zero_grad()
    loss = _loss(model, batch)
    loss.backward()
    return float(loss)


@wrong("week2.train_step", "the loss keeps its graph")
def loss_with_its_graph(model, batch, optimizer):
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    loss = F.cross_entropy(logits.flatten(0, 1), batch["labels"][:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


@wrong("week2.train_step", "the loss is a tensor")
def loss_as_a_copy(model, batch, optimizer):
    optimizer.zero_grad()
    loss = _loss(model, batch)
    loss.backward()
    optimizer.step()
    return loss.detach().clone()


@wrong("week2.train_step", "the loss after the update")
def loss_measured_again(model, batch, optimizer):
    optimizer.zero_grad()
    _loss(model, batch).backward()
    optimizer.step()
    return float(_loss(model, batch).detach())


@wrong("week2.train_step", "labels not shifted")
def logits_against_their_own_inputs(model, batch, optimizer):
    optimizer.zero_grad()
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    loss = F.cross_entropy(logits.flatten(0, 1), batch["labels"].flatten())
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("week2.train_step", "shifted twice")
def labels_shifted_before_the_loss_shifts_them(model, batch, optimizer):
    optimizer.zero_grad()
    labels = F.pad(batch["labels"][:, 1:], (0, 1), value=-100)
    loss = _loss(model, batch | {"labels": labels})
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("week2.train_step", "sets the mode itself")
def mode_switched(model, batch, optimizer):
    for module in model.modules():
        module.training = True
    optimizer.zero_grad()
    loss = _loss(model, batch)
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("week2.train_step", "the mask is not passed on")
def ids_alone(model, batch, optimizer):
    optimizer.zero_grad()
    logits = model(batch["input_ids"]).logits
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten())
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("week2.train_step", "mean of the rows' means")
def rows_averaged(model, batch, optimizer):
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    rows = zip(logits, batch["labels"][:, 1:], strict=True)
    loss = torch.stack([F.cross_entropy(*row) for row in rows]).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("week2.train_step", "prompts are trained on")
def padding_alone_ignored(model, batch, optimizer):
    labels = torch.where(batch["attention_mask"] == 1, batch["input_ids"], -100)
    loss = _loss(model, {**batch, "labels": labels})
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("week2.train_step")
def gradient_clipped_on_the_way(model, batch, optimizer):
    optimizer.zero_grad()
    loss = _loss(model, batch)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    optimizer.step()
    return loss.item()


@wrong("week2.train_step")
def step_of_the_lab(model, batch, optimizer):
    modes = [(module, module.training) for module in model.modules()]
    (record,) = training.train(model, [batch], optimizer)
    for module, mode in modes:
        module.training = mode
    return record.loss


@wrong("week2.train_step")
def two_updates(model, batch, optimizer):
    optimizer.zero_grad()
    loss = _loss(model, batch)
    loss.backward()
    optimizer.step()
    optimizer.step()
    return loss.item()


@wrong("week2.train_step")
def update_by_hand(model, batch, optimizer):
    optimizer.zero_grad()
    loss = _loss(model, batch)
    loss.backward()
    with torch.no_grad():
        for weight in model.parameters():
            weight -= optimizer.param_groups[0]["lr"] * weight.grad
    return loss.item()


@wrong("week2.train_step")
def labels_of_the_batch_changed(model, batch, optimizer):
    batch["labels"][:, 0] = -100
    optimizer.zero_grad()
    loss = _loss(model, batch)
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("week2.train_step")
def loss_of_the_model_itself(model, batch, optimizer):
    """Only a transformers model computes its own loss; the contract does not promise it."""
    optimizer.zero_grad()
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("week2.train_step")
def eval_mode_and_back(model, batch, optimizer):
    model.eval()
    optimizer.zero_grad()
    loss = _loss(model, batch)
    loss.backward()
    optimizer.step()
    model.train()
    return loss.item()


# --- evaluate ---------------------------------------------------------------------------------------------------------


def _sums(model, batch):
    """(summed loss, number of labels that count), for answers that are about something else."""
    return training.summed_loss(model, batch)


@right("week2.evaluate")
@torch.inference_mode()
def evaluate_all_tokens_at_once(model, batches):
    before = {name: module.training for name, module in model.named_modules()}
    for module in model.modules():
        module.training = False
    nats = []
    for batch in batches:
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        losses = F.cross_entropy(logits[:, :-1].transpose(1, 2), batch["labels"][:, 1:], reduction="none")
        nats.append(losses[batch["labels"][:, 1:] != -100])
    for name, module in model.named_modules():
        module.training = before[name]
    return torch.cat(nats).mean().item()


@right("week2.evaluate")
def evaluate_a_copy(model, batches):
    twin = copy.deepcopy(model).eval().requires_grad_(False)
    nats, labels = zip(*[_sums(twin, batch) for batch in batches], strict=True)
    return math.fsum(map(float, nats)) / sum(map(int, labels))


@contextlib.contextmanager
def _measuring(model):
    training_modules = [module for module in model.modules() if module.training]
    try:
        with torch.no_grad():
            yield model.eval()
    finally:
        for module in training_modules:
            module.training = True


@right("week2.evaluate")
def evaluate_in_a_context(model, batches):
    total = torch.zeros(2, dtype=torch.float64)
    with _measuring(model) as quiet:
        for batch in batches:
            total += torch.stack(_sums(quiet, batch)).double()
    return float(total[0] / total[1])


@right("week2.evaluate")
def evaluate_with_a_running_mean(model, batches):
    modes = list(map(lambda module: module.training, model.modules()))
    model.train(False)
    mean, seen = 0.0, 0
    for batch in batches:
        targets = batch["labels"][:, 1:]
        count = int(targets.ne(-100).sum())
        if count == 0:
            continue
        with torch.no_grad():
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
            loss = nn.CrossEntropyLoss()(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))
        seen += count
        mean += (loss.item() - mean) * count / seen
    for module, mode in zip(model.modules(), modes, strict=True):
        module.training = mode
    return mean


@right("week2.evaluate")
def evaluate_from_log_probabilities(model, batches):
    kept = [(module, module.training) for module in model.modules()]
    model.eval()
    costs = []
    was = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    for batch in batches:
        log_probs = model(batch["input_ids"], batch["attention_mask"]).logits.double().log_softmax(-1)
        for row, column in (batch["labels"][:, 1:] != -100).nonzero().tolist():
            costs.append(-log_probs[row, column, batch["labels"][row, column + 1]].item())
    torch.set_grad_enabled(was)
    for module, mode in kept:
        setattr(module, "training", mode)  # noqa: B010
    return sum(costs) / len(costs)


@right("week2.evaluate")
def evaluate_by_numpy(model, batches):
    modes = {module: module.training for module in model.modules()}
    losses, counts = [], []
    with torch.no_grad(), contextlib.ExitStack() as stack:
        for module, mode in modes.items():
            stack.callback(setattr, module, "training", mode)
        model.eval()
        for batch in batches:
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits.numpy()
            x, y = logits[:, :-1].astype(np.float64), batch["labels"][:, 1:].numpy()
            x, y = x[y != -100], y[y != -100]
            losses += [np.sum(np.logaddexp.reduce(x, axis=-1) - x[np.arange(len(y)), y])]
            counts += [len(y)]
    return float(np.sum(losses) / np.sum(counts))


@right("week2.evaluate")
def evaluate_one_batch_at_a_time(model, batches):
    """Every batch by itself, with modes remembered each time, and the sums put together at the end."""

    @torch.no_grad()
    def measured(batch):
        modes = [(module, module.training) for module in model.modules()]
        nats, count = _sums(model.eval(), batch)
        for module, mode in modes:
            module.train(mode) if not list(module.children()) else None
            module.training = mode
        return nats.item(), count.item()

    nats, counts = functools.reduce(
        lambda sums, one: (sums[0] + one[0], sums[1] + one[1]), map(measured, batches), (0.0, 0)
    )
    return nats / counts


@wrong("week2.evaluate", "dropout left on")
@torch.no_grad()
def mode_as_it_comes(model, batches):
    nats, counts = zip(*[_sums(model, batch) for batch in batches], strict=True)
    return float(sum(nats) / sum(counts))


@wrong("week2.evaluate", "mean of the batches' means")
def batches_averaged(model, batches):
    with _measuring(model):
        losses = [training.loss(model, batch).item() for batch in batches]
    return sum(losses) / len(losses)


@wrong("week2.evaluate", "mean of the batches' means")
def batches_averaged_but_the_empty_ones(model, batches):
    with _measuring(model):
        losses = torch.stack([training.loss(model, batch) for batch in batches])
    return losses.nanmean().item()


@wrong("week2.evaluate", "left in eval mode")
@torch.no_grad()
def mode_not_restored(model, batches):
    model.eval()
    pairs = [_sums(model, batch) for batch in batches]
    return float(sum(nats for nats, _ in pairs) / sum(count for _, count in pairs))


@wrong("week2.evaluate", "ends with model.train()")
@torch.inference_mode()
def train_mode_at_the_end(model, batches):
    model.train(False)
    pairs = [_sums(model, batch) for batch in batches]
    model.train(True)
    return float(sum(nats for nats, _ in pairs) / sum(count for _, count in pairs))


@wrong("week2.evaluate", "one mode for all modules")
def mode_of_the_whole_model(model, batches):
    was_training = model.training
    model.eval()
    nats = count = 0
    with torch.no_grad():
        for batch in batches:
            one, labels = _sums(model, batch)
            nats, count = nats + one.item(), count + labels.item()
    if was_training:
        model.train()
    return nats / count


@wrong("week2.evaluate", "a graph is built")
def graph_for_nobody(model, batches):
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    nats = count = 0
    for batch in batches:
        one, labels = _sums(model, batch)
        nats, count = nats + one.item(), count + labels.item()
    for module, mode in modes:
        module.training = mode
    return nats / count


@wrong("week2.evaluate", "nothing times NaN")
def means_weighted_by_counts(model, batches):
    nats = count = 0
    with _measuring(model):
        for batch in batches:
            n = int((batch["labels"][:, 1:] != -100).sum())
            nats, count = nats + training.loss(model, batch).item() * n, count + n
    return nats / count


@wrong("week2.evaluate", "divided by the real tokens")
def counted_by_the_mask(model, batches):
    nats = count = 0
    with _measuring(model):
        for batch in batches:
            nats += _sums(model, batch)[0].item()
            count += batch["attention_mask"][:, 1:].sum().item()
    return nats / count


@wrong("week2.evaluate", "the first column is counted")
def counted_before_the_shift(model, batches):
    nats = count = 0
    with _measuring(model):
        for batch in batches:
            nats += _sums(model, batch)[0].item()
            count += batch["labels"].ne(-100).sum().item()
    return nats / count


@wrong("week2.evaluate", "the loss is a tensor")
def scalar_tensor(model, batches):
    with _measuring(model):
        nats, counts = zip(*[_sums(model, batch) for batch in batches], strict=True)
        return torch.stack(nats).sum() / torch.stack(counts).sum()


@wrong("week2.evaluate", "the mask is not passed on")
def ids_without_a_mask(model, batches):
    with _measuring(model):
        pairs = [_sums(model, batch | {"attention_mask": None}) for batch in batches]
    return float(sum(nats for nats, _ in pairs) / sum(count for _, count in pairs))


@wrong("week2.evaluate", "weights frozen by hand")
def gradients_switched_off_and_on(model, batches):
    modes = [(module, module.training) for module in model.modules()]
    model.eval().requires_grad_(False)
    pairs = [_sums(model, batch) for batch in batches]
    model.requires_grad_(True)
    for module, mode in modes:
        module.training = mode
    return float(sum(nats for nats, _ in pairs) / sum(count for _, count in pairs))


@wrong("week2.evaluate")
def evaluate_of_the_lab(model, batches):
    return training.evaluate(model, batches)


@wrong("week2.evaluate")
def gradients_cleared(model, batches):
    model.zero_grad()
    return evaluate_in_a_context(model, batches)


@wrong("week2.evaluate")
def first_batch_alone(model, batches):
    return evaluate_in_a_context(model, itertools.islice(batches, 1))


@wrong("week2.evaluate")
def batches_indexed(model, batches):
    return evaluate_in_a_context(model, [batches[i] for i in range(len(batches))])


@wrong("week2.evaluate")
def children_restored_alone(model, batches):
    modes = [(module, module.training) for module in model.children()]
    with torch.no_grad():
        pairs = [_sums(model.eval(), batch) for batch in batches]
    for module, mode in modes:
        module.train(mode)
    return float(sum(nats for nats, _ in pairs) / sum(count for _, count in pairs))


@wrong("week2.evaluate")
def restored_from_the_top_down(model, batches):
    """`train(mode)` reaches the children too: the last one to be restored is right, its parents' words are not."""
    modes = [(module, module.training) for module in model.modules()]
    with torch.no_grad():
        pairs = [_sums(model.eval(), batch) for batch in batches]
    for module, mode in reversed(modes):
        module.train(mode)
    return float(sum(nats for nats, _ in pairs) / sum(count for _, count in pairs))


# --- gradient_stats ---------------------------------------------------------------------------------------------------


@right("week2.gradient_stats")
def stats_by_loop(model):
    squares, largest, missing = 0.0, torch.tensor(0.0), 0
    for parameter in model.parameters():
        if parameter.grad is None:
            missing += parameter.requires_grad
            continue
        squares += parameter.grad.double().pow(2).sum().item()
        largest = torch.maximum(largest, parameter.grad.abs().max())
    return {"norm": math.sqrt(squares), "max_abs": largest.item(), "n_missing": missing}


@right("week2.gradient_stats")
def stats_by_the_library(model):
    trained = [p for p in model.parameters() if p.requires_grad]
    grads = [p.grad for p in trained if p.grad is not None]
    total = functools.partial(nn.utils.get_total_norm, grads)
    return dict(norm=total(), max_abs=total(norm_type=float("inf")), n_missing=len(trained) - len(grads))


@right("week2.gradient_stats")
def stats_of_norms(model):
    grads = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    wanted = {name for name, p in model.named_parameters() if p.requires_grad}
    norms = torch.tensor([grad.norm() for grad in grads.values()] + [0.0])
    largest = torch.tensor([torch.linalg.vector_norm(grad, math.inf) for grad in grads.values()] + [0.0])
    return {"n_missing": len(wanted - grads.keys()), "max_abs": largest.max(), "norm": norms.norm()}


@right("week2.gradient_stats")
def stats_by_numpy(model):
    arrays = [np.ravel(p.grad.numpy()) for p in model.parameters() if p.grad is not None]
    values = np.concatenate([np.zeros(1), *arrays])
    missing = np.sum([p.grad is None and p.requires_grad for p in model.parameters()], dtype=int)
    return {"norm": np.linalg.norm(values), "max_abs": np.abs(values).max(), "n_missing": int(missing)}


@right("week2.gradient_stats")
def stats_by_hypotenuses(model):
    """The length of a vector, number by number, as the hypotenuse of what is there and the next one."""
    result = {"norm": 0.0, "max_abs": 0.0, "n_missing": 0}
    for parameter in model.parameters():
        match parameter.requires_grad, parameter.grad:
            case True, None:
                result["n_missing"] += 1
            case _, None:
                pass
            case _, grad:
                for value in grad.flatten().tolist():
                    result["norm"] = math.hypot(result["norm"], value)
                    if not abs(value) <= result["max_abs"]:
                        result["max_abs"] = math.nan if math.isnan(result["max_abs"]) else abs(value)
    return result | ({"norm": math.nan} if math.isnan(result["max_abs"]) else {})


@right("week2.gradient_stats")
def stats_of_one_vector(model):
    def gathered():
        yield torch.zeros(1)
        for module in model.modules():
            for parameter in module.parameters(recurse=False):
                if parameter.grad is not None and id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield parameter.grad.reshape(-1)

    seen = set()
    vector = nn.utils.parameters_to_vector(gathered())
    low, high = torch.aminmax(vector)
    missing = [p for p in model.parameters() if p.grad is None and p.requires_grad]
    return {"norm": vector.dot(vector) ** 0.5, "max_abs": torch.maximum(-low, high), "n_missing": len(missing)}


@right("week2.gradient_stats")
def stats_by_foreach(model):
    parameters = list(model.parameters())
    with_gradient = list(filter(lambda p: p.grad is not None, parameters))
    missing = len([p for p in parameters if p.requires_grad]) - len([p for p in with_gradient if p.requires_grad])
    stats = {"norm": torch.tensor(0.0), "max_abs": torch.tensor(0.0), "n_missing": missing}
    if with_gradient:
        grads = [p.grad for p in with_gradient]
        stats["norm"] = torch.stack(torch._foreach_norm(grads, 2)).square().sum().sqrt()
        stats["max_abs"] = torch.stack(torch._foreach_norm(grads, math.inf)).amax()
    return stats


@wrong("week2.gradient_stats", "the largest value, with its sign")
def signed_largest(model):
    values = [grad.flatten() for p in model.parameters() if (grad := p.grad) is not None] or [torch.zeros(1)]
    missing = sum(1 for p in model.parameters() if p.requires_grad and p.grad is None)
    values = torch.cat(values)
    return {"norm": torch.linalg.vector_norm(values), "max_abs": values.amax().item(), "n_missing": missing}


@wrong("week2.gradient_stats", "sum of the norms")
def lengths_added(model):
    stats = {**stats_by_foreach(model), "norm": 0.0}
    for parameter in model.parameters():
        if parameter.grad is not None:
            stats["norm"] += parameter.grad.norm().item()
    return stats


@wrong("week2.gradient_stats", "a NaN goes unseen")
def largest_by_comparison(model):
    stats = {**stats_by_foreach(model), "max_abs": 0.0}
    for parameter in model.parameters():
        if parameter.grad is not None and (here := parameter.grad.abs().max().item()) > stats["max_abs"]:
            stats["max_abs"] = here
    return stats


@wrong("week2.gradient_stats", "the root is missing")
def squares_added(model):
    stats = stats_by_foreach(model)
    return stats | {"norm": stats["norm"].square()}


@wrong("week2.gradient_stats", "a calculation with None")
def none_has_no_norm(model):
    trained = [p for p in model.parameters() if p.requires_grad]
    first, *others = [p.grad.flatten() for p in trained] if trained else ()
    values = torch.cat([first, *others])
    return {"norm": values.norm(), "max_abs": values.abs().max(), "n_missing": len(trained) - len(others) - 1}


@wrong("week2.gradient_stats", "frozen weights are missing")
def none_of_any_kind(model):
    return stats_by_foreach(model) | {"n_missing": [p.grad is None for p in model.parameters()].count(True)}


@wrong("week2.gradient_stats", "a gradient of zeros is missing")
def nothing_or_zero(model):
    def lost(p):
        return p.requires_grad and (p.grad is None or not float(p.grad.abs().sum()) != 0)

    return stats_by_foreach(model) | {"n_missing": len([p for p in model.parameters() if lost(p)])}


@wrong("week2.gradient_stats", "weights instead of gradients")
def statistics_of_weights(model):
    values = nn.utils.parameters_to_vector(model.parameters()).detach()
    return stats_by_foreach(model) | {"norm": values.norm(), "max_abs": values.abs().max()}


@wrong("week2.gradient_stats")
def nothing_at_all_crashes(model):
    grads = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    missing = sum(p.grad is None and p.requires_grad for p in model.parameters())
    values = torch.cat(grads)
    return {"norm": values.norm(), "max_abs": values.abs().max(), "n_missing": missing}


@wrong("week2.gradient_stats")
def none_filled_with_zeros(model):
    for parameter in model.parameters():
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    return stats_by_foreach(model)


@wrong("week2.gradient_stats")
def nan_filled_with_zeros(model):
    grads = [p.grad.nan_to_num(0.0).flatten() for p in model.parameters() if p.grad is not None] or [torch.zeros(1)]
    values = torch.cat(grads)
    return stats_by_foreach(model) | {"norm": values.norm(), "max_abs": values.abs().max()}


@wrong("week2.gradient_stats")
def gradients_clipped_on_the_way(model):
    stats = stats_by_foreach(model)
    nn.utils.clip_grad_norm_(model.parameters(), 1e-4)
    return stats


@wrong("week2.gradient_stats")
def names_instead_of_a_number(model):
    missing = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    return stats_by_foreach(model) | {"n_missing": missing}


@wrong("week2.gradient_stats")
def matrices_alone(model):
    grads = [p.grad.flatten() for p in model.parameters() if p.grad is not None and p.ndim > 1] or [torch.zeros(1)]
    values = torch.cat(grads)
    return stats_by_foreach(model) | {"norm": values.norm(), "max_abs": values.abs().max()}
