"""Devices: published beam tests give published cross sections, and every device of the catalogue is one."""

from __future__ import annotations

import numpy as np
import pytest

from skyhall.catalogue import load_catalogue
from skyhall.catalogue.parts import Part
from skyhall.environment.devices import (
    DEVICE_UNITS,
    HAZARDS,
    OUTCOMES,
    Device,
    Response,
    cross_section_of_events,
    device_from_values,
    inferences_per_corruption,
    weibull,
)
from skyhall.errors import ValueProblem

DEVICES = [part for part in load_catalogue() if part.kind == "devices"]
PROTONS_PER_CM2_RAD = 7.9e6  # 67 MeV protons in silicon


def device(name: str) -> Device:
    part = load_catalogue().part("devices", name)
    return device_from_values(name, {key: part(key, unit) for key, unit in DEVICE_UNITS.items()})


def response(**changes: float) -> Response:
    values = {
        "proton_cm2": 1e-8,
        "proton_threshold_mev": 5.0,
        "proton_width_mev": 20.0,
        "proton_shape": 1.0,
        "ion_cm2": 1e-3,
        "ion_threshold": 1.0,
        "ion_width": 10.0,
        "ion_shape": 1.5,
    }
    return Response(**{**values, **changes})


@pytest.mark.parametrize(("rad", "cm2"), [(14.4, 8.8e-9), (20.0, 6.3e-9), (44.0, 2.9e-9)])
def test_suncatchers_doses_between_events_are_its_cross_sections(rad: float, cm2: float) -> None:
    assert cross_section_of_events(rad, PROTONS_PER_CM2_RAD) == pytest.approx(cm2, rel=0.01)


def test_one_inference_in_3_58_million_is_corrupted_at_150_rad_a_year() -> None:
    assert inferences_per_corruption(1.0, 150.0, 17.0) == pytest.approx(3.58e6, rel=0.005)


def test_nothing_happens_at_or_below_the_threshold() -> None:
    assert np.all(weibull(np.array([0.0, 4.9, 5.0]), 5.0, 20.0, 1.5) == 0.0)


def test_63_percent_of_the_saturated_cross_section_one_width_above_the_threshold() -> None:
    assert response().protons(25.0) == pytest.approx(1e-8 * (1 - np.exp(-1)), rel=1e-12)


@pytest.mark.parametrize("field", ["proton_cm2", "ion_cm2", "proton_threshold_mev", "ion_threshold"])
def test_negative_cross_sections_and_thresholds_are_refused(field: str) -> None:
    with pytest.raises(ValueProblem, match=field):
        response(**{field: -1.0})


@pytest.mark.parametrize("field", ["proton_width_mev", "proton_shape", "ion_width", "ion_shape"])
def test_a_curve_without_width_or_shape_is_refused(field: str) -> None:
    with pytest.raises(ValueProblem, match=field):
        response(**{field: 0.0})


@pytest.mark.parametrize("part", DEVICES, ids=lambda part: part.name)
def test_every_device_has_the_same_keys(part: Part) -> None:
    assert set(part.facts) == set(DEVICE_UNITS)


@pytest.mark.parametrize("part", DEVICES, ids=lambda part: part.name)
def test_every_value_lies_in_its_range(part: Part) -> None:
    for key, unit in DEVICE_UNITS.items():
        low, high = part.bounds(key, unit)
        assert low <= part(key, unit) <= high, key


@pytest.mark.parametrize("part", DEVICES, ids=lambda part: part.name)
def test_every_device_answers_with_all_outcomes_and_hazards(part: Part) -> None:
    assert set(device(part.name).responses) == {*OUTCOMES, *HAZARDS}


def test_the_response_at_the_beams_energy_is_the_measured_cross_section() -> None:
    silent = device("trillium-tpu").responses["silent"]
    assert silent.protons(67.0) == pytest.approx(7.4e-9, rel=1e-9)


# How the catalogue's ion cross sections were derived. Petersen's figure of merit: the limiting ion cross section over
# the square of the LET at a quarter of it is 4.5e4 times the limiting proton cross section: E. L. Petersen, "The SEU
# figure of merit and proton upset rate calculations", IEEE Trans. Nucl. Sci. 45 (1998) 2550. The coefficient is as we
# recall it; the definition is checked against J. Barak, R. A. Reed, K. A. LaBel, IEEE Trans. Nucl. Sci. 46 (1999)
# 1504, who find it good for ordinary parts, too high for ions where the threshold is below an LET of 1. It was fitted
# to memories of the 1980s and 1990s: an order of magnitude for circuits of a few nanometres.
FIGURE_OF_MERIT_PER_PROTON_CM2 = 4.5e4


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_accelerators_ion_response_upsets_as_often_as_the_figure_of_merit_of_its_protons_says(
    outcome: str,
) -> None:
    # 0.69 of the limit: with our spectra and so low a threshold the limit itself upsets 290 times a day, not 200.
    found = device("trillium-tpu").responses[outcome]
    let = np.interp(
        0.25 * found.ion_cm2, found.ions(np.linspace(0.0, 60.0, 60_001)), np.linspace(0.0, 60.0, 60_001)
    )
    limit = FIGURE_OF_MERIT_PER_PROTON_CM2 * found.proton_cm2 * let**2
    assert found.ion_cm2 == pytest.approx(0.69 * limit, rel=0.06)


def test_trillium_latches_less_than_once_in_the_protons_of_15_krad() -> None:
    _, high = load_catalogue().part("devices", "trillium-tpu").bounds("latchup_proton", "cm**2")
    assert high * 15e3 * PROTONS_PER_CM2_RAD == pytest.approx(3.0, rel=0.02)


def test_a_beam_below_the_threshold_cannot_give_a_saturated_cross_section() -> None:
    part = load_catalogue({"trillium-tpu": {"proton_threshold": "70 MeV"}}).part("devices", "trillium-tpu")
    with pytest.raises(ValueProblem, match="below the proton threshold"):
        device_from_values("trillium-tpu", {key: part(key, unit) for key, unit in DEVICE_UNITS.items()})


@pytest.mark.parametrize("key", ["proton_width", "ion_shape", "dose_limit", "bits"])
def test_a_device_without_width_shape_limit_or_bits_is_refused_with_its_key(key: str) -> None:
    part = load_catalogue().part("devices", "trillium-tpu")
    values = {name: part(name, unit) for name, unit in DEVICE_UNITS.items()} | {key: 0.0}
    with pytest.raises(ValueProblem, match="above zero") as caught:
        device_from_values("trillium-tpu", values)
    assert caught.value.place.key == f"catalogue.trillium-tpu.{key}"


def test_a_very_steep_curve_is_a_step() -> None:
    np.testing.assert_allclose(
        weibull(np.array([5.0, 17.0, 19.0]), 3.0, 15.0, 1e6), [0.0, 0.0, 1.0], atol=1e-12
    )
