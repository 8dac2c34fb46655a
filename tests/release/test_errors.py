"""What an author did wrong: one line each, with file and line, and no file touched."""

import pytest

AT = "solutions/week1_toy/toy.py:"
DOUBLE, NEGATE = '# %% exercise="week1.double"', '# %% exercise="week1.negate"'


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        (DOUBLE, '# %% exercise="week1.doubble"', 9, "no exercise 'week1.doubble': did you mean week1.double"),
        (DOUBLE, "# %% exercise=week1.double", 9, "is not understood: options are"),
        (DOUBLE, '# %% exercise="week1.double', 9, "is not understood: options are"),
        (DOUBLE, '# %% exercise="week1.double" pionts=3', 9, "is not understood: options are"),
        (DOUBLE, '# %% exercise="week1.double" points=3', 9, "stand in its specification"),
        (DOUBLE, '# %% exercise="week1.double" check="week1.double"', 9, "either exercise or check"),
        (DOUBLE, '# %% [markdown] exercise="week1.double"', 9, "an exercise cell is code"),
        (DOUBLE, '# %% exercise="week2.double"', 9, "does not belong to week1"),
        (DOUBLE, "# %%", 9, "outside an exercise"),
        (DOUBLE, f"# %%\n1\n{DOUBLE}", 11, "needs a markdown cell right before it"),
        ('    ### END SOLUTION\n\n\n# %% check="week1.double"', '# %% check="week1.double"', 9, "do not pair"),
        (NEGATE, DOUBLE, 22, 'exercise="week1.double" is used twice: first on line 9'),
        ('# %% check="week1.double"\ncheck("week1.double", double)\n', "", 9, "without a check="),
        ('# %% check="week1.double"\n', '# %% check="week1.triple"\n', 18, 'without an exercise="week1.triple" above'),
        ('check("week1.double", double)', 'check("week1.negate", double)', 18, "the cell is one line"),
        ('check("week1.double", double)', "assert double(2) == 4", 18, "the cell is one line"),
        ("# %%\nimport math", "# %%\n### BEGIN HIDDEN TESTS\nimport math\n### END HIDDEN TESTS", 3, "hidden tests"),
        ("# %%\nimport math", "# %%" + "\nimport math" * 26, 3, "a cell of 26 lines"),
        ("# Twice the number.", "# Twice\n" * 26, 5, "lines: split it"),
        ("# %% [markdown]\n# # Doubling", "import os\n# %% [markdown]\n# # Doubling", 1, "each cell opens with one"),
        ("points=3", "", 32, "and it needs them"),
        ("# Twice the number.", "# Twice {{ speed.fast }}.", 5, "there is no assets/recordings/speed.jsonl"),
    ],
)
def test_one_line_says_what_and_where(course, old, new, line, said):
    course.edit(old, new)
    errors = [error for error in course.errors() if said in error]
    assert len(errors) == 1, course.errors()
    assert errors[0].startswith(f"{AT}{line}: ") and "\n" not in errors[0]


def test_every_error_is_listed_at_once_in_the_order_of_lines(course):
    course.edit("# Twice the number.", "# Twice in 3 seconds.")
    course.edit(NEGATE, '# %% exercise="week1.nagate"')
    lines = [int(error.split(":")[1]) for error in course.errors()]
    assert lines == sorted(lines) and {8, 22} <= set(lines)


def test_a_notebook_of_many_cells_is_refused(course):
    course.edit("# %%\nimport math", "# %%\nimport math" + "\n# %%\n1" * 40)
    assert any("make it two" in error for error in course.errors())


def test_an_exercise_that_no_source_uses_is_named(course):
    text = course.lesson.read_text(encoding="utf-8")
    start, end = text.index("# %% [markdown]\n# ### Negate"), text.index("# %% [markdown] answer")
    course.write(text[:start] + text[end:])
    (error,) = course.errors()
    assert error.startswith('solutions/week1_toy:1: no source has exercise="week1.negate"')
