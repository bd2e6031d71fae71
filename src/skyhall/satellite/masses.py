"""Mass: one line per subsystem, closed over structure, margin and propellant.

What it leaves out: launch adapters, and the growth of structure with size (a constant share of the dry mass). Spare
accelerators are in the payload's mass. Propellant uses one mean density of air over the whole life; the solar cycle
moves it by a factor of thirty at 500 km, and the thruster's power is that of its high end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from skyhall.constants import EARTH_GM, EARTH_RADIUS, LEO_PROTECTED_ALTITUDE, STANDARD_GRAVITY
from skyhall.environment.decay import drag
from skyhall.satellite.sizing_inputs import SizingInputs
from skyhall.types import Array, Numbers

__all__ = [
    "ClosedMass",
    "MassBudget",
    "close_mass",
    "disposal_delta_v",
    "drag",
    "exhaust_speed",
    "mass_budget",
    "shielding_mass",
]

GRAVEYARD_RAISE: Final = 3.0e5  # m, 235 km plus the radiation-pressure term, rounded up: IADC (2007), 5.3.1


class ClosedMass(NamedTuple):
    """Masses in kg, and kg of launch mass for each kg put on a line."""

    dry: Numbers
    propellant: Numbers
    growth: Numbers


def disposal_delta_v(altitude: Numbers, disposal_altitude: Numbers) -> Array:
    """Return the delta-v of the disposal (m/s), as a low-thrust spiral between circular orbits.

    Below 2,000 km down to `disposal_altitude` (m), from where air drag ends it within weeks; above it 300 km up
    into a graveyard. Source: T. N. Edelbaum, "Propulsion requirements for controllable satellites", ARS J. 31
    (1961): without plane change the delta-v is the difference of the circular speeds.
    """
    here = np.asarray(altitude, dtype=float)
    there = np.where(
        here < LEO_PROTECTED_ALTITUDE, np.minimum(disposal_altitude, here), here + GRAVEYARD_RAISE
    )
    return np.asarray(np.abs(_circular_speed(here) - _circular_speed(there)))


def shielding_mass(mass: Numbers, density: Numbers, areal_density: Numbers) -> Numbers:
    """Return the mass (kg) of a shield of `areal_density` (kg/m²) around a cube of electronics of `mass` and `density`.

    First model: one box. Many small boxes need more, spot shields on the sensitive parts less.
    """
    return areal_density * 6.0 * np.cbrt(mass / density) ** 2


def close_mass(
    parts: Numbers,
    share: Numbers,
    margin: Numbers,
    tank_share: Numbers,
    drag_propellant: Numbers,
    delta_v_ratio: Numbers,
) -> ClosedMass:
    """Return dry mass, propellant and growth: the budget's linear closure; NaN where it does not close.

    Parameters
    ----------
    parts : sum of the lines that do not depend on the total, kg.
    share : share of the dry mass, before margin, that structure and the other shares take.
    margin : margin on the dry mass.
    tank_share : kg of tank per kg of propellant.
    drag_propellant : kg spent on air drag, whatever the mass.
    delta_v_ratio : exp(delta-v / exhaust speed) - 1 of the manoeuvres that grow with the mass.

    Notes
    -----
    dry = g (parts + tank_share × propellant), g = (1 + margin) / (1 - share);
    propellant = drag_propellant + delta_v_ratio × dry. It closes while g × tank_share × delta_v_ratio < 1.
    """
    growth = (1.0 + margin) / (1.0 - share)
    divisor = np.where(share < 1.0, 1.0 - growth * tank_share * delta_v_ratio, -1.0)
    dry_growth = growth / np.where(divisor > 0.0, divisor, np.nan)
    dry = dry_growth * (parts + tank_share * drag_propellant)
    return ClosedMass(dry, drag_propellant + delta_v_ratio * dry, dry_growth * (1.0 + delta_v_ratio))


def exhaust_speed(specific_impulse: Numbers) -> Numbers:
    """Return the exhaust speed (m/s) of a `specific_impulse` in seconds."""
    return specific_impulse * STANDARD_GRAVITY


@dataclass(frozen=True, slots=True)
class MassBudget:
    """Launch mass, line by line, kg; arrays over the designs."""

    lines: Mapping[str, Array]  # dry mass with its margin
    propellant: Array
    dry: Array
    growth: Array  # kg of launch mass for each kg put on a line

    @property
    def mass(self) -> Array:
        """Launch mass, kg."""
        return np.asarray(self.dry + self.propellant)


def mass_budget(
    inputs: SizingInputs,
    *,
    bus_power: Array,
    array_power_begin: Array,
    battery_capacity_begin: Array,
    radiator_area: Array,
    drag_force: Array,
) -> MassBudget:
    """Return the mass budget of satellites of the sizes given; NaN where it does not close.

    Parameters
    ----------
    inputs : masses per watt, square metre, joule and piece.
    bus_power : W at full work; all of it is heat to be transported.
    array_power_begin : W at begin of life, as specific power is quoted.
    battery_capacity_begin : J.
    radiator_area : m², planform.
    drag_force : mean air drag, N.
    """
    electronics = inputs.accelerators * inputs.accelerator_mass
    lines = {
        "payload": electronics,
        "array": array_power_begin / inputs.array_specific_power,
        "power_electronics": inputs.power_electronics_mass * bus_power,
        "battery": battery_capacity_begin / inputs.battery_specific_energy,
        "radiator": inputs.radiator_areal_mass * radiator_area,
        "heat_transport": inputs.transport_mass * bus_power,
        "terminals": inputs.terminals * inputs.terminal_mass + inputs.downlink_mass,
        "avionics": inputs.avionics_mass,
        "shielding": shielding_mass(electronics, inputs.electronics_density, inputs.shielding),
    }
    exhaust = exhaust_speed(inputs.specific_impulse)
    delta_v = (
        disposal_delta_v(inputs.altitude, inputs.disposal_altitude)
        + inputs.manoeuvre_delta_v * inputs.life
        + inputs.transfer_delta_v
    )
    shares = {
        "structure": inputs.structure_share,
        "attitude_control": inputs.control_share,
        "propulsion": inputs.propulsion_share,
    }
    closed = close_mass(
        parts=sum(lines.values()) + inputs.propulsion_mass,
        share=sum(shares.values()),
        margin=inputs.margin_share,
        tank_share=inputs.tank_share,
        drag_propellant=drag_force * inputs.life / exhaust,
        delta_v_ratio=np.expm1(delta_v / exhaust),
    )
    basic = closed.dry / (1.0 + inputs.margin_share)
    lines |= {name: share * basic for name, share in shares.items()}
    lines["propulsion"] = lines["propulsion"] + inputs.propulsion_mass + inputs.tank_share * closed.propellant
    lines["margin"] = closed.dry - basic
    return MassBudget(lines, closed.propellant, closed.dry, closed.growth)


def _circular_speed(altitude: Array) -> Array:
    return np.asarray(np.sqrt(EARTH_GM / (EARTH_RADIUS + altitude)))
