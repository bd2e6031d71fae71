"""Flights of the compiled twin: totals, speed of memory, modes, and the cache of the kernel."""

import tracemalloc

import numpy as np
import pytest

from skyhall.constants import DAY
from skyhall.environment import globe_cells
from skyhall.environment.exposure import anomaly
from skyhall.fleet import design
from skyhall.orbit import shadow
from skyhall.orbit.elements import circular_position
from skyhall.orbit.geodetic import geodetic
from skyhall.orbit.sun import greenwich_angle
from skyhall.satellite import battery, heat, solar_array
from skyhall.scenario import load
from skyhall.surroundings import radiation_of
from skyhall.twin import ConstantLoad, fly, forecast, record
from skyhall.twin import compile as twin_compile
from skyhall.twin import tile as t
from skyhall.twin.flight import WHOLE_STRETCH, environment, record_bytes, representative_days
from skyhall.twin.stepping import Stepper


def _fleet(satellites=150, **satellite):
    return design(
        load(
            {
                "orbit": {
                    "shells": [
                        {
                            "pattern": "walker_delta",
                            "altitude": "550 km",
                            "inclination": "53 deg",
                            "satellites": satellites,
                            "planes": 10,
                            "phasing": 1,
                        }
                    ]
                },
                "satellite": {"it_power": "20 kW", **satellite},
            }
        )
    )


@pytest.fixture(scope="module")
def fleet():
    return _fleet()


def test_fleet_totals_are_the_sums_over_the_satellites_also_of_a_tile_that_is_not_full(fleet):
    flight = fly(fleet, duration=DAY)
    # A record begins with full batteries; flown from a day before, it has forgotten them as the flight has.
    chunks = list(record(fleet, start=-DAY, duration=2 * DAY))
    whole = chunks[0].joined(chunks[1:]).after(0.0)
    assert len(fleet) % t.TILE != 0
    np.testing.assert_allclose(flight.timeline.work_w, whole.work_w.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(flight.timeline.lit, whole.lit.mean(axis=0), atol=1e-5)
    idle = fleet.designs[0].it_idle
    working = np.maximum(whole.work_w.astype(float) - idle, 0.0).sum(axis=1) * 60.0
    np.testing.assert_allclose(flight.delivered.work_j, working, rtol=1e-5)
    np.testing.assert_allclose(flight.delivered.lit, whole.lit.mean(axis=1), atol=1e-5)
    assert flight.delivered.hottest_junction_k.max() == pytest.approx(whole.junction_k.max(), abs=1e-3)


def test_planned_work_is_work_done_and_shed(fleet):
    delivered = fly(fleet, duration=DAY).delivered
    one = fleet.designs[0]
    night = one.night_share + (1 - one.night_share) * delivered.lit
    planned = (one.it_power - one.it_idle) * night * delivered.duration_s
    done = delivered.work_j.sum() + delivered.heat_shed_j + delivered.power_shed_j
    assert done == pytest.approx(planned.sum(), rel=1e-5)


def test_step_of_60_s_gives_the_light_of_a_step_of_2_s_within_1e_4():
    small = _fleet(20)
    coarse = fly(small, duration=DAY, step=60.0).delivered.lit
    fine = fly(small, duration=DAY, step=2.0).delivered.lit
    assert np.abs(coarse - fine).max() < 1e-4


def test_handover_pauses_in_the_dark_and_riding_does_not():
    handover = fly(_fleet(night="handover"), duration=DAY).delivered
    ride = fly(_fleet(night="ride"), duration=DAY).delivered
    assert ride.share == pytest.approx(1.0, abs=1e-3)
    assert handover.share == pytest.approx(handover.lit.mean(), abs=2e-3)


def test_half_the_load_does_half_the_work_above_idle(fleet):
    one = fleet.designs[0]
    full = fly(fleet, duration=DAY).delivered
    half = fly(fleet, ConstantLoad(0.5), duration=DAY).delivered
    assert one.it_idle > 0
    assert half.work_j.sum() == pytest.approx(0.5 * full.work_j.sum(), rel=1e-5)


def test_a_chip_without_cooling_throttles_and_stays_within_3_k_of_its_limit(fleet):
    # The throttle sees the coolant of the step's start: at 60 s the junction overshoots by 1 to 2 K.
    from dataclasses import replace

    hot = replace(
        fleet, designs=(replace(fleet.designs[0], radiator_area=fleet.designs[0].radiator_area / 2),)
    )
    delivered = fly(hot, duration=DAY).delivered
    assert delivered.throttled_hours_per_year > 100
    assert delivered.hottest_junction_k.max() < fleet.designs[0].junction_limit + 3.0


def test_windows_give_light_and_sustainable_watts_per_slot(fleet):
    windows = forecast(fleet, duration=6 * 3600.0, slot=900.0)
    stacked = windows.stack()
    assert stacked["light"].shape == (len(fleet), 24)
    one = fleet.designs[0]
    assert stacked["sustainable_w"].max() <= one.it_power
    dark = stacked["light"] == 0
    assert dark.any()
    assert np.all(stacked["sustainable_w"][dark] == 0)
    assert np.all(stacked["sustainable_w"][stacked["light"] == 1] > 0.8 * one.it_power)


def test_memory_does_not_grow_with_the_steps():
    small = _fleet(20)
    peaks = []
    fly(small, duration=0.1 * DAY)
    for days in (10.0, 80.0):
        tracemalloc.start()
        fly(small, duration=days * DAY, whole=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_a_timeline_has_at_most_1500_rows_and_its_weights_are_the_stretch():
    flight = fly(_fleet(20), duration=40 * DAY, whole=True)
    assert len(flight.timeline.seconds) <= 1500
    assert flight.timeline.weight.sum() == pytest.approx(40 * DAY, rel=1e-9)
    assert flight.delivered.duration_s == pytest.approx(40 * DAY)


def test_representative_days_stand_for_the_whole_stretch(fleet):
    days = representative_days(fleet, 0.0, 365.25 * DAY)
    assert sum(weight for _, weight in days) == pytest.approx(365.25 * DAY)
    assert all(0 <= start <= 364.25 * DAY for start, _ in days)


@pytest.mark.parametrize("name", ["dawn-dusk-200mw", "starlink-shell-53", "geo-1gw"])
def test_representative_days_deliver_what_a_whole_year_does(name):
    asked = ["orbit.shells.0.satellites=72", "satellite.night=handover"]
    fleet = design(load(name, overrides=asked))
    whole = fly(fleet, duration=365.25 * DAY, whole=True).delivered
    days = fly(fleet, duration=365.25 * DAY, whole=False)
    assert days.days is not None
    assert days.delivered.share == pytest.approx(whole.share, abs=0.001)
    assert days.delivered.lowest_battery.min() == pytest.approx(whole.lowest_battery.min(), abs=0.02)
    assert days.delivered.hottest_junction_k.max() == pytest.approx(whole.hottest_junction_k.max(), abs=0.5)
    assert days.delivered.coldest_coolant_k.min() == pytest.approx(whole.coldest_coolant_k.min(), abs=1.0)
    assert len(fleet) * 525_960 < WHOLE_STRETCH


def test_extremes_do_not_remember_how_a_flight_began():
    fleet = _fleet(20)
    early = fly(fleet, start=0.0, duration=5 * DAY).delivered
    late = fly(fleet, start=2 * DAY, duration=3 * DAY).delivered
    assert early.hottest_junction_k.max() == pytest.approx(late.hottest_junction_k.max(), abs=0.3)


def test_the_node_is_where_it_belongs_after_spans_that_are_no_whole_anchors(fleet):
    slots = forecast(fleet, duration=DAY, slot=900.0).stack()["light"].mean(axis=1)
    lit = fly(fleet, ConstantLoad(0.0), duration=DAY).delivered.lit
    np.testing.assert_allclose(slots, lit, atol=2e-5)


def test_a_record_says_its_size_before_it_is_made(fleet):
    chunks = list(record(fleet, duration=3600.0))
    whole = chunks[0].joined(chunks[1:])
    held = sum(getattr(whole, name).nbytes for name in whole.__slots__[2:])
    assert held == record_bytes(len(fleet), 60)
    assert record_bytes(1_000_000, 1440) == pytest.approx(46e9, rel=0.01)


@pytest.mark.parametrize(
    ("module", "formula", "changed"),
    [
        (shadow, "0.5 * (x0 + x1)", "0.4 * (x0 + x1)"),
        (solar_array, "sunlight * cell_area * efficiency", "sunlight * cell_area"),
        (battery, "(capacity - energy) * taper_rate", "capacity * taper_rate"),
        (globe_cells, "CELL_MIDDLE + component", "CELL_MIDDLE - component"),
        (heat, "coolant + it_power * resistance", "coolant - it_power * resistance"),
        (t, "surplus - charging", "surplus + charging"),
    ],
)
def test_a_changed_formula_changes_the_kernel(module, formula, changed):
    import inspect

    modules = (*twin_compile._FORMULAS, t)
    sources = [inspect.getsource(each) for each in modules]
    assert twin_compile.kernel_source(sources) == twin_compile.kernel_source()
    index = modules.index(module)
    assert formula in sources[index]
    sources[index] = sources[index].replace(formula, changed)
    assert twin_compile.kernel_source(sources) != twin_compile.kernel_source()


def test_the_kernel_is_compiled_in_memory_where_no_cache_can_be_written(fleet, monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("SKYHALL_CACHE", str(blocked))
    assert twin_compile._from_cache(twin_compile.kernel_source()) is None
    assert hasattr(twin_compile._in_memory(twin_compile.kernel_source()), "fly_tiles")


def test_two_threads_may_fly_at_once(fleet):
    from concurrent.futures import ThreadPoolExecutor

    alone = fly(fleet, duration=DAY).delivered.work_j
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: fly(fleet, duration=DAY).delivered.work_j, range(2)))
    for each in both:
        np.testing.assert_array_equal(each, alone)


def test_sustainable_watts_are_what_the_array_gives_beyond_the_fixed_load(fleet):
    windows = forecast(fleet, duration=6 * 3600.0, slot=900.0)
    stacked, one = windows.stack(), fleet.designs[0]
    expected = np.clip((stacked["array_w"] - one.fixed_load) / (1 + one.overhead_per_it), 0.0, one.it_power)
    np.testing.assert_allclose(stacked["sustainable_w"], expected, rtol=1e-5)
    partly = (expected > 0) & (expected < one.it_power)
    assert partly.any()
    # Windows may be gone through again.
    assert len(list(windows)) == len(windows) == 24


def test_a_taper_shorter_than_the_step_never_overfills(fleet):
    from dataclasses import replace

    eager = replace(
        fleet, designs=(replace(fleet.designs[0], taper_time=1.0, charge_limit=1e9, battery_reserve=0.0),)
    )
    chunks = list(record(eager, duration=DAY, step=120.0))
    stored = chunks[0].joined(chunks[1:]).battery_j
    assert stored.max() <= fleet.designs[0].battery_capacity * (1 + 1e-6)
    assert stored.min() >= 0.0


@pytest.fixture
def own_sets(tmp_path):
    lines = []
    for number, inclination, node in ((90001, 53.0, 10.0), (90002, 97.6, 100.0)):
        first = f"1 {number}U 26001A   26101.50000000  .00000000  00000+0  00000+0 0  999"
        second = f"2 {number} {inclination:8.4f} {node:8.4f} 0001000  90.0000 270.0000 15.10000000    1"
        for line in (first, second):
            digits = sum(int(c) if c.isdigit() else c == "-" for c in line[:68])
            lines.append(line[:68] + str(digits % 10))
    path = tmp_path / "own.tle"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_rows_of_a_flight_with_sgp4_all_have_one_length(own_sets):
    asked = [f"orbit.elements={own_sets}", "orbit.propagation=sgp4"]
    flight = fly(design(load("starlink-shell-53", overrides=asked)), duration=3 * DAY)
    assert np.unique(np.round(np.diff(flight.timeline.seconds))).size == 1
    assert np.isfinite(flight.timeline.battery_p50).all()


def test_sgp4_tells_the_sun_along_radius_and_velocity_as_mean_elements_do(own_sets):
    rows = []
    for propagation in ("mean", "sgp4"):
        asked = [f"orbit.elements={own_sets}", f"orbit.propagation={propagation}"]
        fleet = design(load("starlink-shell-53", overrides=asked))
        stepper = Stepper(fleet, ConstantLoad(), environment(fleet), start=0.0, step=60.0)
        for _ in stepper.spans(160):
            pass
        rows.append([stepper.tiles.row(row) for row in (t.SUN_COSINE, t.SUN_ALONG)])
    np.testing.assert_allclose(rows[0], rows[1], atol=5e-3)
    assert np.abs(rows[0][1]).max() > 0.1


def test_a_slots_upset_rate_is_the_mean_of_its_minutes(fleet):
    windows = forecast(fleet, duration=6 * 3600.0, slot=900.0).stack()
    chunks = list(record(fleet, duration=6 * 3600.0))
    minutes = chunks[0].joined(chunks[1:]).upsets_per_s
    assert windows["upset_rate"].shape == (len(fleet), 24)
    of_slots = minutes.astype(float).reshape(len(fleet), 24, 15).mean(axis=2)
    # Anchors fall differently, so that a satellite on a border may be read in the cell beside it.
    found = windows["upset_rate"].astype(float)
    assert np.isclose(found, of_slots, rtol=1e-5).mean() > 0.8
    assert found.mean() == pytest.approx(of_slots.mean(), rel=1e-3)
    assert np.corrcoef(found.ravel(), of_slots.ravel())[0, 1] > 0.9999


def test_a_satellite_inside_the_anomaly_meets_many_times_the_fleets_median(fleet):
    chunk = next(iter(record(fleet, duration=3600.0)))
    now = chunk.upsets_per_s[:, -1]
    position = circular_position(fleet.elements, chunk.seconds[-1])
    angle = greenwich_angle(fleet.epoch_julian_date + chunk.seconds[-1] / DAY)
    x, y, z = position.T
    fixed = np.stack(
        [np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x, z], axis=-1
    )
    inside = anomaly(radiation_of(fleet.scenario), *geodetic(fixed))
    assert 3 <= inside.sum() < 0.2 * len(fleet)
    # The border of the anomaly is told by trapped protons alone, and cells are two degrees wide.
    assert np.median(now[inside]) > 10.0 * np.median(now)
    assert now[inside].min() > np.median(now)


def test_upsets_of_the_timeline_add_up_to_those_of_the_satellites(fleet):
    flight = fly(fleet, duration=DAY)
    timeline, delivered = flight.timeline, flight.delivered
    assert delivered.upsets.shape == (len(fleet),)
    hours = timeline.weight / 3600.0
    assert timeline.upsets_per_h @ hours == pytest.approx(delivered.upsets.mean(), rel=1e-5)
    assert delivered.upsets_per_accelerator_day == pytest.approx(delivered.upsets.mean(), rel=1e-9)
    chunks = list(record(fleet, duration=DAY))
    minutes = chunks[0].joined(chunks[1:]).upsets_per_s.astype(float)
    np.testing.assert_allclose(delivered.upsets, minutes.sum(axis=1) * 60.0, rtol=1e-5)


@pytest.mark.parametrize("name", ["dawn-dusk-200mw", "starlink-shell-53", "geo-1gw"])
def test_a_long_flight_meets_the_mean_upsets_of_its_orbit(name):
    fleet = design(load(name, overrides=["orbit.shells.0.satellites=72"]))
    met = fly(fleet, duration=20 * DAY).delivered.upsets_per_accelerator_day
    assert met == pytest.approx(fleet.irradiation[0].exposure.losses * DAY, rel=0.01)


def test_representative_days_meet_the_upsets_of_the_whole_year():
    fleet = design(load("dawn-dusk-200mw", overrides=["orbit.shells.0.satellites=20"]))
    whole = fly(fleet, duration=365.25 * DAY, whole=True).delivered.upsets_per_accelerator_day
    days = fly(fleet, duration=365.25 * DAY, whole=False)
    assert days.days is not None
    assert days.delivered.upsets_per_accelerator_day == pytest.approx(whole, rel=0.03)


def test_shells_of_one_fleet_meet_the_upsets_of_their_own_altitude():
    shells = [
        {"altitude": "500 km", "satellites": 20},
        {"altitude": "900 km", "satellites": 20},
    ]
    fleet = design(load({"orbit": {"shells": shells}, "satellite": {"shielding": "5 mm"}}))
    met = fly(fleet, duration=10 * DAY).delivered.upsets / 10.0
    for index, here in enumerate(fleet.irradiation):
        expected = here.exposure.losses * DAY
        assert met[fleet.design_index == index].mean() == pytest.approx(expected, rel=0.02)
    assert met[-1] > 2.0 * met[0]


def test_work_and_load_do_not_change_the_upsets_of_an_accelerator(fleet):
    full = fly(fleet, duration=DAY).delivered
    idle = fly(fleet, ConstantLoad(0.0), duration=DAY).delivered
    np.testing.assert_array_equal(full.upsets, idle.upsets)


def test_sgp4_and_mean_elements_meet_the_same_upsets(own_sets):
    met = []
    for propagation in ("mean", "sgp4"):
        asked = [f"orbit.elements={own_sets}", f"orbit.propagation={propagation}"]
        met.append(fly(design(load("starlink-shell-53", overrides=asked)), duration=3 * DAY).delivered.upsets)
    np.testing.assert_allclose(met[1], met[0], rtol=0.03)
    assert met[0][0] > 0.0
