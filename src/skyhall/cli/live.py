"""Satellites at work, on a terminal: who is in the light, who computes, what hit and what was repaired."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from skyhall.cli import show

if TYPE_CHECKING:
    from skyhall.runtime.state import RunPlan, RunState

__all__ = ["satellites_on_a_terminal"]

_EVERY_S = 0.25
_DOES = {
    "idle": "",
    "loading": "takes the state",
    "ready": "ready",
    "running": "computes",
    "ended": "has computed",
}
Shown = tuple[Callable[[str, float], None], Callable[["RunPlan", "RunState"], None]]


@contextmanager
def satellites_on_a_terminal(*, json: bool) -> Iterator[Shown]:
    """Yield what shows (what, share done), and what shows a plan and its state; nothing is shown in a pipe."""
    if json or not sys.stderr.isatty():
        yield (lambda what, share: None), (lambda plan, state: None)
        return
    last = [0.0]
    with Live(console=show.console(err=True), transient=True, auto_refresh=False) as live:

        def progress(what: str, share: float) -> None:
            live.update(_bar(what, share), refresh=True)

        def watch(plan: RunPlan, state: RunState) -> None:
            if time.monotonic() - last[0] > _EVERY_S:
                last[0] = time.monotonic()
                live.update(_picture(plan, state), refresh=True)

        yield progress, watch


def _bar(what: str, share: float) -> Table:
    line = Table.grid(padding=(0, 2))
    line.add_row(what, ProgressBar(total=1.0, completed=share, width=40))
    return line


def _picture(plan: RunPlan, state: RunState) -> Group:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("satellite", "light", "process", "job"):
        table.add_column(name)
    for satellite, (name, seat) in enumerate(zip(plan.sky.names, state.seats, strict=True)):
        lit = plan.sky.is_lit(satellite, state.now)
        until = plan.sky.dusk(satellite, state.now) if lit else plan.sky.dawn(satellite, state.now)
        minutes = f"{'lit' if lit else 'dark'} for {(until - state.now) / 60.0:.0f} min"
        table.add_row(
            Text(name, style="bold" if satellite in state.members else "dim"),
            Text(minutes, style="yellow" if lit else "blue"),
            "lost" if seat.lost else seat.process,
            _DOES[seat.task],
        )
    counts = state.counts
    facts = (
        f"step {state.verified:,} of {plan.units:,}  {state.told}  flips {counts['injected']:,}, "
        f"repaired {counts['corrected']:,}, rounds redone {counts['unresolved']:,}  "
        f"eclipses {counts['eclipses']:,}, moves {counts['moves']:,}, kills {counts['kills']:,}"
    )
    waits, _, moment = state.waiting.partition(" until ")
    if moment:
        waits += f" for {(float(moment) - state.now) / 60.0:.0f} min"
    return Group(table, _bar("verified", state.verified / plan.units), Text(facts), Text(waits, style="dim"))
