"""The whole answer: what its summary says where there is nothing to divide by, and of flights too short."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from skyhall.chain import Assessment, assess
from skyhall.costing import price
from skyhall.report import render_html, write


@pytest.fixture(scope="module")
def short() -> Assessment:
    return assess("starcloud-1", overrides=["flight.duration=2 days"])


@pytest.fixture(scope="module")
def idle(short: Assessment) -> Assessment:
    return replace(short, costs=price(short.fleet, 0.0))


def test_where_nothing_is_delivered_the_summary_has_no_number(idle: Assessment) -> None:
    summary = idle.summary()
    assert summary["usd_per_delivered_gpu_h"] is None
    assert summary["breakeven_launch_usd_per_kg"] is None
    assert summary["breakeven_launch_signed_usd_per_kg"] is None
    assert summary["breakeven_status"] == "nothing is delivered"
    json.dumps(summary, allow_nan=False)


def test_where_nothing_is_delivered_the_run_is_written_all_the_same(idle: Assessment, tmp_path: Path) -> None:
    folder = write(idle, tmp_path / "run")
    assert json.loads((folder / "summary.json").read_text("utf-8"))["usd_per_delivered_gpu_h"] is None
    assert "no work is delivered" in (folder / "report.html").read_text("utf-8")


def test_a_flight_of_two_days_says_that_seasons_are_left_out(short: Assessment) -> None:
    assert short.summary()["flown_days"] == pytest.approx(2.0)
    assert short.season_note == "from 2 days: seasons are left out"
    assert "From 2 days: seasons are left out." in render_html(short)


def test_the_summary_says_what_a_kilogram_of_satellite_pays(short: Assessment) -> None:
    assert short.summary()["launch_usd_per_kg_placed"] == pytest.approx(7000.0)  # a shared flight


def test_the_lowest_charge_and_hottest_junction_see_the_darkest_orbit_too(short: Assessment) -> None:
    orbit = short.darkest_orbit
    emptied = replace(orbit, battery_j=0.5 * orbit.battery_j, junction_k=orbit.junction_k + 40.0)
    worse, summary = replace(short, darkest_orbit=emptied).summary(), short.summary()
    assert worse["lowest_state_of_charge"] == pytest.approx(
        float(emptied.battery_j.min()) / short.fleet.designs[0].battery_capacity
    )
    assert worse["lowest_state_of_charge"] < summary["lowest_state_of_charge"]
    assert worse["hottest_junction_c"] > summary["hottest_junction_c"] + 20


def test_the_share_in_the_anomaly_is_that_of_the_upsets_and_not_of_the_shells() -> None:
    low = {"altitude": "500 km", "satellites": 9}
    high = {"pattern": "walker_delta", "altitude": "1100 km", "inclination": "30 deg", "satellites": 1}
    asked = {
        "orbit": {"shells": [low, high]},
        "flight": {"duration": "1 h"},
        "satellite": {"it_power": "20 kW"},
    }
    found = assess(asked)
    near, far = (each.exposure for each in found.fleet.irradiation)
    both = 9 * near.losses + far.losses
    inside = 9 * near.losses * near.share_in_anomaly + far.losses * far.share_in_anomaly
    assert found.summary()["upsets_in_anomaly_share"] == pytest.approx(inside / both)
    assert inside / both > 0.9 * near.share_in_anomaly + 0.1 * far.share_in_anomaly + 0.1
