"""The compiled kernel against the same formulas in plain double-precision NumPy with exact angles."""

from dataclasses import replace

import numpy as np
import pytest

from skyhall.constants import DAY
from skyhall.environment.globe_cells import cell_directions
from skyhall.environment.upset_field import UpsetField
from skyhall.fleet import design
from skyhall.orbit.elements import circular_position
from skyhall.scenario import load
from skyhall.twin import record
from skyhall.twin import tile as t
from skyhall.twin.flight import environment
from skyhall.twin.plain import fly_plain
from skyhall.twin.stepping import ConstantLoad, Stepper

STEPS = 1440


@pytest.fixture(
    scope="module",
    params=[
        ("sun_tracking", "handover", "walker_delta"),
        ("orbit_normal", "ride", "sun_synchronous"),
        ("sun_tracking", "both", "geostationary"),
    ],
    ids=lambda each: "-".join(each),
)
def flights(request):
    attitude, night, pattern = request.param
    shell = {"pattern": pattern, "satellites": 20}
    if pattern == "walker_delta":
        shell |= {"altitude": "550 km", "inclination": "53 deg", "planes": 10, "phasing": 3}
    fleet = design(
        load(
            {
                "epoch": "2026-11-01T00:00:00Z",
                "orbit": {"shells": [shell]},
                "satellite": {"it_power": "20 kW", "attitude": attitude, "night": night},
            }
        )
    )
    fleet = replace(fleet, upsets=_made_up(len(fleet)))
    chunks = list(record(fleet, duration=DAY, step=60.0))
    compiled = chunks[0].joined(chunks[1:])
    plain = fly_plain(
        fleet.elements,
        fleet.designs[0],
        environment(fleet),
        upsets=fleet.upsets,
        epoch=fleet.epoch_julian_date,
        steps=STEPS,
    )
    return fleet, compiled, plain


def _made_up(satellites: int) -> UpsetField:
    """Two smooth tables, in which every cell differs a little from its neighbours, and a factor for each satellite."""
    x, y, z = cell_directions().T
    rates = np.stack([2.0 + 0.7 * x + 0.4 * y + 0.3 * z, 3.0 - 0.5 * x * z + y]) * 1e-6
    return UpsetField(rates.astype(np.float32), np.arange(satellites) % 2, np.linspace(0.5, 2.0, satellites))


def test_upset_rates_are_those_of_the_cell_below_the_satellite(flights):
    fleet, compiled, plain = flights
    expected = plain.upsets_per_s.T
    assert np.abs(compiled.upsets_per_s / expected - 1.0).max() < 0.05  # across a border at the most
    if np.median(fleet.elements.inclination) > 0.0:  # the geostationary ring lies on a border all the time
        assert np.isclose(compiled.upsets_per_s, expected, rtol=1e-6).mean() > 0.98


def test_position_agrees_within_a_metre_after_a_day(flights):
    fleet, _, plain = flights
    stepper = Stepper(fleet, ConstantLoad(), environment(fleet), start=0.0, step=60.0)
    for _ in stepper.spans(STEPS):
        pass
    tiles = stepper.tiles
    cu, su = tiles.double_row(t.LATITUDE_COS), tiles.double_row(t.LATITUDE_SIN)
    exact = circular_position(fleet.elements, float(STEPS * 60.0))
    assert np.abs(exact - plain.position[-1]).max() < 1e-3
    node = np.arctan2(tiles.double_row(t.NODE_SIN), tiles.double_row(t.NODE_COS))
    tilt = fleet.elements.inclination
    toward = np.stack([np.cos(node), np.sin(node), 0 * node], axis=-1)
    beside = np.stack([-np.sin(node) * np.cos(tilt), np.cos(node) * np.cos(tilt), np.sin(tilt)], axis=-1)
    radial = cu[:, None] * toward + su[:, None] * beside
    assert np.abs(radial * fleet.elements.semi_major_axis[:, None] - exact).max() < 1.0


def test_lit_fraction_agrees_within_2e_5(flights):
    _, compiled, plain = flights
    assert np.abs(compiled.lit - plain.lit.T).max() < 2e-5


def test_stored_energy_agrees_within_a_millionth_of_the_capacity(flights):
    fleet, compiled, plain = flights
    assert np.abs(compiled.battery_j - plain.battery_j.T).max() < 1e-6 * fleet.designs[0].battery_capacity


def test_temperatures_agree_within_a_millikelvin(flights):
    _, compiled, plain = flights
    for name in ("junction_k", "radiator_k", "array_k"):
        assert np.abs(getattr(compiled, name) - getattr(plain, name).T).max() < 1e-3, name


def test_work_agrees_within_a_hundred_thousandth(flights):
    fleet, compiled, plain = flights
    assert np.abs(compiled.work_w - plain.work_w.T).max() < 1e-5 * fleet.designs[0].it_power
