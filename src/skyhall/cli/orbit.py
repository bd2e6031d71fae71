"""``skyhall orbit``: a year of light on one orbit."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from skyhall.cli import show
from skyhall.cli.options import as_json, blame, call
from skyhall.errors import Place, SkyhallError, ValueProblem

if TYPE_CHECKING:
    from skyhall.studies import YearInOrbit

__all__ = ["command"]

_SHELL = "orbit.shells.0"
_OPTIONS = {
    f"{_SHELL}.altitude": "--altitude",
    f"{_SHELL}.inclination": "--inclination",
    f"{_SHELL}.local_time": "--local-time",
    "epoch": "--epoch",
}
_WHOLLY = 0.9995  # a lit share that is shown as 100.0 %
_SPARKS = 60  # five a month


@click.command("orbit")
@click.option("--altitude", default="650 km", show_default=True, help="Above the equator's radius.")
@click.option("--inclination", help='Of an orbit that is not sun-synchronous, e.g. "53 deg".')
@click.option("--local-time", help="Of the ascending node of a sun-synchronous orbit; default 06:00.")
@click.option("--epoch", help="Start of the year, ISO 8601 in UTC; default 2026-03-20T00:00:00Z.")
@as_json
def command(
    altitude: str, inclination: str | None, local_time: str | None, epoch: str | None, json: bool
) -> None:
    """Print a year of light on one orbit: sunlit share, eclipse seasons, and eclipses month by month."""
    if inclination is not None and local_time is not None:
        raise ValueProblem(
            "both --inclination and --local-time are given",
            right="the inclination of a sun-synchronous orbit is solved from its altitude: give one of them",
        )
    year = _year(altitude, inclination, local_time, epoch)
    if json:
        show.document(_document(year))
        return
    _show(year, inclination, local_time)
    show.next_commands(*_next(altitude, inclination, local_time, epoch, year.altitude_km))


def _next(
    altitude: str, inclination: str | None, local_time: str | None, epoch: str | None, altitude_km: float
) -> list[str]:
    """Return commands that work at this altitude and are not the one that was given."""
    at = partial(call, "orbit", altitude=altitude, epoch=epoch)
    tilt = "97.6 deg" if inclination == "53 deg" else "53 deg"
    hour = "06:00" if local_time == "10:30" else "10:30"
    shell = [f"{_SHELL}.altitude={altitude}"]
    if inclination is not None:
        shell += [f"{_SHELL}.pattern=walker_delta", f"{_SHELL}.inclination={inclination}"]
    else:
        shell += [f"{_SHELL}.local_time={local_time or '06:00'}"]
    try:
        _year(altitude, None, hour, epoch)
        synchronous = at(local_time=hour)
    except SkyhallError:  # no sun-synchronous orbit is so high
        synchronous = call("orbit", altitude="650 km", epoch=epoch, local_time=hour)
    from skyhall.surroundings import HIGHEST_KM

    designed = (
        call("design", "starcloud-1", sets=shell) if altitude_km <= HIGHEST_KM else call("design", "geo-1gw")
    )
    return [synchronous, at(inclination=tilt), designed]


def _year(altitude: str, inclination: str | None, local_time: str | None, epoch: str | None) -> YearInOrbit:
    from skyhall.scenario import load
    from skyhall.studies import year_in_orbit

    shell: dict[str, str] = {"altitude": altitude}
    if inclination is not None:
        shell |= {"pattern": "walker_delta", "inclination": inclination}
    if local_time is not None:
        shell["local_time"] = local_time
    asked: dict[str, Any] = {"orbit": {"shells": [shell]}}
    if epoch is not None:
        asked["epoch"] = epoch
    try:
        return year_in_orbit(load(asked))
    except SkyhallError as error:
        typed = {f"{_SHELL}.{key}" for key in shell} | ({"epoch"} if epoch is not None else set())
        blame(error, {key: Place(option) for key, option in _OPTIONS.items() if key in typed})
        raise


def _document(year: YearInOrbit) -> dict[str, Any]:
    summary = show.plain(year.summary)
    return {
        **summary,
        "altitude_km": year.altitude_km,
        "epoch": year.epoch,
        "seasons": [{"first": first, "last": last} for first, last in year.seasons],
        "months": year.months,
    }


def _show(year: YearInOrbit, inclination: str | None, local_time: str | None) -> None:
    summary = year.summary
    kind = (
        "circular"
        if inclination is not None
        else f"sun-synchronous, {local_time or '06:00'} at the ascending node"
    )
    show.heading(f"{year.altitude_km:,.6g} km, {summary.inclination_deg:.3f}°", kind)
    show.facts(
        [
            ("period", show.number(summary.period_min, "min"), ""),
            ("sunlit", show.percent(summary.sunlit_year), "mean lit share of the Sun's disc"),
            ("eclipse season", show.number(summary.eclipse_season_days, "days/yr", 3), "Sun's centre hidden"),
            (
                "longest eclipse",
                show.number(summary.longest_eclipse_min, "min", 3),
                f"{show.percent(summary.worst_orbit_shadowed)} of that orbit",
            ),
        ]
    )
    show.heading(f"The year from {year.epoch:%Y-%m-%d}")
    show.table(
        ("month", "beta, °", "eclipse days", "longest, min", "of orbit, %", "sunlit, %"),
        [
            (
                calendar.month_abbr[month.month],
                f"{month.beta_low_deg:+.1f} … {month.beta_high_deg:+.1f}",
                f"{month.eclipse_days:.0f}",
                f"{month.longest_eclipse_min:.1f}",
                f"{month.shadowed * 100:.1f}",
                f"{month.sunlit * 100:.1f}",
            )
            for month in year.months
        ],
        right=(1, 2, 3, 4, 5),
    )
    if year.epoch.day > 1:
        month = f"{year.epoch:%B}"
        show.sentence(f"{month} joins its days from {year.epoch:%-d %B %Y} on with those a year later", "dim")
    if any(month.eclipse_days < 0.5 and month.sunlit < _WHOLLY for month in year.months):
        show.sentence(
            "sunlit below 100 % without an eclipse: penumbra, where the Earth hides some of the Sun's disc but "
            "not its centre",
            "dim",
        )
    for first, last in year.seasons if len(year.seasons) <= 4 else ():
        show.sentence(
            f"eclipse season {first:%Y-%m-%d} to {last:%Y-%m-%d}, {round((last - first).total_seconds() / 86400)} days"
        )
    if not max(year.eclipse_min) > 0.0:
        return
    show.sentence(f"\nEclipse of an orbit through the year, 0 to {max(year.eclipse_min):.1f} min")
    show.sentence(show.sparkline(show.thinned(year.eclipse_min, _SPARKS)))
    show.sentence(_months_below(year.epoch), "dim")


def _months_below(epoch: datetime) -> str:
    """Return the months' names, each below the first spark that lies in it."""
    moments = [epoch + timedelta(days=spark / (_SPARKS - 1) * 365.2422) for spark in range(_SPARKS)]
    first = [0] + [i for i in range(1, _SPARKS) if moments[i].month != moments[i - 1].month]
    line = ""
    for spark, following in zip(first, [*first[1:], _SPARKS], strict=True):
        if following - spark >= 4:  # room for a name and a blank
            line = f"{line:<{spark}}{calendar.month_abbr[moments[spark].month]}"
    return line
