"""A fleet's contacts with its ground segment: passes, what each could bring down, and what weather leaves of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skyhall.fleet import Fleet
from skyhall.ground_segment import GroundSegment
from skyhall.network.downlink import PassVolume, bits_of_passes, clear_link_share, pass_volume
from skyhall.network.pass_tracks import MOMENTS, PassTracks, track_passes
from skyhall.network.passes import Passes, find_passes
from skyhall.types import Array

__all__ = ["ContactTable", "contact_table"]


@dataclass(frozen=True, slots=True, eq=False)
class ContactTable:
    """Contacts in the order of their rise; seconds after the scenario's epoch.

    Attributes
    ----------
    ground : the sites. satellites : of the fleet, by the index that `passes.satellite` counts in, (chosen,).
    start, stop : s. passes, tracks, volume : when, where in the sky, and bits along each.
    clear : bits of each contact if the satellite is served alone under a clear sky. expected : in the mean over the
        weather; (contacts,).
    """

    ground: GroundSegment
    satellites: npt.NDArray[np.int64]
    start: float
    stop: float
    passes: Passes
    tracks: PassTracks
    volume: PassVolume
    clear: Array
    expected: Array

    def __len__(self) -> int:
        return len(self.passes)

    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return the contacts by name, as a file has them; angles in degrees."""
        passes = self.passes
        return {
            "satellite": self.satellites[passes.satellite],
            "site": np.array(self.ground.names)[passes.site],
            "rise_s": passes.rise,
            "set_s": passes.set,
            "highest_s": passes.highest,
            "max_elevation_deg": np.degrees(passes.max_elevation),
            "bits_clear": self.clear,
            "bits": self.expected,
        }


def contact_table(
    fleet: Fleet,
    ground: GroundSegment,
    start: float,
    stop: float,
    satellites: npt.NDArray[np.int64] | None = None,
    *,
    moments: int = MOMENTS,
) -> ContactTable:
    """Return the contacts of satellites with all sites.

    Parameters
    ----------
    start, stop : s after the scenario's epoch.
    satellites : by their index; None for all.
    moments : at which a contact's rate is looked at.
    """
    chosen = np.arange(len(fleet)) if satellites is None else np.asarray(satellites, dtype=np.int64)
    epoch = fleet.epoch_julian_date

    def positions(seconds: Array) -> Array:
        return fleet.positions(seconds, chosen)

    passes = find_passes(positions, ground.sites, start, stop, epoch)
    passes = passes[np.argsort(passes.rise, kind="stable")]
    tracks = track_passes(positions, ground.sites, passes, start, stop, epoch, moments=moments)
    volume = pass_volume(tracks, passes.site, ground.rates)
    clear = bits_of_passes(volume, passes, ground.acquisition_time)
    chance = np.ones(len(ground))
    if ground.weather is not None:
        sky = ground.weather
        chance = clear_link_share(sky.availability, sky.persistence, ground.acquisition_time)
    return ContactTable(
        ground, chosen, start, stop, passes, tracks, volume, clear, clear * chance[passes.site]
    )
