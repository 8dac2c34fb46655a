"""week3.scaled_step: a step with a fixed loss scale."""

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, uniform


def _scaled_probe(target, inputs):
    import torch
    import torch.nn.functional as F
    from torch import nn

    rng = torch.Generator().manual_seed(inputs["seed"])
    vocabulary, rate = 11, inputs["lr"]

    def perceptron():
        """A small network with a frozen layer and one that the loss never meets."""
        model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2), nn.Linear(2, 2)).requires_grad_(True)
        model.unused = nn.Linear(2, 2)
        model[3].requires_grad_(False)

        def loss():
            y = model[3](model[2](model[1](model[0](torch.randn(6, 3, generator=rng)))))
            return (y - torch.randn(6, 2, generator=rng)).square().mean()

        return model, loss

    def halves():
        """The products are made in float16, and so are their gradients, which are tiny."""
        model = nn.Module()
        model.weight = nn.Parameter(torch.empty(8))

        def loss():
            x = 0.5 + torch.rand(8, generator=rng)
            if inputs["exact"]:
                return (model.weight * x).sum() * 1e-9
            return (model.weight.half() * x.half()).float().sum() * 1e-9

        return model, loss

    def language_model():
        if inputs["model"] == "gpt":
            from course.lab.gpt import GPT, GPTConfig

            model = GPT(GPTConfig(vocab_size=vocabulary, width=8, heads=2, mlp_width=8, seq_len=8), rng)
        else:
            from transformers import LlamaConfig, LlamaForCausalLM

            sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
            model = LlamaForCausalLM(LlamaConfig(vocab_size=vocabulary, **sizes))

        def loss():
            ids = torch.randint(0, vocabulary, (2, 6), generator=rng)
            logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
            return F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())

        return model, loss

    model, make_loss = {"perceptron": perceptron, "float16": halves}.get(inputs["model"], language_model)()
    with torch.no_grad():  # one source of numbers for every model
        for parameter in model.parameters():
            parameter.copy_(
                1 + 0.5 * torch.rand(parameter.shape, generator=rng)
                if inputs["model"] == "float16"
                else 0.4 * torch.randn(parameter.shape, generator=rng)
            )
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = {
        "sgd": lambda: torch.optim.SGD(trained, lr=rate),
        "momentum": lambda: torch.optim.SGD(trained, lr=rate, momentum=0.9, weight_decay=0.01),
        "adamw": lambda: torch.optim.AdamW(trained, lr=rate, eps=1e-4, weight_decay=0.1),
    }[inputs["optimizer"]]()
    if inputs["left over"]:
        sum(p.square().sum() for p in trained).backward()  # of an earlier step
    seen = {"losses": [], "keeps its graph": [], "gradients": [], "weights": []}
    for _ in range(inputs["steps"]):
        value = target(model, make_loss(), optimizer, inputs["scale"])
        seen["losses"].append(value)
        seen["keeps its graph"].append(bool(getattr(value, "requires_grad", False)))
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
        seen["gradients"].append(torch.cat([g.flatten() for g in gradients]).clone())
        seen["weights"].append(torch.cat([p.detach().flatten() for p in model.parameters()]).clone())
    seen["learning rate"] = [group["lr"] for group in optimizer.param_groups]
    return seen


def _scaled_cases(rng):
    def case(name, model, optimizer, scale, lr, steps=3, left_over=False, **options):
        inputs = {"model": model, "optimizer": optimizer, "scale": scale, "lr": lr, "steps": steps}
        more = {"left over": left_over, "exact": False, "seed": integer(rng, 0, 10**6)}
        return Case(name, {**inputs, **more}, **options)

    yield case("SGD", "perceptron", "sgd", 1024.0, 0.1)
    yield case("momentum and weight decay", "perceptron", "momentum", 2.0 ** integer(rng, 6, 12), 0.1)
    yield case("AdamW", "perceptron", "adamw", 65536.0, 0.02)
    yield case("a scale that is no power of two", "perceptron", "sgd", uniform(rng, 900, 1100), 0.1)
    yield case("gradients left over from before", "perceptron", "sgd", 512.0, 0.1, left_over=True)
    # gradients around 1e-9 in float16: without a scale all of them are zero
    fine = Tolerance(rtol=2e-3, atol=1e-12)
    yield case("gradients that float16 cannot hold", "float16", "sgd", 2.0**20, 1e8, tolerance=fine)
    yield case("the same with AdamW", "float16", "adamw", 2.0 ** integer(rng, 19, 21), 1e-3, tolerance=fine)
    yield case("course.lab.gpt", "gpt", "adamw", 4096.0, 0.01, steps=2)
    yield case("a Llama of transformers", "llama", "sgd", 4096.0, 0.1, steps=2)


def _unscaled_step(model, loss, optimizer, scale):
    """No scale at all; what the oracle does in float32."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _expected(inputs):
    return _scaled_probe(_unscaled_step, {**inputs, "exact": True})


def _backward(loss, optimizer, scale, clear=True):
    if clear:
        optimizer.zero_grad()
    (loss * scale).backward()


def _divide(model, scale):
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad /= scale


def _left_scaled(model, loss, optimizer, scale):
    _backward(loss, optimizer, scale)
    optimizer.step()
    return loss.item()


def _divided_too_late(model, loss, optimizer, scale):
    _backward(loss, optimizer, scale)
    optimizer.step()
    _divide(model, scale)
    return loss.item()


def _rate_divided(model, loss, optimizer, scale):
    rates = [group["lr"] for group in optimizer.param_groups]
    _backward(loss, optimizer, scale)
    for group in optimizer.param_groups:
        group["lr"] /= scale
    optimizer.step()
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    return loss.item()


def _rate_left_divided(model, loss, optimizer, scale):
    _backward(loss, optimizer, scale)
    for group in optimizer.param_groups:
        group["lr"] /= scale
    optimizer.step()
    return loss.item()


def _scaled_loss_returned(model, loss, optimizer, scale):
    loss = loss * scale
    _backward(loss, optimizer, 1.0)
    _divide(model, scale)
    optimizer.step()
    return loss.item()


def _graph_kept(model, loss, optimizer, scale):
    _backward(loss, optimizer, scale)
    _divide(model, scale)
    optimizer.step()
    return loss


def _not_cleared(model, loss, optimizer, scale):
    _backward(loss, optimizer, scale, clear=False)
    _divide(model, scale)
    optimizer.step()
    return loss.item()


def _cleared_before_the_step(model, loss, optimizer, scale):
    _backward(loss, optimizer, scale)
    _divide(model, scale)
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


def _cleared_afterwards(model, loss, optimizer, scale):
    _backward(loss, optimizer, scale)
    _divide(model, scale)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def _loss_not_scaled(model, loss, optimizer, scale):
    _backward(loss, optimizer, 1.0)
    _divide(model, scale)
    optimizer.step()
    return loss.item()


def _none_forgotten(model, loss, optimizer, scale):
    _backward(loss, optimizer, scale)
    for parameter in model.parameters():
        parameter.grad.div_(scale)
    optimizer.step()
    return loss.item()


def _none_divided(model, loss, optimizer, scale):
    _backward(loss, optimizer, scale)
    for parameter in model.parameters():
        parameter.grad = parameter.grad / scale
    optimizer.step()
    return loss.item()


def _gradients_multiplied(model, loss, optimizer, scale):
    _backward(loss, optimizer, 1.0)
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad *= scale
            parameter.grad /= scale
    optimizer.step()
    return loss.item()


SCALED_STEP = Exercise(
    id="week3.scaled_step",
    title="A step with a fixed loss scale",
    points=2,
    minutes=12,
    why="The scale must help backward and leave no trace in the update; a trace looks like a wrong learning rate.",
    oracle="the same step in float32, without any scale",
    cases=_scaled_cases,
    probe=_scaled_probe,
    expected=_expected,
    tolerance=Tolerance(rtol=1e-3, atol=2e-5),
    library=("aten._amp_foreach_non_finite_check_and_unscale_",),
    misconceptions=(
        Misconception(
            "gradients left scaled",
            _left_scaled,
            "Your optimizer steps with gradients that are still multiplied by the scale. Why may that go unnoticed "
            "with Adam, and what does the docstring say `.grad` holds in the end?",
        ),
        Misconception(
            "divided after the step",
            _divided_too_late,
            "Your gradients are true in the end, but the optimizer has already stepped with the scaled ones.",
        ),
        *(
            Misconception(
                "the learning rate divided",
                answer,
                "You divide the learning rate in place of the gradients. For plain SGD that is the same update. Adam "
                "divides gradients by their own size: which step does it take then? And weight decay?",
            )
            for answer in (_rate_divided, _rate_left_divided)
        ),
        Misconception(
            "the scaled loss returned",
            _scaled_loss_returned,
            "The update is right, but the loss that you return is the scaled one. Somebody will plot it.",
        ),
        Misconception(
            "the loss keeps its graph",
            _graph_kept,
            "You return a tensor that still holds the graph of the step, and with it its activations: a list of such "
            "losses fills the memory. A float was asked for.",
        ),
        Misconception(
            "old gradients not cleared",
            _not_cleared,
            "backward() adds to what `.grad` holds. What did it hold from the step before?",
        ),
        Misconception(
            "cleared before the step",
            _cleared_before_the_step,
            "You clear the gradients between backward and step: the optimizer finds nothing to do.",
        ),
        Misconception(
            "cleared afterwards",
            _cleared_afterwards,
            "The update is right. But the docstring says that `.grad` holds the true gradients afterwards, so that "
            "they can be looked at; clear the old ones at the beginning.",
        ),
        Misconception(
            "the loss never scaled",
            _loss_not_scaled,
            "You divide gradients that were never multiplied. What does backward() start from?",
        ),
        *(
            Misconception(
                "scaled after backward",
                answer,
                "Your backward pass runs on the plain loss: what is lost in float16 is lost by then, and no factor "
                "afterwards brings it back.",
            )
            for answer in (_gradients_multiplied, _unscaled_step)
        ),
        *(
            Misconception(
                "a calculation with None",
                answer,
                "Some parameters have no gradient: they are frozen, or the loss never met them. Their `.grad` is None.",
            )
            for answer in (_none_forgotten, _none_divided)
        ),
    ),
)
