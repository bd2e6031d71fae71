"""Battery: energy, efficiencies, rate limits and taper, as flows over one step.

The state is the stored energy. What it leaves out: cell voltage and resistance (in the efficiencies), balancing,
and temperature; ageing is in `battery_life`.
"""

from __future__ import annotations

import numpy as np

from skyhall.types import Numbers

__all__ = ["charging_power", "discharging_power", "energy_change"]


def charging_power(
    surplus: Numbers, energy: Numbers, capacity: Numbers, charge_limit: Numbers, taper_rate: Numbers
) -> Numbers:
    """Return the power taken from the bus to charge (W).

    Parameters
    ----------
    surplus : power that the bus can spare, W, not negative.
    energy, capacity : stored and full energy, J.
    charge_limit : constant-current limit, W.
    taper_rate : 1/s: near full the power falls as (capacity - energy) * taper_rate, as constant-voltage charging
        does; a rate of at most 1 / (charge efficiency * step) can never overfill.
    """
    return np.minimum(surplus, np.minimum(charge_limit, (capacity - energy) * taper_rate))


def discharging_power(
    deficit: Numbers, energy: Numbers, reserve: Numbers, discharge_limit: Numbers, drain_rate: Numbers
) -> Numbers:
    """Return the power given to the bus (W).

    `reserve` (J) is the energy kept for the depth of discharge; `drain_rate` (1/s) is discharge efficiency / step, so
    that a step never goes below the reserve.
    """
    available = np.maximum(energy - reserve, 0.0) * drain_rate
    return np.minimum(deficit, np.minimum(discharge_limit, available))


def energy_change(
    charging: Numbers,
    discharging: Numbers,
    charge_efficiency: Numbers,
    inverse_discharge_efficiency: Numbers,
    step: Numbers,
) -> Numbers:
    """Return the change of stored energy over a step of `step` seconds (J)."""
    return (charging * charge_efficiency - discharging * inverse_discharge_efficiency) * step
