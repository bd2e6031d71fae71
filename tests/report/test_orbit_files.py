from __future__ import annotations

import json
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skyhall.chain import Assessment
from skyhall.constants import EARTH_RADIUS
from skyhall.orbit.elements import mean_motion
from skyhall.report.events import events
from skyhall.report.tracks import Tracks, over_the_ground


@pytest.fixture
def packets(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "fleet.czml").read_text())
    return found


def test_czml_begins_with_the_document_and_holds_at_most_100_satellites(
    packets: list[dict[str, Any]],
) -> None:
    assert packets[0]["id"] == "document"
    assert packets[0]["version"] == "1.0"
    assert 1 <= len(satellites(packets)) <= 100
    assert len({packet["id"] for packet in packets}) == len(packets)


def satellites(packets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [packet for packet in packets if packet["id"].startswith("satellite/")]


def test_czml_is_below_1_mb(folder: Path) -> None:
    assert (folder / "fleet.czml").stat().st_size < 1_000_000


def test_czml_positions_are_times_and_points_on_the_orbit(
    packets: list[dict[str, Any]], any_assessment: Assessment
) -> None:
    axes = any_assessment.fleet.elements.semi_major_axis
    for packet in satellites(packets):
        position = packet["position"]
        assert position["referenceFrame"] == "INERTIAL"
        rows = np.array(position["cartesian"]).reshape(-1, 4)
        assert rows[0, 0] == 0
        assert np.all(np.diff(rows[:, 0]) > 0)
        radius = np.linalg.norm(rows[:, 1:], axis=1)
        # The short-period terms of J2 move SGP4's radius by some 10 km; the eccentricity is below 0.001.
        assert np.all(np.abs(radius - axes[int(packet["id"].split("/")[1])]) < 30e3)


def test_czml_colours_cover_the_whole_time_without_gap(packets: list[dict[str, Any]]) -> None:
    for packet in satellites(packets):
        spans = [entry["interval"].split("/") for entry in packet["point"]["color"]]
        assert [spans[0][0], spans[-1][1]] == packet["availability"].split("/")
        assert all(a[1] == b[0] for a, b in pairwise(spans))


def test_czml_of_an_orbit_through_the_shadow_is_dark_for_as_long_as_its_eclipse(
    one_satellite: Assessment,
) -> None:
    from skyhall.report.czml import fleet_czml

    colours = json.loads(fleet_czml(one_satellite))[1]["point"]["color"]
    dark = 0.0
    for entry in colours:
        begin, end = (datetime.fromisoformat(moment) for moment in entry["interval"].split("/"))
        if entry["rgba"][2] > entry["rgba"][0]:
            dark += (end - begin).total_seconds()
    expected = float(one_satellite.fleet.light[0].eclipse_fraction[0]) * 91.03 * 60.0
    assert dark == pytest.approx(expected, abs=10.0)


def test_czml_lines_join_what_is_drawn_and_cover_the_whole_time(packets: list[dict[str, Any]]) -> None:
    drawn = {packet["id"] for packet in packets}
    for packet in packets:
        if "polyline" not in packet:
            continue
        ends = packet["polyline"]["positions"]["references"]
        assert {end.removesuffix("#position") for end in ends} <= drawn
        spans = [entry["interval"].split("/") for entry in packet["polyline"]["show"]]
        assert [spans[0][0], spans[-1][1]] == packets[1]["availability"].split("/")
        assert all(a[1] == b[0] for a, b in pairwise(spans))


def test_czml_shows_a_ring_with_its_links_and_its_contacts(dawn_dusk: Assessment) -> None:
    from skyhall.report.czml import fleet_czml

    found = json.loads(fleet_czml(dawn_dusk))
    kinds = [packet["id"].split("/")[0] for packet in found]
    assert 90 <= kinds.count("satellite") <= 100
    assert kinds.count("link") >= 38  # neighbours of the first satellite
    assert kinds.count("site") == len(dawn_dusk.network.ground.ground)  # type: ignore[union-attr]
    contacts = [packet for packet in found if packet["id"].startswith("contact/")]
    assert contacts
    for packet in contacts:
        up = [entry["interval"].split("/") for entry in packet["polyline"]["show"] if entry["boolean"]]
        begin, end = (datetime.fromisoformat(moment) for moment in up[0])
        assert len(up) == 1
        assert 0.0 < (end - begin).total_seconds() < 15.0 * 60.0  # of a pass at 650 km above 20°


def test_ground_tracks_are_geojson_lines_within_the_globe(folder: Path) -> None:
    document = json.loads((folder / "ground-tracks.geojson").read_text())
    assert document["type"] == "FeatureCollection"
    for feature in document["features"]:
        assert feature["geometry"]["type"] == "MultiLineString"
        for line in feature["geometry"]["coordinates"]:
            east, north = np.array(line).T
            assert np.all(np.abs(east) <= 180.0)
            assert np.all(np.abs(north) <= 90.0)
            assert np.all(np.abs(np.diff(east)) < 180.0)


def test_a_point_above_greenwich_and_the_pole_are_found_there() -> None:
    from skyhall.orbit.sun import greenwich_angle

    date = 2461119.5
    angle = float(greenwich_angle(date))
    radius = EARTH_RADIUS + 500e3
    points = np.array(
        [[radius * np.cos(angle), radius * np.sin(angle), 0.0], [0.0, 0.0, 6356752.314 + 500e3]]
    )
    longitude, latitude, height = over_the_ground(
        Tracks(np.arange(2), ["a", "b"], np.zeros(1), points[:, None, :]), date
    )
    assert longitude[0, 0] == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(latitude[:, 0], [0.0, 90.0], atol=1e-9)
    np.testing.assert_allclose(height[:, 0], 500e3, atol=1e-3)


def test_geodetic_latitude_and_height_come_back_from_wgs_84() -> None:
    from skyhall.constants import EARTH_FLATTENING

    eccentricity2 = EARTH_FLATTENING * (2.0 - EARTH_FLATTENING)
    latitude, height = np.radians(np.linspace(-89.0, 89.0, 37)), 2000e3
    normal = EARTH_RADIUS / np.sqrt(1.0 - eccentricity2 * np.sin(latitude) ** 2)
    x = (normal + height) * np.cos(latitude)
    z = (normal * (1.0 - eccentricity2) + height) * np.sin(latitude)
    points = np.stack([x, np.zeros_like(x), z], axis=-1)[None]
    _, found, above = over_the_ground(Tracks(np.arange(1), ["a"], np.zeros(37), points), 2461119.5)
    np.testing.assert_allclose(found[0], np.degrees(latitude), atol=1e-10)
    np.testing.assert_allclose(above[0], height, atol=1e-4)


def test_oem_names_frame_and_time_and_its_velocities_are_those_of_the_orbit(
    folder: Path, any_assessment: Assessment
) -> None:
    text = (folder / "fleet.oem").read_text()
    assert text.startswith("CCSDS_OEM_VERS = 2.0\nCREATION_DATE = ")
    assert text.count("META_START") == text.count("META_STOP") == min(10, len(any_assessment.fleet))
    assert "REF_FRAME = TEME" in text
    assert "TIME_SYSTEM = UTC" in text
    first = text.split("META_STOP")[1].split("META_START")[0].split("\n")
    rows = np.array([[float(word) for word in line.split()[1:]] for line in first if line.startswith("20")])
    axis = float(any_assessment.fleet.elements.semi_major_axis[0])
    speed = 1e3 * np.linalg.norm(rows[:, 3:], axis=1)
    np.testing.assert_allclose(speed, float(mean_motion(axis)) * axis, rtol=5e-3)
    # Over a minute the chord of positions is what the mean of both velocities says, to the arc's curvature.
    chord = (rows[1:, :3] - rows[:-1, :3]) / 60.0
    np.testing.assert_allclose(0.5 * (rows[1:, 3:] + rows[:-1, 3:]), chord, atol=6e-3)


def test_events_are_in_order_of_time_and_in_utc(any_assessment: Assessment) -> None:
    times = [event["time"] for event in events(any_assessment) if event["event"] != "element_set_dropped"]
    assert all(time.endswith("Z") for time in times)
    assert times == sorted(times)


def test_events_name_the_dropped_element_set(real_orbits: Assessment) -> None:
    dropped = [event for event in events(real_orbits) if event["event"] == "element_set_dropped"]
    assert len(dropped) == 1
    assert "OURS-91009" in dropped[0]["detail"]


def test_a_dawn_dusk_orbit_at_650_km_enters_its_eclipse_season_in_november_2026(
    dawn_dusk: Assessment,
) -> None:
    begins = [event["time"] for event in events(dawn_dusk) if event["event"] == "eclipse_season_begins"]
    assert [moment[:7] for moment in begins] == ["2026-11"]
