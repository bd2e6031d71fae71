"""``skyhall contacts``: passes and bits as JSON and as a table, a contact plan, and what it says to wrong values."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

MADE = str(Path(__file__).parents[1] / "orbit/data/made.tle")
DAY = ("contacts", "dawn-dusk-200mw", "--site", "tenerife", "--start", "2026-03-21T00:00:00Z")


def test_json_is_a_list_with_the_keys_of_the_contract(answer: Any) -> None:
    found = answer(*DAY, "--duration", "1 day")
    assert len(found) == 2
    for contact in found:
        assert {"rise", "set", "max_elevation_deg", "bits", "satellite", "site"} <= set(contact)
        assert contact["rise"] < contact["highest"] < contact["set"]
        assert 20.0 <= contact["max_elevation_deg"] <= 90.0
        assert contact["bits_are"] == "expected"
        assert 0.0 < contact["bits"] < contact["bits_clear"]
    assert found[0]["rise"].startswith("2026-03-2")


def test_bits_are_what_100_gbit_per_s_bring_between_lock_and_set(answer: Any) -> None:
    # The laser of 100 Gbit/s keeps its line rate over the whole pass, after 30 s of acquisition.
    for contact in answer(*DAY):
        lasts = datetime.fromisoformat(contact["set"]) - datetime.fromisoformat(contact["rise"])
        assert contact["bits_clear"] == pytest.approx(100e9 * (lasts.total_seconds() - 30.0), rel=1e-4)


def test_radio_sees_through_clouds(answer: Any) -> None:
    (*_, contact) = answer(
        "contacts", "dawn-dusk-200mw", "--site", "svalbard", "--set", "network.downlink=ka-band-radio"
    )
    assert contact["bits_are"] == "clear sky"
    assert contact["bits"] == contact["bits_clear"] > 1e11


def test_a_site_of_ones_own_and_a_mask(answer: Any) -> None:
    here = ("--latitude", "-33.15 deg", "--longitude", "-70.67 deg", "--altitude", "720 m")
    low = answer("contacts", "dawn-dusk-200mw", *here, "--mask", "5 deg")
    high = answer("contacts", "dawn-dusk-200mw", *here, "--mask", "60 deg")
    assert {each["site"] for each in low} == {"own-site"}
    assert min(each["max_elevation_deg"] for each in low) < 60.0
    assert len(high) < len(low)


def test_real_element_sets_fly_and_all_satellites_are_named(answer: Any) -> None:
    found = answer("contacts", "--elements", MADE, "--site", "tenerife", "--satellite", "all")
    assert len({each["satellite"] for each in found}) > 5
    assert [each["rise"] for each in found] == sorted(each["rise"] for each in found)


def test_a_geostationary_satellite_is_seen_all_day(answer: Any) -> None:
    (contact,) = answer("contacts", "geo-1gw", "--latitude", "10 deg", "--longitude", "0 deg")
    assert (contact["begins_before"], contact["goes_on"]) == (True, True)


def test_the_table_says_what_its_bits_are_and_what_to_type_next(run: Any) -> None:
    told = run(*DAY, "--site", "calern", "--duration", "2 days")
    assert told.exit_code == 0, told.stderr
    for word in ("expected: mean over the weather", "All 2 sites are cloudy at once", "Days", "03-21"):
        assert word in told.stdout
    next_lines = told.stdout.split("Next")[1].strip().splitlines()
    assert len(next_lines) == 3
    assert all(shlex.split(line)[0] == "skyhall" for line in next_lines)


def test_no_contact_is_an_answer(run: Any) -> None:
    told = run("contacts", "geo-1gw", "--site", "svalbard", "--mask", "80 deg")
    assert told.exit_code == 0
    assert "No contact in this time." in told.stdout


def test_a_contact_plan_is_written(answer: Any, here: Path) -> None:
    found = answer(*DAY, "--ion", "plan.ionrc")
    lines = (here / "plan.ionrc").read_text().splitlines()
    assert sum(line.startswith("a contact +") for line in lines) == len(found)


@pytest.mark.parametrize(
    ("words", "where", "what", "right"),
    [
        (("--latitude", "95 deg", "--longitude", "0 deg"), "--latitude", "latitude of 95", "-90 to 90"),
        (("--latitude", "9 deg"), "--longitude", "missing", "both"),
        (("--latitude", "9 m", "--longitude", "0 deg"), "--latitude", "9 m", "53 deg"),
        (("--site", "tenerifa"), "--site", "not among the sites", "tenerife"),
        (("--site", "tenerife", "--site", "tenerife"), "--site", "twice", "once"),
        (("--mask", "90 deg"), "--mask", "mask of 90", "below 90"),
        (("--mask", "-1 deg"), "--mask", "mask of -1", "0 to"),
        (("--duration", "0 s"), "--duration", "duration of 0", "more than 0"),
        (("--duration", "1 parsec"), "--duration", "parsec", "number with a unit"),
        (("--start", "tomorrow"), "--start", "tomorrow", "ISO 8601"),
        (("--satellite", "1655"), "--satellite", "no satellite 1655", "0 to 1654"),
        (("--satellite", "first"), "--satellite", "first", "whole number"),
        (("--station", "telescope-2m"), "--station", "not among the telescopes", "telescope"),
    ],
)
def test_a_wrong_value_is_one_error(
    refusal: Any, words: tuple[str, ...], where: str, what: str, right: str
) -> None:
    error = refusal("contacts", "dawn-dusk-200mw", *words)
    assert error["exit_code"] == 2
    assert where in (error["file"], error["key"])
    assert what in error["what"]
    assert right in error["right"]
