"""From the numbers of a design to its cost sheet: the lines of orbit beside those of the ground."""

from __future__ import annotations

from dataclasses import dataclass, replace

from skyhall.economics.build import learned_costs, learning_factor
from skyhall.economics.cost_inputs import CostInputs
from skyhall.economics.cost_line import Boundary, CostLine
from skyhall.economics.cost_sheet import CostSheet
from skyhall.economics.counterfactuals import relieved
from skyhall.economics.finance import capital_recovery, renewal_recovery
from skyhall.economics.ground import BUILDING, TOTAL, ground_lines
from skyhall.economics.launch import Manifest, Vehicle, launch_cost, lost_per_placed, manifest
from skyhall.economics.operate import replenished_per_year

__all__ = ["price_design"]

EVERY: tuple[Boundary, ...] = ("launch", "build", "installed", "delivered")


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
    sheet = _sheet(inputs)
    return replace(sheet, relieved=relieved(inputs, sheet, _sheet))


def _sheet(inputs: CostInputs) -> CostSheet:
    placed, ground = _place(inputs), inputs.rival
    installed = inputs.accelerators * inputs.hours_per_year
    share = inputs.delivered_fraction * inputs.surviving * inputs.reliability.verified_share
    return CostSheet(
        orbit=_hardware_lines(inputs, placed) + _risk_lines(inputs, placed) + _operation_lines(inputs),
        ground=ground_lines(
            ground,
            accelerators=inputs.accelerators,
            accelerator_usd=inputs.accelerator_usd,
            it_power_w=sum(batch.satellites * batch.bill.it_power_w for batch in inputs.batches),
            wacc=inputs.finance.wacc_ground,
            hours_per_year=inputs.hours_per_year,
        ),
        gpus=inputs.accelerators,
        installed_gpu_h_per_year=installed,
        delivered_gpu_h_per_year=installed * share,
        ground_delivered_gpu_h_per_year=installed * ground.delivered_share,
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
        for name, cost in learned_costs(batch.bill, inputs.parts, learning).items():
            subsystems[name] = subsystems.get(name, 0.0) + batch.satellites * cost
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
        lost_per_year = replenished_per_year(
            hazards.accelerator_failures, hazards.satellite_failures, hazards.spares_share, inputs.life_years
        )
        wacc, life = inputs.finance.wacc_space, inputs.life_years
        # What keeping the fleet whole costs beyond the first one, whose own lines recover it over its life.
        beyond = renewal_recovery(wacc, lost_per_year, life) - capital_recovery(wacc, life)
        rate = float(beyond) * (1.0 + carried + premium)
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
    notes = [
        *dict.fromkeys(_flown(inputs.vehicle, loading) for loading in manifests),
        f"of the installed GPU-hours light, power and heat allow {inputs.delivered_fraction:.1%}; "
        f"{inputs.surviving:.1%} survive failures ({kept}); "
        f"{reliability.verified_share:.1%} of the rest is verified work",
    ]
    record = inputs.vehicle.flights_per_year
    if record:
        flights = sum(loading.flights for loading in manifests)
        notes.append(
            f"placing the fleet within a year takes {flights:,.0f} flights; {inputs.vehicle.name} has flown "
            f"{record:,.0f} in its busiest year"
        )
    if inputs.rival.server_life_years > inputs.ground.server_life_years:
        notes.append(
            f"the ground keeps its servers for the {inputs.life_years:g} years that a satellite lives, not for "
            f"{inputs.ground.server_life_years:g}: hours of accelerators of the same ages are compared"
        )
    propellant_kg = sum(batch.satellites * batch.bill.propellant_kg for batch in inputs.batches)
    if propellant_kg > inputs.parts.propellant_kg_per_year:
        notes.append(
            f"the fleet needs {propellant_kg / 1e3:,.0f} t of propellant, of which the world makes "
            f"{inputs.parts.propellant_kg_per_year / 1e3:,.0f} t a year: at this price it is not to be had"
        )
    return tuple(notes)


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
