"""Fleets against the rules."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from skyhall.constants import EARTH_RADIUS
from skyhall.environment.air import SolarCycle
from skyhall.errors import ValueProblem
from skyhall.fleet import design
from skyhall.rules import RuleResult, check
from skyhall.rules.figures import figures_of
from skyhall.rules.shells import flown_shells
from skyhall.scenario import load

EVERY = {
    *("disposal_time", "disposal_success", "large_collision", "small_collision", "disposal_collision"),
    *("collision_over_life", "loop_punctures", "manoeuvres", "casualty", "brightness", "shell_separation"),
}


@cache
def rules(name: str, *sets: str) -> dict[str, RuleResult]:
    return {row.rule: row for row in check(design(load(name, overrides=list(sets))))}


@pytest.mark.parametrize("name", ["starcloud-1", "suncatcher-81", "dawn-dusk-200mw"])
def test_every_family_of_rules_has_its_row(name: str) -> None:
    assert rules(name).keys() >= EVERY


def test_every_row_has_a_source_and_only_rows_without_a_limit_have_no_verdict() -> None:
    for row in rules("dawn-dusk-200mw").values():
        assert row.source
        assert (row.passed is None) == (row.limit is None)


def test_a_satellite_that_brings_itself_down_meets_the_five_year_rule() -> None:
    assert rules("dawn-dusk-200mw")["disposal_time"].passed


def test_from_800_km_drag_alone_does_not() -> None:
    left = rules("starcloud-5gw", "catalogue.hall-argon.disposal_altitude=800 km")["disposal_time"]
    assert left.value > 5.0
    assert left.passed is False


def test_the_geostationary_ring_has_a_graveyard_and_no_re_entry() -> None:
    found = rules("geo-1gw")
    assert "graveyard_raise" in found
    assert not found.keys() & {
        "disposal_time",
        "casualty",
        "disposal_collision",
        "manoeuvres",
        "shell_separation",
    }


def test_a_small_satellite_is_asked_less_than_a_constellation() -> None:
    assert rules("starcloud-1")["disposal_success"].limit == 0.90
    assert rules("dawn-dusk-200mw")["disposal_success"].limit == 0.95


def test_where_nothing_fails_only_debris_ends_the_disposal() -> None:
    found = rules("dawn-dusk-200mw", "economics.reliability=orbit-no-failures")
    assert found["disposal_success"].value == pytest.approx(1.0 - found["small_collision"].value)
    assert found["disposal_success"].passed


def test_a_satellite_that_burns_up_whole_hurts_nobody() -> None:
    assert rules("dawn-dusk-200mw", "catalogue.re-entry.surviving_share=0")["casualty"].value == 0.0


def test_many_shells_at_one_altitude_are_in_each_others_way() -> None:
    found = rules("million")["shell_separation"]
    assert found.value == 0.0
    assert "own shell" in found.note


def test_a_shell_among_starlinks_is_in_their_way() -> None:
    assert rules("starlink-shell-53")["shell_separation"].note == "in altitude, to starlink 550"


def test_a_cluster_is_a_formation() -> None:
    found = rules("suncatcher-81")["neighbour_distance"]
    assert (found.value, found.passed) == (0.1, None)


def test_the_worst_shell_is_shown() -> None:
    # The disposal from 1,000 km costs more speed than that from 500 km, and debris is denser on the way.
    row = rules("million")["large_collision"]
    assert row.shell.startswith("1000 km")


def test_ten_times_the_flux_is_ten_times_the_small_collisions() -> None:
    once = rules("starcloud-1")["small_collision"].value
    ten = rules("starcloud-1", "catalogue.debris-figures.flux_factor=10")["small_collision"].value
    assert ten / once == pytest.approx(10.0, rel=1e-3)


def test_a_thicker_wall_is_holed_less_often() -> None:
    thin, thick = (
        rules("starcloud-1", f"catalogue.coolant-tubes.wall={wall} mm")["loop_punctures"].value
        for wall in (1, 4)
    )
    assert thin > 20.0 * thick


def test_dark_arrays_are_seen_by_nobody() -> None:
    assert rules("starcloud-1", "catalogue.sky.array_reflectivity=0")["brightness"].passed


def test_a_thruster_that_rests_twice_as_long_takes_twice_as_long() -> None:
    name, key = "dawn-dusk-200mw", "catalogue.way-down.thrust_share"
    always, half, third = (
        rules(name, f"{key}={share}")["disposal_time"].value for share in (1, 1 / 2, 1 / 3)
    )
    assert half - always == pytest.approx(third - half)
    assert half > 1.5 * always


def test_the_note_says_delta_v_power_and_days_of_thrust() -> None:
    near, far = (rules(name)["disposal_time"].note for name in ("starcloud-1", "dawn-dusk-200mw"))
    assert near.startswith("14 m/s by 0.54 kW of thrust in 0.697")
    assert far.startswith("195 m/s by 10 kW of thrust in 50")


def test_a_faster_way_down_meets_less_debris() -> None:
    slow, fast = (
        rules("dawn-dusk-200mw", f"catalogue.way-down.thrust_share={share}")["disposal_collision"].value
        for share in (0.1, 1.0)
    )
    assert 5.0 < slow / fast < 10.0


@pytest.mark.parametrize(
    "rule",
    [
        *("disposal_time", "disposal_collision", "large_collision", "small_collision"),
        *("collision_over_life", "loop_punctures"),
    ],
)
def test_the_scenarios_sun_shines_on(rule: str) -> None:
    quiet, active = (
        rules("dawn-dusk-200mw", f"environment.solar_radio_flux={flux}")[rule].value for flux in (70, 200)
    )
    assert active < 0.98 * quiet


@pytest.mark.parametrize(
    ("sun", "flux", "of_disposal"),
    [
        ("solar_activity=minimum", 70.0, 70.0),
        ("solar_activity=maximum", 185.0, 185.0),
        ("solar_activity=mean", SolarCycle(70.0, 185.0), 70.0),
        ("solar_radio_flux=150", 150.0, 150.0),
    ],
)
def test_a_disposal_meets_the_scenarios_sun_and_of_a_cycle_the_minimum(
    sun: str, flux: float | SolarCycle, of_disposal: float
) -> None:
    figures = figures_of(design(load("dawn-dusk-200mw", overrides=[f"environment.{sun}"])))
    assert (figures.sun, figures.disposal_sun) == (flux, of_disposal)


def test_debris_is_the_mean_of_the_months_of_a_cycle_not_that_of_its_mean_flux() -> None:
    figures = figures_of(design(load("dawn-dusk-200mw")))
    months = SolarCycle(70.0, 185.0).months
    each = [float(figures.traffic(0.01, 500e3, 1.7, sun=float(flux))) for flux in months]
    assert float(figures.traffic(0.01, 500e3, 1.7)) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("rule", ["disposal_time", "disposal_collision"])
def test_the_note_of_a_disposal_says_its_sun(rule: str) -> None:
    assert rules("dawn-dusk-200mw")[rule].note.endswith("F10.7 70")
    assert rules("starcloud-1")[rule].note.endswith("F10.7 150")


def test_an_answer_without_end_is_null_in_json() -> None:
    row = rules("starcloud-1", "catalogue.sky.array_reflectivity=0")["brightness"]
    assert row.value == math.inf
    assert row.as_dict()["value"] is None
    json.dumps(row.as_dict(), allow_nan=False)


def test_small_collisions_say_that_meteoroids_are_left_out() -> None:
    assert "meteoroids left out" in rules("starcloud-1")["small_collision"].note


def test_only_what_has_failed_cannot_step_aside() -> None:
    reliable = rules("dawn-dusk-200mw", "economics.reliability=orbit-no-failures")["large_collision"].value
    assert reliable < 0.15 * rules("dawn-dusk-200mw")["large_collision"].value


def test_punctures_by_debris_follow_its_flux() -> None:
    once, twice, thrice = (
        rules("starcloud-1", f"catalogue.debris-figures.flux_factor={factor}")["loop_punctures"].value
        for factor in (1, 2, 3)
    )
    assert thrice - twice == pytest.approx(twice - once)
    assert twice > 1.2 * once


def test_with_the_sun_just_set_the_lit_side_is_seen_more_edge_on() -> None:
    late, early = (
        rules("dawn-dusk-200mw", f"catalogue.sky.sun_depression={angle} deg")["brightness"].value
        for angle in (18, 6)
    )
    ratio = math.sin(math.radians(18.0)) / math.sin(math.radians(6.0))
    assert early - late == pytest.approx(2.5 * math.log10(ratio), abs=1e-6)


def test_the_fleets_casualties_are_those_of_all_its_satellites() -> None:
    found = rules("dawn-dusk-200mw")
    satellites = len(design(load("dawn-dusk-200mw")))
    expected = 1.0 - math.exp(-satellites * found["casualty"].value)
    assert found["casualty_of_fleet"].value == pytest.approx(expected)


def test_of_what_must_be_large_the_smallest_is_shown() -> None:
    assert rules("million")["brightness"].shell == "500 km, 30°"


@pytest.mark.parametrize(
    "value", ["coolant-tubes.wall=-1 mm", "starlink-manoeuvres.satellites=0", "re-entry.fragment_mass=0 kg"]
)
def test_a_figure_that_cannot_be_is_an_error_with_its_place(value: str) -> None:
    key = value.partition("=")[0]
    with pytest.raises(ValueProblem, match=rf"catalogue.{key}"):
        rules("starcloud-1", f"catalogue.{value}")


def test_without_debris_there_are_no_collisions_and_as_many_manoeuvres() -> None:
    empty = rules("starcloud-1", "catalogue.debris-figures.flux_factor=0")
    assert empty["collision_over_life"].value == 0.0
    assert empty["manoeuvres"].value == rules("starcloud-1")["manoeuvres"].value


def test_an_eccentric_orbit_takes_a_band_of_altitude() -> None:
    fleet = design(load("starcloud-1"))
    axis = float(fleet.elements.semi_major_axis[0])
    eccentric = replace(fleet, elements=replace(fleet.elements, eccentricity=np.array([0.001])))
    shell = flown_shells(eccentric)[0]
    assert shell.lowest == pytest.approx(axis * 0.999 - EARTH_RADIUS)
    assert shell.highest == pytest.approx(axis * 1.001 - EARTH_RADIUS)


def test_the_notes_say_small_areas_to_two_digits() -> None:
    area = design(load("starcloud-1")).designs[0].array_area
    assert 1.0 < area < 10.0
    assert rules("starcloud-1")["brightness"].note.startswith(f"{area:.1f} m² of array")


def test_the_notes_say_many_manoeuvres_without_an_exponent() -> None:
    row = rules("dawn-dusk-200mw", "catalogue.starlink-manoeuvres.manoeuvres=1e8")["manoeuvres"]
    assert re.search(r" \d{1,3},\d00 a day in the shell", row.note), row.note


@pytest.mark.parametrize(
    "override",
    [
        "catalogue.latitude-bands.width=20 deg",
        "catalogue.starlink-manoeuvres.uncertainty=1e6 m",
        "catalogue.sky.array_reflectivity=-0.1",
    ],
)
def test_figures_that_cannot_be_are_one_clear_error(override: str) -> None:
    with pytest.raises(ValueProblem) as caught:
        rules("starcloud-1", override)
    assert "catalogue." in str(caught.value.place.key)
