"""Cost lines with boundary tags, and the sheet that adds them up under each named boundary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Literal, get_args

from skyhall.economics.finance import BreakEven, break_even_price, levelized
from skyhall.economics.launch import Manifest
from skyhall.errors import ValueProblem, did_you_mean

__all__ = ["BOUNDARIES", "Boundary", "BoundaryRow", "CostLine", "CostSheet", "Side"]

Boundary = Literal["launch", "build", "installed", "delivered"]
Side = Literal["orbit", "ground"]

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


@dataclass(frozen=True, slots=True)
class BoundaryRow:
    """The same design under one boundary: USD per GPU-hour in orbit and on the ground, and their ratio."""

    boundary: Boundary
    title: str
    orbit_usd_per_gpu_h: float
    ground_usd_per_gpu_h: float
    ratio: float


@dataclass(frozen=True, slots=True)
class CostSheet:
    """All cost lines of an orbital fleet and of its ground rival, and the hours that they pay for.

    Parameters
    ----------
    orbit, ground : cost lines of each side.
    gpus : accelerators that are sold (spares not counted); the ground rival has as many.
    installed_gpu_h_per_year : hours if every accelerator ran the whole year (both sides).
    delivered_gpu_h_per_year, ground_delivered_gpu_h_per_year : hours of work delivered and verified.
    launch_price_usd_per_kg : the launch price that the lines were made with.
    manifests : how each batch of satellites is launched.
    notes : sentences on what the sheet took into account, for the report.
    """

    orbit: tuple[CostLine, ...]
    ground: tuple[CostLine, ...]
    gpus: float
    installed_gpu_h_per_year: float
    delivered_gpu_h_per_year: float
    ground_delivered_gpu_h_per_year: float
    launch_price_usd_per_kg: float
    manifests: tuple[Manifest, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def flights(self) -> float:
        """Flights that place the fleet once, without those that fail; shared flights count in parts."""
        return sum(loading.flights for loading in self.manifests)

    def lines(self, boundary: Boundary = "delivered", side: Side = "orbit") -> tuple[CostLine, ...]:
        """Return the lines of one side that `boundary` counts."""
        if boundary not in BOUNDARIES:
            raise ValueProblem(
                f"'{boundary}' is not a boundary of cost", right=did_you_mean(boundary, BOUNDARIES)
            )
        if side not in get_args(Side):
            raise ValueProblem(f"'{side}' is not a side", right="orbit or ground")
        every = self.orbit if side == "orbit" else self.ground
        return tuple(line for line in every if boundary in line.boundaries)

    def total(self, boundary: Boundary = "delivered", side: Side = "orbit") -> float:
        """Return the levelised cost under `boundary`, USD/yr."""
        return sum(line.levelized_usd_per_year for line in self.lines(boundary, side))

    def capital(self, boundary: Boundary = "delivered", side: Side = "orbit") -> float:
        """Return the capital to be raised under `boundary`, USD, without interest."""
        return sum(line.capital_usd for line in self.lines(boundary, side))

    def hours(self, boundary: Boundary = "delivered", side: Side = "orbit") -> float:
        """Return the GPU-hours a year that `boundary` divides by: installed, or for "delivered" delivered."""
        if boundary != "delivered":
            return self.installed_gpu_h_per_year
        return self.delivered_gpu_h_per_year if side == "orbit" else self.ground_delivered_gpu_h_per_year

    def per_gpu_h(self, boundary: Boundary = "delivered", side: Side = "orbit") -> float:
        """Return the levelised cost of a GPU-hour under `boundary`, USD; infinite without hours."""
        return _per_hour(self.total(boundary, side), self.hours(boundary, side))

    @property
    def usd_per_installed_gpu_h(self) -> float:
        """Total cost in orbit over all hours of all installed accelerators, USD/GPU-h."""
        return self.per_gpu_h("installed")

    @property
    def usd_per_delivered_gpu_h(self) -> float:
        """Total cost in orbit over the hours of work delivered and verified, USD/GPU-h."""
        return self.per_gpu_h("delivered")

    @property
    def ground_usd_per_gpu_h(self) -> float:
        """Total cost of the ground rival over its own delivered hours, USD/GPU-h."""
        return self.per_gpu_h("delivered", "ground")

    def boundaries(self) -> tuple[BoundaryRow, ...]:
        """Return one row for each named boundary, from the narrowest to the widest."""
        rows = []
        for boundary, title in BOUNDARIES.items():
            orbit, ground = self.per_gpu_h(boundary, "orbit"), self.per_gpu_h(boundary, "ground")
            rows.append(
                BoundaryRow(boundary, title, orbit, ground, orbit / ground if ground else float("inf"))
            )
        return tuple(rows)

    def by_family(self, boundary: Boundary = "delivered", side: Side = "orbit") -> dict[str, float]:
        """Return USD per GPU-hour of each family of costs; the values add up to `per_gpu_h`."""
        families: dict[str, float] = {}
        hours = self.hours(boundary, side)
        for line in self.lines(boundary, side):
            families[line.family] = families.get(line.family, 0.0) + _per_hour(
                line.levelized_usd_per_year, hours
            )
        return families

    def gap(self, boundary: Boundary = "delivered") -> dict[str, float]:
        """Return what orbit costs above the ground under `boundary`, term by term, USD per GPU-hour.

        The terms are the families of costs over installed hours (what both sides pay for cancels), under
        "delivered" the hours that are paid for and not delivered, and "launch price": all that is launch
        price times kilograms, wherever it is paid. They add up to the difference of `per_gpu_h` between
        the sides.
        """
        installed = self.installed_gpu_h_per_year
        terms: dict[str, float] = {}
        priced = 0.0
        for line in self.lines(boundary):
            launched = line.launched_kg_per_year * self.launch_price_usd_per_kg
            rest = _per_hour(line.levelized_usd_per_year - launched, installed)
            terms[line.family] = terms.get(line.family, 0.0) + rest
            priced += launched
        for line in self.lines(boundary, "ground"):
            rest = _per_hour(line.levelized_usd_per_year, installed)
            terms[line.family] = terms.get(line.family, 0.0) - rest
        if boundary == "delivered":
            orbit, ground = self.total(boundary) - priced, self.total(boundary, "ground")
            terms["undelivered hours"] = (
                _per_hour(orbit, self.hours(boundary))
                - _per_hour(orbit, installed)
                - _per_hour(ground, self.hours(boundary, "ground"))
                + _per_hour(ground, installed)
            )
        terms["launch price"] = _per_hour(priced, self.hours(boundary))
        return terms

    def break_even(self, boundary: Boundary = "delivered") -> BreakEven:
        """Return the launch price at which orbit costs what the ground does under `boundary`.

        Notes
        -----
        The binding term is the largest of `gap` apart from the launch price: what keeps orbit above the
        ground were launch free, and so what must fall first where no launch price closes it.
        """
        if not self.hours(boundary) > 0:
            nothing = "no launch price closes it: no work is delivered"
            return BreakEven(boundary, float("-inf"), False, "undelivered hours", float("inf"), nothing)
        gap = self.gap(boundary)
        slope = _per_hour(
            sum(line.launched_kg_per_year for line in self.lines(boundary)), self.hours(boundary)
        )
        ground = self.per_gpu_h(boundary, "ground")
        price = float(break_even_price(ground, self.per_gpu_h(boundary) - gap.pop("launch price"), slope))
        term = max(gap, key=lambda name: gap[name], default="nothing")
        excess = gap.get(term, 0.0)
        sentence = _sentence(price, self.launch_price_usd_per_kg, self._described(term, boundary), excess)
        return BreakEven(boundary, price, price > 0, term, excess, sentence)

    def _described(self, term: str, boundary: Boundary) -> str:
        if term == "undelivered hours":
            share = 1 - self.delivered_gpu_h_per_year / self.installed_gpu_h_per_year
            return f"undelivered hours, {share:.0%} of those installed"
        lines = [line for line in self.lines(boundary) if line.family == term]
        chief = max(lines, key=lambda line: line.levelized_usd_per_year, default=None)
        return term if chief is None or chief.name == term else f"{term}, chiefly {chief.name}"

    def as_rows(self) -> list[dict[str, str | float]]:
        """Return every line of both sides as a flat mapping, for a table or a file."""
        return [
            {
                "side": side,
                "name": line.name,
                "family": line.family,
                "boundaries": " ".join(line.boundaries),
                "capital_usd": line.capital_usd,
                "annual_usd": line.annual_usd,
                "life_years": line.life_years,
                "levelized_usd_per_year": line.levelized_usd_per_year,
                "usd_per_installed_gpu_h": _per_hour(
                    line.levelized_usd_per_year, self.installed_gpu_h_per_year
                ),
                "usd_per_delivered_gpu_h": _per_hour(
                    line.levelized_usd_per_year, self.hours("delivered", side)
                ),
                "sources": " ".join(line.sources),
            }
            for side, line in self._every_line()
        ]

    def _every_line(self) -> Iterator[tuple[Side, CostLine]]:
        yield from (("orbit", line) for line in self.orbit)
        yield from (("ground", line) for line in self.ground)

    def _repr_html_(self) -> str:
        boundaries = _table(
            ("boundary", "orbit USD/GPU-h", "ground USD/GPU-h", "ratio"),
            [
                (
                    row.title,
                    f"{row.orbit_usd_per_gpu_h:.3f}",
                    f"{row.ground_usd_per_gpu_h:.3f}",
                    f"{row.ratio:.2f}",
                )
                for row in self.boundaries()
            ],
        )
        lines = _table(
            ("side", "line", "capital MUSD", "MUSD/yr levelised"),
            [
                (
                    side,
                    line.name,
                    f"{line.capital_usd / 1e6:,.2f}",
                    f"{line.levelized_usd_per_year / 1e6:,.2f}",
                )
                for side, line in self._every_line()
            ],
        )
        return f"{boundaries}<p>{escape(self.break_even().sentence)}</p>{lines}"


def _per_hour(usd_per_year: float, hours: float) -> float:
    return usd_per_year / hours if hours > 0 else float("inf")


def _sentence(price: float, current: float, term: str, excess: float) -> str:
    if price <= 0:
        return (
            f"no launch price closes it: even with free launch orbit costs more than the ground; "
            f"the binding term is {term} ({excess:+.2f} USD per GPU-hour against the ground)"
        )
    if price == float("inf"):
        return "orbit costs no more than the ground, and nothing counted here depends on the launch price"
    if price >= current:
        return f"orbit costs less than the ground up to a launch price of {price:,.0f} USD/kg"
    return (
        f"launch must fall from {current:,.0f} to {price:,.0f} USD/kg for orbit to cost what the ground does"
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
