"""Getting to orbit: learning curves, what a vehicle carries to an orbit, whole flights and their cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from skyhall.constants import EARTH_GM, EARTH_RADIUS, EARTH_ROTATION, STANDARD_GRAVITY
from skyhall.economics.ranges import require
from skyhall.errors import ValueProblem

__all__ = [
    "Manifest",
    "Vehicle",
    "extra_delta_v",
    "launch_cost",
    "launched_power_price",
    "learning_exponent",
    "lost_per_placed",
    "manifest",
    "mass_at_price",
    "payload_to_orbit",
    "wright_average_price",
    "wright_price",
]

Array = npt.NDArray[np.float64]
Number = float | Array
MOST_SATELLITES = 10**9  # on one flight; keeps a mass of almost nothing from overflowing
Limit = Literal["mass", "volume", "count", "shared"]


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A launch vehicle as the price needs it.

    Parameters
    ----------
    name : what it is called.
    price_usd_per_kg : price of a flight over `payload_kg`; with `shared`, the price of each kg carried.
    payload_kg : to its reference orbit.
    success_rate : share of flights that place their payload.
    fairing_volume_m3 : usable volume; infinite where volume is not a limit.
    satellites_max : satellites that the dispenser holds; None for no limit.
    shared : True where the flight is shared with others (rideshare): kilograms are paid for, not flights.
    flights_per_year : most that it has flown in a year; 0 where no record is known.
    sources : names of the catalogue's parts that the numbers come from.
    """

    name: str
    price_usd_per_kg: float
    payload_kg: float
    success_rate: float = 1.0
    fairing_volume_m3: float = math.inf
    satellites_max: int | None = None
    shared: bool = False
    flights_per_year: float = 0.0
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(
            self,
            positive=("payload_kg", "success_rate", "fairing_volume_m3"),
            not_negative=("price_usd_per_kg", "flights_per_year"),
            shares=("success_rate",),
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """How a batch of satellites is loaded: whole flights, satellites on each, and what limits a flight.

    Where a satellite is heavier or larger than a flight, `parts` of it fly apart and are assembled in
    orbit; then `satellites_per_flight` is below one.
    """

    satellites: int
    satellite_mass_kg: float
    satellites_per_flight: float
    flights: float
    limited_by: Limit
    payload_kg: float
    parts: int = 1

    @property
    def filled(self) -> float:
        """Share of the payload mass that is paid for and used, over all flights."""
        return self.satellites * self.satellite_mass_kg / (self.flights * self.payload_kg)


def learning_exponent(progress_ratio: Number) -> Array:
    """Return Wright's exponent b: each doubling multiplies the price by `progress_ratio` = 2^-b.

    Raises
    ------
    ValueProblem : a progress ratio outside (0, 1].
    """
    if np.any((progress_ratio <= 0) | (progress_ratio > 1)):
        raise ValueProblem(
            "a progress ratio must lie between 0 and 1", right="0.8 is 20 % cheaper per doubling"
        )
    return np.asarray(-np.log2(progress_ratio))


def wright_price(
    cumulative: Number,
    reference_price: Number,
    reference: Number,
    progress_ratio: Number,
) -> Array:
    """Return the price after `cumulative` production, given the price at `reference` (in the same unit).

    Source: T. P. Wright, "Factors affecting the cost of airplanes", J. Aeronautical Sciences 3 (1936).
    """
    return reference_price * (cumulative / reference) ** -learning_exponent(progress_ratio)


def wright_average_price(
    experience: Number,
    added: Number,
    reference_price: Number,
    reference: Number,
    progress_ratio: Number,
) -> Array:
    """Return the mean price over a production `added` on top of `experience` (in the unit of `reference`).

    The integral of `wright_price` from `experience` to `experience + added`, over `added`. Production is
    taken as continuous: for the very first units the true price of unit one stands above it.

    Raises
    ------
    ValueProblem : nothing is added, or the experience is negative.
    """
    if np.any(added <= 0) or np.any(experience < 0):
        raise ValueProblem("production must be above zero and the experience before it not negative")
    power = 1.0 - learning_exponent(progress_ratio)
    if np.any(power <= 0):
        raise ValueProblem(
            "a progress ratio of 0.5 or less has no mean price", right="usual values are 0.75 to 0.95"
        )
    first, last = experience / reference, (experience + added) / reference
    return reference_price * (last**power - first**power) / (power * (last - first))


def mass_at_price(
    price: Number,
    reference_price: Number,
    reference: Number,
    progress_ratio: Number,
) -> Array:
    """Return the cumulative production at which `wright_price` reaches `price`."""
    return reference * (reference_price / price) ** (1.0 / learning_exponent(progress_ratio))


def launched_power_price(
    specific_mass_kg_per_kw: Number, life_years: Number, price_usd_per_kg: Number
) -> Number:
    """Return what launching a kW costs for each year that it serves, USD/(kW yr), without discount.

    Source: arXiv:2511.19468v2 (Google, Project Suncatcher), section on launch cost.
    """
    return specific_mass_kg_per_kw / life_years * price_usd_per_kg


def extra_delta_v(
    altitude_km: Number,
    inclination_deg: Number,
    *,
    reference_altitude_km: Number,
    site_latitude_deg: Number,
) -> Array:
    """Return the speed to be gained beyond the reference orbit (circular, due east of the site), m/s.

    A Hohmann transfer up from the reference altitude, the part of the Earth's rotation that a steeper or
    retrograde azimuth gives away, and for inclinations below the site's latitude a plane change at the
    second burn.

    Parameters
    ----------
    altitude_km, inclination_deg : of the circular orbit wanted.
    reference_altitude_km, site_latitude_deg : of the orbit for which the vehicle's payload is quoted.

    Source: Vallado, *Fundamentals of Astrodynamics and Applications*, section 6.3 (Hohmann), 6.4 (plane
    change).
    """
    low = EARTH_RADIUS + 1e3 * reference_altitude_km
    high = EARTH_RADIUS + 1e3 * altitude_km
    inclination = np.radians(inclination_deg)
    latitude = np.radians(site_latitude_deg)
    transfer = (low + high) / 2.0
    first = np.abs(np.sqrt(EARTH_GM * (2 / low - 1 / transfer)) - np.sqrt(EARTH_GM / low))
    arriving, circular = np.sqrt(EARTH_GM * (2 / high - 1 / transfer)), np.sqrt(EARTH_GM / high)
    plane_change = np.maximum(latitude - inclination, 0.0)
    second = np.sqrt(arriving**2 + circular**2 - 2 * arriving * circular * np.cos(plane_change))
    eastward = np.cos(latitude) - np.cos(np.maximum(inclination, latitude))
    return np.asarray(first + second + EARTH_ROTATION * EARTH_RADIUS * eastward)


def payload_to_orbit(
    payload_kg: Number,
    upper_stage_dry_kg: Number,
    specific_impulse_s: Number,
    delta_v: Number,
) -> Array:
    """Return the payload after `delta_v` (m/s) beyond the reference orbit, kg; 0 where nothing is left.

    The mass that reaches the reference orbit (payload and empty upper stage) burns part of itself: rocket
    equation. A first model: it leaves out the landing propellant of a reusable upper stage, refuelling,
    and the first stage's gain from a lighter payload. The first makes it
    optimistic, the others pessimistic.
    """
    arrived = payload_kg + upper_stage_dry_kg
    left = arrived * np.exp(-delta_v / (STANDARD_GRAVITY * specific_impulse_s))
    return np.asarray(np.maximum(left - upper_stage_dry_kg, 0.0))


def manifest(
    satellites: int,
    satellite_mass_kg: float,
    vehicle: Vehicle,
    *,
    payload_kg: float | None = None,
    stowed_volume_m3: float = 0.0,
) -> Manifest:
    """Return how many whole flights lift a fleet, and what limits a flight.

    Parameters
    ----------
    satellites, satellite_mass_kg : the fleet, launch mass with propellant.
    vehicle : what carries it.
    payload_kg : to the fleet's own orbit (see `payload_to_orbit`); the vehicle's reference payload if not
        given.
    stowed_volume_m3 : of one satellite; 0 where it is not known.

    Raises
    ------
    ValueProblem : no satellites, a mass that is not positive, or an orbit that the vehicle does not reach.
    """
    capacity = vehicle.payload_kg if payload_kg is None else payload_kg
    if satellites < 1 or not satellite_mass_kg > 0:
        raise ValueProblem(f"cannot launch {satellites} satellites of {satellite_mass_kg:g} kg")
    if not capacity > 0:
        raise ValueProblem(
            f"{vehicle.name} carries nothing to this orbit",
            right="choose another vehicle, a lower orbit, or let the satellite climb by itself "
            "(satellite.transfer_delta_v)",
        )
    if vehicle.shared:
        flights = satellites * satellite_mass_kg / capacity
        return Manifest(satellites, satellite_mass_kg, satellites / flights, flights, "shared", capacity)
    limits: dict[Limit, float] = {
        "mass": capacity / satellite_mass_kg * (1 + 1e-12),
        "volume": vehicle.fairing_volume_m3 / stowed_volume_m3 if stowed_volume_m3 > 0 else math.inf,
        "count": vehicle.satellites_max or math.inf,
    }
    limited_by = min(limits, key=lambda limit: limits[limit])
    most = min(limits[limited_by], MOST_SATELLITES)
    if most < 1:
        parts = math.ceil(1 / most)
        flights = satellites * parts
        return Manifest(satellites, satellite_mass_kg, 1 / parts, flights, limited_by, capacity, parts)
    per_flight = math.floor(most)
    flights = math.ceil(satellites / per_flight)
    return Manifest(satellites, satellite_mass_kg, per_flight, flights, limited_by, capacity)


def launch_cost(loading: Manifest, vehicle: Vehicle) -> tuple[float, float]:
    """Return the cost of lifting the fleet once, USD, and the kilograms that its price per kg is paid for.

    A flight costs the vehicle's price per kg times its **reference** payload, whether it is filled or not
    and however little of it reaches a high orbit; a shared flight costs the kilograms carried.
    """
    paid_kg = (
        loading.satellites * loading.satellite_mass_kg
        if vehicle.shared
        else loading.flights * vehicle.payload_kg
    )
    return paid_kg * vehicle.price_usd_per_kg, paid_kg


def lost_per_placed(success_rate: Number) -> Number:
    """Return flights lost for each flight that places its satellites: 1 / success - 1.

    Lost satellites are built again and flown again, and these flights may fail too.

    Raises
    ------
    ValueProblem : a success rate outside (0, 1].
    """
    if np.any((success_rate <= 0) | (success_rate > 1)):
        raise ValueProblem("a launch success rate must be above 0 and at most 1", right="for example 0.99")
    return 1.0 / success_rate - 1.0
