"""Published launch prices and what they replace on the ground, computed by the price model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from skyhall.economics.ground import power_price_usd_per_kw_year
from skyhall.economics.launch import launched_power_price, learning_exponent, mass_at_price
from skyhall.validation.cases import Case

__all__ = ["CALENDAR_YEAR_H", "CHECKS"]

CALENDAR_YEAR_H = 8760.0  # the sources count 365 days


def learning_curve(case: Case) -> Mapping[str, Any]:
    """Return the learning exponent, and the cumulative mass at which launch costs the price wanted."""
    given = case.given
    mass = mass_at_price(
        given["wanted_usd_per_kg"], given["price_usd_per_kg"], given["at_t"], given["progress_ratio"]
    )
    return {"exponent": learning_exponent(given["progress_ratio"]), "mass_at_200_usd_per_kg": mass}


def launched_power(case: Case) -> Mapping[str, Any]:
    """Return what launching a kW costs for each year of its life."""
    given = case.given
    return {
        f"at_{price}_usd_per_kg": launched_power_price(given["kg"] / given["kw"], given["years"], price)
        for price in given["usd_per_kg"]
    }


def terrestrial_power(case: Case) -> Mapping[str, Any]:
    """Return what a kW of IT costs for a year on the ground, energy only."""
    return {
        name: power_price_usd_per_kw_year(site["usd_per_kwh"], site["pue"], hours_per_year=CALENDAR_YEAR_H)
        for name, site in case.given.items()
    }


CHECKS: Mapping[str, Callable[[Case], Mapping[str, Any]]] = {
    "learning-curve": learning_curve,
    "launched-power-price": launched_power,
    "terrestrial-power-price": terrestrial_power,
}
