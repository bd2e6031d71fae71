"""Contacts of a fleet: bits alone, expected, drawn and by day agree with each other."""

from __future__ import annotations

import numpy as np
import pytest

from skyhall.constants import DAY
from skyhall.fleet import Fleet, design
from skyhall.network.downlink import clear_link_share
from skyhall.scenario import load
from skyhall.studies import Contacts, contacts_of

SITES = ("tenerife", "almeria", "oberpfaffenhofen")


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return design(load("dawn-dusk-200mw"))


@pytest.fixture(scope="module")
def found(fleet: Fleet) -> Contacts:
    return contacts_of(fleet, satellites=[0, 400, 800], sites=SITES, duration=2.5 * DAY)


def test_expected_bits_are_the_clear_ones_times_the_chance_of_a_link(found: Contacts) -> None:
    weather = found.ground.weather
    assert weather is not None
    chance = clear_link_share(weather.availability, weather.persistence, found.ground.acquisition_time)
    for contact in found.contacts:
        expected = contact.bits_clear * chance[SITES.index(contact.site)]
        assert contact.bits == pytest.approx(expected)


def test_days_add_up_to_the_contacts(found: Contacts) -> None:
    assert len(found.days) == 3
    for name in ("bits", "bits_clear", "bits_drawn"):
        by_day = sum(getattr(day, name) for day in found.days)
        assert by_day == pytest.approx(sum(getattr(each, name) for each in found.contacts), rel=1e-9)


def test_shared_telescopes_bring_no_more_than_each_pass_alone(found: Contacts) -> None:
    for contact in found.contacts:
        assert contact.bits_drawn <= contact.bits_clear * (1 + 1e-9)
    assert np.all(found.busy <= 1.0)


@pytest.mark.slow
def test_many_draws_come_to_the_expected_bits(fleet: Fleet) -> None:
    # One satellite, one site: nothing is shared, so that only the weather makes the difference.
    drawn, expected = [], 0.0
    for seed in range(10):
        scenario = fleet.scenario.model_copy(update={"seed": seed})
        other = Fleet(**{name: getattr(fleet, name) for name in fleet.__slots__} | {"scenario": scenario})
        run = contacts_of(other, sites=["tenerife"], duration=15 * DAY)
        drawn.append(sum(each.bits_drawn for each in run.contacts))
        expected = sum(each.bits for each in run.contacts)
    assert np.mean(drawn) == pytest.approx(expected, rel=0.08)
    assert np.std(drawn) > 0.01 * expected


def test_the_same_seed_draws_the_same(fleet: Fleet, found: Contacts) -> None:
    again = contacts_of(fleet, satellites=[0, 400, 800], sites=SITES, duration=2.5 * DAY)
    assert again.contacts == found.contacts


def test_correlated_sites_are_clear_less_often_than_independent_ones(found: Contacts) -> None:
    assert found.any_clear is not None
    assert found.any_clear_independent is not None
    assert 0.686 < found.any_clear < found.any_clear_independent


def test_a_named_site_without_a_telescope_gets_one_and_says_so(fleet: Fleet) -> None:
    run = contacts_of(fleet, sites=["svalbard"], duration=0.5 * DAY)
    assert run.ground.assumed == ("svalbard",)
    assert run.contacts


def test_all_sites_that_can_receive_are_taken_where_none_is_named(fleet: Fleet) -> None:
    run = contacts_of(fleet, duration=0.2 * DAY)
    assert "tenerife" in run.ground.names
    assert "svalbard" not in run.ground.names
    radio = design(load("dawn-dusk-200mw", overrides=["network.downlink=ka-band-radio"]))
    heard = contacts_of(radio, duration=0.2 * DAY)
    assert "svalbard" in heard.ground.names
    assert heard.ground.weather is None
