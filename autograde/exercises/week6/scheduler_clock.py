"""week6.scheduler_clock: the schedule counts updates."""

import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, uniform
from autograde.exercises.week4.accumulate import GPT, LLAMA, VOCABULARY, micro_batch

SGD, ADAMW = "SGD with momentum", "AdamW"


def _clock_probe(target, inputs):
    import torch

    size = inputs["vocabulary"]
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
    parameters = list(model.parameters())
    groups = [{"params": parameters}]
    if inputs["second group"]:
        groups = [{"params": parameters[1:]}, {"params": parameters[:1], "lr": 0.1}]
    if inputs["optimizer"] == "AdamW":
        optimizer = torch.optim.AdamW(groups, lr=0.05, eps=1e-2, weight_decay=0.1)
    else:
        optimizer = torch.optim.SGD(groups, lr=0.5, momentum=0.9)
    shares = inputs["shares"]  # of the base rate, by the count of updates; the last for all that follow
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda count: shares[min(count, len(shares) - 1)])
    used = []
    optimizer.register_step_pre_hook(lambda *_: used.append(float(optimizer.param_groups[0]["lr"])))
    arguments = inputs["micro_batches"], optimizer, scheduler, inputs["accumulation_steps"], inputs["epochs"]
    returned = target(model, *arguments)
    following = float(optimizer.param_groups[0]["lr"])
    weights = torch.cat([p.detach().flatten() for p in model.parameters()])
    return {"returned": returned, "rates of the steps": used, "rate afterwards": following, "weights": weights}


def _observed(inputs, seen):
    """What was returned comes last: where it alone differs, the training was right."""
    return {name: seen[name] for name in ("rates of the steps", "rate afterwards", "weights", "returned")}


def _clock_cases(rng):
    def case(name, model, optimizer, n, accumulation_steps, epochs, left_over=False, second_group=False, cosine=False):
        """`n` micro-batches an epoch."""
        batches = [micro_batch(rng, [integer(rng, 3, 9) for _ in range(integer(rng, 1, 2))]) for _ in range(n)]
        updates = epochs * -(-n // accumulation_steps)
        shares = [0.0, 0.5, 1.0, *(1.0 - 0.8 * i / updates for i in range(1, n * epochs + 3))]
        if cosine:  # no warmup: every two neighbours differ
            shares = [uniform(rng, 0.9, 1.0) * 0.9**i for i in range(n * epochs + 3)]
        inputs = {"micro_batches": batches, "accumulation_steps": accumulation_steps, "epochs": epochs}
        inputs |= {"model": model, "optimizer": optimizer, "seed": integer(rng, 0, 10_000), "vocabulary": VOCABULARY}
        inputs |= {"shares": [round(share, 4) for share in shares]}
        return Case(name, {**inputs, "left over": left_over, "second group": second_group})

    yield case("everything fits", GPT, SGD, 6, 2, 2)
    yield case("one micro-batch left over in each epoch", GPT, SGD, 5, 2, 3)
    yield case("two left over", LLAMA, ADAMW, 5, 3, 2, cosine=True)
    yield case("no accumulation", GPT, ADAMW, 4, 1, 2)
    yield case("an epoch shorter than one update", GPT, SGD, 2, 4, 4, cosine=True)
    yield case("one epoch", LLAMA, SGD, 4, 2, 1)
    yield case("gradients left over from somebody else", GPT, SGD, 4, 2, 2, left_over=True, cosine=True)
    yield case("a second group with a rate of its own", GPT, ADAMW, 4, 2, 2, second_group=True, cosine=True)


def _nats(model, batch):
    """→ (summed loss of a micro-batch, how many labels count)."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    labels = batch["labels"][:, 1:].flatten()
    return F.cross_entropy(logits.flatten(0, 1), labels, reduction="sum"), int((labels != -100).sum())


def _backward(model, batches, even=False):
    """The gradient of the mean over all tokens, or of the mean of means, on top of what is there."""
    pairs = [_nats(model, batch) for batch in batches]
    if even:
        loss = sum(nats / max(count, 1) for nats, count in pairs) / len(pairs)
    else:
        loss = sum(nats for nats, _ in pairs) / sum(count for _, count in pairs)
    loss.backward()


def _chunks(micro_batches, size, epochs):
    """The micro-batches of each update, epoch by epoch."""
    return [[micro_batches[i : i + size] for i in range(0, len(micro_batches), size)] for _ in range(epochs)]


def _clock(
    chunks=_chunks,
    before=lambda scheduler: None,
    each=lambda scheduler, batches: scheduler.step(),
    epoch=lambda scheduler: None,
    even=False,
    zero=lambda optimizer: optimizer.zero_grad(),
    first=lambda optimizer: None,
    rates=lambda then, now: then,
):
    """The training with its choices open; the defaults are right."""

    def scheduler_clock(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
        first(optimizer)
        used = []
        for updates in chunks(micro_batches, accumulation_steps, epochs):
            for batches in updates:
                zero(optimizer)
                _backward(model, batches, even)
                before(scheduler)
                then = optimizer.param_groups[0]["lr"]
                optimizer.step()
                each(scheduler, batches)
                used.append(rates(then, optimizer.param_groups[0]["lr"]))
            epoch(scheduler)
        return used

    return scheduler_clock


def _leftovers_dropped(micro_batches, size, epochs):
    return [[c for c in updates if len(c) == size] for updates in _chunks(micro_batches, size, epochs)]


def _carried_over(micro_batches, size, epochs):
    return _chunks(micro_batches * epochs, size, 1)


def _every_micro_batch(micro_batches, size, epochs):
    return _chunks(micro_batches, 1, epochs)


def _once(micro_batches, size, epochs):
    return _chunks(micro_batches, size, 1)


def _by_micro_batch(scheduler, batches):
    for _ in batches:
        scheduler.step()


def _nothing(*_):
    return None


def _per_micro_batch_inside(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    """The scheduler moves on with each backward, so before the optimizer."""
    used = []
    for updates in _chunks(micro_batches, accumulation_steps, epochs):
        for batches in updates:
            optimizer.zero_grad()
            _backward(model, batches)
            _by_micro_batch(scheduler, batches)
            used.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
    return used


def _zeroed_at_the_wrong_place(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    """Cleared before each micro-batch: the last one of an update is all that counts."""
    used = []
    for updates in _chunks(micro_batches, accumulation_steps, epochs):
        for batches in updates:
            total = sum(int((b["labels"][:, 1:] != -100).sum()) for b in batches)
            for batch in batches:
                optimizer.zero_grad()
                (_nats(model, batch)[0] / total).backward()
            used.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    return used


def _not_after_the_last(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    left = epochs * -(-len(micro_batches) // accumulation_steps)

    def tick(scheduler, batches):
        nonlocal left
        left -= 1
        if left:
            scheduler.step()

    return _clock(each=tick)(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs)


def _no_tick_for_leftovers(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    def tick(scheduler, batches):
        if len(batches) == accumulation_steps:
            scheduler.step()

    return _clock(each=tick)(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs)


def _returns_nothing(*inputs):
    _clock()(*inputs)


SCHEDULER_CLOCK = Exercise(
    id="week6.scheduler_clock",
    title="Whose clock is it?",
    points=4,
    minutes=20,
    why="Two large libraries shipped this wrong: the rate ran out after a fraction of the run, without any error.",
    oracle="a run with torch.optim and torch.optim.lr_scheduler.LambdaLR, one graph for each update",
    cases=_clock_cases,
    probe=_clock_probe,
    observe=_observed,
    expected=lambda inputs: _observed(inputs, _clock_probe(_clock(), inputs)),
    tolerance=Tolerance(rtol=1e-3, atol=1e-4),
    misconceptions=(
        *(
            Misconception(
                "once for each micro-batch",
                answer,
                "Your schedule moves on with every micro-batch, so it is through after a fraction of the updates. What "
                "does one tick of its clock stand for?",
            )
            for answer in (_clock(each=_by_micro_batch), _per_micro_batch_inside)
        ),
        Misconception(
            "before the optimizer",
            _clock(before=lambda scheduler: scheduler.step(), each=_nothing),
            "You move the schedule on before the step is taken: the first rate of the schedule is never used.",
        ),
        Misconception(
            "never",
            _clock(each=_nothing),
            "Every update has the same rate: nobody tells the schedule that time goes by.",
        ),
        Misconception(
            "once for each epoch",
            _clock(each=_nothing, epoch=lambda scheduler: scheduler.step()),
            "Your rate changes with each epoch only. This schedule counts updates.",
        ),
        Misconception(
            "once more for each epoch",
            _clock(epoch=lambda scheduler: scheduler.step()),
            "At the end of each epoch your schedule moves on by one more, though no update has been taken.",
        ),
        Misconception(
            "not after the last update",
            _not_after_the_last,
            "Every update has the right rate, and after the last one your schedule stands still. Who resumes this run "
            "would take the last rate once more.",
        ),
        Misconception(
            "no tick for leftovers",
            _no_tick_for_leftovers,
            "The update of the micro-batches left over is there, and your schedule does not count it.",
        ),
        Misconception(
            "leftovers dropped",
            _clock(chunks=_leftovers_dropped),
            "The micro-batches left over at the end of an epoch are forgotten: their update is missing, and so is a "
            "tick of the schedule.",
        ),
        Misconception(
            "leftovers wait for the next epoch",
            _clock(chunks=_carried_over),
            "You let the micro-batches that are left over wait for the next epoch. Here each epoch ends with an update "
            "of its own.",
        ),
        Misconception(
            "no accumulation",
            _clock(chunks=_every_micro_batch),
            "Your optimizer steps after every micro-batch. What is accumulation_steps for?",
        ),
        Misconception(
            "one epoch only",
            _clock(chunks=_once),
            "Your run goes through the data once, whatever `epochs` says.",
        ),
        Misconception(
            "means of micro-batches with equal weight",
            _clock(even=True),
            "Your clock is right, your gradient is not: micro-batches with few tokens weigh as much as full ones. "
            "Which piece of week 4 knows better?",
        ),
        Misconception(
            "gradients never cleared",
            _clock(zero=_nothing, first=lambda optimizer: optimizer.zero_grad()),
            "Your first update is right. In every later one the gradients of the updates before are still there.",
        ),
        Misconception(
            "gradients cleared at every micro-batch",
            _zeroed_at_the_wrong_place,
            "You clear the gradients before every micro-batch, so the last one alone makes the update.",
        ),
        Misconception(
            "the rate of the next update",
            _clock(rates=lambda then, now: now),
            "The training is right. The rates that you return are those of the next updates: when do you read them?",
        ),
        Misconception(
            "nothing returned",
            _returns_nothing,
            "The training is right, but nothing is returned: which rates did the updates use?",
        ),
    ),
)
