"""Passes over sites: their times on orbits that can be done by hand, windows' edges, and bounded memory."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skyhall.constants import DAY, EARTH_FLATTENING, EARTH_RADIUS, EARTH_ROTATION
from skyhall.errors import ValueProblem
from skyhall.network.ground_site import GroundSites, earth_fixed, elevation_and_range
from skyhall.network.pass_tracks import track_passes
from skyhall.network.passes import Passes, find_passes
from skyhall.network.sampling import positions_of
from skyhall.orbit import MeanElements, geostationary_ring, greenwich_angle, mean_motion
from skyhall.orbit.geodetic import geodetic

EPOCH = 2461054.5
SITES = GroundSites(
    np.radians([78.2, 28.3, 0.0, -33.4]),
    np.radians([15.4, -16.5, 100.0, -70.7]),
    np.array([450.0, 2400.0, 0.0, 500.0]),
    np.radians([5.0, 20.0, 10.0, 0.0]),
)


def low_orbits(count: int = 6) -> MeanElements:
    spread = np.arange(count)
    return MeanElements(
        EARTH_RADIUS + 500e3 + 50e3 * spread,
        0.001,
        np.radians(53.0 + 8 * spread),
        1.1 * spread,
        0.3,
        0.7 * spread,
    )


def found(
    elements: MeanElements, sites: GroundSites = SITES, duration: float = DAY, **options: float
) -> Passes:
    return find_passes(positions_of(elements), sites, 0.0, duration, EPOCH, **options)  # type: ignore[arg-type]


def test_a_sites_position_is_where_the_geodetic_coordinates_are() -> None:
    latitude, longitude, height = geodetic(SITES.position)
    assert_allclose(latitude, SITES.latitude, atol=1e-9)
    assert_allclose(longitude, SITES.longitude, atol=1e-12)
    assert_allclose(height, SITES.altitude, atol=1e-3)


def test_a_pole_is_a_flattened_radius_from_the_centre() -> None:
    pole = GroundSites(np.array([0.5 * np.pi]), np.zeros(1), np.zeros(1), np.zeros(1))
    assert pole.position[0] == pytest.approx([0.0, 0.0, EARTH_RADIUS * (1 - EARTH_FLATTENING)], abs=1e-3)


def test_a_satellite_along_the_normal_stands_in_the_zenith() -> None:
    above = SITES.position + 550e3 * SITES.zenith
    elevation, distance = elevation_and_range(SITES, np.arange(4), above)
    assert_allclose(np.degrees(elevation), 90.0, atol=1e-5)
    assert_allclose(distance, 550e3, atol=1e-3)


def test_elevation_counts_from_the_ellipsoids_horizon_not_from_the_geocentric_one() -> None:
    # At 45 degrees the two zeniths are 0.19 degrees apart.
    site = GroundSites(np.radians([45.0]), np.zeros(1), np.zeros(1), np.zeros(1))
    outward = site.position / np.linalg.norm(site.position)
    elevation, _ = elevation_and_range(site, 0, site.position + 500e3 * outward)
    assert 90.0 - np.degrees(elevation[0]) == pytest.approx(0.1924, abs=0.0005)


def test_an_equatorial_pass_lasts_as_long_as_plane_geometry_says() -> None:
    # Over an equatorial site the whole pass lies in one plane: the arc above the mask is arccos((R/r) cos e) - e.
    radius, mask = EARTH_RADIUS + 700e3, np.radians(10.0)
    site = GroundSites(np.zeros(1), np.zeros(1), np.zeros(1), np.array([mask]))
    orbit = MeanElements(np.array([radius]), 0.0, 0.0, 0.0, 0.0, 0.0)
    motion = float(mean_motion(radius))
    passes = find_passes(
        lambda seconds: radius * _turning(motion * seconds)[None], site, 0.0, DAY, EPOCH, step=30.0
    )
    half = np.arccos(EARTH_RADIUS / radius * np.cos(mask)) - mask
    expected = 2.0 * half / (motion - EARTH_ROTATION)
    inner = ~passes.begins_before & ~passes.goes_on
    assert len(orbit) == 1
    assert_allclose(passes.duration[inner], expected, atol=0.001)
    assert_allclose(np.degrees(passes.max_elevation[inner]), 90.0, atol=1e-4)
    assert_allclose(passes.highest[inner], 0.5 * (passes.rise + passes.set)[inner], atol=0.01)


def _turning(angle: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1)


def test_at_rise_and_set_the_elevation_is_the_mask_and_at_the_top_it_is_largest() -> None:
    elements = low_orbits()
    passes = found(elements)
    fly = positions_of(elements)
    assert len(passes) > 60
    for index in range(len(passes)):
        times = np.array([passes.rise[index], passes.highest[index], passes.set[index]])
        around = np.concatenate([times, np.linspace(passes.rise[index], passes.set[index], 50)])
        place = earth_fixed(fly(around), EPOCH, around)[passes.satellite[index]]
        elevation, _ = elevation_and_range(SITES, passes.site[index], place)
        mask = SITES.mask[passes.site[index]]
        if not passes.begins_before[index]:
            assert abs(elevation[0] - mask) < 1e-7
        if not passes.goes_on[index]:
            assert abs(elevation[2] - mask) < 1e-7
        assert elevation[1] == pytest.approx(passes.max_elevation[index], abs=1e-7)
        assert elevation.max() <= passes.max_elevation[index] + 1e-7


def test_no_pass_is_missed_or_invented_beside_a_fine_grid() -> None:
    elements = low_orbits()
    passes = found(elements)
    seconds = np.arange(0.0, DAY, 2.0)
    place = earth_fixed(positions_of(elements)(seconds), EPOCH, seconds)
    for satellite in range(len(elements)):
        for site in range(len(SITES)):
            elevation, _ = elevation_and_range(SITES, site, place[satellite])
            up = elevation > SITES.mask[site]
            mine = (passes.satellite == satellite) & (passes.site == site)
            inside = (seconds[:, None] > passes.rise[mine]) & (seconds[:, None] < passes.set[mine])
            assert np.array_equal(inside.any(axis=1), up)


@pytest.mark.parametrize("step", [20.0, 55.0])
@pytest.mark.parametrize("most", [60, 2000, 10**7])
def test_neither_the_step_nor_the_memory_changes_a_time(step: float, most: int) -> None:
    elements = low_orbits(3)
    one, other = found(elements, duration=6e4), found(elements, duration=6e4, step=step, most=most)
    assert np.array_equal(one.satellite, other.satellite)
    assert np.array_equal(one.site, other.site)
    assert_allclose(one.rise, other.rise, atol=1e-3)
    assert_allclose(one.set, other.set, atol=1e-3)
    assert_allclose(one.max_elevation, other.max_elevation, atol=1e-7)
    assert_allclose(one.highest, other.highest, atol=0.05)


def test_a_pass_that_only_grazes_the_mask_between_two_samples_is_found() -> None:
    elements = low_orbits(1)
    sites = GroundSites(SITES.latitude[1:2], SITES.longitude[1:2], SITES.altitude[1:2], np.zeros(1))
    passes = found(elements, sites)
    top = passes.max_elevation[~passes.begins_before & ~passes.goes_on].min()
    grazed = GroundSites(sites.latitude, sites.longitude, sites.altitude, np.array([top - 1e-6]))
    met = found(elements, grazed)
    shortest = met.duration.min()
    assert shortest < 10.0
    assert met.max_elevation.min() == pytest.approx(top, abs=1e-8)
    unmet = found(
        elements, GroundSites(sites.latitude, sites.longitude, sites.altitude, np.array([top + 1e-6]))
    )
    assert len(unmet) == len(met) - 1


@pytest.mark.parametrize("offset", [-16.0, -5.0, 0.0, 5.0, 16.0])
def test_a_pass_between_samples_is_found_once_where_stretches_meet(offset: float) -> None:
    elements = low_orbits(1)
    sites = GroundSites(SITES.latitude[1:2], SITES.longitude[1:2], SITES.altitude[1:2], np.zeros(1))
    passes = found(elements, sites)
    lowest = int(np.argmin(passes.max_elevation))
    mask = np.array([passes.max_elevation[lowest] - 1e-6])
    grazed = GroundSites(sites.latitude, sites.longitude, sites.altitude, mask)
    # Stretches of 24 steps of 30 s: one ends at the summit, give or take.
    begin = float(passes.highest[lowest]) - 24 * 30.0 + offset
    one = find_passes(positions_of(elements), grazed, begin, begin + 48 * 30.0, EPOCH, most=1)
    assert len(one) == 1
    assert one.highest[0] == pytest.approx(passes.highest[lowest], abs=0.1)


def test_passes_across_the_windows_edges_are_cut_and_marked() -> None:
    elements = low_orbits(1)
    whole = found(elements)
    inner = whole[~whole.begins_before & ~whole.goes_on]
    begin, end = float(inner.rise[0]) + 50.0, float(inner.set[0]) - 20.0
    site = inner.site[:1]
    place = GroundSites(SITES.latitude[site], SITES.longitude[site], SITES.altitude[site], SITES.mask[site])
    cut = find_passes(positions_of(elements), place, begin, end, EPOCH)
    assert (cut.rise[0], cut.set[0]) == (begin, end)
    assert cut.begins_before[0]
    assert cut.goes_on[0]
    assert cut.max_elevation[0] <= inner.max_elevation[0]


def test_a_geostationary_satellite_is_seen_without_end_or_never() -> None:
    ring = geostationary_ring(8, EPOCH).elements
    sites = GroundSites(np.radians([10.0]), np.zeros(1), np.zeros(1), np.radians([10.0]))
    passes = find_passes(positions_of(ring), sites, 0.0, DAY, EPOCH)
    assert 0 < len(passes) < 8
    assert passes.begins_before.all()
    assert passes.goes_on.all()
    assert_allclose(passes.duration, DAY)
    assert np.all(passes.max_elevation > np.radians(10.0))


def test_a_satellite_that_is_lost_has_set() -> None:
    elements = low_orbits(2)
    fly = positions_of(elements)
    lost_at = 20000.0

    def positions(seconds: np.ndarray) -> np.ndarray:
        place = fly(seconds)
        place[0, seconds > lost_at] = np.nan
        return place

    passes = find_passes(positions, SITES, 0.0, DAY, EPOCH)
    assert passes.set[passes.satellite == 0].max() < lost_at + 31.0
    assert passes.set[passes.satellite == 1].max() > lost_at
    assert np.isfinite(passes.max_elevation).all()


def test_nobody_in_the_sky_gives_no_passes() -> None:
    equator = MeanElements(np.array([EARTH_RADIUS + 500e3]), 0.0, 0.0, 0.0, 0.0, 0.0)
    polar = GroundSites(SITES.latitude[:1], SITES.longitude[:1], SITES.altitude[:1], SITES.mask[:1])
    assert len(found(equator, polar)) == 0


def test_a_track_begins_and_ends_at_the_mask_and_holds_the_largest_elevation() -> None:
    elements = low_orbits(3)
    passes = found(elements)
    tracks = track_passes(positions_of(elements), SITES, passes, 0.0, DAY, EPOCH, most=500)
    inner = ~passes.begins_before & ~passes.goes_on
    mask = SITES.mask[passes.site]
    assert_allclose(tracks.elevation[inner, 0], mask[inner], atol=1e-7)
    assert_allclose(tracks.elevation[inner, -1], mask[inner], atol=1e-7)
    assert np.isfinite(tracks.range).all()
    high = tracks.elevation.max(axis=1)
    assert np.all(high <= passes.max_elevation + 1e-9)
    assert np.all(high > passes.max_elevation - 0.02)


def test_the_frame_of_the_ground_turns_with_greenwich() -> None:
    seconds = np.array([0.0, 3600.0])
    angle = greenwich_angle(EPOCH + seconds / DAY)
    overhead = np.stack([np.cos(angle), np.sin(angle), np.zeros(2)], axis=-1)
    assert_allclose(earth_fixed(overhead, EPOCH, seconds), [[1.0, 0.0, 0.0]] * 2, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "value"),
    [("latitude", np.radians(95.0)), ("longitude", 7.0), ("altitude", 2e4), ("mask", np.radians(90.0))],
)
def test_a_site_that_cannot_be_is_refused_with_its_fault(name: str, value: float) -> None:
    good = {"latitude": 0.1, "longitude": 0.2, "altitude": 100.0, "mask": 0.1}
    with pytest.raises(ValueProblem, match=name):
        GroundSites(**{key: np.array([each]) for key, each in (good | {name: value}).items()})


def test_no_time_is_an_error() -> None:
    with pytest.raises(ValueProblem, match="no passes"):
        found(low_orbits(1), duration=0.0)
