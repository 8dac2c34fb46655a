"""Answers to week 2's healthy_run whose worth is known, for `autograde audit`."""

import copy
import math

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

from autograde.audit import right, wrong


def _draw(rows, generator):
    return [rows[i] for i in torch.randint(len(rows), (4,), generator=generator).tolist()]


def _batch(picked):
    ids, labels = ([torch.tensor(part) for part in parts] for parts in zip(*picked, strict=True))
    return (
        pad_sequence(ids, batch_first=True),
        pad_sequence([torch.ones_like(row) for row in ids], batch_first=True),
        pad_sequence(labels, batch_first=True, padding_value=-100),
    )


# --- right ------------------------------------------------------------------------------------------------------------


@right("week2.healthy_run")
def with_pad_sequence(model, rows, steps, lr, generator):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    optimizer.zero_grad()
    losses = []
    for _ in range(steps):
        ids, mask, labels = _batch(_draw(rows, generator))
        if (labels[:, 1:] != -100).sum() > 0:
            logits = model(input_ids=ids, attention_mask=mask).logits
            loss = F.cross_entropy(logits[:, :-1].transpose(1, 2), labels[:, 1:])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(float(loss.detach()))
    return losses


@right("week2.healthy_run")
def by_the_loss_s_own_word(model, rows, steps, lr, generator):
    """Measures first, and leaves the batch out where the loss is no number."""
    losses, optimizer = [], torch.optim.AdamW([*model.parameters()], lr)
    while steps > 0:
        steps -= 1
        ids, mask, labels = _batch(_draw(rows, generator))
        shifted = F.pad(labels, (0, 1), value=-100)[:, 1:]
        loss = F.cross_entropy(model(input_ids=ids, attention_mask=mask).logits.flatten(0, 1), shifted.flatten())
        if not math.isfinite(loss.item()):
            continue
        for weight in model.parameters():
            weight.grad = None
        loss.backward()
        optimizer.step()
        losses += [loss.item()]
    return losses


class _Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=lr)

    def nats(self, ids, mask, labels):
        log_probs = self.model(input_ids=ids, attention_mask=mask).logits.log_softmax(-1)[:, :-1]
        counts = labels[:, 1:] != -100
        picked = log_probs[counts].gather(1, labels[:, 1:][counts][:, None])
        return -picked.mean()

    def update(self, batch):
        loss = self.nats(*batch)
        self.optimizer.zero_grad(set_to_none=False)
        loss.backward()
        self.optimizer.step()
        return loss.item()


@right("week2.healthy_run")
def by_a_class(model, rows, steps, lr, generator):
    trainer = _Trainer(model, lr)
    batches = [_batch(_draw(rows, generator)) for _ in range(steps)]
    return [trainer.update(batch) for batch in batches if batch[2][:, 1:].ne(-100).any()]


@right("week2.healthy_run")
def without_rows_that_hold_nothing(model, rows, steps, lr, generator):
    """Rows without a label take no part in the loss, so they need not be computed."""
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=lr), []
    for _ in range(steps):
        picked = [(ids, labels) for ids, labels in _draw(rows, generator) if any(one != -100 for one in labels[1:])]
        if not picked:
            continue
        ids, mask, labels = _batch(picked)
        optimizer.zero_grad()
        logits = model(input_ids=ids, attention_mask=mask).logits
        total = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")
        loss = total / (labels[:, 1:] != -100).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.tolist())
    return losses


@right("week2.healthy_run")
def row_by_row(model, rows, steps, lr, generator):
    """No padding at all: gradients of the rows add up."""
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=lr), []
    for _ in range(steps):
        picked = _draw(rows, generator)
        count = sum(label != -100 for _, labels in picked for label in labels[1:])
        if count == 0:
            continue
        optimizer.zero_grad()
        mean = 0.0
        for ids, labels in picked:
            x, y = torch.tensor([ids]), torch.tensor([labels])
            logits = model(input_ids=x, attention_mask=torch.ones_like(x)).logits[0, :-1]
            part = F.cross_entropy(logits, y[0, 1:], ignore_index=-100, reduction="sum") / count
            part.backward()
            mean += part.item()
        optimizer.step()
        losses.append(mean)
    return losses


@right("week2.healthy_run")
def with_full_tensors(model, rows, steps, lr, generator):
    def step():
        picked = _draw(rows, generator)
        shape = (len(picked), max(len(ids) for ids, _ in picked))
        ids, mask, labels = torch.full(shape, 7), torch.zeros(shape).long(), torch.full(shape, -100)
        for place, (row, wanted) in enumerate(picked):
            ids[place, : len(row)] = torch.tensor(row)
            mask[place, : len(row)] = 1
            labels[place, : len(row)] = torch.tensor(wanted)
        targets = labels[:, 1:]
        if not bool(targets.ge(0).any()):
            return None
        scores = model(input_ids=ids, attention_mask=mask).logits[:, :-1].double()
        nats = torch.logsumexp(scores, -1) - scores.gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
        loss = nats.masked_select(targets.ge(0)).mean()
        gradients = torch.autograd.grad(loss, weights)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        optimizer.step()
        return loss.item()

    weights = list(model.parameters())
    optimizer = torch.optim.AdamW(weights, lr=lr)
    found = [step() for _ in range(steps)]
    return [loss for loss in found if loss is not None]


# --- wrong ------------------------------------------------------------------------------------------------------------


@wrong("week2.healthy_run", "the same rows again and again")
def draws_once(model, rows, steps, lr, generator):
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=lr), []
    ids, mask, labels = _batch(_draw(rows, generator))
    for _ in range(steps):
        logits = model(input_ids=ids, attention_mask=mask).logits
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("week2.healthy_run", "the weights never move")
def trains_a_twin(model, rows, steps, lr, generator):
    twin = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(twin.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        ids, mask, labels = _batch(_draw(rows, generator))
        if not labels[:, 1:].ne(-100).any():
            continue
        loss = F.cross_entropy(
            model(input_ids=ids, attention_mask=mask).logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("week2.healthy_run", "padded to the longest of all rows")
def collates_everything_at_once(model, rows, steps, lr, generator):
    ids, mask, labels = _batch(rows)
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=lr), []
    for _ in range(steps):
        chosen = torch.randint(len(rows), (4,), generator=generator)
        targets = labels[chosen][:, 1:].flatten()
        if (targets == -100).all():
            continue
        logits = model(input_ids=ids[chosen], attention_mask=mask[chosen]).logits[:, :-1]
        loss = F.cross_entropy(logits.flatten(0, 1), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("week2.healthy_run", "an empty batch reported as zero")
def a_denominator_of_at_least_one(model, rows, steps, lr, generator):
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=lr), []
    for _ in range(steps):
        ids, mask, labels = _batch(_draw(rows, generator))
        logits, targets = model(input_ids=ids, attention_mask=mask).logits[:, :-1], labels[:, 1:]
        total = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum")
        loss = total / (targets != -100).sum().clamp(min=1)
        if loss.item() > 0:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("week2.healthy_run", "old gradients are never cleared")
def clears_once(model, rows, steps, lr, generator):
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=lr), []
    for step in range(steps):
        ids, mask, labels = _batch(_draw(rows, generator))
        if labels[:, 1:].max() < 0:
            continue
        loss = F.cross_entropy(
            model(input_ids=ids, attention_mask=mask).logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
        )
        if step == steps:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("week2.healthy_run")
def goes_through_the_rows_in_order(model, rows, steps, lr, generator):
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=lr), []
    for step in range(steps):
        ids, mask, labels = _batch([rows[(4 * step + i) % len(rows)] for i in range(4)])
        if not (labels[:, 1:] != -100).any():
            continue
        loss = F.cross_entropy(
            model(input_ids=ids, attention_mask=mask).logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@wrong("week2.healthy_run")
def losses_after_the_update(model, rows, steps, lr, generator):
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=lr), []

    def loss_of(ids, mask, labels):
        logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
        return F.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())

    for _ in range(steps):
        batch = _batch(_draw(rows, generator))
        if not (batch[2][:, 1:] != -100).any():
            continue
        optimizer.zero_grad()
        loss_of(*batch).backward()
        optimizer.step()
        with torch.no_grad():
            losses.append(loss_of(*batch).item())
    return losses


@wrong("week2.healthy_run")
def switches_to_train_mode(model, rows, steps, lr, generator):
    model.train()
    return with_pad_sequence(model, rows, steps, lr, generator)


@wrong("week2.healthy_run", "the weights never move")
def clears_between_backward_and_step(model, rows, steps, lr, generator):
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=lr), []
    for _ in range(steps):
        ids, mask, labels = _batch(_draw(rows, generator))
        if (labels[:, 1:] != -100).any():
            logits = model(input_ids=ids, attention_mask=mask).logits
            loss = F.cross_entropy(logits[:, :-1].transpose(1, 2), labels[:, 1:])
            loss.backward()
            optimizer.zero_grad()
            optimizer.step()
            losses.append(loss.item())
    return losses


@wrong("week2.healthy_run")
def does_nothing(model, rows, steps, lr, generator):
    return [0.0] * steps
