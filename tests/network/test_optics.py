"""Budgets of laser links: what arrives, which rate closes, and the terminals of the catalogue."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.catalogue import Part, load_catalogue
from skyhall.errors import ValueProblem
from skyhall.network.optics import (
    HALVINGS,
    TERMINAL_UNITS,
    OpticalTerminal,
    Telescope,
    adaptive_rate,
    closing_range,
    fade_margin_db,
    link_budget,
    terminal_from_values,
)

TERMINAL = OpticalTerminal(
    aperture=0.1,
    transmit_power=5.0,
    wavelength=1.55e-6,
    efficiency=0.8,
    other_loss_db=3.0,
    pointing_jitter=1e-6,
    photons_per_bit=10.0,
    channels=4,
    channel_rate=25e9,
    required_margin_db=3.0,
    longest_range=5e6,
    acquisition_time=30.0,
    reacquisition_time=5.0,
    slew_rate=0.02,
)
LASERS = [part for part in load_catalogue() if part.kind == "terminals" and "aperture" in part.facts]
DISTANCES = st.floats(1.0, 1e9)


def terminal_of(part: Part) -> tuple[OpticalTerminal, OpticalTerminal | Telescope]:
    """Return a terminal of the catalogue and what its range is stated with at the other end."""
    terminal = terminal_from_values({key: part(key, unit) for key, unit in TERMINAL_UNITS.items()})
    other = part("receiver_aperture", "m")
    if other == terminal.aperture:
        return terminal, terminal
    return terminal, Telescope(aperture=other, efficiency=terminal.efficiency)


def test_what_arrives_is_friis_less_losses_and_jitter() -> None:
    # 2 × 105.167 dB of gain, 272.16 dB of free space at 5,000 km, 3 dB of losses, 2 × 0.088 dB by jitter, 5 W.
    free_space = 20.0 * np.log10(4.0 * np.pi * 5e6 / 1.55e-6)
    jitter = 20.0 * np.log10(1.0 + 0.5 * (np.pi * 0.1 * 1e-6 / 1.55e-6) ** 2)
    gain = 10.0 * np.log10(0.8 * (np.pi * 0.1 / 1.55e-6) ** 2)
    budget = link_budget(TERMINAL, 5e6)
    assert float(10.0 * np.log10(budget.received_w)) == pytest.approx(
        10.0 * np.log10(5.0) + 2.0 * gain - free_space - 3.0 - jitter, abs=1e-4
    )
    assert float(budget.gain_db) == pytest.approx(gain)
    assert float(budget.jitter_loss_db) == pytest.approx(jitter, abs=1e-6)


def test_the_required_power_is_that_of_the_photons() -> None:
    # A photon of 1.55 µm has 0.8 eV.
    budget = link_budget(TERMINAL, 5e6)
    assert float(budget.required_w) == pytest.approx(10.0 * 100e9 * 0.79990 * 1.602176634e-19, rel=1e-4)
    assert float(budget.received_photons_per_bit) == pytest.approx(
        10.0 * float(budget.received_w / budget.required_w)
    )


def test_channels_share_the_power_evenly() -> None:
    budget = link_budget(TERMINAL, np.array([1e5, 5e6]))
    np.testing.assert_allclose(4.0 * budget.received_channel_w, budget.received_w)
    one = link_budget(replace(TERMINAL, channels=1, channel_rate=100e9), np.array([1e5, 5e6]))
    np.testing.assert_allclose(one.margin_db, budget.margin_db)


@given(st.floats(0.01, 0.5), st.floats(0.0, 1e10))
def test_no_more_is_received_than_was_sent_however_near(aperture: float, range_m: float) -> None:
    terminal = replace(TERMINAL, aperture=aperture)
    assert float(link_budget(terminal, range_m).received_w) <= 5.0 * 0.8 * 0.8 * 10.0**-0.3


@given(DISTANCES, st.floats(1.0, 3.0))
def test_a_longer_link_never_carries_more(range_m: float, factor: float) -> None:
    near, far = link_budget(TERMINAL, np.array([range_m, factor * range_m])).rate_bps
    assert far <= near


@given(st.floats(1e6, 1e12), st.floats(0.0, 6.0))
def test_the_closing_range_is_where_the_budget_closes(rate: float, loss: float) -> None:
    terminal = replace(TERMINAL, channels=1, channel_rate=rate)
    reach = float(closing_range(terminal, extra_loss_db=loss))
    at, past = link_budget(terminal, np.array([reach, 1.001 * reach]), extra_loss_db=loss).rate_bps
    assert at == rate
    assert past == pytest.approx(rate / 2.0)


def test_each_halving_of_the_rate_reaches_a_square_root_of_two_farther() -> None:
    reach = closing_range(TERMINAL, rate_bps=100e9 * 0.5 ** np.arange(5))
    np.testing.assert_allclose(reach[1:] / reach[:-1], np.sqrt(2.0), rtol=1e-5)
    budget = link_budget(TERMINAL, reach)
    np.testing.assert_allclose(budget.rate_bps, 100e9 * 0.5 ** np.arange(5))
    assert budget.closes.tolist() == [True, False, False, False, False]


def test_beyond_a_sixteenth_of_its_rate_a_link_is_down() -> None:
    reach = closing_range(TERMINAL, rate_bps=100e9 / 2**HALVINGS)
    assert float(link_budget(TERMINAL, 1.001 * reach).rate_bps) == 0.0


@pytest.mark.parametrize(
    ("spare_db", "share"),
    [(5.0, 1.0), (0.0, 1.0), (-0.1, 0.5), (-3.0, 0.5), (-3.02, 0.25), (-12.0, 1 / 16), (-12.1, 0.0)],
)
def test_the_rate_is_halved_for_each_three_decibels(spare_db: float, share: float) -> None:
    assert float(adaptive_rate(16e9, spare_db)) == 16e9 * share


def test_a_link_that_closes_nowhere_has_no_range() -> None:
    weak = replace(TERMINAL, transmit_power=1e-9)
    assert float(closing_range(weak)) == 0.0
    assert float(link_budget(weak, 0.0).rate_bps) == 0.0


def test_losses_on_the_way_cost_their_decibels() -> None:
    clear, hazy = (link_budget(TERMINAL, 1e6, extra_loss_db=loss).margin_db for loss in (0.0, 4.0))
    assert float(clear - hazy) == pytest.approx(4.0)


def test_a_telescope_on_the_ground_gathers_by_its_area() -> None:
    small, large = (Telescope(aperture, efficiency=0.5) for aperture in (0.4, 0.8))
    gathered = [float(link_budget(TERMINAL, 1e7, end).received_w) for end in (small, large)]
    assert gathered[1] / gathered[0] == pytest.approx(4.0, rel=1e-3)


def test_a_telescope_may_need_other_photons_than_the_terminal() -> None:
    worse = Telescope(0.1, efficiency=0.8, pointing_jitter=1e-6, photons_per_bit=20.0)
    lost = link_budget(TERMINAL, 1e6).margin_db - link_budget(TERMINAL, 1e6, worse).margin_db
    assert float(lost) == pytest.approx(3.01, abs=0.01)


def test_the_jitter_of_the_receiver_counts_by_its_own_telescope() -> None:
    steady, shaky = (Telescope(0.5, efficiency=0.8, pointing_jitter=jitter) for jitter in (0.0, 1e-6))
    lost = link_budget(TERMINAL, 1e7, steady).margin_db - link_budget(TERMINAL, 1e7, shaky).margin_db
    assert float(lost) == pytest.approx(10.0 * np.log10(1.0 + 0.5 * (np.pi * 0.5 / 1.55) ** 2), abs=1e-6)


def test_two_terminals_use_the_channels_that_both_have() -> None:
    other = replace(TERMINAL, channels=2, channel_rate=10e9)
    there, back = link_budget(TERMINAL, 1e6, other), link_budget(other, 1e6, TERMINAL)
    assert float(there.line_rate_bps) == float(back.line_rate_bps) == 20e9
    # The power of the sender goes into the two channels that are lit.
    assert float(there.margin_db) == pytest.approx(float(back.margin_db))


def test_terminals_of_different_wavelengths_do_not_meet() -> None:
    with pytest.raises(ValueProblem, match="different wavelengths"):
        link_budget(TERMINAL, 1e6, replace(TERMINAL, wavelength=1.064e-6))


def test_budgets_broadcast_over_terminals_and_ranges() -> None:
    several = replace(TERMINAL, aperture=np.array([[0.05], [0.08], [0.1]]))
    ranges = np.array([1e3, 1e5, 1e6, 5e6])
    budget = link_budget(several, ranges)
    assert budget.rate_bps.shape == budget.gain_db.shape == budget.required_w.shape == (3, 4)
    for row, aperture in enumerate((0.05, 0.08, 0.1)):
        one = link_budget(replace(TERMINAL, aperture=aperture), ranges)
        np.testing.assert_allclose(budget.margin_db[row], one.margin_db)
    assert closing_range(several).shape == (3, 1)


def test_fades_count_from_the_mean() -> None:
    shaky = replace(TERMINAL, pointing_jitter=3e-6)
    # At an outage of 90 % the link is better than its mean.
    assert float(fade_margin_db(shaky, outage=0.9)) < 0.0 < float(fade_margin_db(shaky, outage=0.01))


@pytest.mark.parametrize("name", [name for name in TERMINAL_UNITS if name != "required_margin_db"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_terminal_has_no_impossible_values(name: str, value: float) -> None:
    with pytest.raises(ValueProblem, match=name.replace("_", " ")) as caught:
        replace(TERMINAL, **{name: value})
    assert caught.value.place.key == name


@pytest.mark.parametrize(
    ("name", "value"), [("aperture", 0.0), ("efficiency", 1.1), ("channels", 1.5), ("transmit_power", 0.0)]
)
def test_zero_and_too_much_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueProblem, match=name.replace("_", " ")):
        replace(TERMINAL, **{name: value})


@pytest.mark.parametrize("call", [{"range_m": -1.0}, {"range_m": 1e6, "extra_loss_db": -1.0}])
def test_ranges_and_losses_are_not_negative(call: dict[str, float]) -> None:
    with pytest.raises(ValueProblem, match="negative or unknown"):
        link_budget(TERMINAL, **call)


@pytest.mark.parametrize("part", LASERS, ids=lambda part: part.name)
def test_a_terminal_of_the_catalogue_carries_its_rate_over_its_longest_range(part: Part) -> None:
    terminal, other = terminal_of(part)
    budget = link_budget(terminal, terminal.longest_range, other)
    assert float(budget.rate_bps) == part("rate", "bit/s")
    assert float(budget.margin_db) >= terminal.required_margin_db


@pytest.mark.parametrize("part", LASERS, ids=lambda part: part.name)
def test_the_rate_of_the_catalogue_is_that_of_its_channels(part: Part) -> None:
    assert part("rate", "bit/s") == part("channels") * part("channel_rate", "bit/s")


@pytest.mark.parametrize("part", LASERS, ids=lambda part: part.name)
def test_jitter_fades_by_less_than_the_margin_for_all_but_a_thousandth_of_the_time(part: Part) -> None:
    terminal, other = terminal_of(part)
    assert float(fade_margin_db(terminal, other, outage=1e-3)) < terminal.required_margin_db


@pytest.mark.parametrize("part", LASERS, ids=lambda part: part.name)
def test_a_terminal_of_the_catalogue_follows_its_neighbours(part: Part) -> None:
    # A neighbour in a formation or in the grid turns about the satellite once an orbit: 0.065 deg/s.
    assert part("slew_rate", "deg/s") > 0.065
