"""Answers to week4.accumulate and week4.update_steps whose worth is known."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from autograde.audit import right, wrong

# --- accumulate -------------------------------------------------------------------------------------------------------


@right("week4.accumulate")
def summed_and_divided_at_the_end(model, micro_batches, ignore_index=-100):
    """One pass: the gradient of the sum is divided when the number of tokens is known."""
    for p in model.parameters():
        p.grad = None
    nats, tokens = 0.0, 0
    for batch in micro_batches:
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        targets = batch["labels"][:, 1:]
        loss = F.cross_entropy(logits[:, :-1].transpose(1, 2), targets, ignore_index=ignore_index, reduction="sum")
        loss.backward()
        nats += loss.detach()
        tokens += targets.ne(ignore_index).sum()
    with torch.no_grad():
        for p in model.parameters():
            if p.grad is not None:
                p.grad /= tokens
    return (nats / tokens).item()


@right("week4.accumulate")
def means_weighted_by_their_share(model, micro_batches, ignore_index=-100):
    model.zero_grad(set_to_none=False)
    micro_batches = [*micro_batches]
    counts = [int((b["labels"][:, 1:] != ignore_index).sum()) for b in micro_batches]
    result = 0.0
    for b, count in zip(micro_batches, counts, strict=True):
        if count == 0:
            continue
        logits = model(input_ids=b["input_ids"], attention_mask=b["attention_mask"]).logits[:, :-1, :]
        mean = F.cross_entropy(
            logits.reshape(-1, logits.size(-1)), b["labels"][:, 1:].reshape(-1), ignore_index=ignore_index
        )
        share = count / sum(counts)
        torch.autograd.backward(mean * share)
        result += float(mean.detach()) * share
    return result


@right("week4.accumulate")
def by_autograd_grad(model, micro_batches, ignore_index=-100):
    trained = [p for p in model.parameters() if p.requires_grad]
    sums, tokens, nats = [torch.zeros_like(p) for p in trained], 0, 0.0
    for batch in micro_batches:
        counts = batch["labels"][:, 1:] != ignore_index
        if not counts.any():
            continue
        log_probs = (
            model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
            .logits[:, :-1]
            .log_softmax(-1)[counts]
        )
        loss = -log_probs.gather(-1, batch["labels"][:, 1:][counts][:, None]).sum()
        for total, gradient in zip(sums, torch.autograd.grad(loss, trained, allow_unused=True), strict=True):
            if gradient is not None:
                total.add_(gradient)
        tokens, nats = tokens + int(counts.sum()), nats + loss.item()
    for p, total in zip(trained, sums, strict=True):
        p.grad = total / tokens
    return nats / tokens


@right("week4.accumulate")
def by_the_gradient_of_the_logits(model, micro_batches, ignore_index=-100):
    """softmax minus one-hot, sent back through the model by hand."""
    model.zero_grad()
    batches = list(micro_batches)
    total = sum((b["labels"][:, 1:] != ignore_index).sum().item() for b in batches)
    loss = 0.0
    for b in batches:
        logits = model(input_ids=b["input_ids"], attention_mask=b["attention_mask"]).logits
        counts = F.pad(b["labels"][:, 1:] != ignore_index, (0, 1))
        targets = F.pad(b["labels"][:, 1:], (0, 1), value=0).where(counts, 0)[..., None]
        log_p = torch.log_softmax(logits.detach(), dim=-1)
        slope = log_p.exp().scatter_add(-1, targets, -torch.ones(*targets.shape))
        logits.backward(slope * counts[..., None] / total)
        loss -= (log_p.gather(-1, targets).squeeze(-1) * counts).sum().item() / total
    return loss


@right("week4.accumulate")
def row_by_row(model, micro_batches, ignore_index=-100):
    """Smaller still: every row is a micro-batch of its own."""
    model.zero_grad()
    rows = [
        {name: values[i : i + 1] for name, values in batch.items()}
        for batch in micro_batches
        for i in range(len(batch["labels"]))
    ]
    denominator = sum(torch.count_nonzero(row["labels"][0, 1:] != ignore_index) for row in rows)
    losses = []
    for row in rows:
        output = model(input_ids=row["input_ids"], attention_mask=row["attention_mask"])
        per_token = F.cross_entropy(
            output.logits[0, :-1], row["labels"][0, 1:], ignore_index=ignore_index, reduction="none"
        )
        loss = per_token.sum().div(denominator)
        loss.backward()
        losses.append(loss.item())
    return math.fsum(losses)


@dataclass
class _Mean:
    """A mean that is built up piece by piece."""

    model: torch.nn.Module
    ignored: int
    nats: float = 0.0
    tokens: int = 0

    def add(self, input_ids, attention_mask, labels):
        shifted = torch.full_like(labels, self.ignored)
        shifted[:, :-1] = labels[:, 1:]
        logits = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        loss = torch.nn.CrossEntropyLoss(ignore_index=self.ignored, reduction="sum")(logits.mT, shifted)
        loss.backward()
        self.nats += loss.item()
        self.tokens += int((shifted != self.ignored).sum())


@right("week4.accumulate")
def with_a_class(model, micro_batches, ignore_index=-100):
    [setattr(p, "grad", None) for p in model.parameters()]
    mean = _Mean(model, ignore_index)
    for batch in micro_batches:
        mean.add(**batch)
    for p in filter(lambda p: p.grad is not None, model.parameters()):
        p.grad = p.grad / mean.tokens
    return mean.nats / mean.tokens


@right("week4.accumulate")
def rescaled_as_it_goes(model, micro_batches, ignore_index=-100):
    """A running mean: what is there is shrunk before the next part is added."""
    model.zero_grad()
    seen, running = 0, np.float64(0)
    iterator = iter(micro_batches)
    while (batch := next(iterator, None)) is not None:
        labels = batch["labels"][:, 1:].flatten()
        new = int((labels != ignore_index).sum())
        if new:
            for p in model.parameters():
                if p.grad is not None:
                    p.grad.mul_(seen / (seen + new))
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
            loss = F.nll_loss(
                logits[:, :-1].flatten(0, 1).log_softmax(1), labels, ignore_index=ignore_index, reduction="sum"
            )
            (loss / (seen + new)).backward()
            running = (running * seen + loss.item()) / (seen + new)
            seen += new
    return float(running)


def _logits(model, batch):
    return model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1].flatten(0, 1)


@wrong("week4.accumulate", "mean of means")
def divided_by_the_steps_at_the_end(model, micro_batches, ignore_index=-100):
    model.zero_grad()
    losses = []
    for batch in micro_batches:
        labels = batch["labels"][:, 1:].flatten()
        nats = F.cross_entropy(_logits(model, batch), labels, ignore_index=ignore_index, reduction="none").sum()
        losses.append(nats / (labels != ignore_index).sum().clamp(min=1))
        losses[-1].backward()
    for p in model.parameters():
        if p.grad is not None:
            p.grad /= len(losses)
    return torch.stack(losses).mean().item()


@wrong("week4.accumulate", "no division")
def backward_and_nothing_else(model, micro_batches, ignore_index=-100):
    model.zero_grad()
    total = 0.0
    for batch in micro_batches:
        labels = batch["labels"][:, 1:].reshape(-1)
        if (labels == ignore_index).all():
            continue
        loss = F.cross_entropy(_logits(model, batch), labels, ignore_index=ignore_index)
        loss.backward()
        total += loss.item()
    return total


@wrong("week4.accumulate", "gradients zeroed in between")
def zeroed_by_habit(model, micro_batches, ignore_index=-100):
    batches, loss_sum = list(micro_batches), 0.0
    n = sum(int((b["labels"][:, 1:] != ignore_index).sum()) for b in batches)
    for b in batches:
        for p in model.parameters():
            p.grad = None
        labels = b["labels"][:, 1:].flatten()
        loss = F.cross_entropy(_logits(model, b), labels, ignore_index=ignore_index, reduction="sum") / n
        if (labels != ignore_index).any():
            loss.backward()
        loss_sum += loss.item()
    return loss_sum


@wrong("week4.accumulate", "one backward for all")
def total_loss_first(model, micro_batches, ignore_index=-100):
    model.zero_grad()
    losses, labels = [], []
    for b in micro_batches:
        labels.append(b["labels"][:, 1:].flatten())
        losses.append(F.cross_entropy(_logits(model, b), labels[-1], ignore_index=ignore_index, reduction="none"))
    total = torch.cat(losses).sum() / (torch.cat(labels) != ignore_index).sum()
    total.backward()
    return float(total.detach())


@wrong("week4.accumulate", "zero times NaN")
def mean_times_count(model, micro_batches, ignore_index=-100):
    model.zero_grad()
    nats, n = 0.0, 0
    for b in micro_batches:
        labels = b["labels"][:, 1:].flatten()
        count = int((labels != ignore_index).sum())
        summed = F.cross_entropy(_logits(model, b), labels, ignore_index=ignore_index) * count
        summed.backward()
        nats, n = nats + summed.item(), n + count
    for p in model.parameters():
        if p.grad is not None:
            p.grad.div_(n)
    return nats / n


@wrong("week4.accumulate", "weighted by the number of rows")
def weighted_by_examples(model, micro_batches, ignore_index=-100):
    model.zero_grad()
    batches, mean = list(micro_batches), 0.0
    examples = len(torch.cat([b["labels"][:, 0] for b in batches]))
    for b in batches:
        labels = b["labels"][:, 1:].flatten()
        if (labels != ignore_index).any():
            loss = F.cross_entropy(_logits(model, b), labels, ignore_index=ignore_index)
            (loss * b["input_ids"].shape[0]).div(examples).backward()
            mean += loss.item() * b["input_ids"].shape[0] / examples
    return mean


@wrong("week4.accumulate", "the whole batch at once")
def padded_and_stacked(model, micro_batches, ignore_index=-100):
    model.zero_grad()
    rows = [row for b in micro_batches for row in zip(*b.values(), strict=True)]
    columns = list(zip(*rows, strict=True))
    pad = torch.nn.utils.rnn.pad_sequence
    ids, mask = pad(columns[0], True), pad(columns[1], True)
    labels = pad(columns[2], True, padding_value=ignore_index)[:, 1:].flatten()
    loss = F.cross_entropy(
        _logits(model, {"input_ids": ids, "attention_mask": mask}), labels, ignore_index=ignore_index
    )
    loss.backward()
    return loss.item()


@wrong("week4.accumulate")
def every_graph_kept(model, micro_batches, ignore_index=-100):
    model.zero_grad()
    batches, losses = list(micro_batches), []
    n = sum(int((b["labels"][:, 1:] != ignore_index).sum()) for b in batches)
    for b in batches:
        labels = b["labels"][:, 1:].flatten()
        losses.append(F.cross_entropy(_logits(model, b), labels, ignore_index=ignore_index, reduction="sum") / n)
        losses[-1].backward(retain_graph=True)
    return sum(loss.item() for loss in losses)


@wrong("week4.accumulate")
def the_first_micro_batch_only(model, micro_batches, ignore_index=-100):
    model.zero_grad()
    (batch,) = itertools.islice(micro_batches, 1)
    loss = F.cross_entropy(_logits(model, batch), batch["labels"][:, 1:].flatten(), ignore_index=ignore_index)
    loss.backward()
    return loss.item()


@wrong("week4.accumulate")
def loss_of_the_last_micro_batch(model, micro_batches, ignore_index=-100):
    model.zero_grad()
    batches = list(micro_batches)
    n = sum(int((b["labels"][:, 1:] != ignore_index).sum()) for b in batches)
    for b in batches:
        labels = b["labels"][:, 1:].flatten()
        loss = F.cross_entropy(_logits(model, b), labels, ignore_index=ignore_index, reduction="sum") / n
        loss.backward()
    return loss.item()


@wrong("week4.accumulate")
def frozen_parameters_thawed(model, micro_batches, ignore_index=-100):
    model.requires_grad_(True)
    return means_weighted_by_their_share(model, micro_batches, ignore_index)


# --- update_steps -----------------------------------------------------------------------------------------------------


@right("week4.update_steps")
def steps_by_floor_division(n_examples, batch_size, accumulation_steps, epochs):
    per_update = batch_size * accumulation_steps
    return (n_examples + per_update - 1) // per_update * epochs


@right("week4.update_steps")
def steps_by_upside_down_floor(n_examples, batch_size, accumulation_steps, epochs):
    return epochs * -(n_examples // -(batch_size * accumulation_steps))


@right("week4.update_steps")
def steps_by_divmod(n_examples, batch_size, accumulation_steps, epochs):
    batches, rest = divmod(n_examples, batch_size)
    batches += bool(rest)
    updates, rest = divmod(batches, accumulation_steps)
    if rest > 0:
        updates += 1
    return updates * epochs


@right("week4.update_steps")
def steps_walked_through(n_examples, batch_size, accumulation_steps, epochs):
    steps = 0
    for _ in range(epochs):
        left = n_examples
        while left > 0:
            for _ in range(accumulation_steps):
                left -= batch_size
            steps += 1
    return steps


@right("week4.update_steps")
def steps_by_ranges(n_examples, batch_size, accumulation_steps, epochs):
    starts = range(0, n_examples, batch_size)
    return len(range(0, len(starts), accumulation_steps)) * epochs


@right("week4.update_steps")
def steps_counted_by_numpy(n_examples, batch_size, accumulation_steps, epochs):
    example = np.arange(n_examples)
    updates = np.unique(example // batch_size // accumulation_steps).size
    return int(np.full(epochs, updates).sum())


@right("week4.update_steps")
def steps_by_a_data_loader(n_examples, batch_size, accumulation_steps, epochs):
    if not n_examples:
        return 0
    loader = torch.utils.data.DataLoader(range(n_examples), batch_size=batch_size)
    flushes = [i for i, _ in enumerate(loader, start=1) if i % accumulation_steps == 0 or i == len(loader)]
    return epochs * len(flushes)


@wrong("week4.update_steps", "the remainder is dropped")
def steps_where_the_count_is_full(n_examples, batch_size, accumulation_steps, epochs):
    batches = len(range(0, n_examples, batch_size))
    return sum(i % accumulation_steps == 0 for _ in range(epochs) for i in range(1, batches + 1))


@wrong("week4.update_steps", "the remainder waits for the next epoch")
def steps_with_one_running_counter(n_examples, batch_size, accumulation_steps, epochs):
    held, steps = 0, 0
    for _ in range(epochs):
        for _ in range(0, n_examples, batch_size):
            held += 1
            if held == accumulation_steps:
                held, steps = 0, steps + 1
    return steps + (held > 0)


@wrong("week4.update_steps", "micro-batches counted")
def every_backward_a_step(n_examples, batch_size, accumulation_steps, epochs):
    return sum(1 for _ in range(epochs) for _ in range(0, n_examples, batch_size))


@wrong("week4.update_steps", "not rounded")
def updates_in_fractions(n_examples, batch_size, accumulation_steps, epochs):
    return n_examples / batch_size / accumulation_steps * epochs


@wrong("week4.update_steps", "one epoch only")
def updates_of_an_epoch(n_examples, batch_size, accumulation_steps, epochs):
    return math.ceil(math.ceil(n_examples / batch_size) / accumulation_steps)


@wrong("week4.update_steps", "the remainder and the last batch are dropped")
def dropped_twice(n_examples, batch_size, accumulation_steps, epochs):
    return n_examples // (batch_size * accumulation_steps) * epochs


@wrong("week4.update_steps", "one more in any case")
def one_more_for_safety(n_examples, batch_size, accumulation_steps, epochs):
    full, _ = divmod(n_examples, batch_size * accumulation_steps)
    return sum(full + 1 for _ in range(epochs))


@wrong("week4.update_steps")
def one_more_at_the_end(n_examples, batch_size, accumulation_steps, epochs):
    return epochs * (-(-n_examples // batch_size) // accumulation_steps) + 1
