"""Steady heat balance of a radiator: per face, per plate, and in both area conventions.

A *face* is one side; the *planform* area of a plate counts one side, its *emitting* area both. What is left
out: gradients along the coolant loop apart from its rise (`mean_temperature`), conduction into the body, and
reflections between radiator and array. Punctures of its tubes are in `puncture`, stepping formulas in `heat`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.errors import ValueProblem
from skyhall.types import Array

__all__ = [
    "Flux",
    "Ladder",
    "coating_absorptivity",
    "conductance_parameter",
    "coolant_limit",
    "earth_infrared_from_temperature",
    "fin_efficiency",
    "junction_temperature",
    "mean_temperature",
    "net_flux",
    "radiator_temperature",
    "sink_temperature",
]


@dataclass(frozen=True, slots=True)
class Flux:
    """Heat flows of a radiator per unit area, W/m² (arrays allowed).

    `emitted` leaves; `sun`, `albedo`, `infrared` (the Earth's) and `array` (its hot rear) are absorbed.
    The sum of two faces is the flux per planform area of the plate; `per_emitting_area` halves that again.
    """

    emitted: Array
    sun: Array
    albedo: Array
    infrared: Array
    array: Array

    @property
    def absorbed(self) -> Array:
        """Everything that comes in, W/m²."""
        return self.sun + self.albedo + self.infrared + self.array

    @property
    def net(self) -> Array:
        """What the radiator gets rid of, W/m²; negative when it is heated."""
        return self.emitted - self.absorbed

    def __add__(self, other: Flux) -> Flux:
        """Return the plate that has these two faces, per planform area."""
        return Flux(
            self.emitted + other.emitted,
            self.sun + other.sun,
            self.albedo + other.albedo,
            self.infrared + other.infrared,
            self.array + other.array,
        )

    def per_emitting_area(self) -> Flux:
        """Return a plate's flux (per planform area) per emitting area, which is twice as large."""
        return Flux(
            0.5 * self.emitted, 0.5 * self.sun, 0.5 * self.albedo, 0.5 * self.infrared, 0.5 * self.array
        )


def net_flux(
    temperature: npt.ArrayLike,
    emissivity: npt.ArrayLike,
    absorptivity: npt.ArrayLike,
    sunlight: npt.ArrayLike,
    sun_cosine: npt.ArrayLike,
    earth_view: npt.ArrayLike,
    albedo: npt.ArrayLike,
    earth_infrared: npt.ArrayLike,
    *,
    array_view: npt.ArrayLike = 0.0,
    array_temperature: npt.ArrayLike = 0.0,
    array_emissivity: npt.ArrayLike = 0.0,
    fin_efficiency: npt.ArrayLike = 1.0,
    infrared_absorptivity: npt.ArrayLike | None = None,
) -> Flux:
    """Return the heat flows of one face of a radiator; add two faces for a plate.

    Parameters
    ----------
    temperature : of the radiator's root (where the coolant's heat enters), K.
    emissivity : infrared emissivity of the coating.
    absorptivity : solar absorptivity of the coating at the age in question.
    sunlight : solar irradiance, W/m² (0 in the shadow).
    sun_cosine : cosine between the face's normal and the Sun; 0 for the face that looks away.
    earth_view : view factor of the face to the Earth.
    albedo : share of `sunlight` that the Earth seen from here reflects: the Bond albedo over the subsolar
        point (hot case); times the cosine of the Sun's zenith angle elsewhere.
    earth_infrared : infrared exitance of the Earth, W/m².
    array_view, array_temperature, array_emissivity : view factor to the array's rear, its K and emissivity.
    fin_efficiency : mean of T⁴ over the face divided by the root's T⁴ (`fin_efficiency`).
    infrared_absorptivity : share of incoming infrared absorbed; by default the emissivity (Kirchhoff's law).
        Some sources use their solar absorptivity here; it exists to reproduce them.

    Returns
    -------
    Flux, per area of this face.

    Notes
    -----
    Source: D. G. Gilmore (ed.), Spacecraft Thermal Control Handbook, vol. 1 (2002), ch. 2 (environments) and
    ch. 6 (radiators). Reflections are left out.
    """
    grey = np.asarray(emissivity if infrared_absorptivity is None else infrared_absorptivity, dtype=float)
    solar = np.asarray(absorptivity, dtype=float) * np.asarray(sunlight, dtype=float)
    view = np.asarray(earth_view, dtype=float)
    hot_rear = np.asarray(array_emissivity, dtype=float) * _black_body(array_temperature)
    return Flux(
        emitted=np.asarray(fin_efficiency) * np.asarray(emissivity) * _black_body(temperature),
        sun=solar * np.asarray(sun_cosine, dtype=float),
        albedo=solar * np.asarray(albedo, dtype=float) * view,
        infrared=grey * np.asarray(earth_infrared, dtype=float) * view,
        array=grey * np.asarray(array_view, dtype=float) * hot_rear,
    )


def _black_body(temperature: npt.ArrayLike) -> Array:
    return np.asarray(STEFAN_BOLTZMANN * np.asarray(temperature, dtype=float) ** 4)


def earth_infrared_from_temperature(temperature: npt.ArrayLike) -> Array:
    """Return the infrared exitance (W/m²) of an Earth that radiates as a black body of `temperature` (K)."""
    return _black_body(temperature)


def radiator_temperature(
    heat: npt.ArrayLike,
    emitting_area: npt.ArrayLike,
    emissivity: npt.ArrayLike,
    absorbed: npt.ArrayLike = 0.0,
    fin_efficiency: npt.ArrayLike = 1.0,
) -> Array:
    """Return the root temperature (K) at which a radiator rejects `heat`; the inverse of `net_flux`.

    Parameters
    ----------
    heat : W to be rejected.
    emitting_area : m², both faces of a plate.
    emissivity : infrared emissivity.
    absorbed : environment absorbed per *emitting* area, W/m² (``plate.per_emitting_area().absorbed``). For a
        sink temperature give emissivity × sigma × T⁴, that is ``net_flux`` of the sink.
    fin_efficiency : mean of T⁴ over the root's T⁴.
    """
    flux = np.asarray(heat, dtype=float) / np.asarray(emitting_area) + np.asarray(absorbed)
    fourth = flux / (np.asarray(fin_efficiency) * np.asarray(emissivity) * STEFAN_BOLTZMANN)
    return np.asarray(np.sqrt(np.sqrt(np.maximum(fourth, 0.0))))


def sink_temperature(absorbed: npt.ArrayLike, emissivity: npt.ArrayLike) -> Array:
    """Return the equivalent sink (K): what an unheated face of `emissivity` settles at.

    `absorbed` is the environment per emitting area, W/m². With it, net = emissivity × sigma × (T⁴ - sink⁴).
    """
    return radiator_temperature(absorbed, 1.0, emissivity)


def coating_absorptivity(
    begin: npt.ArrayLike, end: npt.ArrayLike, age: npt.ArrayLike, life: npt.ArrayLike
) -> Array:
    """Return the solar absorptivity of a coating at `age` (any unit of time, the same as `life`).

    Linear from `begin` of life to `end` of life and constant after it. Real coatings darken faster at first
    (ultraviolet, contamination); linear is right at both ends, which catalogues give, and errs between.
    """
    share = np.clip(np.asarray(age, dtype=float) / np.asarray(life, dtype=float), 0.0, 1.0)
    first = np.asarray(begin, dtype=float)
    return np.asarray(first + (np.asarray(end, dtype=float) - first) * share)


def conductance_parameter(
    emissivity: npt.ArrayLike,
    root_temperature: npt.ArrayLike,
    length: npt.ArrayLike,
    conductivity: npt.ArrayLike,
    thickness: npt.ArrayLike,
    faces: int = 2,
) -> Array:
    """Return the conductance parameter of a radiating fin: faces·emissivity·sigma·T³·length²/(k·thickness).

    `length` is root to tip (half the spacing between two tubes), m; `thickness` the whole one, m;
    `conductivity` in W/(m K). Source: S. Lieblein, NASA TN D-196 (1959).
    """
    heat = faces * STEFAN_BOLTZMANN * np.asarray(emissivity) * np.asarray(root_temperature, dtype=float) ** 3
    return np.asarray(heat * np.asarray(length) ** 2 / (np.asarray(conductivity) * np.asarray(thickness)))


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_NODES, _WEIGHTS = 0.5 * (_NODES + 1.0), 0.5 * _WEIGHTS  # on 0..1
_BISECTIONS = 40  # tip temperature to 1e-12 of the root's


def fin_efficiency(conductance: npt.ArrayLike, sink_ratio: npt.ArrayLike = 0.0) -> Array:
    """Return the efficiency of a flat radiating fin of constant thickness: mean of T⁴ over the root's T⁴.

    Parameters
    ----------
    conductance : the fin's `conductance_parameter`, above 0.
    sink_ratio : sink temperature over root temperature, 0 to below 1.

    Returns
    -------
    array (broadcast), 0 to 1. Then net heat = efficiency × emissivity × sigma × T_root⁴ - absorbed, exactly.
    (The literature's efficiency (eta - s⁴)/(1 - s⁴), with s the sink ratio, is the same for a cold sink.)

    Raises
    ------
    ValueProblem : a conductance parameter or sink ratio out of range.

    Notes
    -----
    One-dimensional conduction, insulated tip, no view of the tubes: theta'' = c (theta⁴ - s⁴), theta(0) = 1,
    theta'(1) = 0. Source of the problem: S. Lieblein, NASA TN D-196 (1959). Solved by its first integral with
    G(theta) = (theta⁵ - tip⁵)/5 - s⁴ (theta - tip): sqrt(2 c) = integral of G^(-1/2) from tip to 1. The
    substitution theta = tip + (1 - tip) u² removes the integrand's pole; the tip is found by bisection.
    """
    c, s = np.broadcast_arrays(np.asarray(conductance, dtype=float), np.asarray(sink_ratio, dtype=float))
    if not (np.all(c > 0.0) and np.all((s >= 0.0) & (s < 1.0))):
        raise ValueProblem("fin out of range", right="conductance parameter > 0 and 0 <= sink ratio < 1")
    target, sink = np.sqrt(2.0 * c), s**4
    low, high = np.array(s), np.ones_like(c)
    for _ in range(_BISECTIONS):
        tip = 0.5 * (low + high)
        longer = _fin_length(tip, sink) > target  # a colder tip belongs to a longer fin
        low, high = np.where(longer, tip, low), np.where(longer, high, tip)
    tip = 0.5 * (low + high)
    slope = np.sqrt(2.0 * c * (1.0 - tip) * _energy(1.0, tip, sink))  # -theta' at the root
    return np.asarray(slope / c + sink)


def _energy(theta: npt.ArrayLike, tip: Array, sink: Array) -> Array:
    """G(theta) / (theta - tip)."""
    hot = np.asarray(theta, dtype=float)
    powers = hot**4 + hot**3 * tip + hot**2 * tip**2 + hot * tip**3 + tip**4
    return np.asarray(0.2 * powers - sink)


def _fin_length(tip: Array, sink: Array) -> Array:
    span = 1.0 - tip
    total = np.zeros_like(tip)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        total = total + weight / np.sqrt(_energy(tip + span * node**2, tip, sink))
    return 2.0 * np.sqrt(span) * total


@dataclass(frozen=True, slots=True)
class Ladder:
    """Temperatures from the chip to the radiator, K (arrays allowed), the hottest chip's way."""

    junction: Array
    cold_plate: Array
    coolant_hot: Array
    coolant_cold: Array
    root_hot: Array
    root_cold: Array
    radiator: Array  # uniform root temperature that radiates as much: fourth-power mean along the loop


def coolant_limit(
    junction_limit: npt.ArrayLike,
    chip_heat: npt.ArrayLike,
    junction_to_plate: npt.ArrayLike,
    plate_to_coolant: npt.ArrayLike,
    coolant_rise: npt.ArrayLike = 0.0,
    root_drop: npt.ArrayLike = 0.0,
) -> Ladder:
    """Return the hottest ladder that keeps the junction at its limit: the hottest radiator a chip allows.

    Parameters
    ----------
    junction_limit : K, with whatever margin the designer wants already taken off.
    chip_heat : heat of one chip, W.
    junction_to_plate, plate_to_coolant : thermal resistances of one chip's path, K/W.
    coolant_rise : warming of the coolant over the chips, K: heat / (mass flow × heat capacity).
    root_drop : drop from coolant to the radiator's root (film, wall, interface), K.

    Notes
    -----
    The hottest chip is the last before the coolant's outlet. Source: series resistances, e.g. Gilmore (2002),
    ch. 8 (mountings and interfaces); each of them is data, given by the caller.
    """
    junction = np.asarray(junction_limit, dtype=float)
    heat = np.asarray(chip_heat, dtype=float)
    plate = junction - heat * np.asarray(junction_to_plate)
    hot = np.asarray(plate - heat * np.asarray(plate_to_coolant))
    cold = np.asarray(hot - np.asarray(coolant_rise))
    drop = np.asarray(root_drop, dtype=float)
    root_hot, root_cold = np.asarray(hot - drop), np.asarray(cold - drop)
    return Ladder(junction, plate, hot, cold, root_hot, root_cold, mean_temperature(root_hot, root_cold))


def junction_temperature(
    radiator: npt.ArrayLike,
    chip_heat: npt.ArrayLike,
    junction_to_plate: npt.ArrayLike,
    plate_to_coolant: npt.ArrayLike,
    coolant_rise: npt.ArrayLike = 0.0,
    root_drop: npt.ArrayLike = 0.0,
) -> Ladder:
    """Return the ladder above a radiator of (fourth-power mean) root temperature `radiator`, K.

    Parameters as in `coolant_limit`, whose inverse it is: with m the middle of the root's linear profile and
    d half its rise, the mean of T⁴ is m⁴ + 2 m² d² + d⁴/5, a quadratic equation in m².
    """
    half = 0.5 * np.asarray(coolant_rise, dtype=float)
    fourth = np.asarray(radiator, dtype=float) ** 4
    middle = np.sqrt(np.sqrt(fourth + 0.8 * half**4) - half**2)
    heat = np.asarray(chip_heat, dtype=float)
    junction = (
        middle
        + half
        + np.asarray(root_drop)
        + heat * (np.asarray(junction_to_plate) + np.asarray(plate_to_coolant))
    )
    return coolant_limit(junction, heat, junction_to_plate, plate_to_coolant, coolant_rise, root_drop)


def mean_temperature(hot: npt.ArrayLike, cold: npt.ArrayLike) -> Array:
    """Return the uniform temperature (K) that radiates like a linear profile from `hot` to `cold`."""
    middle = 0.5 * (np.asarray(hot, dtype=float) + np.asarray(cold, dtype=float))
    half = 0.5 * (np.asarray(hot, dtype=float) - np.asarray(cold, dtype=float))
    return np.asarray(np.sqrt(np.sqrt(middle**4 + 2.0 * (middle * half) ** 2 + 0.2 * half**4)))
