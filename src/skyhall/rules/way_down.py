"""How a shell's satellites come down: by thrust and then by drag, or, having failed, by drag alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skyhall.environment.decay import deorbit
from skyhall.rules.disposal import power_for_thrust, thrust_of_power, time_to_decay, tumbling_area
from skyhall.rules.figures import RuleFigures, above_zero
from skyhall.rules.shells import FlownShell
from skyhall.satellite.masses import disposal_delta_v, exhaust_speed

__all__ = ["WayDown", "time_dead", "way_down"]


class WayDown(NamedTuple):
    """A disposal: delta-v (m/s) and time (s) of the thrust, where it ends (m), and the time (s) of the decay."""

    delta_v: float
    power: float  # W
    thrust_time: float
    end_altitude: float
    decay_time: float

    @property
    def total(self) -> float:
        """From the end of the work to re-entry, s."""
        return self.thrust_time + self.decay_time


def way_down(figures: RuleFigures, shell: FlownShell) -> WayDown:
    """Return the disposal of a satellite in low orbit: a spiral to the propulsion's `disposal_altitude`, then drag."""
    propulsion, plan = figures.propulsion, figures.way_down
    delta_v = float(disposal_delta_v(shell.altitude, propulsion("disposal_altitude", "m")))
    exhaust = exhaust_speed(above_zero(propulsion, "specific_impulse", "s"))
    # What is left of the propulsion's mass without the tanks are thrusters and their electronics.
    thruster_mass = shell.design.masses["propulsion"] - propulsion("tank_share") * shell.design.propellant
    power = float(
        power_for_thrust(
            shell.thruster_power,
            thruster_mass,
            above_zero(plan, "thruster_specific_power", "W/kg"),
            shell.design.bus_power - shell.design.fixed_load,
        )
    )
    thrust = thrust_of_power(power, above_zero(propulsion, "efficiency"), exhaust)
    # With all of the disposal's propellant: the mass at the start, the most.
    mass = shell.dry_mass * np.exp(delta_v / exhaust)
    found = deorbit(
        shell.altitude,
        delta_v,
        thrust / mass * above_zero(plan, "thrust_share"),
        _ballistic_coefficient(figures, shell),
        figures.disposal_sun,
        figures.air,
    )
    return WayDown(
        delta_v, power, float(found.thrust_time_s), float(found.end_altitude), float(found.decay_time_s)
    )


def time_dead(figures: RuleFigures, shell: FlownShell) -> float:
    """Return how long (s) a satellite that failed stays up in the scenario's Sun; `dead_years` at most."""
    decay = time_to_decay(shell.altitude, _ballistic_coefficient(figures, shell), figures.sun, figures.air)
    return min(decay, figures.debris("dead_years", "s"))


def _ballistic_coefficient(figures: RuleFigures, shell: FlownShell) -> float:
    area = tumbling_area(shell.design.array_area, shell.design.radiator_area)
    return float(shell.dry_mass / (above_zero(figures.propulsion, "drag_coefficient") * area))
