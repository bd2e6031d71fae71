"""What a price, a share or a life may be: bad values stop here, named, before they become a wrong answer."""

from __future__ import annotations

import math

from skyhall.errors import ValueProblem

__all__ = ["require"]

LONGEST_LIFE_YEARS = 1000.0  # a life beyond it is a slip of the pen, not an assumption


def require(
    record: object,
    *,
    positive: tuple[str, ...] = (),
    not_negative: tuple[str, ...] = (),
    shares: tuple[str, ...] = (),
    lives: tuple[str, ...] = (),
) -> None:
    """Check the named fields of `record`.

    Raises
    ------
    ValueProblem : a field that is not a number, not positive, negative, outside 0 to 1, or no life in
        years.
    """
    for name in (*positive, *not_negative, *shares, *lives):
        value = float(getattr(record, name))
        what = f"{name} of {type(record).__name__} is {value:g}"
        if math.isnan(value) or (name in not_negative and value < 0):
            raise ValueProblem(what, right="it must not be negative")
        if name in positive and not value > 0:
            raise ValueProblem(what, right="it must be above zero")
        if name in shares and not 0 <= value <= 1:
            raise ValueProblem(what, right="it must lie between 0 and 1")
        if name in lives and not 0.01 <= value <= LONGEST_LIFE_YEARS:
            raise ValueProblem(what, right="it must be a life in years, for example 5 yr")
