"""The twin's upset rate on one satellite's way, for a bit of its accelerators' memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skyhall.constants import HOUR
from skyhall.fleet import design
from skyhall.runtime.sky import chosen, sky_of
from skyhall.scenario import Scenario
from skyhall.types import Array

__all__ = ["UpsetRate", "upset_rate_on"]


@dataclass(frozen=True, slots=True, eq=False)
class UpsetRate:
    """Upsets of one bit, slot by slot.

    Attributes
    ----------
    satellite : its name. device : that of its accelerators, in the catalogue.
    slot_h : length of a slot, h.
    per_bit_hour : upsets that kill or corrupt work, 1/(bit h), (slots,).
    in_anomaly : whether the satellite is inside the South Atlantic Anomaly, (slots,).
    """

    satellite: str
    device: str
    slot_h: float
    per_bit_hour: Array
    in_anomaly: npt.NDArray[np.bool_]

    @property
    def hours(self) -> float:
        """Length of the stretch, h."""
        return self.slot_h * len(self.per_bit_hour)

    @property
    def mean(self) -> float:
        """Over the stretch, 1/(bit h)."""
        return float(self.per_bit_hour.mean())

    @property
    def inside(self) -> float | None:
        """Mean inside the anomaly, 1/(bit h); None where the satellite does not pass it."""
        return float(self.per_bit_hour[self.in_anomaly].mean()) if self.in_anomaly.any() else None

    @property
    def outside(self) -> float | None:
        """Mean outside the anomaly, 1/(bit h); None where the satellite never is."""
        return None if self.in_anomaly.all() else float(self.per_bit_hour[~self.in_anomaly].mean())


def upset_rate_on(scenario: Scenario, *, start: float, duration: float) -> UpsetRate:
    """Return the upset rate of a scenario's first satellite: that of the runs of jobs, for each bit of its memory.

    Parameters
    ----------
    start, duration : s, after the scenario's epoch.
    """
    fleet = design(scenario)
    satellites = chosen(fleet, 1)
    sky = sky_of(fleet, satellites, start, duration, power=0.0)
    device = fleet.irradiation[int(fleet.design_index[satellites[0]])].device
    return UpsetRate(
        satellite=sky.names[0],
        device=device.name,
        slot_h=sky.slot / HOUR,
        per_bit_hour=sky.upset_rate[0] * HOUR / device.bits,
        in_anomaly=sky.in_anomaly[0],
    )
