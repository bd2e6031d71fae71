"""What a command prints: tables, one JSON document, a progress bar, the next commands."""

from __future__ import annotations

import json as json_module
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import IO, Any

import click
from rich.box import SIMPLE_HEAD, Box
from rich.console import Console, JustifyMethod
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

__all__ = [
    "Text",
    "bits",
    "celsius",
    "console",
    "count",
    "document",
    "dose_budget",
    "duration",
    "energy",
    "entry",
    "facts",
    "heading",
    "in_celsius",
    "next_commands",
    "number",
    "pairs",
    "percent",
    "plain",
    "power",
    "progress",
    "put",
    "rate",
    "sentence",
    "size",
    "sparkline",
    "table",
    "thinned",
    "title",
    "verdict",
]

WIDEST = 100  # columns: longer lines are hard to read
NOTHING = 1e-6  # of a unit: what is smaller is shown as 0
_YEAR = 365.25 * 86400.0  # s
_RULED: Box = SIMPLE_HEAD
_LEVELS = " ▁▂▃▄▅▆▇█"
_SPARSE_LEVELS = " .:-=+*#@"


class _Console(Console):
    """A console that leaves a broken pipe to the command's way out."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, err: bool = False) -> Console:
    """Return a console on standard output (or error): no wider than 100 columns, plain in a pipe."""
    stream: IO[str] = sys.stderr if err else sys.stdout
    made = _Console(file=stream, highlight=False, markup=False, emoji=False)
    made.width = min(made.width, WIDEST)
    return made


def document(value: object) -> None:
    """Print `value` as the one JSON document of ``--json``."""
    click.echo(json_module.dumps(plain(value), indent=2, allow_nan=False))


def plain(value: Any) -> Any:
    """Return `value` as what JSON knows; NaN and infinity become null."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    return [plain(item) for item in value]


def number(value: float | int | None, unit: str = "", digits: int = 4) -> str:
    """Return a number to so many significant digits, with its unit."""
    if value is None:
        return "none"  # no finite answer exists
    if not math.isfinite(value):
        return "–"
    if abs(value) < NOTHING:
        value = 0
    if isinstance(value, int):
        shown = f"{value:,}"
    elif 0.0 < abs(value) < 1.0:
        shown = f"{value:.{digits}g}"
    else:
        whole = math.floor(math.log10(abs(value))) + 1 if value else 1
        shown = f"{value:,.{max(0, digits - whole) if value else 0}f}"
    return f"{shown} {unit}".rstrip()


def power(watts: float, digits: int = 4) -> str:
    """Return a power in W, kW, MW or GW, whichever is readable."""
    for factor, unit in ((1e9, "GW"), (1e6, "MW"), (1e3, "kW")):
        if abs(watts) >= factor:
            return number(watts / factor, unit, digits)
    return number(watts, "W", digits)


def energy(joules: float, digits: int = 4) -> str:
    """Return an energy in Wh, kWh or MWh, whichever is readable."""
    return f"{power(joules / 3600.0, digits)}h"  # s in an hour


def size(count: float) -> str:
    """Return a size in decimal multiples of a byte."""
    for factor, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= factor:
            return number(count / factor, unit, 3)
    return number(count, "bytes", 3)


def in_celsius(kelvin: float) -> float:
    """Return a temperature in degrees Celsius, by their definition."""
    return kelvin - 273.15


def celsius(kelvin: float) -> str:
    """Return a temperature as text in degrees Celsius."""
    return number(in_celsius(kelvin), "°C", 3)


def duration(seconds: float) -> str:
    """Return a stretch of time in days, or hours where it is short."""
    days = timedelta(seconds=seconds) / timedelta(days=1)
    return f"{days:,.6g} days" if days > 1.0 else f"{days * 24.0:.6g} h"


def rate(bits_per_s: float, digits: int = 3) -> str:
    """Return a data rate in bit/s, kbit/s ... Tbit/s, whichever is readable."""
    return bits(bits_per_s, "/s", digits)


def bits(amount: float, per: str = "", digits: int = 3) -> str:
    """Return an amount of data in decimal multiples of a bit; `per` follows the unit."""
    for factor, unit in ((1e15, "Pbit"), (1e12, "Tbit"), (1e9, "Gbit"), (1e6, "Mbit"), (1e3, "kbit")):
        if abs(amount) >= factor:
            return number(amount / factor, unit + per, digits)
    return number(amount, "bit" + per, digits)


def count(number_of: int, noun: str) -> str:
    """Return "1 satellite" or "81 satellites"."""
    return f"{number_of:,} {noun}" + ("" if number_of == 1 else "s")


def percent(share: float | None) -> str:
    """Return a share as a percentage."""
    return number(None if share is None else share * 100.0, "%", 3)


def dose_budget(here: Any) -> str:
    """Return how the dose over the life compares with what the device bears, of one design's irradiation."""
    rad = here.life_dose_rad / 1e3
    life, needed, limit = (
        number(rad, digits=3),
        number(rad * here.margin, digits=3),
        here.device.dose_limit_rad / 1e3,
    )
    return (
        f"{life} krad over {number(here.life / _YEAR, digits=3)} yr × margin {here.margin:g} = {needed} of the "
        f"{number(limit, digits=3)} krad that {here.device.name} bears"
    )


def verdict(text: str, *, good: bool) -> Text:
    """Return a text in green or yellow."""
    return Text(text, style="green" if good else "yellow")


def put(renderable: Any, *, err: bool = False, fold: bool = True) -> None:
    """Print something of rich's; what is no terminal gets it without trailing blanks."""
    made = console(err=err)
    if made.is_terminal:
        made.print(renderable, soft_wrap=not fold)
        return
    with made.capture() as captured:
        made.print(renderable, soft_wrap=not fold)
    lines = captured.get().splitlines()
    click.echo("\n".join(line.rstrip() for line in lines), err=err)


def title(name: str, description: str, elements: str | None = None) -> None:
    """Print what the answer is about, and the file of element sets that took the place of its orbits."""
    words = description.split()
    if elements is not None:
        words += f"Here on the real orbits of {Path(elements).name}.".split()
    put(Text(name, style="bold").append(f"  {' '.join(words)}", style="not bold"))


def heading(text: str, remark: str = "") -> None:
    """Print a section's title."""
    line = Text("\n").append(text, style="bold")
    if remark:
        line.append(f"  {remark}", style="dim")
    put(line)


def sentence(text: str, style: str = "") -> None:
    """Print a line of prose, folded at the console's width."""
    put(Text(text, style=style))


def facts(rows: Iterable[tuple[str, str, str]]) -> None:
    """Print rows of name, value with unit, and remark, in columns that align from table to table."""
    made = _grid()
    made.add_column(min_width=19, no_wrap=True)
    made.add_column(min_width=16, justify="right", overflow="fold")
    made.add_column(style="dim", overflow="fold")
    for row in rows:
        made.add_row(*row)
    put(made)


def pairs(rows: Iterable[tuple[str, str]], width: int = 22) -> None:
    """Print rows of name and description."""
    made = _grid()
    made.add_column(min_width=width, overflow="fold")
    made.add_column(overflow="fold")
    for row in rows:
        made.add_row(*row)
    put(made)


def entry(cells: tuple[str, str, str], remark: str) -> None:
    """Print three cells on a line and a remark below them."""
    key, value, rest = cells
    put(Text(f"{key:<26}", style="bold").append(f" {value:>18}   {rest}", style="not bold"))
    put(Padding(Text(remark, style="dim"), (0, 0, 0, 4)))


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    right: Sequence[int] = (),
    whole: Sequence[int] = (0,),
    most: Mapping[int, int] | None = None,
) -> None:
    """Print a table; columns in `right` are aligned to the right, those in `whole` never folded.

    `most` gives the width at which a column is folded.
    """
    made = Table(box=_RULED, show_edge=False, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for index, name in enumerate(columns):
        justify: JustifyMethod = "right" if index in right else "left"
        width = (most or {}).get(index)
        made.add_column(name, justify=justify, overflow="fold", no_wrap=index in whole, max_width=width)
    for row in rows:
        made.add_row(*row)
    put(made)


def _grid() -> Table:
    return Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))


def next_commands(*commands: str, err: bool = False) -> None:
    """Print what a user may want to type next; on standard error where standard output is a document."""
    put(Text("\nNext", style="bold"), err=err)
    for command in commands:
        put(Text(f"  {command}", style="cyan"), err=err, fold=False)


def sparkline(values: Sequence[float], *, top: float | None = None) -> str:
    """Return the values as a line of blocks, from zero to `top` (default the largest)."""
    levels = _LEVELS if (sys.stdout.encoding or "").lower().startswith("utf") else _SPARSE_LEVELS
    highest = max(values, default=0.0) if top is None else top
    steps = len(levels) - 1
    if not highest > 0:
        return levels[0] * len(values)
    return "".join(levels[min(steps, max(0, math.ceil(value / highest * steps - 1e-9)))] for value in values)


def thinned(values: Sequence[float], count: int) -> list[float]:
    """Return at most `count` of the values, evenly spread from first to last."""
    kept = min(len(values), count)
    if kept < 2:
        return list(values)
    return [values[round(i * (len(values) - 1) / (kept - 1))] for i in range(kept)]


@contextmanager
def progress(*, json: bool) -> Iterator[Callable[[str, float], None]]:
    """Yield a function that shows (what, share done) as a bar on a terminal, and nothing in a pipe."""
    if json or not sys.stderr.isatty():
        yield lambda link, share: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<8}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(err=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda link, share: bar.update(task, description=link, completed=share)
