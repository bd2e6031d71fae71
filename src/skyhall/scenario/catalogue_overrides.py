"""Values of a scenario that replace the catalogue's: checked where they stand, against what they replace."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from skyhall.catalogue import Fact, load_catalogue
from skyhall.errors import Place, SkyhallError, ValueProblem, did_you_mean
from skyhall.units import parse

__all__ = ["check_overrides"]


def check_overrides(
    overrides: Mapping[str, Mapping[str, str | float]], place: Callable[[str], Place]
) -> None:
    """Raise for an override of an unknown part or key, in another dimension, or negative where it cannot be.

    Parameters
    ----------
    overrides : ``{part: {key: value}}``.
    place : gives the place of a dotted key, ``catalogue.part.key``.
    """
    if not overrides:
        return
    parts = load_catalogue().parts
    for name, values in overrides.items():
        if name not in parts:
            raise ValueProblem(
                f"the catalogue has no part {name!r}",
                place=place(f"catalogue.{name}"),
                right=did_you_mean(name, parts),
            )
        facts = parts[name].facts
        for key, value in values.items():
            where = place(f"catalogue.{name}.{key}")
            if key not in facts:
                raise ValueProblem(
                    f"part '{name}' has no value '{key}'", place=where, right=did_you_mean(key, facts)
                )
            try:
                _check(value, facts[key])
            except SkyhallError as error:
                error.place = where
                raise


def _check(value: str | float, fact: Fact) -> None:
    unit = _unit(fact.value)
    right = f"the catalogue has {fact.value}"
    try:
        number = parse(value, unit)
    except SkyhallError as error:
        raise ValueProblem(error.what, right=right) from None
    # Degrees Celsius and what the catalogue itself has below zero may be negative.
    if number < 0 and "degC" not in unit and parse(fact.value, unit) >= 0:
        raise ValueProblem(f"{value!r} is negative", right=right)


def _unit(written: str | float) -> str:
    """Return the unit of a catalogue's value in pint's notation; "" of a plain number."""
    text = str(written).strip().partition(" ")[2].replace("%", "percent")
    return re.sub(r"\b(k?m|cm|mm)([23])\b", r"\1**\2", text)
