"""Numbers over many decades: small and large ones as a power of ten, and the ticks of a logarithmic axis."""

from __future__ import annotations

import math

from skyhall.report.formats import number

__all__ = ["bare", "decades", "rounded"]

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN = (1e-3, 1e6)  # written without a power of ten
_SPAN = 8  # decades that an axis shows at most


def rounded(value: float | None, digits: int = 3) -> str:
    """Return `value` with `digits` significant digits: 0.0021, 4,310, but 2.1 × 10⁻⁷ and 3 × 10⁹."""
    if value is None or not math.isfinite(value) or value == 0.0 or _PLAIN[0] <= abs(value) < _PLAIN[1]:
        return number(value, digits)
    mantissa, power = f"{abs(value):.{digits - 1}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    raised = f"10{str(int(power)).translate(_RAISED)}"
    sign = "−" if value < 0 else ""
    return f"{sign}{raised}" if mantissa == "1" else f"{sign}{mantissa} × {raised}"


def bare(value: float, digits: int = 3) -> str:
    """Return `value` as `rounded` does, without zeros at the end of its decimals: 0.01, not 0.0100."""
    text = rounded(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text and "×" not in text else text


def decades(low: float, high: float, count: int = 5) -> tuple[float, float, list[tuple[float, str]]]:
    """Return the ends and the ticks (value, text) of a logarithmic axis that holds [low, high].

    Parameters
    ----------
    low, high : positive; decades more than eight below `high` are cut off.
    count : of ticks, about: every decade, or every second one and so on; 2 and 5 besides on less than two decades.
    """
    low = max(low, high * 10.0**-_SPAN)
    if high / low < 50.0:
        near = [float(f"{digit}e{power}") for power in _powers(low, high) for digit in (1, 2, 5)]
        first = max((value for value in near if value <= low * 1.0001), default=near[0])
        last = min((value for value in near if value >= high * 0.9999), default=near[-1])
        if first == last:
            first = max(value for value in near if value < last)
        return first, last, [(value, bare(value)) for value in near if first <= value <= last]
    powers = [*_powers(low, high)]
    if 10.0 ** powers[-2] >= high * 0.9999:
        powers.pop()
    if 10.0 ** powers[1] <= low * 1.0001:
        powers.pop(0)
    every = max(1, math.ceil((len(powers) - 1) / count))
    values = [float(f"1e{power}") for power in powers]
    return values[0], values[-1], [(value, bare(value)) for value in values[::-every][::-1]]


def _powers(low: float, high: float) -> range:
    return range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
