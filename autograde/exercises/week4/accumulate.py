"""week4.accumulate: the gradient of a large batch from small ones."""

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, integers

VOCABULARY = 13
GPT, LLAMA = "course.lab.gpt", "a transformers Llama"


def _accumulate_probe(target, inputs):
    import weakref

    import torch

    if inputs["model"] == "a transformers Llama":
        from transformers import LlamaConfig, LlamaForCausalLM

        sizes = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1, "max_position_embeddings": 64}
        heads = {"num_attention_heads": 2, "num_key_value_heads": 1}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=inputs["vocabulary"], use_cache=False, **sizes, **heads))
    else:
        from course.lab.gpt import GPT, GPTConfig

        model = GPT(GPTConfig(vocab_size=inputs["vocabulary"], width=8, heads=2, mlp_width=12))
    draws = torch.Generator().manual_seed(inputs["seed"])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.5, generator=draws)
            if inputs["left over"]:
                parameter.grad = torch.randn(parameter.shape, generator=draws)
    if inputs["frozen"]:
        embedding = next(model.parameters())
        embedding.requires_grad_(False)
        embedding.grad = None

    class Kept:
        def __init__(self, tensor):
            self.tensor = tensor

    kept, entered, left = weakref.WeakSet(), [], []  # tensors that graphs hold, as micro-batches enter and leave

    def keep(tensor):
        held = Kept(tensor)
        kept.add(held)
        return held

    def watched(*args, forward=model.forward, **kwargs):
        ids = kwargs["input_ids"] if "input_ids" in kwargs else args[0]
        entered.append([len(kept), ids.numel()])
        output = forward(*args, **kwargs)
        left.append(len(kept))
        return output

    model.forward = watched  # reached by model(…) and model.forward(…) alike
    batches = inputs["micro_batches"]
    given = (batch for batch in batches) if inputs["given as"] == "a generator" else batches
    extra = {"ignore_index": inputs["ignore_index"]} if inputs["ignore_index"] != -100 else {}
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda held: held.tensor):
        loss = target(model, given, *extra.values())
    gradients = {n: torch.zeros_like(p) if p.grad is None else p.grad for n, p in model.named_parameters()}
    weights = torch.cat([p.detach().flatten() for p in model.parameters()])
    graph = bool(getattr(loss, "requires_grad", False))
    seen = {"loss": loss, "graph": graph, "gradients": gradients, "weights": weights}
    return {**seen, "entered": entered, "left": left}


def _observed(inputs, seen):
    """Loss, gradients, weights, and whether memory was needed for one micro-batch at a time."""
    largest = max(batch["input_ids"].numel() for batch in inputs["micro_batches"])
    of_one = max([after - before for (before, _), after in zip(seen["entered"], seen["left"], strict=True)], default=0)
    held = max([before for before, _ in seen["entered"]], default=0)
    return {
        "gradients": seen["gradients"],
        "loss returned": seen["loss"],
        "the loss keeps its graph": seen["graph"],
        "one micro-batch at a time goes through the model": all(n <= largest for _, n in seen["entered"]),
        "a graph is released before the next micro-batch enters": held <= 1.5 * of_one,
        "weights": seen["weights"],
    }


def micro_batch(rng, lengths, *, left=False, prompts=(), ignore_index=-100, pad=0):
    """Rows of these many real tokens, padded to the longest; the first prompts[i] labels of row i do not count."""
    longest = max(lengths)
    ids, mask = torch.full((len(lengths), longest), pad), torch.zeros(len(lengths), longest, dtype=torch.int64)
    labels = torch.full_like(ids, ignore_index)
    for row, length in enumerate(lengths):
        real = slice(longest - length, None) if left else slice(0, length)
        ids[row, real], mask[row, real] = integers(rng, 0, VOCABULARY - 1, length), 1
        labels[row, real] = ids[row, real]
    for row, prompt in enumerate(prompts):
        labels[row, :prompt] = ignore_index
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def _accumulate_cases(rng):
    def case(name, model, *batches, generator=False, ignore_index=-100, left_over=False, frozen=False):
        inputs = {"model": model, "seed": integer(rng, 0, 10_000), "vocabulary": VOCABULARY}
        inputs |= {"micro_batches": list(batches), "given as": "a generator" if generator else "a list"}
        return Case(name, {**inputs, "ignore_index": ignore_index, "left over": left_over, "frozen": frozen})

    def rows(*lengths, **options):
        return micro_batch(rng, lengths, **options)

    a, b = integer(rng, 3, 4), integer(rng, 6, 9)
    yield case("three micro-batches of unequal length", GPT, rows(a, a), rows(12, 12), rows(b, b))
    yield case("4, 8, 16 and 64 tokens", GPT, rows(4), rows(8), rows(16), rows(64), generator=True)
    batches = [rows(a, 9), rows(9, 8, 9), rows(a, a + 1, 9), rows(9)]
    yield case("padding on the right", LLAMA, *batches, generator=True)
    yield case("padding on the left", GPT, *(rows(n, 9, left=True) for n in (a, 8, 2)))
    batches = [rows(10, 10, prompts=prompts) for prompts in ((9, 8), (0, 2), (7, a), (1, 1))]
    yield case("prompts that do not count, rows of equal length", GPT, *batches)
    batches = [rows(7, 7), rows(a, 6, prompts=(a, 6)), rows(a, a)]
    yield case("a micro-batch in which nothing counts", GPT, *batches, generator=True)
    yield case("gradients left over from another step", GPT, rows(5, b), rows(a), left_over=True)
    yield case("a frozen embedding", LLAMA, rows(b, 3), rows(a, a, a), frozen=True, left_over=True)
    ignored = integer(rng, 1, VOCABULARY - 1)
    # the ignored id is a token like others: it does not count wherever it stands
    batches = [rows(8, 5, ignore_index=ignored, pad=ignored), rows(10, ignore_index=ignored, prompts=(a,)), rows(4, 4)]
    yield case("the ignored id is a token id", LLAMA, *batches, ignore_index=ignored)
    yield case("a single micro-batch", GPT, rows(6, a), generator=True)


def _whole_batch(model, micro_batches, ignore_index=-100):
    """All micro-batches padded to one length and joined: one forward, one backward."""
    model.zero_grad()
    batches = list(micro_batches)
    longest = max(batch["input_ids"].shape[1] for batch in batches)

    def joined(name, filler):
        return torch.cat([F.pad(b[name], (0, longest - b[name].shape[1]), value=filler) for b in batches])

    mask, labels = joined("attention_mask", 0), joined("labels", ignore_index)
    logits = model(input_ids=joined("input_ids", 0), attention_mask=mask).logits[:, :-1]
    loss = F.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=ignore_index)
    loss.backward()
    return loss.item()


def _expected(inputs):
    seen = _accumulate_probe(_whole_batch, inputs)
    return _observed(inputs, seen) | {"one micro-batch at a time goes through the model": True}


def _nats(model, batch, ignore_index, shift=1, masked=True):
    """→ (summed loss of a micro-batch, how many labels count)."""
    mask = batch["attention_mask"] if masked else None
    logits = model(input_ids=batch["input_ids"], attention_mask=mask).logits
    logits, labels = logits[:, : logits.shape[1] - shift], batch["labels"][:, shift:].flatten()
    nats = F.cross_entropy(logits.flatten(0, 1), labels, ignore_index=ignore_index, reduction="sum")
    return nats, int((labels != ignore_index).sum())


def _counted(batch, ignore_index):
    return int((batch["labels"][:, 1:] != ignore_index).sum())


def _weighted(weigh, value=None, shift=1, clear=True, masked=True):
    """An answer with its weights open: weigh(batches, k, ignore_index) → what the mean of micro-batch k is times."""

    def accumulate(model, micro_batches, ignore_index=-100):
        if clear:
            model.zero_grad()
        batches, mean = list(micro_batches), 0.0
        for k, batch in enumerate(batches):
            nats, count = _nats(model, batch, ignore_index, shift, masked)
            if count:
                weight = weigh(batches, k, ignore_index)
                (nats / count * weight).backward()
                mean += nats.item() / count * (value or weigh)(batches, k, ignore_index)
        return mean

    return accumulate


def _by_tokens(batches, k, ignore_index):
    return _counted(batches[k], ignore_index) / sum(_counted(batch, ignore_index) for batch in batches)


def _by_unshifted_tokens(batches, k, ignore_index):
    return _counted(batches[k], ignore_index) / sum(int((b["labels"] != ignore_index).sum()) for b in batches)


def _evenly(batches, k, ignore_index):
    return 1 / len(batches)


def _means_by_torch(model, micro_batches, ignore_index=-100):
    """The natural spelling of a mean of means: torch's own mean, NaN where nothing counts."""
    model.zero_grad()
    batches, mean = list(micro_batches), 0.0
    for batch in batches:
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
        labels = batch["labels"][:, 1:].flatten()
        loss = F.cross_entropy(logits.flatten(0, 1), labels, ignore_index=ignore_index) / len(batches)
        loss.backward()
        mean += loss.item()
    return mean


def _by_size(batches, k, ignore_index):
    return batches[k]["labels"].numel() / sum(batch["labels"].numel() for batch in batches)


def _by_rows(batches, k, ignore_index):
    return len(batches[k]["labels"]) / sum(len(batch["labels"]) for batch in batches)


def _by_real_tokens(batches, k, ignore_index):
    return int(batches[k]["attention_mask"].sum()) / sum(int(batch["attention_mask"].sum()) for batch in batches)


def _as_a_sum(batches, k, ignore_index):
    return _counted(batches[k], ignore_index)


def _not_at_all(batches, k, ignore_index):
    return 1


def _zeroed_in_between(model, micro_batches, ignore_index=-100):
    batches, mean = list(micro_batches), 0.0
    for k, batch in enumerate(batches):
        model.zero_grad()
        nats, count = _nats(model, batch, ignore_index)
        if count:
            (nats / count * _by_tokens(batches, k, ignore_index)).backward()
            mean += nats.item() / count * _by_tokens(batches, k, ignore_index)
    return mean


def _nothing_times_nan(model, micro_batches, ignore_index=-100):
    model.zero_grad()
    batches, mean = list(micro_batches), 0.0
    for k, batch in enumerate(batches):
        nats, count = _nats(model, batch, ignore_index)
        loss = nats / torch.tensor(count) * _by_tokens(batches, k, ignore_index)
        loss.backward()
        mean += loss.item()
    return mean


def _reads_twice(model, micro_batches, ignore_index=-100):
    model.zero_grad()
    total, mean = sum(_counted(batch, ignore_index) for batch in micro_batches), 0.0
    for batch in micro_batches:
        nats, _ = _nats(model, batch, ignore_index)
        (nats / total).backward()
        mean += nats.item() / total
    return mean


def _one_backward(model, micro_batches, ignore_index=-100):
    model.zero_grad()
    pairs = [_nats(model, batch, ignore_index) for batch in micro_batches]
    loss = sum(nats for nats, _ in pairs) / sum(count for _, count in pairs)
    loss.backward()
    return loss.item()


def _only_minus_100(model, micro_batches, ignore_index=-100):
    return _weighted(_by_tokens)(model, micro_batches, -100)


def _nothing_returned(model, micro_batches, ignore_index=-100):
    _weighted(_by_tokens)(model, micro_batches, ignore_index)


def _keeps_the_graph(model, micro_batches, ignore_index=-100):
    model.zero_grad()
    batches = list(micro_batches)
    total = sum(_counted(batch, ignore_index) for batch in batches)
    losses = []
    for batch in batches:
        losses.append(_nats(model, batch, ignore_index)[0] / total)
        losses[-1].backward()
    return sum(losses)


ACCUMULATE = Exercise(
    id="week4.accumulate",
    title="Accumulate gradients",
    points=4,
    minutes=25,
    why="For years widely used trainers averaged the means of the micro-batches, and followed another gradient.",
    oracle="autograd on the whole batch at once",
    cases=_accumulate_cases,
    probe=_accumulate_probe,
    observe=_observed,
    expected=_expected,
    tolerance=Tolerance(rtol=2e-4, atol=2e-5),
    seconds=30.0,  # transformers is imported in it
    misconceptions=(
        *(
            Misconception(
                "mean of means",
                answer,
                "You average the means of the micro-batches. A token in a micro-batch of 4 then weighs as much as 16 "
                "tokens in one of 64. By what would you divide if all tokens lay in one batch?",
            )
            for answer in (_weighted(_evenly), _weighted(_evenly, _by_tokens), _means_by_torch)
        ),
        Misconception(
            "no division",
            _weighted(_not_at_all),
            "You add up the means of the micro-batches and divide by nothing: k of them give a loss, and a gradient, "
            "about k times too large.",
        ),
        *(
            Misconception(
                "only the logged loss is divided",
                _weighted(_not_at_all, value),
                "The loss that you return is divided, the gradient is not: with k micro-batches the update is about k "
                "times too large, and no log shows it.",
            )
            for value in (_evenly, _by_tokens)
        ),
        Misconception(
            "a sum over the tokens",
            _weighted(_as_a_sum),
            "Your gradient is that of the summed loss. It grows with the number of tokens, and the learning rate would "
            "have to shrink with it.",
        ),
        Misconception(
            "gradients zeroed in between",
            _zeroed_in_between,
            "Only the last micro-batch is left in `.grad`. When does a new sum begin, and when does it go on?",
        ),
        Misconception(
            "weighted by the size of the micro-batch",
            _weighted(_by_size),
            "You weigh a micro-batch by B·T. Padding and prompts fill places but carry no loss: they are no reason to "
            "weigh more.",
        ),
        Misconception(
            "weighted by the number of rows",
            _weighted(_by_rows),
            "You weigh a micro-batch by its rows. A row may count three tokens or sixty.",
        ),
        Misconception(
            "weighted by the real tokens",
            _weighted(_by_real_tokens),
            "You weigh a micro-batch by its attention mask. A prompt is read, and its labels still do not count.",
        ),
        Misconception(
            "labels counted before the shift",
            _weighted(_by_unshifted_tokens),
            "Your divisor also counts the first label of each row. No position predicts it.",
        ),
        Misconception(
            "labels not shifted",
            _weighted(_by_tokens, shift=0),
            "You compare position t with label t. The labels of a batch are not shifted: what does position t predict?",
        ),
        Misconception(
            "old gradients kept",
            _weighted(_by_tokens, clear=False),
            "Gradients of an earlier step lie in `.grad` when you begin, and your sum starts from them.",
        ),
        Misconception(
            "zero times NaN",
            _nothing_times_nan,
            "A micro-batch that counts no token has the mean 0/0, NaN, and zero times NaN is NaN. How can it take part "
            "without a mean of its own?",
        ),
        Misconception(
            "the generator is read twice",
            _reads_twice,
            "A generator can be read once. After you have counted the tokens, nothing is left to train on.",
        ),
        Misconception(
            "one backward for all",
            _one_backward,
            "The gradient is right. But all graphs are alive until your one backward at the end, so you need the "
            "memory of the whole batch, which accumulation is there to save. Derivatives add up: when can you call "
            "backward?",
        ),
        Misconception(
            "the whole batch at once",
            _whole_batch,
            "You join the micro-batches and send all of them through the model together. The gradient is right, but "
            "the memory for it is what you did not have.",
        ),
        Misconception(
            "no attention mask",
            _weighted(_by_tokens, masked=False),
            "The model does not hear from you which places are padding, and attends to them.",
        ),
        Misconception(
            "the argument ignore_index is not used",
            _only_minus_100,
            "Your answer ignores -100 only. Which id does not count is the caller's choice: see `ignore_index`.",
        ),
        Misconception(
            "nothing returned",
            _nothing_returned,
            "The gradient is right; the mean loss is to be returned as well.",
        ),
        Misconception(
            "a loss that keeps its graph",
            _keeps_the_graph,
            "You return a tensor that still hangs on the graph. Whoever keeps such losses for a plot keeps every graph "
            "of the run: return a plain number.",
        ),
    ),
)
