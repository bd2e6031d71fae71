"""Who sees whom from the ground."""

from __future__ import annotations

import numpy as np
import pytest

from skyhall.constants import EARTH_FLATTENING, EARTH_RADIUS, SPEED_OF_LIGHT
from skyhall.errors import ValueProblem
from skyhall.network.ground_site import on_the_ground
from skyhall.network.station_links import station_links
from skyhall.orbit import circular_position, walker_delta
from skyhall.orbit.geodetic import geodetic


def test_places_come_back_from_their_positions() -> None:
    latitude, longitude = (
        np.radians([-89.0, -30.0, 0.0, 51.5, 90.0]),
        np.radians([10.0, -170.0, 0.0, -0.1, 0.0]),
    )
    position, zenith = on_the_ground(latitude, longitude, height=120.0)
    back = geodetic(position)
    assert back[0] == pytest.approx(latitude, abs=1e-10)
    assert back[1][:4] == pytest.approx(longitude[:4], abs=1e-10)
    assert back[2] == pytest.approx(np.full(5, 120.0), abs=1e-3)
    assert np.linalg.norm(zenith, axis=1) == pytest.approx(np.ones(5))


def test_the_pole_is_21_km_nearer_to_the_centre() -> None:
    position, _ = on_the_ground(np.array([0.5 * np.pi]), np.array([0.0]))
    assert np.linalg.norm(position) == pytest.approx(EARTH_RADIUS * (1.0 - EARTH_FLATTENING), abs=1e-3)


def test_a_latitude_of_95_degrees_is_refused() -> None:
    with pytest.raises(ValueProblem, match="latitude of 95 deg"):
        on_the_ground(np.radians(95.0), 0.0)


def elevations(ground: np.ndarray, zenith: np.ndarray, position: np.ndarray) -> np.ndarray:
    way = position[None] - ground[:, None]
    return np.arcsin(np.einsum("sni,si->sn", way, zenith) / np.linalg.norm(way, axis=2))


@pytest.mark.parametrize("mask", [-5.0, 0.0, 10.0, 25.0, 40.0])
def test_exactly_the_satellites_above_the_mask_are_seen(mask: float) -> None:
    elements, _, _ = walker_delta(550e3, np.radians(53.0), 1584, 72, 39)
    position = circular_position(elements, 100.0)
    rng = np.random.default_rng(1)
    ground, zenith = on_the_ground(rng.uniform(-1.5, 1.5, 30), rng.uniform(-3, 3, 30), 0.7)
    links = station_links(ground, zenith, position, mask=np.radians(mask))
    above = elevations(ground, zenith, position) >= np.radians(mask)
    assert np.array_equal(np.nonzero(above)[0], links.station)
    assert np.array_equal(np.nonzero(above)[1], links.satellite)
    way = position[links.satellite] - ground[links.station]
    assert links.delay == pytest.approx(np.linalg.norm(way, axis=1) / SPEED_OF_LIGHT)


def test_nearest_only_keeps_the_nearest_of_each_station() -> None:
    elements, _, _ = walker_delta(550e3, np.radians(53.0), 1584, 72, 39)
    position = circular_position(elements, 0.0)
    ground, zenith = on_the_ground(np.radians([0.0, 40.0, 89.0]), np.zeros(3))
    whole = station_links(ground, zenith, position, mask=np.radians(25.0))
    near = station_links(ground, zenith, position, mask=np.radians(25.0), nearest=2)
    assert np.diff(near.starts).tolist() == [2, 2, 0]
    for station in (0, 1):
        expected = np.sort(whole.length[whole.station == station])[:2]
        assert near.length[near.station == station] == pytest.approx(expected)
    short = station_links(ground, zenith, position, mask=np.radians(25.0), longest_range=700e3)
    assert short.length.max() <= 700e3


def test_chunks_of_stations_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    elements, _, _ = walker_delta(550e3, 0.9, 240, 12, 1)
    position = circular_position(elements, 0.0)
    ground, zenith = on_the_ground(np.linspace(-0.8, 0.8, 9), np.linspace(-3, 3, 9))
    whole = station_links(ground, zenith, position, mask=0.1)
    monkeypatch.setattr("skyhall.network.station_links._AT_ONCE", 500)
    parts = station_links(ground, zenith, position, mask=0.1)
    assert np.array_equal(whole.starts, parts.starts)
    assert np.array_equal(whole.satellite, parts.satellite)
