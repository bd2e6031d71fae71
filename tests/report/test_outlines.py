from __future__ import annotations

import numpy as np
import pytest

from skyhall.constants import EARTH_RADIUS
from skyhall.report.outlines import LAND, WATER
from skyhall.types import Array

CITIES = {
    "Berlin": (13.4, 52.5),
    "Madrid": (-3.7, 40.4),
    "Moscow": (37.6, 55.8),
    "Delhi": (77.2, 28.6),
    "Beijing": (116.4, 39.9),
    "Ankara": (32.9, 39.9),
    "Nairobi": (36.8, -1.3),
    "Khartoum": (32.5, 15.6),
    "Johannesburg": (28.0, -26.2),
    "Chicago": (-87.6, 41.9),
    "Mexico City": (-99.1, 19.4),
    "Brasília": (-47.9, -15.8),
    "La Paz": (-68.1, -16.5),
    "Alice Springs": (133.9, -23.7),
    "Kyoto": (135.8, 35.0),
    "Birmingham": (-1.9, 52.5),
}
SEAS = {
    "Atlantic, north": (-40.0, 35.0),
    "Atlantic, south": (-15.0, -25.0),
    "Pacific, north": (-150.0, 30.0),
    "Pacific, south": (-120.0, -30.0),
    "Indian Ocean": (80.0, -20.0),
    "Southern Ocean": (90.0, -58.0),
    "Arctic Ocean": (0.0, 85.0),
    "Mediterranean": (18.0, 34.5),
    "Caribbean": (-75.0, 15.0),
    "Gulf of Mexico": (-90.0, 25.0),
    "Bay of Bengal": (88.0, 15.0),
    "Arabian Sea": (65.0, 15.0),
    "Tasman Sea": (160.0, -38.0),
    "Hudson Bay": (-86.0, 59.0),
    "Black Sea": (34.0, 43.2),
    "Caspian Sea": (51.0, 42.0),
}
# 10⁶ km², as commonly quoted (from memory; not looked up), less the islands that have rings of their
# own or are left out; Antarctica with its ice shelves.
AREAS = {
    ("Eurasia", "Chukotka"): 52.0,
    ("Africa",): 29.8,
    ("North America",): 20.8,
    ("South America",): 17.8,
    ("Australia",): 7.6,
    ("Antarctica",): 14.0,
    ("Greenland",): 2.13,
    ("Madagascar",): 0.587,
    ("Borneo",): 0.748,
    ("New Guinea",): 0.786,
}


def inside(ring: Array, longitude: float, latitude: float) -> bool:
    """Whether a ray to the east of the place crosses the ring an odd number of times."""
    (x, y), (u, v) = ring.T, np.roll(ring, -1, axis=0).T
    crossed = (y > latitude) != (v > latitude)
    at = x[crossed] + (latitude - y[crossed]) / (v[crossed] - y[crossed]) * (u[crossed] - x[crossed])
    return bool(np.count_nonzero(at > longitude) % 2)


def on_land(longitude: float, latitude: float) -> bool:
    if any(inside(ring, longitude, latitude) for ring in WATER.values()):
        return False
    return any(inside(ring, longitude, latitude) for ring in LAND.values())


def area(ring: Array) -> float:
    """Area on a sphere within straight lines of longitude and latitude, 10⁶ km²."""
    (x, y), (u, v) = np.radians(ring).T, np.radians(np.roll(ring, -1, axis=0)).T
    mean_sine = np.sin(0.5 * (y + v)) * np.sinc(0.5 * (v - y) / np.pi)
    return float(abs(np.sum((u - x) * mean_sine))) * (EARTH_RADIUS / 1e6) ** 2


@pytest.mark.parametrize("city", CITIES)
def test_cities_are_on_land(city: str) -> None:
    assert on_land(*CITIES[city])


@pytest.mark.parametrize("sea", SEAS)
def test_seas_are_not_land(sea: str) -> None:
    assert not on_land(*SEAS[sea])


@pytest.mark.parametrize("names", AREAS)
def test_areas_are_within_15_percent_of_the_true_ones(names: tuple[str, ...]) -> None:
    assert sum(area(LAND[name]) for name in names) == pytest.approx(AREAS[names], rel=0.15)


def test_land_is_29_percent_of_the_globe() -> None:
    land = sum(map(area, LAND.values())) - sum(map(area, WATER.values()))
    assert land / (4.0 * np.pi * (EARTH_RADIUS / 1e6) ** 2) == pytest.approx(0.292, abs=0.01)


@pytest.mark.parametrize("name", [*LAND, *WATER])
def test_rings_stay_on_the_map(name: str) -> None:
    ring = {**LAND, **WATER}[name]
    assert np.all(np.abs(ring) <= (180.0, 90.0))
