"""``skyhall contacts``: when satellites of a scenario pass over ground sites, and what comes down."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skyhall.cli import show
from skyhall.cli.options import (
    as_json,
    blame,
    call,
    elements_option,
    loaded,
    scenario_argument,
    set_option,
)
from skyhall.errors import Place, SkyhallError, ValueProblem

if TYPE_CHECKING:
    from skyhall.ground_segment import OwnSite
    from skyhall.scenario import Scenario
    from skyhall.studies.contacts import Contact, Contacts

__all__ = ["command"]

_SHOWN = 40  # contacts of a table
_OWN = {"latitude": "--latitude", "longitude": "--longitude", "altitude": "--altitude", "mask": "--mask"}


@click.command("contacts")
@scenario_argument
@click.option(
    "--site",
    "sites",
    multiple=True,
    metavar="NAME",
    help="Of the catalogue's kind sites; may be repeated. Default: the scenario's, else all that can receive.",
)
@click.option("--latitude", help='Of a site of your own, e.g. "48.1 deg"; with --longitude.')
@click.option("--longitude", help="Of a site of your own, east positive.")
@click.option("--altitude", help="Of a site of your own, over the ellipsoid; default 0 m.")
@click.option("--mask", help='Lowest elevation, e.g. "10 deg"; default: the station\'s.')
@click.option(
    "--station", help="Telescope (laser) or antenna (radio) of the catalogue; default the scenario's."
)
@click.option(
    "--satellite",
    "satellites",
    multiple=True,
    metavar="INDEX",
    help="From 0, or 'all'; may be repeated. Default 0.",
)
@click.option("--start", help="ISO 8601 in UTC; default the scenario's.")
@click.option("--duration", default="1 day", show_default=True, help='For example "7 days".')
@set_option
@elements_option
@click.option(
    "--ion", type=click.Path(path_type=Path), metavar="FILE", help="Write an ION contact plan (clear sky)."
)
@as_json
def command(
    scenario: str,
    sites: tuple[str, ...],
    latitude: str | None,
    longitude: str | None,
    altitude: str | None,
    mask: str | None,
    station: str | None,
    satellites: tuple[str, ...],
    start: str | None,
    duration: str,
    sets: tuple[str, ...],
    elements: str | None,
    ion: Path | None,
    json: bool,
) -> None:
    """Print the contacts of SCENARIO's satellites with ground sites: times, elevation and bits."""
    options = {
        "--start": ("flight.start", start),
        "--elements": ("orbit.elements", elements),
    }
    own = _own_site(latitude, longitude, altitude)
    asked_duration = _quantity("--duration", duration, "s")
    lowest = None if mask is None else _quantity("--mask", mask, "rad")
    chosen = _satellites(satellites)
    sgp4 = ("orbit.propagation=sgp4",) if elements is not None else ()
    asked = loaded(scenario, [*sgp4, *sets], options)
    with show.progress(json=json) as told:
        told("contacts", 0.1)
        found = _found(asked, [*sites, *own], chosen, asked_duration, lowest, station)
    if ion is not None:
        from skyhall.files import write_text
        from skyhall.report.contact_plan import contact_plan

        write_text(ion, contact_plan(found))
    if json:
        show.document([_row(each, found) for each in found.contacts])
        return
    _show(found)
    if ion is not None:
        show.heading("Files")
        click.echo(f"{ion}")
    _next(scenario, asked, found, sets, sites, elements)


def _found(
    asked: Scenario,
    sites: list[str | OwnSite],
    satellites: list[int] | None,
    duration: float,
    mask: float | None,
    station: str | None,
) -> Contacts:
    from skyhall.fleet import design
    from skyhall.studies.contacts import contacts_of

    try:
        return contacts_of(
            design(asked),
            start=asked.flight.start,
            duration=duration,
            satellites=satellites,
            sites=sites,
            mask=mask,
            station=station,
        )
    except SkyhallError as error:
        blame(error, {key: Place(option) for key, option in _OWN.items()})
        raise


def _own_site(latitude: str | None, longitude: str | None, altitude: str | None) -> list[OwnSite]:
    if latitude is None and longitude is None:
        if altitude is not None:
            raise ValueProblem(
                "is of no site", place=Place("--altitude"), right="give --latitude and --longitude as well"
            )
        return []
    if latitude is None or longitude is None:
        missing = "--latitude" if latitude is None else "--longitude"
        raise ValueProblem("is missing", place=Place(missing), right="a site of your own needs both")
    from skyhall.ground_segment import OwnSite

    return [
        OwnSite(
            _quantity("--latitude", latitude, "rad"),
            _quantity("--longitude", longitude, "rad"),
            _quantity("--altitude", altitude or "0 m", "m"),
        )
    ]


def _quantity(option: str, text: str, unit: str) -> float:
    from skyhall.units import parse

    try:
        return parse(text, unit)
    except ValueProblem as error:
        error.place = Place(option)
        raise


def _satellites(given: tuple[str, ...]) -> list[int] | None:
    if "all" in given:
        return None
    for text in given:
        if not text.isdecimal():
            raise ValueProblem(
                f"{text!r} is not the index of a satellite",
                place=Place("--satellite"),
                right="give a whole number from 0, or all",
            )
    return [int(text) for text in given] or [0]


def _row(each: Contact, found: Contacts) -> dict[str, Any]:
    return {
        "satellite": each.satellite,
        "site": each.site,
        "rise": _utc(each.rise),
        "set": _utc(each.set),
        "max_elevation_deg": each.max_elevation_deg,
        "highest": _utc(each.highest),
        "range_km": each.range_km,
        "bits": each.bits,
        "bits_are": "clear sky" if found.ground.weather is None else "expected",
        "bits_clear": each.bits_clear,
        "bits_drawn": each.bits_drawn,
        "seed": found.seed,
        "begins_before": each.begins_before,
        "goes_on": each.goes_on,
    }


def _utc(moment: datetime) -> str:
    from skyhall.report.moments import utc

    return utc(moment, digits=3)


def _show(found: Contacts) -> None:
    ground = found.ground
    who = (
        f"satellite {found.satellites[0]}"
        if len(found.satellites) == 1
        else f"{len(found.satellites):,} satellites"
    )
    show.heading(f"Contacts of {found.scenario}", who)
    show.sentence(f"{ground.downlink} to {ground.station}, {_rates(found)}")
    several = len(found.satellites) > 1
    cloudy = ground.weather is not None
    rows = [
        (
            *((f"{each.satellite:,}",) if several else ()),
            each.site,
            f"{each.rise:%m-%d %H:%M:%S}" + ("*" if each.begins_before else ""),
            f"{each.set:%H:%M:%S}" + ("*" if each.goes_on else ""),
            f"{each.max_elevation_deg:.1f}°",
            _bits(each.bits),
            _bits(each.bits_drawn),
        )
        for each in found.contacts[:_SHOWN]
    ]
    sums = ("expected", "drawn") if cloudy else ("bits", "shared")
    if rows:
        columns = (*(("satellite",) if several else ()), "site", "rise (UTC)", "set", "highest", *sums)
        show.table(columns, rows, right=tuple(range(len(columns) - 4, len(columns))))
    else:
        show.sentence("No contact in this time.")
    if len(found.contacts) > _SHOWN:
        show.sentence(f"… and {len(found.contacts) - _SHOWN:,} more; --json lists all.", "dim")
    if any(each.begins_before or each.goes_on for each in found.contacts):
        show.sentence("* the pass goes on beyond the time that was asked for", "dim")
    _say_weather(found)
    show.heading("Days", "from the start on")
    show.table(
        ("day", "contacts", *sums, *(("clear",) if cloudy else ())),
        [
            (
                f"{day.start:%Y-%m-%d %H:%M}",
                f"{day.contacts:,}",
                _bits(day.bits),
                _bits(day.bits_drawn),
                *((_bits(day.bits_clear),) if cloudy else ()),
            )
            for day in found.days
        ],
        right=(1, 2, 3, 4) if cloudy else (1, 2, 3),
    )
    if found.contacts and not any(each.bits_clear for each in found.contacts):
        show.sentence(
            f"Nothing comes down: {ground.downlink} does not close its link to {ground.station} at these ranges."
        )


def _say_weather(found: Contacts) -> None:
    shared = (
        "its site's antennas shared by the satellites asked for"
        if len(found.satellites) > 1
        else "at one site at a time"
    )
    if found.ground.assumed:
        what = "telescope" if found.ground.weather is not None else "antenna"
        show.sentence(f"No {what} stands at {', '.join(found.ground.assumed)}: one is assumed there.", "dim")
    if found.ground.weather is None:
        show.sentence(f"bits: if served alone. shared: {shared}.", "dim")
        return
    show.sentence(
        "expected: mean over the weather, if served alone. clear: without clouds. "
        f"drawn: one draw of the weather (seed {found.seed}), {shared}.",
        "dim",
    )
    if found.any_clear is not None and found.any_clear_independent is not None and len(found.ground) > 1:
        show.sentence(
            f"All {len(found.ground)} sites are cloudy at once for {_rare(found.any_clear)} of the time; "
            f"{_rare(found.any_clear_independent)} if their clouds were independent."
        )


def _rare(clear: float) -> str:
    """Return the rest of a share as a percentage; what the Gaussian's integration cannot tell from none says so."""
    cloudy = 100.0 * (1.0 - clear)
    return show.number(cloudy, "%", 2) if cloudy >= 0.01 else "less than 0.01 %"


def _rates(found: Contacts) -> str:
    lit = found.rate_bps[found.rate_bps > 0.0]
    if not len(found.contacts):
        return "no pass"
    if not len(lit):
        return "no rate at any range"
    low, high = float(lit.min()) / 1e9, float(lit.max()) / 1e9
    if high < 1.001 * low:
        return show.number(high, "Gbit/s under a clear sky", 3)
    return f"{show.number(low, digits=3)} to {show.number(high, 'Gbit/s under a clear sky', 3)}"


def _bits(value: float) -> str:
    for factor, unit in ((1e15, "Pbit"), (1e12, "Tbit"), (1e9, "Gbit"), (1e6, "Mbit")):
        if value >= factor:
            return show.number(value / factor, unit, 3)
    return show.number(value, "bit", 3)


def _next(
    scenario: str,
    asked: Scenario,
    found: Contacts,
    sets: tuple[str, ...],
    sites: tuple[str, ...],
    elements: str | None,
) -> None:
    site = sites[0] if sites else found.ground.names[0]
    radio, laser = "network.downlink=ka-band-radio", "network.downlink=optical-downlink"
    other = laser if asked.network.downlink == "ka-band-radio" else radio
    kept = [text for text in sets if text.partition("=")[0].strip() != "network.downlink"]
    show.next_commands(
        call("contacts", scenario, site=site, elements=elements, satellite="all", duration="6 h", sets=sets),
        call("contacts", scenario, elements=elements, sets=[*kept, other]),
        call("catalogue", "sites"),
    )
