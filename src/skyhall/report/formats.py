"""Numbers as a reader wants them: three or four digits, thousands separators, a prefix that fits, and always a unit."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

__all__ = [
    "energy",
    "mass",
    "moment",
    "money",
    "money_scaled",
    "number",
    "percent",
    "power",
    "rate",
    "size",
    "volume",
    "written",
    "written_range",
]


UNSAID = {"peak_flops": "FLOP/s"}  # units of values that the catalogue writes as plain numbers
NOTHING = 1e-6  # of a unit: what is smaller is rounding, and shown as 0


def number(value: float | None, digits: int = 3) -> str:
    """Return `value` with `digits` significant digits, never an exponent, whole from 1,000 on."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) < NOTHING:
        return "0"
    exponent = int(f"{value:.{digits - 1}e}".split("e")[1])  # after rounding: 9.999 is 10.0
    places = min(max(digits - 1 - exponent, 0), 12)
    if float(value).is_integer() and abs(value) < 1000:
        places = 0
    text = f"{abs(value):,.{places}f}"
    return f"−{text}" if value < 0 else text


def percent(share: float, digits: int = 3) -> str:
    """Return a share as per cent: 0.9614 gives "96.1 %"."""
    return "< 0.01 %" if 0.0 < share < 1e-4 else f"{number(100.0 * share, digits)} %"


def money(usd: float | None) -> str:
    """Return a price in USD: cents below 100, whole dollars above, more digits below 0.1."""
    if usd is None or not math.isfinite(usd) or abs(usd) >= 100:
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


def rate(bits_per_second: float) -> str:
    """Return a data rate in bit/s, kbit/s, Mbit/s, Gbit/s or Tbit/s."""
    return _scaled(bits_per_second, "bit/s", 3)


def size(bytes_: float) -> str:
    """Return a size in B, kB, MB, GB or TB."""
    return _scaled(bytes_, "B", 3)


def volume(bits: float) -> str:
    """Return an amount of data in bit, kbit, Mbit, Gbit or Tbit."""
    return _scaled(bits, "bit", 3)


def mass(kilograms: float) -> str:
    """Return a mass in kg, from ten tonnes on in t, from a million tonnes on in those."""
    if abs(kilograms) >= 1e9:
        return f"{number(kilograms / 1e9)} million t"
    return f"{number(kilograms / 1e3)} t" if abs(kilograms) >= 1e4 else f"{number(kilograms)} kg"


def written(value: str | float, key: str = "") -> str:
    """Return a value of the catalogue as people write it: "20000 USD/m**2" gives "20,000 USD/m²"."""
    amount, unit = _parted(value)
    unit = unit or UNSAID.get(key, "")
    return f"{amount} {unit}".rstrip()


def written_range(low: str | float, high: str | float) -> str:
    """Return two values of the catalogue as a range, their unit once where they share it."""
    (first, unit), (last, other) = _parted(low), _parted(high)
    return f"{first} – {last} {other}".rstrip() if unit == other else f"{first} {unit} – {last} {other}"


def _parted(value: str | float) -> tuple[str, str]:
    amount, _, unit = str(value).strip().partition(" ")
    for plain, nice in (("**2", "²"), ("**3", "³"), ("**4", "⁴"), ("degC", "°C"), ("*", "·")):
        unit = unit.replace(plain, nice)
    try:
        exact = float(amount)
    except ValueError:
        return amount, unit
    if abs(exact) >= 1e9:
        power = math.floor(math.log10(abs(exact)))
        raised = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{exact / 10**power:.4g} × 10{raised}", unit
    return (f"{exact:,.10g}" if abs(exact) >= 1e4 else amount), unit


def moment(epoch: datetime, seconds: float, form: str = "%-d %b %Y") -> str:
    """Return the moment `seconds` after `epoch` in UTC."""
    return (epoch + timedelta(seconds=seconds)).astimezone(UTC).strftime(form)


def _scaled(value: float, unit: str, digits: int) -> str:
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{number(value / size, digits)} {prefix}{unit}"
    return f"{number(value, digits)} {unit}"
