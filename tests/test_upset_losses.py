"""What upsets cost a fleet: rates of its orbits or of the twin, interruptions of gangs, silent errors, hazards."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from skyhall.constants import DAY, JULIAN_YEAR
from skyhall.costing import cost_inputs, price, upset_losses
from skyhall.environment.devices import HAZARDS, OUTCOMES
from skyhall.environment.exposure import LOSSES
from skyhall.fleet import Fleet, design
from skyhall.scenario import load

SHELLS = [
    {"altitude": "600 km", "satellites": 6},
    {"pattern": "walker_delta", "altitude": "1100 km", "inclination": "53 deg", "satellites": 2},
]


def fleet_of(*overrides: str) -> Fleet:
    asked = {"orbit": {"shells": SHELLS}, "satellite": {"accelerator": "h100-sxm", "it_power": "100 kW"}}
    return design(load(asked, overrides=list(overrides)))


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return fleet_of()


def gang(fleet: Fleet, accelerators: int) -> Fleet:
    return replace(fleet, designs=tuple(replace(each, accelerators=accelerators) for each in fleet.designs))


def test_rates_are_the_mean_over_the_satellites(fleet: Fleet) -> None:
    near, far = (each.exposure.rates for each in fleet.irradiation)
    daily = upset_losses(fleet).per_accelerator_day
    assert set(daily) == {*OUTCOMES, *HAZARDS}
    for name in OUTCOMES:
        assert daily[name] == pytest.approx((6 * near[name] + 2 * far[name]) / 8 * DAY), name
    assert far["silent"] > 3 * near["silent"]


def test_solar_events_are_the_mean_over_the_satellites_too(fleet: Fleet) -> None:
    near, far = (each.exposure.solar_events["detected"] for each in fleet.irradiation)
    yearly = upset_losses(fleet).solar_events_per_accelerator_year["detected"]
    assert yearly == pytest.approx((6 * near + 2 * far) / 8)


def test_rates_that_the_twin_met_replace_the_orbits_mean_and_leave_solar_events(fleet: Fleet) -> None:
    orbits = upset_losses(fleet)
    mean = sum(orbits.per_accelerator_day[name] for name in LOSSES)
    twin = upset_losses(fleet, 3.0 * mean)
    for name in OUTCOMES:
        assert twin.per_accelerator_day[name] == pytest.approx(3.0 * orbits.per_accelerator_day[name])
    assert twin.solar_events_per_accelerator_year == orbits.solar_events_per_accelerator_year
    assert twin.loss_share > orbits.loss_share
    assert upset_losses(fleet, mean) == orbits


def test_the_loss_is_that_of_checkpoints_and_restarts_of_the_whole_gang() -> None:
    fleet = fleet_of("orbit.shells.1.altitude=600 km", "orbit.shells.1.inclination=97.78 deg")
    found = upset_losses(fleet)
    part = fleet.catalogue.part("reliability", fleet.scenario.economics.reliability)
    events = found.solar_events_per_accelerator_year
    seen = {"detected": 1.0, "functional": 1.0, "silent": part("silent_coverage")}
    rate = fleet.designs[0].accelerators * sum(
        share * (found.per_accelerator_day[name] / DAY + events[name] / JULIAN_YEAR)
        for name, share in seen.items()
    )
    write, restart = part("checkpoint_time", "s"), part("restart_time", "s")
    young = math.sqrt(2.0 * write / rate)
    assert found.checkpoint_interval_s == pytest.approx(young, rel=0.05)
    assert found.loss_share == pytest.approx(math.sqrt(2.0 * write * rate) + restart * rate, rel=0.1)


def test_larger_gangs_lose_more_and_write_more_often(fleet: Fleet) -> None:
    losses = [upset_losses(gang(fleet, size)) for size in (8, 72, 576)]
    assert np.all(np.diff([each.loss_share for each in losses]) > 0)
    assert np.all(np.diff([each.checkpoint_interval_s for each in losses]) < 0)
    # One accelerator's own share of silent errors does not depend on the others.
    assert len({each.silent_left_per_accelerator_year for each in losses}) == 1


def test_silent_errors_left_are_those_that_no_check_finds(fleet: Fleet) -> None:
    found = upset_losses(fleet)
    part = fleet.catalogue.part("reliability", fleet.scenario.economics.reliability)
    a_year = (
        found.per_accelerator_day["silent"] * JULIAN_YEAR / DAY
        + found.solar_events_per_accelerator_year["silent"]
    )
    expected = (1.0 - part("silent_coverage")) * a_year
    assert found.silent_left_per_accelerator_year == pytest.approx(expected)


def test_upsets_that_do_not_count_lose_nothing() -> None:
    name = load({}).economics.reliability
    found = upset_losses(fleet_of(f"catalogue.{name}.counted_upsets=0"), 5.0)
    assert found.loss_share == 0.0
    assert found.silent_left_per_accelerator_year == 0.0
    assert found.checkpoint_interval_s == math.inf
    assert not any(found.per_accelerator_day.values())
    assert not any(found.solar_events_per_accelerator_year.values())


def test_half_of_the_upsets_counted_are_half_the_rates(fleet: Fleet) -> None:
    name = fleet.scenario.economics.reliability
    half = upset_losses(fleet_of(f"catalogue.{name}.counted_upsets=0.5"), 4.0)
    whole = upset_losses(fleet, 4.0)
    assert half.per_accelerator_day["silent"] == pytest.approx(0.5 * whole.per_accelerator_day["silent"])
    assert half.solar_events_per_accelerator_year["silent"] == pytest.approx(
        0.5 * whole.solar_events_per_accelerator_year["silent"]
    )


def test_latch_up_destroys_and_adds_to_the_failures_that_are_priced(fleet: Fleet) -> None:
    device = fleet.irradiation[0].device.name
    frail = fleet_of(f"catalogue.{device}.latchup_proton=1e-9 cm**2")
    assert upset_losses(fleet).destroyed_per_accelerator_year == 0.0
    destroyed = upset_losses(frail).destroyed_per_accelerator_year
    assert destroyed > 0.0
    sound = cost_inputs(fleet, 1.0).reliability
    assert cost_inputs(frail, 1.0).reliability.accelerator_failures == pytest.approx(
        sound.accelerator_failures + destroyed
    )


def test_what_is_lost_to_upsets_makes_the_delivered_hour_dearer(fleet: Fleet) -> None:
    name = fleet.scenario.economics.reliability
    uncounted = price(fleet_of(f"catalogue.{name}.counted_upsets=0"), 0.99)
    counted = price(fleet, 0.99)
    assert counted.usd_per_installed_gpu_h == pytest.approx(uncounted.usd_per_installed_gpu_h, rel=1e-6)
    kept = 1.0 - upset_losses(fleet).loss_share
    assert counted.delivered_gpu_h_per_year == pytest.approx(
        kept * uncounted.delivered_gpu_h_per_year, rel=1e-6
    )
