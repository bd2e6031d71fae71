"""``skyhall radiation``: one orbit's dose, upsets and the anomaly's part, and what it says to wrong values."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

DAWN_DUSK = (
    "radiation",
    "--altitude",
    "700 km",
    "--local-time",
    "06:00",
    "--shielding",
    "5 mm",
    "--device",
    "trillium-tpu",
)
INCLINED = ("radiation", "--altitude", "600 km", "--inclination", "30 deg")


def test_json_has_the_keys_of_the_contract(answer: Any) -> None:
    found = answer(*DAWN_DUSK)
    assert {
        "dose_krad_per_year",
        "dose_parts_krad_per_year",
        "upsets_per_device_day",
        "share_in_south_atlantic_anomaly",
    } <= set(found)
    assert list(found["dose_parts_krad_per_year"]) == ["trapped_protons", "electrons", "solar_protons"]
    assert list(found["upsets_per_device_day"]) == ["corrected", "detected", "functional", "silent"]
    assert 0.0 < found["share_in_south_atlantic_anomaly"] < 1.0


def test_the_parts_sum_to_the_dose(answer: Any) -> None:
    found = answer(*DAWN_DUSK)
    assert sum(found["dose_parts_krad_per_year"].values()) == pytest.approx(found["dose_krad_per_year"])


def test_every_option_reaches_the_answer(answer: Any) -> None:
    plain = answer(*INCLINED)
    assert (plain["altitude_km"], plain["inclination_deg"]) == pytest.approx((600.0, 30.0))
    assert (plain["shielding_mm"], plain["device"], plain["geometry"]) == (5.0, "trillium-tpu", "sphere")
    assert (plain["solar_activity"], plain["solar_proton_confidence"]) == ("minimum", 0.95)
    assert plain["active_share"] == 1.0
    changed = answer(
        *("radiation", "--altitude", "620 km", "--shielding", "8 mm", "--device", "gpu-h100-class"),
        *("--geometry", "slab", "--solar-activity", "maximum", "--confidence", "0.9", "--life", "4 year"),
    )
    assert changed["altitude_km"] == pytest.approx(620.0)
    assert changed["inclination_deg"] == pytest.approx(97.9, abs=0.1)
    assert (changed["shielding_mm"], changed["device"]) == (pytest.approx(8.0), "gpu-h100-class")
    assert (changed["geometry"], changed["solar_activity"]) == ("slab", "maximum")
    assert changed["solar_proton_confidence"] == 0.9
    assert changed["active_share"] < 1.0


def test_the_date_moves_the_anomaly_and_hardly_the_dose(answer: Any) -> None:
    early, late = (answer(*INCLINED, "--epoch", f"{year}-01-01T00:00:00Z") for year in (1970, 2039))
    assert early["dose_krad_per_year"] == pytest.approx(late["dose_krad_per_year"], rel=0.02)
    assert early["passes_per_day"] == pytest.approx(late["passes_per_day"], abs=1.0)


def test_the_local_time_does_not_matter(answer: Any) -> None:
    noon = answer(*DAWN_DUSK[:3], "--local-time", "12:00")
    assert noon["dose_krad_per_year"] == answer(*DAWN_DUSK[:3])["dose_krad_per_year"]


def test_the_text_says_what_json_does_and_fits_80_columns(run: Any, answer: Any) -> None:
    result = run(*DAWN_DUSK)
    assert result.exit_code == 0, result.stderr
    body, _, commands = result.stdout.rpartition("\nNext\n")
    assert max(len(line) for line in body.splitlines()) <= 80
    found = answer(*DAWN_DUSK)
    assert f"{found['dose_krad_per_year']:.3g} krad/yr" in body
    assert f"{found['upsets_per_device_day']['silent']:.3g}" in body
    assert f"{100.0 * found['share_in_south_atlantic_anomaly']:.1f} %" in body
    assert len(commands.splitlines()) == 3


@pytest.mark.parametrize(
    "asked", [DAWN_DUSK, INCLINED, ("radiation", "--altitude", "8000 km", *INCLINED[3:])]
)
def test_the_next_commands_work(run: Any, asked: tuple[str, ...]) -> None:
    commands = run(*asked).stdout.rpartition("\nNext\n")[2].splitlines()
    for command in commands:
        result = run(*shlex.split(command)[1:])
        assert result.exit_code == 0, (command, result.stderr)


def test_a_slab_is_named_in_the_text(run: Any) -> None:
    assert "behind an aluminium slab" in " ".join(run(*INCLINED, "--geometry", "slab").stdout.split())


def test_a_device_that_protons_do_not_upset_reads_well(run: Any) -> None:
    text = run(*INCLINED, "--device", "rad-hard-processor").stdout
    assert "never" in text
    assert "nan" not in text.lower()


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--altitude", "100 km", "at least 150 km"),
        ("--altitude", "60000 km", "36,000 km"),
        ("--altitude", "high", "650 km"),
        ("--shielding", "-1 mm", "negative"),
        ("--shielding", "5 kg", "not a quantity in m"),
        ("--device", "trilium-tpu", "did you mean 'trillium-tpu'?"),
        ("--epoch", "1950-01-01T00:00:00Z", "1960 to 2060"),
        ("--epoch", "2050-01-01T00:00:00Z", "between 1964 and 2040"),
        ("--confidence", "high", "0.95"),
        ("--confidence", "1.5", "0.99"),
        ("--life", "1 day", "30 days"),
        ("--inclination", "200 deg", "180 degrees"),
        ("--geometry", "cube", "'sphere', 'slab'"),
    ],
)
def test_a_wrong_value_names_the_option_typed_and_what_is_possible(
    run: Any, refusal: Any, option: str, value: str, said: str
) -> None:
    asked = ["radiation", "--inclination", "30 deg"] if option != "--inclination" else ["radiation"]
    assert refusal(*asked, option, value)["exit_code"] == 2
    text = run(*asked, option, value).stderr
    first, *rest = text.splitlines()
    assert option in first
    assert said in text
    # one error, with what is possible below it
    assert len(rest) == 1
    assert rest[0].startswith("  ")


def test_a_sun_synchronous_orbit_that_does_not_exist_names_the_altitude(refusal: Any) -> None:
    assert "no sun-synchronous orbit" in refusal("radiation", "--altitude", "7000 km")["what"]


def test_an_inclination_and_a_local_time_exclude_each_other(run: Any, refusal: Any) -> None:
    asked = (*INCLINED, "--local-time", "06:00")
    assert refusal(*asked)["exit_code"] == 2
    assert "--inclination and --local-time" in run(*asked).stderr
