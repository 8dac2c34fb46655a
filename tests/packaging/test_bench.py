"""The table of `make bench`: its verdicts, and a row for what cannot run. The slow parts run by command alone."""

from autograde import bench, browser


def test_a_row_gives_its_figure_aim_and_verdict():
    assert bench.Row("x", 72.4, "ms", 80).cells() == ("x", "72 ms", "≤ 80 ms", "met")
    assert bench.Row("x", 5.31, "%", 5).cells() == ("x", "5.31 %", "≤ 5 %", "missed")
    assert bench.Row("x", 1.5, "s").cells() == ("x", "1.50 s", "", "")
    assert bench.Row("x", 1.24, "×", least=1.2).cells() == ("x", "1.24 ×", "≥ 1.2 ×", "met")
    assert bench.Row("x", 1.1, "×", least=1.2).verdict == "missed"


def test_a_part_that_cannot_run_says_so_in_its_row(monkeypatch, capsys):
    monkeypatch.setattr(browser, "CHROMIUM", None)
    assert bench.main(["slider"]) == 0
    assert "not run (no Chromium here" in capsys.readouterr().out


def test_a_part_that_fails_is_a_row_and_the_rest_goes_on(monkeypatch, capsys):
    def broken():
        yield bench.Row("first", 1.0, "s")
        raise ValueError("it broke\nat length")

    monkeypatch.setitem(bench.PARTS, "live", broken)
    monkeypatch.setitem(bench.PARTS, "build", lambda: iter([bench.Row("second", 2.0, "s")]))
    assert bench.main(["live", "build"]) == 1
    said = capsys.readouterr().out
    assert "first" in said and "not run (ValueError: it broke)" in said and "second" in said


def test_an_unknown_part_lists_the_known(capsys):
    assert bench.main(["sliders"]) == 2
    assert capsys.readouterr().err == (
        "There is no part 'sliders'; there are imports, build, live, slider, heat_map, checks, qlora, notebooks, "
        "grading, class_of_500.\n"
    )


def test_neither_package_imports_torch_or_is_slow_to_import():
    rows = list(bench.imports())
    assert [row.name for row in rows] == ["import autograde", "import course.lab"]
    assert all(row.verdict == "met" and not row.note for row in rows)


def test_a_measurement_that_noise_has_spoiled_meets_no_aim(monkeypatch):
    from course.lab import live_cost

    cost = {"steps_per_s_without": 38.0, "steps_per_s_with": 53.0, "cost_percent": -39.0}
    monkeypatch.setattr(live_cost, "plot_cost", lambda: cost)
    assert list(bench.live())[-1].verdict == ""
