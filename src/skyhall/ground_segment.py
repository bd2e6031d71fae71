"""Scenario and catalogue to the ground: sites, what each receives at a range and an elevation, and their weather."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from skyhall.catalogue import Catalogue, Part
from skyhall.errors import Place, ValueProblem
from skyhall.network.atmosphere import (
    Turbulence,
    clear_air_loss_db,
    fade_loss_db,
    scintillation_index,
)
from skyhall.network.downlink import Rate
from skyhall.network.ground_site import GroundSites
from skyhall.network.optics import (
    TERMINAL_UNITS,
    OpticalTerminal,
    Telescope,
    link_budget,
    terminal_from_values,
)
from skyhall.network.radio import RadioLink, radio_rate
from skyhall.network.weather import Weather, correlation_by_distance
from skyhall.scenario import Scenario
from skyhall.types import Array

__all__ = [
    "ANTENNA_UNITS",
    "SITE_UNITS",
    "TELESCOPE_UNITS",
    "GroundSegment",
    "OwnSite",
    "ground_segment",
]

# The catalogue's unit of each value.
SITE_UNITS: Mapping[str, str] = {
    "latitude": "rad",
    "longitude": "rad",
    "altitude": "m",
    "availability": "",
    "persistence": "s",
    "transmittance": "",
    "antennas": "",
    "telescopes": "",
}
TELESCOPE_UNITS: Mapping[str, str] = {
    "aperture": "m",
    "efficiency": "",
    "other_loss_db": "",
    "pointing_jitter": "rad",
    "photons_per_bit": "",
    "fade_outage": "",
    "elevation_mask": "rad",
    "price": "USD",
}
ANTENNA_UNITS: Mapping[str, str] = {
    "diameter": "m",
    "x_gain_over_temperature_db": "",
    "ka_gain_over_temperature_db": "",
    "energy_per_bit_db": "",
    "other_loss_db": "",
    "margin_db": "",
    "x_gas_zenith_db": "",
    "ka_gas_zenith_db": "",
    "x_rain_zenith_db": "",
    "ka_rain_zenith_db": "",
    "elevation_mask": "rad",
    "acquisition_time": "s",
    "price": "USD",
}
_BANDS = {"x": (7e9, 12e9), "ka": (18e9, 40e9)}  # Hz, in which a dish receives


@dataclass(frozen=True, slots=True)
class OwnSite:
    """A site that the catalogue does not have; its sky is as clear as the mean over land.

    Parameters
    ----------
    latitude, longitude : rad. altitude : m.
    """

    latitude: float
    longitude: float
    altitude: float = 0.0
    name: str = "own-site"


@dataclass(frozen=True, slots=True, eq=False)
class GroundSegment:
    """The stations that receive a downlink; sequences and arrays of one entry for each site.

    Attributes
    ----------
    names : of the sites.
    sites : where they are, with the mask of the station.
    rates : range (m) and elevation (rad) to bit/s under a clear sky.
    antennas : how many satellites a site can receive at once: telescopes for light, dishes for radio.
    acquisition_time : s, before data flow in a contact.
    weather : of the sites; None for radio, whose rain is a margin.
    downlink, station : parts of the catalogue.
    assumed : named sites that have no such station in the catalogue; one is assumed there.
    """

    names: tuple[str, ...]
    sites: GroundSites
    rates: tuple[Rate, ...]
    antennas: npt.NDArray[np.int64]
    acquisition_time: float
    weather: Weather | None
    downlink: str
    station: str
    assumed: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class _Site:
    """A site's values, of the catalogue or of the user."""

    name: str
    values: Mapping[str, float]


def ground_segment(
    scenario: Scenario,
    catalogue: Catalogue,
    *,
    sites: Sequence[str | OwnSite] = (),
    mask: float | None = None,
    station: str | None = None,
) -> GroundSegment:
    """Return the ground that receives a scenario's downlink.

    Parameters
    ----------
    sites : names, or places of one's own; left out: those of the scenario, else all that can receive it.
    mask : lowest elevation, rad; left out: the scenario's, else what the station says.
    station : a telescope or antenna of the catalogue; left out: the scenario's.

    Raises
    ------
    ValueProblem : an unknown site or station, a station that cannot receive the downlink, or an impossible place.
    """
    asked = scenario.network
    key = "network.downlink" if asked.downlink is not None else "satellite.terminal"
    name = asked.downlink or scenario.satellite.terminal
    part = catalogue.part("terminals", name, place=scenario.place(key))
    laser = "aperture" in part.facts
    kind, usual = ("telescopes", asked.telescope) if laser else ("antennas", asked.antenna)
    at = Place("--station") if station is not None else scenario.place(f"network.{kind[:-1]}")
    receiver = catalogue.part(kind, station or usual, place=at)
    found = _chosen(scenario, catalogue, kind, sites)
    lowest = asked.elevation_mask if mask is None else mask
    columns = {each: np.array([site.values[each] for site in found]) for each in SITE_UNITS}
    places = GroundSites(
        columns["latitude"],
        columns["longitude"],
        columns["altitude"],
        np.asarray(receiver("elevation_mask", "rad") if lowest is None else lowest),
    )
    if laser:
        rates = _laser_rates(part, receiver, catalogue, columns["transmittance"])
        acquisition = part("acquisition_time", "s")
        length = catalogue.part("environments", "clouds")("correlation_length", "m")
        alike = correlation_by_distance(places.latitude, places.longitude, length)
        weather = Weather(columns["availability"], columns["persistence"], alike)
    else:
        rates = (_radio_rate(part, receiver),) * len(found)
        acquisition, weather = receiver("acquisition_time", "s"), None
    return GroundSegment(
        names=tuple(site.name for site in found),
        sites=places,
        rates=rates,
        antennas=np.maximum(columns[kind], 1.0).astype(np.int64),
        acquisition_time=acquisition,
        weather=weather,
        downlink=name,
        station=receiver.name,
        assumed=tuple(site.name for site in found if site.values[kind] < 1.0),
    )


def _chosen(
    scenario: Scenario, catalogue: Catalogue, kind: str, sites: Sequence[str | OwnSite]
) -> list[_Site]:
    everywhere = [part for part in catalogue if part.kind == "sites"]
    able = [part.name for part in everywhere if part(kind) >= 1.0]
    asked: Sequence[str | OwnSite] = sites or scenario.network.sites or able
    place = Place("--site") if sites else scenario.place("network.sites")
    found: list[_Site] = []
    for each in asked:
        if isinstance(each, OwnSite):
            found.append(_Site(each.name, _own_values(each, catalogue)))
            continue
        part = catalogue.part("sites", each, place=place)
        found.append(_Site(each, {key: part(key, unit) for key, unit in SITE_UNITS.items()}))
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        raise ValueProblem("a site is named twice", place=place, right="name each once")
    return found


def _own_values(site: OwnSite, catalogue: Catalogue) -> dict[str, float]:
    clouds = catalogue.part("environments", "clouds")
    return {
        "latitude": site.latitude,
        "longitude": site.longitude,
        "altitude": site.altitude,
        "availability": clouds("land_availability"),
        "persistence": clouds("land_persistence", "s"),
        "transmittance": clouds("land_transmittance"),
        "antennas": 1.0,
        "telescopes": 1.0,
    }


def _laser_rates(part: Part, receiver: Part, catalogue: Catalogue, transmittance: Array) -> tuple[Rate, ...]:
    terminal = terminal_from_values({key: part(key, unit) for key, unit in TERMINAL_UNITS.items()})
    telescope = Telescope(
        aperture=receiver("aperture", "m"),
        efficiency=receiver("efficiency"),
        pointing_jitter=receiver("pointing_jitter", "rad"),
        photons_per_bit=receiver("photons_per_bit"),
    )
    air = catalogue.part("environments", "turbulence")
    turbulence = Turbulence(air("wind", "m/s"), air("ground"))
    loss, outage = receiver("other_loss_db"), receiver("fade_outage")
    return tuple(
        partial(_laser_rate, terminal, telescope, turbulence, loss, outage, float(clear))
        for clear in transmittance
    )


def _laser_rate(
    terminal: OpticalTerminal,
    telescope: Telescope,
    turbulence: Turbulence,
    loss_db: float,
    outage: float,
    transmittance: float,
    range_m: Array,
    elevation: Array,
) -> Array:
    scintillation = scintillation_index(elevation, telescope.aperture, terminal.wavelength, turbulence)
    extra = loss_db + clear_air_loss_db(elevation, transmittance) + fade_loss_db(scintillation, outage)
    rate = link_budget(terminal, range_m, telescope, extra).rate_bps
    return np.where(range_m <= terminal.longest_range, rate, 0.0)


def _radio_rate(part: Part, receiver: Part) -> Rate:
    frequency = part("frequency", "Hz")
    band = next((name for name, (low, high) in _BANDS.items() if low <= frequency <= high), None)
    if band is None:
        raise ValueProblem(
            f"no dish of the catalogue receives {frequency / 1e9:g} GHz",
            place=Place(key=f"catalogue.{part.name}.frequency"),
            right="choose X band (7 to 12 GHz) or Ka band (18 to 40 GHz)",
        )
    link = RadioLink(
        eirp_dbw=part("eirp_dbw"),
        frequency=frequency,
        gain_over_temperature_db=receiver(f"{band}_gain_over_temperature_db"),
        energy_per_bit_db=receiver("energy_per_bit_db"),
        bandwidth=part("bandwidth", "Hz"),
        spectral_efficiency=part("bits_per_hz_most"),
        other_loss_db=receiver("other_loss_db"),
        margin_db=receiver("margin_db"),
        gas_zenith_db=receiver(f"{band}_gas_zenith_db"),
        rain_zenith_db=receiver(f"{band}_rain_zenith_db"),
    )
    modem = part("rate", "bit/s")
    return lambda range_m, elevation: np.minimum(radio_rate(link, range_m, elevation), modem)
