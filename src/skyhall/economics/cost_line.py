"""Lines of cost, and the named boundaries that count them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from skyhall.economics.finance import levelized

__all__ = ["BOUNDARIES", "Boundary", "CostLine"]

Boundary = Literal["launch", "build", "installed", "delivered"]

BOUNDARIES: dict[Boundary, str] = {
    "launch": "launch only",
    "build": "launch and build",
    "installed": "total per installed GPU-hour",
    "delivered": "total per delivered GPU-hour",
}


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of cost: what is paid once, what is paid each year, and under which boundaries it counts.

    Parameters
    ----------
    name, family : what it is, and the family it is compared in ("launch", "build", "compute", "operate",
        "energy", "engineering", "risk").
    boundaries : the boundaries that count it; a boundary is nothing but a filter on these tags.
    capital_usd, annual_usd : USD paid once per `life_years`, USD/yr.
    life_years : years over which the capital is recovered.
    levelized_usd_per_year : capital recovered over the life at the side's cost of capital, and the annual
        cost.
    launched_kg_per_year : USD/yr that one USD/kg of launch price adds to the line (kg/yr); 0 if it does
        not depend on it.
    sources : names of the catalogue's parts that its numbers come from.
    """

    name: str
    family: str
    boundaries: tuple[Boundary, ...]
    capital_usd: float
    annual_usd: float
    life_years: float
    levelized_usd_per_year: float
    launched_kg_per_year: float = 0.0
    sources: tuple[str, ...] = ()

    @classmethod
    def over_life(
        cls,
        name: str,
        family: str,
        boundaries: tuple[Boundary, ...],
        *,
        wacc: float,
        life_years: float,
        capital_usd: float = 0.0,
        annual_usd: float = 0.0,
        launched_capital_kg: float = 0.0,
        launched_annual_kg: float = 0.0,
        sources: tuple[str, ...] = (),
    ) -> CostLine:
        """Return the line with its levelised cost; `launched_*_kg` is what the launch price is paid for."""
        return cls(
            name,
            family,
            boundaries,
            capital_usd,
            annual_usd,
            life_years,
            float(levelized(capital_usd, annual_usd, wacc, life_years)),
            float(levelized(launched_capital_kg, launched_annual_kg, wacc, life_years)),
            sources,
        )
