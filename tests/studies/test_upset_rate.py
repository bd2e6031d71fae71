"""The twin's upset rate for a bit of memory, beside the orbit's mean and the anomaly's place."""

from __future__ import annotations

import numpy as np
import pytest

from skyhall.constants import DAY
from skyhall.fleet import Fleet, design
from skyhall.scenario import Scenario, load
from skyhall.studies import day_of_upsets
from skyhall.studies.upset_rate import UpsetRate, upset_rate_on


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load("dawn-dusk-200mw", overrides=["orbit.shells.0.satellites=12"])


@pytest.fixture(scope="module")
def fleet(scenario: Scenario) -> Fleet:
    return design(scenario)


@pytest.fixture(scope="module")
def week(scenario: Scenario) -> UpsetRate:
    return upset_rate_on(scenario, start=0.0, duration=7.0 * DAY)


def test_a_weeks_mean_is_the_orbits_within_a_tenth(week: UpsetRate, fleet: Fleet) -> None:
    suffered = fleet.irradiation[0]
    orbit = suffered.exposure.losses * 3600.0 / suffered.device.bits
    assert week.hours == pytest.approx(168.0)
    assert week.mean == pytest.approx(orbit, rel=0.1)


def test_the_anomalys_share_is_the_orbits_within_a_tenth(week: UpsetRate, fleet: Fleet) -> None:
    exposure = fleet.irradiation[0].exposure
    assert week.in_anomaly.mean() == pytest.approx(exposure.time_in_anomaly, rel=0.1)
    inside = week.per_bit_hour[week.in_anomaly].sum() / week.per_bit_hour.sum()
    assert inside == pytest.approx(exposure.share_in_anomaly, rel=0.1)
    assert week.inside is not None
    assert week.outside is not None
    assert week.inside > 10.0 * week.outside


def test_an_equatorial_low_orbit_has_no_rate_inside_of_an_anomaly_that_it_does_not_pass() -> None:
    near = UpsetRate("sat-0", "a device", 1.0 / 60.0, np.array([1e-15, 3e-15]), np.zeros(2, dtype=np.bool_))
    assert near.inside is None
    assert near.outside == near.mean == pytest.approx(2e-15)


def test_a_fleet_knows_its_passes_as_the_report_shows_them(fleet: Fleet) -> None:
    day = day_of_upsets(fleet, 3)
    inside = fleet.in_anomaly(3600.0 * day.hours, np.array([3]))
    assert inside.shape == (1, len(day.hours))
    assert np.array_equal(inside[0], day.inside)
