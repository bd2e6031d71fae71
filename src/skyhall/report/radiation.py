"""The report's section on radiation: the anomaly as a place, dose against shielding, upsets over a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from skyhall.chain import Assessment
from skyhall.constants import JULIAN_YEAR
from skyhall.environment.exposure import ANOMALY_FLUX
from skyhall.report.formats import number, percent
from skyhall.report.outcome_rows import outcome_rows
from skyhall.report.radiation_figures import dose_against_shielding, upsets_over_day
from skyhall.report.shielding_table import shielding_table
from skyhall.report.world_map import world_map
from skyhall.studies.irradiation import anomaly_map, day_of_upsets, shielding_trade
from skyhall.surroundings import SHIELDS_MM

__all__ = ["RadiationSection", "radiation_section"]

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
        sentence=_sentence(assessment, largest),
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


def _sentence(assessment: Assessment, design: int) -> str:
    here, upsets = assessment.fleet.irradiation[design], assessment.upsets
    exposure, asked = here.exposure, assessment.scenario.satellite
    confidence = percent(assessment.scenario.environment.solar_proton_confidence)
    return (
        f"Behind {number(here.shield_mm)} mm of aluminium the electronics take "
        f"{number(float(exposure.dose.total) / 1e3)} krad(Si) a year: over the life, times a margin of "
        f"{number(asked.dose_margin)}, {percent(assessment.dose_of_limit[design])} of what {here.device.name} bears "
        f"(solar protons not exceeded with {confidence}; the lowest dose at which it was seen to err). "
        f"{percent(exposure.share_in_anomaly)} of the upsets that kill or corrupt work fall into the South Atlantic "
        f"Anomaly, where {percent(exposure.time_in_anomaly)} of the time is spent. Checkpoints every "
        f"{number(upsets.checkpoint_interval_s)} s, restarts and work done again cost {percent(upsets.loss_share)} of "
        f"the time; {number(upsets.silent_left_per_accelerator_year)} silent errors a year are left on each "
        "accelerator."
    )
