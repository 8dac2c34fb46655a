"""week2.save_checkpoint: a checkpoint that no crash can cost."""

import contextlib
import os
import shutil

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer

OLD, NEIGHBOUR = "an older checkpoint", "notes.txt"


def _save_probe(target, inputs):
    import os
    import pathlib
    import shutil
    import tempfile
    import zipfile

    import torch

    faults = {"full disk": OSError(28, "No space left on device"), "stop button": KeyboardInterrupt()}

    class Fault:
        """Fails in the middle of writing, as a full disk does, however the file is written."""

        def __reduce__(self):
            raise faults[inputs["fault"]]

    def build():
        if inputs["model"] == "Llama":
            from transformers import LlamaConfig, LlamaForCausalLM

            sizes = dict(hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2)
            model = LlamaForCausalLM(LlamaConfig(vocab_size=12, **sizes))
        elif inputs["model"] == "BatchNorm":
            model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
        else:
            from course.lab.gpt import GPT, GPTConfig

            model = GPT(GPTConfig(vocab_size=12, width=8, heads=2, seq_len=16, mlp_width=12))
        generator = torch.Generator().manual_seed(inputs["seed"])
        with torch.no_grad():
            for tensor in model.state_dict().values():
                if tensor.is_floating_point():
                    tensor.copy_(torch.rand(tensor.shape, generator=generator))
        first, *rest = model.parameters()
        first.requires_grad_(not inputs["frozen"])
        groups = [{"params": [first], "lr": 0.02}, {"params": rest}]
        if inputs["optimizer"] == "AdamW":
            optimizer = torch.optim.AdamW(groups, lr=0.01, weight_decay=0.1)
        else:
            optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9 * (inputs["optimizer"] == "momentum"))
        for _ in range(inputs["updates"]):
            for weight in model.parameters():
                if weight.requires_grad:
                    weight.grad = torch.randn(weight.shape, generator=generator)
            optimizer.step()
        if inputs["fault"]:
            optimizer.param_groups[-1]["note"] = Fault()
        return model.train(inputs["mode"] == "train"), optimizer

    def state(model, optimizer):
        """Everything about a run that saving must not touch."""
        groups = [[p for p in group["params"]] for group in optimizer.param_groups]
        moments = [t for one in optimizer.state.values() for t in one.values() if torch.is_tensor(t)]
        tensors = [*model.parameters(), *model.buffers(), *sum(groups, []), *moments]
        return {
            "tensors": torch.cat([t.detach().double().flatten() for t in tensors]),
            "modes": [module.training for module in model.modules()],
            "rng": torch.get_rng_state(),
        }

    def read(path):
        if not os.path.isfile(path):
            raise FileNotFoundError("after the call there is no file at `path`")
        try:
            content = torch.load(path, weights_only=True)
        except Exception:
            if not zipfile.is_zipfile(path):
                raise ValueError("the file was not written by torch.save, or not to its end") from None
            raise TypeError("the file holds more than data: torch.load(path, weights_only=True) refuses it") from None
        if not isinstance(content, dict):
            raise ValueError(f"the file holds a {type(content).__name__}, not a dict")
        return {key: content.get(key) for key in ("model", "optimizer", "step", "rng")}

    model, optimizer = build()
    torch.manual_seed(inputs["seed"] + 1)
    torch.randn(inputs["draws"])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as top:
        folder = os.path.join(top, "runs")
        path, link = os.path.join(folder, "run.pt"), os.path.join(top, "link")
        os.mkdir(folder)
        pathlib.Path(folder, inputs["neighbour"]).write_text("keep me")
        if inputs["old"]:
            pathlib.Path(path).write_text(inputs["old"])
            try:
                os.link(path, link)  # a second name of the old file: whoever writes into that file changes this too
            except OSError:
                shutil.copy(path, link)
        seen = {"before": state(model, optimizer), "raised": None}
        try:
            target(pathlib.Path(path) if inputs["as_path"] else path, model, optimizer, inputs["step"])
        except (OSError, KeyboardInterrupt) as error:
            if not inputs["fault"]:
                raise
            seen["raised"] = type(error).__name__
        seen |= {"after": state(model, optimizer), "files": sorted(os.listdir(folder))}
        if inputs["old"]:
            seen["old file"] = pathlib.Path(link).read_bytes()[:40].decode(errors="replace")
        if not inputs["fault"]:
            return seen | {"content": read(path)}
        if os.path.isfile(path):
            seen["file"] = pathlib.Path(path).read_bytes()[:40].decode(errors="replace")
        return seen


def _observed(inputs, seen):
    def alike(key):
        before, after = seen["before"][key], seen["after"][key]
        return torch.equal(before, after) if torch.is_tensor(before) else before == after

    names = [name if name in (NEIGHBOUR, "run.pt") else "a file that does not belong here" for name in seen["files"]]
    result = {"files in the folder": ", ".join(sorted(names))}
    if inputs["fault"]:
        kept = {OLD: "the old one", None: "none"}.get(seen.get("file"), "a torso")
        result |= {"raised": seen["raised"] or "nothing", "file at path": kept}
    else:
        result |= seen["content"]
    if inputs["old"]:
        result["the old file itself"] = "as it was" if seen["old file"] == OLD else "written over"
    result["the run is left alone"] = alike("tensors") and alike("modes")
    return result | {"the generator is left alone": alike("rng")}


def _save_cases(rng):
    def case(name, model="GPT", optimizer="AdamW", updates=2, old=True, fault=None, mode="train", **changes):
        inputs = {
            "model": model,
            "optimizer": optimizer,
            "updates": updates,
            "seed": integer(rng, 0, 10_000),
            "step": integer(rng, 5, 5000),
            "draws": 2 * integer(rng, 10, 40) + 1,
            "frozen": False,
            "mode": mode,
            "old": OLD if old else "",
            "neighbour": NEIGHBOUR,
            "as_path": False,
            "fault": fault,
        }
        return Case(name, inputs | changes, edge=fault is not None)

    yield case("a GPT with AdamW", old=False)
    yield case("over an older checkpoint")
    yield case("SGD with momentum, the path a Path", optimizer="momentum", as_path=True)
    yield case("a fresh run", optimizer="SGD", updates=0, step=0, old=False)
    yield case("a model with buffers", model="BatchNorm", updates=integer(rng, 1, 3), old=False)
    yield case("a Llama", model="Llama")
    yield case("a frozen layer, a model in eval mode", frozen=True, mode="eval", as_path=True)
    yield case(
        "a long run", updates=1, step=integer(rng, 10**6, 10**8), draws=2 * integer(rng, 400, 900) + 1, old=False
    )
    for fault in ("full disk", "stop button"):
        yield case(f"a {fault} while it writes, over an older checkpoint", fault=fault)
        yield case(f"a {fault} while it writes, the first checkpoint", fault=fault, old=False, as_path=True)


def _state(model, optimizer, step):
    states = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    return {**states, "step": step, "rng": torch.get_rng_state()}


def _replace(state, path):
    """Write beside it, move, and leave nothing behind."""
    partial = f"{path}.partial"
    try:
        torch.save(state, partial)
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def _saved(path, model, optimizer, step):
    _replace(_state(model, optimizer, step), path)


def _oracle(inputs):
    """What torch itself puts into the file; the old one is replaced by os.replace."""
    return _observed(inputs, _save_probe(_saved, inputs))


def _with(write=_replace, **parts):
    """The right checkpoint with some of its parts replaced: key=function of (model, optimizer, step), None to omit."""

    def save_checkpoint(path, model, optimizer, step):
        state = _state(model, optimizer, step)
        changed = {key: part and part(model, optimizer, step) for key, part in parts.items()}
        write({key: value for key, value in (state | changed).items() if parts.get(key, 1)}, path)

    return save_checkpoint


def _without_cleaning(state, path):
    torch.save(state, f"{path}.tmp")
    os.replace(f"{path}.tmp", path)


def _cleans_after_errors(state, path):
    try:
        _without_cleaning(state, path)
    except Exception:
        os.remove(f"{path}.tmp")
        raise


def _cleans_on_a_full_disk(state, path):
    try:
        _without_cleaning(state, path)
    except OSError:
        os.remove(f"{path}.tmp")
        raise


def _swallows(state, path):
    with contextlib.suppress(OSError, KeyboardInterrupt):
        _replace(state, path)


def _swallows_a_full_disk(state, path):
    with contextlib.suppress(Exception):
        _replace(state, path)


def _removes_first(state, path):
    if os.path.exists(path):
        os.remove(path)
    _replace(state, path)


def _copies(state, path):
    partial = f"{path}.partial"
    try:
        torch.save(state, partial)
        shutil.copyfile(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def _keeps_the_old(state, path):
    kept = f"{path}.old"
    if os.path.exists(path):
        shutil.copyfile(path, kept)
    _replace(state, path)


def _parameters(model, optimizer, step):
    return {name: weight.detach() for name, weight in model.named_parameters()}


def _parameters_and_statistics(model, optimizer, step):
    """Without the count of batches."""
    return {name: tensor for name, tensor in model.state_dict().items() if tensor.is_floating_point()}


def _trainable(model, optimizer, step):
    frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad}
    return {name: tensor for name, tensor in model.state_dict().items() if name not in frozen}


def _mistake(name, hint, *answers):
    return tuple(Misconception(name, answer, hint) for answer in answers)


SAVE_CHECKPOINT = Exercise(
    id="week2.save_checkpoint",
    title="Save a run",
    points=2,
    minutes=18,
    why="A checkpoint is needed on the one day when something crashes, which may be the moment that it is written.",
    oracle="torch.save, read back by torch.load, and os.replace",
    cases=_save_cases,
    probe=_save_probe,
    observe=_observed,
    expected=_oracle,
    misconceptions=(
        *_mistake(
            "the generator is lost",
            "Your file does not hold the generator's state. After a restart dropout draws other masks: the run goes "
            "on, but it is another run.",
            _with(rng=None),
            _with(rng=lambda model, optimizer, step: None),
        ),
        *_mistake(
            "a seed for a state",
            "You save a seed, or the state of another generator. The global one has moved on with every mask that it "
            "drew: where does it stand *now*?",
            _with(rng=lambda model, optimizer, step: torch.initial_seed()),
            _with(rng=lambda model, optimizer, step: torch.Generator().get_state()),
            _with(rng=lambda model, optimizer, step: torch.Generator().manual_seed(torch.initial_seed()).get_state()),
        ),
        *_mistake(
            "the optimizer is lost",
            "Your file does not hold the optimizer's state. After a restart its moments begin at zero, and the loss "
            "jumps though every weight is right.",
            _with(optimizer=None),
            _with(optimizer=lambda model, optimizer, step: {}),
        ),
        *_mistake(
            "the settings of the optimizer without its state",
            "Your file holds the optimizer's groups, and not the moments that it has gathered. Which method returns "
            "both?",
            _with(
                optimizer=lambda model, optimizer, step: {
                    "state": {},
                    "param_groups": optimizer.state_dict()["param_groups"],
                }
            ),
        ),
        *_mistake(
            "parameters without buffers",
            "A model is more than its parameters: a BatchNorm layer's running means are buffers, and are lost here. "
            "Which method of a module returns both?",
            _with(model=_parameters),
            _with(model=_parameters_and_statistics),
        ),
        *_mistake(
            "only what is trained",
            "Your file leaves out the weights that are frozen. Whoever loads it has to get them from somewhere.",
            _with(model=_trainable),
        ),
        *_mistake(
            "the model itself",
            "You put the model itself into the file. It can then only be read where its class is found, and reading it "
            "may run any code. Save what `state_dict()` gives: data.",
            _with(model=lambda model, optimizer, step: model),
        ),
        *_mistake(
            "the next step",
            "You save the number of the step to come. The docstring asks for the updates taken so far.",
            _with(step=lambda model, optimizer, step: step + 1),
        ),
        *_mistake(
            "written in place",
            "You write into the file at `path` itself. If that breaks off half way, the old checkpoint is gone and the "
            "new one is a torso. Where else could the new one grow up?",
            _with(write=torch.save),
        ),
        *_mistake(
            "copied instead of moved",
            "You put the finished bytes over the old file. A copy is written byte by byte too, and can break off half "
            "way: only a move is all or nothing.",
            _with(write=_copies),
        ),
        *_mistake(
            "the old one removed first",
            "You remove the old checkpoint before the new one is there. In between there is none: what if it breaks "
            "off just then?",
            _with(write=_removes_first),
        ),
        *_mistake(
            "a torso left behind",
            "When writing fails, the half of a file that you were writing beside it stays there for ever. Who sweeps "
            "it up?",
            _with(write=_without_cleaning),
        ),
        *_mistake(
            "not cleaned after a stop button",
            "After a full disk you clean up, after a stop button you do not: KeyboardInterrupt is no `Exception`. "
            "Which part of a `try` runs however it ends?",
            _with(write=_cleans_after_errors),
            _with(write=_cleans_on_a_full_disk),
        ),
        *_mistake(
            "the error swallowed",
            "Something failed, and your answer returns as if the checkpoint had been saved. Clean up, then let the "
            "error go on.",
            _with(write=_swallows),
            _with(write=_swallows_a_full_disk),
        ),
        *_mistake(
            "the old one kept as well",
            "After your answer there is a file in the folder that was not there before. Only the checkpoint belongs "
            "there.",
            _with(write=_keeps_the_old),
        ),
    ),
)
