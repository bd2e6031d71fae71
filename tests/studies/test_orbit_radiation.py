"""Dose, upsets and the anomaly's part on one orbit, as the command line shows them."""

from __future__ import annotations

from typing import Any

import pytest

from skyhall.errors import ValueProblem
from skyhall.scenario import load
from skyhall.studies import OrbitRadiation, radiation_on_orbit

LOW = {"pattern": "walker_delta", "inclination": "30 deg"}


def on(altitude: str = "650 km", *, shell: dict[str, Any] | None = None, **more: Any) -> OrbitRadiation:
    study = {name: more.pop(name) for name in ("geometry", "whole_life") if name in more}
    environment = more.pop("environment", {})
    satellite = {"shielding": "5 mm", "device": "trillium-tpu"} | more
    asked = {
        "epoch": "2026-03-20T00:00:00Z",
        "orbit": {"shells": [{"altitude": altitude} | (shell or {})]},
        "satellite": satellite,
        "environment": environment,
    }
    return radiation_on_orbit(load(asked), **study)


@pytest.fixture(scope="module")
def polar() -> OrbitRadiation:
    return on()


@pytest.fixture(scope="module")
def low() -> OrbitRadiation:
    return on(shell=LOW)


def test_the_parts_sum_to_the_dose(polar: OrbitRadiation) -> None:
    assert sum(polar.dose_parts_krad_per_year.values()) == pytest.approx(polar.dose_krad_per_year)
    assert polar.dose_krad_per_year > 0.1


def test_the_orbit_is_that_of_the_shell(polar: OrbitRadiation, low: OrbitRadiation) -> None:
    assert polar.altitude_km == pytest.approx(650.0)
    assert polar.inclination_deg == pytest.approx(98.0, abs=0.1)
    assert low.inclination_deg == pytest.approx(30.0)


def test_the_row_of_the_table_at_the_asked_thickness_is_the_dose_itself(polar: OrbitRadiation) -> None:
    row = dict(polar.dose_by_mm)[5.0]
    for name, part in polar.dose_parts_krad_per_year.items():
        assert row[name] == pytest.approx(part), name


def test_every_part_falls_down_the_table(polar: OrbitRadiation) -> None:
    thinner: dict[str, float] | None = None
    for _, row in polar.dose_by_mm:
        assert thinner is None or all(row[name] < thinner[name] for name in row)
        thinner = row


def test_minutes_flown_inside_the_anomaly_agree_with_the_orbits_mean(
    polar: OrbitRadiation, low: OrbitRadiation
) -> None:
    for found in (polar, low):
        flown = found.minutes_per_day / 1440.0
        assert flown == pytest.approx(found.time_in_south_atlantic_anomaly, rel=0.05)


def test_passes_are_fewer_than_orbits_and_last_some_minutes(
    polar: OrbitRadiation, low: OrbitRadiation
) -> None:
    # Over the poles half an orbit may cross it, going up, and half coming down: two passes at most.
    assert 5.0 < polar.passes_per_day < 14.7
    assert 5.0 < low.passes_per_day < 14.7
    for found in (polar, low):
        assert 5.0 < found.minutes_per_day / found.passes_per_day < 30.0


def test_passes_are_counted_below_the_fleets_own_longitudes() -> None:
    # On the geostationary ring there is no place that comes and goes.
    ring = on(shell={"pattern": "geostationary"})
    assert ring.altitude_km == pytest.approx(35_786, abs=5)
    assert ring.passes_per_day == 0.0
    assert ring.share_in_south_atlantic_anomaly == 0.0
    assert ring.dose_parts_krad_per_year["electrons"] > 20 * ring.dose_parts_krad_per_year["trapped_protons"]


def test_a_slab_lets_in_less_than_half_and_upsets_do_not_ask(polar: OrbitRadiation) -> None:
    slab = on(geometry="slab")
    assert slab.dose_krad_per_year < 0.5 * polar.dose_krad_per_year
    assert slab.upsets_per_device_day == polar.upsets_per_device_day


def test_one_active_year_is_worse_than_a_year_of_a_life(polar: OrbitRadiation) -> None:
    life = on(whole_life=True, life="5 year")
    assert polar.active_share == 1.0
    assert life.active_share == pytest.approx(0.617, abs=0.01)
    assert (
        life.dose_parts_krad_per_year["solar_protons"] < 0.6 * polar.dose_parts_krad_per_year["solar_protons"]
    )
    assert life.dose_parts_krad_per_year["electrons"] == polar.dose_parts_krad_per_year["electrons"]


def test_the_anomaly_holds_more_of_the_upsets_at_30_degrees(
    polar: OrbitRadiation, low: OrbitRadiation
) -> None:
    assert low.share_in_south_atlantic_anomaly > 0.8 > polar.share_in_south_atlantic_anomaly > 0.4


def test_solar_protons_are_felt_over_the_poles_only(polar: OrbitRadiation, low: OrbitRadiation) -> None:
    assert polar.dose_parts_krad_per_year["solar_protons"] > 0.1
    assert low.dose_parts_krad_per_year["solar_protons"] < 1e-6
    assert low.solar_event_upsets_per_device_year["silent"] < 1e-3


def test_without_solar_protons_30_degrees_is_no_longer_the_milder_orbit() -> None:
    """The crossover of the two orbits between 600 km and 700 km is made by solar protons."""

    def doses(altitude: str) -> tuple[tuple[float, float], tuple[float, float]]:
        low, polar = (on(altitude, shell=shell) for shell in (LOW, None))
        whole, solar = (
            (low.dose_krad_per_year, polar.dose_krad_per_year),
            [each.dose_parts_krad_per_year["solar_protons"] for each in (low, polar)],
        )
        return whole, (whole[0] - solar[0], whole[1] - solar[1])

    (low, polar), (low_trapped, polar_trapped) = doses("600 km")
    assert low < polar
    assert low_trapped > polar_trapped
    (low, polar), _ = doses("800 km")
    assert low > polar


def test_the_sun_at_maximum_leaves_fewer_trapped_protons_and_cosmic_rays(polar: OrbitRadiation) -> None:
    active = on(environment={"solar_activity": "maximum"})
    quiet = on(environment={"solar_activity": "minimum"})
    assert (
        active.dose_parts_krad_per_year["trapped_protons"] < quiet.dose_parts_krad_per_year["trapped_protons"]
    )
    assert active.upsets_per_device_day["silent"] < polar.upsets_per_device_day["silent"]
    assert polar.upsets_per_device_day["silent"] < quiet.upsets_per_device_day["silent"]


def test_a_hardened_part_is_upset_less_and_bears_more(polar: OrbitRadiation) -> None:
    hard = on(device="rad-hard-processor")
    assert hard.device == "rad-hard-processor"
    assert sum(hard.upsets_per_device_day.values()) < 1e-3 * sum(polar.upsets_per_device_day.values())
    assert hard.dose_limit_krad > 50 * polar.dose_limit_krad
    assert hard.dose_krad_per_year == polar.dose_krad_per_year


def test_no_shield_in_the_scenario_asks_for_one() -> None:
    with pytest.raises(ValueProblem, match="no shielding is given") as caught:
        radiation_on_orbit(load({}))
    assert caught.value.place.key == "satellite.shielding"


@pytest.mark.parametrize(
    ("altitude", "said"),
    [("100 km", "the orbit decays within a day"), ("60000 km", "outside the map of trapped particles")],
)
def test_an_altitude_that_cannot_be_answered_names_its_key(altitude: str, said: str) -> None:
    with pytest.raises(ValueProblem, match=said) as caught:
        on(altitude, shell=LOW)
    assert caught.value.place.key == "orbit.shells.0.altitude"
