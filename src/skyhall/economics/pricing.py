"""From the numbers of a design to its cost sheet: the lines of orbit beside those of the ground."""

from __future__ import annotations

from dataclasses import dataclass

from skyhall.economics.build import Builder, BuildPrices, SatelliteBill, learning_factor, subsystem_costs
from skyhall.economics.cost_sheet import Boundary, CostLine, CostSheet
from skyhall.economics.finance import HOURS_PER_YEAR, Finance
from skyhall.economics.ground import BUILDING, TOTAL, GroundSite, ground_lines
from skyhall.economics.launch import Manifest, Vehicle, launch_cost, lost_per_placed, manifest
from skyhall.economics.operate import (
    Operations,
    OrbitReliability,
    replenished_per_year,
    surviving_share,
)
from skyhall.economics.ranges import require

__all__ = ["Batch", "CostInputs", "price_design"]

EVERY: tuple[Boundary, ...] = ("launch", "build", "installed", "delivered")


@dataclass(frozen=True, slots=True)
class Batch:
    """Satellites of one design that go to one orbit.

    Parameters
    ----------
    satellites, bill : how many satellites, and what one is made of.
    payload_to_orbit_kg : of the vehicle to their orbit; its reference payload if None.
    """

    satellites: int
    bill: SatelliteBill
    payload_to_orbit_kg: float | None = None

    def __post_init__(self) -> None:
        require(self, positive=("satellites",))


@dataclass(frozen=True, slots=True)
class CostInputs:
    """Everything that the price of a fleet depends on.

    Parameters
    ----------
    batches : the satellites, design by design and orbit by orbit.
    accelerator_usd : one accelerator with its share of host, memory and network; the same on the ground.
    life_years : of a satellite and, as nobody visits it, of the accelerators aboard.
    delivered_fraction : share of the installed GPU-hours that light, power and heat allow (from the twin).
    vehicle, parts, builder, operations, reliability, ground, finance : prices and rates of each family.
    accelerator_sources : names of the catalogue's parts behind `accelerator_usd`.
    hours_per_year : 8,766, or 8,760 where a source counts so.
    """

    batches: tuple[Batch, ...]
    accelerator_usd: float
    life_years: float
    delivered_fraction: float
    vehicle: Vehicle
    parts: BuildPrices
    builder: Builder
    operations: Operations
    reliability: OrbitReliability
    ground: GroundSite
    finance: Finance
    accelerator_sources: tuple[str, ...] = ()
    hours_per_year: float = HOURS_PER_YEAR

    def __post_init__(self) -> None:
        require(
            self,
            not_negative=("accelerator_usd",),
            shares=("delivered_fraction",),
            lives=("life_years",),
        )

    @property
    def accelerators(self) -> float:
        """Accelerators that are sold, spares not counted."""
        return sum(batch.satellites * batch.bill.accelerators for batch in self.batches)

    @property
    def satellites(self) -> int:
        """Satellites of all batches."""
        return sum(batch.satellites for batch in self.batches)

    @property
    def surviving(self) -> float:
        """Mean share of the accelerators that work over the life."""
        hazards = self.reliability
        if hazards.replacement == "replenish":
            return 1.0
        return float(
            surviving_share(
                hazards.accelerator_failures,
                hazards.satellite_failures,
                hazards.spares_share,
                self.life_years,
            )
        )


@dataclass(frozen=True, slots=True)
class _Placed:
    """What it costs to place the whole fleet once, without failures, USD; and the kilograms paid for."""

    manifests: tuple[Manifest, ...]
    launch: float
    launched_kg: float
    subsystems: dict[str, float]
    accelerators: float
    spares: float

    @property
    def total(self) -> float:
        return self.launch + sum(self.subsystems.values()) + self.accelerators + self.spares


def price_design(inputs: CostInputs) -> CostSheet:
    """Return the cost sheet of a design beside its ground rival.

    Raises
    ------
    ValueProblem : a satellite that the vehicle cannot lift, or a value out of its range.

    Notes
    -----
    Boundaries: *launch only* counts the flights of the first fleet, and energy on the ground; *launch and
    build* adds satellites without accelerators, and the ground's building and power plant; both as if
    nothing failed. The totals add accelerators, spares, engineering, failures, insurance, replenishment
    and operations.
    """
    placed = _place(inputs)
    installed = inputs.accelerators * inputs.hours_per_year
    share = inputs.delivered_fraction * inputs.surviving * inputs.reliability.verified_share
    return CostSheet(
        orbit=_hardware_lines(inputs, placed) + _risk_lines(inputs, placed) + _operation_lines(inputs),
        ground=ground_lines(
            inputs.ground,
            accelerators=inputs.accelerators,
            accelerator_usd=inputs.accelerator_usd,
            it_power_w=sum(batch.satellites * batch.bill.it_power_w for batch in inputs.batches),
            wacc=inputs.finance.wacc_ground,
            hours_per_year=inputs.hours_per_year,
        ),
        gpus=inputs.accelerators,
        installed_gpu_h_per_year=installed,
        delivered_gpu_h_per_year=installed * share,
        ground_delivered_gpu_h_per_year=installed * inputs.ground.availability * inputs.ground.load_factor,
        launch_price_usd_per_kg=inputs.vehicle.price_usd_per_kg,
        manifests=placed.manifests,
        notes=_notes(inputs, placed.manifests),
    )


def _place(inputs: CostInputs) -> _Placed:
    manifests = tuple(
        manifest(
            batch.satellites,
            batch.bill.mass_kg,
            inputs.vehicle,
            payload_kg=batch.payload_to_orbit_kg,
            stowed_volume_m3=batch.bill.stowed_volume_m3,
        )
        for batch in inputs.batches
    )
    costs = [launch_cost(loading, inputs.vehicle) for loading in manifests]
    built_kg = sum(batch.satellites * batch.bill.mass_kg for batch in inputs.batches)
    learning = learning_factor(built_kg, inputs.builder)
    subsystems: dict[str, float] = {}
    for batch in inputs.batches:
        for name, cost in subsystem_costs(batch.bill, inputs.parts).items():
            subsystems[name] = subsystems.get(name, 0.0) + batch.satellites * cost * learning
    accelerators = inputs.accelerators * inputs.accelerator_usd
    return _Placed(
        manifests,
        launch=sum(usd for usd, _ in costs),
        launched_kg=sum(kilograms for _, kilograms in costs),
        subsystems=subsystems,
        accelerators=accelerators,
        spares=accelerators * inputs.reliability.spares_share,
    )


def _line(
    inputs: CostInputs,
    name: str,
    family: str,
    boundaries: tuple[Boundary, ...],
    sources: tuple[str, ...],
    *,
    capital_usd: float = 0.0,
    annual_usd: float = 0.0,
    launched_capital_kg: float = 0.0,
    launched_annual_kg: float = 0.0,
    life_years: float | None = None,
) -> CostLine:
    return CostLine.over_life(
        name,
        family,
        boundaries,
        wacc=inputs.finance.wacc_space,
        life_years=inputs.life_years if life_years is None else life_years,
        capital_usd=capital_usd,
        annual_usd=annual_usd,
        launched_capital_kg=launched_capital_kg,
        launched_annual_kg=launched_annual_kg,
        sources=sources,
    )


def _hardware_lines(inputs: CostInputs, placed: _Placed) -> tuple[CostLine, ...]:
    launch = _line(
        inputs,
        "launch",
        "launch",
        EVERY,
        inputs.vehicle.sources,
        capital_usd=placed.launch,
        launched_capital_kg=placed.launched_kg,
    )
    satellites = tuple(
        _line(
            inputs, name, "build", BUILDING, inputs.parts.sources + inputs.builder.sources, capital_usd=cost
        )
        for name, cost in placed.subsystems.items()
        if cost
    )
    compute = tuple(
        _line(inputs, name, "compute", TOTAL, inputs.accelerator_sources, capital_usd=cost)
        for name, cost in (("accelerators", placed.accelerators), ("spare accelerators", placed.spares))
        if cost
    )
    engineering = _line(
        inputs,
        "engineering",
        "engineering",
        TOTAL,
        inputs.builder.sources,
        capital_usd=inputs.builder.engineering_usd,
        life_years=inputs.finance.programme_years,
    )
    lines = (launch, *satellites, *compute, engineering)
    return tuple(line for line in lines if line.capital_usd or line is launch)


def _risk_lines(inputs: CostInputs, placed: _Placed) -> tuple[CostLine, ...]:
    """Return what failures cost: flights lost, insurance, and fleets kept whole by replenishment.

    The insured share of what is lost is paid by the insurer, so the operator carries the rest and the
    premium.
    """
    lost = float(lost_per_placed(inputs.vehicle.success_rate))
    terms, hazards = inputs.operations, inputs.reliability
    carried = lost * (1.0 - terms.insured_share)
    premium = terms.insurance_rate * terms.insured_share
    lines = [
        _line(
            inputs,
            "launch failures",
            "risk",
            TOTAL,
            inputs.vehicle.sources,
            capital_usd=carried * placed.total,
            launched_capital_kg=carried * placed.launched_kg,
        ),
        _line(
            inputs,
            "insurance",
            "risk",
            TOTAL,
            terms.sources,
            capital_usd=premium * placed.total,
            launched_capital_kg=premium * placed.launched_kg,
        ),
    ]
    if hazards.replacement == "replenish":
        rate = float(
            replenished_per_year(
                hazards.accelerator_failures,
                hazards.satellite_failures,
                hazards.spares_share,
                inputs.life_years,
            )
        ) * (1.0 + carried + premium)
        lines.append(
            _line(
                inputs,
                "replenishment",
                "risk",
                TOTAL,
                hazards.sources + inputs.vehicle.sources,
                annual_usd=rate * placed.total,
                launched_annual_kg=rate * placed.launched_kg,
            )
        )
    return tuple(line for line in lines if line.levelized_usd_per_year)


def _operation_lines(inputs: CostInputs) -> tuple[CostLine, ...]:
    terms, count = inputs.operations, inputs.satellites
    costs = {
        "satellite operations": count * terms.satellite_usd_per_year,
        "control centre": terms.fleet_usd_per_year,
        "ground segment": inputs.accelerators * terms.ground_segment_usd_per_gpu_year,
        "disposal": count * terms.disposal_usd_per_satellite / inputs.life_years,
    }
    return tuple(
        _line(inputs, name, "operate", TOTAL, terms.sources, annual_usd=cost)
        for name, cost in costs.items()
        if cost
    )


def _notes(inputs: CostInputs, manifests: tuple[Manifest, ...]) -> tuple[str, ...]:
    reliability = inputs.reliability
    kept = "lost capacity is launched again" if reliability.replacement == "replenish" else "capacity decays"
    return (
        *dict.fromkeys(_flown(inputs.vehicle, loading) for loading in manifests),
        f"of the installed GPU-hours light, power and heat allow {inputs.delivered_fraction:.1%}; "
        f"{inputs.surviving:.1%} survive failures ({kept}); "
        f"{reliability.verified_share:.1%} of the rest is verified work",
    )


def _flown(vehicle: Vehicle, loading: Manifest) -> str:
    if vehicle.shared:
        kilograms = loading.satellites * loading.satellite_mass_kg
        return f"{kilograms:,.0f} kg on shared flights ({vehicle.name}), paid by the kilogram"
    loaded = (
        f"{loading.satellites_per_flight:,.0f} satellites on each"
        if loading.parts == 1
        else f"each satellite in {loading.parts} parts assembled in orbit (assembly is not priced)"
    )
    return (
        f"{loading.flights:,} flights of {vehicle.name} with {loading.payload_kg / 1e3:,.1f} t to orbit, "
        f"{loaded}, limited by {loading.limited_by}, {loading.filled:.0%} of the payload used"
    )
