"""Arguments that several verbs share, and how they become a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from skyhall.errors import Place, SkyhallError

if TYPE_CHECKING:
    from skyhall.scenario import Scenario

__all__ = ["DEFAULT", "as_json", "loaded", "scenario_argument", "set_option"]

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
scenario_argument = click.argument("scenario", default=DEFAULT)


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
        for name, (key, _) in given.items():
            if error.place.file == "--set" and error.place.key == key:
                error.place = Place(name)
        raise
