"""week2.load_checkpoint: go on as if nothing had happened."""

import copy

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer


def _load_probe(target, inputs):
    """A run is broken off and taken up again by `target`; with None for a target it is never broken off."""
    import os
    import pathlib
    import tempfile

    import torch

    class Trap:
        def __init__(self, path):
            self.path = path

        def __reduce__(self):
            return os.mkdir, (self.path,)  # what a file can do to whoever unpickles it

    def build(seed, lr):
        if inputs["model"] == "Llama":
            from transformers import LlamaConfig, LlamaForCausalLM

            sizes = dict(hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2)
            model = LlamaForCausalLM(LlamaConfig(vocab_size=12, attention_dropout=0.3, **sizes))
        elif inputs["model"] == "BatchNorm":
            layers = torch.nn.Embedding(12, 8), torch.nn.BatchNorm1d(6), torch.nn.Dropout(0.3), torch.nn.Linear(8, 12)
            model = torch.nn.Sequential(*layers)
        else:
            from course.lab.gpt import GPT, GPTConfig

            model = GPT(GPTConfig(vocab_size=12, width=8, heads=2, seq_len=16, mlp_width=12, dropout=0.3))
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weight in model.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.4 + (weight.ndim == 1))
        first, *rest = model.parameters()
        groups = [{"params": [first], "lr": 2 * lr}, {"params": rest}]
        if inputs["optimizer"] == "AdamW":
            optimizer = torch.optim.AdamW(groups, lr=lr, eps=1e-2)
        else:
            optimizer = torch.optim.SGD(groups, lr=lr, momentum=0.9)
        return model.train(), optimizer

    def train(model, optimizer, steps):
        losses = []
        for step in steps:
            ids = torch.randint(12, (3, 6), generator=torch.Generator().manual_seed(inputs["seed"] + step))
            logits = model(ids) if inputs["model"] == "BatchNorm" else model(input_ids=ids).logits
            loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    def weights(model):
        return torch.cat([tensor.detach().double().flatten() for tensor in model.state_dict().values()])

    updates, step, more = inputs["updates"], inputs["step"], 3
    model, optimizer = build(inputs["seed"], 0.05)
    torch.manual_seed(inputs["seed"])
    train(model, optimizer, range(step - updates, step))
    for group in optimizer.param_groups:
        group["lr"] *= 0.5
    if target is None:
        losses = train(model, optimizer, range(step, step + more))
        return {"step": step, "losses": losses, "weights": weights(model), "raised": None, "ran": False}
    content = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    content |= {"step": step, "rng": torch.get_rng_state()}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path, trap = os.path.join(folder, "run.pt"), os.path.join(folder, "trap")
        content |= {"note": Trap(trap)} if inputs["fault"] == "a trap" else {}
        if inputs["fault"] == "one weight too few":
            content["model"].popitem()
        if inputs["fault"] == "one weight too many":
            content["model"]["adapter.weight"] = torch.ones(3)
        torch.save(content, path)
        model, optimizer = build(inputs["seed"] + 1, 0.2)
        modes = [inputs["modes"] == "train" or (inputs["modes"] == "mixed" and k % 3 != 1) for k in range(100)]
        for module, mode in zip(model.modules(), modes, strict=False):
            module.training = mode
        torch.manual_seed(inputs["seed"] + 2)
        seen = {"step": None, "raised": None}
        try:
            seen["step"] = target(pathlib.Path(path) if inputs["as_path"] else path, model, optimizer)
        except Exception as error:
            if not inputs["fault"] or isinstance(error, NotImplementedError):  # an answer that is blank says so
                raise
            seen["raised"] = type(error).__name__
        seen |= {"ran": os.path.exists(trap), "files": sorted(os.listdir(folder))}
    modules = list(model.modules())
    seen["modes"] = [[module.training for module in modules], modes[: len(modules)]]
    if not inputs["fault"]:
        if inputs["modes"] != "train":  # else the mode is what the answer has left
            model.train()
        seen["losses"] = train(model, optimizer, range(step, step + more))
    return seen | {"weights": weights(model)}


def _observed(inputs, seen):
    if inputs["fault"]:
        return {"an error is raised": seen["raised"] is not None, "code in the file was run": bool(seen["ran"])}
    step = seen["step"]
    step = int(step) if isinstance(step, float) and step.is_integer() else step
    after, before = seen.get("modes", [None, None])
    result = {"step": step, "losses from there on": seen["losses"], "weights at the end": seen["weights"]}
    return result | {"every module's mode is left alone": after == before}


def _load_cases(rng):
    def case(name, model="GPT", optimizer="AdamW", updates=2, step=None, modes="train", fault=None, as_path=False):
        inputs = {
            "model": model,
            "optimizer": optimizer,
            "seed": integer(rng, 0, 10_000),
            "updates": 0 if fault else 1 if model == "Llama" else updates,
            "step": integer(rng, 10, 5000) if step is None else step,
            "modes": modes,
            "fault": fault,
            "as_path": as_path,
        }
        return Case(name, inputs, edge=fault is not None)

    yield case("a GPT with AdamW and dropout")
    yield case("SGD with momentum", optimizer="momentum", updates=integer(rng, 1, 4))
    yield case("a Llama with dropout in its attention", model="Llama", as_path=True)
    yield case("a model with buffers", model="BatchNorm", optimizer="momentum")
    yield case("a run of many updates", updates=6, as_path=True)
    yield case("a checkpoint from the very start", updates=0, step=0)
    yield case("a model that is in eval mode", modes="eval")
    yield case("a model with some modules in eval mode", model="Llama", modes="mixed")
    yield case("a file with one weight too few", fault="one weight too few")
    yield case("a file with one weight too many", fault="one weight too many")
    yield case("a file that runs code when it is unpickled", fault="a trap")


def _unbroken(inputs):
    """The same run, never broken off. What cannot be loaded raises, as torch does, and runs nothing."""
    if inputs["fault"]:
        return {"an error is raised": True, "code in the file was run": False}
    return _observed(inputs, _load_probe(None, inputs))


def _with(model=True, optimizer=True, rng=torch.set_rng_state, step=lambda step: step, after=None, **options):
    """The right way with parts replaced: rng(state) and after(model, state) are called, `options` are of torch.load."""

    def load_checkpoint(path, module, optim):
        state = torch.load(path, **{"weights_only": True, **options})
        if model is True:
            module.load_state_dict(state["model"])
        elif model:
            model(module, state["model"])
        if optimizer is True:
            optim.load_state_dict(state["optimizer"])
        elif optimizer:
            optimizer(optim, state["optimizer"])
        if rng:
            rng(state["rng"])
        if after:
            after(module, state)
        return step(state["step"])

    return load_checkpoint


def _moments_alone(optimizer, state):
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state["state"], "param_groups": groups})


def _settings_alone(optimizer, state):
    optimizer.load_state_dict({"state": {}, "param_groups": state["param_groups"]})


def _parameters_alone(model, state):
    if set(state) != set(model.state_dict()):
        raise RuntimeError
    for name, weight in model.named_parameters():
        weight.data.copy_(state[name])


def _keys_that_fit(model, state):
    own = model.state_dict()
    own.update({name: tensor for name, tensor in state.items() if name in own})
    model.load_state_dict(own)


def _mistake(name, hint, *answers):
    return tuple(Misconception(name, answer, hint) for answer in answers)


LOAD_CHECKPOINT = Exercise(
    id="week2.load_checkpoint",
    title="Take a run up again",
    points=2,
    minutes=10,
    why="'Almost as before' cannot be told from wrong: a run goes on exactly as it was, or it is another run.",
    oracle="the same run, never broken off",
    cases=_load_cases,
    probe=_load_probe,
    observe=_observed,
    expected=_unbroken,
    misconceptions=(
        *_mistake(
            "the generator is not put back",
            "The weights are right, and the first loss after the restart is not: dropout draws other masks than the "
            "unbroken run. Whose state is still that of a fresh program?",
            _with(rng=None),
            _with(rng=lambda state: torch.Generator().set_state(state)),
        ),
        *_mistake(
            "seeded instead of put back",
            "You seed the generator. The run that was broken off had drawn thousands of numbers since its seed: the "
            "file tells where it stood.",
            _with(rng=None, after=lambda model, state: torch.manual_seed(state["step"])),
            _with(rng=lambda state: torch.manual_seed(0)),
        ),
        *_mistake(
            "the optimizer is not put back",
            "The first loss after the restart is right, the next ones are not: the first update was already another "
            "one. What else than weights does an update depend on?",
            _with(optimizer=None),
        ),
        *_mistake(
            "the moments without the settings",
            "The optimizer has its moments back, but not its settings: the learning rate in the file has been changed "
            "on the way, and yours is the one that it was built with.",
            _with(optimizer=_moments_alone),
        ),
        *_mistake(
            "the settings without the moments",
            "The optimizer has its learning rate back, but not what it has gathered about every weight.",
            _with(optimizer=_settings_alone),
        ),
        *_mistake(
            "the weights are not put back",
            "The model still has the weights that it was built with.",
            _with(model=None),
        ),
        *_mistake(
            "a copy is filled",
            "You fill a copy of the model. Whoever called you holds the old one, and so does the optimizer.",
            _with(model=lambda model, state: copy.deepcopy(model).load_state_dict(state)),
        ),
        *_mistake(
            "new tensors instead of new values",
            "You put other tensors into the model. The optimizer still holds the old ones and moves those: the loss "
            "stands still. Values have to go into the tensors that are there.",
            _with(model=lambda model, state: model.load_state_dict(state, assign=True)),
        ),
        *_mistake(
            "parameters without buffers",
            "The parameters are right, the buffers are not: a BatchNorm layer's running means belong to the model too.",
            _with(model=_parameters_alone),
        ),
        *_mistake(
            "weights that do not fit are passed over",
            "A file that lacks a weight, or has one too many, goes through without a word; the missing one keeps the "
            "random numbers that it was born with. Which option makes torch so lenient?",
            _with(model=lambda model, state: model.load_state_dict(state, strict=False)),
            _with(model=_keys_that_fit),
        ),
        *_mistake(
            "code in the file is run",
            "Your answer has just run code that stood in the file. Here it made a folder; it could as well have "
            "deleted one. Which option of `torch.load` takes data only?",
            _with(weights_only=False),
        ),
        *_mistake(
            "the step after",
            "Your step is one too high. The file says how many updates were taken; as batches are counted from 0, that "
            "is the number of the next one already.",
            _with(step=lambda step: step + 1),
        ),
        *_mistake(
            "ends in eval mode",
            "You put the model into eval mode. The run goes on without dropout, then, and nobody has asked for that.",
            _with(after=lambda model, state: model.eval()),
        ),
        *_mistake(
            "ends in train mode",
            "You put the whole model into train mode. Its caller had modules in eval mode, and has them no longer.",
            _with(after=lambda model, state: model.train()),
        ),
    ),
)
