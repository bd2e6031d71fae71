"""How a lithium-ion pack ages: by cycling and by time.

An empirical model whose parameters are data of a cell type and come from the caller. Cycling follows a Wöhler
curve (cycles to a given fade fall with a power of the depth), adds up linearly (Miner) and is independent of
calendar ageing. Left out: charge rate and temperature in cycling, resistance growth, and the knee at the end
of life, so do not extrapolate beyond the fade at which the reference cycles were counted.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.errors import ValueProblem
from skyhall.types import Array

__all__ = [
    "allowed_depth_of_discharge",
    "calendar_fade",
    "capacity_at_end_of_life",
    "cycle_fade",
    "cycles_to_fade",
]

GAS_CONSTANT: Final = 8.31446261815324  # J/(mol K), exact in the 2019 SI


def cycles_to_fade(
    depth_of_discharge: npt.ArrayLike,
    cycles_at_reference: npt.ArrayLike,
    reference_depth: npt.ArrayLike,
    exponent: npt.ArrayLike,
) -> Array:
    """Return the cycles at `depth_of_discharge` that cost as much capacity as the reference cycles.

    Parameters
    ----------
    depth_of_discharge : share of the begin-of-life capacity that a cycle takes out, 0 to 1.
    cycles_at_reference, reference_depth : a point of the cell's Wöhler curve.
    exponent : its slope k in N = N_ref (D_ref / D)^k, positive.

    Notes
    -----
    Source of the form: event-oriented (Wöhler) ageing in D. U. Sauer, H. Wenzl, "Comparison of different
    approaches for lifetime prediction of electrochemical systems", J. Power Sources 176 (2008) 534-546.
    """
    ratio = np.asarray(reference_depth, dtype=float) / np.asarray(depth_of_discharge, dtype=float)
    return np.asarray(np.asarray(cycles_at_reference, dtype=float) * ratio ** np.asarray(exponent))


def cycle_fade(
    cycles: npt.ArrayLike,
    depth_of_discharge: npt.ArrayLike,
    cycles_at_reference: npt.ArrayLike,
    reference_depth: npt.ArrayLike,
    exponent: npt.ArrayLike,
    fade_at_reference: npt.ArrayLike,
) -> Array:
    """Return the share of the capacity lost by `cycles` of `depth_of_discharge`.

    Parameters
    ----------
    cycles : number of cycles.
    depth_of_discharge : of each, 0 to 1. For cycles of unequal depth pass arrays and sum the result (Miner).
    cycles_at_reference, reference_depth, exponent : Wöhler curve, see `cycles_to_fade`.
    fade_at_reference : share of capacity lost after `cycles_at_reference` at `reference_depth`.

    Notes
    -----
    Linear accumulation: M. A. Miner, "Cumulative damage in fatigue", J. Appl. Mech. 12 (1945) A159-A164.
    """
    stress = np.asarray(depth_of_discharge, dtype=float) / np.asarray(reference_depth, dtype=float)
    share = np.asarray(cycles, dtype=float) / np.asarray(cycles_at_reference, dtype=float)
    return np.asarray(np.asarray(fade_at_reference) * share * stress ** np.asarray(exponent))


def calendar_fade(
    age: npt.ArrayLike,
    temperature: npt.ArrayLike,
    reference_age: npt.ArrayLike,
    reference_temperature: npt.ArrayLike,
    fade_at_reference: npt.ArrayLike,
    activation_energy: npt.ArrayLike,
    time_exponent: npt.ArrayLike = 0.5,
) -> Array:
    """Return the share of the capacity lost by `age` alone.

    Parameters
    ----------
    age, reference_age : in the same unit of time.
    temperature, reference_temperature : of the cells, K.
    fade_at_reference : share lost at `reference_age` and `reference_temperature`.
    activation_energy : J/mol.
    time_exponent : 0.5 for the growth of a layer that slows its own growth (parabolic law).

    Notes
    -----
    Source: H. J. Ploehn, P. Ramadass, R. E. White, "Solvent diffusion model for aging of lithium-ion battery
    cells", J. Electrochem. Soc. 151 (2004) A456 (square root of time); Arrhenius in temperature. State of
    charge is left out: the reference point must be one of the state in which the pack is kept.
    """
    warmth = 1.0 / np.asarray(reference_temperature, dtype=float) - 1.0 / np.asarray(temperature, dtype=float)
    speed = np.exp(np.asarray(activation_energy, dtype=float) / GAS_CONSTANT * warmth)
    time = np.asarray(age, dtype=float) / np.asarray(reference_age, dtype=float)
    return np.asarray(np.asarray(fade_at_reference) * speed * time ** np.asarray(time_exponent))


def capacity_at_end_of_life(cycling: npt.ArrayLike, calendar: npt.ArrayLike) -> Array:
    """Return the share of capacity that is left after the fades by `cycling` and `calendar`; not below 0.

    The two add up, as both consume the same cyclable lithium.
    """
    left = 1.0 - np.asarray(cycling, dtype=float) - np.asarray(calendar, dtype=float)
    return np.asarray(np.maximum(left, 0.0))


def allowed_depth_of_discharge(
    cycles: npt.ArrayLike,
    allowed_fade: npt.ArrayLike,
    cycles_at_reference: npt.ArrayLike,
    reference_depth: npt.ArrayLike,
    exponent: npt.ArrayLike,
    fade_at_reference: npt.ArrayLike,
    ceiling: npt.ArrayLike = 1.0,
) -> Array:
    """Return the depth at which `cycles` cost just `allowed_fade` of the capacity; inverse of `cycle_fade`.

    Parameters
    ----------
    cycles : over the whole life; with none the `ceiling` is returned.
    allowed_fade : share of capacity that cycling may cost: what may be lost at the end less `calendar_fade`.
    cycles_at_reference, reference_depth, exponent, fade_at_reference : see `cycle_fade`.
    ceiling : deepest discharge that voltage limits and margins allow.

    Raises
    ------
    ValueProblem : an allowed fade below 0 (age alone costs more than may be lost).
    """
    fade = np.asarray(allowed_fade, dtype=float)
    if not np.all(fade >= 0.0):
        raise ValueProblem(
            "calendar ageing alone costs more capacity than the battery may lose",
            right="a shorter life, a colder battery or a larger allowed fade",
        )
    count = np.asarray(cycles, dtype=float)
    worn = (
        np.asarray(fade_at_reference) * count / np.asarray(cycles_at_reference)
    )  # fade at the reference depth
    stress = (fade / np.where(count > 0.0, worn, 1.0)) ** (1.0 / np.asarray(exponent, dtype=float))
    depth = np.where(count > 0.0, np.asarray(reference_depth) * stress, np.inf)
    return np.asarray(np.minimum(depth, np.asarray(ceiling, dtype=float)))
