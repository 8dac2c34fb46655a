"""The attack suite: nothing is earned that is not deserved, nothing lost that is, and nobody else is touched."""

import os
import subprocess
import sys

import pytest

from tests.grading import attack_suite, attacks
from tests.grading.enclosed import needs_bubblewrap

pytestmark = needs_bubblewrap

# These wait for a limit of time, memory or processes, some tens of seconds each: CI runs them, a short `make test` not.
LONG = {
    "cell_swallows_everything",
    "endless_list",
    "exceptions_that_fight",
    "kernel_stopped",
    "long_lists",
    "loop_in_own_cell",
    "many_slow_cells",
    "memory_hog",
    "memory_in_children",
    "memory_kills_the_attendant",
    "million_keys",
    "output_in_many_prints",
    "registered_number",
    "requests_read",
    "signals_masked",
    "signals_taken",
    "sleeps_in_answer",
    "stuck_in_c",
    "swallows_everything",
    "thread_bomb",
}
ALL = attacks.load()


def chosen():
    return ALL if os.environ.get("CI") == "true" else {name: ALL[name] for name in ALL.keys() - LONG}


@pytest.fixture(scope="module")
def suite(repository, tmp_path_factory):
    """In a process of its own: whatever is left below it is an attack's, and no other test's."""
    written = tmp_path_factory.mktemp("attacks") / "suite.json"
    only = [word for name in sorted(chosen()) for word in ("--only", name)]
    line = [sys.executable, "-m", "tests.grading.attack_suite", "--json", written, *only]
    done = subprocess.run(line, cwd=repository, capture_output=True, text=True)
    assert written.is_file(), done.stderr[-3000:]
    return attack_suite.Suite.read(written)


def test_there_are_enough_of_them_each_with_its_story():
    assert len(ALL) >= 45 and LONG <= ALL.keys()
    assert len({attacks.story(name) for name in ALL}) == len(ALL)
    assert all(len(attacks.story(name)) > 100 for name in ALL)


def test_no_attack_earns_a_point_it_does_not_deserve(suite):
    assert {o.name: o.undeserved for o in suite.outcomes if o.undeserved} == {}


def test_no_honest_answer_loses_a_point_to_what_stands_beside_it(suite):
    assert {o.name: o.lost for o in suite.outcomes if o.lost} == {}


def test_every_submission_gets_a_result_or_a_line(suite):
    assert [o.name for o in suite.outcomes if o.stopped] == [] and suite.status in (0, 3), suite.said


def test_no_process_is_left_and_no_file_altered(suite):
    assert suite.processes == [] and suite.altered == []


def test_the_neighbours_have_all_their_points_and_did_not_wait(suite):
    assert suite.disturbed == []


def test_no_page_shows_what_was_asked_or_acts(suite):
    assert {o.name: o.leaked for o in suite.outcomes if o.leaked} == {}


def test_a_ready_made_operator_past_the_ban_is_reported(suite):
    """It computes the right outputs, so it earns; a human is told where to look."""
    assert any(o.courtesy for o in suite.outcomes if o.kind == "courtesy")
