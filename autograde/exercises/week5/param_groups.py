"""week5.param_groups: which parameters decay."""

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, uniform

GPT, LLAMA = "course.lab.gpt", "a transformers Llama"


def _groups_probe(target, inputs):
    """Builds a model as described → the names in each group that the answer makes, and what is frozen afterwards."""
    import torch

    layers = {
        "linear": lambda a, b: torch.nn.Linear(a, b),
        "no bias": lambda a, b: torch.nn.Linear(a, b, bias=False),
        "embedding": lambda a, b: torch.nn.Embedding(a, b),
        "convolution": lambda a, b: torch.nn.Conv1d(a, b, 3),
        "layer norm": lambda a: torch.nn.LayerNorm(a),
        "rms norm": lambda a: torch.nn.RMSNorm(a),
        "batch norm": lambda a: torch.nn.BatchNorm1d(a),
    }
    if inputs["model"] == "a transformers Llama":
        from transformers import LlamaConfig, LlamaForCausalLM

        sizes = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1, "max_position_embeddings": 64}
        heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "attention_bias": True}
        tied = inputs["tie"] == "head"
        model = LlamaForCausalLM(LlamaConfig(vocab_size=13, tie_word_embeddings=tied, **sizes, **heads))
    elif inputs["model"] == "course.lab.gpt":
        from course.lab.gpt import GPT, GPTConfig

        model = GPT(GPTConfig(vocab_size=13, width=8, heads=2, mlp_width=12))
        if inputs["tie"] == "head":
            model.head.weight = model.embedding.weight
    else:
        model = torch.nn.Module()
        for name, (kind, *sizes) in inputs["model"].items():
            if kind == "parameter":
                model.register_parameter(name, torch.nn.Parameter(torch.ones(*sizes) if sizes else torch.ones(())))
            else:
                model.add_module(name, layers[kind](*sizes))
        if inputs["tie"]:
            first, second = inputs["tie"].split()
            getattr(model, second).weight = getattr(model, first).weight
    names = {}
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not any(name.startswith(part) for part in inputs["frozen"]))
        names[id(parameter)] = name
    groups = []
    for group in target(model, inputs["weight_decay"]):
        members = [p[1] if isinstance(p, tuple) else p for p in group["params"]]
        groups.append(
            {
                "params": [names.get(id(p), "no parameter of the model") for p in members],
                "weight_decay": group["weight_decay"],
            }
        )
    return {"groups": groups, "frozen": [name for name, p in model.named_parameters() if not p.requires_grad]}


def _observed(inputs, seen):
    """How often each parameter is in each group: their order within a group is free."""
    observed = {"frozen afterwards": ", ".join(sorted(seen["frozen"])) or "none"}
    for number, group in enumerate(seen["groups"], 1):
        times = {name: group["params"].count(name) for name in sorted(set(group["params"]))}
        observed[f"group {number}"] = {"parameters": times, "weight_decay": group["weight_decay"]}
    return observed


def _groups_cases(rng):
    def case(name, model, tie="", frozen=(), **options):
        if isinstance(model, dict) and not tie:
            model = {key: model[key] for key in [list(model)[k] for k in torch.randperm(len(model), generator=rng)]}
        decay = uniform(rng, 0.05, 0.5)
        return Case(name, {"model": model, "weight_decay": decay, "tie": tie, "frozen": list(frozen)}, **options)

    wide, narrow = integer(rng, 5, 9), integer(rng, 2, 4)
    linear, norm = ["linear", wide, narrow], ["layer norm", narrow]
    yield case("two layers and a norm", {"first": linear, "norm": norm, "second": ["linear", narrow, wide]})
    yield case("GPT", GPT)
    yield case("GPT, tied", GPT, tie="head")
    yield case("Llama", LLAMA)
    yield case("Llama, tied, its norms frozen", LLAMA, tie="head", frozen=["model.norm", "model.layers.0.input"])
    misled = {"norm_mix": linear, "bias_net": ["no bias", narrow, wide], "ln": ["rms norm", wide], "last": norm}
    yield case("names that mislead", misled)
    yield case("a norm by another name", {"rescale": norm, "stretch": ["rms norm", wide], "mix": linear})
    tied = {"tokens": ["embedding", wide, narrow], "norm": norm, "head": ["no bias", narrow, wide]}
    yield case("embedding and head tied", tied, tie="tokens head")
    yield case("embedding and head tied, both frozen", tied, tie="tokens head", frozen=["tokens"])
    yield case("a frozen base", {"base": linear, "scale": norm, "adapter": ["no bias", wide, 2]}, frozen=["base"])
    yield case("a convolution", {"conv": ["convolution", wide, narrow], "norm": ["batch norm", narrow], "out": linear})
    relative = {"relative_bias": ["parameter", wide, narrow], "gain": ["parameter"], "shift": ["parameter", wide]}
    yield case("parameters of the model itself", {**relative, "mix": linear})
    yield case("nothing that does not decay", {"first": ["no bias", wide, 3], "tokens": ["embedding", wide, narrow]})
    yield case("nothing that decays", {"norm": norm, "gain": ["parameter"]})


def _by(decays, parameters=lambda model: model.parameters(), keep=lambda p: p.requires_grad, rates=(1.0, 0.0)):
    """An answer by a rule `decays(name, parameter, model)`."""

    def param_groups(model, weight_decay):
        given = {id(p) for p in parameters(model)}
        named = [(name, p) for name, p in model.named_parameters() if id(p) in given and keep(p)]
        first = [p for name, p in named if decays(name, p, model)]
        second = [p for name, p in named if not decays(name, p, model)]
        return [
            {"params": first, "weight_decay": weight_decay * rates[0]},
            {"params": second, "weight_decay": weight_decay * rates[1]},
        ]

    return param_groups


def _two_or_more(name, p, model):
    return p.ndim >= 2


def _expected(inputs):
    return _observed(inputs, _groups_probe(_by(_two_or_more), inputs))


def _with_duplicates(model, weight_decay):
    trainable = [p for _, p in model.named_parameters(remove_duplicate=False) if p.requires_grad]
    return [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]


def _in_linears(name, p, model):
    return any(p is q for layer in model.modules() if isinstance(layer, torch.nn.Linear) for q in [layer.weight])


def _outside_norms(name, p, model):
    norms = (torch.nn.LayerNorm, torch.nn.BatchNorm1d)
    inside = {id(q) for layer in model.modules() if isinstance(layer, norms) for q in layer.parameters()}
    return id(p) not in inside and not name.endswith("bias")


def _tied_left_out(model, weight_decay):
    seen = [id(p) for _, p in model.named_parameters(remove_duplicate=False)]
    return _by(_two_or_more, keep=lambda p: p.requires_grad and seen.count(id(p)) == 1)(model, weight_decay)


def _one_group_where_one_is_enough(model, weight_decay):
    return [group for group in _by(_two_or_more)(model, weight_decay) if group["params"]]


PARAM_GROUPS = Exercise(
    id="week5.param_groups",
    title="What decays and what does not",
    points=2,
    minutes=15,
    why="Decay that pulls a norm's scale towards zero works against the norm, and an optimizer that holds frozen "
    "parameters, or tied ones twice, is built on a mistake.",
    oracle="dimensions and requires_grad of every parameter of the model, by name",
    cases=_groups_cases,
    probe=_groups_probe,
    observe=_observed,
    expected=_expected,
    misconceptions=(
        Misconception(
            "everything decayed",
            _by(lambda name, p, model: True),
            "All your parameters decay, biases and norms too. How many dimensions have those?",
        ),
        Misconception(
            "nothing decayed",
            _by(lambda name, p, model: False),
            "None of your parameters decays. Which of them are matrices?",
        ),
        Misconception(
            "both groups decayed",
            _by(_two_or_more, rates=(1.0, 1.0)),
            "You make two groups and give the same weight_decay to both.",
        ),
        Misconception(
            "the wrong group decayed",
            _by(_two_or_more, rates=(0.0, 1.0)),
            "You make the right groups, and decay the wrong one.",
        ),
        Misconception(
            "groups in the other order",
            lambda model, weight_decay: _by(_two_or_more)(model, weight_decay)[::-1],
            "Your groups come in the other order: the docstring has the decayed ones first.",
        ),
        Misconception(
            "tied weights twice",
            _with_duplicates,
            "A tied weight is in your group twice, under both of its names. torch.optim would warn or refuse. It is "
            "one parameter: how does model.parameters() list it?",
        ),
        Misconception(
            "tied weights left out",
            _tied_left_out,
            "You leave out a weight because it has two names. Then nobody trains it.",
        ),
        Misconception(
            "frozen parameters kept",
            _by(_two_or_more, keep=lambda p: True),
            "Your groups hold frozen parameters. Which attribute tells that a parameter is not to be trained?",
        ),
        Misconception(
            "by the names 'norm' and 'bias'",
            _by(lambda name, p, model: "norm" not in name and "bias" not in name),
            "You go by the words 'norm' and 'bias' in a name. Some norms are called otherwise, and some matrices have "
            "such a word in their name. Look at what a parameter is, not at what it is called.",
        ),
        Misconception(
            "by the name 'norm'",
            _by(lambda name, p, model: "norm" not in name),
            "You go by the word 'norm' in a name. Some norms are called otherwise, some matrices have the word in "
            "their name, and what of the biases?",
        ),
        Misconception(
            "by the name 'bias'",
            _by(lambda name, p, model: "bias" not in name),
            "You leave out what has 'bias' in its name, and norms decay: their scale is called `weight`, as in most "
            "layers.",
        ),
        Misconception(
            "by the ending 'weight'",
            _by(lambda name, p, model: name.endswith("weight")),
            "You decay whatever is called `weight`. A norm calls its scale so, too.",
        ),
        Misconception(
            "by torch's own norms",
            _by(_outside_norms),
            "You leave out the norms that you know by their class. A Llama has a class of its own for them, and so has "
            "the next model.",
        ),
        Misconception(
            "linear layers alone",
            _by(_in_linears),
            "You decay the weights of linear layers only. The docstring decays all that has two or more dimensions.",
        ),
        Misconception(
            "two dimensions exactly",
            _by(lambda name, p, model: p.ndim == 2),
            "You decay matrices only. A convolution's weight has three or four dimensions.",
        ),
        Misconception(
            "one dimension decays",
            _by(lambda name, p, model: p.ndim >= 1),
            "You decay all that has a dimension at all: biases and norms have one.",
        ),
        Misconception(
            "all but one dimension",
            _by(lambda name, p, model: p.ndim != 1),
            "You leave out what has one dimension. A single number has none, and should not decay either.",
        ),
        Misconception(
            "embeddings left out",
            _by(lambda name, p, model: p.ndim >= 2 and "embed" not in name and "tokens" not in name),
            "You do not decay embeddings. Some recipes do so; the docstring here decays all of two or more dimensions.",
        ),
        Misconception(
            "an empty group left out",
            _one_group_where_one_is_enough,
            "Where a group would be empty you return one group only. The docstring asks for two, always: whoever "
            "reads groups[1] relies on it.",
        ),
    ),
)
