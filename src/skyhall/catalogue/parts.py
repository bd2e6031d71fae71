"""Parts of the catalogue and the facts that they are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

from skyhall.errors import Place, ValueProblem, did_you_mean
from skyhall.units import parse

__all__ = ["Catalogue", "Fact", "Part", "load_catalogue"]

Confidence = Literal["primary", "second-hand", "derived", "assumed", "scenario"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of a part as it is written in the catalogue.

    `value`, `low` and `high` are the texts with their unit (or plain numbers); `confidence` says whether the
    source was read in the original (`primary`), in somebody's summary (`second-hand`), computed from a source
    (`derived`), is our own assumption (`assumed`) or comes from the scenario (`scenario`).
    """

    part: str
    key: str
    value: str | float
    source: str
    date: str
    confidence: Confidence
    low: str | float | None = None
    high: str | float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the catalogue: call it with a key and a unit to get a float.

    >>> load_catalogue().part("vehicles", "falcon-9")("price", "USD/kg") > 0
    True
    """

    kind: str
    name: str
    title: str
    facts: Mapping[str, Fact]

    def __call__(self, key: str, unit: str = "") -> float:
        """Return the value of `key` as a float in `unit` (``""``: a plain ratio)."""
        fact = self.fact(key)
        try:
            return parse(fact.value, unit)
        except ValueProblem as error:
            place = Place(
                "scenario" if fact.confidence == "scenario" else None, f"catalogue.{self.name}.{key}"
            )
            raise ValueProblem(error.what, place=place, right=error.right) from None

    def bounds(self, key: str, unit: str = "") -> tuple[float, float]:
        """Return (low, high) of `key` in `unit`; both are the value itself where the source gives no range."""
        fact = self.fact(key)
        low = fact.value if fact.low is None else fact.low
        high = fact.value if fact.high is None else fact.high
        return parse(low, unit), parse(high, unit)

    def fact(self, key: str) -> Fact:
        """Return the `Fact` behind `key`; `ValueProblem` when the part has no such value."""
        try:
            return self.facts[key]
        except KeyError:
            raise ValueProblem(
                f"part '{self.name}' has no value '{key}'",
                place=Place(key=f"catalogue.{self.name}.{key}"),
                right=did_you_mean(key, self.facts),
            ) from None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All parts, by name; names are unique over all kinds."""

    parts: Mapping[str, Part]
    _used: dict[str, Part] = field(default_factory=dict, repr=False)

    def part(self, kind: str, name: str, *, place: Place | None = None) -> Part:
        """Return the part `name` of `kind` and remember that it was used.

        Raises
        ------
        ValueProblem : no such part of that kind.
        """
        found = self.parts.get(name)
        if found is None or found.kind != kind:
            names = [part.name for part in self.parts.values() if part.kind == kind]
            raise ValueProblem(
                f"{name!r} is not among the {kind} of the catalogue",
                place=place,
                right=did_you_mean(name, names),
            )
        self._used[name] = found
        return found

    def used(self) -> list[Part]:
        """Return the parts asked for so far, in the order of their first use."""
        return list(self._used.values())

    def with_overrides(self, overrides: Mapping[str, Mapping[str, str | float]]) -> Catalogue:
        """Return a copy in which ``overrides[part][key]`` replace values; unknown parts or keys are errors."""
        parts = dict(self.parts)
        for name, values in overrides.items():
            if name not in parts:
                raise ValueProblem(
                    f"the catalogue has no part {name!r}",
                    place=Place(key=f"catalogue.{name}"),
                    right=did_you_mean(name, parts),
                )
            facts = dict(parts[name].facts)
            for key, value in values.items():
                old = parts[name].fact(key)
                facts[key] = replace(
                    old,
                    value=value,
                    low=None,
                    high=None,
                    source=f"scenario (catalogue: {old.value})",
                    confidence="scenario",
                )
            parts[name] = replace(parts[name], facts=facts)
        return Catalogue(parts)

    def __iter__(self) -> Iterator[Part]:
        return iter(self.parts.values())


@cache
def _shipped() -> Mapping[str, Part]:
    parts: dict[str, Part] = {}
    folder = resources.files("skyhall.catalogue") / "data"
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        kind = entry.name.removesuffix(".yaml")
        document: dict[str, dict[str, Any]] = yaml.load(entry.read_text("utf-8"), Loader=_LOADER) or {}
        for name, body in document.items():
            title = body.pop("title")
            facts = {key: Fact(part=name, key=key, **values) for key, values in body.items()}
            assert name not in parts, f"two parts are called {name}"
            parts[name] = Part(kind, name, title, facts)
    return parts


class _LOADER(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML without dates: a date stays the text that was written."""


_LOADER.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _LOADER.yaml_implicit_resolvers.items()
}


def load_catalogue(overrides: Mapping[str, Mapping[str, str | float]] | None = None) -> Catalogue:
    """Return the catalogue that ships with Skyhall, with the scenario's `overrides` applied."""
    catalogue = Catalogue(_shipped())
    return catalogue.with_overrides(overrides) if overrides else catalogue
