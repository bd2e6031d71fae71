"""Arguments that several verbs share, and how they become a scenario."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from skyhall.errors import Place, SkyhallError, ValueProblem

if TYPE_CHECKING:
    from skyhall.scenario import Scenario

__all__ = [
    "DEFAULT",
    "Folder",
    "another",
    "as_json",
    "blame",
    "call",
    "elements_option",
    "loaded",
    "number_of",
    "scenario_argument",
    "set_option",
    "simulated",
]

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT = "dawn-dusk-200mw"

as_json = click.option("--json", "json", is_flag=True, help="Print one JSON document and nothing else.")
set_option = click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    help="Replace a value of the scenario, e.g. launch.price='200 USD/kg'. May be repeated.",
)
elements_option = click.option(
    "--elements",
    metavar="FILE",
    help="Fly on the orbits of real element sets: TLE, or OMM as KVN, XML, JSON or CSV.",
)
scenario_argument = click.argument("scenario", default=DEFAULT)


class Folder(click.Path):
    """A folder to write into, which has a name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; an empty text would be the working folder and is refused."""
        if not str(value).strip():
            option = param.opts[0] if param else None
            raise ValueProblem("is empty", place=Place(option), right="name a folder, for example runs/mine")
        return Path(value)


def loaded(
    source: str | Path, sets: Sequence[str] = (), options: Mapping[str, tuple[str, str | None]] | None = None
) -> Scenario:
    """Return the checked scenario.

    Parameters
    ----------
    source : built-in name or file.
    sets : texts ``section.key=value``.
    options : by the option's name: the scenario's key that it stands for and its text, None when not given.
    """
    from skyhall.scenario import load

    given = {name: pair for name, pair in (options or {}).items() if pair[1] is not None}
    try:
        return load(source, overrides=[*sets, *(f"{key}={text}" for key, text in given.values())])
    except SkyhallError as error:
        keys = {key: Place(name) for name, (key, _) in given.items()}
        typed = {text.partition("=")[0].strip() for text in sets}
        blame(error, {key: Place("--set", key) for key in typed} | keys)
        raise


def blame(error: SkyhallError, given: Mapping[str, Place]) -> None:
    """Let an error name what was typed: the key itself, or the key of its section that the message speaks of.

    Parameters
    ----------
    given : by the scenario's key: where it was typed.
    """
    at = error.place.key or ""
    if at in given:
        error.place = given[at] if error.place.file in (None, "--set") else error.place
        return
    for key, place in given.items():
        section, _, word = key.rpartition(".")
        if at in (section, "") and word.replace("_", " ") in error.what:
            error.place = place
            return


def simulated(known: Scenario, duration: str) -> tuple[float | None, float]:
    """Return when a stretch of simulated time begins, s after the epoch, and how long it lasts, s.

    Parameters
    ----------
    known : its `flight.start` is the begin, None where there is none.
    duration : text of ``--duration``.

    Raises
    ------
    ValueProblem
        For a text that is no time, or one shorter than a minute.
    """
    from skyhall.units import parse

    place, right = Place("--duration"), "write a time, as '12 h'"
    try:
        lasts = parse(duration, "s")
    except ValueProblem as error:
        error.place, error.right = place, right
        raise
    if lasts < 60.0:
        raise ValueProblem(f"'{duration}' is shorter than a minute", place=place, right=right)
    begin = known.flight.start
    return None if begin is None else (begin - known.epoch).total_seconds(), lasts


def number_of(text: str) -> float | None:
    """Return the finite number of at least 0 that a text is; None where it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value < float("inf") else None


def call(verb: str, *words: str, sets: Sequence[str] = (), **options: object) -> str:
    """Return a command as one types it: options that are None are left out, and what needs quotes has them."""
    parts = ["skyhall", verb, *(shlex.quote(word) for word in words)]
    for name, value in options.items():
        if value is not None:
            parts += [f"--{name.replace('_', '-')}", shlex.quote(str(value))]
    for text in sets:
        parts += ["--set", shlex.quote(text)]
    return " ".join(parts)


def another(asked: Scenario, sets: Sequence[str], *candidates: str) -> str:
    """Return the first of the `candidates` (key=value) that changes `asked` and that was not typed; else the last."""
    typed = {text.partition("=")[0].strip() for text in sets}
    for candidate in candidates:
        key, _, value = candidate.partition("=")
        section, _, name = key.partition(".")
        if key not in typed and str(getattr(getattr(asked, section), name)) != value:
            return candidate
    return candidates[-1]
