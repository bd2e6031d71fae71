"""``skyhall links``: a budget, its rate and reach, and what it says to wrong values."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from skyhall.catalogue import load_catalogue

CONTRACT = ("links", "--range", "5000 km", "--aperture", "10 cm", "--power", "5 W", "--wavelength", "1.55 um")
SHORT = ("links", "--terminal", "optical-short-range")
LASERS = [part.name for part in load_catalogue() if part.kind == "terminals" and "aperture" in part.facts]


def test_json_has_the_keys_and_the_numbers_of_the_contract(answer: Any) -> None:
    found = answer(*CONTRACT)
    assert found["gain_db"] == pytest.approx(105.1, abs=0.1)  # Suncatcher's terminals
    assert found["received_w"] == pytest.approx(1.6e-6, rel=0.05)
    assert found["confocal_range_km"] == pytest.approx(5.0, rel=0.02)
    assert found["rate_bps"] == 100e9
    assert found["margin_db"] > found["required_margin_db"]
    assert found["closes"] is True


@pytest.mark.parametrize("name", LASERS)
def test_a_terminal_alone_is_asked_over_its_longest_range_and_carries_its_rate(
    answer: Any, name: str
) -> None:
    found = answer("links", "--terminal", name)
    part = load_catalogue().part("terminals", name)
    assert found["range_km"] == pytest.approx(part("longest_range", "km"))
    assert found["rate_bps"] == part("rate", "bit/s")


def test_every_option_reaches_the_answer(answer: Any) -> None:
    plain = answer(*CONTRACT)
    worse = {
        "--efficiency": "0.4",
        "--loss": "9 dB",
        "--extra-loss": "6 dB",
        "--jitter": "10 urad",
        "--photons-per-bit": "80",
        "--channels": "8",
        "--channel-rate": "400 Gbit/s",
        "--power": "1 W",
        "--wavelength": "1.064 um",
        "--receiver-aperture": "80 cm",
    }
    for option, text in worse.items():
        margin = answer(*CONTRACT, option, text)["margin_db"]
        better = option in ("--wavelength", "--receiver-aperture")
        assert (margin > plain["margin_db"]) is better, option
        assert abs(margin - plain["margin_db"]) > 0.5, option
    assert answer(*CONTRACT, "--margin", "6 dB")["required_margin_db"] == 6.0
    assert answer(*CONTRACT, "--outage", "1e-6")["fade_db"] > 1.5 * plain["fade_db"]
    assert answer(*CONTRACT, "--receiver-aperture", "80 cm")["receiver_aperture_m"] == pytest.approx(0.8)


def test_the_steps_are_the_rate_halved_and_reach_farther(answer: Any) -> None:
    found = answer(*SHORT)
    rates = [step["rate_bps"] for step in found["steps"]]
    assert rates == [found["line_rate_bps"] / 2**n for n in range(5)]
    reaches = [step["to_km"] for step in found["steps"]]
    assert reaches == sorted(reaches)
    assert (reaches[0], reaches[-1]) == (found["closing_range_km"], found["reach_km"])
    for step in found["steps"]:
        at = answer(*SHORT, "--range", f"{0.999 * step['to_km']} km")
        assert at["rate_bps"] == step["rate_bps"]


def test_past_the_closing_range_the_answer_is_a_negative_margin_and_a_sentence(run: Any, answer: Any) -> None:
    asked = (*SHORT, "--range", "500 km")
    found = answer(*asked)
    assert found["margin_db"] < 0.0
    assert found["closes"] is False
    assert 0.0 < found["rate_bps"] < found["line_rate_bps"]
    result = run(*asked)
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert "does not close at 9.6 Tbit/s: 4.18 dB too little; it carries 2.4 Tbit/s" in text


def test_past_every_reach_the_link_is_down_and_the_text_says_so(run: Any, answer: Any) -> None:
    asked = (*SHORT, "--range", "40000 km")
    assert answer(*asked)["rate_bps"] == 0.0
    assert "the link is down, its lowest rate reaches 1,236 km" in " ".join(run(*asked).stdout.split())


@pytest.mark.parametrize(
    "asked", [CONTRACT, SHORT, ("links", "--terminal", "optical-downlink"), (*SHORT, "--range", "40000 km")]
)
def test_the_text_fits_80_columns_and_its_next_commands_work(run: Any, asked: tuple[str, ...]) -> None:
    result = run(*asked)
    assert result.exit_code == 0, result.stderr
    body, _, commands = result.stdout.rpartition("\nNext\n")
    assert max(len(line) for line in body.splitlines()) <= 80
    assert len(commands.splitlines()) == 3
    for command in commands.splitlines():
        again = run(*shlex.split(command)[1:])
        assert again.exit_code == 0, (command, again.stderr)
    assert asked[0:] != tuple(shlex.split(commands.splitlines()[0])[1:])


def test_fades_deeper_than_the_margin_are_called_so(run: Any) -> None:
    text = " ".join(run(*CONTRACT, "--jitter", "8 urad").stdout.split())
    assert "MORE than the margin kept in hand" in text


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--terminal", "optical-100", "did you mean 'optical-100g'?"),
        ("--terminal", "x-band-radio", "laser terminals: "),
        ("--range", "-5 km", "above zero"),
        ("--range", "0 km", "above zero"),
        ("--range", "5000", "'650 km'"),
        ("--range", "5 kg", "not a quantity in m"),
        ("--aperture", "0 cm", "above zero"),
        ("--aperture", "-10 cm", "above zero"),
        ("--aperture", "wide", "'650 km'"),
        ("--receiver-aperture", "0 m", "above zero"),
        ("--power", "0 W", "above zero"),
        ("--power", "1 pW", "closes at no range"),
        ("--wavelength", "-1 um", "above zero"),
        ("--efficiency", "1.2", "at most 1"),
        ("--loss", "3", "'3 dB'"),
        ("--loss", "-3 dB", "zero or more"),
        ("--extra-loss", "-3 dB", "zero or more"),
        ("--jitter", "-1 urad", "zero or more"),
        ("--photons-per-bit", "0", "above zero"),
        ("--channels", "1.5", "whole number"),
        ("--channel-rate", "0 Gbit/s", "above zero"),
        ("--margin", "-1 dB", "zero or more"),
        ("--outage", "0", "above 0 and below 1"),
        ("--outage", "often", "plain number"),
    ],
)
def test_a_wrong_value_names_the_option_typed_and_what_is_possible(
    run: Any, refusal: Any, option: str, value: str, said: str
) -> None:
    assert refusal("links", option, value)["exit_code"] == 2
    text = run("links", option, value).stderr
    first, *rest = text.splitlines()
    assert option in first
    assert said in text
    assert len(rest) == 1
    assert rest[0].startswith("  ")


def test_a_link_that_closes_nowhere_is_refused_whatever_made_it_so(refusal: Any) -> None:
    said = refusal("links", "--loss", "120 dB")
    assert "side by side" in said["what"]
    assert "more power" in said["right"]
