from __future__ import annotations

import contextlib
import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.errors import ValueProblem
from skyhall.orbit import ElementSets, parse_element_sets

TLE = (Path(__file__).parent / "data/made.tle").read_text()
LINES = TLE.splitlines()
EPOCH = 2461053.5
STARLINK = Path(__file__).parents[2] / "../shared/data/starlink-2026-01.tle"


def messages() -> list[dict[str, Any]]:
    """Return the constellation as OMM fields."""
    found = []
    for name, each in zip(parse_element_sets(TLE).names, parse_element_sets(TLE).satrecs, strict=True):
        days = each.jdsatepoch - 2433281.5 + each.jdsatepochF
        fields = {
            "OBJECT_NAME": name,
            "OBJECT_ID": f"20{each.intldesg[:2]}-{each.intldesg[2:]}",
            "CENTER_NAME": "EARTH",
            "REF_FRAME": "TEME",
            "TIME_SYSTEM": "UTC",
            "MEAN_ELEMENT_THEORY": "SGP4",
            "EPOCH": (datetime(1949, 12, 31) + timedelta(days=days)).isoformat(timespec="microseconds"),
            "MEAN_MOTION": each.no_kozai * 720 / np.pi,
            "ECCENTRICITY": each.ecco,
            "INCLINATION": np.degrees(each.inclo),
            "RA_OF_ASC_NODE": np.degrees(each.nodeo),
            "ARG_OF_PERICENTER": np.degrees(each.argpo),
            "MEAN_ANOMALY": np.degrees(each.mo),
            "NORAD_CAT_ID": each.satnum,
            "BSTAR": each.bstar,
        }
        found.append(
            {key: value if isinstance(value, str) else float(value) for key, value in fields.items()}
        )
        found[-1]["NORAD_CAT_ID"] = each.satnum
    return found


def as_kvn(form: str = "{key} = {value}") -> str:
    body = []
    for message in messages():
        body += ["CCSDS_OMM_VERS = 2.0", "COMMENT made for a test", "ORIGINATOR = US"]
        body += [form.format(key=key, value=value) for key, value in message.items()] + [""]
    return "\n".join(body)


def as_xml(attributes: str = "") -> str:
    segments = ""
    for message in messages():
        items = "".join(f"<{key}>{value}</{key}>" for key, value in message.items())
        segments += (
            f"<omm><body><segment><data><meanElements>{items}</meanElements></data></segment></body></omm>"
        )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<ndm{attributes}>{segments}</ndm>'


def as_csv() -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(messages()[0]))
    writer.writeheader()
    writer.writerows(messages())
    return stream.getvalue()


FORMATS = {
    "two lines": "\n".join(line for line in LINES if line[:2] in ("1 ", "2 ")),
    "three lines with 0": "\n".join(f"0 {line}" if line.startswith("MADE") else line for line in LINES),
    "three lines, DOS": "\ufeff" + TLE.replace("\n", "\r\n"),
    "kvn": as_kvn(),
    "kvn with units": as_kvn("{key:20}= {value} [deg]"),
    "xml": as_xml(),
    "xml with a namespace": as_xml(' xmlns="urn:ccsds:schema:ndmxml"'),
    "json": json.dumps(messages()),
    "csv": as_csv(),
}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_satellites(form: str) -> None:
    sets, reference = parse_element_sets(FORMATS[form]), parse_element_sets(TLE)
    assert sets.dropped == []
    ours = sets.positions(EPOCH, np.arange(0, 6000, 600.0)).position
    theirs = reference.positions(EPOCH, np.arange(0, 6000, 600.0)).position
    assert np.abs(ours - theirs).max() < 1e-3
    if "two lines" not in form:
        assert sets.names == reference.names


def test_one_json_message_is_a_file() -> None:
    assert parse_element_sets(json.dumps(messages()[0])).names == ["MADE-1"]


def test_an_epoch_may_be_a_day_of_the_year() -> None:
    message = {**messages()[0], "EPOCH": "2026-013T00:00:00Z"}
    assert parse_element_sets(json.dumps(message)).epochs.tolist() == [EPOCH]


def test_a_nine_digit_satellite_number_is_no_obstacle() -> None:
    message = {**messages()[0], "NORAD_CAT_ID": 799500001}
    assert len(parse_element_sets(json.dumps([message, {**message, "NORAD_CAT_ID": 799500002}]))) == 2


def changed(line: int, old: str, new: str) -> str:
    lines = list(LINES)
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        (changed(6, "100.0000", "100.0001"), "line 2 ends in the checksum 1, but its digits add up to 2", 5),
        (changed(5, "26013.", "26014."), "line 1 ends in the checksum 0, but its digits add up to 1", 5),
        (changed(6, "  53.0500", " 53.0500 "), "line 2 does not keep to its columns", 5),
        (changed(6, "2 90002", "2 90011"), "line 1 is of satellite 90002, line 2 of 90011", 5),
        (changed(5, "1 90002U", "x 90002U"), "a name without an element set", 4),
        ("\n".join(LINES[:5] + LINES[6:]), "line 1 is not followed by a line 2", 5),
        (changed(6, " 15.05491974    01", ""), "line 2 has 51 characters, not 69", 5),
    ],
)
def test_a_bad_element_set_is_dropped_and_named(text: str, reason: str, line: int) -> None:
    sets = parse_element_sets(text)
    assert "MADE-2" not in sets.names
    assert len(sets) == 11
    assert (reason, line) in [(each.reason, each.line) for each in sets.dropped]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"BSTAR": None}, "has no BSTAR"),
        ({"ECCENTRICITY": "round"}, "a value cannot be read"),
        ({"EPOCH": "yesterday"}, "a value cannot be read"),
        ({"REF_FRAME": "ITRF"}, "REF_FRAME is ITRF, not TEME"),
        ({"MEAN_ELEMENT_THEORY": "DSST"}, "its theory is DSST"),
        ({"ECCENTRICITY": 1.5}, "SGP4 refuses it"),
        ({"MEAN_MOTION": "nan"}, "no finite position"),
    ],
)
def test_a_bad_message_is_dropped_and_named(change: dict[str, Any], reason: str) -> None:
    good, bad = messages()[:2]
    sets = parse_element_sets(json.dumps([good, {**bad, **change}]))
    assert sets.names == ["MADE-1"]
    assert [each.name for each in sets.dropped] == ["MADE-2"]
    assert reason in sets.dropped[0].reason


def test_of_two_sets_of_one_satellite_the_newest_is_kept() -> None:
    old, new = messages()[0], {**messages()[0], "EPOCH": "2026-01-13T06:00:00.000000"}
    for pair in ([old, new], [new, old]):
        sets = parse_element_sets(json.dumps(pair))
        assert sets.epochs.tolist() == [EPOCH + 0.25]
        assert [each.reason for each in sets.dropped] == ["a newer set of the same satellite is kept"]


@pytest.mark.parametrize(
    "text", ["", "  \n", "hello\nworld\n", "<ndm>", "[1, 2]", "{", "[]", "a,MEAN_MOTION\n1", "\ufeff"]
)
def test_a_file_without_element_sets_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(ValueProblem) as caught:
        parse_element_sets(text, "fleet.tle")
    assert caught.value.place.file == "fleet.tle"
    assert "TLE" in str(caught.value.right)


@given(st.text(max_size=300) | st.text(alphabet='12 .0U\n<>{}[]=,"MEAN_OTI', max_size=300))
def test_any_text_gives_sets_or_a_value_problem(text: str) -> None:
    with contextlib.suppress(ValueProblem):
        parse_element_sets(text)


@given(st.integers(0, len(TLE) - 1), st.characters(codec="utf-8"))
def test_one_wrong_character_costs_at_most_two_satellites(index: int, character: str) -> None:
    sets = parse_element_sets(TLE[:index] + character + TLE[index + 1 :])
    assert len(sets) >= 10
    assert len(sets) + len(sets.dropped) >= 12


def test_a_null_character_is_told_as_what_it_is() -> None:
    sets = parse_element_sets(TLE[:753] + chr(0) + TLE[754:])  # where a blank is, that no column checks
    assert len(sets.dropped) == 1
    assert "no element set may have" in sets.dropped[0].reason


def decaying() -> ElementSets:
    return parse_element_sets(
        json.dumps([messages()[0], {**messages()[1], "MEAN_MOTION": 16.4, "BSTAR": 0.5}])
    )


def test_a_satellite_that_sgp4_cannot_fly_is_dropped_by_name() -> None:
    flyable = decaying().flyable(EPOCH + 3, 86400.0)
    assert flyable.names == ["MADE-1"]
    assert "MADE-2" in flyable.dropped[0].name
    assert "SGP4 fails" in flyable.dropped[0].reason


def test_no_flyable_satellite_at_all_is_an_error() -> None:
    with pytest.raises(ValueProblem, match="no usable element set"):
        decaying()[[1]].flyable(EPOCH + 3)


def test_a_failing_satellite_is_nan_and_marked() -> None:
    ephemeris = decaying().positions(EPOCH + 3, [0.0, 60.0])
    assert ephemeris.failed.tolist() == [[False, False], [True, True]]
    assert np.isnan(ephemeris.position[1]).all()
    with pytest.raises(ValueProblem, match="MADE-2"):
        decaying().mean_elements(EPOCH + 3)


def test_mean_elements_follow_sgp4_within_9_km_for_a_day() -> None:
    sets = parse_element_sets(TLE)
    assert sets.fit_error_km(EPOCH + 0.4).max() < 9.0


def test_a_duller_fit_is_told_from_a_good_one() -> None:
    # Five times the drag must show in the fit's error, or the error says nothing.
    heavy = parse_element_sets(json.dumps([{**messages()[10], "BSTAR": 0.02}]))
    assert heavy.fit_error_km(EPOCH)[0] > 30.0


def test_drag_during_the_day_is_spread_over_it() -> None:
    # The mean motion of noon in place of that of the start: 8 km instead of 21.
    sets = parse_element_sets(json.dumps([{**messages()[10], "BSTAR": 0.002}]))
    assert sets.fit_error_km(EPOCH)[0] < 9.0


def test_eccentric_satellites_are_flagged() -> None:
    sets = parse_element_sets(json.dumps([messages()[0], {**messages()[1], "ECCENTRICITY": 0.03}]))
    assert sets.not_circular.tolist() == [False, True]


def test_julian_dates_and_seconds_mean_the_same() -> None:
    sets = parse_element_sets(TLE)
    dates = EPOCH + np.array([0.0, 0.25, 0.5])
    ours, theirs = sets.positions(dates).position, sets.positions(EPOCH, (dates - EPOCH) * 86400).position
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


@pytest.mark.skipif(not STARLINK.exists(), reason="the real catalogue is not here")
def test_the_starlink_catalogue_is_read_whole_and_its_dead_satellite_named() -> None:
    sets = parse_element_sets(STARLINK.read_text(), STARLINK.name)
    assert (len(sets), sets.dropped) == (9341, [])
    flyable = sets.flyable(EPOCH + 1, 86400.0)
    assert [each.name for each in flyable.dropped] == ["STARLINK-30159"]


@pytest.mark.skipif(not STARLINK.exists(), reason="the real catalogue is not here")
def test_half_of_starlink_fits_within_5_km_over_a_day() -> None:
    sets = parse_element_sets(STARLINK.read_text()).flyable(EPOCH + 1, 86400.0)[::20]
    error = sets.fit_error_km(EPOCH + 1)
    assert np.median(error) < 5.0
    assert np.percentile(error, 85) < 8.0
