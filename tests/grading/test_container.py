"""The container's argument list, and how a kernel in one is ended. A stand-in plays the engine: none is needed here."""

import json
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from autograde.sandbox import Died, Late, Limits, container, kernels, view

LIMITS = Limits(memory_mb=1000, processes=50, file_mb=10, files_mb=20)


@pytest.fixture(params=["podman", "docker"])
def words(request):
    return container.command(LIMITS, "autograde-1-2", request.param, "an-image")


def values(words, option):
    """What follows each of these options."""
    return [after for word, after in zip(words, words[1:], strict=False) if word == option]


def test_it_has_no_network_no_right_and_no_disk(words):
    assert words[1] == "run" and "--rm" in words and "--privileged" not in words
    assert values(words, "--network") == ["none"]
    assert values(words, "--cap-drop") == ["ALL"] and "--cap-add" not in words
    assert values(words, "--security-opt") == ["no-new-privileges"]
    assert "--read-only" in words
    assert values(words, "--ipc") == ["private"] and not {"--pid", "--uts", "--device", "--volumes-from"} & set(words)
    (user,) = values(words, "--user")
    assert "0" not in user.split(":")


def test_its_limits_are_the_sandboxs(words):
    assert values(words, "--memory") == values(words, "--memory-swap") == ["1000m"]  # the same: no swap
    assert values(words, "--pids-limit") == ["50"]
    assert values(words, "--shm-size") == ["20m"]
    (tmp,) = values(words, "--tmpfs")
    assert tmp.startswith("/tmp:") and {"size=20m", "nosuid", "nodev"} <= set(tmp.removeprefix("/tmp:").split(","))
    assert {"fsize=10485760:10485760", "core=0:0"} <= set(values(words, "--ulimit"))


def test_it_mounts_the_kit_read_only_and_nothing_of_the_graders(words):
    mounts = [dict(part.partition("=")[::2] for part in mount.split(",")) for mount in values(words, "--mount")]
    assert {Path(mount["target"]): Path(mount["source"]) for mount in mounts} == view.kit()
    assert all(mount["type"] == "bind" and "readonly" in mount for mount in mounts)
    assert not {"--volume", "-v", "--env-file"} & set(words)
    package = Path(container.__file__).parents[1]
    hidden = {package, package / "exercises", package / "oracle.py", package.parent, package.parent / "solutions"}
    shown = {Path(mount["source"]) for mount in mounts}
    assert not [secret for secret in hidden for source in shown if source in (secret, *secret.parents)]


def test_its_environment_is_the_sandboxs(words, monkeypatch):
    monkeypatch.setenv("TERM_SECRET", "1234")
    given = dict(pair.split("=", 1) for pair in values(words, "--env"))
    assert given == {name: value for name, value in view.environment().items() if name != "PATH"}


def test_it_runs_the_images_own_python(words, monkeypatch):
    assert words[-2:] == ["an-image", "python"]
    monkeypatch.setenv("AUTOGRADE_IMAGE", "registry/another:1")
    assert container.command(LIMITS, "x", "docker")[-2:] == ["registry/another:1", "python"]


def test_podman_comes_before_docker(monkeypatch):
    there = {"podman", "docker"}
    monkeypatch.setattr(shutil, "which", lambda name: name if name in there else None)
    assert container.engine() == "podman"
    there.remove("podman")
    assert container.engine() == container.command(LIMITS, "x")[0] == "docker"
    there.remove("docker")
    assert container.engine() is None


ENGINE = """\
#!{python}
import json, os, signal, subprocess, sys
log = {log!r}
with open(log, "a") as file:
    print(json.dumps([os.getpid(), sys.argv[1:]]), file=file)
if sys.argv[1] == "run":  # as with an engine: the container outlives its client
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    subprocess.run([sys.executable, "-c", {program!r}], start_new_session=True)
elif sys.argv[1] == "kill":
    with open(log) as file:
        lines = [json.loads(line) for line in file]
    os.kill(next(what for who, what in lines if who == "kernel"), signal.SIGKILL)
"""
KERNEL = """
import json, os, sys, time
sys.path.insert(0, {inside!r})
from inside import frames
with open({log!r}, "a") as file:
    print(json.dumps(["kernel", os.getpid()]), file=file)
frames.send(1, {{"id": frames.receive(0)["id"], "done": True}})
{then}
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    """A function that starts a kernel in a stand-in's container → (the kernel, what the engine was told)."""

    def started(then):
        log, engine = tmp_path / "log", tmp_path / "podman"
        inside = str(Path(kernels.enclose.__file__).parents[1])
        program = KERNEL.format(inside=inside, log=str(log), then=then)
        engine.write_text(ENGINE.format(python=sys.executable, log=str(log), program=program))
        engine.chmod(0o755)
        monkeypatch.setattr(container, "engine", lambda: str(engine))
        kernel = kernels.contained([], LIMITS)
        return kernel, lambda: [json.loads(line)[1] for line in log.read_text().splitlines()]

    return started


def test_a_contained_kernel_is_told_how_and_ended_by_name(start):
    kernel, told = start("time.sleep(60)")
    run, number = told()
    (name,) = values(run, "--name")
    *before, program, request = run[run.index("python") + 1 :]
    assert (before, program) == (["/kit/inside/zygote.py"], "--contained")
    assert json.loads(request)["limits"] == LIMITS.as_dict()
    with pytest.raises(Late):
        kernel.run("x", 0.1)
    assert told()[2:] == [["kill", name]]


def test_a_contained_kernel_that_ends_needs_no_killing(start):
    kernel, told = start("frames.receive(0)")
    kernel.end()
    assert len(told()) == 2
    kernel, told = start("")
    with pytest.raises(Died):
        kernel.run("x", 5)


def test_an_image_that_is_not_there_is_no_sandbox(start, monkeypatch, tmp_path):
    engine = tmp_path / "docker"
    engine.write_text("#!/bin/sh\nexit 125\n")
    engine.chmod(0o755)
    monkeypatch.setattr(container, "engine", lambda: str(engine))
    with pytest.raises(kernels.SandboxUnavailable, match="docker starts no kernel here"):
        kernels.contained([], LIMITS)


def test_the_image_has_the_packages_and_nothing_of_the_graders(repository):
    recipe = (Path(container.__file__).parent / "Containerfile").read_text()
    instructions = [line.split() for line in recipe.replace("\\\n", " ").splitlines() if line and line[0] not in "# "]
    assert instructions[0][:2] == ["FROM", "docker.io/library/python:3.11-slim"]
    copied = [line[1:-1] for line in instructions if line[0] in ("COPY", "ADD")]
    assert copied == [["pyproject.toml", "constraints.txt"]]
    pip = next(" ".join(line) for line in instructions if "pip install" in " ".join(line))
    assert "--constraint /build/constraints.txt" in pip and "['project']['dependencies']" in pip
    assert instructions[-2] == ["USER", f"{container.USER}:{container.USER}"]
    assert container.IMAGE in container.__doc__ and container.IMAGE in recipe
    dependencies = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["dependencies"]
    assert not [name for name in dependencies if name.startswith(("nbgrader", "training-dynamics"))]
