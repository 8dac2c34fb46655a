"""Did they learn? A pre-test, an opener for each week, and self-assessments, each answer kept as it is given."""

import html

import ipywidgets as widgets
from IPython.display import display

from course.lab import journal
from course.lab.live import someone_is_there
from course.lab.questions import TWELVE, WARM_UP, Score, items, score

CONFIDENCE = [
    ("not said", ""),
    ("0 %: no idea", 0.0),
    ("10 %", 0.1),
    ("30 %", 0.3),
    ("50 %: a coin", 0.5),
    ("70 %", 0.7),
    ("90 %", 0.9),
    ("100 %: certain", 1.0),
]


class Quiz:
    """Items with a box for the number and one for the confidence; every change is kept at once.

    Where no front end is, it shows the questions as text; `answer(n, value, confidence)` gives an answer from code.
    """

    def __init__(self, occasion: str, learner: str, questions, *, reveal: bool):
        self.occasion, self.learner, self.reveal = occasion, learner, reveal
        self.items = items(learner, occasion, questions)

    @property
    def answers(self) -> dict:
        return journal.read().get("answers", {}).get(self.occasion, {}).get("items", {})

    def answer(self, n: int, value, confidence: float | None = None) -> None:
        """Keeps `value` and `confidence` (0 … 1) for item `n`, counted from 1."""
        if confidence is not None and not 0 <= confidence <= 1:
            raise ValueError(f"a confidence lies between 0 and 1, {confidence} does not")
        item = self.items[n - 1]
        given = {"value": None if value in (None, "") else str(value), "confidence": confidence}

        def change(old):
            kept = {**old.get("items", {}), item.name: given}
            result = score(self.items, kept)
            return {
                "learner": self.learner,
                "items": kept,
                "right": result.right,
                "total": result.total,
                "brier": result.brier,
            } | journal.now()

        journal.change("answers", self.occasion, change)

    def score(self) -> Score:
        return score(self.items, self.answers)

    def words(self) -> str:
        """The score and, where answers may be told, each item's."""
        lines = [str(self.score())]
        for n, item in enumerate(self.items, 1):
            given = self.answers.get(item.name, {}).get("value")
            if self.reveal and given is not None:
                lines.append(
                    f"{n}. {'right' if item.right(given) else 'not right'}: "
                    f"{journal.number(item.answer, item.unit)} ({item.how})"
                )
        if not self.reveal:
            lines.append("The answers stay closed: the course gives them, and week 8 asks again with other numbers.")
        return "\n".join(lines)

    def text(self) -> str:
        return "\n".join(f"{n}. {item.text}" for n, item in enumerate(self.items, 1))

    def _ipython_display_(self):
        if someone_is_there():
            display({**self._widgets()._repr_mimebundle_(), "text/plain": self.text()}, raw=True)
        else:
            journal.show(self.text(), bold=f"{len(self.items)} questions")

    def _widgets(self):
        wide, rows = widgets.Layout(width="min(620px, 100%)"), []
        for n, item in enumerate(self.items, 1):
            kept = self.answers.get(item.name, {})
            box = widgets.Text(
                value=kept.get("value") or "",
                description=f"Answer {n}",
                placeholder="a number",
                continuous_update=True,
                layout=widgets.Layout(width="240px"),
                tooltip=item.text,
            )
            sure = widgets.Dropdown(
                options=CONFIDENCE,
                value="" if kept.get("confidence") is None else kept["confidence"],
                description=f"Chance {n} is right",
                style={"description_width": "initial"},
                layout=widgets.Layout(width="290px"),
            )

            def keep(_, n=n, box=box, sure=sure):
                self.answer(n, box.value, None if sure.value == "" else sure.value)

            box.observe(keep, "value")
            sure.observe(keep, "value")
            question = widgets.HTML(
                f"<div style='line-height:1.4;margin-top:10px'><b>{n}.</b> {html.escape(item.text)}</div>", layout=wide
            )
            rows.append(
                widgets.VBox([question, widgets.HBox([box, sure], layout=widgets.Layout(flex_flow="row wrap"))])
            )
        button, out = widgets.Button(description="Show my score", icon="check"), widgets.HTML()

        def tell(_):
            out.value = (
                f"<div role='status' style='line-height:1.5'>{html.escape(self.words()).replace(chr(10), '<br>')}</div>"
            )

        button.on_click(tell)
        return widgets.VBox([*rows, button, out])


def pretest(learner: str = "") -> Quiz:
    """The twelve questions before the course, for this learner."""
    return Quiz("before", journal.sign(learner), TWELVE, reveal=False)


def opener(week: int, n: int = 3) -> Quiz:
    """`n` questions from the weeks before `week`, with new numbers, answers told: to recall a thing makes it stay."""
    pool = [q for q in WARM_UP + TWELVE if q.week < week]
    learner, occasion = journal.learner(), f"week{week}"
    return Quiz(occasion, learner, journal.draw(learner, occasion).sample(pool, min(n, len(pool))), reveal=True)


LEVELS = [("not said", ""), ("not yet", 1), ("with help", 2), ("alone", 3), ("well enough to teach it", 4)]


class Reflection:
    """'I can …' statements, each with a level and the evidence for it, and two open questions; kept as typed."""

    OPEN = ("What surprised me", "What I am still unsure about")

    def __init__(self, week: str, statements):
        self.week, self.statements = week, list(statements)

    @property
    def kept(self) -> dict:
        return journal.read().get("reflections", {}).get(self.week, {})

    def note(self, statement: str, **changes) -> None:
        """Keeps `level` (1 … 4) or `evidence` for a statement, or `text` for an open question."""
        journal.change(
            "reflections",
            self.week,
            lambda old: {**old, statement: {**old.get(statement, {}), **changes} | journal.now()},
        )

    def text(self) -> str:
        return "\n".join(f"– {line}" for line in [*self.statements, *self.OPEN])

    def _ipython_display_(self):
        if someone_is_there():
            display({**self._widgets()._repr_mimebundle_(), "text/plain": self.text()}, raw=True)
        else:
            journal.show(self.text(), bold="Can I do this? Level and evidence for each")

    def _widgets(self):
        rows, free = [], widgets.Layout(width="min(620px, 100%)")
        for n, line in enumerate(self.statements, 1):
            kept = self.kept.get(line, {})
            level = widgets.Dropdown(
                options=LEVELS,
                value=kept.get("level") or "",
                description=f"Level {n}",
                layout=widgets.Layout(width="280px"),
                tooltip=line,
            )
            proof = widgets.Text(
                value=kept.get("evidence", ""),
                description=f"Evidence {n}",
                layout=widgets.Layout(width="min(420px, 100%)"),
                placeholder="a run, a check, a figure",
                tooltip=line,
            )
            level.observe(lambda change, line=line: self.note(line, level=change["new"] or None), "value")
            proof.observe(lambda change, line=line: self.note(line, evidence=change["new"]), "value")
            head = widgets.HTML(
                f"<div style='line-height:1.4;margin-top:8px'><b>{n}.</b> {html.escape(line)}</div>", layout=free
            )
            rows.append(widgets.VBox([head, widgets.HBox([level, proof], layout=widgets.Layout(flex_flow="row wrap"))]))
        for line in self.OPEN:
            area = widgets.Textarea(
                value=self.kept.get(line, {}).get("text", ""),
                description=line,
                rows=2,
                layout=free,
                style={"description_width": "initial"},
            )
            area.observe(lambda change, line=line: self.note(line, text=change["new"]), "value")
            rows.append(area)
        return widgets.VBox(rows)
