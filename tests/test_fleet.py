"""Scenario and catalogue to a fleet: counts, shells, real element sets."""

from pathlib import Path

import numpy as np
import pytest

from skyhall.constants import EARTH_RADIUS
from skyhall.errors import FileProblem, ValueProblem
from skyhall.fleet import design
from skyhall.scenario import load
from skyhall.twin import fly

# Three satellites of our own making: two near-circular, one on a Molniya-like ellipse.
SETS = """\
SKYHALL-1
1 90001U 26001A   26100.50000000  .00000000  00000+0  00000+0 0  9994
2 90001  53.0000  10.0000 0001000  90.0000 270.0000 15.06400000    17
SKYHALL-2
1 90002U 26001B   26101.50000000  .00000000  00000+0  00000+0 0  9996
2 90002  97.6000 100.0000 0002000  90.0000 270.0000 15.15000000    14
SKYHALL-3
1 90003U 26001C   26101.50000000  .00000000  00000+0  00000+0 0  9998
2 90003  63.4000 200.0000 7000000 270.0000  10.0000  2.00600000    13
"""


def _checksum(line):
    return str(sum(int(c) if c.isdigit() else c == "-" for c in line[:68]) % 10)


@pytest.fixture
def sets_file(tmp_path):
    lines = [line[:68] + _checksum(line) if line[:2] in {"1 ", "2 "} else line for line in SETS.splitlines()]
    path = tmp_path / "own.tle"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_work_wanted_decides_how_many_satellites_there_are():
    fleet = design(load({"satellite": {"it_power": "100 kW"}, "work": {"it_power": "1 MW"}}))
    each = fleet.designs[0].it_power
    assert (len(fleet) - 1) * each < 1e6 <= len(fleet) * each


def test_open_shells_share_what_closed_ones_leave():
    shells = [{"altitude": "600 km", "satellites": 3}, {"altitude": "700 km"}, {"altitude": "800 km"}]
    fleet = design(
        load(
            {
                "orbit": {"shells": shells},
                "satellite": {"it_power": "100 kW"},
                "work": {"it_power": "1 MW"},
            }
        )
    )
    assert fleet.counts[0] == 3
    assert fleet.counts[1] == fleet.counts[2]
    assert fleet.it_power >= 1e6


def test_each_shell_has_a_satellite_sized_for_its_own_orbit():
    fleet = design(load("million", overrides=[f"orbit.shells.{i}.satellites=100" for i in range(8)]))
    assert len(fleet.designs) == 8
    altitudes = fleet.elements.semi_major_axis[fleet.design_index == 7] - EARTH_RADIUS
    assert altitudes == pytest.approx(2000e3)
    assert fleet.designs[0].battery_capacity > 3 * fleet.designs[3].battery_capacity


def test_planes_at_different_local_times_are_sized_for_the_darkest_of_them():
    def shell(planes):
        asked = [f"orbit.shells.0.planes={planes}", "orbit.shells.0.satellites=8", "satellite.night=ride"]
        return design(load("dawn-dusk-200mw", overrides=asked))

    dawn, all_day = shell(1), shell(4)
    assert dawn.longest_eclipse < 21 * 60
    assert all_day.longest_eclipse > 33 * 60
    assert all_day.sunlit_year < dawn.sunlit_year - 0.1
    assert all_day.designs[0].battery_capacity > 1.5 * dawn.designs[0].battery_capacity
    flown = fly(all_day, start=270 * 86400.0, duration=3 * 86400.0).delivered
    assert flown.share > 0.998


def test_it_power_is_rounded_up_to_whole_accelerators():
    fleet = design(load({"satellite": {"accelerator": "h100-sxm", "it_power": "2 kW"}}))
    assert fleet.designs[0].accelerators == 3
    with pytest.raises(ValueProblem, match="less than one h100-sxm"):
        design(load({"satellite": {"accelerator": "h100-sxm", "it_power": "10 W"}}))


def test_a_design_that_does_not_close_says_where():
    with pytest.raises(ValueProblem, match="does not close") as caught:
        design(load("dawn-dusk-200mw", overrides=["catalogue.gb300-nvl72.junction_limit=260 K"]))
    assert caught.value.place.key == "satellite"


def test_a_file_of_element_sets_puts_the_design_on_real_orbits(sets_file):
    fleet = design(load("starlink-shell-53", overrides=[f"orbit.elements={sets_file}"]))
    assert len(fleet) == 2
    assert len(fleet.dropped) == 1
    assert "SKYHALL-3" in fleet.dropped[0]
    assert "eccentricity" in fleet.dropped[0]
    assert fleet.fit_error_km < 20
    # Without an epoch of its own the scenario starts at the newest set.
    assert fleet.scenario.epoch.strftime("%Y-%jT%H:%M") == "2026-101T12:00"


def test_sgp4_flies_what_mean_elements_may_not(sets_file):
    fleet = design(
        load("starlink-shell-53", overrides=[f"orbit.elements={sets_file}", "orbit.propagation=sgp4"])
    )
    assert len(fleet) == 3
    assert fleet.dropped == ()
    assert fleet.scenario.flight_duration == 86400.0


def test_sgp4_and_mean_elements_see_the_same_light(sets_file):
    asked = [f"orbit.elements={sets_file}", "flight.duration=1 day"]
    mean = fly(design(load("starlink-shell-53", overrides=asked)), duration=86400.0).delivered.lit
    sgp4 = fly(
        design(load("starlink-shell-53", overrides=[*asked, "orbit.propagation=sgp4"])), duration=86400.0
    ).delivered.lit
    np.testing.assert_allclose(mean, sgp4[:2], atol=5e-3)


def test_a_missing_file_of_element_sets_is_named():
    with pytest.raises(FileProblem, match=r"nowhere\.tle"):
        design(load("starlink-shell-53", overrides=["orbit.elements=/nowhere.tle"]))


def test_an_empty_file_of_element_sets_is_named(tmp_path):
    empty = tmp_path / "empty.tle"
    empty.write_text("")
    with pytest.raises(ValueProblem) as caught:
        design(load("starlink-shell-53", overrides=[f"orbit.elements={empty}"]))
    assert caught.value.place.file == str(empty)


REAL = Path(__file__).parents[1] / "../shared/data/starlink-2026-01.tle"


@pytest.mark.skipif(not REAL.exists(), reason="the real catalogue is not here")
@pytest.mark.parametrize("name", ["starlink-shell-53", "dawn-dusk-200mw", "starcloud-1"])
def test_9341_real_satellites_carry_the_design(name):
    fleet = design(load(name, overrides=[f"orbit.elements={REAL}"]))
    assert len(fleet) + len(fleet.dropped) == 9341
    assert len(fleet) > (9000 if name != "starcloud-1" else 1)
    # Propulsion for real air costs something, and is not ruled by the few that come down.
    designed = design(load(name))
    assert fleet.designs[0].mass < 1.6 * designed.designs[0].mass


def test_a_satellite_on_its_way_down_is_named_and_does_not_size_the_others(tmp_path):
    def line(number, motion):
        first = f"1 {number}U 26001A   26101.50000000  .00000000  00000+0  00000+0 0  999"
        second = f"2 {number}  53.0000  10.0000 0001000  90.0000 270.0000 {motion:11.8f}    1"
        return [each[:68] + _checksum(each) for each in (first, second)]

    path = tmp_path / "mixed.tle"
    path.write_text("\n".join([*line(90001, 15.064), *line(90002, 15.06), *line(90003, 16.2)]) + "\n")
    fleet = design(load("starlink-shell-53", overrides=[f"orbit.elements={path}"]))
    assert len(fleet) == 2
    assert "90003" in fleet.dropped[0]
    assert "not an orbit that is kept" in fleet.dropped[0]


def test_propellant_is_for_the_mean_air_of_all_satellites(tmp_path):
    def sized(*motions):
        lines = []
        for index, motion in enumerate(motions):
            first = f"1 9000{index}U 26001A   26101.50000000  .00000000  00000+0  00000+0 0  999"
            second = f"2 9000{index}  53.0000  10.0000 0001000  90.0000 270.0000 {motion:11.8f}    1"
            lines += [each[:68] + _checksum(each) for each in (first, second)]
        path = tmp_path / f"{len(motions)}-{motions[-1]}.tle"
        path.write_text("\n".join(lines) + "\n")
        return design(load("starlink-shell-53", overrides=[f"orbit.elements={path}"])).sized[0]

    high = sized(15.06, 15.06, 15.06)
    mixed = sized(15.06, 15.06, 15.5)  # one of three at 420 km, the median where it was
    assert mixed.inputs.air_density > 2 * high.inputs.air_density
    assert mixed.propellant > 1.2 * high.propellant
    assert mixed.thruster_power > 1.5 * high.thruster_power


@pytest.mark.parametrize("asked", [[], ["satellite.it_power=null", "satellite.accelerators=3"]])
def test_an_accelerator_without_power_is_refused(asked):
    with pytest.raises(ValueProblem, match="takes 0 W"):
        design(load("dawn-dusk-200mw", overrides=["catalogue.gb300-nvl72.power=0 W", *asked]))
