"""Every demo draws itself at once, the same every time, says what it shows, and follows its controls."""

import functools
import importlib
import inspect
import math
import pkgutil

import pytest

from course.lab import demos, hardware, live, plots
from course.lab.demos import week0, week1, week2


def _demos():
    """Every demo of every week by its name; one that trains takes few steps."""
    for found in sorted(pkgutil.iter_modules(demos.__path__), key=lambda one: one.name):
        module = importlib.import_module(f"course.lab.demos.{found.name}")
        for name, demo in vars(module).items():
            if inspect.isfunction(demo) and demo.__module__ == module.__name__ and not name.startswith("_"):
                signature = inspect.signature(demo)
                if signature.return_annotation is live.LivePanel:
                    few = {"steps": 8} if "steps" in signature.parameters else {}
                    yield f"{found.name}.{name}", functools.partial(demo, **few)


DEMOS = dict(_demos())


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A model of a few steps in place of the temperature demo's, and no run left over from another test."""
    model = week1.trained.__wrapped__(steps=5)
    monkeypatch.setattr(week1, "trained", lambda: model)
    yield
    live.WORKER.stop()


@pytest.mark.parametrize("name", DEMOS)
def test_drawn_still_it_is_the_same_twice_and_described(name, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    shown = []
    monkeypatch.setattr(plots, "display", lambda data, metadata=None, raw=False: shown.append(data))
    for _ in range(2):
        DEMOS[name]()._ipython_display_()
    assert shown[0] == shown[1] and len(shown[0]["text/plain"]) > 40 and "nan" not in shown[0]["text/plain"].lower()


@pytest.mark.parametrize("name", DEMOS)
def test_every_control_is_named_and_moves_the_picture_to_its_ends(name):
    panel = DEMOS[name]()
    assert panel.png.startswith(b"\x89PNG") and panel.words
    first = panel.run_to_end()
    changed = []
    for control in panel.controls.values():
        assert control.description
        options = getattr(control, "options", None)
        ends = (
            [one[1] if isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str) else one for one in options]
            if options is not None
            else [control.min, control.max]
        )
        if type(control).__name__ == "FloatLogSlider":
            ends = [control.base**end for end in ends]
        before = control.value
        for end in (ends[0], ends[-1]):
            with control.hold_trait_notifications():
                control.value = end
            live.WORKER.stop()
            changed.append(panel.run_to_end() != first)
        control.value = before
        live.WORKER.stop()
    assert any(changed)


def test_broadcasting_shows_the_shape_or_torch_s_own_error():
    panel = week0.broadcasting()
    assert "gives (3, 4)" in panel.words
    panel.controls["a"].value = (3,)
    live.WORKER.thread and live.WORKER.thread.join()
    assert "error" in panel.words and "must match the size" in panel.words


def test_a_fresh_model_s_loss_is_ln_v_for_small_logits_only():
    for vocab_size in (32, 259):
        assert week1.measured_initial_loss(vocab_size, 0.0) == pytest.approx(math.log(vocab_size), abs=1e-3)
        assert week1.measured_initial_loss(vocab_size, 1.0) > math.log(vocab_size) + 0.3
        assert week1.measured_initial_loss(vocab_size, 2.0) > math.log(vocab_size) + 1.2


def test_the_run_before_stays_as_a_ghost():
    panel = week2.learning_rate_and_batch_size(steps=15)
    panel.run_to_end()
    assert "Run before" not in panel.words
    panel.controls["batch_size"].value = 4
    live.WORKER.stop()
    panel.run_to_end()
    assert "batch 4" in panel.words and "Run before" in panel.words


def test_what_does_not_print_becomes_visible():
    assert week1.visible("a\n\tb\ufffd\x00~") == "a¶·b··~"


def test_machine_says_what_is_there(capsys):
    week0.machine()
    said = capsys.readouterr().out
    assert (
        f"{hardware.cores()} core" in said
        and "torch" in said
        and "GPU" in said
        and "every week" in " ".join(said.split())
    )


@pytest.mark.parametrize("capability, name", [((7, 5), "float16"), ((8, 0), "bfloat16")])
def test_a_gpu_is_described_with_the_dtype_it_can_use(monkeypatch, capability, name):
    monkeypatch.setattr(
        hardware,
        "gpus",
        lambda: [{"name": "T4", "bytes": 16 * 2**30, "capability": capability, "bfloat16": capability >= (8, 0)}],
    )
    assert f"T4 with 16 GiB, mixed precision in {name}" in " ".join(hardware.describe().split())


def test_plot_cost_gives_its_three_figures():
    from course.lab import live_cost

    cost = live_cost.plot_cost(steps=3, repeats=1)
    assert set(cost) == {"steps_per_s_without", "steps_per_s_with", "cost_percent"} and cost["steps_per_s_with"] > 0
