"""week4.stable_step: accumulate, clip, step, zero, and drop what is not finite."""

import math

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, uniform
from autograde.exercises.week4.accumulate import GPT, LLAMA, VOCABULARY, micro_batch

SGD, ADAMW = "SGD with momentum", "AdamW"
POISON = VOCABULARY  # an id that no healthy micro-batch holds
NAN_LOSS, INF_LOSS, NAN_GRADIENT, INF_GRADIENT = "a NaN loss", "an infinite loss", "a NaN gradient", "an inf gradient"


def _stable_probe(target, inputs):
    import math

    import torch

    size = inputs["vocabulary"] + 1  # the last id poisons its micro-batch
    if inputs["model"] == "a transformers Llama":
        from transformers import LlamaConfig, LlamaForCausalLM

        sizes = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1, "max_position_embeddings": 64}
        heads = {"num_attention_heads": 2, "num_key_value_heads": 1}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=size, use_cache=False, **sizes, **heads))
    else:
        from course.lab.gpt import GPT, GPTConfig

        model = GPT(GPTConfig(vocab_size=size, width=8, heads=2, mlp_width=12))
    draws = torch.Generator().manual_seed(inputs["seed"])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.5, generator=draws)
            if inputs["left over"]:
                parameter.grad = torch.randn(parameter.shape, generator=draws)
    if inputs["optimizer"] == "AdamW":
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.05, eps=1e-2, weight_decay=0.1)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9, weight_decay=0.01)
    poison = {"kind": "", "met": False}

    def spoilt(*args, forward=model.forward, **kwargs):
        ids, output = kwargs["input_ids"] if "input_ids" in kwargs else args[0], forward(*args, **kwargs)
        if not bool((ids == size - 1).any()):
            return output
        poison["met"] = True
        if poison["kind"] == "a NaN loss":
            output.logits = output.logits * math.nan
        if poison["kind"] == "an infinite loss":  # no probability for the token that comes second, no gradient either
            output.logits = output.logits.index_fill(-1, ids[0, 1:2], -math.inf)
        if poison["kind"] == "a NaN gradient":  # of a root at 0
            output.logits = output.logits + (0.0 * output.logits.sum()).abs().sqrt()
        return output

    model.forward = spoilt  # reached by model(…) and model.forward(…) alike
    last = list(model.parameters())[-1]
    last.register_hook(lambda g: g + math.inf if poison["met"] and poison["kind"] == "an inf gradient" else g)
    updates = []
    for update in inputs["updates"]:
        poison.update(kind=update["poison"], met=False)
        batches = update["micro_batches"]
        given = (batch for batch in batches) if inputs["given as"] == "a generator" else batches
        result = target(model, given, optimizer, inputs["max_norm"])
        if isinstance(result, dict):
            result = {key: result[key] for key in ("loss", "grad_norm", "skipped") if key in result}
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in model.parameters()]
        flat = [torch.cat([t.detach().flatten() for t in tensors]) for tensors in (model.parameters(), gradients)]
        updates.append({"result": result, "weights": flat[0], "gradients": flat[1]})
    return updates


def _observed(inputs, seen):
    observed = {}
    for number, (update, after) in enumerate(zip(inputs["updates"], seen, strict=True), 1):
        result = after["result"]
        if isinstance(result, dict):
            result = dict(result)
            if getattr(result.get("skipped"), "dtype", type(result.get("skipped"))) in (bool, torch.bool):
                result["skipped"] = int(result["skipped"])
            if update["poison"]:
                result |= {key: "not looked at" for key in ("loss", "grad_norm") if key in result}
        weights, gradients = after["weights"], after["gradients"]
        observed[f"update {number}"] = {"returned": result, "weights": weights, "gradients afterwards": gradients}
    return observed


def _stable_cases(rng):
    def case(name, model, optimizer, max_norm, *updates, generator=False, left_over=False):
        inputs = {"model": model, "seed": integer(rng, 0, 10_000), "vocabulary": VOCABULARY, "optimizer": optimizer}
        inputs |= {"updates": list(updates), "max_norm": max_norm, "given as": "a generator" if generator else "a list"}
        return Case(name, {**inputs, "left over": left_over})

    def update(*shapes, poison="", where=()):
        """Micro-batches of these row lengths; those at the places `where` are poisoned."""
        batches = [
            micro_batch(rng, lengths, prompts=[0, *[integer(rng, 0, 2) for _ in lengths[1:]]]) for lengths in shapes
        ]
        for place in where:
            batches[place]["input_ids"][0, -1] = POISON
        return {"micro_batches": batches, "poison": poison}

    def good():
        lengths = [integer(rng, 3, 5), 12]
        return update(*((lengths[i],) * integer(rng, 1, 2) for i in torch.randperm(2, generator=rng).tolist()))

    tight, wide = uniform(rng, 0.1, 0.3), 1000.0
    yield case("three updates, each clipped", GPT, SGD, tight, good(), good(), good())
    yield case("a limit that is never reached", LLAMA, SGD, wide, good(), good(), generator=True)
    bad = update((6,), (9, 4), (5,), poison=NAN_LOSS, where=[1])
    yield case("a NaN loss in the second update", GPT, SGD, tight, good(), bad, good())
    bad = update((4, 6), (8,), poison=INF_LOSS, where=[0])
    yield case("an infinite loss, gradients finite", GPT, ADAMW, wide, good(), bad, good(), generator=True)
    bad = update((7, 4), (6,), poison=NAN_GRADIENT, where=[1])
    yield case("a NaN gradient, losses finite", LLAMA, ADAMW, tight, bad, good())
    bad = update((6, 6), (9,), poison=INF_GRADIENT, where=[1])
    yield case("an infinite gradient, losses finite", GPT, SGD, tight, good(), bad, good())
    bad = update((5,), (9,), (6, 3), poison=NAN_LOSS, where=[0, 2])
    yield case("two bad micro-batches in the first update", GPT, ADAMW, tight, bad, good())
    yield case(
        "gradients left over from somebody else", GPT, SGD, tight, good(), good(), generator=True, left_over=True
    )
    empty = {"micro_batches": [micro_batch(rng, (5, 5)), micro_batch(rng, (4, 6), prompts=(4, 6))], "poison": ""}
    yield case("a micro-batch in which nothing counts", GPT, SGD, uniform(rng, 0.4, 0.6), empty, good())


def _nats(model, batch):
    """→ (summed loss of a micro-batch, how many labels count)."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    labels = batch["labels"][:, 1:].flatten()
    return F.cross_entropy(logits.flatten(0, 1), labels, reduction="sum"), int((labels != -100).sum())


def _reference(model, micro_batches, optimizer, max_norm):
    """One graph for the whole batch, torch's own clipping."""
    optimizer.zero_grad()
    pairs = [_nats(model, batch) for batch in micro_batches]
    loss = sum(nats for nats, _ in pairs) / sum(count for _, count in pairs)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    skipped = not bool(loss.isfinite() & norm.isfinite())
    if not skipped:
        optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss.item(), "grad_norm": norm.item(), "skipped": int(skipped)}


def _both(loss, norm):
    return math.isfinite(loss) and math.isfinite(norm)


def _clip(model, max_norm):
    return float(torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm))


def _gradients(model):
    return [p.grad for p in model.parameters() if p.grad is not None]


def _even_mean_by_torch(model, batches):
    """The same with torch's own mean, NaN where nothing counts."""
    loss = 0.0
    for batch in batches:
        nats, count = _nats(model, batch)
        part = nats / count / len(batches)
        part.backward()
        loss += part.item()
    return loss


def _even_mean(model, batches):
    """Backward through mean of means → the loss."""
    loss = 0.0
    for batch in batches:
        nats, count = _nats(model, batch)
        part = nats / max(count, 1) / len(batches)
        part.backward()
        loss += part.item()
    return loss


def _sum_of_means(model, batches):
    """Means added up, while the loss that is logged is divided."""
    loss = 0.0
    for batch in batches:
        nats, count = _nats(model, batch)
        (nats / max(count, 1)).backward()
        loss += nats.item()
    return loss / sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in batches)


def _token_mean(model, batches, after_each=lambda: None, keep=lambda nats: True):
    """Backward through the mean over all counted tokens → the loss; `after_each` is called after every backward."""
    loss, total = 0.0, sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in batches)
    for batch in batches:
        nats, _ = _nats(model, batch)
        if keep(nats):
            (nats / total).backward()
            loss += nats.item() / total
            after_each()
    return loss


def _with(*, mean=_token_mean, clip=_clip, finite=_both, zero_first=True, zero_last=True, bad=lambda optimizer: None):
    """An answer with its choices open: the loss, the clipping, what is finite, when gradients are cleared."""

    def stable_step(model, micro_batches, optimizer, max_norm):
        if zero_first:
            optimizer.zero_grad()
        loss = mean(model, list(micro_batches))
        norm = clip(model, max_norm)
        ok = finite(loss, norm)
        if ok:
            optimizer.step()
        else:
            bad(optimizer)
        if zero_last is True or (zero_last == "after a step" and ok):
            optimizer.zero_grad()
        return {"loss": loss, "grad_norm": norm, "skipped": int(not ok)}

    return stable_step


def _norm_of(gradients):
    return float(torch.nn.utils.get_total_norm(gradients))


def _clip_each_tensor(model, max_norm):
    norm = _norm_of(_gradients(model))
    for p in model.parameters():
        if p.grad is not None:
            torch.nn.utils.clip_grad_norm_([p], max_norm)
    return norm


def _norm_after(model, max_norm):
    _clip(model, max_norm)
    return _norm_of(_gradients(model))


def _only_measured(model, max_norm):
    return _norm_of(_gradients(model))


def _nan_to_zero(model, max_norm):
    for gradient in _gradients(model):
        gradient.nan_to_num_(0.0, 0.0, 0.0)
    return _clip(model, max_norm)


def _clips_every_micro_batch(model, micro_batches, optimizer, max_norm):
    optimizer.zero_grad()
    norms = []
    loss = _token_mean(model, list(micro_batches), lambda: norms.append(_clip(model, max_norm)))
    ok = _both(loss, sum(norms))
    if ok:
        optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norms[-1], "skipped": int(not ok)}


def _steps_every_micro_batch(model, micro_batches, optimizer, max_norm):
    batches, loss, skipped = list(micro_batches), 0.0, 0
    for batch in batches:
        optimizer.zero_grad()
        nats, count = _nats(model, batch)
        (nats / max(count, 1)).backward()
        loss += nats.item() / max(count, 1) / len(batches)
        norm = _clip(model, max_norm)
        if _both(nats.item(), norm):
            optimizer.step()
        else:
            skipped = 1
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norm, "skipped": skipped}


def _divides_after_clipping(model, micro_batches, optimizer, max_norm):
    optimizer.zero_grad()
    nats, total = 0.0, 0
    for batch in micro_batches:
        summed, count = _nats(model, batch)
        summed.backward()
        nats, total = nats + summed.item(), total + count
    norm = _clip(model, max_norm)
    for gradient in _gradients(model):
        gradient.div_(total)
    ok = _both(nats, norm)
    if ok:
        optimizer.step()
    optimizer.zero_grad()
    return {"loss": nats / total, "grad_norm": norm / total, "skipped": int(not ok)}


def _bad_ones_left_out(model, micro_batches, optimizer, max_norm):
    """Micro-batches that are not finite are dropped by themselves, the others make an update."""
    optimizer.zero_grad()
    loss, bad, batches = 0.0, 0, list(micro_batches)
    total = sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in batches)
    for batch in batches:
        nats, _ = _nats(model, batch)
        gradients = torch.autograd.grad(nats / total, list(model.parameters()))
        if not (nats.isfinite() and all(g.isfinite().all() for g in gradients)):
            bad = 1
            continue
        for p, g in zip(model.parameters(), gradients, strict=True):
            p.grad = g if p.grad is None else p.grad + g
        loss += nats.item() / total
    norm = _clip(model, max_norm)
    optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norm, "skipped": bad}


def _bad_ones_counted(model, micro_batches, optimizer, max_norm):
    """The right update, and the number of micro-batches whose loss is not finite in place of 0 or 1."""
    optimizer.zero_grad()
    batches, bad = list(micro_batches), []
    loss = _token_mean(model, batches, keep=lambda nats: bad.append(not nats.isfinite()) or True)
    norm = _clip(model, max_norm)
    ok = _both(loss, norm)
    if ok:
        optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norm, "skipped": sum(map(int, bad)) or int(not ok)}


def _weights_put_back(model, micro_batches, optimizer, max_norm):
    """Steps, and takes the weights back where they came out broken: the optimizer's state stays broken."""
    before = [p.detach().clone() for p in model.parameters()]
    result = _with(finite=lambda loss, norm: True)(model, micro_batches, optimizer, max_norm)
    result["skipped"] = int(not _both(result["loss"], result["grad_norm"]))
    if result["skipped"]:
        with torch.no_grad():
            for p, old in zip(model.parameters(), before, strict=True):
                p.copy_(old)
    return result


def _zeros_stepped(optimizer):
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = torch.zeros_like(p)
    optimizer.step()


def _reads_twice(model, micro_batches, optimizer, max_norm):
    optimizer.zero_grad()
    total, loss = sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in micro_batches), 0.0
    for batch in micro_batches:
        nats, _ = _nats(model, batch)
        (nats / total).backward()
        loss += nats.item() / total
    norm = _clip(model, max_norm)
    ok = _both(loss, norm)
    if ok:
        optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norm, "skipped": int(not ok)}


def _step_before_clip(model, micro_batches, optimizer, max_norm):
    optimizer.zero_grad()
    loss = _token_mean(model, list(micro_batches))
    norm = _norm_of(_gradients(model))
    ok = _both(loss, norm)
    if ok:
        optimizer.step()
    _clip(model, max_norm)
    optimizer.zero_grad()
    return {"loss": loss, "grad_norm": norm, "skipped": int(not ok)}


def _raises(model, micro_batches, optimizer, max_norm):
    def clip(model, max_norm):
        return float(torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm, error_if_nonfinite=True))

    return _with(clip=clip)(model, micro_batches, optimizer, max_norm)


STABLE_STEP = Exercise(
    id="week4.stable_step",
    title="A step that holds",
    points=4,
    minutes=25,
    why="One broken batch, stepped on once, turns every weight into NaN. In the right order it costs one update.",
    oracle="the trace of one backward, torch's clip_grad_norm_ and torch.optim",
    cases=_stable_cases,
    probe=_stable_probe,
    observe=_observed,
    expected=lambda inputs: _observed(inputs, _stable_probe(_reference, inputs)),
    tolerance=Tolerance(rtol=5e-4, atol=5e-5),
    seconds=30.0,  # transformers is imported in it
    misconceptions=(
        Misconception(
            "every micro-batch clipped",
            _clips_every_micro_batch,
            "You clip after every micro-batch. The limit is meant for the gradient of the whole batch, and that is "
            "there only after the last one.",
        ),
        Misconception(
            "a step on what is not finite",
            _with(finite=lambda loss, norm: True),
            "After the broken batch every weight is NaN, and stays so. What do you know before you step?",
        ),
        Misconception(
            "NaN slips through a comparison",
            _with(finite=lambda loss, norm: not (loss > 1e9 or norm > 1e9)),
            "`NaN > limit` is False, as is every comparison with NaN: it passes as harmless. Ask for what must hold, "
            "not for what must not.",
        ),
        Misconception(
            "only NaN is caught",
            _with(finite=lambda loss, norm: not (math.isnan(loss) or math.isnan(norm))),
            "You catch NaN, and infinity passes.",
        ),
        Misconception(
            "only the loss is looked at",
            _with(finite=lambda loss, norm: math.isfinite(loss)),
            "A finite loss can have an infinite gradient: a root at zero has one. What else tells you, that you have "
            "computed anyway?",
        ),
        Misconception(
            "only the gradient is looked at",
            _with(finite=lambda loss, norm: math.isfinite(norm)),
            "A loss of infinity passes: its gradient may be finite. Look at both.",
        ),
        Misconception(
            "only the bad micro-batch dropped",
            _bad_ones_left_out,
            "You leave the bad micro-batch out and step with the rest. Here one bad one drops the whole update.",
        ),
        Misconception(
            "bad micro-batches counted",
            _bad_ones_counted,
            '"skipped" counts updates: 1 where this one was dropped, however many micro-batches were bad.',
        ),
        Misconception(
            "NaN replaced by zero",
            _with(clip=_nan_to_zero, finite=lambda loss, norm: True),
            "You turn NaN into 0 and step with what is left: half a gradient that nobody asked for.",
        ),
        Misconception(
            "a step with gradients of zero",
            _with(bad=_zeros_stepped),
            "You drop the batch by a step with gradients of zero. Momentum goes on all the same, and the weights move.",
        ),
        Misconception(
            "weights put back, state broken",
            _weights_put_back,
            "You take the weights back after the step. What the optimizer remembers of it is still NaN.",
        ),
        Misconception(
            "an error instead of a skip",
            _raises,
            "A broken batch ends the run with an error. It should cost one update.",
        ),
        Misconception(
            "a step for every micro-batch",
            _steps_every_micro_batch,
            "You step after every micro-batch. The weights should move once, when the whole gradient is there.",
        ),
        *(
            Misconception(
                "mean of means",
                _with(mean=mean),
                "You average the means of the micro-batches, though they count different numbers of tokens. Your "
                "`accumulate` has solved that.",
            )
            for mean in (_even_mean, _even_mean_by_torch)
        ),
        Misconception(
            "no division",
            _with(mean=_sum_of_means),
            "The loss that you report is a mean; the gradient that you step with is a sum of means.",
        ),
        Misconception(
            "divides after clipping",
            _divides_after_clipping,
            "You clip the sum and divide afterwards: what was at the limit is then far below it. When is the gradient "
            "the one that the limit is meant for?",
        ),
        *(
            Misconception(
                "the step is not clipped",
                answer,
                "The norm that you report is right, but your weights take the whole step: nothing has been clipped "
                "when it is taken.",
            )
            for answer in (_step_before_clip, _with(clip=_only_measured))
        ),
        Misconception(
            "each tensor clipped by itself",
            _with(clip=_clip_each_tensor),
            "You clip each tensor by its own norm, which turns the step.",
        ),
        Misconception(
            "the norm after clipping",
            _with(clip=_norm_after),
            'You report the norm after clipping. "grad_norm" is the one before it: else no log shows how large it was.',
        ),
        Misconception(
            "gradients not cleared at the end",
            _with(zero_last=False),
            "After your step the gradients are still there. The next one who adds to them starts from this batch.",
        ),
        Misconception(
            "gradients of a dropped batch kept",
            _with(zero_first=False, zero_last="after a step"),
            "You clear the gradients after a step only. Those of a dropped batch, NaN among them, are added to the "
            "next.",
        ),
        Misconception(
            "old gradients counted",
            _with(zero_first=False),
            "Somebody has left gradients in `.grad` before your first update, and you add to them.",
        ),
        Misconception(
            "the generator is read twice",
            _reads_twice,
            "A generator can be read once. After you have counted the tokens, nothing is left to train on.",
        ),
    ),
)
