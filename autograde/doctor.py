"""`python -m autograde doctor`: proves on this machine, by trying, each promise of the sandbox that grades submissions.

Each row of its table is an attempt, made inside a kernel, to do what a submission must not be able to do. It ends with
0 where every promise holds, 1 where one does not, 2 where there is no sandbox at all.
"""

import argparse
import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograde.sandbox import SandboxUnavailable
from autograde.sandbox.proof import bounds, reach
from autograde.sandbox.proof.examined import Examined, Row

PROMISES = (
    reach.a_kernel, reach.network, reach.write, reach.read, reach.environment, reach.descriptors, reach.privileges,
    reach.processes_in_sight, reach.each_other, bounds.processes, bounds.memory, bounds.disk, bounds.cpu,
    bounds.endless, bounds.daemons, bounds.answers,
)  # fmt: skip


def examine(backend: str | None = None, promises=None, told=lambda row: None) -> list[Row]:
    """Try these promises, all by default; `told` hears each row as it comes. Raises SandboxUnavailable without one."""
    found = []
    with Examined(backend) as examined:
        for promise in promises or PROMISES:
            for row in _rows(promise, examined):
                told(row)
                found.append(row)
    return found


def _rows(promise, examined):
    try:
        yield from promise(examined)
    except Exception as error:  # a promise that cannot be tried is a result too, and the rest is still tried
        yield Row(promise.__doc__, "could not be tried", f"{type(error).__name__}: {error}", False)


def table(found: list[Row]) -> Table:
    """The rows for a terminal."""
    shown = Table("promise", "how it was tried", "", "result", title="The sandbox on this machine")
    for row in found:
        mark = "[green]holds[/]" if row.holds else "[bold red]FAILS[/]"
        shown.add_row(escape(row.promise), escape(row.tried), mark, escape(row.result))
    return shown


def main(args) -> int:
    """Examine the sandbox and print what was found."""
    parser = argparse.ArgumentParser(prog="autograde doctor", description=__doc__)
    parser.add_argument("--backend", choices=["warm", "cold", "container"], help="by default the best that works here")
    backend = parser.parse_args(args).backend
    console = Console(width=None if sys.stdout.isatty() else 150)
    try:
        with console.status("trying to break out") as status:
            found = examine(backend, told=lambda row: status.update(escape(f"{row.promise}: {row.result}")))
    except SandboxUnavailable as error:
        print(error, file=sys.stderr)
        return 2
    console.print(table(found))
    broken = [row for row in found if not row.holds]
    verdict = f"{len(broken)} of {len(found)} do not hold: do not grade here" if broken else f"all {len(found)} hold"
    console.print(f"{verdict}.", highlight=False)
    return 1 if broken else 0
