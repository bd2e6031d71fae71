"""Particles joined with shields and devices: doses by their parts, rates over the globe, and the anomaly's share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from skyhall.catalogue import load_catalogue
from skyhall.catalogue.maps import load_map
from skyhall.constants import EARTH_RADIUS, JULIAN_YEAR
from skyhall.environment import cosmic, exposure, solar_protons
from skyhall.environment.devices import DEVICE_UNITS, HAZARDS, OUTCOMES, Device, Response, device_from_values
from skyhall.environment.dose import electron_dose, proton_dose
from skyhall.environment.exposure import (
    LOSSES,
    Radiation,
    anomaly,
    dose_per_year,
    expose,
    hard_protons,
    particles_on,
    upset_rates,
    upset_table,
)
from skyhall.environment.geomagnetic import open_sky, vertical_cutoff_gv
from skyhall.environment.globe_cells import CELLS, cell_directions, cell_index
from skyhall.environment.shielding import behind_shield
from skyhall.environment.trapped import TrappedMap, orbit_points
from skyhall.environment.upsets import ion_rate, proton_rate
from skyhall.errors import ValueProblem
from skyhall.orbit.elements import sun_synchronous_inclination
from skyhall.orbit.geodetic import geodetic
from skyhall.types import Array, Numbers

SHIELD = 1.35  # g/cm²: 5 mm of aluminium
POLAR, LOW = np.radians(97.6), np.radians(30.0)
BRAZIL, EUROPE = (np.radians(-28.0), np.radians(-50.0)), (np.radians(48.0), np.radians(10.0))


@pytest.fixture(scope="module")
def radiation() -> Radiation:
    return Radiation(
        trapped=TrappedMap(**load_map("trapped")),
        activity=0.0,
        year=2026.2,
        confidence=0.95,
        years=5.0,
        active_years=3.0,
    )


@pytest.fixture(scope="module")
def device() -> Device:
    part = load_catalogue().part("devices", "trillium-tpu")
    return device_from_values(part.name, {key: part(key, unit) for key, unit in DEVICE_UNITS.items()})


@pytest.fixture(scope="module")
def polar(radiation: Radiation) -> exposure.Particles:
    return particles_on(radiation, 550e3, POLAR)


@pytest.fixture(scope="module")
def low(radiation: Radiation) -> exposure.Particles:
    return particles_on(radiation, 550e3, LOW)


def test_the_total_dose_is_the_sum_of_its_three_parts(polar: exposure.Particles) -> None:
    dose = dose_per_year(polar, [1.0, 2.0])
    parts = dose.parts()
    assert list(parts) == ["trapped_protons", "electrons", "solar_protons"]
    np.testing.assert_allclose(dose.total, sum(parts.values()), rtol=1e-12)
    assert all((part > 0).all() for part in parts.values())


def test_each_part_is_the_dose_of_its_own_particles_over_a_julian_year(polar: exposure.Particles) -> None:
    dose = dose_per_year(polar, SHIELD)
    thick = np.array([SHIELD])
    trapped = proton_dose(polar.proton_energy_mev, polar.protons, thick) * JULIAN_YEAR
    electrons = electron_dose(polar.electron_energy_mev, polar.electrons, thick) * JULIAN_YEAR
    solar = proton_dose(polar.solar_energy_mev, polar.solar_protons, thick)
    assert dose.total.shape == ()
    assert float(dose.trapped_protons) == pytest.approx(float(trapped[0]))
    assert float(dose.electrons) == pytest.approx(float(electrons[0]))
    assert float(dose.solar_protons) == pytest.approx(float(solar[0]))


def test_a_thicker_shield_lowers_every_part_of_the_dose(polar: exposure.Particles) -> None:
    for name, part in dose_per_year(polar, np.geomspace(0.3, 8.0, 12)).parts().items():
        assert (np.diff(part) < 0).all(), name


def test_behind_a_slab_the_dose_is_less_than_half_of_that_in_a_sphere(polar: exposure.Particles) -> None:
    # A slab lets in half the directions at most, and those through more metal.
    sphere, slab = (dose_per_year(polar, SHIELD, geometry).parts() for geometry in ("sphere", "slab"))
    assert slab["trapped_protons"] < 0.5 * sphere["trapped_protons"]
    assert slab["electrons"] < 0.5 * sphere["electrons"]
    assert slab["solar_protons"] < 0.5 * sphere["solar_protons"]


def test_solar_protons_reach_a_polar_orbit_and_not_one_at_30_degrees(
    polar: exposure.Particles, low: exposure.Particles
) -> None:
    assert dose_per_year(polar, SHIELD).solar_protons > 10.0  # rad a year
    assert dose_per_year(low, SHIELD).solar_protons < 1e-3


def test_solar_protons_are_the_free_ones_that_get_in_over_the_years_in_orbit(
    radiation: Radiation, polar: exposure.Particles
) -> None:
    free = solar_protons.event_fluence(polar.solar_energy_mev, radiation.active_years, 0.95) / radiation.years
    reach = polar.solar_protons / free
    assert (np.diff(reach) > -1e-9).all()  # the harder, the further below the caps
    assert 0.1 < reach[0] < reach[-1] < 0.7
    longer = particles_on(replace(radiation, years=10.0), 550e3, POLAR)
    np.testing.assert_allclose(longer.solar_protons, 0.5 * polar.solar_protons, rtol=1e-12)


def test_solar_protons_come_as_far_as_a_quiet_magnetosphere_lets_them(
    radiation: Radiation, polar: exposure.Particles
) -> None:
    latitude, longitude, height, weight = orbit_points(550e3, POLAR)
    shells = radiation.trapped.l_shell(latitude, longitude, height, year=2026.2)
    free = solar_protons.event_fluence(polar.solar_energy_mev, radiation.active_years, 0.95) / radiation.years

    share = weight @ solar_protons.access(polar.solar_energy_mev, shells, height)
    np.testing.assert_allclose(polar.solar_protons, solar_protons.arriving(free, share))


def more_at_30_degrees(radiation: Radiation, altitude: float) -> tuple[float, float]:
    """Return by how many rad a year an orbit of 30° is dosed more than a polar one, whole and without the Sun's."""
    one_year = replace(radiation, years=1.0, active_years=1.0)
    polar, low = (
        dose_per_year(particles_on(one_year, altitude, inclination), SHIELD)
        for inclination in (float(sun_synchronous_inclination(altitude)), LOW)
    )
    with_solar = float(low.total - polar.total)
    return with_solar, with_solar - float(low.solar_protons - polar.solar_protons)


def test_solar_protons_make_the_orbits_cross_between_600_and_700_km(radiation: Radiation) -> None:
    assert more_at_30_degrees(radiation, 600e3)[0] < 0.0 < more_at_30_degrees(radiation, 700e3)[0]


@pytest.mark.parametrize("altitude", [500e3, 550e3, 600e3, 700e3, 800e3, 900e3, 1000e3])
def test_without_solar_protons_30_degrees_is_dosed_more_from_500_to_1000_km(
    radiation: Radiation, altitude: float
) -> None:
    assert more_at_30_degrees(radiation, altitude)[1] > 0.0


def test_what_is_expected_of_solar_protons_is_less_than_what_is_not_exceeded(
    polar: exposure.Particles,
) -> None:
    assert np.all(polar.solar_expected < 0.7 * polar.solar_protons)
    assert polar.solar_expected[0] > 0.0


def test_more_confidence_means_more_solar_protons_and_nothing_else(
    radiation: Radiation, polar: exposure.Particles
) -> None:
    surer = particles_on(replace(radiation, confidence=0.99), 550e3, POLAR)
    assert (surer.solar_protons > polar.solar_protons).all()
    np.testing.assert_array_equal(surer.protons, polar.protons)


def test_particles_on_an_orbit_are_the_mean_of_its_places(
    radiation: Radiation, low: exposure.Particles
) -> None:
    latitude, longitude, height, weight = orbit_points(550e3, LOW)
    each = radiation.trapped.protons(latitude, longitude, height, activity=0.0, year=2026.2)
    np.testing.assert_allclose(low.protons, weight @ each)
    assert np.abs(latitude).max() < np.radians(30.3)


def test_altitudes_outside_the_map_say_what_is_possible(radiation: Radiation) -> None:
    for altitude in (100e3, 60_000e3):
        with pytest.raises(ValueProblem, match="outside the map") as caught:
            particles_on(radiation, altitude, LOW)
        assert "150 km and 36,000 km" in str(caught.value)


def test_over_the_pole_only_cosmic_rays_upset_and_over_brazil_mostly_trapped_protons(
    radiation: Radiation, device: Device
) -> None:
    places = np.array([[np.radians(89.0), 0.0], BRAZIL])
    rates = upset_rates(radiation, device, places[:, 0], places[:, 1], np.full(2, 550e3), SHIELD)
    trapped, cosmic_rays = rates.trapped["silent"], rates.cosmic["silent"]
    assert trapped[0] < 1e-3 * cosmic_rays[0]
    assert trapped[1] > 20.0 * cosmic_rays[1]


def test_cosmic_upsets_follow_the_cutoff_and_the_open_sky_as_computed_directly(
    radiation: Radiation, device: Device
) -> None:
    latitude, longitude, height = np.radians([-65.0, 40.0, 25.0, 5.0]), np.zeros(4), np.full(4, 550e3)
    found = upset_rates(radiation, device, latitude, longitude, height, SHIELD).cosmic["detected"]
    shells = radiation.trapped.l_shell(latitude, longitude, height, year=2026.2)
    cutoff = np.asarray(vertical_cutoff_gv(shells))
    sun, response = cosmic.modulation(0.0), device.responses["detected"]
    energy, let = np.geomspace(10.0, 1e5, 200), np.geomspace(0.1, 100.0, 200)
    protons = behind_shield(energy, cosmic.proton_flux(energy, cutoff, modulation=sun), SHIELD)
    nuclei = cosmic.let_flux(let, cutoff, modulation=sun, thickness_g_cm2=SHIELD)
    direct = proton_rate(energy, protons, response) + ion_rate(let, nuclei, response)
    np.testing.assert_allclose(
        found, direct * open_sky(height), rtol=0.04
    )  # a few nodes and energies against many
    assert (np.diff(found) < 0).all()


def test_rates_of_outcomes_add_up_over_both_kinds_of_particles(radiation: Radiation, device: Device) -> None:
    rates = upset_rates(
        radiation, device, np.array([BRAZIL[0]]), np.array([BRAZIL[1]]), np.array([550e3]), 1.0
    )
    by_hand = sum(rates.trapped[each] + rates.cosmic[each] for each in ("detected", "functional", "silent"))
    np.testing.assert_allclose(rates.of(*LOSSES), by_hand)
    assert "corrected" not in LOSSES


def test_a_thicker_shield_keeps_out_trapped_protons_and_hardly_cosmic_rays(
    radiation: Radiation, device: Device
) -> None:
    places = np.array([BRAZIL, EUROPE])
    rates = [
        upset_rates(radiation, device, places[:, 0], places[:, 1], np.full(2, 550e3), shield).of(*LOSSES)
        for shield in (0.3, 1.35, 5.4)
    ]
    assert rates[2][0] < 0.8 * rates[1][0] < 0.8 * rates[0][0]
    # Ions that a shield slows down deposit more: what it stops and what it worsens nearly cancel.
    assert rates[2][1] == pytest.approx(rates[0][1], rel=0.05)


def test_exposure_is_the_mean_of_the_orbits_places(
    radiation: Radiation, device: Device, polar: exposure.Particles
) -> None:
    seen = expose(radiation, device, polar, SHIELD)
    latitude, longitude, height, weight = orbit_points(550e3, POLAR)
    rates = upset_rates(radiation, device, latitude, longitude, height, SHIELD)
    assert set(seen.rates) == {*OUTCOMES, *HAZARDS}
    assert seen.rates["silent"] == pytest.approx(float(weight @ rates.of("silent")))
    assert seen.losses == pytest.approx(float(weight @ rates.of(*LOSSES)))
    inside = anomaly(radiation, latitude, longitude, height)
    expected = (weight * rates.of(*LOSSES))[inside].sum() / seen.losses
    assert seen.share_in_anomaly == pytest.approx(float(expected))
    assert seen.time_in_anomaly == pytest.approx(float(inside.mean()))
    assert float(seen.dose.total) == pytest.approx(float(dose_per_year(polar, SHIELD).total))


def test_solar_events_upset_by_the_spectrum_behind_the_shield(
    radiation: Radiation, device: Device, polar: exposure.Particles, low: exposure.Particles
) -> None:
    seen = expose(radiation, device, polar, SHIELD)
    response = device.responses["silent"]

    def above(energy: float) -> float:
        return float(np.interp(energy, polar.solar_energy_mev, polar.solar_protons))

    # 5 mm of aluminium stop protons below some 33 MeV; of those above 60 MeV all keep more than 45 MeV.
    least, most = above(60.0) * response.protons(45.0), above(32.0) * response.proton_cm2
    assert 0.2 * most < least < seen.solar_events["silent"] < most
    assert expose(radiation, device, low, SHIELD).solar_events["silent"] < 1e-4 * seen.solar_events["silent"]


def test_trillium_behind_10_mm_at_650_km_is_corrupted_more_often_than_its_dose_alone_says(
    radiation: Radiation, device: Device
) -> None:
    # Suncatcher, arXiv:2511.19468v2: 150 rad a year, one silent corruption in 17 rad of protons: 8.8 a year.
    mean_sun = replace(radiation, activity=0.5, years=1.0, active_years=1.0)
    there = particles_on(mean_sun, 650e3, float(sun_synchronous_inclination(650e3)))
    seen = expose(mean_sun, device, there, 2.70)
    a_year = seen.rates["silent"] * JULIAN_YEAR + seen.solar_events["silent"]
    assert a_year == pytest.approx(13.1, rel=0.02)  # 4.3 of them by ions, which the beam had not
    assert 8.8 < a_year < 2.0 * 8.8


def test_the_anomaly_holds_more_of_the_upsets_at_30_degrees_than_on_a_polar_orbit(
    radiation: Radiation, device: Device, polar: exposure.Particles, low: exposure.Particles
) -> None:
    at_30, over_poles = (expose(radiation, device, each, SHIELD) for each in (low, polar))
    assert at_30.share_in_anomaly > over_poles.share_in_anomaly + 0.1
    assert at_30.time_in_anomaly > over_poles.time_in_anomaly
    assert 0.04 < over_poles.time_in_anomaly < 0.12


def test_a_device_that_nothing_upsets_has_no_share_in_the_anomaly(
    radiation: Radiation, device: Device, polar: exposure.Particles
) -> None:
    deaf = Response(0.0, 1.0, 10.0, 1.0, 0.0, 1.0, 10.0, 1.0)
    immune = replace(device, responses=dict.fromkeys(device.responses, deaf))
    seen = expose(radiation, immune, polar, SHIELD)
    assert seen.losses == 0.0
    assert seen.share_in_anomaly == 0.0


def test_the_map_has_the_energy_that_bounds_the_anomaly(radiation: Radiation) -> None:
    assert exposure.ANOMALY_ENERGY_MEV in radiation.trapped.proton_energy_mev


def test_each_place_of_an_orbit_is_looked_up_once(
    radiation: Radiation, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    for name in ("protons", "electrons", "l_shell"):
        whole = getattr(TrappedMap, name)

        def counted(
            self: TrappedMap, *place: Array, name: str = name, whole: Any = whole, **sun: float
        ) -> Array:
            asked.append(name)
            return np.asarray(whole(self, *place, **sun))

        monkeypatch.setattr(TrappedMap, name, counted)
    expose(radiation, device, particles_on(radiation, 550e3, POLAR), SHIELD)
    assert sorted(asked) == ["electrons", "l_shell", "protons"]


def test_hard_protons_are_the_maps_above_30_mev(radiation: Radiation) -> None:
    latitude, longitude = np.radians([-28.0, -40.0, 60.0]), np.radians([-50.0, -20.0, 10.0])
    height = np.full(3, 550e3)
    column = int(np.flatnonzero(radiation.trapped.proton_energy_mev == 30.0)[0])
    fluxes = radiation.trapped.protons(latitude, longitude, height, activity=0.0, year=2026.2)
    found = hard_protons(radiation, latitude, longitude, height)
    np.testing.assert_allclose(found[:2], fluxes[:2, column], rtol=1e-9)
    assert found[2] < 1e-6


def test_the_anomaly_lies_over_brazil_and_the_belt_is_everywhere_over_the_equator_high_up(
    radiation: Radiation,
) -> None:
    def inside(place: tuple[float, float], height: float) -> bool:
        return bool(anomaly(radiation, *(np.array([value]) for value in (*place, height)))[0])

    assert inside(BRAZIL, 550e3)
    assert not inside(EUROPE, 550e3)
    assert not inside((0.0, np.radians(150.0)), 550e3)
    assert inside((0.0, np.radians(150.0)), 3000e3)


@pytest.fixture(scope="module")
def table(radiation: Radiation, device: Device) -> Numbers:
    return upset_table(radiation, device, 550e3, SHIELD)


def test_a_cell_of_the_table_has_the_rate_at_its_centre(
    radiation: Radiation, device: Device, table: Numbers
) -> None:
    chosen = np.arange(0, 2 * CELLS**2, 1111)
    place = geodetic(cell_directions()[chosen] * (EARTH_RADIUS + 550e3))
    expected = upset_rates(radiation, device, *place, SHIELD).of(*LOSSES)
    assert table.shape == (2 * CELLS**2,)
    assert table.dtype == np.float32
    np.testing.assert_allclose(table[chosen], expected, rtol=1e-6)


@pytest.mark.parametrize("inclination", [POLAR, LOW], ids=["polar", "at 30 degrees"])
def test_the_mean_over_an_orbit_read_from_the_table_is_the_orbits_own(
    radiation: Radiation, device: Device, table: Numbers, inclination: float
) -> None:
    rng = np.random.default_rng(3)
    argument, node = rng.uniform(0.0, 2.0 * np.pi, (2, 200_000))
    along, side = np.cos(argument), np.sin(argument) * np.cos(inclination)
    direction = np.stack(
        [
            along * np.cos(node) - side * np.sin(node),
            along * np.sin(node) + side * np.cos(node),
            np.sin(argument) * np.sin(inclination),
        ],
        axis=-1,
    )
    seen = expose(radiation, device, particles_on(radiation, 550e3, inclination), SHIELD)
    met = table[cell_index(direction)].mean(dtype=np.float64)
    assert met == pytest.approx(seen.losses, rel=0.015)
