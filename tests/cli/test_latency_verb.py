"""``skyhall latency``: the contract for programs, what people read, and every mistake."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

SHELL = (
    "starlink-shell-53",
    "--set", "orbit.shells.0.satellites=400",
    "--set", "orbit.shells.0.planes=20",
    "--set", "orbit.shells.0.phasing=3",
    "--steps", "12",
)  # fmt: skip


def test_the_keys_that_programs_read_stay(answer: Any) -> None:
    found = answer(
        "latency",
        *SHELL,
        "--from",
        "London",
        "--to",
        "Tokyo",
        "--to",
        "singapore",
        "--elevation-mask",
        "15 deg",
    )
    for key in ("space_ms", "fibre_ms", "hops"):
        assert list(found[key]) == ["min", "median", "max"]
        assert found[key]["min"] <= found[key]["median"] <= found[key]["max"]
    assert (found["from"], found["to"]) == ("London", "Tokyo")
    assert [pair["to"] for pair in found["pairs"]] == ["Tokyo", "Singapore"]
    assert found["pairs"][0]["space_ms"] == found["space_ms"]
    assert found["elevation_mask_deg"] == pytest.approx(15.0)
    assert found["space_wins_from_km"] < found["space_wins_from_great_circle_km"]
    assert len(found["sweep"]["distance_km"]) == len(found["sweep"]["space_ms"]) == 39
    assert 0.0 < found["reachable"] <= 1.0


def test_no_path_all_day_is_an_answer(answer: Any, run: Any) -> None:
    ring = ("dawn-dusk-200mw", "--set", "orbit.shells.0.satellites=40", "--to", "New York", "--steps", "24")
    found = answer("latency", *ring)
    assert found["space_ms"] is None
    assert found["hops"] is None
    assert found["reachable"] == 0.0
    assert "No path from London to New York at any moment" in run("latency", *ring).stdout


def test_people_read_pairs_distances_and_what_to_ask_next(run: Any) -> None:
    told = run("latency", *SHELL, "--to", "51.5,-100", "--to", "ho chi minh city")
    assert told.exit_code == 0, told.stderr
    assert "One-way delay from London over a day" in told.stdout
    assert "51.5,-100" in told.stdout
    assert "Over distance" in told.stdout
    table, following = told.stdout.split("Next")
    assert max(map(len, table.splitlines())) <= 80
    commands = [shlex.split(line) for line in following.strip().splitlines()]
    assert [command[0] for command in commands] == ["skyhall"] * 3
    assert "Singapore" in commands[0]


@pytest.mark.parametrize(
    ("words", "where", "what", "right"),
    [
        (("--from", "Londn"), "--from", "no city 'Londn'", "did you mean 'London'"),
        (("--to", "Atlantis"), "--to", "no city 'Atlantis'", "Atlanta"),
        (("--to", "95,0"), "--to", "latitude 95", "-90 to 90"),
        (("--to", "london"), "--to", "London is where London is", "another city"),
        (("--elevation-mask", "100 deg"), "--elevation-mask", "sees nothing", "10 deg"),
        (("--elevation-mask", "25"), "--elevation-mask", "no unit", "deg"),
    ],
)
def test_a_mistake_is_named_with_its_option(
    refusal: Any, words: tuple[str, ...], where: str, what: str, right: str
) -> None:
    error = refusal("latency", *SHELL, *words)
    assert error["file"] == where
    assert what in error["what"]
    assert right in error["right"]


def test_one_satellite_is_refused(refusal: Any) -> None:
    error = refusal("latency", "starcloud-1")
    assert error["what"] == "a shell with one satellite has no mesh"
    assert "starlink-shell-53" in error["right"]
