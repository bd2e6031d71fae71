"""The published cases as data: read from `cases.yaml`, split into one `Case` per orbit or machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

from skyhall.catalogue import load_catalogue

__all__ = ["Case", "Kind", "Number", "load_cases"]

Kind = Literal["agree", "counter", "derived", "must_fail"]


@dataclass(frozen=True, slots=True)
class Number:
    """One published number and what agreement with it means.

    `published` is (low, high), both the same where the source gives one value; `absolute` and `relative` widen it.
    `expect` is the range in which ours must lie where the claim itself is not met (`kind` counter). `rejects`
    names the number that a wrong model (`kind` must_fail) is held against.
    """

    name: str
    published: tuple[float, float]
    unit: str = ""
    absolute: float | None = None
    relative: float | None = None
    kind: Kind = "agree"
    expect: tuple[float, float] | None = None
    rejects: str | None = None
    note: str = ""

    def met_by(self, ours: float) -> bool:
        """Return whether `ours` lies within the tolerance (or, of a counter claim, within `expect`)."""
        low, high = self.published
        margin = self.absolute or 0.0
        ratio = self.relative or 0.0
        inside = low - margin - ratio * abs(low) <= ours <= high + margin + ratio * abs(high)
        inside = self.expect[0] <= ours <= self.expect[1] if self.expect else inside
        return inside if self.kind != "must_fail" else not inside and ours == ours


@dataclass(frozen=True, slots=True)
class Case:
    """Published numbers of one source for the same inputs; `check` names the function that computes ours."""

    id: str
    check: str
    group: str
    source: str
    convention: str = ""
    note: str = ""
    waits_for: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    numbers: tuple[Number, ...] = ()


@cache
def load_cases() -> tuple[Case, ...]:
    """Return every published case that ships with Skyhall, in the order of the file."""
    text = (resources.files("skyhall.validation") / "cases.yaml").read_text("utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return tuple(
        case
        for group, body in document.items()
        for name, entry in body["cases"].items()
        for case in _split(group, name, entry, body.get("waits_for", ""))
    )


def _split(group: str, name: str, entry: dict[str, Any], waits_for: str) -> list[Case]:
    shared = {key: entry[key] for key in ("source", "convention", "note") if key in entry}
    cases = []
    for part, body in entry.get("parts", {"": entry}).items():
        given = entry.get("given", {}) | body.get("given", {})
        numbers = {key: _number(key, facts) for key, facts in body["numbers"].items()}
        wrong = [_wrong(key, facts, numbers) for key, facts in body.get("wrong_models", {}).items()]
        cases.append(
            Case(
                id=f"{name}/{part}" if part else name,
                check=name,
                group=group,
                waits_for=waits_for,
                given=given,
                numbers=(*numbers.values(), *wrong),
                **shared,
            )
        )
    return cases


def _number(name: str, facts: dict[str, Any]) -> Number:
    unit = facts.get("unit", "")
    return Number(
        name=name,
        published=_catalogue_range(facts["fact"], unit) if "fact" in facts else _range(facts["published"]),
        unit=unit.replace("**2", "²"),
        absolute=facts.get("abs"),
        relative=facts.get("rel"),
        kind=facts.get("kind", "agree"),
        expect=_range(facts["expect"]) if "expect" in facts else None,
        note=facts.get("note", ""),
    )


def _wrong(name: str, facts: dict[str, Any], numbers: dict[str, Number]) -> Number:
    right = numbers[facts["rejects"]]
    return Number(
        name=name,
        published=right.published,
        unit=right.unit,
        absolute=right.absolute,
        relative=right.relative,
        kind="must_fail",
        rejects=right.name,
        note=facts["note"],
    )


def _range(value: Any) -> tuple[float, float]:
    low, high = value if isinstance(value, list) else (value, value)
    return float(low), float(high)


def _catalogue_range(fact: str, unit: str) -> tuple[float, float]:
    part, key = fact.split(".")
    return load_catalogue().part("satellites", part).bounds(key, unit)
