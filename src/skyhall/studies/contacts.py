"""Contacts of satellites with ground sites: when, how high, and how many bits come down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from skyhall.constants import DAY
from skyhall.errors import Place, ValueProblem
from skyhall.fleet import Fleet
from skyhall.fleet_contacts import contact_table
from skyhall.ground_segment import GroundSegment, OwnSite, ground_segment
from skyhall.network.downlink import daily_totals
from skyhall.network.service import serve
from skyhall.network.weather import any_clear, any_clear_independent, draw_sky
from skyhall.types import Array

__all__ = ["Contact", "ContactDay", "Contacts", "contacts_of"]

_ANY_CLEAR_SITES = 20  # above, the Gaussian's tail takes too long
_LONGEST = 400 * DAY


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact.

    Attributes
    ----------
    rise, set, highest : moments, UTC; the window's ends where the pass goes on beyond them.
    max_elevation_deg, range_km : at its highest, where it is about nearest.
    bits : that come down if the satellite is served alone. Of laser light the mean over the weather: what a clear sky
        would let through, times the chance that the link is up under clouds.
    bits_clear : under a clear sky. bits_drawn : with one draw of the weather, and the site's antennas shared by the
        satellites that were asked for.
    begins_before, goes_on : the pass was under way at the start, or still is at the end.
    """

    satellite: int
    site: str
    rise: datetime
    set: datetime
    highest: datetime
    max_elevation_deg: float
    range_km: float
    bits: float
    bits_clear: float
    bits_drawn: float
    begins_before: bool
    goes_on: bool


@dataclass(frozen=True, slots=True)
class ContactDay:
    """A day of contacts, from the start on: how many rise or go on in it, and bits as of `Contact`, cut at its ends."""

    start: datetime
    contacts: int
    bits: float
    bits_clear: float
    bits_drawn: float


@dataclass(frozen=True, slots=True, eq=False)
class Contacts:
    """Contacts over a stretch of time, in order of their rise.

    Attributes
    ----------
    seconds, elevation_deg, range_km, rate_bps : along each contact under a clear sky, (contacts, moments); seconds
        after `start`.
    acquired : when data begin to flow if the satellite is served alone, s after `start`, (contacts,).
    clear_share : of each site's time; None for radio. any_clear : share in which at least one site is clear, with
        their correlation; any_clear_independent : without it.
    busy : share of the time that each site's antennas were at work, in the draw.
    """

    scenario: str
    start: datetime
    stop: datetime
    satellites: tuple[int, ...]
    ground: GroundSegment
    contacts: tuple[Contact, ...]
    days: tuple[ContactDay, ...]
    seed: int
    seconds: Array
    elevation_deg: Array
    range_km: Array
    rate_bps: Array
    acquired: Array
    any_clear: float | None
    any_clear_independent: float | None
    busy: Array


def contacts_of(
    fleet: Fleet,
    *,
    start: datetime | None = None,
    duration: float = DAY,
    satellites: Sequence[int] | None = (0,),
    sites: Sequence[str | OwnSite] = (),
    mask: float | None = None,
    station: str | None = None,
) -> Contacts:
    """Return the contacts of a fleet's satellites with sites.

    Parameters
    ----------
    start : UTC; left out: the scenario's epoch.
    duration : s.
    satellites : by their index; None for all.
    sites, mask, station : see `ground_segment`.

    Raises
    ------
    ValueProblem : an unknown site, a satellite that is not there, or no time.
    """
    if not 0.0 < duration <= _LONGEST:
        raise ValueProblem(
            f"a duration of {duration:g} s has no contacts",
            place=Place("--duration"),
            right="give more than 0 and at most 400 days",
        )
    chosen = _indices(fleet, satellites)
    ground = ground_segment(fleet.scenario, fleet.catalogue, sites=sites, mask=mask, station=station)
    epoch = fleet.scenario.epoch
    begin = epoch if start is None else start
    first = (begin - epoch).total_seconds()
    last = first + duration
    table = contact_table(fleet, ground, first, last, chosen)
    passes, tracks, volume = table.passes, table.tracks, table.volume
    clear, expected = table.clear, table.expected
    sky = None
    if ground.weather is not None:
        sky = draw_sky(ground.weather, first, last, np.random.default_rng(fleet.scenario.seed)).clear
    served = serve(
        passes,
        volume,
        None,
        satellites=len(chosen),
        antennas=ground.antennas,
        start=first,
        stop=last,
        acquisition_time=ground.acquisition_time,
        sky=sky,
    )
    nearest = tracks.range.min(axis=1, initial=np.inf)

    def at(seconds: float) -> datetime:
        return epoch + timedelta(seconds=seconds)

    rows = tuple(
        Contact(
            satellite=int(chosen[passes.satellite[k]]),
            site=ground.names[passes.site[k]],
            rise=at(float(passes.rise[k])),
            set=at(float(passes.set[k])),
            highest=at(float(passes.highest[k])),
            max_elevation_deg=float(np.degrees(passes.max_elevation[k])),
            range_km=float(nearest[k]) / 1e3,
            bits=float(expected[k]),
            bits_clear=float(clear[k]),
            bits_drawn=float(served.bits[k]),
            begins_before=bool(passes.begins_before[k]),
            goes_on=bool(passes.goes_on[k]),
        )
        for k in range(len(passes))
    )
    shares = {"bits": expected, "bits_clear": clear, "bits_drawn": served.bits}
    totals = {
        name: daily_totals(passes, volume, _of(values, volume.total), first, last)
        for name, values in shares.items()
    }
    days = tuple(
        ContactDay(
            start=at(float(day)),
            contacts=int(np.sum((passes.rise < min(day + DAY, last)) & (passes.set > day))),
            **{name: float(bits[index]) for name, (_, bits) in totals.items()},
        )
        for index, day in enumerate(totals["bits"][0])
    )
    rate = np.diff(volume.bits, axis=1) / np.maximum(np.diff(volume.seconds, axis=1), 1e-9)
    acquired = np.where(passes.begins_before, passes.rise, passes.rise + ground.acquisition_time)
    sky_known = ground.weather is not None
    return Contacts(
        scenario=fleet.scenario.name,
        start=begin,
        stop=at(last),
        satellites=tuple(chosen.tolist()),
        ground=ground,
        contacts=rows,
        days=days,
        seed=fleet.scenario.seed,
        seconds=tracks.seconds - first,
        elevation_deg=np.degrees(tracks.elevation),
        range_km=tracks.range / 1e3,
        rate_bps=np.concatenate([rate, rate[:, -1:]], axis=1),
        acquired=np.minimum(acquired, passes.set) - first,
        any_clear=_any_clear(ground) if sky_known else None,
        any_clear_independent=any_clear_independent(ground.weather.availability) if ground.weather else None,
        busy=served.busy,
    )


def _indices(fleet: Fleet, satellites: Sequence[int] | None) -> npt.NDArray[np.int64]:
    if satellites is None:
        return np.arange(len(fleet))
    for index in satellites:
        if not 0 <= index < len(fleet):
            raise ValueProblem(
                f"there is no satellite {index}",
                place=Place("--satellite"),
                right=f"choose 0 to {len(fleet) - 1}, or all",
            )
    return np.array(list(dict.fromkeys(satellites)), dtype=np.int64)


def _of(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0.0)


def _any_clear(ground: GroundSegment) -> float | None:
    if ground.weather is None or len(ground) > _ANY_CLEAR_SITES:
        return None
    return any_clear(ground.weather)
