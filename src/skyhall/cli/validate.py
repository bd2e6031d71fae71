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
_PASSED = {"must_fail": "rejected", "counter": "explained"}
_WIDE = 100  # columns, from which the difference has room
_CASE = 31  # columns of a case's name, before it is folded
_ALLOWED = {True: 20, False: 13}  # columns of the tolerance, with and without the difference


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
    wide = show.console().width >= _WIDE
    columns = ("case", "published", "ours", *(("difference",) if wide else ()), "allowed", "")
    last = len(columns) - 1
    checked = [result for result in results if result.passed is not None]
    for group in dict.fromkeys(result.group for result in checked):
        show.heading(group)
        show.table(
            columns,
            _rows([result for result in checked if result.group == group], wide),
            right=range(1, last - 1),
            whole=(*range(1, last - 1), last),
            most={0: _CASE, last - 1: _ALLOWED[wide]},
        )
    missing = [result for result in results if result.passed is None]
    if missing:
        show.heading("Not modelled yet", "not checked, and not counted as passed")
        cases: dict[str, list[str]] = {}
        for name, result in {result.id.partition("/")[0]: result for result in missing}.items():
            cases.setdefault(result.group, []).append(name)
        show.pairs([(group, ", ".join(names)) for group, names in cases.items()])
    kinds = {result.kind for result in checked}
    show.sentence("")
    if "counter" in kinds:
        show.sentence("explained: a published claim that the model must explain, not meet", "dim")
    if "must_fail" in kinds:
        show.sentence("rejected: a wrong model that the source's numbers rule out", "dim")
    show.sentence("docs/validation.md has sources, conventions and what explains each difference", "dim")
    show.put(_count(checked, len(missing)))


def _count(checked: Sequence[Result], missing: int) -> show.Text:
    """Return the verdict: what agrees, what is explained or rejected, what fails; each counted apart."""
    passed = [result.kind for result in checked if result.passed]
    failed, counters, wrong = len(checked) - len(passed), passed.count("counter"), passed.count("must_fail")
    agree = len(passed) - counters - wrong
    parts = [f"{show.count(agree, 'number')} agree{'s' if agree == 1 else ''}"]
    if counters:
        parts.append(f"{show.count(counters, 'claim')} explained")
    if wrong:
        parts.append(f"{show.count(wrong, 'wrong model')} rejected")
    text = ", ".join([*parts, f"{failed} fail", f"{missing} not modelled yet"])
    return show.verdict(text, good=not failed)


def _rows(results: Sequence[Result], wide: bool) -> list[list[str | show.Text]]:
    rows: list[list[str | show.Text]] = []
    case = ""
    for result in results:
        name, _, number = result.id.partition("/")
        if name != case:
            rows.append([show.Text(name, style="bold")])
            case = name
        verdict = _PASSED.get(result.kind, "pass") if result.passed else "FAIL"
        difference = "" if result.difference is None else _signed(result.difference)
        rows.append(
            [
                f"  {number.replace('_', ' ').replace('/', ', ')}",
                _published(result),
                _number(result.ours) if result.ours is not None else "–",
                *((difference,) if wide else ()),
                str(result.tolerance),
                show.Text(verdict, style="green" if result.passed else "bold red"),
            ]
        )
    return rows


def _signed(difference: float) -> str:
    return ("+" if difference >= 0.0 else "") + show.number(difference, digits=2)


def _published(result: Result) -> str:
    if isinstance(result.published, tuple):
        low, high = result.published
        return f"{_number(low)} – {_number(high, result.unit)}"
    return _number(result.published, result.unit)


def _number(value: float, unit: str = "") -> str:
    """Return a number with its unit; cross sections in cm² are smaller than what is shown as 0 elsewhere."""
    return f"{value:.3g} {unit}".rstrip() if 0.0 < abs(value) < show.NOTHING else show.number(value, unit)
