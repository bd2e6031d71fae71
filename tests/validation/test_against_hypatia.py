"""Routes against Hypatia (Kassing et al. 2020, IMC '20): round trips and paths over Kuiper's first shell.

The figures are those of Hypatia's own regression data (`satgenpy/tests/data_to_match/kuiper_630`): 34 planes of 34
satellites at 14.80 revolutions a day and 51.9 degrees, every second plane shifted by half a slot, +grid, epoch
2000-01-01; a city sees what is within 1,260 km. Satellites fly with SGP4 there as here, numbered plane by plane.
What is left is below half a microsecond.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from sgp4.api import WGS72, Satrec, SatrecArray

from skyhall.network.ground_site import on_the_ground
from skyhall.network.mesh import open_links, plus_grid
from skyhall.network.routes import Router, StationRoutes
from skyhall.network.station_links import station_links
from skyhall.orbit import greenwich_angle

PLANES = SLOTS = 34
EPOCH = 2451544.5  # 2000-01-01 00:00 UTC
REACH = math.hypot(630e3 / math.tan(math.radians(30.0)), 630e3)  # m, of a city
CITIES = {
    "Manila": (14.6042, 120.9822),
    "Saint Petersburg": (59.929858, 30.326228),
    "Dalian": (38.913811, 121.602322),
}
RTT_MS = 0.001  # tolerance, as the figures are rounded


@cache
def shell() -> SatrecArray:
    made = []
    for number in range(PLANES * SLOTS):
        plane, slot = divmod(number, SLOTS)
        satellite = Satrec()
        satellite.sgp4init(
            WGS72,
            "i",
            number + 1,
            EPOCH - 2433281.5,
            0.0,
            0.0,
            0.0,
            1e-7,
            0.0,
            math.radians(51.9),
            2.0 * math.pi * (slot + 0.5 * (plane % 2)) / SLOTS,
            14.80 * 2.0 * math.pi / 1440.0,
            2.0 * math.pi * plane / PLANES,
        )
        made.append(satellite)
    return SatrecArray(made)


@cache
def routes(seconds: float) -> StationRoutes:
    day = EPOCH + seconds / 86400.0
    error, position, _ = shell().sgp4(np.array([EPOCH]), np.array([seconds / 86400.0]))
    assert not error.any()
    where = 1e3 * position[:, 0]
    number = np.arange(PLANES * SLOTS)
    mesh = plus_grid(number // SLOTS, number % SLOTS)
    states = open_links(mesh.edges, where)
    ground, zenith = on_the_ground(*np.radians(list(CITIES.values())).T, greenwich_angle(day))
    seen = station_links(ground, zenith, where, mask=0.0, longest_range=REACH)
    return Router(mesh.satellites, mesh.edges).weigh(states.delay, states.open).between_stations(seen)


@pytest.mark.parametrize(
    ("here", "there", "seconds", "rtt_ms", "path"),
    [
        ("Manila", "Dalian", 0.0, 29.42314, [184, 183, 217]),
        ("Manila", "Dalian", 17.9, 28.96649, [184, 183, 217]),
        ("Manila", "Dalian", 18.5, 25.33938, [218, 217]),
        ("Manila", "Dalian", 27.0, 25.23494, [218, 217]),
        ("Manila", "Dalian", 28.0, 41.14117, [648, 649, 650, 616]),
        ("Manila", "Dalian", 50.0, 41.18580, [648, 649, 650, 616]),
        ("Manila", "Saint Petersburg", 0.0, 76.84605, None),
        ("Manila", "Saint Petersburg", 10.0, 75.62188, None),
        ("Manila", "Saint Petersburg", 50.0, 73.83902, None),
        ("Saint Petersburg", "Dalian", 0.0, 63.20387, None),
        ("Saint Petersburg", "Dalian", 12.0, 61.77793, None),
        ("Saint Petersburg", "Dalian", 50.0, 60.03587, None),
    ],
)
def test_round_trips_over_kuiper_are_hypatias(
    here: str, there: str, seconds: float, rtt_ms: float, path: list[int] | None
) -> None:
    names = list(CITIES)
    found = routes(seconds)
    source, target = names.index(here), names.index(there)
    assert 2e3 * found.distance[source, target] == pytest.approx(rtt_ms, abs=RTT_MS)
    if path is not None:
        assert found.path(source, target) == path
