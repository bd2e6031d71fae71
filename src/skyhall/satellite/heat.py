"""Heat: from chip through coolant and radiator to space, as a temperature ladder.

Coolant and radiator carry heat capacity; chip and cold plate answer in seconds and are quasi-steady above the coolant.
What it leaves out: gradients along the loop and the radiator (the fin efficiency stands for the latter), two-phase flow
instabilities, and conduction into the body.
"""

from __future__ import annotations

import numpy as np

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.types import Numbers

__all__ = [
    "coolant_change",
    "environment_flux",
    "heater_load",
    "junction_temperature",
    "power_at_junction_limit",
    "radiated",
    "radiator_change",
]


def environment_flux(
    direct_sunlight: Numbers,
    sun_sine: Numbers,
    absorptivity: Numbers,
    albedo_flux: Numbers,
    earth_view: Numbers,
    infrared_absorbed: Numbers,
    array_emission: Numbers,
    array_coupling: Numbers,
) -> Numbers:
    """Return the heat absorbed by a square metre of *emitting* radiator surface (W/m²).

    Parameters
    ----------
    direct_sunlight : lit fraction times irradiance, W/m²; it falls on one of the two faces, hence the half.
    sun_sine : |cosine| between radiator normal and Sun.
    absorptivity : solar absorptivity of the coating.
    albedo_flux : sunlight reflected by the Earth below, W/m² at the surface (albedo × irradiance × cosine of zenith).
    earth_view : view factor of one face to the Earth.
    infrared_absorbed : Earth's infrared absorbed per emitting area, W/m² (emissivity × view × exitance, Kirchhoff).
    array_emission : black-body exitance of the array's rear times its emissivity, W/m².
    array_coupling : emissivity of the radiator × view factor of a face to the array's rear.
    """
    return (
        absorptivity * (0.5 * direct_sunlight * sun_sine + albedo_flux * earth_view)
        + infrared_absorbed
        + array_emission * array_coupling
    )


def heater_load(coolant: Numbers, full: Numbers, off_above: Numbers, inverse_band: Numbers) -> Numbers:
    """Return the power of the thermostat's heaters (W).

    Parameters
    ----------
    coolant : K. full : installed power, W.
    off_above : K, where the heaters are off. inverse_band : 1/K, over the band below it in which they reach `full`.
    """
    return full * np.minimum(np.maximum((off_above - coolant) * inverse_band, 0.0), 1.0)


def radiated(emitting: Numbers, temperature: Numbers) -> Numbers:
    """Return the power radiated (W); `emitting` (m²) is emitting area × emissivity × fin efficiency."""
    square = temperature * temperature
    return emitting * STEFAN_BOLTZMANN * square * square


def coolant_change(
    into_coolant: Numbers, into_radiator: Numbers, gain_cc: Numbers, gain_cr: Numbers
) -> Numbers:
    """Return the coolant's temperature change over a step (K).

    `into_coolant` and `into_radiator` are the net heat flows at the start of the step (W); the gains (K/W) are the rows
    of ``step * inverse(capacities + step * conductances)``, the linearly implicit step of the two nodes together.
    """
    return gain_cc * into_coolant + gain_cr * into_radiator


def radiator_change(
    into_coolant: Numbers, into_radiator: Numbers, gain_cr: Numbers, gain_rr: Numbers
) -> Numbers:
    """Return the radiator's temperature change over a step (K); see `coolant_change`."""
    return gain_cr * into_coolant + gain_rr * into_radiator


def junction_temperature(coolant: Numbers, it_power: Numbers, resistance: Numbers) -> Numbers:
    """Return the hottest junction (K): coolant plus IT power × resistance junction-to-coolant (K/W)."""
    return coolant + it_power * resistance


def power_at_junction_limit(limit: Numbers, coolant: Numbers, conductance: Numbers) -> Numbers:
    """Return the IT power (W) that brings the junction exactly to its limit; negative when even idle is too hot."""
    return (limit - coolant) * conductance
