"""Entry into shadow and exit from it against Skyfield's `is_sunlit`.

Authority: Skyfield with JPL's DE421; it asks whether the Sun's centre is behind a sphere of 6378.1366 km, so that
this validates `kind="centre"`. Frame of ours: TEME for both Sun and satellite; Skyfield works in GCRS.
It takes the geometric Sun, without aberration: 0.09 s in most edges, 1 s in eclipses of 5 minutes.
Tolerance: 0.5 s for every eclipse longer than 5 minutes, over a day; shorter (grazing) ones are reported apart.
Satellites: a constellation of our own in every case, and 50 of Starlink where the catalogue is at hand.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skyhall.constants import DAY
from skyhall.orbit import ElementSets, ShadowTimes, parse_element_sets, shadow_times, sun_direction

api = pytest.importorskip("skyfield.api")
kernels = pytest.importorskip("skyfield_data")

TOLERANCE_S = 0.5
GRAZING_S = 300.0
START = 2461054.5  # 2026-01-14 00:00 UTC
REACH_S = 16.0  # how far from our time Skyfield's is looked for
MADE = Path(__file__).parents[1] / "orbit/data/made.tle"
STARLINK = Path(__file__).parents[2] / "../shared/data/starlink-2026-01.tle"


@dataclass(frozen=True)
class Flight:
    """One satellite over a day: its element set, our shadow times and Skyfield's for the same eclipses."""

    sets: ElementSets
    ours: ShadowTimes
    theirs: ShadowTimes
    unseen: int  # samples a minute apart at which the two disagree though no edge of a shadow is near

    def differences(self, ours: ShadowTimes, *, grazing: bool = False) -> np.ndarray:
        long = self.ours.exit - self.ours.entry > GRAZING_S
        inner = (self.ours.entry > 0) & (self.ours.exit < DAY)
        chosen = inner & (~long if grazing else long)
        if len(ours.entry) != len(self.theirs.entry):
            return np.array([np.inf])
        apart = np.concatenate(
            [(ours.entry - self.theirs.entry)[chosen], (ours.exit - self.theirs.exit)[chosen]]
        )
        return np.abs(apart)


@pytest.fixture(scope="module")
def skyfield() -> tuple[Any, Any]:
    path = resources.files("skyfield_data") / "data" / "de421.bsp"
    kernel = api.load_file(str(path))
    yield api.load.timescale(builtin=True), kernel
    kernel.close()


@pytest.fixture(scope="module", params=["made", "starlink"])
def flights(request: pytest.FixtureRequest, skyfield: tuple[Any, Any]) -> list[Flight]:
    source = MADE if request.param == "made" else STARLINK
    if not source.exists():
        pytest.skip("the real catalogue is not here")
    sets = parse_element_sets(source.read_text()).flyable(START, DAY)
    chosen = sets if len(sets) < 50 else sets[np.linspace(0, len(sets) - 1, 50).astype(int).tolist()]
    grid = skyfield[0].utc(2026, 1, 14, 0, 0, np.arange(0.0, DAY, 60.0))
    return [fly(chosen[[i]], skyfield, grid) for i in range(len(chosen))]


def sun_in_teme(seconds: np.ndarray) -> np.ndarray:
    unit, distance = sun_direction(START + seconds / DAY, aberration=False)  # Skyfield's convention here
    return unit * distance[:, None]


def ours_with(
    sets: ElementSets, sun: Callable[[np.ndarray], np.ndarray] = sun_in_teme, **options: Any
) -> ShadowTimes:
    return shadow_times(lambda seconds: sets.positions(START, seconds).position[0], sun, 0.0, DAY, **options)


def fly(sets: ElementSets, skyfield: tuple[Any, Any], grid: Any) -> Flight:
    timescale, kernel = skyfield
    satellite = api.EarthSatellite.from_satrec(sets.satrecs[0], timescale)

    def lit(seconds: np.ndarray) -> np.ndarray:
        return satellite.at(timescale.utc(2026, 1, 14, 0, 0, seconds)).is_sunlit(kernel)

    ours = ours_with(sets)
    edges = np.concatenate([ours.entry, ours.exit])
    enters = np.arange(len(edges)) < len(ours.entry)
    left, right = edges - REACH_S, edges + REACH_S
    for _ in range(13):  # to 4 ms
        middle = 0.5 * (left + right)
        before = lit(middle) == enters
        left, right = np.where(before, middle, left), np.where(before, right, middle)
    theirs = 0.5 * (left + right)
    seconds = np.arange(0.0, DAY, 60.0)
    dark = ((seconds[:, None] >= ours.entry) & (seconds[:, None] <= ours.exit)).any(axis=1)
    far = np.abs(seconds[:, None] - edges).min(axis=1, initial=np.inf) > 1.0
    disagree = (satellite.at(grid).is_sunlit(kernel) == dark) & far
    return Flight(sets, ours, ShadowTimes(theirs[enters], theirs[~enters]), int(disagree.sum()))


def typical(flights: list[Flight], **options: Any) -> float:
    """Return the median difference (s) of our edges from Skyfield's, with a model that is wrong on purpose."""
    return float(
        np.median(np.concatenate([each.differences(ours_with(each.sets, **options)) for each in flights]))
    )


def test_entry_and_exit_agree_within_half_a_second(flights: list[Flight]) -> None:
    long = np.concatenate([each.differences(each.ours) for each in flights])
    grazing = np.concatenate([each.differences(each.ours, grazing=True) for each in flights])
    sys.stdout.write(f"{len(long)} edges, worst {long.max():.3f} s, median {np.median(long):.3f} s\n")
    sys.stdout.write(f"{len(grazing)} of grazing eclipses, worst {grazing.max(initial=0.0):.3f} s\n")
    assert len(long) > 20 * len(flights) / 2
    assert long.max() < TOLERANCE_S


def test_no_eclipse_is_missed_or_invented(flights: list[Flight]) -> None:
    assert sum(each.unseen for each in flights) == 0


def test_an_earth_of_6371_km_is_rejected(flights: list[Flight]) -> None:
    assert typical(flights, earth_radius=6371e3) > TOLERANCE_S


def test_a_j2000_sun_beside_teme_satellites_is_rejected(
    flights: list[Flight], skyfield: tuple[Any, Any]
) -> None:
    timescale, kernel = skyfield

    def sun_in_j2000(seconds: np.ndarray) -> np.ndarray:
        moments = timescale.utc(2026, 1, 14, 0, 0, seconds)
        return (kernel["sun"] - kernel["earth"]).at(moments).xyz.m.T

    assert typical(flights[:5], sun=sun_in_j2000) > TOLERANCE_S


@pytest.mark.parametrize("kind", ["umbra", "penumbra"])
def test_umbra_or_penumbra_in_place_of_the_suns_centre_is_rejected(flights: list[Flight], kind: str) -> None:
    assert typical(flights, kind=kind) > TOLERANCE_S


def test_an_oblate_earth_is_not_what_skyfield_has(flights: list[Flight]) -> None:
    assert typical(flights, oblate=True) > TOLERANCE_S
