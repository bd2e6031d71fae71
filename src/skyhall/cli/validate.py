"""``skyhall validate``: what others published, and what the model says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from skyhall.cli import show
from skyhall.cli.options import as_json
from skyhall.errors import CheckFailed, Place, SkyhallError

if TYPE_CHECKING:
    from skyhall.validation import Result

__all__ = ["command"]

_MOST_NAMED = 5  # failing cases in the message


@click.command("validate")
@click.option("--group", help="Only the cases of this group.")
@as_json
def command(group: str | None, json: bool) -> None:
    """Check the model against published cases; exit code 1 when one fails.

    What is not modelled yet is listed apart and never counted as passed.
    """
    results = _validated(group)
    if json:
        show.document([result.as_dict() for result in results])
    else:
        _show(results)
    failed = [result.id for result in results if result.passed is False]
    if failed:
        named = ", ".join(failed[:_MOST_NAMED]) + (" …" if len(failed) > _MOST_NAMED else "")
        raise CheckFailed(f"{len(failed)} of {len(results)} published numbers are not met: {named}")
    if not json:
        show.next_commands(
            "skyhall validate --json",
            "skyhall orbit --altitude '650 km' --local-time 06:00",
            "skyhall catalogue",
        )


def _validated(group: str | None) -> list[Result]:
    from skyhall.validation import validate

    try:
        return validate(group)
    except SkyhallError as error:
        if group is not None and error.place == Place():
            error.place = Place("--group")
        raise


def _show(results: Sequence[Result]) -> None:
    checked = [result for result in results if result.passed is not None]
    for group in dict.fromkeys(result.group for result in checked):
        show.heading(group)
        show.table(
            ("case", "published", "ours", "difference", "allowed", ""),
            _rows([result for result in checked if result.group == group]),
            right=(1, 2, 3),
            whole=(0, 2, 5),
        )
    missing = [result for result in results if result.passed is None]
    if missing:
        show.heading("Not modelled yet", "not checked, and not counted as passed")
        cases: dict[str, list[str]] = {}
        for name, result in {result.id.partition("/")[0]: result for result in missing}.items():
            cases.setdefault(result.group, []).append(name)
        show.pairs([(group, ", ".join(names)) for group, names in cases.items()])
    failed = sum(result.passed is False for result in results)
    show.sentence("")
    verdict = f"{len(checked) - failed} numbers pass, {failed} fail, {len(missing)} are not modelled yet"
    show.put(show.verdict(verdict, good=not failed))


def _rows(results: Sequence[Result]) -> list[list[str | show.Text]]:
    rows: list[list[str | show.Text]] = []
    case = ""
    for result in results:
        name, _, number = result.id.partition("/")
        if name != case:
            rows.append([show.Text(name, style="bold"), "", "", "", "", ""])
            case = name
        wrong = result.kind == "must_fail"
        verdict = ("rejected" if wrong else "pass") if result.passed else "FAIL"
        rows.append(
            [
                f"  {number.replace('_', ' ').replace('/', ', ')}",
                _published(result),
                show.number(result.ours) if result.ours is not None else "–",
                "" if result.difference is None else f"{result.difference:+.2g}",
                str(result.tolerance),
                show.Text(verdict, style="green" if result.passed else "bold red"),
            ]
        )
    return rows


def _published(result: Result) -> str:
    if isinstance(result.published, tuple):
        low, high = result.published
        return f"{show.number(low)} – {show.number(high, result.unit)}"
    return show.number(result.published, result.unit)
