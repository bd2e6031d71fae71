"""``skyhall rules``: what regulators, standards and neighbours ask of a fleet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from skyhall.cli import show
from skyhall.cli.options import another, as_json, call, elements_option, loaded, scenario_argument, set_option
from skyhall.errors import CheckFailed

if TYPE_CHECKING:
    from skyhall.rules import RuleResult

__all__ = ["command"]

_SOURCE = {True: 44, False: 27}  # columns of the source, wide and narrow
_WIDE = 100  # columns, from which the source has room
_DIGITS = 3


@click.command("rules")
@scenario_argument
@set_option
@elements_option
@as_json
def command(scenario: str, sets: tuple[str, ...], elements: str | None, json: bool) -> None:
    """Check the fleet of SCENARIO against the rules of orbit; exit code 1 when one fails.

    Each rule is shown for the shell that does worst. Where no authority sets a limit, the value is information.
    """
    asked = loaded(scenario, sets, {"--elements": ("orbit.elements", elements)})
    from skyhall.fleet import design
    from skyhall.rules import check

    results = check(design(asked))
    if json:
        show.document([result.as_dict() for result in results])
    else:
        show.title(asked.name, asked.description, asked.orbit.elements)
        _show(results)
    failed = [_words(result.rule) for result in results if result.passed is False]
    if failed:
        limited = show.count(sum(result.passed is not None for result in results), "rule")
        raise CheckFailed(f"{len(failed)} of {limited} with a limit not met: {', '.join(failed)}")
    if not json:
        other = another(asked, sets, "satellite.life=8 yr", "satellite.life=3 yr")
        show.next_commands(
            call("rules", scenario, elements=elements, sets=[*sets, other]),
            call("design", scenario, elements=elements, sets=sets),
            "skyhall catalogue orbit-rules",
        )


def _show(results: Sequence[RuleResult]) -> None:
    width = _SOURCE[show.console().width >= _WIDE]
    show.heading("Rules of orbit", "for the shell that does worst")
    show.table(
        ("rule", "value", "limit", "", "source"),
        [
            (
                show.Text(_words(result.rule), style="bold"),
                _value(result),
                _limit(result),
                _verdict(result),
                result.source,
            )
            for result in results
        ],
        right=(1, 2),
        whole=(0, 1, 2, 3),
        most={4: width},
    )
    show.heading("What the values are made of")
    many = len({result.shell for result in results if result.shell}) > 1
    show.pairs(
        [
            (_words(result.rule), f"{result.shell}: {result.note}" if many and result.shell else result.note)
            for result in results
        ]
    )
    show.sentence("")
    show.sentence("docs/models/rules.md says what each rule means and what is left out", "dim")
    passed = [result.passed for result in results]
    text = f"{passed.count(True)} pass, {passed.count(False)} fail, {passed.count(None)} without a limit"
    show.put(show.verdict(text, good=False not in passed))


def _value(result: RuleResult) -> str:
    """Return the value; a chance far below its limit is still not 0."""
    if not math.isfinite(result.value):
        return "none"
    if 0.0 < abs(result.value) < show.NOTHING:
        return f"{result.value:.{_DIGITS}g} {result.unit}".rstrip()
    return show.number(result.value, result.unit, _DIGITS)


def _limit(result: RuleResult) -> str:
    if result.limit is None:
        return "none"
    return f"{'≤' if result.sense == 'at most' else '≥'} {show.number(result.limit, digits=_DIGITS)}"


def _verdict(result: RuleResult) -> show.Text:
    if result.passed is None:
        return show.Text("–", style="dim")
    return show.Text("pass", style="green") if result.passed else show.Text("FAIL", style="bold red")


def _words(rule: str) -> str:
    return rule.replace("_", " ")
