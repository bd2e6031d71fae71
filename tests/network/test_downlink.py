"""Bits over passes and what a fleet that shares its stations brings down: by hand, and conserved in every case."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skyhall.constants import DAY, EARTH_RADIUS, HOUR
from skyhall.errors import ValueProblem
from skyhall.network.downlink import (
    PassVolume,
    bits_of_passes,
    clear_link_share,
    daily_totals,
    pass_volume,
)
from skyhall.network.ground_site import GroundSites
from skyhall.network.pass_tracks import PassTracks, track_passes
from skyhall.network.passes import Passes, find_passes
from skyhall.network.sampling import positions_of
from skyhall.network.service import Data, Service, serve
from skyhall.network.weather import Weather, draw_sky
from skyhall.orbit import MeanElements

EPOCH = 2461054.5
RATE = 1e9  # bit/s


def made(*rows: tuple[int, int, float, float]) -> Passes:
    """Return passes of (satellite, site, rise, set)."""
    satellite, site, rise, end = (np.array(column) for column in zip(*rows, strict=True))
    no = np.zeros(len(rows), bool)
    middle = 0.5 * (rise + end)
    return Passes(satellite, site, rise * 1.0, end * 1.0, middle, np.full(len(rows), 1.0), no, no)


def steady(passes: Passes, rate: float = RATE, moments: int = 5) -> PassVolume:
    seconds = passes.rise[:, None] + passes.duration[:, None] * np.linspace(0.0, 1.0, moments)
    return PassVolume(seconds, rate * (seconds - passes.rise[:, None]))


def served(passes: Passes, data: Data | None = None, **options: object) -> Service:
    usual: dict[str, object] = {
        "satellites": int(passes.satellite.max()) + 1,
        "antennas": np.ones(int(passes.site.max()) + 1, int),
        "start": 0.0,
        "stop": 1000.0,
    }
    return serve(passes, steady(passes), data, **(usual | options))  # type: ignore[arg-type]


def test_a_steady_rate_brings_rate_times_time() -> None:
    passes = made((0, 0, 100.0, 700.0))
    tracks = PassTracks(np.linspace(100.0, 700.0, 9)[None], np.ones((1, 9)), np.full((1, 9), 1e6))
    volume = pass_volume(tracks, passes.site, [lambda distance, elevation: np.full(distance.shape, RATE)])
    assert volume.total == pytest.approx([600 * RATE])
    assert bits_of_passes(volume, passes, 30.0) == pytest.approx([570 * RATE])
    assert bits_of_passes(volume, passes, 1000.0) == pytest.approx([0.0])
    assert volume.until(0, [0.0, 400.0, 900.0]) == pytest.approx([0.0, 300 * RATE, 600 * RATE])


def test_a_pass_under_way_has_its_link_already() -> None:
    passes = made((0, 0, 0.0, 100.0))
    under_way = Passes(
        passes.satellite, passes.site, passes.rise, passes.set, passes.highest, passes.max_elevation,
        np.array([True]), np.array([False]),
    )  # fmt: skip
    assert bits_of_passes(steady(under_way), under_way, 30.0) == pytest.approx([100 * RATE])


def test_a_rate_with_the_inverse_square_of_the_range_integrates_to_the_arctangent() -> None:
    # A straight line at speed v and least range d: the integral of 1/(d2 + v2 t2) is 2 arctan(v T/d)/(v d).
    nearest, speed, half = 600e3, 7000.0, 300.0
    seconds = np.linspace(-half, half, 65)[None]
    distance = np.hypot(nearest, speed * seconds)
    volume = pass_volume(
        PassTracks(seconds, np.ones_like(seconds), distance), [0], [lambda r, e: 1e20 / r**2]
    )
    exact = 1e20 * 2 * np.arctan(speed * half / nearest) / (speed * nearest)
    assert volume.total[0] == pytest.approx(exact, rel=2e-4)


def test_a_rate_that_grows_with_time_brings_the_area_under_it() -> None:
    seconds = np.linspace(0.0, 100.0, 11)[None]
    volume = pass_volume(
        PassTracks(seconds, np.ones_like(seconds), seconds + 1.0), [0], [lambda r, e: r - 1.0]
    )
    assert volume.total == pytest.approx([5000.0])
    assert volume.until(0, 50.0) == pytest.approx(1250.0)


def test_each_site_has_its_own_rate() -> None:
    seconds = np.tile(np.linspace(0.0, 10.0, 5), (2, 1))
    tracks = PassTracks(seconds, np.ones_like(seconds), np.ones_like(seconds))
    rates: list[Callable[..., np.ndarray]] = [lambda r, e: 1.0 * r, lambda r, e: 3.0 * r]
    assert pass_volume(tracks, [1, 0], rates).total == pytest.approx([30.0, 10.0])


def test_a_negative_rate_is_refused_and_an_unknown_one_is_none() -> None:
    tracks = PassTracks(np.array([[0.0, 1.0]]), np.ones((1, 2)), np.ones((1, 2)))
    with pytest.raises(ValueProblem, match="rate"):
        pass_volume(tracks, [0], [lambda r, e: -r])
    assert pass_volume(tracks, [0], [lambda r, e: r * np.nan]).total[0] == 0.0


def test_days_hold_all_bits_and_cut_passes_at_midnight() -> None:
    passes = made((0, 0, DAY - 100.0, DAY + 300.0), (0, 0, 10.0, 20.0))
    starts, bits = daily_totals(passes, steady(passes), [1.0, 0.5], 0.0, 1.5 * DAY)
    assert starts.tolist() == [0.0, DAY]
    assert bits == pytest.approx([105 * RATE, 300 * RATE])


def test_one_antenna_serves_one_satellite_at_a_time() -> None:
    passes = made((0, 0, 0.0, 600.0), (1, 0, 0.0, 600.0), (2, 0, 300.0, 900.0))
    found = served(passes)
    assert found.delivered.sum() == pytest.approx(900 * RATE)
    assert sorted(found.bits / RATE) == pytest.approx([0.0, 300.0, 600.0])
    assert found.busy == pytest.approx([0.9])


def test_two_antennas_serve_two() -> None:
    passes = made((0, 0, 0.0, 600.0), (1, 0, 0.0, 600.0), (2, 0, 0.0, 600.0))
    assert served(passes, antennas=np.array([2])).delivered.sum() == pytest.approx(1200 * RATE)


def test_a_satellite_is_served_by_one_site_at_a_time() -> None:
    passes = made((0, 0, 0.0, 600.0), (0, 1, 0.0, 600.0))
    assert served(passes).delivered.sum() == pytest.approx(600 * RATE)


def test_every_contact_pays_its_acquisition() -> None:
    passes = made((0, 0, 5.0, 205.0), (0, 0, 400.0, 500.0))
    found = served(passes, acquisition_time=33.0)
    assert found.bits == pytest.approx([167 * RATE, 67 * RATE])


def test_a_cloud_stops_the_flow_and_costs_another_acquisition() -> None:
    passes = made((0, 0, 0.0, 600.0))

    def sky(seconds: np.ndarray) -> np.ndarray:
        return ~((seconds >= 200.0) & (seconds < 300.0))[None]

    found = served(passes, acquisition_time=30.0, sky=sky)
    assert found.bits == pytest.approx([(200 - 30 + 300 - 30) * RATE])


def test_a_free_antenna_takes_the_satellite_with_most_waiting_and_keeps_it() -> None:
    passes = made((0, 0, 0.0, 600.0), (1, 0, 0.0, 900.0))
    data = Data(0.0, waiting=np.array([300 * RATE, 200 * RATE]))
    found = served(passes, data)
    assert found.delivered == pytest.approx([300 * RATE, 200 * RATE])
    assert found.waiting == pytest.approx([0.0, 0.0])
    assert found.waiting_track[29] == pytest.approx(200 * RATE)


def test_a_satellite_whose_store_is_empty_makes_room() -> None:
    passes = made((0, 0, 0.0, 900.0), (1, 0, 0.0, 900.0))
    data = Data(np.array([0.0, 0.1 * RATE]), waiting=np.array([100 * RATE, 0.0]))
    found = served(passes, data, stop=900.0)
    assert found.waiting[1] < 3 * RATE
    assert found.delivered[0] == pytest.approx(100 * RATE)


def test_a_trickle_does_not_hold_an_antenna_that_another_needs() -> None:
    passes = made((0, 0, 0.0, 900.0), (1, 0, 100.0, 900.0))
    data = Data(np.array([0.1 * RATE, 0.0]), waiting=np.array([0.0, 500 * RATE]))
    found = served(passes, data, stop=900.0)
    assert found.delivered[1] == pytest.approx(500 * RATE)


def test_an_antenna_does_not_swing_between_two_that_have_as_much() -> None:
    passes = made((0, 0, 0.0, 900.0), (1, 0, 0.0, 900.0))
    data = Data(0.0, waiting=np.array([300 * RATE, 299 * RATE]))
    found = served(passes, data, stop=900.0, acquisition_time=30.0)
    assert found.delivered == pytest.approx([300 * RATE, 299 * RATE])


def test_a_pool_is_emptied_through_any_satellite() -> None:
    passes = made((0, 0, 0.0, 300.0), (1, 1, 0.0, 300.0))
    own = Data(0.0, waiting=np.array([400 * RATE, 0.0]))
    pool = Data(0.0, waiting=np.array([400 * RATE, 0.0]), pooled=True)
    assert served(passes, own).delivered.sum() == pytest.approx(300 * RATE)
    assert served(passes, pool).delivered.sum() == pytest.approx(400 * RATE)


def test_a_full_store_loses_what_is_oldest() -> None:
    passes = made((0, 0, 800.0, 900.0))
    found = served(passes, Data(RATE, storage=50 * RATE))
    assert found.oldest_track.max() <= 50.0 + 1e-9
    assert found.dropped[0] == pytest.approx(1000 * RATE - found.delivered[0] - found.waiting[0])
    assert found.dropped[0] > 700 * RATE


def test_the_age_of_what_comes_down_is_that_of_a_queue() -> None:
    # Half the rate arrives for 500 s unseen; then the queue is emptied at the full rate, first in, first out.
    passes = made((0, 0, 500.0, 1000.0))
    found = served(passes, Data(0.5 * RATE), step=1.0)
    assert found.waiting[0] == pytest.approx(0.0, abs=RATE)
    assert found.oldest_track.max() == pytest.approx(500.0, abs=2.0)
    assert found.mean_age == pytest.approx(250.0, abs=2.0)


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 5),
    st.integers(1, 3),
    st.booleans(),
    st.floats(0.0, 120.0),
    st.sampled_from([np.inf, 1e11, 1e9]),
)
def test_what_came_is_delivered_waits_or_was_dropped(
    seed: int, satellites: int, sites: int, pooled: bool, acquisition: float, storage: float
) -> None:
    rng = np.random.default_rng(seed)
    count = 12
    rise = rng.uniform(0.0, 3000.0, count)
    passes = made(
        *zip(
            rng.integers(0, satellites, count).tolist(),
            rng.integers(0, sites, count).tolist(),
            rise.tolist(),
            np.minimum(rise + rng.uniform(1.0, 900.0, count), 3600.0).tolist(),
            strict=True,
        )
    )
    initial = rng.uniform(0.0, 1e11, satellites)
    data = Data(rng.uniform(0.0, 2e8, satellites), storage, initial, pooled)
    weather = Weather(np.full(sites, 0.7), 600.0, np.eye(sites))
    antennas = rng.integers(0, 3, sites)
    found = serve(
        passes,
        steady(passes),
        data,
        satellites=satellites,
        antennas=antennas,
        start=0.0,
        stop=3600.0,
        acquisition_time=acquisition,
        sky=draw_sky(weather, 0.0, 3600.0, rng).clear,
    )
    came = initial.sum() + found.arrived.sum()
    assert found.delivered.sum() + found.waiting.sum() + found.dropped.sum() == pytest.approx(came, rel=1e-9)
    assert found.arrived.sum() == pytest.approx(3600.0 * np.sum(data.arrival))
    if not pooled:
        assert_allclose(found.delivered + found.waiting + found.dropped, initial + found.arrived, rtol=1e-9)
        assert np.all(found.waiting <= storage * (1 + 1e-9))
    assert np.all(found.bits <= steady(passes).total * (1 + 1e-9))
    assert found.bits.sum() == pytest.approx(found.delivered.sum())
    assert found.delivered.sum() <= antennas.sum() * 3600.0 * RATE
    assert np.all(found.busy <= 1.0 + 1e-9)


def test_clouds_leave_the_share_that_the_closed_form_says() -> None:
    # Long passes over 40 sites apart, at a steady rate under days of weather.
    days, sites = 6 * DAY, 40
    passes = made(*((site, site, 0.0, days) for site in range(sites)))
    weather = Weather(np.full(sites, 0.6), 0.5 * HOUR, np.eye(sites))
    sky = draw_sky(weather, 0.0, days, np.random.default_rng(3))
    found = served(passes, stop=days, sky=sky.clear, acquisition_time=300.0, step=60.0)
    expected = float(clear_link_share(0.6, 0.5 * HOUR, 300.0))
    assert expected == pytest.approx(0.6 * np.exp(-0.4 / 6), rel=1e-12)
    assert found.bits.mean() / (days * RATE) == pytest.approx(expected, abs=0.015)


def test_a_day_over_a_site_brings_what_its_contacts_integrate_to() -> None:
    elements = MeanElements(np.array([EARTH_RADIUS + 550e3]), 0.0, np.radians(97.6), 0.4, 0.0, 0.0)
    site = GroundSites(np.radians([78.2]), np.radians([15.4]), np.array([400.0]), np.radians([5.0]))
    passes = find_passes(positions_of(elements), site, 0.0, DAY, EPOCH)
    tracks = track_passes(positions_of(elements), site, passes, 0.0, DAY, EPOCH)
    fine = track_passes(positions_of(elements), site, passes, 0.0, DAY, EPOCH, moments=1025)

    def rate(distance: np.ndarray, elevation: np.ndarray) -> np.ndarray:
        return 1e9 * (1e6 / distance) ** 2

    volume, finer = (pass_volume(each, passes.site, [rate]) for each in (tracks, fine))
    assert_allclose(volume.total, finer.total, rtol=3e-4)
    found = serve(
        passes, volume, None, satellites=1, antennas=[1], start=0.0, stop=DAY, acquisition_time=20.0
    )
    assert found.delivered.sum() == pytest.approx(bits_of_passes(volume, passes, 20.0).sum(), rel=1e-3)


@pytest.mark.parametrize("data", [Data(-1.0), Data(1.0, storage=-1.0), Data(1.0, waiting=np.nan)])
def test_impossible_data_are_refused(data: Data) -> None:
    with pytest.raises(ValueProblem, match="below zero"):
        served(made((0, 0, 0.0, 10.0)), data)


def test_no_time_is_refused() -> None:
    with pytest.raises(ValueProblem, match="nothing comes down"):
        served(made((0, 0, 0.0, 10.0)), stop=0.0)
