"""What the air takes from light and radio, beside published values and limits."""

from __future__ import annotations

import numpy as np
import pytest

from skyhall.errors import ValueProblem
from skyhall.network.atmosphere import (
    Turbulence,
    air_mass,
    clear_air_loss_db,
    fade_loss_db,
    radio_air_loss_db,
    scintillation_index,
)

HIGH = np.radians(90.0)


def test_air_mass_is_that_of_kasten_and_youngs_table() -> None:
    # Kasten and Young 1989, table II: 0, 5, 10, 30 and 90 degrees.
    degrees = np.array([0.0, 5.0, 10.0, 30.0, 90.0])
    assert air_mass(np.radians(degrees)) == pytest.approx([38.0, 10.31, 5.586, 1.994, 1.0], rel=0.003)


def test_air_takes_its_zenith_loss_at_the_zenith_and_twice_that_at_30_degrees() -> None:
    assert clear_air_loss_db(HIGH, 0.9) == pytest.approx(0.4576, abs=0.0005)
    assert clear_air_loss_db(np.radians(30.0), 0.9) == pytest.approx(2 * 0.4576, rel=0.005)
    assert clear_air_loss_db(HIGH, 1.0) == 0.0


def test_hufnagel_valley_5_7_has_the_seeing_and_the_angle_of_its_name() -> None:
    # At 0.5 um: coherence length 5 cm and isoplanatic angle 7 urad.
    height = np.linspace(0.0, 30e3, 300_001)
    profile, step, number = Turbulence().profile(height), 0.1, 2 * np.pi / 0.5e-6
    coherence = (0.423 * number**2 * np.sum(profile) * step) ** (-3 / 5)
    isoplanatic = (2.914 * number**2 * np.sum(profile * height ** (5 / 3)) * step) ** (-3 / 5)
    assert coherence == pytest.approx(0.05, rel=0.03)
    assert isoplanatic == pytest.approx(7e-6, rel=0.03)


def test_scintillation_grows_towards_the_horizon_and_shrinks_with_the_aperture() -> None:
    elevation = np.radians([20.0, 45.0, 90.0])
    point = scintillation_index(elevation, 0.0, 1.55e-6)
    assert np.all(np.diff(point) < 0.0)
    assert point[0] / point[2] == pytest.approx(np.sin(elevation[0]) ** (-11 / 6), rel=1e-6)
    assert np.all(scintillation_index(elevation, 0.4, 1.55e-6) < 0.3 * point)
    assert scintillation_index(HIGH, 0.0, 1.55e-6) < scintillation_index(HIGH, 0.0, 0.85e-6)


def test_a_point_receiver_under_hv_5_7_scintillates_by_7_percent_at_the_zenith() -> None:
    # 2.25 k^(7/6) times the profile's 5/6 moment, integrated on a plain grid.
    height = np.linspace(0.0, 30e3, 300_001)
    moment = np.sum(Turbulence().profile(height) * height ** (5 / 6)) * 0.1
    expected = 2.25 * (2 * np.pi / 1.55e-6) ** (7 / 6) * moment
    assert scintillation_index(HIGH, 0.0, 1.55e-6) == pytest.approx(expected, rel=0.002)
    assert expected == pytest.approx(0.07, abs=0.02)


def test_an_aperture_averages_over_the_height_scale_of_the_turbulence() -> None:
    height = np.linspace(0.0, 30e3, 300_001)
    profile = Turbulence().profile(height)
    scale = (np.sum(profile * height**2) / np.sum(profile * height ** (5 / 6))) ** (6 / 7)
    assert scale == pytest.approx(9e3, rel=0.15)
    shrinks = scintillation_index(HIGH, 0.4, 1.55e-6) / scintillation_index(HIGH, 0.0, 1.55e-6)
    assert shrinks == pytest.approx(1 / (1 + 1.1 * (0.16 / (1.55e-6 * scale)) ** (7 / 6)), rel=0.01)


def test_a_fade_is_the_quantile_of_a_lognormal_with_mean_one() -> None:
    index, outage = 0.2, 0.01
    spread = np.log1p(index)
    rng = np.random.default_rng(5)
    power = np.exp(np.sqrt(spread) * rng.standard_normal(1_000_000) - 0.5 * spread)
    assert power.mean() == pytest.approx(1.0, abs=0.003)
    drawn = -10 * np.log10(np.quantile(power, outage))
    assert fade_loss_db(index, outage) == pytest.approx(drawn, abs=0.03)
    assert fade_loss_db(0.0, outage) == 0.0


def test_gases_and_rain_follow_the_cosecant_down_to_5_degrees() -> None:
    assert radio_air_loss_db(HIGH, 0.2, 1.0) == pytest.approx(1.2)
    assert radio_air_loss_db(np.radians(30.0), 0.2, 1.0) == pytest.approx(2.4)
    assert radio_air_loss_db(0.0, 0.2, 1.0) == radio_air_loss_db(np.radians(5.0), 0.2, 1.0)


def test_impossible_air_is_refused() -> None:
    with pytest.raises(ValueProblem, match="transmittance"):
        clear_air_loss_db(HIGH, 0.0)
    with pytest.raises(ValueProblem, match="outage"):
        fade_loss_db(0.1, 0.7)
