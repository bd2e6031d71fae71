"""The sheet that adds cost lines up under each named boundary, and says what keeps orbit above the ground."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import escape
from typing import Literal, get_args

from skyhall.economics.cost_line import BOUNDARIES, Boundary, CostLine
from skyhall.economics.finance import BreakEven, BreakEvenStatus, break_even_price
from skyhall.economics.launch import Manifest
from skyhall.errors import ValueProblem, did_you_mean

__all__ = ["BOUNDARIES", "Boundary", "BoundaryRow", "CostLine", "CostSheet", "Counterfactual", "Side"]

Side = Literal["orbit", "ground"]


@dataclass(frozen=True, slots=True)
class BoundaryRow:
    """The same design under one boundary: USD per GPU-hour in orbit and on the ground, and their ratio."""

    boundary: Boundary
    title: str
    orbit_usd_per_gpu_h: float
    ground_usd_per_gpu_h: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """One term exchanged for the ground's: what orbit saves of a GPU-hour at free launch, and the break-even then."""

    term: str
    saved_usd_per_gpu_h: float
    break_even_usd_per_kg: float


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
    relieved : the same fleet with one term at a time exchanged for the ground's (see `counterfactuals`).
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
    relieved: tuple[tuple[str, CostSheet], ...] = field(default=(), repr=False)

    @property
    def launch_usd_per_kg_placed(self) -> float:
        """What a kilogram of satellite pays for its flight to its own orbit, without failures, USD/kg.

        More than the launch price, which is per kilogram of a full flight to the vehicle's reference orbit.
        """
        placed_kg = sum(loading.satellites * loading.satellite_mass_kg for loading in self.manifests)
        paid_usd = sum(line.capital_usd for line in self.orbit if line.name == "launch")
        return paid_usd / placed_kg if placed_kg else 0.0

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

    def without(self, *names: str) -> CostSheet:
        """Return the sheet without orbit's lines of these names."""
        kept = tuple(line for line in self.orbit if line.name not in names)
        return replace(self, orbit=kept, relieved=())

    def counterfactuals(self, boundary: Boundary = "delivered") -> tuple[Counterfactual, ...]:
        """Return what orbit would save if one term were the ground's, or nothing; the largest saving first.

        Savings are taken at free launch: what is left when launch is no longer the question. The terms are
        those of `relieved`, or each of orbit's lines where the sheet was made by hand.
        """
        every = self.relieved or tuple((line.name, self.without(line.name)) for line in self.orbit)
        free = self._at_free_launch(boundary)
        found = [
            Counterfactual(term, _less(free, sheet._at_free_launch(boundary)), sheet._break_even(boundary))
            for term, sheet in every
        ]
        return tuple(sorted(found, key=lambda each: -each.saved_usd_per_gpu_h))

    def break_even(self, boundary: Boundary = "delivered") -> BreakEven:
        """Return the launch price at which orbit costs what the ground does under `boundary`."""
        price, current = self._break_even(boundary), self.launch_price_usd_per_kg
        status: BreakEvenStatus = "closes"
        if not self.hours(boundary) > 0:
            status = "nothing is delivered"
            term, cost = self._worst(boundary)
            sentence = "no launch price closes it: no work is delivered"
        elif price <= 0:
            status = "no launch price closes it"
            term, cost = self._worst(boundary)
            sentence = (
                f"no launch price closes it: even with free launch orbit costs more than the ground; the "
                f"binding term is {term}, which adds {cost:.2f} USD per GPU-hour that the ground does not pay"
            )
        elif price < current:
            term, cost = "launch price", self.per_gpu_h(boundary) - self._at_free_launch(boundary)
            sentence = (
                f"the launch price binds: it must fall from {current:,.0f} to {price:,.0f} USD/kg for orbit "
                f"to cost what the ground does"
            )
        else:
            term, cost = "nothing", 0.0
            sentence = (
                "orbit costs no more than the ground, and nothing counted here depends on the launch price"
                if price == float("inf")
                else f"orbit costs less than the ground up to a launch price of {price:,.0f} USD/kg"
            )
        return BreakEven(boundary, price, status, term, cost, sentence, status == "closes")

    def _worst(self, boundary: Boundary) -> tuple[str, float]:
        first = next(iter(self.counterfactuals(boundary)), None)
        return ("nothing", 0.0) if first is None else (first.term, first.saved_usd_per_gpu_h)

    def _at_free_launch(self, boundary: Boundary) -> float:
        """Return orbit's cost of a GPU-hour were launch free, USD."""
        launched = sum(line.launched_kg_per_year for line in self.lines(boundary))
        priced = launched * self.launch_price_usd_per_kg
        return _per_hour(self.total(boundary) - priced, self.hours(boundary))

    def _break_even(self, boundary: Boundary) -> float:
        if not self.hours(boundary) > 0:
            return float("-inf")
        launched = sum(line.launched_kg_per_year for line in self.lines(boundary))
        slope = _per_hour(launched, self.hours(boundary))
        ground = self.per_gpu_h(boundary, "ground")
        return float(break_even_price(ground, self._at_free_launch(boundary), slope))

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


def _less(before: float, after: float) -> float:
    """Return what is saved; nothing where the cost stays infinite."""
    return 0.0 if after == float("inf") else before - after


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
