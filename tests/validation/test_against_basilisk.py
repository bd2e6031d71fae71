"""Lit fraction of the Sun's disc against Basilisk's eclipse module (`bsk`).

Basilisk computes the overlap of two discs (umbra, penumbra, annular) with its own radii of Earth and Sun, which are
handed to ours. Tolerance: 1e-6 of the disc for `disc_fractions`. The kernel's polynomial behind a straight limb
is held to 0.6 % of the disc: nearly all of it is the parallax of the Sun, 9 arcseconds, 0.04 s in a low orbit.
"""

from __future__ import annotations

import numpy as np
import pytest

from skyhall.constants import ASTRONOMICAL_UNIT
from skyhall.orbit import disc_fractions, limb_distance, lit_disc_fraction

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
eclipse = pytest.importorskip("Basilisk.simulation.eclipse")

SUN = ASTRONOMICAL_UNIT * np.array([0.3, -0.85, np.sqrt(1 - 0.3**2 - 0.85**2)])


def basilisk_lit(positions: np.ndarray, sun: np.ndarray) -> np.ndarray:
    """Return Basilisk's illumination for satellites at `positions` (m from the Earth's centre)."""
    from Basilisk.architecture import messaging
    from Basilisk.utilities import SimulationBaseClass, macros

    simulation = SimulationBaseClass.SimBaseClass()
    simulation.CreateNewProcess("process").addTask(simulation.CreateNewTask("task", macros.sec2nano(1.0)))
    model = eclipse.Eclipse()
    model.ModelTag = "eclipse"
    keep = [messaging.SpicePlanetStateMsg().write(_planet("sun", sun)), messaging.SpicePlanetStateMsg()]
    keep[1].write(_planet("earth", np.zeros(3)))
    model.sunInMsg.subscribeTo(keep[0])
    model.addPlanetToModel(keep[1])
    for each in positions:
        state = messaging.SCStatesMsgPayload()
        state.r_BN_N = each.tolist()
        keep.append(messaging.SCStatesMsg().write(state))
        model.addSpacecraftToModel(keep[-1])
    simulation.AddModelToTask("task", model)
    simulation.InitializeSimulation()
    simulation.TotalSim.SingleStepProcesses()
    return np.array([message.read().shadowFactor for message in model.eclipseOutMsgs])


def _planet(name: str, position: np.ndarray):
    from Basilisk.architecture import messaging

    state = messaging.SpicePlanetStateMsgPayload()
    state.PlanetName, state.PositionVector, state.J20002Pfix = name, position.tolist(), np.eye(3).tolist()
    return state


EARTH_RADIUS_M, SOLAR_RADIUS_M = 6378.1366e3, 695000e3  # Basilisk's REQ_EARTH and REQ_SUN


def across_the_shadow(radius: float, spread: float) -> np.ndarray:
    """Return positions on a circle of `radius` (m) about the edge of the Earth's shadow, within `spread` (rad)."""
    towards = SUN / np.linalg.norm(SUN)
    side = np.cross(towards, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side)
    edge = np.arcsin(EARTH_RADIUS_M / radius) if radius < 1e8 else 0.0
    angle = edge + spread * np.linspace(-1, 1, 401)
    return radius * (-np.cos(angle)[:, None] * towards + np.sin(angle)[:, None] * side)


@pytest.mark.parametrize(
    ("radius_km", "kinds"),
    [
        (6928, "umbra penumbra"),
        (42164, "umbra penumbra"),
        (1.3e6, "umbra penumbra"),
        (1.6e6, "annular penumbra"),
    ],
)
def test_umbra_penumbra_and_annular_fractions(radius_km: float, kinds: str) -> None:
    positions = across_the_shadow(radius_km * 1e3, 0.02)
    theirs = basilisk_lit(positions, SUN)
    ours = disc_fractions(positions, SUN, earth_radius=EARTH_RADIUS_M, solar_radius=SOLAR_RADIUS_M)
    assert all(getattr(ours, kind).any() for kind in kinds.split())
    assert np.abs(ours.lit - theirs).max() < 1e-6


def test_a_smaller_earth_is_rejected() -> None:
    positions = across_the_shadow(6928e3, 0.02)
    ours = disc_fractions(positions, SUN, earth_radius=6371e3, solar_radius=SOLAR_RADIUS_M)
    assert np.abs(ours.lit - basilisk_lit(positions, SUN)).max() > 0.1


@pytest.mark.parametrize("altitude_km", [300, 550, 1200, 35788])
def test_the_kernels_lit_fraction_is_within_six_tenths_of_a_percent(altitude_km: float) -> None:
    radius = EARTH_RADIUS_M + altitude_km * 1e3
    positions = across_the_shadow(radius, 0.02)
    sine = EARTH_RADIUS_M / radius
    cosine = positions @ SUN / (radius * np.linalg.norm(SUN))
    limb = limb_distance(cosine, sine, np.sqrt(1 - sine**2), np.linalg.norm(SUN) / SOLAR_RADIUS_M)
    assert np.abs(lit_disc_fraction(limb) - basilisk_lit(positions, SUN)).max() < 0.006
