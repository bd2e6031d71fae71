"""A year of light on one orbit, month by month."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from skyhall.constants import DAY, MINUTE
from skyhall.errors import SkyhallError
from skyhall.orbit import (
    LightSummary,
    LightYear,
    geostationary_altitude,
    julian_date,
    kepler_period,
    raan_from_local_time,
    sun_synchronous_inclination,
    year_of_light,
)
from skyhall.scenario import Scenario, Shell

__all__ = ["Month", "YearInOrbit", "year_in_orbit"]


@dataclass(frozen=True, slots=True)
class Month:
    """One calendar month of the year, from the samples that fall into it.

    The month of the epoch has its first days at the end of the year that is shown, one calendar year later.

    Attributes
    ----------
    month : 1 to 12.
    beta_low_deg, beta_high_deg : range of the Sun's angle above the orbit's plane.
    eclipse_days : days on which an orbit meets the shadow.
    longest_eclipse_min : of an orbit, Sun's centre hidden.
    shadowed : largest share of an orbit in shadow.
    sunlit : mean lit fraction of the Sun's disc.
    """

    month: int
    beta_low_deg: float
    beta_high_deg: float
    eclipse_days: float
    longest_eclipse_min: float
    shadowed: float
    sunlit: float


@dataclass(frozen=True, slots=True)
class YearInOrbit:
    """The year of one orbit: in a few numbers, month by month, and as evenly spaced samples.

    Attributes
    ----------
    epoch : start of the year, UTC.
    altitude_km : above the equator's radius.
    summary : see `LightSummary`; its seasons in days after the epoch.
    seasons : (first, last) moments of each eclipse season.
    months : twelve, January first.
    eclipse_min : eclipse of an orbit at evenly spaced moments of the year, minutes.
    """

    epoch: datetime
    altitude_km: float
    summary: LightSummary
    seasons: tuple[tuple[datetime, datetime], ...]
    months: tuple[Month, ...]
    eclipse_min: tuple[float, ...]


def year_in_orbit(scenario: Scenario, *, shell: int = 0) -> YearInOrbit:
    """Return the year of light, from the scenario's epoch, on the first plane of one of its shells.

    Raises
    ------
    ValueProblem : an altitude at which no such orbit exists.
    """
    key = f"orbit.shells.{shell}.altitude"
    try:
        year = _light(scenario.orbit.shells[shell], julian_date(scenario.epoch))
    except SkyhallError as error:
        error.place = scenario.place(key)
        raise
    summary = year.summary()
    moments = [scenario.epoch + timedelta(seconds=after) for after in year.seconds.tolist()]
    return YearInOrbit(
        epoch=scenario.epoch,
        altitude_km=float(year.altitude) / 1e3,
        summary=summary,
        seasons=tuple(
            (scenario.epoch + timedelta(days=first), scenario.epoch + timedelta(days=last))
            for first, last in summary.seasons
        ),
        months=tuple(_month(year, moments, number) for number in range(1, 13)),
        eclipse_min=tuple((year.eclipse_fraction * kepler_period(year.altitude) / MINUTE).tolist()),
    )


def _light(shell: Shell, epoch: float) -> LightYear:
    if shell.pattern == "geostationary":
        return year_of_light(geostationary_altitude(), 0.0, 0.0, epoch)
    if shell.inclination is not None:
        return year_of_light(shell.altitude, shell.inclination, 0.0, epoch)
    inclination = sun_synchronous_inclination(shell.altitude)
    return year_of_light(shell.altitude, inclination, raan_from_local_time(shell.local_time, epoch), epoch)


def _month(year: LightYear, moments: list[datetime], number: int) -> Month:
    within = np.array([moment.month == number for moment in moments])
    beta = np.degrees(year.beta[within])
    dark = year.eclipse_fraction[within]
    days = np.full(len(moments), float(np.ptp(year.seconds)) / DAY / (len(moments) - 1))
    days[[0, -1]] /= 2.0  # the first and the last sample stand for the same moment of the year
    dark_days = float(days[within][dark > 0.0].sum())
    return Month(
        month=number,
        beta_low_deg=float(beta.min()),
        beta_high_deg=float(beta.max()),
        eclipse_days=min(dark_days, float(monthrange(moments[int(np.argmax(within))].year, number)[1])),
        longest_eclipse_min=float(dark.max() * kepler_period(year.altitude)) / MINUTE,
        shadowed=float(dark.max()),
        sunlit=float(year.lit_fraction[within].mean()),
    )
