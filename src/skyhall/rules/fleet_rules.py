"""A fleet against the rules: one row for each rule, for the shell that does worst."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skyhall.rules import casualty, disposal
from skyhall.rules.figures import RuleFigures, figures_of
from skyhall.rules.result import RuleResult
from skyhall.rules.separation import nearest_shell
from skyhall.rules.shell_rules import SHELL_RULES, expected_casualties
from skyhall.rules.shells import FlownShell, flown_shells

if TYPE_CHECKING:
    from skyhall.fleet import Fleet

__all__ = ["check"]


def check(fleet: Fleet) -> tuple[RuleResult, ...]:
    """Return what the rules say of `fleet`, in a fixed order; rules that do not apply to any shell are left out.

    Raises
    ------
    ValueProblem : a part of the catalogue that is missing or has a value that cannot be.
    """
    figures = figures_of(fleet)
    shells = flown_shells(fleet)
    rows: list[RuleResult] = []
    for rule in SHELL_RULES:
        results = [found for shell in shells if (found := rule(figures, shell)) is not None]
        if results:
            rows.append(max(results, key=lambda row: row.excess))
    whole = (_casualty_of_fleet(figures, shells), _separation(figures, shells))
    return (*rows, *(row for row in whole if row is not None))


def _casualty_of_fleet(figures: RuleFigures, shells: list[FlownShell]) -> RuleResult | None:
    low = [shell for shell in shells if shell.in_low_orbit]
    if not low or figures.satellites < figures.limits("mega_constellation"):
        return None
    expected = sum(shell.satellites * expected_casualties(figures, shell) for shell in low)
    return RuleResult(
        rule="casualty_of_fleet",
        value=float(casualty.any_casualty(expected, 1.0)),
        unit="",
        limit=figures.limits("casualty_constellation"),
        source=figures.source("casualty_constellation"),
        note=f"that anyone is hurt by {sum(shell.satellites for shell in low):,} re-entries",
    )


def _separation(figures: RuleFigures, shells: list[FlownShell]) -> RuleResult | None:
    gaps = []
    for index, shell in enumerate(shells):
        if disposal.is_geostationary(shell.altitude):
            continue  # the ring is shared by longitude
        others = dict(figures.occupied)
        others |= {f"own shell {each.name}": (each.lowest, each.highest) for each in shells[:index]}
        found = nearest_shell(shell.lowest, shell.highest, others)
        if found is not None:
            gaps.append((found.distance, shell.name, found.name))
    if not gaps:
        return None
    distance, name, nearest = min(gaps)
    return RuleResult(
        rule="shell_separation",
        value=distance / 1e3,
        unit="km",
        limit=figures.limits("shell_separation", "km"),
        sense="at least",
        source=figures.source("shell_separation"),
        shell=name,
        note=f"in altitude, to {nearest}",
    )
