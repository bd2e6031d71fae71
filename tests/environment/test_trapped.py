"""The map of trapped particles against direct calls of radbelt 0.1.8 (tools/make_trapped_map.py stores them)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skyhall.catalogue.maps import load_map
from skyhall.environment.trapped import LARGEST_L, TrappedMap, orbit_points
from skyhall.errors import ValueProblem
from skyhall.types import Array

SAMPLES = json.loads((Path(__file__).parent / "data" / "trapped_samples.json").read_text())
EPOCH = {"min": 1964.0, "max": 1970.0}
ACTIVITY = {"min": 0.0, "max": 1.0}


@pytest.fixture(scope="module")
def trapped() -> TrappedMap:
    return TrappedMap(**load_map("trapped"))


def mean(
    trapped: TrappedMap, altitude: float, inclination_deg: float, particle: str = "p", activity: str = "min"
) -> Array:
    latitude, longitude, height, weight = orbit_points(altitude, np.radians(inclination_deg))
    flux = trapped.protons if particle == "p" else trapped.electrons
    return np.asarray(
        weight @ flux(latitude, longitude, height, activity=ACTIVITY[activity], year=EPOCH[activity])
    )


def column(trapped: TrappedMap, particle: str, energy: float) -> int:
    energies = trapped.proton_energy_mev if particle == "p" else trapped.electron_energy_mev
    return int(np.flatnonzero(energies == energy)[0])


def anomaly(trapped: TrappedMap, year: float) -> tuple[float, float]:
    """Return latitude and longitude (deg) of the mean of protons above 30 MeV at 500 km."""
    latitude, longitude = np.meshgrid(np.arange(-59.5, 30), np.arange(-179.5, 180), indexing="ij")
    flux = trapped.protons(np.radians(latitude), np.radians(longitude), 500e3, activity=0.0, year=year)
    weight = flux[..., column(trapped, "p", 30.0)] * np.cos(np.radians(latitude))
    return float((weight * latitude).sum() / weight.sum()), float((weight * longitude).sum() / weight.sum())


def test_the_library_that_made_the_map_gives_the_flux_of_its_readme(trapped: TrappedMap) -> None:
    assert float(trapped.radbelt_point) == pytest.approx(2642.50268555, rel=1e-6)


@pytest.mark.parametrize("orbit", SAMPLES["orbits"], ids=lambda one: (
    f"{one['altitude_m'] / 1e3:.0f} km, {one['inclination_deg']:.0f} deg, {one['particle']}"
))  # fmt: skip
def test_mean_over_an_orbit_is_as_direct_calls_say(trapped: TrappedMap, orbit: dict[str, Any]) -> None:
    particle = orbit["particle"]
    found = mean(trapped, orbit["altitude_m"], orbit["inclination_deg"], particle)
    columns = [column(trapped, particle, energy) for energy in orbit["above_mev"]]
    # protons: 2 %; electrons: 3 % (at the inner belt's lower edge); less than 0.3 per cm² and second is lost in no belt
    share, least = (0.02, 0.002) if particle == "p" else (0.03, 0.3)
    np.testing.assert_allclose(found[columns], orbit["flux_cm2_s"], rtol=share, atol=least)


@pytest.mark.parametrize("particle", ["p", "e"])
def test_random_places_are_as_direct_calls_say(trapped: TrappedMap, particle: str) -> None:
    latitude, longitude = (
        np.radians(axis) for axis in np.meshgrid(np.arange(-80, 81, 5), np.arange(-180, 180, 6))
    )
    errors = []
    for place in SAMPLES["places"]:
        if place[3] != particle:
            continue
        at = {"activity": ACTIVITY[place[4]], "year": EPOCH[place[4]]}
        flux = trapped.protons if particle == "p" else trapped.electrons
        energy = column(trapped, particle, place[5])
        largest = flux(latitude, longitude, place[2], **at)[..., energy].max()
        if place[6] > 0.01 * largest:
            found = flux(np.radians(place[0]), np.radians(place[1]), place[2], **at)[energy]
            errors.append(abs(np.log(found / place[6])))
    assert len(errors) > 100
    median, most = np.percentile(errors, [50, 90])
    assert median < 0.01
    assert most < 0.10


def test_where_the_library_finds_nothing_the_map_has_next_to_nothing(trapped: TrappedMap) -> None:
    for latitude, longitude, height, particle, activity, energy, expected in SAMPLES["places"]:
        if expected == 0.0:
            flux = trapped.protons if particle == "p" else trapped.electrons
            found = flux(
                np.radians(latitude),
                np.radians(longitude),
                height,
                activity=ACTIVITY[activity],
                year=EPOCH[activity],
            )
            assert found[column(trapped, particle, energy)] < 2.0


def test_the_anomaly_lies_over_brazil_and_the_south_atlantic(trapped: TrappedMap) -> None:
    latitude, longitude = anomaly(trapped, 2025.0)
    assert -35 < latitude < -20
    assert -60 < longitude < -40


def test_the_anomaly_moves_west_by_28_degrees_a_century(trapped: TrappedMap) -> None:
    moved = anomaly(trapped, 2014.0)[1] - anomaly(trapped, 1964.0)[1]
    assert moved == pytest.approx(-14.0, abs=0.1)


def test_the_flux_that_stood_at_a_place_stands_west_of_it_later(trapped: TrappedMap) -> None:
    south = np.radians(-30.0)
    before = trapped.protons(south, np.radians(-40.0), 600e3, activity=0.0, year=1964.0)
    later = trapped.protons(south, np.radians(-54.0), 600e3, activity=0.0, year=2014.0)
    np.testing.assert_allclose(later, before, rtol=1e-9)


def test_flux_rises_with_the_fifth_power_of_altitude_in_low_orbit(trapped: TrappedMap) -> None:
    energy = column(trapped, "p", 30.0)
    low, high = (mean(trapped, altitude, 30.0)[energy] for altitude in (400e3, 800e3))
    assert 3.5 < np.log2(high / low) < 6.5


def test_solar_minimum_has_more_protons_in_low_orbit_than_maximum(trapped: TrappedMap) -> None:
    energies = trapped.proton_energy_mev >= 10
    for altitude in (400e3, 600e3, 800e3):
        ratio = (
            mean(trapped, altitude, 30.0)[energies] / mean(trapped, altitude, 30.0, activity="max")[energies]
        )
        assert np.all((ratio > 1.2) & (ratio < 3.0))


def test_todays_field_would_give_2_to_3_times_too_much(trapped: TrappedMap) -> None:
    energies = (trapped.proton_energy_mev >= 30) & (trapped.proton_energy_mev <= 200)
    for inclination, wrong in zip(
        trapped.todays_field_inclination_deg, trapped.todays_field_protons, strict=True
    ):
        ratio = wrong[energies] / mean(trapped, float(trapped.todays_field_altitude_m), inclination)[energies]
        assert np.all((ratio > 2.0) & (ratio < 3.5))


def test_activity_mixes_the_two_models_in_proportion(trapped: TrappedMap) -> None:
    place = (np.radians(-25.0), np.radians(-45.0), 700e3)
    quiet, active, half = (trapped.protons(*place, activity=one, year=2020.0) for one in (0.0, 1.0, 0.25))
    np.testing.assert_allclose(half, 0.75 * quiet + 0.25 * active)


def test_integral_fluxes_never_rise_with_energy(trapped: TrappedMap) -> None:
    latitude, longitude, height, _ = orbit_points(1200e3, np.radians(80.0), 30, 24)
    for flux in (trapped.protons, trapped.electrons):
        found = flux(latitude, longitude, height, activity=0.0, year=2020.0)
        assert np.diff(found, axis=-1).max() <= 1e-9 * found.max()


def test_places_broadcast_and_energy_is_the_last_axis(trapped: TrappedMap) -> None:
    latitude, longitude = np.zeros((3, 1)), np.zeros(4)
    assert trapped.protons(latitude, longitude, 1e6, activity=0.0, year=2020.0).shape == (
        3,
        4,
        len(trapped.proton_energy_mev),
    )
    assert trapped.electrons(0.0, 0.0, 1e6, activity=0.0, year=2020.0).shape == (
        len(trapped.electron_energy_mev),
    )
    assert trapped.l_shell(latitude, longitude, 1e6, year=2020.0).shape == (3, 4)


def test_the_map_joins_at_the_date_line_and_at_the_poles(trapped: TrappedMap) -> None:
    latitude = np.radians([-90.0, -60.0, 0.0, 60.0, 90.0])
    west, east = (
        trapped.electrons(latitude, np.radians(longitude), 800e3, activity=0.0, year=2020.0)
        for longitude in (-180.0, 180.0)
    )
    np.testing.assert_allclose(west, east, rtol=1e-6)


def test_geostationary_orbit_has_the_electrons_of_ae8(trapped: TrappedMap) -> None:
    found = mean(trapped, 35786e3, 0.0, "e")[column(trapped, "e", 1.0)]
    assert 2e5 < found < 8e5  # radbelt: 4.8e5 at L 6.6, 2.6e5 at L 7, on the equator of the field
    assert mean(trapped, 35786e3, 0.0)[column(trapped, "p", 10.0)] == 0.0


def test_l_is_1_at_the_magnetic_equator_and_large_at_the_poles(trapped: TrappedMap) -> None:
    equator = trapped.l_shell(np.radians(10.0), np.linspace(-np.pi, np.pi, 37), 500e3, year=2020.0)
    assert np.all((equator > 0.95) & (equator < 1.35))
    poles = trapped.l_shell(np.radians([-85.0, 88.0]), 0.0, 500e3, year=2020.0)
    assert np.all((poles > 8.0) & (poles <= LARGEST_L))
    assert trapped.l_shell(np.radians(81.0), np.radians(-81.0), 500e3, year=2020.0) == LARGEST_L


def test_points_of_an_orbit_cover_it_and_are_higher_over_the_poles(trapped: TrappedMap) -> None:
    latitude, _, height, weight = orbit_points(500e3, np.radians(98.0))
    assert weight.sum() == pytest.approx(1.0)
    assert np.degrees(latitude.max()) == pytest.approx(82.0, abs=0.3)
    assert height.max() - height.min() == pytest.approx(21.1e3, abs=0.3e3)
    # half of the time is spent beyond half of the way to the pole
    assert weight[np.abs(latitude) > np.radians(44.5)].sum() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("inclination_deg", [0.0, 30.0, 90.0])
@pytest.mark.parametrize("altitude", [150e3, 36_000e3])
def test_every_orbit_that_is_promised_lies_in_the_map(
    trapped: TrappedMap, altitude: float, inclination_deg: float
) -> None:
    assert np.all(np.isfinite(mean(trapped, altitude, inclination_deg, "e")))


@pytest.mark.parametrize(
    ("altitude", "typed"), [(36_000.4e3, "36,000.4 km"), (149.5e3, "149.5 km"), (float("nan"), "nan km")]
)
def test_an_orbit_outside_the_map_is_named_as_it_was_typed(altitude: float, typed: str) -> None:
    with pytest.raises(ValueProblem, match=f"altitude of {typed} is outside") as caught:
        orbit_points(altitude, np.radians(30.0))
    assert "between 150 km and 36,000 km" in str(caught.value)


def test_beyond_its_last_layer_the_map_goes_on_smoothly(trapped: TrappedMap) -> None:
    height = np.array([35_979e3, 36_000e3, 36_021e3])
    flux = trapped.electrons(np.radians(20.0), np.radians(60.0), height, activity=0.0, year=2020.0)
    energy = column(trapped, "e", 1.0)
    steps = np.diff(np.log(flux[:, energy]))
    assert steps[1] == pytest.approx(steps[0], rel=0.05)


@pytest.mark.parametrize(
    ("altitude", "year", "activity", "says"),
    [
        (100e3, 2020.0, 0.0, "choose between 150 km and 36,000 km"),
        (40_000e3, 2020.0, 0.0, "choose between 150 km and 36,000 km"),
        (float("nan"), 2020.0, 0.0, "choose between 150 km and 36,000 km"),
        (500e3, 1960.0, 0.0, "choose a date between 1964 and 2040"),
        (500e3, 2041.0, 0.0, "choose a date between 1964 and 2040"),
        (500e3, 2020.0, 1.5, "choose between 0"),
    ],
)
def test_what_is_outside_the_map_is_an_error_that_says_what_is_inside(
    trapped: TrappedMap, altitude: float, year: float, activity: float, says: str
) -> None:
    with pytest.raises(ValueProblem, match=says):
        trapped.protons(0.0, 0.0, altitude, activity=activity, year=year)
