from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from skyhall.errors import ValueProblem
from skyhall.orbit import (
    LightSummary,
    geostationary_altitude,
    julian_date,
    raan_from_local_time,
    sun_synchronous_inclination,
    year_of_light,
)

EPOCH = julian_date(datetime(2026, 1, 1, tzinfo=UTC))
WORST, LONGEST, SUNLIT, SEASON = 0.003, 0.4, 0.003, 6.0  # tolerances of the published case


def dawn_dusk(altitude_km: float, epoch: float = EPOCH) -> LightSummary:
    inclination = sun_synchronous_inclination(altitude_km * 1e3)
    raan = raan_from_local_time(6 * 3600.0, epoch)
    return year_of_light(altitude_km * 1e3, inclination, raan, epoch).summary()


@pytest.mark.parametrize(
    ("altitude_km", "worst", "longest_min", "sunlit", "season_days"),
    [(500, 0.239, 22.7, 0.947, 100), (700, 0.190, None, 0.967, 80), (1000, 0.124, None, 0.986, 54)],
)
def test_dawn_dusk_seasons_as_published(
    altitude_km: float, worst: float, longest_min: float | None, sunlit: float, season_days: float
) -> None:
    year = dawn_dusk(altitude_km)
    assert year.worst_orbit_shadowed == pytest.approx(worst, abs=WORST)
    assert year.sunlit_year == pytest.approx(sunlit, abs=SUNLIT)
    assert year.eclipse_season_days == pytest.approx(season_days, abs=SEASON)
    if longest_min is not None:
        assert year.longest_eclipse_min == pytest.approx(longest_min, abs=LONGEST)


def test_dawn_dusk_at_1500_km_is_never_dark() -> None:
    year = dawn_dusk(1500)
    assert (year.worst_orbit_shadowed, year.eclipse_season_days, year.seasons) == (0, 0, [])
    assert year.sunlit_year == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("conical", [0.2355, 0.2434])
def test_the_worst_orbit_is_that_of_the_suns_centre_not_of_umbra_or_penumbra(conical: float) -> None:
    assert abs(dawn_dusk(500).worst_orbit_shadowed - conical) > WORST


def test_dawn_dusk_at_650_km_is_dark_for_up_to_20_minutes_during_88_days() -> None:
    year = dawn_dusk(650)
    assert year.longest_eclipse_min == pytest.approx(20, abs=0.4)
    assert year.eclipse_season_days == pytest.approx(88, abs=1.5)


@pytest.mark.parametrize("month", [1, 4, 7, 10])
def test_a_dawn_dusk_year_hardly_depends_on_its_first_day(month: int) -> None:
    year = dawn_dusk(650, julian_date(datetime(2026, month, 1, tzinfo=UTC)))
    assert year.eclipse_season_days == pytest.approx(dawn_dusk(650).eclipse_season_days, abs=0.5)


def test_geostationary_orbit_has_two_seasons_of_45_days_and_70_minutes() -> None:
    year = year_of_light(geostationary_altitude(), 0.0, 0.0, EPOCH).summary()
    assert [last - first for first, last in year.seasons] == pytest.approx([45, 45], abs=1)
    assert year.longest_eclipse_min == pytest.approx(69.5, abs=0.5)


def test_a_53_degree_orbit_at_550_km_is_dark_up_to_36_minutes() -> None:
    year = year_of_light(550e3, np.radians(53), 0.0, EPOCH).summary()
    assert year.longest_eclipse_min == pytest.approx(35.6, abs=0.1)
    assert 0.6 < year.sunlit_year < 0.75
    assert year.eclipse_season_days > 300


def test_years_broadcast_over_orbits() -> None:
    year = year_of_light(np.array([500e3, 1000e3]), np.radians([53, 70]), 0.0, EPOCH, samples=50)
    assert year.beta.shape == year.eclipse_fraction.shape == year.lit_fraction.shape == (2, 50)
    alone = year_of_light(1000e3, np.radians(70), 0.0, EPOCH, samples=50)
    np.testing.assert_allclose(year.lit_fraction[1], alone.lit_fraction)
    with pytest.raises(ValueProblem, match="one orbit"):
        year.summary()
