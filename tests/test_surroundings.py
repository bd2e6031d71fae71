"""Scenario and catalogue to radiation, device, shield, and the tables of upset rates that a fleet flies through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from skyhall import surroundings
from skyhall.catalogue import load_catalogue
from skyhall.catalogue.maps import load_map
from skyhall.constants import EARTH_RADIUS, JULIAN_YEAR
from skyhall.environment.air import AirTable, SolarCycle, density
from skyhall.environment.devices import Device
from skyhall.environment.exposure import Radiation, dose_per_year, particles_on, upset_table
from skyhall.environment.globe_cells import CELLS
from skyhall.environment.shielding import aluminium_g_cm2
from skyhall.environment.upset_field import UpsetField
from skyhall.errors import ValueProblem
from skyhall.fleet import design
from skyhall.orbit.elements import MeanElements
from skyhall.scenario import Scenario, load
from skyhall.surroundings import (
    SHIELDS_MM,
    air_density,
    device_of,
    irradiation_on,
    radiation_of,
    shield_for,
    upset_field,
)
from skyhall.types import Array

MM = float(aluminium_g_cm2(1e-3))  # g/cm² of a millimetre of aluminium
INCLINATION = np.radians(97.6)


def scenario(**satellite: Any) -> Scenario:
    return load({"epoch": "2026-03-20T00:00:00Z", "satellite": satellite})


@pytest.fixture(scope="module")
def radiation() -> Radiation:
    return radiation_of(scenario())


@pytest.fixture(scope="module")
def device() -> Device:
    return device_of(scenario(), load_catalogue())


# radiation


def test_the_years_of_the_life_and_its_active_ones_are_told(radiation: Radiation) -> None:
    assert radiation.years == pytest.approx(5.0)
    # Cycle 25 is active until 4.5 years after its maximum of October 2024; spring 2026 to spring 2031 begins there.
    assert radiation.active_years == pytest.approx(2024.8 + 4.5 - radiation.year, abs=0.01)
    assert radiation.year == pytest.approx(2026.21, abs=0.01)
    assert radiation_of(scenario(life="1 year")).active_years == pytest.approx(1.0)


def test_the_scenarios_sun_and_confidence_are_used() -> None:
    asked = load({"environment": {"solar_activity": "maximum", "solar_proton_confidence": 0.9}})
    assert radiation_of(asked).activity == 1.0
    assert radiation_of(asked).confidence == 0.9
    assert radiation_of(load({"environment": {"solar_activity": "minimum"}})).activity == 0.0


@pytest.mark.parametrize("epoch", ["1962-06-01T00:00:00Z", "2050-01-01T00:00:00Z"])
def test_an_epoch_that_the_map_cannot_be_shifted_to_says_which_it_can(epoch: str) -> None:
    with pytest.raises(ValueProblem, match="not known for") as caught:
        radiation_of(load({"epoch": epoch}))
    assert caught.value.place.key == "epoch"
    assert "between 1964 and 2040" in str(caught.value)


# device


def test_the_accelerator_decides_the_device_unless_the_scenario_names_one() -> None:
    catalogue = load_catalogue()
    assert device_of(scenario(accelerator="h100-sxm"), catalogue).name == "gpu-h100-class"
    assert device_of(scenario(accelerator="gb300-nvl72"), catalogue).name == "gpu-blackwell-class"
    named = device_of(scenario(accelerator="h100-sxm", device="trillium-tpu"), catalogue)
    assert named.name == "trillium-tpu"
    assert named.dose_limit_rad == pytest.approx(2000.0)


def test_an_unknown_device_names_its_key_and_near_ones() -> None:
    with pytest.raises(ValueProblem, match="'trilium-tpu' is not among the devices") as caught:
        device_of(scenario(device="trilium-tpu"), load_catalogue())
    assert caught.value.place.key == "satellite.device"
    assert "did you mean 'trillium-tpu'" in str(caught.value)


# shield


@pytest.mark.parametrize(
    ("altitude", "margin"), [(550e3, 2.0), (700e3, 2.0), (900e3, 1.0)], ids=["550 km", "700 km", "900 km"]
)
def test_the_shield_is_the_thinnest_that_keeps_the_dose_within_what_the_device_bears(
    radiation: Radiation, device: Device, altitude: float, margin: float
) -> None:
    asked = scenario(dose_margin=margin)
    found = irradiation_on(asked, radiation, device, altitude, INCLINATION, 0.0)
    borne = device.dose_limit_rad / (asked.satellite.life / JULIAN_YEAR * margin)
    step = SHIELDS_MM[np.searchsorted(SHIELDS_MM, found.shield_mm - 0.01) - 1]
    thinner = dose_per_year(particles_on(radiation, altitude, INCLINATION), step * MM)
    assert 0.5 < found.shield_mm < SHIELDS_MM[-1]
    assert found.exposure.dose.total <= borne < thinner.total


def test_a_bus_whose_own_shield_is_thicker_keeps_it(radiation: Radiation, device: Device) -> None:
    found = irradiation_on(scenario(), radiation, device, 350e3, np.radians(30.0), 20.0 * MM)
    assert found.shield_mm == pytest.approx(20.0)


def test_a_given_shield_is_obeyed_even_where_it_does_not_suffice(
    radiation: Radiation, device: Device
) -> None:
    found = irradiation_on(scenario(shielding="1 mm"), radiation, device, 1200e3, INCLINATION, 5.0)
    assert found.shield_mm == pytest.approx(1.0)
    assert found.exposure.dose.total * 5.0 > device.dose_limit_rad


def test_where_no_shield_suffices_the_thickest_is_taken(radiation: Radiation, device: Device) -> None:
    by_mm = dose_per_year(particles_on(radiation, 5000e3, np.radians(30.0)), SHIELDS_MM * MM)
    assert shield_for(scenario(), device, by_mm, 0.54) == pytest.approx(30.0 * MM)


def test_a_fleet_high_up_is_designed_all_the_same_and_its_dose_is_told_to_exceed_the_limit() -> None:
    shell = {"pattern": "walker_delta", "altitude": "5000 km", "inclination": "30 deg", "satellites": 4}
    fleet = design(load({"orbit": {"shells": [shell]}}))
    assert fleet.irradiation[0].shield_mm == pytest.approx(30.0)
    here = fleet.irradiation[0]
    assert here.dose_of_limit > 1.0
    asked = fleet.scenario.satellite
    years = asked.life / (365.25 * 86400.0)
    over = float(here.exposure.dose.total) * years * asked.dose_margin / here.device.dose_limit_rad
    assert here.dose_of_limit == pytest.approx(over)


def test_an_accelerators_name_stands_for_its_device() -> None:
    catalogue = load_catalogue()
    named = surroundings.device_of(load({"satellite": {"device": "h100-pcie"}}), catalogue)
    assert named == surroundings.device_of(load({"satellite": {"device": "gpu-h100-class"}}), catalogue)


def test_the_shield_enters_the_satellites_mass() -> None:
    thin, thick = (
        design(
            load("dawn-dusk-200mw", overrides=["orbit.shells.0.satellites=4", f"satellite.shielding={mm} mm"])
        )
        for mm in (5, 20)
    )
    assert thick.designs[0].masses["shielding"] == pytest.approx(4.0 * thin.designs[0].masses["shielding"])
    assert thick.mass > thin.mass


# air


HEIGHTS = np.array([400e3, 600e3])


def air_of(*, high: bool = False, **environment: Any) -> Array:
    return air_density(load({"environment": environment}), load_catalogue(), HEIGHTS, high=high)


def air_at(f107: float | SolarCycle) -> Array:
    return density(HEIGHTS, f107, AirTable(**load_map("air")))


def test_the_air_is_the_mean_over_a_cycle_unless_the_scenario_says_when() -> None:
    atmosphere = load_catalogue().part("environments", "atmosphere")
    cycle = SolarCycle(atmosphere("f107_minimum"), atmosphere("f107_maximum"))
    np.testing.assert_allclose(air_of(), air_at(cycle))
    np.testing.assert_allclose(air_of(solar_activity="mean"), air_at(cycle))


@pytest.mark.parametrize("end", ["minimum", "maximum"])
def test_at_solar_minimum_and_maximum_the_air_is_that_of_its_flux(end: str) -> None:
    f107 = load_catalogue().part("environments", "atmosphere")(f"f107_{end}")
    np.testing.assert_allclose(air_of(solar_activity=end), air_at(f107))


@pytest.mark.parametrize("end", ["minimum", "mean", "maximum"])
def test_the_most_of_a_cycle_is_the_strongest_maximum_whatever_the_scenarios_sun(end: str) -> None:
    _, strongest = load_catalogue().part("environments", "atmosphere").bounds("f107_maximum")
    assert strongest > load_catalogue().part("environments", "atmosphere")("f107_maximum")
    np.testing.assert_allclose(air_of(solar_activity=end, high=True), air_at(strongest))


@pytest.mark.parametrize("high", [False, True])
def test_a_radio_flux_that_the_scenario_gives_holds_for_both(high: bool) -> None:
    np.testing.assert_allclose(
        air_of(solar_activity="minimum", solar_radio_flux=150.0, high=high), air_at(150.0)
    )


# tables


def on(altitudes: Array) -> MeanElements:
    zeros = np.zeros(len(altitudes))
    return MeanElements(EARTH_RADIUS + altitudes, zeros, zeros + INCLINATION, zeros, zeros, zeros)


def met(field: UpsetField) -> Array:
    """Return the mean rate over the globe that each satellite reads."""
    return np.asarray(field.rates.mean(axis=1, dtype=np.float64)[field.table] * field.scale)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """Tables that grow with the altitude and shrink with the shield; returns which were asked for."""
    asked = []

    def table(radiation: Radiation, device: Device, altitude: float, shield: float) -> Any:
        asked.append((altitude, shield))
        return np.full(2 * CELLS**2, 1e-7 * np.exp(altitude / 2000e3 - shield), dtype=np.float32)

    monkeypatch.setattr(surroundings, "upset_table", table)
    return asked


def field_of(altitudes: Any, design_index: Any = None, shields: Any = (1.35,)) -> UpsetField:
    altitudes = np.asarray(altitudes, dtype=np.float64)
    index = np.zeros(len(altitudes), dtype=np.int64) if design_index is None else np.asarray(design_index)
    return upset_field(None, None, on(altitudes), index, shields)  # type: ignore[arg-type]


def test_shells_share_a_table_for_each_altitude_and_shield(made_up: list[tuple[float, float]]) -> None:
    field = field_of([550e3, 550e3, 700e3, 550e3], design_index=[0, 0, 1, 2], shields=[1.0, 1.0, 2.0])
    assert sorted(made_up) == [(550e3, 1.0), (550e3, 2.0), (700e3, 1.0)]
    np.testing.assert_allclose(field.scale, 1.0)
    expected = 1e-7 * np.exp(np.array([550, 550, 700, 550]) / 2000 - np.array([1.0, 1.0, 1.0, 2.0]))
    np.testing.assert_allclose(met(field), expected, rtol=1e-6)


def test_a_catalogue_of_any_altitudes_needs_few_tables_and_each_satellite_gets_its_own_rate(
    made_up: list[tuple[float, float]],
) -> None:
    altitudes = np.concatenate([np.linspace(155e3, 2000e3, 3000), np.geomspace(2000e3, 35_900e3, 2000)])
    field = field_of(altitudes)
    assert len(made_up) == len(field.rates) < 80
    np.testing.assert_allclose(met(field), 1e-7 * np.exp(altitudes / 2000e3 - 1.35), rtol=1e-5)


def test_a_catalogue_needs_no_tables_where_it_has_no_satellites(made_up: list[tuple[float, float]]) -> None:
    field_of(np.linspace(526e3, 537e3, 100))
    assert sorted(made_up) == [(525e3, 1.35), (550e3, 1.35)]


def test_satellites_beyond_the_map_get_its_last_table(made_up: list[tuple[float, float]]) -> None:
    field = field_of([36_300e3, 40_000e3])
    assert len(field.rates) == 1
    assert made_up[0][0] == pytest.approx(36_000e3)


@pytest.fixture(scope="module")
def real(radiation: Radiation, device: Device) -> tuple[Array, UpsetField]:
    altitudes = np.linspace(526e3, 549e3, 100)
    index = np.zeros(100, dtype=np.int64)
    return altitudes, upset_field(radiation, device, on(altitudes), index, [5.0 * MM])


def test_between_two_tables_the_mean_rate_is_within_a_thousandth_of_a_table_there(
    real: tuple[Array, UpsetField], radiation: Radiation, device: Device
) -> None:
    altitudes, field = real
    between = int(np.argmin(np.abs(altitudes - 537e3)))
    own = upset_table(radiation, device, altitudes[between], 5.0 * MM)
    assert met(field)[between] == pytest.approx(own.mean(dtype=np.float64), rel=1e-3)
    ends = field.rates.mean(axis=1, dtype=np.float64)
    assert ends[1] > 1.1 * ends[0]


def test_between_two_tables_single_places_are_nearly_right_too(
    real: tuple[Array, UpsetField], radiation: Radiation, device: Device
) -> None:
    altitudes, field = real
    between = int(np.argmin(np.abs(altitudes - 537e3)))
    own = upset_table(radiation, device, altitudes[between], 5.0 * MM)
    read = field.rates[field.table[between]] * field.scale[between]
    assert np.abs(read - own).sum() < 0.06 * own.sum()


def test_a_higher_satellite_never_meets_fewer_in_low_orbit(real: tuple[Array, UpsetField]) -> None:
    assert (np.diff(met(real[1])) > 0).all()


def test_the_map_reaches_every_table(radiation: Radiation, device: Device) -> None:
    for altitude in surroundings._RUNGS[[0, -1]]:
        assert upset_table(replace(radiation, activity=1.0), device, altitude, 1.0).min() > 0.0
