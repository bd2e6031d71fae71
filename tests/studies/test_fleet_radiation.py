"""The anomaly as a place, a day of one satellite's upsets, and the trade of its shield."""

from __future__ import annotations

import numpy as np
import pytest

from skyhall.constants import DAY
from skyhall.environment.exposure import ANOMALY_FLUX, LOSSES, upset_rates
from skyhall.fleet import Fleet, design
from skyhall.scenario import load
from skyhall.studies import anomaly_map, day_of_upsets, shielding_trade
from skyhall.studies.fleet_radiation import AnomalyMap, DayOfUpsets, ShieldingTrade
from skyhall.surroundings import radiation_of


def fleet_with(*overrides: str) -> Fleet:
    return design(load("dawn-dusk-200mw", overrides=["orbit.shells.0.satellites=12", *overrides]))


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return fleet_with()


@pytest.fixture(scope="module")
def globe(fleet: Fleet) -> AnomalyMap:
    return anomaly_map(fleet)


@pytest.fixture(scope="module")
def day(fleet: Fleet) -> DayOfUpsets:
    return day_of_upsets(fleet, 3)


@pytest.fixture(scope="module")
def trade(fleet: Fleet) -> ShieldingTrade:
    return shielding_trade(fleet)


def test_the_worst_place_of_the_map_lies_over_brazil_or_the_south_atlantic(globe: AnomalyMap) -> None:
    assert globe.protons_cm2_s.shape == (len(globe.latitude_deg), len(globe.longitude_deg))
    row, column = np.unravel_index(np.argmax(globe.protons_cm2_s), globe.protons_cm2_s.shape)
    assert -40.0 < globe.latitude_deg[row] < -20.0
    assert -65.0 < globe.longitude_deg[column] < -35.0
    assert globe.altitude_km == pytest.approx(650.0, abs=1.0)


def test_the_anomaly_is_less_than_a_seventh_of_the_globe(globe: AnomalyMap) -> None:
    area = np.cos(np.radians(globe.latitude_deg))[:, None] * np.ones(len(globe.longitude_deg))
    inside = globe.protons_cm2_s > ANOMALY_FLUX
    assert 0.03 < area[inside].sum() / area.sum() < 0.15


def test_a_day_has_its_1440_minutes_and_some_fifteen_orbits(day: DayOfUpsets) -> None:
    assert day.hours.shape == day.upsets_per_hour.shape == day.inside.shape == (1440,)
    assert day.hours[-1] == pytest.approx(24.0)
    northward = np.count_nonzero((day.latitude_deg[1:] > 0) & (day.latitude_deg[:-1] <= 0))
    assert northward in {14, 15}
    assert np.abs(day.latitude_deg).max() == pytest.approx(82.0, abs=0.5)


def test_inside_the_anomaly_upsets_come_ten_times_as_often(day: DayOfUpsets) -> None:
    inside, outside = day.upsets_per_hour[day.inside], day.upsets_per_hour[~day.inside]
    assert 60 < inside.size < 200
    assert inside.mean() > 10.0 * outside.mean()


def test_a_minutes_rate_is_that_of_the_place_below_the_track(fleet: Fleet, day: DayOfUpsets) -> None:
    here = fleet.irradiation[0]
    place = (np.radians(day.latitude_deg), np.radians(day.longitude_deg), np.full(1440, 655e3))
    rates = upset_rates(radiation_of(fleet.scenario), here.device, *place, here.shield_g_cm2).of(*LOSSES)
    ratio = day.upsets_per_hour / (rates * 3600.0)
    # Cells of two degrees and heights that differ by the Earth's flattening; only the anomaly's border is steep.
    assert np.median(np.abs(ratio - 1.0)) < 0.05
    assert np.corrcoef(day.upsets_per_hour, rates)[0, 1] > 0.98


def test_two_satellites_of_a_ring_meet_the_anomaly_at_different_times(fleet: Fleet, day: DayOfUpsets) -> None:
    other = day_of_upsets(fleet, 9)
    assert not np.array_equal(other.inside, day.inside)
    assert other.upsets_per_hour.mean() == pytest.approx(day.upsets_per_hour.mean(), rel=0.25)


def test_the_designs_own_shield_stands_in_the_trade_as_it_was_designed(
    fleet: Fleet, trade: ShieldingTrade
) -> None:
    here, own = fleet.irradiation[0], fleet.designs[0]
    row = int(np.argmin(np.abs(trade.thickness_mm - here.shield_mm)))
    assert trade.thickness_mm[row] == pytest.approx(here.shield_mm, abs=1e-3)
    assert trade.mass_kg[row] == pytest.approx(own.masses["shielding"], rel=1e-3)
    assert trade.kg_per_kw[row] == pytest.approx(own.mass / own.it_power * 1e3, rel=1e-3)
    assert trade.upsets_per_day[row] == pytest.approx(here.exposure.losses * DAY, rel=1e-3)
    assert trade.dose_krad[row] == pytest.approx(float(here.exposure.dose.total) * 5.0 / 1e3, rel=1e-2)


def test_a_thicker_shield_weighs_in_proportion_and_keeps_more_out(trade: ShieldingTrade) -> None:
    np.testing.assert_allclose(trade.mass_kg / trade.thickness_mm, trade.mass_kg[0] / trade.thickness_mm[0])
    assert (np.diff(trade.dose_krad) < 0).all()
    assert (np.diff(trade.upsets_per_day) < 0).all()
    assert (np.diff(trade.kg_per_kw) > 0).all()


def test_a_satellite_sized_with_another_shield_weighs_what_the_trade_said(trade: ShieldingTrade) -> None:
    row = int(np.flatnonzero(trade.thickness_mm == 20.0)[0])
    other = fleet_with("satellite.shielding=20 mm").designs[0]
    assert other.mass / other.it_power * 1e3 == pytest.approx(trade.kg_per_kw[row], rel=1e-3)


def test_the_trade_starts_from_no_shield_where_the_scenario_wants_none() -> None:
    trade = shielding_trade(fleet_with("satellite.shielding=0 mm"))
    assert trade.thickness_mm[0] == trade.mass_kg[0] == 0.0
    assert trade.dose_krad[0] > 10.0 * trade.dose_krad[1]
    assert np.isfinite(trade.kg_per_kw).all()
