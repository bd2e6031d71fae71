"""The table of published cases: published, ours, tolerance, and whether they agree."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from skyhall.errors import SkyhallError, ValueProblem, did_you_mean
from skyhall.validation import (
    formation_cases,
    heat_cases,
    launch_cases,
    link_cases,
    orbit_cases,
    price_cases,
    radiation_cases,
    reliability_cases,
    sizing_cases,
)
from skyhall.validation.cases import Case, Kind, Number, load_cases

__all__ = ["Result", "Tolerance", "checks", "validate"]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What may lie between published and ours: absolute in `unit`, relative as a ratio, or a range of ours."""

    absolute: float | None
    relative: float | None
    expect: tuple[float, float] | None
    unit: str
    outside: bool  # a wrong model must lie outside

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.expect:
            return f"ours in {self.expect[0]:g} to {self.expect[1]:g}{unit}"
        parts = []
        if self.absolute is not None:
            parts.append(f"± {self.absolute:g}{unit}")
        if self.relative is not None:
            parts.append(f"± {100.0 * self.relative:g} %")
        text = " and ".join(parts) or "within the range"
        return f"more than {text.removeprefix('± ')} away" if self.outside else text


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the table: a published number beside ours.

    Attributes
    ----------
    id : case, part of the case where it has any, and number: ``dawn-dusk-eclipse/500 km/sunlit_year``.
    published : what the source says, in `unit`; (low, high) where it gives a range.
    ours : what the model computes from the case's inputs; None where it computes nothing.
    passed : None where the model that the case needs does not exist yet (`note` says which).
    kind : ``agree``; ``derived`` (computed from the source's inputs, not printed by it); ``counter`` (a claim
        explained rather than agreed with); ``must_fail`` (a wrong model, which passes when it is rejected).
    note : what explains the difference.
    """

    id: str
    group: str
    published: float | tuple[float, float]
    ours: float | None
    unit: str
    tolerance: Tolerance
    passed: bool | None
    source: str
    kind: Kind
    convention: str
    note: str

    @property
    def difference(self) -> float | None:
        """Ours less what was published, in `unit`; 0 inside a published range."""
        if self.ours is None or not math.isfinite(self.ours):
            return None
        low, high = self.published if isinstance(self.published, tuple) else (self.published, self.published)
        return self.ours - min(max(self.ours, low), high)

    def as_dict(self) -> dict[str, Any]:
        """Return the row as a flat JSON-ready mapping; `pass` is null where nothing is modelled yet."""
        finite = self.ours is not None and math.isfinite(self.ours)
        return {
            "id": self.id,
            "group": self.group,
            "kind": self.kind,
            "published": list(self.published) if isinstance(self.published, tuple) else self.published,
            "ours": self.ours if finite else None,
            "unit": self.unit,
            "difference": self.difference,
            "tolerance": str(self.tolerance),
            "tolerance_abs": self.tolerance.absolute,
            "tolerance_rel": self.tolerance.relative,
            "pass": self.passed,
            "source": self.source,
            "convention": self.convention,
            "note": self.note,
        }


def checks() -> dict[str, Any]:
    """Return the function that computes each modelled case, by the case's name."""
    modules = (
        orbit_cases,
        formation_cases,
        heat_cases,
        radiation_cases,
        reliability_cases,
        launch_cases,
        price_cases,
        sizing_cases,
        link_cases,
    )
    return {name: check for module in modules for name, check in module.CHECKS.items()}


def validate(group: str | None = None) -> list[Result]:
    """Return the table of published cases, computed now by the model's own functions.

    Parameters
    ----------
    group : only this group (orbit, heat, launch, price, sizing, links, formation, radiation, reliability).

    Raises
    ------
    ValueProblem : there is no such group.
    """
    groups = {case.group for case in load_cases()}
    if group is not None and group not in groups:
        raise ValueProblem(
            f"there is no group '{group}' of published cases", right=did_you_mean(group, groups)
        )
    return [row for case in load_cases() if group in (None, case.group) for row in _rows(case)]


def _rows(case: Case) -> Iterator[Result]:
    found: Mapping[str, Any] = {}
    problem = ""
    if not case.waits_for:
        try:
            found = checks()[case.check](case)
        except (
            SkyhallError
        ) as error:  # a satellite that does not close is a red row, not the end of the table
            problem = error.what
    for number in case.numbers:
        ours = None if case.waits_for or problem else float(found[number.name])
        passed = None if case.waits_for else ours is not None and number.met_by(ours)
        yield _row(case, number, ours, passed, problem or _note(case, number, found))


def _note(case: Case, number: Number, found: Mapping[str, Any]) -> str:
    if case.waits_for:
        wait = f"not modelled yet: waits for {case.waits_for}"
        return ". ".join(text for text in (wait, number.note or case.note) if text)
    return (number.note or case.note).format(**found)


def _row(case: Case, number: Number, ours: float | None, passed: bool | None, note: str) -> Result:
    low, high = number.published
    wrong = number.kind == "must_fail"
    return Result(
        id=f"{case.id}/{number.name}",
        group=case.group,
        published=low if low == high else (low, high),
        ours=ours,
        unit=number.unit,
        tolerance=Tolerance(number.absolute, number.relative, number.expect, number.unit, wrong),
        passed=passed,
        source=case.source,
        kind=number.kind,
        convention=case.convention,
        note=note,
    )
