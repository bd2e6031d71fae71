"""A year of light: beta angle, eclipse seasons and sunlit share of an orbit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import DAY, EARTH_RADIUS, MINUTE, SOLAR_RADIUS, TROPICAL_YEAR
from skyhall.errors import ValueProblem
from skyhall.orbit.elements import check_altitude, kepler_period, secular_rates
from skyhall.orbit.shadow import eclipse_fraction_of_orbit, limb_distance, mean_lit_fraction
from skyhall.orbit.sun import beta_angle, irradiance_ratio, sun_direction
from skyhall.types import Array

__all__ = ["LightSummary", "LightYear", "year_of_light"]


_ORBIT_PARTS: Final = 128  # of the half orbit, for the mean lit fraction: within 1e-5 of 1,000 parts


@dataclass(frozen=True, slots=True)
class LightSummary:
    """The year of one orbit in a few numbers.

    `sunlit_year` is the mean lit fraction of the Sun's disc, penumbra included. Everything about shadow is
    about the Sun's centre hidden by a sphere of the equator's radius: `eclipse_season_days` counts days on
    which an orbit meets it, `longest_eclipse_min` and `worst_orbit_shadowed` are those of the worst orbit,
    `seasons` lists (first day, last day) counted from the epoch.
    """

    inclination_deg: float
    period_min: float
    sunlit_year: float
    eclipse_season_days: float
    longest_eclipse_min: float
    worst_orbit_shadowed: float
    seasons: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class LightYear:
    """Samples of one tropical year from an epoch; time is the last axis of each array.

    Parameters
    ----------
    seconds : s after the epoch, shape (samples,).
    beta : angle of the Sun above the orbit's plane, rad.
    eclipse_fraction : share of an orbit with the Sun's centre hidden.
    lit_fraction : mean lit fraction of the Sun's disc over an orbit.
    irradiance_ratio : sunlight relative to that at one astronomical unit, shape (samples,).
    altitude, inclination : of the orbit, m and rad.
    """

    seconds: Array
    beta: Array
    eclipse_fraction: Array
    lit_fraction: Array
    irradiance_ratio: Array
    altitude: Array
    inclination: Array

    def summary(self) -> LightSummary:
        """Return the year in a few numbers; `ValueProblem` when it holds more than one orbit."""
        if self.beta.ndim != 1:
            raise ValueProblem("the summary is of one orbit", right="call year_of_light with one altitude")
        seasons = self._seasons()
        worst = float(self.eclipse_fraction.max())
        period = float(kepler_period(self.altitude))
        return LightSummary(
            inclination_deg=float(np.degrees(self.inclination)),
            period_min=period / MINUTE,
            sunlit_year=float(np.trapezoid(self.lit_fraction, self.seconds) / np.ptp(self.seconds)),
            eclipse_season_days=float(sum(last - first for first, last in seasons)),
            longest_eclipse_min=worst * period / MINUTE,
            worst_orbit_shadowed=worst,
            seasons=seasons,
        )

    def _seasons(self) -> list[tuple[float, float]]:
        # The Sun's centre is hidden once an orbit while |beta| stays below the Earth's angular radius.
        depth = np.arcsin(EARTH_RADIUS / (EARTH_RADIUS + self.altitude)) - np.abs(self.beta)
        days = self.seconds / DAY
        dark = depth > 0.0
        edge = np.flatnonzero(dark[1:] != dark[:-1])
        share = depth[edge] / (depth[edge] - depth[edge + 1])
        times = (days[edge] + share * (days[edge + 1] - days[edge])).tolist()
        if dark[0]:
            times.insert(0, float(days[0]))
        if dark[-1]:
            times.append(float(days[-1]))
        return list(zip(times[::2], times[1::2], strict=True))


def year_of_light(
    altitude: npt.ArrayLike,
    inclination: npt.ArrayLike,
    raan: npt.ArrayLike,
    julian_date: float,
    *,
    samples: int = 733,
) -> LightYear:
    """Return a year of sunlight on a circular orbit whose node drifts with J2 and J4.

    The true Sun; the shadow of a sphere. Left out: drag, lunisolar drift of the plane (it moves a
    sun-synchronous node by some minutes of local time in a year unless it is kept).

    Parameters
    ----------
    altitude : m above the equator's radius, shape (...).
    inclination, raan : at the epoch in TEME, rad, shape (...).
    julian_date : the epoch, UTC, days.
    samples : of the year, its two ends included.

    Raises
    ------
    ValueProblem : an altitude at which no orbit can be flown.
    """
    check_altitude(altitude)
    height = np.asarray(altitude, dtype=np.float64)
    tilt = np.asarray(inclination, dtype=np.float64)
    seconds = np.linspace(0.0, TROPICAL_YEAR, samples)
    sun, distance = sun_direction(julian_date + seconds / DAY)
    rate, _, _ = secular_rates(EARTH_RADIUS + height, 0.0, tilt)
    node = np.asarray(raan, dtype=np.float64)[..., None] + rate[..., None] * seconds
    beta = beta_angle(tilt[..., None], node, sun)
    return LightYear(
        seconds=seconds,
        beta=beta,
        eclipse_fraction=eclipse_fraction_of_orbit(height[..., None], beta),
        lit_fraction=_lit_fraction_of_orbit(height[..., None], beta, distance),
        irradiance_ratio=irradiance_ratio(distance),
        altitude=height,
        inclination=tilt,
    )


def _lit_fraction_of_orbit(altitude: Array, beta: Array, distance: Array) -> Array:
    # Half an orbit from midnight to noon is enough: the other half mirrors it.
    sine = EARTH_RADIUS / (EARTH_RADIUS + altitude)
    from_midnight = np.linspace(0.0, np.pi, _ORBIT_PARTS + 1)
    limb = limb_distance(
        -np.cos(beta)[..., None] * np.cos(from_midnight),
        sine[..., None],
        np.sqrt(1.0 - sine * sine)[..., None],
        (distance / SOLAR_RADIUS)[..., None],
    )
    return np.asarray(mean_lit_fraction(limb[..., :-1], limb[..., 1:]).mean(axis=-1), dtype=np.float64)
