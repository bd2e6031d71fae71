"""The report's section on radiation: the anomaly as a place, dose against shielding, upsets over a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from skyhall.chain import Assessment
from skyhall.constants import EARTH_RADIUS, JULIAN_YEAR
from skyhall.environment.exposure import ANOMALY_FLUX
from skyhall.report.formats import number, percent
from skyhall.report.outcome_rows import outcome_rows
from skyhall.report.radiation_figures import dose_against_shielding, upsets_over_day
from skyhall.report.shielding_table import shielding_table
from skyhall.report.world_map import world_map
from skyhall.studies.fleet_radiation import anomaly_map, day_of_upsets, shielding_trade
from skyhall.surroundings import SHIELDS_MM

__all__ = ["RadiationSection", "radiation_section"]

_BELT = (
    1500e3  # m: measured on the map, from here on ANOMALY_FLUX is exceeded at every longitude of the equator
)
_TRACK_STEPS = 200  # minutes of ground track on the map: two orbits


@dataclass(frozen=True, slots=True)
class RadiationSection:
    """Sentences and figures of the section."""

    sentence: str
    anomaly: Markup
    day: Markup
    outcomes: Markup
    shielding: Markup
    trade: Markup


def radiation_section(assessment: Assessment) -> RadiationSection:
    """Return the section for the fleet's largest shell."""
    fleet = assessment.fleet
    largest = int(np.argmax(fleet.counts))
    here, scenario = fleet.irradiation[largest], fleet.scenario
    globe = anomaly_map(fleet, largest)
    day = day_of_upsets(fleet, int(np.flatnonzero(fleet.design_index == largest)[0]))
    trade = shielding_trade(fleet, largest)
    limit = here.device.dose_limit_rad / 1e3
    years = scenario.satellite.life / JULIAN_YEAR
    per_mm = trade.mass_kg[-1] / trade.thickness_mm[-1]
    return RadiationSection(
        sentence=_sentence(assessment, largest, day.passes),
        anomaly=Markup(
            world_map(
                globe.latitude_deg,
                globe.longitude_deg,
                globe.protons_cm2_s,
                title=f"Trapped protons above 30 MeV at {number(globe.altitude_km)} km",
                unit="1/(cm² s)",
                threshold=ANOMALY_FLUX,
                threshold_name="border of the South Atlantic Anomaly",
                tracks={
                    "two orbits of one satellite": (
                        day.longitude_deg[:_TRACK_STEPS],
                        day.latitude_deg[:_TRACK_STEPS],
                    )
                },
            )
        ),
        day=Markup(
            upsets_over_day(
                day.hours, day.upsets_per_hour, day.inside, name="upsets that kill or corrupt work"
            )
        ),
        outcomes=Markup(
            outcome_rows(
                {
                    name: rate
                    for name, rate in assessment.upsets.per_accelerator_day.items()
                    if name not in ("latchup", "burnout")
                },
                accelerators=fleet.accelerators,
                label="Upsets of one accelerator by outcome",
            )
        ),
        shielding=Markup(
            dose_against_shielding(
                SHIELDS_MM,
                {name.replace("_", " "): part / 1e3 for name, part in here.dose_by_mm.parts().items()},
                chosen_mm=here.shield_mm,
                limit_krad_per_year=limit / years / scenario.satellite.dose_margin,
                mass_kg=per_mm * SHIELDS_MM,
            )
        ),
        trade=Markup(
            shielding_table(
                trade.thickness_mm,
                mass_kg=trade.mass_kg,
                dose_krad=trade.dose_krad,
                upsets_per_day=trade.upsets_per_day,
                kg_per_kw=trade.kg_per_kw,
                chosen_mm=here.shield_mm,
                limit_krad=limit / scenario.satellite.dose_margin,
            )
        ),
    )


def _sentence(assessment: Assessment, design: int, passes: int) -> str:
    here, upsets = assessment.fleet.irradiation[design], assessment.upsets
    exposure = here.exposure
    altitude = (
        assessment.fleet.elements.semi_major_axis[assessment.fleet.design_index == design].mean()
        - EARTH_RADIUS
    )
    confidence = percent(assessment.scenario.environment.solar_proton_confidence)
    return (
        f"Behind {number(here.shield_mm)} mm of aluminium the electronics take "
        f"{number(float(exposure.dose.total) / 1e3)} krad(Si) a year. {number(here.life_dose_rad / 1e3)} krad over the "
        f"life × a margin of {number(here.margin)} are {percent(here.dose_of_limit)} of the "
        f"{number(here.device.dose_limit_rad / 1e3)} krad that {here.device.name} bears (solar protons not "
        f"exceeded with {confidence}; the limit is the lowest dose at which it was seen to err). "
        f"{percent(exposure.share_in_anomaly)} of the upsets that kill or corrupt work fall into the "
        f"{_where(altitude)}, where {percent(exposure.time_in_anomaly)} of the time is spent ({passes} passes on the "
        f"first day). Checkpoints every {number(upsets.checkpoint_interval_s)} s, restarts and work done again cost "
        f"{percent(upsets.loss_share)} of the time; {number(upsets.silent_left_per_accelerator_year)} silent errors a "
        "year are left on each accelerator."
    )


def _where(altitude: float) -> str:
    """Name the region of many trapped protons: high up it is no spot over the South Atlantic any more."""
    return (
        "South Atlantic Anomaly"
        if altitude < _BELT
        else "inner belt, of which the South Atlantic Anomaly is the foot"
    )
