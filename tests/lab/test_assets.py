"""Shipped files are found and checked, and every way to lack one is a single clear line."""

import json
import shutil
import subprocess
import sys

import pytest

from course.lab import assets


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of one listed asset, in the place of the installed ones."""
    (tmp_path / "some.txt").write_text("as shipped")
    assets.write_manifest(tmp_path)
    monkeypatch.setattr(assets, "_INSTALLED", tmp_path)
    assets._verified.cache_clear()
    yield tmp_path
    assets._verified.cache_clear()


def complaint(name):
    with pytest.raises(assets.AssetError) as raised:
        assets.path(name)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_listed_file_is_found(folder):
    assert assets.path("some.txt").read_text() == "as shipped"


def test_an_unknown_name_is_refused_and_the_known_ones_are_named(folder):
    (folder / "stray.txt").write_text("there, but not listed")
    assert "stray.txt" in complaint("stray.txt") and "some.txt" in complaint("stray.txt")
    assert "../some.txt" in complaint("../some.txt")


def test_a_missing_file_is_named_with_what_to_do(folder):
    (folder / "some.txt").unlink()
    assert "some.txt is missing" in complaint("some.txt") and "reinstall" in complaint("some.txt")


def test_an_altered_file_is_named_with_what_to_do(folder):
    (folder / "some.txt").write_text("as shipped!")
    assert (
        "some.txt" in complaint("some.txt")
        and "sha256" in complaint("some.txt")
        and "reinstall" in complaint("some.txt")
    )


def test_a_lost_manifest_is_an_asset_error_too(folder):
    (folder / "manifest.json").unlink()
    assert "manifest.json" in complaint("some.txt")


def test_a_file_is_hashed_once_per_process(folder, monkeypatch):
    counted = []
    real = assets._sha256
    monkeypatch.setattr(assets, "_sha256", lambda file: counted.append(file) or real(file))
    assert assets.path("some.txt") == assets.path("some.txt")
    assert len(counted) == 1


def test_refreshing_the_manifest_keeps_what_a_person_wrote_and_skips_scripts(folder):
    listed = json.loads((folder / "manifest.json").read_text())
    listed["some.txt"]["licence"] = "MIT"
    (folder / "manifest.json").write_text(json.dumps(listed))
    (folder / "some.txt").write_text("another text")
    (folder / "build.py").write_text("")
    new = assets.write_manifest(folder)
    assert set(new) == {"some.txt"} and new["some.txt"]["licence"] == "MIT" and new["some.txt"]["bytes"] == 12
    assert assets.path("some.txt").read_text() == "another text"


def test_the_repository_s_own_manifest_is_true_and_complete():
    listed = assets.manifest(assets._CHECKOUT)
    for name, facts in listed.items():
        file = assets._CHECKOUT / name
        assert (assets._sha256(file), file.stat().st_size) == (facts["sha256"], facts["bytes"]), name
        assert facts["source"] and facts["licence"], f"{name} has no source or licence"


def test_importing_course_lab_loads_neither_torch_nor_transformers():
    code = "import sys, course.lab.assets as a; print(sorted({'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_an_installed_copy_beside_the_module_wins_over_the_repository(tmp_path):
    package = tmp_path / "course" / "lab"
    shutil.copytree(assets._CHECKOUT.parent / "course" / "lab", package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "course" / "__init__.py").touch()
    (package / "_assets").mkdir()
    (package / "_assets" / "only.txt").write_text("installed")
    assets.write_manifest(package / "_assets")
    code = "import sys; sys.path.insert(0, sys.argv[1]); from course.lab import assets; print(assets.path('only.txt'))"
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout
    assert found.strip() == str(package / "_assets" / "only.txt")
