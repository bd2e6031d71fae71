"""A year of light by month agrees with the year as a whole."""

from __future__ import annotations

import pytest

from skyhall.errors import ValueProblem
from skyhall.scenario import Scenario, load
from skyhall.studies import year_in_orbit


def of_shell(**shell: str) -> Scenario:
    return load({"epoch": "2026-03-20T00:00:00Z", "orbit": {"shells": [shell]}})


def test_dawn_dusk_at_650_km_is_dark_some_88_days_around_the_december_solstice() -> None:
    year = year_in_orbit(of_shell(altitude="650 km", local_time="06:00"))
    assert [month.month for month in year.months if month.eclipse_days > 5] == [1, 11, 12]
    ((first, last),) = year.seasons
    assert (last - first).days == pytest.approx(88, abs=2)
    assert (first.month, last.month) == (11, 2)


def test_the_worst_month_is_the_worst_of_the_year() -> None:
    year = year_in_orbit(of_shell(pattern="walker_delta", inclination="53 deg", altitude="550 km"))
    assert max(month.longest_eclipse_min for month in year.months) == year.summary.longest_eclipse_min
    assert max(year.eclipse_min) == pytest.approx(year.summary.longest_eclipse_min)


def test_months_add_up_to_the_year() -> None:
    year = year_in_orbit(of_shell(altitude="700 km", local_time="06:00"))
    days = sum(month.eclipse_days for month in year.months)
    assert days == pytest.approx(year.summary.eclipse_season_days, abs=1.5)
    mean = sum(month.sunlit for month in year.months) / 12
    assert mean == pytest.approx(year.summary.sunlit_year, abs=2e-3)


def test_the_geostationary_ring_has_two_seasons_of_some_45_days() -> None:
    year = year_in_orbit(of_shell(pattern="geostationary"))
    assert year.altitude_km == pytest.approx(35786, abs=3)  # J2 lifts it by 2 km
    assert year.summary.eclipse_season_days == pytest.approx(90, abs=4)


def test_an_orbit_that_does_not_exist_names_its_altitude() -> None:
    with pytest.raises(ValueProblem, match="no sun-synchronous") as caught:
        year_in_orbit(of_shell(altitude="7000 km"))
    assert caught.value.place.key == "orbit.shells.0.altitude"
