"""Ships: false alarms as designed, against closed forms and on clutter; planted ships; the job under protection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage, special, stats
from tests.ml.jobs.image_files import write_geotiff

from skyhall.errors import ValueProblem
from skyhall.integrity import ServeGuard, digest_of
from skyhall.jobs.job import make_job
from skyhall.jobs.sea_scenes import make_sea_scene
from skyhall.jobs.ship_watch import ShipWatch, ShipWatchParameters
from skyhall.jobs.ships import CELLS, HALO, Clutter, ShipDetector, threshold_factors

pytestmark = pytest.mark.ml

EVEN = float("inf")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def padded(amplitude: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.pad(amplitude.astype(np.float32), HALO, constant_values=np.nan))[None]


def finished(job: ShipWatch) -> dict[str, object]:
    for number in range(job.units):
        job.keep(number, job.unit(number))
    return job.outcome()


@pytest.mark.parametrize("false_alarm", [1e-3, 1e-6, 1e-9])
def test_on_exponential_clutter_the_threshold_is_the_textbooks(false_alarm: float) -> None:
    cells = np.array([50, 200, 672])
    known = cells * (false_alarm ** (-1.0 / cells) - 1.0)
    assert threshold_factors(Clutter(1.0), false_alarm, cells) == pytest.approx(known, rel=1e-8)


@pytest.mark.parametrize("texture", [0.5, 4.0, 100.0])
@pytest.mark.parametrize("false_alarm", [1e-3, 1e-6, 1e-12])
def test_on_one_look_of_textured_clutter_the_threshold_is_that_of_the_k_distribution(
    texture: float, false_alarm: float
) -> None:
    factor = threshold_factors(Clutter(1.0, texture), false_alarm, np.array([10**7]))
    tail = 2.0 / special.gamma(texture) * (texture * factor) ** (texture / 2.0)
    assert tail * special.kv(texture, 2.0 * np.sqrt(texture * factor)) == pytest.approx(false_alarm, rel=1e-4)


@pytest.mark.parametrize(
    ("looks", "texture", "false_alarm"),
    [(1.0, EVEN, 1e-3), (4.0, EVEN, 1e-3), (4.0, 8.0, 1e-3), (4.0, 8.0, 1e-4)],
)
def test_false_alarms_on_pure_clutter_are_as_many_as_designed(
    looks: float, texture: float, false_alarm: float
) -> None:
    clutter = Clutter(looks, texture)
    detector = ShipDetector(clutter, false_alarm)
    hits = pixels = 0
    for number in range(5):
        scene = make_sea_scene((11, number), size=256, ships=0, clutter=clutter)
        _, hit = detector.contrast(padded(scene.amplitude)[0].square())
        hits, pixels = hits + int(hit.sum()), pixels + hit.numel()
    low, high = stats.poisson.interval(0.999, false_alarm * pixels)
    assert low <= hits <= high


def test_contrast_is_that_of_a_loop_over_the_cells() -> None:
    rng = np.random.default_rng(3)
    intensity = rng.exponential(1.0, (60, 60))
    intensity[rng.random((60, 60)) < 0.2] = np.nan
    intensity[30, 30] = 400.0
    contrast, hits = ShipDetector(Clutter(1.0), 1e-6).contrast(torch.from_numpy(intensity).float())
    around = [
        intensity[30 + row, 30 + column]
        for row in range(-15, 16)
        for column in range(-15, 16)
        if max(abs(row), abs(column)) > 8
    ]
    assert len(around) == CELLS
    assert hits[30 - HALO, 30 - HALO]
    assert float(contrast[30 - HALO, 30 - HALO]) == pytest.approx(400.0 / np.nanmean(around), rel=1e-5)


def test_clutter_has_the_moments_of_the_k_distribution() -> None:
    # <I²>/<I>² = (1 + 1/looks)(1 + 1/texture), with and without correlation
    for correlation in (0.0, 3.0):
        scene = make_sea_scene((2, 0), size=1024, ships=0, clutter=Clutter(4.0, 8.0), correlation=correlation)
        intensity = scene.amplitude.astype(float) ** 2
        assert intensity.mean() == pytest.approx(10.0**-1.5, rel=0.01)
        assert (intensity**2).mean() / intensity.mean() ** 2 == pytest.approx(1.25 * 1.125, rel=0.01)


def test_a_ship_brings_its_cross_section_into_the_image() -> None:
    clutter = Clutter(1000.0)  # hardly any speckle
    empty = make_sea_scene((2, 0), size=256, ships=0, clutter=clutter).amplitude.astype(float) ** 2
    scene = make_sea_scene((2, 0), size=256, ships=8, clutter=clutter)
    intensity = scene.amplitude.astype(float) ** 2
    for number, section in enumerate(scene.cross_section_m2, start=1):
        ship = scene.ships == number
        added = (intensity[ship] - empty.mean()).sum() * 20.0**2
        assert added == pytest.approx(section, rel=0.05, abs=3.0)
        pixels = ndimage.find_objects(ship.astype(int))[0]
        diagonal = np.hypot(*(each.stop - each.start - 2 for each in pixels))
        assert scene.length_m[number - 1] < 20.0 * diagonal + 20.0


def test_long_ships_are_found_and_the_sea_is_not() -> None:
    done = finished(ShipWatch(ShipWatchParameters(scenes=6)))
    assert done["recall_by_class"]["above 100 m"] == 1.0
    assert done["recall_by_class"]["below 50 m"] > 0.4
    assert done["precision"] > 0.95
    assert done["planted"] > 50


def test_on_a_wanted_rate_of_false_alarms_they_come() -> None:
    done = finished(ShipWatch(ShipWatchParameters(scenes=4, ships=0, false_alarm=1e-3, most=4000)))
    assert done["precision"] == 0.0
    assert done["recall"] is None
    assert done["detections"] > 50


def test_a_ship_torn_by_speckle_is_one_and_two_ships_are_two() -> None:
    amplitude = np.random.default_rng(4).gamma(4.0, 0.25, (64, 64)) ** 0.5
    amplitude[20, [20, 21, 23, 24]] = 20.0
    amplitude[40:42, 50] = 30.0
    found = ShipDetector(Clutter(4.0), 1e-9)(padded(amplitude))
    assert found[:, :3].tolist() == [[20.0, 22.0, 4.0], [40.5, 50.0, 2.0]]


def test_land_is_no_sea_and_a_sea_too_small_tells_nothing() -> None:
    amplitude = np.random.default_rng(4).gamma(4.0, 0.25, (64, 64)) ** 0.5
    amplitude[:, 32:] = np.nan
    amplitude[20, 28] = 30.0
    detector = ShipDetector(Clutter(4.0), 1e-9)
    assert detector(padded(amplitude))[:, :2].tolist() == [[20.0, 28.0]]
    amplitude[:, :26] = np.nan
    assert len(detector(padded(amplitude))) == 0


def test_a_unit_gives_the_same_bits_again_and_under_protection() -> None:
    job = ShipWatch(ShipWatchParameters(scenes=2, size=128))
    clean = digest_of(job.unit(1))
    assert digest_of(ShipWatch(job.parameters).unit(1)) == clean != digest_of(job.unit(0))
    for level in ("abft", "full"):
        guard = ServeGuard(job.model, level=level)
        assert digest_of(guard.run(lambda: job.unit(1))) == clean
        assert not guard.report.alarms


def test_an_image_gives_the_same_ships_in_tiles_as_whole(tmp_path: Path) -> None:
    scene = make_sea_scene((5, 0), size=200, ships=10, clutter=Clutter(4.0, 8.0))
    path = write_geotiff(tmp_path / "scene.tif", np.round(2000.0 * scene.amplitude).astype(np.uint16))
    whole = finished(ShipWatch(ShipWatchParameters(scene=str(path))))
    squared = write_geotiff(tmp_path / "squared.tif", scene.amplitude**2)
    as_intensity = finished(ShipWatch(ShipWatchParameters(scene=str(squared), values="intensity")))
    tiled = finished(ShipWatch(ShipWatchParameters(scene=str(path), size=100)))
    assert whole["detections"] == as_intensity["detections"] > 4
    assert whole["bytes_raw"] == tiled["bytes_raw"] == 200 * 200 * 2
    assert tiled["scenes"] == 4
    # A ship on the seam is told by each of its tiles.
    assert sum(each["pixels"] for each in whole["found"]) == sum(each["pixels"] for each in tiled["found"])
    assert whole["found"][0]["lon_deg"] == pytest.approx(10.0 + 0.01 * (whole["found"][0]["column"] + 0.5))


def test_zero_amplitude_is_no_sea(tmp_path: Path) -> None:
    amplitude = np.random.default_rng(4).gamma(4.0, 0.25, (64, 64)).astype(np.float32) ** 0.5
    amplitude[:, :40] = 0.0
    path = write_geotiff(tmp_path / "scene.tif", amplitude)
    assert finished(ShipWatch(ShipWatchParameters(scene=str(path))))["detections"] == 0


def test_decibels_are_refused(tmp_path: Path) -> None:
    path = write_geotiff(tmp_path / "scene.tif", np.full((40, 40), -12.0, np.float32))
    with pytest.raises(ValueProblem, match="below zero, as decibels have"):
        ShipWatch(ShipWatchParameters(scene=str(path)))


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"false_alarm": "0"}, "0.0 is too small"),
        ({"false_alarm": "0.5"}, "0.5 is too large"),
        ({"texture": "0.2"}, "0.2 is too small"),
        ({"looks": "nan"}, "nan is too small"),
        ({"values": "power"}, "there are no values 'power'"),
        ({"scene": "absent.tif"}, "no such file"),
    ],
)
def test_wrong_parameters_are_named(texts: dict[str, str], said: str) -> None:
    with pytest.raises(ValueProblem, match=said):
        make_job("ship-watch", texts)
