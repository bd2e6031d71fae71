"""Scenario, fleet and delivered work to a cost sheet: the catalogue's prices, mapped and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from skyhall.catalogue import Catalogue, Part
from skyhall.constants import DAY, EARTH_GM, EARTH_RADIUS, JULIAN_YEAR
from skyhall.design_inputs import downlink_part, spare_accelerators
from skyhall.economics import (
    Batch,
    Builder,
    BuildPrices,
    CostInputs,
    CostSheet,
    Finance,
    GroundSite,
    Operations,
    OrbitReliability,
    SatelliteBill,
    Vehicle,
    price_design,
)
from skyhall.economics.launch import extra_delta_v, payload_to_orbit
from skyhall.economics.reliability import gang_interruptions, interruption_loss, silent_errors_left
from skyhall.environment.devices import HAZARDS, OUTCOMES
from skyhall.errors import ValueProblem
from skyhall.fleet import Fleet

__all__ = ["UpsetLosses", "cost_inputs", "price", "upset_losses"]

_OWN_PRICE = ("payload", "array", "battery", "radiator", "heat_transport", "terminals")  # not paid as bus


def price(
    fleet: Fleet, delivered_fraction: float, *, upsets_per_accelerator_day: float | None = None
) -> CostSheet:
    """Return what the fleet costs beside its ground rival.

    Parameters
    ----------
    fleet : the sized fleet; it carries its scenario and catalogue.
    delivered_fraction : share of the installed GPU-hours that light, power and heat allowed, from the twin.
    upsets_per_accelerator_day : that kill or corrupt work, from the twin; left out: the mean over the orbits.

    Raises
    ------
    ValueProblem : an unknown part, a value out of its range, or an orbit that the vehicle does not reach.
    """
    return price_design(cost_inputs(fleet, delivered_fraction, upsets_per_accelerator_day))


def cost_inputs(
    fleet: Fleet, delivered_fraction: float, upsets_per_accelerator_day: float | None = None
) -> CostInputs:
    """Return the numbers that the price depends on (see `price`)."""
    scenario, catalogue = fleet.scenario, fleet.catalogue
    chosen = scenario.economics
    accelerator = catalogue.part("accelerators", scenario.satellite.accelerator)
    vehicle = catalogue.part("vehicles", scenario.launch.vehicle, place=scenario.place("launch.vehicle"))

    def part(kind: str, key: str) -> Part:
        return catalogue.part(kind, getattr(chosen, key), place=scenario.place(f"economics.{key}"))

    return CostInputs(
        batches=_batches(fleet, vehicle),
        accelerator_usd=accelerator("price", "USD"),
        life_years=scenario.satellite.life / JULIAN_YEAR,
        delivered_fraction=delivered_fraction,
        vehicle=_vehicle(vehicle, scenario.launch.price),
        parts=_part_prices(fleet, catalogue),
        builder=_builder(part("operations", "build")),
        operations=_operations(part("operations", "operations")),
        reliability=_reliability(
            part("reliability", "reliability"),
            fleet.designs[0].accelerators,
            upset_losses(fleet, upsets_per_accelerator_day),
        ),
        ground=_ground(part("grounds", "ground")),
        finance=_finance(part("finance", "finance")),
        accelerator_sources=(accelerator.name,),
    )


def _batches(fleet: Fleet, vehicle: Part) -> tuple[Batch, ...]:
    """Return one batch for each design; real orbits take the payload to their median orbit."""
    terminals = fleet.scenario.satellite.terminals
    if terminals is None:
        terminals = round(fleet.catalogue.part("terminals", fleet.scenario.satellite.terminal)("count"))
    thruster = fleet.catalogue.part("propulsions", fleet.scenario.satellite.propulsion)("mass", "kg")
    batches = []
    for index, (count, design, sized) in enumerate(
        zip(fleet.counts, fleet.designs, fleet.sized, strict=True)
    ):
        bill = SatelliteBill(
            mass_kg=design.mass,
            bus_kg=sum(kg for line, kg in design.masses.items() if line not in _OWN_PRICE) - thruster,
            array_w=float(sized.array_power_begin),
            battery_kwh=float(sized.battery_capacity_begin) / 3.6e6,
            radiator_m2=design.radiator_area,
            cooling_kw=float(sized.heat) / 1e3,
            terminals=terminals,
            downlinks=float(fleet.scenario.network.downlink is not None),
            accelerators=design.accelerators,
            it_power_w=design.it_power,
            stowed_volume_m3=design.stowed_volume,
            propellant_kg=design.propellant,
        )
        batches.append(Batch(count, bill, _payload(fleet, vehicle, index)))
    return tuple(batches)


def _payload(fleet: Fleet, vehicle: Part, index: int) -> float:
    """Return the vehicle's payload to where it releases the satellites of design `index`, kg.

    A satellite that climbs by itself is released at the vehicle's reference altitude, in the plane of its
    orbit; only the speed to the geostationary ring is quoted with the plane change in it. A shared flight goes
    where its passengers do.
    """
    reference = vehicle("payload", "kg")
    if "shared" in vehicle.facts:
        return reference
    low, latitude = vehicle("reference_altitude", "km"), vehicle("site_latitude", "deg")
    orbit = fleet.elements[fleet.design_index == index]
    altitude = (float(np.median(orbit.semi_major_axis)) - EARTH_RADIUS) / 1e3
    inclination = float(np.degrees(np.median(orbit.inclination)))
    asked = fleet.scenario
    if asked.satellite.transfer_delta_v > 0:
        _check_climb(fleet, low, altitude)
        altitude = low
        if asked.orbit.elements is None and asked.orbit.shells[index].pattern == "geostationary":
            inclination = latitude
    faster = extra_delta_v(altitude, inclination, reference_altitude_km=low, site_latitude_deg=latitude)
    stage, impulse = vehicle("upper_stage_mass", "kg"), vehicle("specific_impulse", "s")
    return float(payload_to_orbit(reference, stage, impulse, faster))


def _check_climb(fleet: Fleet, low_km: float, altitude_km: float) -> None:
    """Raise a `ValueProblem` where the satellite's own speed does not lift it from `low_km` to its orbit."""
    speeds = [np.sqrt(EARTH_GM / (EARTH_RADIUS + 1e3 * each)) for each in (low_km, altitude_km)]
    needed, given = float(speeds[0] - speeds[1]), fleet.scenario.satellite.transfer_delta_v
    if given < needed:
        raise ValueProblem(
            f"{given:,.0f} m/s do not lift a satellite from {low_km:,.0f} km, where its flight releases it, to "
            f"{altitude_km:,.0f} km",
            place=fleet.scenario.place("satellite.transfer_delta_v"),
            right=f"give at least {np.ceil(needed):.0f} m/s, or 0 m/s for a flight to the orbit itself",
        )


def _vehicle(part: Part, price_usd_per_kg: float | None) -> Vehicle:
    return Vehicle(
        name=part.name,
        price_usd_per_kg=part("price", "USD/kg") if price_usd_per_kg is None else price_usd_per_kg,
        payload_kg=part("payload", "kg"),
        success_rate=part("success_rate"),
        fairing_volume_m3=part("fairing_volume", "m**3"),
        shared="shared" in part.facts,
        flights_per_year=part("flights_per_year", "1/year") if "flights_per_year" in part.facts else 0.0,
        sources=(part.name,),
    )


def _part_prices(fleet: Fleet, catalogue: Catalogue) -> BuildPrices:
    asked = fleet.scenario.satellite
    parts = {
        "bus": catalogue.part("buses", asked.bus),
        "array": catalogue.part("arrays", asked.array),
        "battery": catalogue.part("batteries", asked.battery),
        "radiator": catalogue.part("radiators", asked.radiator),
        "cooling": catalogue.part("coolings", asked.cooling),
        "terminal": catalogue.part("terminals", asked.terminal),
        "propulsion": catalogue.part("propulsions", asked.propulsion),
    }
    downlink = downlink_part(fleet.scenario, catalogue)
    if downlink is not None:
        parts["downlink"] = downlink
    return _prices(parts, lambda part, key, unit: part(key, unit), lowest=_prices(parts, _lowest))


def _lowest(part: Part, key: str, unit: str) -> float:
    """Return the price below which learning does not go; a price typed in a scenario has no such floor."""
    return 0.0 if part.fact(key).confidence == "scenario" else part.bounds(key, unit)[0]


def _prices(
    parts: dict[str, Part],
    price: Callable[[Part, str, str], float],
    lowest: BuildPrices | None = None,
) -> BuildPrices:
    propulsion = parts["propulsion"]
    return BuildPrices(
        bus_usd_per_kg=price(parts["bus"], "cost", "USD/kg"),
        array_usd_per_w=price(parts["array"], "cost", "USD/W"),
        battery_usd_per_kwh=price(parts["battery"], "cost", "USD/kWh"),
        radiator_usd_per_m2=price(parts["radiator"], "cost", "USD/m**2"),
        cooling_usd_per_kw=price(parts["cooling"], "cost", "USD/kW"),
        terminal_usd=price(parts["terminal"], "price", "USD"),
        downlink_usd=price(parts["downlink"], "price", "USD") if "downlink" in parts else 0.0,
        propulsion_usd=price(propulsion, "cost", "USD"),
        propellant_usd_per_kg=price(propulsion, "propellant_price", "USD/kg"),
        propellant_kg_per_year=propulsion("world_output", "kg/year"),
        lowest=lowest,
        sources=tuple(part.name for part in parts.values()),
    )


def _builder(part: Part) -> Builder:
    return Builder(
        progress_ratio=part("progress_ratio"),
        reference_kg=part("reference_mass", "kg"),
        experience_kg=part("experience", "kg"),
        engineering_usd=part("engineering", "USD"),
        sources=(part.name,),
    )


def _operations(part: Part) -> Operations:
    return Operations(
        satellite_usd_per_year=part("satellite", "USD/year"),
        fleet_usd_per_year=part("control_centre", "USD/year"),
        ground_segment_usd_per_gpu_year=part("ground_segment", "USD/year"),
        disposal_usd_per_satellite=part("disposal", "USD"),
        insurance_rate=part("insurance_rate"),
        insured_share=part("insured_share"),
        sources=(part.name,),
    )


@dataclass(frozen=True, slots=True)
class UpsetLosses:
    """What upsets cost a fleet.

    Attributes
    ----------
    per_accelerator_day : of each outcome, in quiet times; solar_events_per_accelerator_year : expected of solar events.
    loss_share : of the running time: checkpoints, restarts and work done again by all accelerators of a satellite.
    checkpoint_interval_s : work between checkpoints that loses least, on the most common satellites.
    silent_left_per_accelerator_year : silent errors that no check finds.
    destroyed_per_accelerator_year : latch-up and burnout.
    """

    per_accelerator_day: Mapping[str, float]
    solar_events_per_accelerator_year: Mapping[str, float]
    loss_share: float
    checkpoint_interval_s: float
    silent_left_per_accelerator_year: float
    destroyed_per_accelerator_year: float


def upset_losses(fleet: Fleet, upsets_per_accelerator_day: float | None = None) -> UpsetLosses:
    """Return what upsets cost, at the rates of the fleet's orbits or those that the twin met (see `price`).

    A satellite's accelerators work as one gang, as in training: an error that is seen in one of them sends all back to
    their last checkpoint. Smaller gangs, as in inference, lose less. The outcomes share an upset as they do in the mean
    over the orbits.
    """
    reliability = fleet.scenario.economics.reliability
    place = fleet.scenario.place("economics.reliability")
    part = fleet.catalogue.part("reliability", reliability, place=place)
    coverage, checkpoint, restart = (
        part("silent_coverage"),
        part("checkpoint_time", "s"),
        part("restart_time", "s"),
    )
    exposures = [each.exposure for each in fleet.irradiation]
    satellites = np.array(fleet.counts) / len(fleet)
    counted = part("counted_upsets")
    orbit_mean = float(satellites @ [each.losses for each in exposures]) * DAY
    met = counted
    if upsets_per_accelerator_day is not None and orbit_mean > 0.0:
        met *= upsets_per_accelerator_day / orbit_mean
    gangs = np.array([each.accelerators for each in fleet.designs])
    of_all = satellites * gangs / float(satellites @ gangs)
    outcomes = (*OUTCOMES, *HAZARDS)
    quiet = {name: met * DAY * np.array([each.rates[name] for each in exposures]) for name in outcomes}
    solar = {name: counted * np.array([each.solar_events[name] for each in exposures]) for name in outcomes}
    yearly = {name: quiet[name] * JULIAN_YEAR / DAY + solar[name] for name in outcomes}
    interruptions = gang_interruptions(
        yearly["detected"], yearly["functional"], yearly["silent"], coverage, gangs
    )
    loss, interval = interruption_loss(interruptions / JULIAN_YEAR, checkpoint, restart)
    left = silent_errors_left(yearly["silent"], coverage, 1.0, 1.0)
    return UpsetLosses(
        per_accelerator_day={name: float(of_all @ rate) for name, rate in quiet.items()},
        solar_events_per_accelerator_year={name: float(of_all @ rate) for name, rate in solar.items()},
        loss_share=float(of_all @ loss),
        checkpoint_interval_s=float(interval[int(np.argmax(of_all))]),
        silent_left_per_accelerator_year=float(of_all @ left),
        destroyed_per_accelerator_year=float(of_all @ sum(yearly[each] for each in HAZARDS)),
    )


def _reliability(part: Part, accelerators: int, upsets: UpsetLosses) -> OrbitReliability:
    return OrbitReliability(
        accelerator_failures=part("accelerator_failures", "1/year") + upsets.destroyed_per_accelerator_year,
        satellite_failures=part("satellite_failures", "1/year"),
        spares_share=spare_accelerators(accelerators, part) / accelerators,
        replacement="replenish" if part("replenish") else "none",
        upset_loss_share=upsets.loss_share,
        protection_overhead=part("protection_overhead"),
        failure_shape=part("failure_shape"),
        cold_spares=bool(part("cold_spares")),
        sources=(part.name,),
    )


def _ground(part: Part) -> GroundSite:
    return GroundSite(
        name=part.name,
        facility_usd_per_w=part("facility_cost", "USD/W"),
        facility_life_years=part("facility_life", "year"),
        pue=part("pue"),
        energy_usd_per_kwh=part("electricity", "USD/kWh"),
        plant_usd_per_w=part("plant_cost", "USD/W"),
        water_l_per_kwh=part("water", "l/kWh"),
        water_usd_per_m3=part("water_price", "USD/m**3"),
        operations_usd_per_kw_year=part("operations", "USD/kW/year"),
        availability=part("availability"),
        load_factor=part("load_factor"),
        lost_share=part("lost_share"),
        server_life_years=part("server_life", "year"),
        accelerator_failures=part("accelerator_failures", "1/year"),
        repair_share=part("repair_share"),
        sources=(part.name,),
    )


def _finance(part: Part) -> Finance:
    return Finance(
        wacc_space=part("wacc_space"),
        wacc_ground=part("wacc_ground"),
        programme_years=part("programme_life", "year"),
        sources=(part.name,),
    )
