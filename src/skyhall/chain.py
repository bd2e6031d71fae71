"""The whole chain, from sunlight to invoice, in one readable function."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from skyhall.catalogue import Part, load_catalogue
from skyhall.constants import DAY, EARTH_RADIUS, KILOWATT_HOUR, MINUTE, ZERO_CELSIUS
from skyhall.costing import UpsetLosses, price, upset_losses
from skyhall.economics import CostSheet
from skyhall.fleet import Fleet, design
from skyhall.network_survey import NetworkSurvey, survey
from skyhall.orbit.elements import kepler_period
from skyhall.orbit.seasons import year_of_light
from skyhall.rules import RuleResult, check
from skyhall.scenario import Scenario, load
from skyhall.twin import Chunk, Flight, fly, record

__all__ = ["Assessment", "assess", "simulate"]

DEFAULT = "dawn-dusk-200mw"
_SEASONS = 300 * DAY  # a shorter flight has not seen them all
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Assessment:
    """One answer: what was asked, what was built, what happened in orbit, and what it costs.

    Attributes
    ----------
    scenario, fleet, flight, costs : the links of the chain.
    upsets : what radiation costs the work.
    network : mesh between the satellites and contacts with the ground over the first day.
    rules : disposal, collision, brightness and the other rules of orbit, each with its value and limit.
    darkest_orbit : one satellite over the orbit (and some more) with the longest eclipse, step by step.
    provenance : versions, seed, host and timings.
    """

    scenario: Scenario
    fleet: Fleet
    flight: Flight
    costs: CostSheet
    upsets: UpsetLosses
    network: NetworkSurvey
    rules: tuple[RuleResult, ...]
    darkest_orbit: Chunk
    provenance: Mapping[str, Any]

    def summary(self) -> dict[str, Any]:
        """Return the answer as one flat mapping; units are in the names; None where there is no finite answer."""
        fleet, delivered, costs = self.fleet, self.flight.delivered, self.costs
        weights = np.array(fleet.counts) / len(fleet)

        def mean(values: Sequence[float]) -> float:
            return float(np.dot(weights, values))

        broken = costs.break_even()
        signed = broken.price_usd_per_kg
        heaviest = int(np.argmax(fleet.counts))
        # The darkest orbit is flown at finer steps, so it may reach further than the flight.
        upsets = self.upsets.per_accelerator_day
        orbit, capacity = self.darkest_orbit, fleet.designs[heaviest].battery_capacity
        answer = {
            "scenario": self.scenario.name,
            "satellites": len(fleet),
            "accelerators": fleet.accelerators,
            "it_power_mw": fleet.it_power / 1e6,
            "satellite_kg": fleet.mass / len(fleet),
            "fleet_t": fleet.mass / 1e3,
            "specific_mass_kg_per_kw": fleet.mass / fleet.it_power * 1e3,
            "specific_mass_kg_per_kw_bus": fleet.mass
            / sum(n * each.bus_power for n, each in zip(fleet.counts, fleet.designs, strict=True))
            * 1e3,
            "power_overhead": mean([float(each.power_overhead) for each in fleet.sized]),
            "array_m2": mean([each.array_area for each in fleet.designs]),
            "array_begin_kw": mean([float(each.array_power_begin) for each in fleet.sized]) / 1e3,
            "radiator_planform_m2": mean([each.radiator_area for each in fleet.designs]),
            "radiator_emitting_m2": mean([each.radiator_emitting_area for each in fleet.designs]),
            "battery_kwh": mean([float(each.battery_capacity_begin) for each in fleet.sized]) / KILOWATT_HOUR,
            "launches": costs.flights,
            "sunlit_year": fleet.sunlit_year,
            "longest_eclipse_min": fleet.longest_eclipse / MINUTE,
            "delivered_it_mwh_per_year": delivered.it_mwh_per_year,
            "delivered_share": delivered.share,
            "verified_share": costs.delivered_gpu_h_per_year / costs.installed_gpu_h_per_year,
            "flown_days": delivered.duration_s / DAY,
            "throttled_h_per_year": delivered.throttled_hours_per_year,
            "power_shed_h_per_year": delivered.power_shed_hours_per_year,
            "hottest_junction_c": max(delivered.hottest_junction_k.max(), orbit.junction_k.max())
            - ZERO_CELSIUS,
            "coldest_coolant_c": float(delivered.coldest_coolant_k.min()) - ZERO_CELSIUS,
            "lowest_state_of_charge": min(
                float(delivered.lowest_battery.min()), float(orbit.battery_j.min()) / capacity
            ),
            "shield_mm": mean([each.shield_mm for each in fleet.irradiation]),
            "dose_krad_per_year": mean([float(each.exposure.dose.total) for each in fleet.irradiation]) / 1e3,
            "dose_of_limit": max(each.dose_of_limit for each in fleet.irradiation),
            "upsets_per_accelerator_day": delivered.upsets_per_accelerator_day,
            "detected_per_accelerator_day": upsets["detected"],
            "functional_per_accelerator_day": upsets["functional"],
            "silent_per_accelerator_day": upsets["silent"],
            "upsets_in_anomaly_share": self._share_in_anomaly(),
            "lost_to_upsets_share": self.upsets.loss_share,
            "silent_left_per_accelerator_year": self.upsets.silent_left_per_accelerator_year,
            **self._network_summary(),
            "rules_failed": sum(result.passed is False for result in self.rules),
            "usd_per_installed_gpu_h": costs.usd_per_installed_gpu_h,
            "usd_per_delivered_gpu_h": costs.usd_per_delivered_gpu_h,
            "ground_usd_per_gpu_h": costs.ground_usd_per_gpu_h,
            "launch_usd_per_kg": costs.launch_price_usd_per_kg,
            "launch_usd_per_kg_placed": costs.launch_usd_per_kg_placed,
            "breakeven_launch_usd_per_kg": signed if broken.closes else None,
            "breakeven_launch_signed_usd_per_kg": signed,
            "breakeven_status": broken.status,
            "binding": broken.binding_term,
            "binding_mass": str(fleet.sized[heaviest].binding),
            "satellites_dropped": len(fleet.dropped),
            "elements_fit_error_km": fleet.fit_error_km,
        }
        return {key: _finite(value) for key, value in answer.items()}

    def _network_summary(self) -> dict[str, float | int | None]:
        """Return the summary's figures of the network; None where the fleet has no such thing."""
        mesh, ground = self.network.mesh, self.network.ground
        return {
            "mesh_links": len(mesh.now) if mesh else 0,
            "mesh_standing_share": mesh.stands if mesh else None,
            "mesh_mean_link_gbps": mesh.mean_rate / 1e9 if mesh else None,
            "mesh_longest_link_km": mesh.longest / 1e3 if mesh else None,
            "bisection_tbps": mesh.narrowest.capacity / 1e12 if mesh else None,
            "bisection_of_clos_share": mesh.of_clos if mesh else None,
            "handover_min": mesh.handover_s / MINUTE if mesh else None,
            "contact_min_per_satellite_day": ground.contact_s / MINUTE if ground else None,
            "downlink_tbit_per_day": ground.fleet_bits / 1e12 if ground else None,
            "stations_busy_share": ground.busy if ground else None,
            "results_waiting_share": ground.waiting_share if ground else None,
        }

    def _share_in_anomaly(self) -> float:
        """Return the share of the fleet's upsets that fall into the anomaly, each shell by what it meets."""
        exposures = [each.exposure for each in self.fleet.irradiation]
        losses = np.array(
            [
                count * design.accelerators * seen.losses
                for count, design, seen in zip(self.fleet.counts, self.fleet.designs, exposures, strict=True)
            ]
        )
        inside = losses @ [each.share_in_anomaly for each in exposures]
        return float(inside / losses.sum()) if losses.any() else 0.0

    @property
    def season_note(self) -> str:
        """A few words where the flight was too short for the year that it stands for, else empty."""
        flown = self.flight.delivered.duration_s
        days = flown / DAY
        return "" if flown >= _SEASONS else f"from {days:.3g} day{'s' * (days != 1)}: seasons are left out"

    def assumptions(self) -> list[Part]:
        """Return every part of the catalogue that the answer rests on."""
        return self.fleet.catalogue.used()

    def __repr__(self) -> str:
        summary = self.summary()
        return (
            f"<Assessment {summary['scenario']}: {summary['satellites']} satellites, "
            f"{summary['specific_mass_kg_per_kw']:.1f} kg/kW, "
            f"{self.costs.usd_per_delivered_gpu_h:.2f} USD per delivered GPU-hour "
            f"(ground {self.costs.ground_usd_per_gpu_h:.2f})>"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{name}</td><td style='text-align:right'>{_shown(value)}</td></tr>"
            for name, value in self.summary().items()
        )
        return f"<table><caption>{self.scenario.name}</caption>{rows}</table>{self.costs._repr_html_()}"


def assess(
    source: str | Path | Mapping[str, Any] | Scenario = DEFAULT,
    *,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
) -> Assessment:
    """Run the whole chain on a scenario.

    Parameters
    ----------
    source : a built-in scenario's name, a YAML file, a mapping, or a loaded `Scenario`.
    overrides : texts ``section.key=value``.
    progress : called with the link's name and the share of it that is done, 0 to 1.
    """
    told = progress or (lambda link, share: None)
    began = time.perf_counter()
    scenario = source if isinstance(source, Scenario) else load(source, overrides=overrides)
    told("design", 0.0)
    fleet = design(scenario, catalogue=load_catalogue(scenario.catalogue))
    flight = simulate(fleet, progress=lambda share: told("flight", share))
    told("price", 0.0)
    met = flight.delivered.upsets_per_accelerator_day
    costs = price(fleet, flight.delivered.share, upsets_per_accelerator_day=met)
    upsets, rules = upset_losses(fleet, met), check(fleet)
    told("network", 0.0)
    network = survey(fleet, start=float(flight.timeline.seconds[0]))
    orbit = _darkest_orbit(fleet)
    told("network", 1.0)
    return Assessment(
        fleet.scenario,
        fleet,
        flight,
        costs,
        upsets,
        network,
        rules,
        orbit,
        _provenance(scenario, flight, began),
    )


def simulate(
    source: Scenario | Fleet,
    *,
    start: datetime | None = None,
    duration: float | None = None,
    step: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> Flight:
    """Fly a scenario or fleet; what is left out comes from the scenario's section `flight`.

    Parameters
    ----------
    start : moment in UTC. duration, step : s.
    """
    fleet = source if isinstance(source, Fleet) else design(source)
    asked, epoch = fleet.scenario.flight, fleet.scenario.epoch
    begin = start or asked.start or epoch
    if begin.tzinfo is None:
        begin = begin.replace(tzinfo=UTC)
    return fly(
        fleet,
        start=(begin - epoch).total_seconds(),
        duration=fleet.scenario.flight_duration if duration is None else duration,
        step=asked.step if step is None else step,
        progress=progress,
    )


def _darkest_orbit(fleet: Fleet) -> Chunk:
    """Record one satellite of the largest shell through the longest eclipse of its year, at steps of 10 s or more."""
    shell = int(np.argmax(fleet.counts))
    one = fleet.only(int(np.flatnonzero(fleet.design_index == shell)[0]))
    orbit = one.elements[0]
    altitude = orbit.semi_major_axis - EARTH_RADIUS
    light = year_of_light(altitude, orbit.inclination, orbit.raan, fleet.epoch_julian_date)
    moment = float(light.seconds[int(np.argmax(light.eclipse_fraction))])
    period = float(kepler_period(altitude))
    step = max(10.0, round(period / 600.0))
    # Some orbits first, so that temperatures and charge are those of the season and not of the start.
    settle = max(3.0 * period, 0.25 * DAY)
    chunks = list(record(one, start=moment - settle, duration=settle + 1.5 * period, step=step))
    return chunks[0].joined(chunks[1:]).after(moment)


def _provenance(scenario: Scenario, flight: Flight, began: float) -> dict[str, Any]:
    return {
        "skyhall": version("skyhall"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": f"{sys.platform} {platform.machine()}",
        "seed": scenario.seed,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": round(time.perf_counter() - began, 3),
        "flight_wall_s": round(flight.wall_s, 3),
        "satellite_steps": flight.satellites * flight.steps,
        "representative_days": flight.days,
    }


def _finite(value: Any) -> Any:
    """Return what JSON can hold: plain floats, and None for infinity and NaN."""
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
