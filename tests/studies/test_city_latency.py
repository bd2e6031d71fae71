"""Delay between cities as a study: names, places, and what the answer holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skyhall.catalogue import load_catalogue
from skyhall.errors import ValueProblem
from skyhall.fleet import Fleet, design
from skyhall.network.latency import great_circle
from skyhall.scenario import load
from skyhall.studies.latency import city, latency_between

CATALOGUE = load_catalogue()


@pytest.fixture(scope="module")
def shell() -> Fleet:
    return design(load("starlink-shell-53"))


@pytest.mark.parametrize("text", ["London", "london", " LONDON ", "lonDon"])
def test_capitals_do_not_matter(text: str) -> None:
    assert city(text, CATALOGUE).name == "London"


@pytest.mark.parametrize(
    ("text", "name"), [("new-york", "New York"), ("new  york", "New York"), ("xi'an", "Xi'an")]
)
def test_a_city_answers_to_its_title_and_its_part(text: str, name: str) -> None:
    assert city(text, CATALOGUE).name == name


def test_a_place_may_be_given_in_degrees() -> None:
    place = city("51.5, -0.1", CATALOGUE)
    assert np.degrees([place.latitude, place.longitude]) == pytest.approx([51.5, -0.1])


@pytest.mark.parametrize(
    ("text", "what", "right"),
    [
        ("Londn", "no city 'Londn'", "did you mean 'London'"),
        ("Xyzzy", "no city", "catalogue cities"),
        ("", "no city", "catalogue cities"),
        ("95,0", "latitude 95", "-90 to 90"),
        ("0,400", "longitude 400", "-180 to 360"),
        ("1.2.3,4", "no place", "51.5,-0.1"),
    ],
)
def test_a_place_that_is_not_there_is_one_clear_error(text: str, what: str, right: str) -> None:
    with pytest.raises(ValueProblem, match=what) as caught:
        city(text, CATALOGUE)
    assert right in (caught.value.right or "")


def test_there_are_a_hundred_cities_on_land_and_apart() -> None:
    cities = [part for part in CATALOGUE if part.kind == "cities"]
    assert len(cities) == 100
    places = np.array([[part("latitude", "rad"), part("longitude", "rad")] for part in cities])
    apart = great_circle(*places[:, None].transpose(2, 0, 1), *places.T)
    assert apart[np.triu_indices(100, 1)].min() > 15e3  # m, Dongguan, Shenzhen, Guangzhou and Foshan
    assert np.degrees(places[:, 0]).max() < 60.0


def test_the_day_has_a_least_a_middle_and_a_most(shell: Fleet) -> None:
    london, new_york, tokyo = (city(name, CATALOGUE) for name in ("London", "New York", "Tokyo"))
    found = latency_between(shell, london, [new_york, tokyo], steps=24)
    first, second = found.pairs
    assert (first.origin, first.target, second.target) == ("London", "New York", "Tokyo")
    for pair in found.pairs:
        assert pair.space_ms is not None
        assert pair.hops is not None
        assert pair.space_ms.min <= pair.space_ms.median <= pair.space_ms.max
        assert pair.hops.min <= pair.hops.median <= pair.hops.max
        assert pair.reachable == 1.0
        assert pair.space_ms.min > pair.distance_km / 299.792458  # not faster than light along the ground
    assert first.space_sooner == 1.0
    assert 21.0 < first.space_ms.median < 22.0
    assert first.fibre_ms.median == pytest.approx(1.3 * first.fibre_ms.min)
    assert first.fibre_ms.median == pytest.approx(first.distance_km * 1.47 * 1.3 / 299.792458, rel=1e-9)
    sweep = found.sweep
    reached = np.isfinite(sweep.space_ms)
    assert np.all(sweep.space_low_ms[reached] <= sweep.space_ms[reached])
    assert np.all(sweep.space_ms[reached] <= sweep.space_high_ms[reached])
    assert sweep.wins_from_km is not None
    assert sweep.wins_from_great_circle_km is not None
    assert sweep.wins_from_km < sweep.wins_from_great_circle_km


def test_a_ring_over_the_poles_reaches_few_pairs_and_some_never() -> None:
    asked = {"orbit": {"shells": [{"satellites": 40}]}, "satellite": {"it_power": "20 kW"}}
    fleet = design(load(asked))
    found = latency_between(fleet, city("London", CATALOGUE), [city("New York", CATALOGUE)], steps=24)
    pair = found.pairs[0]
    assert pair.space_ms is None
    assert pair.hops is None
    assert (pair.reachable, pair.space_sooner) == (0.0, 0.0)
    assert pair.fibre_ms.median > 0.0


def test_one_satellite_has_no_mesh() -> None:
    fleet = design(load("starcloud-1"))
    with pytest.raises(ValueProblem, match="one satellite has no mesh"):
        latency_between(fleet, city("London", CATALOGUE), [city("Tokyo", CATALOGUE)])


def test_satellites_without_lasers_have_no_mesh() -> None:
    fleet = design(load("starlink-shell-53", overrides=["network.mesh=none"]))
    with pytest.raises(ValueProblem, match="no laser links"):
        latency_between(fleet, city("London", CATALOGUE), [city("Tokyo", CATALOGUE)])


def test_the_same_place_twice_is_refused(shell: Fleet) -> None:
    with pytest.raises(ValueProblem, match=r"London is where 51\.5085,-0\.1257 is"):
        latency_between(shell, city("51.5085,-0.1257", CATALOGUE), [city("London", CATALOGUE)])


def test_over_a_geostationary_satellite_nothing_changes_through_the_day() -> None:
    fleet = design(load("geo-1gw", overrides=["orbit.shells.0.satellites=12"]))
    found = latency_between(fleet, city("London", CATALOGUE), [city("Paris", CATALOGUE)], steps=12)
    space, hops = found.pairs[0].space_ms, found.pairs[0].hops
    assert space is not None
    assert hops is not None
    assert space.max - space.min < 0.05
    assert 250.0 < space.median < 265.0
    assert hops.max == 0.0


def test_links_that_the_terminals_do_not_reach_carry_nothing() -> None:
    short = ["catalogue.optical-mass-produced.longest_range=100 km"]
    fleet = design(load("starlink-shell-53", overrides=short))
    with pytest.raises(ValueProblem, match="none of 3,168 laser links stands"):
        latency_between(fleet, city("London", CATALOGUE), [city("New York", CATALOGUE)], steps=6)


def test_real_orbits_have_no_pattern_of_links() -> None:
    sets = Path(__file__).parents[1] / "orbit" / "data" / "made.tle"
    fleet = design(load("starlink-shell-53", overrides=[f"orbit.elements={sets}"]))
    with pytest.raises(ValueProblem, match="no pattern of neighbours"):
        latency_between(fleet, city("London", CATALOGUE), [city("Tokyo", CATALOGUE)])
