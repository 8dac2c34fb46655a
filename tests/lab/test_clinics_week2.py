"""Each disease shows in the measurement that names it, no usual cure heals, and the mended loops are discharged."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F

from course.lab import banking, plots, text, training
from course.lab.clinics import week2 as clinics
from course.lab.clinics import week2_bank as bank
from course.lab.clinics.week2_chart import STEPS, lines
from course.lab.demos import week2_flow


@pytest.fixture(scope="module")
def charts():
    return clinics.patients() | {"healthy": clinics.sound("B")}


def only(charts, says):
    return [name for name, chart in charts.items() if says(chart)]


def test_each_disease_shows_in_one_measurement_and_in_no_other_run(charts):
    assert not any(chart.error for chart in charts.values())
    assert all(len(chart.steps) == STEPS for chart in charts.values())
    assert only(charts, lambda c: min(c.column("labels")) == 0) == ["A"]
    assert only(charts, lambda c: max(c.column("moved")) == 0) == ["B"]
    assert only(charts, lambda c: c.column("rows seen")[-1] < 20) == ["C"]
    old = only(charts, lambda c: c.column("gradient")[-1] > 5 * c.column("own gradient")[-1])
    assert old == ["B", "D"]  # B never clears these gradients either: it clears those of the other copy
    assert only(charts, lambda c: sum(c.column("padding")) / STEPS > 0.7) == ["E"]


def test_the_complaints_are_what_the_curves_show(charts):
    broke = charts["A"].broke_at
    assert 15 < broke < 40 and charts["A"].column("labels")[broke - 1] == 0
    assert math.isnan(charts["A"].held_out), "not what was measured before it broke"
    assert charts["B"].held_out == pytest.approx(math.log(text.VOCAB_SIZE), abs=1e-3)
    assert charts["C"].column("reported")[-1] < 0.5 < 5 < charts["C"].held_out
    assert charts["D"].held_out > charts["healthy"].held_out + 1
    assert charts["E"].held_out == pytest.approx(charts["healthy"].held_out, abs=1e-4)


def test_the_usual_cures_cure_nobody(capsys):
    clinics.usual_cures()
    said = capsys.readouterr().out
    assert said.count("NaN at step 26") == 2, "a lower learning rate meets the same batch"
    assert all(clinics.verdict(name, clinics.advised(name)) != "well" for name in clinics.CURES)


def mended(name):
    """The notebook's loops, each with its line mended, written otherwise than `clinics.healthy`."""

    def loop(chart, steps=STEPS):
        model, rows, rng = chart.start()
        if name == "A":
            rows = [row[:14] for row in rows if ord("=") in row]
        if name == "B":
            model = copy.deepcopy(model)
        optimizer = torch.optim.AdamW(model.parameters(), lr=chart.lr)
        for _ in range(steps):
            picked = [rows[i] for i in torch.randint(len(rows), (4 if name == "A" else 16,), generator=rng)]
            batch = clinics.right_sides(picked) if name == "A" else text.batch(picked)
            labels = batch["labels"][:, 1:]
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
            nats = F.cross_entropy(logits.transpose(1, 2), labels, reduction="sum")
            loss = nats / (labels != -100).sum().clamp(min=1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            chart.note(model, batch, loss)

    return loop


def test_mended_loops_are_discharged_and_sick_ones_are_not(capsys):
    clinics.discharge(**{name: mended(name) for name in "ABCDE"})
    assert capsys.readouterr().out.count("   well") == 5
    clinics.discharge(**clinics.LOOPS)
    assert capsys.readouterr().out.count("still sick") == 5


def test_a_loop_that_fails_or_does_nothing_is_told_so(capsys):
    clinics.discharge(A=lambda chart: 1 / 0, B=lambda chart: chart.start())
    said = capsys.readouterr().out
    assert "does not run: ZeroDivisionError" in said and "noted 0 steps only" in said


def test_consulting_and_examining_are_in_words(capsys, monkeypatch):
    monkeypatch.setattr(plots, "show", lambda figure, alt: print(alt))
    clinics.consult()
    clinics.examine("moved", "own gradient")
    said = capsys.readouterr().out
    assert "The loss swings" in said and "measured here" in said
    for twin in ("healthy A", "healthy  "):
        assert said.count(twin) == 2


def test_the_same_run_twice():
    first, second = (clinics.run(clinics.LOOPS["D"]).column("reported") for _ in range(2))
    assert first == second


def test_right_sides_count_only_what_follows_the_first_equals():
    rows = [text.encode("a = b == c"), text.encode("f(x)")]
    labels = clinics.right_sides(rows)["labels"]
    assert text.decode(i for i in labels[0].tolist() if i != -100) == " b == c" and (labels[1] == -100).all()
    assert all(2 <= len(row) <= 62 for row in lines("val"))


# --- the bank ---------------------------------------------------------------------------------------------------------


def test_rows_keep_prompt_and_reply_apart_and_only_held_out_words_are_unknown():
    row = bank.rows()[0]
    assert row.prompt[0] == bank.ASK and row.prompt[-1] == bank.ANSWER and row.reply[-1] == bank.END
    assert bank.spell(row.reply) == " ".join(bank.words(row.answer))
    assert not any(bank.UNKNOWN in row.prompt + row.reply for row in bank.rows())
    assert any(bank.UNKNOWN in row.prompt for row in bank.rows("held_out"))
    assert not {row.family for row in bank.rows()} & {row.family for row in bank.rows("held_out")}


def test_only_the_reply_counts_unless_the_whole_row_does():
    rows = bank.rows()[:3]
    counted = (bank.batch(rows)["labels"] != -100).sum(1).tolist()
    assert counted == [len(row.reply) for row in rows]
    whole = bank.batch(rows, whole=True)
    assert torch.equal(whole["labels"] != -100, whole["attention_mask"].bool())


def test_the_cut_is_a_split_and_shuffling_keeps_questions_and_the_pile_of_answers():
    train, val = bank.cut()
    assert len(train) == 810 and len(val) == 90 and not set(train) & set(val)
    mixed = bank.shuffled(train)
    assert [row.prompt for row in mixed] == [row.prompt for row in train]
    assert sorted(row.answer for row in mixed) == sorted(row.answer for row in train)
    assert sum(a.answer != b.answer for a, b in zip(mixed, train, strict=True)) > 700


def test_exact_is_what_writing_shows():
    rows = list(bank.rows()[:32])
    run = bank.train(rows, 60, dropout=0.0, watch={"own": rows}, every=30)
    assert run.column("epoch") == [0, 30, 60] and 0.3 < run.column("exact own")[-1]
    written = bank.write(run.model, rows)
    assert run.column("exact own")[-1] == pytest.approx(
        sum(ids == row.reply for ids, row in zip(written, rows, strict=True)) / len(rows)
    )
    first, second = (bank.train(rows, 2, watch={"own": rows}).log for _ in range(2))
    assert first == second


def test_what_a_question_is_about_comes_from_the_bank_s_own_slots():
    slots = banking._wordings()[0]
    assert set(bank.THINGS) == {value for values in slots.values() for value in values}
    row = next(row for row in bank.rows() if "savings account" in row.question and "savings account" in row.answer)
    other = next(row for row in bank.rows() if "student account" in row.answer)
    assert bank.names_the_thing([row], [row.reply]) == (1, 1)
    assert bank.names_the_thing([row], [other.reply]) == (0, 1)


# --- what the demo of the blocks claims -----------------------------------------------------------------------------


def test_fresh_gradients_stay_within_bounds_with_pre_norm_and_grow_without_a_residual():
    ids = next(text.windows("train", 8, 64, training.generator(0, 1)))
    sizes = {}
    for wiring in ("pre-norm", "no residual"):
        flow = week2_flow.Flow(wiring, 24, 0)
        week2_flow.measure(week2_flow.stack(24), ids, flow)
        sizes[wiring] = flow.gradient[0]
    assert sizes["pre-norm"] < 100 < 1000 < sizes["no residual"]
    flow = week2_flow.Flow("no norm", 12, 0)
    week2_flow.measure(week2_flow.stack(12), ids, flow)
    assert flow.diverged and "diverged" in flow.words(flow)
