"""Capital recovery, present and levelised values, and the break-even launch price in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from skyhall.constants import HOUR, JULIAN_YEAR
from skyhall.economics.ranges import require
from skyhall.errors import ValueProblem

__all__ = [
    "HOURS_PER_YEAR",
    "BreakEven",
    "BreakEvenStatus",
    "Finance",
    "break_even_price",
    "capital_recovery",
    "levelized",
    "present_value",
    "renewal_recovery",
]

Array = npt.NDArray[np.float64]
Number = float | Array

HOURS_PER_YEAR = JULIAN_YEAR / HOUR  # 8766 h
BreakEvenStatus = Literal["closes", "no launch price closes it", "nothing is delivered"]


@dataclass(frozen=True, slots=True)
class Finance:
    """What capital costs on each side, as shares a year.

    Parameters
    ----------
    wacc_space, wacc_ground : weighted average cost of capital, 1/yr (0.103 is 10.3 %).
    programme_years : years over which one-off engineering is paid back.
    sources : names of the catalogue's parts that the numbers come from.
    """

    wacc_space: float
    wacc_ground: float
    programme_years: float
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(self, not_negative=("wacc_space", "wacc_ground"), lives=("programme_years",))


@dataclass(frozen=True, slots=True)
class BreakEven:
    """The launch price at which orbit and ground cost the same, or what keeps them apart.

    Attributes
    ----------
    price_usd_per_kg : may be negative: then even free launch loses. Minus infinity where nothing that is paid
        for depends on the launch price, or where nothing is delivered.
    status, closes : whether a positive launch price closes the gap.
    binding_term : "nothing" where orbit wins at the launch price of today, "launch price" where a lower one
        would close the gap, and otherwise the term whose exchange for the ground's saves most were launch
        free (`CostSheet.counterfactuals`).
    binding_usd_per_gpu_h : what that term costs.
    """

    boundary: str
    price_usd_per_kg: float
    status: BreakEvenStatus
    binding_term: str
    binding_usd_per_gpu_h: float
    sentence: str
    closes: bool


def capital_recovery(wacc: Number, life_years: Number, *, payments_per_year: float = 12.0) -> Array:
    """Return the share of a capital that is paid back each year, interest included.

    Parameters
    ----------
    wacc : cost of capital, 1/yr, nominal, compounded `payments_per_year` times; 0 gives 1 / `life_years`.
    life_years : years over which the capital is recovered.
    payments_per_year : 12 for monthly payments, as leases of servers and facilities are paid.

    Returns
    -------
    Array : 1/yr, broadcast shape.

    Raises
    ------
    ValueProblem : a life that is not positive, or a negative cost of capital.

    Notes
    -----
    n m (1+m)^k / ((1+m)^k - 1) with m = wacc / n and k = n life: the annuity of any textbook of engineering
    economics, for example Park, *Contemporary Engineering Economics*, table 3.4.
    """
    if np.any(life_years <= 0):
        raise ValueProblem("a life in years must be above zero", right="for example life: 5 yr")
    if np.any(wacc < 0):
        raise ValueProblem(
            "the cost of capital must not be negative", right="for example wacc_space: 15 %/yr"
        )
    period_rate = wacc / payments_per_year
    safe_rate = np.where(period_rate > 0, period_rate, 1.0)
    annuity = payments_per_year * safe_rate / -np.expm1(-life_years * payments_per_year * np.log1p(safe_rate))
    return np.asarray(np.where(period_rate > 0, annuity, 1.0 / life_years))


def renewal_recovery(wacc: Number, lost_per_year: Number, life_years: Number) -> Array:
    """Return the yearly payment, over the capital, that keeps a fleet whole for ever, 1/yr.

    Each unit is built again when it is lost (constant hazard) or reaches its life, whichever comes first; a
    replacement begins a life of its own, so that nothing is paid twice.

    Notes
    -----
    (w + b) / (1 - exp(-(w + b) L)) in continuous time: the hazard b adds to the cost of capital w. Taken here
    with monthly payments as `capital_recovery`, which it becomes where nothing is lost. Renewal with age
    replacement: Barlow & Proschan, *Mathematical Theory of Reliability* (1965), chapter 4.
    """
    return capital_recovery(wacc + lost_per_year, life_years)


def present_value(annual_usd: Number, wacc: Number, years: Number) -> Array:
    """Return what a constant yearly payment over `years` is worth today, USD."""
    return annual_usd / capital_recovery(wacc, years)


def levelized(capital_usd: Number, annual_usd: Number, wacc: Number, life_years: Number) -> Array:
    """Return the constant yearly payment that pays a capital over its own life and the yearly costs, USD/yr.

    Lines of different lives add up in this form: each is renewed at the end of its own life at the same
    price.
    """
    return capital_usd * capital_recovery(wacc, life_years) + annual_usd


def break_even_price(ground: Number, orbit_without_launch: Number, per_usd_per_kg: Number) -> Array:
    """Return the launch price at which orbit costs what the ground does, USD/kg; it may be negative.

    Parameters
    ----------
    ground : cost of the ground rival, in any money per any unit of work.
    orbit_without_launch : cost of orbit were launch free, in the same measure.
    per_usd_per_kg : what one USD/kg of launch price adds to the cost of orbit, in the same measure per
        USD/kg.

    Notes
    -----
    Every cost is linear in the launch price, so one division answers. Where nothing depends on the launch
    price the answer is minus infinity (orbit costs more) or plus infinity (orbit costs less, or the same).
    """
    gap = ground - orbit_without_launch
    price = gap / np.where(per_usd_per_kg > 0, per_usd_per_kg, 1.0)
    return np.asarray(np.where(per_usd_per_kg > 0, price, np.where(gap >= 0, np.inf, -np.inf)))
