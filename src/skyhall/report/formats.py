"""Numbers as a reader wants them: three or four digits, thousands separators, a prefix that fits, and always a unit."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

__all__ = ["energy", "mass", "moment", "money", "money_scaled", "number", "percent", "power"]


def number(value: float | None, digits: int = 3) -> str:
    """Return `value` with `digits` significant digits, never an exponent, whole from 1,000 on."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places) if places > 0 else round(value, max(places, 0))
    text = f"{abs(rounded):,.{min(max(places, 0), 8)}f}"
    if isinstance(value, int) or (places > 0 and float(value).is_integer() and abs(value) < 1000):
        text = f"{abs(value):,.0f}"
    return f"−{text}" if rounded < 0 else text


def percent(share: float, digits: int = 3) -> str:
    """Return a share as per cent: 0.9614 gives "96.1 %"."""
    return "< 0.01 %" if 0.0 < share < 1e-4 else f"{number(100.0 * share, digits)} %"


def money(usd: float) -> str:
    """Return a price in USD: cents below 100, whole dollars above, more digits below 0.1."""
    if not math.isfinite(usd) or abs(usd) >= 100:
        return number(usd)
    if abs(usd) >= 0.1 or usd == 0:
        return f"−{-usd:.2f}" if usd < 0 else f"{usd:.2f}"
    return number(usd, 2)


def money_scaled(usd: float) -> str:
    """Return an amount in USD, thousand, million or billion."""
    for size, name in ((1e9, "billion USD"), (1e6, "million USD"), (1e3, "thousand USD")):
        if abs(usd) >= size:
            return f"{number(usd / size)} {name}"
    return f"{money(usd)} USD"


def power(watts: float, digits: int = 3) -> str:
    """Return a power in W, kW, MW or GW."""
    return _scaled(watts, "W", digits)


def energy(watt_hours: float, digits: int = 3) -> str:
    """Return an energy in Wh, kWh, MWh, GWh or TWh."""
    return _scaled(watt_hours, "Wh", digits)


def mass(kilograms: float) -> str:
    """Return a mass in kg, from ten tonnes on in t, from a million tonnes on in those."""
    if abs(kilograms) >= 1e9:
        return f"{number(kilograms / 1e9)} million t"
    return f"{number(kilograms / 1e3)} t" if abs(kilograms) >= 1e4 else f"{number(kilograms)} kg"


def moment(epoch: datetime, seconds: float, form: str = "%-d %b %Y") -> str:
    """Return the moment `seconds` after `epoch` in UTC."""
    return (epoch + timedelta(seconds=seconds)).astimezone(UTC).strftime(form)


def _scaled(value: float, unit: str, digits: int) -> str:
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{number(value / size, digits)} {prefix}{unit}"
    return f"{number(value, digits)} {unit}"
