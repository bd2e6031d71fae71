"""Quantities with units, parsed once at the border into floats.

People write ``650 km``, ``200 USD/kg`` or ``9 %/yr``; the code works with floats in the unit that it asks for.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import TYPE_CHECKING

from skyhall.errors import ValueProblem

if TYPE_CHECKING:
    import pint

__all__ = ["parse"]

_NUMBER = re.compile(
    r"\s*([+-]?(?:\d{1,3}(?:[, ]\d{3})+|\d+(?:_\d+)*)?(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\d,]| +\d+(?![\d/]))\s*(.*?)\s*$",
    re.DOTALL,
)
_EXAMPLES = {
    "m": "650 km",
    "s": "5 yr",
    "W": "120 kW",
    "kg": "1000 kg",
    "K": "85 degC",
    "rad": "53 deg",
    "J": "40 kWh",
    "m**2": "800 m2",
    "USD": "30000 USD",
    "USD/kg": "200 USD/kg",
    "USD/W": "22 USD/W",
    "USD/J": "0.087 USD/kWh",
    "1/s": "9 %/yr",
    "dB": "3 dB",
    "bit/s": "100 Gbit/s",
}


@cache
def _registry() -> pint.UnitRegistry[float]:
    import pint

    registry: pint.UnitRegistry[float] = pint.UnitRegistry(cache_folder=None)
    registry.define("USD = [currency]")
    registry.define("kUSD = 1e3 * USD")
    registry.define("MUSD = 1e6 * USD")
    registry.define("BUSD = 1e9 * USD")
    return registry


@cache
def _factor(unit_text: str, target: str) -> tuple[float, float]:
    """Return (scale, offset) such that value_in_target = value * scale + offset."""
    import pint

    registry = _registry()
    cleaned = unit_text.replace("%", "percent").replace("²", "**2").replace("³", "**3").replace("·", "*")
    cleaned = re.sub(r"\b(k?m|cm|mm)([23])\b", r"\1**\2", cleaned)
    unit = registry.parse_units(cleaned) if cleaned else registry.dimensionless

    def converted(value: float) -> float:
        return float(registry.Quantity(value, unit).to(target or "dimensionless").magnitude)

    one = converted(1.0)
    # Decibels: no factor turns them into a ratio.
    if not math.isclose(converted(3.0) - converted(2.0), converted(2.0) - one, rel_tol=1e-6):
        raise pint.DimensionalityError(unit, target or "dimensionless")
    zero = converted(0.0)
    return one - zero, zero


def expected(unit: str) -> str:
    """Return the sentence that shows the form expected for `unit`."""
    if not unit:
        return "write a plain number or a percentage, for example 0.4 or '40 %'"
    return f"write a number with a unit, for example '{_EXAMPLES.get(unit, '1 ' + unit)}'"


def parse(text: object, unit: str) -> float:
    """Return the quantity `text` as a float in `unit`.

    Parameters
    ----------
    text : a string such as ``"650 km"``; a plain number only where `unit` is dimensionless (``""``).
    unit : the unit wanted, in pint's notation; ``""`` for a plain ratio.

    Raises
    ------
    ValueProblem : no number, no unit where one is needed, an unknown unit, or a unit of another dimension.
    """
    if isinstance(text, bool) or not isinstance(text, (int, float, str)):
        raise ValueProblem(f"{text!r} is not a quantity", right=expected(unit))
    if isinstance(text, (int, float)):
        if unit:
            raise ValueProblem(f"{text!r} has no unit", right=expected(unit))
        return _finite(text, text, unit)
    match = _NUMBER.match(text)
    digits = re.sub(r"[_, ]", "", match[1]) if match else ""
    try:
        number = float(digits)
    except ValueError:
        raise ValueProblem(f"{text!r} does not start with a number", right=expected(unit)) from None
    unit_text = match[2] if match else ""
    if not unit_text and unit:
        raise ValueProblem(f"{text!r} has no unit", right=expected(unit))
    import pint

    try:
        scale, offset = _factor(unit_text, unit)
    except pint.DimensionalityError:
        raise ValueProblem(
            f"{text!r} is not a quantity in {unit or 'plain numbers'}", right=expected(unit)
        ) from None
    except Exception:  # pint raises many kinds for text that is no unit
        raise ValueProblem(f"{unit_text!r} is not a unit that is known", right=expected(unit)) from None
    return _finite(number * scale + offset, text, unit)


def _finite(value: float, text: object, unit: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueProblem(f"{str(text)[:40]!r} is not a finite number", right=expected(unit))
    return number
