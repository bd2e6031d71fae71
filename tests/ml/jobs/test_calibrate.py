"""Image calibration: bit for bit like plain loops, and as near the truth as the sensor's noise allows."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from skyhall.errors import ValueProblem
from skyhall.integrity import FaultModel, ServeGuard, inject, load, save
from skyhall.jobs import references
from skyhall.jobs.calibrate import CalibrateParameters, Calibration, ImageCalibrate, noise_of
from skyhall.jobs.job import make_job
from skyhall.jobs.sensor import GAIN_BITS, Frames, Sensor, expose, sensor

pytestmark = pytest.mark.ml

ONE = 1 << GAIN_BITS


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def calibrated(taken: Sensor, raw: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    image, spikes = Calibration(taken.offset, taken.gain, taken.bad)(torch.from_numpy(raw))
    return image.numpy(), spikes.numpy()


def by_loops(taken: Sensor, raw: NDArray[np.int32]) -> list[list[int]]:
    """Return the image by Python's integers and fractions of a pixel at a time."""
    frames, size = len(raw), raw.shape[1]
    corrected = np.zeros((size, size), dtype=object)
    for row in range(size):
        for column in range(size):
            values = []
            for frame in range(frames):
                around = [
                    int(raw[frame, y, x]) - int(taken.offset[y, x])
                    for y in range(max(0, row - 1), min(size, row + 2))
                    for x in range(max(0, column - 1), min(size, column + 2))
                    if not taken.bad[y, x]
                ]
                own = int(raw[frame, row, column]) - int(taken.offset[row, column])
                mean = (sum(around) + len(around) // 2) // len(around) if around else 0
                values.append(mean if taken.bad[row, column] else own)
            median = sorted(values)[(frames - 1) // 2]
            # 5 sigma of 3 DN of read noise and the shot noise of 4 electrons a DN
            limit = 25 * (3 * 3 + max(median, 0) / 4)
            kept = [median if value > median and (value - median) ** 2 > limit else value for value in values]
            gain = int(taken.gain[row, column])
            corrected[row, column] = sum(math.floor(value * gain / 16384 + 0.5) for value in kept)
    return [
        [int(corrected[y : y + 2, x : x + 2].sum()) for x in range(0, size, 2)] for y in range(0, size, 2)
    ]


def test_it_agrees_bit_for_bit_with_loops_over_pixels_and_with_numpy() -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        taken = sensor(24, rng)
        taken = replace(taken, bad=taken.bad | (np.arange(576).reshape(24, 24) % 97 == 0))
        raw = expose(taken, 5 + seed, 30_000.0, rng).raw
        image, spikes = calibrated(taken, raw)
        assert image.tolist() == by_loops(taken, raw)
        constants = {"offset": taken.offset, "gain": taken.gain, "bad": taken.bad}
        assert np.array_equal(references.calibrated(constants, raw, sigmas=5)[0], image)
        assert spikes.sum() > 5


def quiet(size: int = 16, scene: int = 1000) -> tuple[Sensor, NDArray[np.int32]]:
    """Return a sensor without faults, and five frames of an even scene without noise."""
    shape = size, size
    offset = np.arange(size * size, dtype=np.int32).reshape(shape)
    taken = Sensor(offset, np.ones(shape), np.full(shape, ONE, np.int32), np.zeros(shape, bool))
    return taken, np.broadcast_to(offset + scene, (5, *shape)).astype(np.int32)


def test_an_even_scene_comes_back_as_four_pixels_of_five_frames() -> None:
    image, spikes = calibrated(*quiet())
    assert image.shape == (8, 8)
    assert (image == 4 * 5 * 1000).all()
    assert not spikes.any()


def test_a_spike_leaves_no_trace_and_a_value_within_noise_stays() -> None:
    taken, raw = quiet()
    raw[2, 4, 7] += 5000
    raw[3, 4, 7] += 4000  # a second hit of the same pixel
    raw[1, 9, 9] += 70  # of noise: sqrt(9 + 1000 / 4) = 16 DN
    image, spikes = calibrated(taken, raw)
    assert np.argwhere(spikes).tolist() == [[2, 4, 7], [3, 4, 7]]
    assert image[2, 3] == 20_000
    assert image[4, 4] == 20_070


def test_a_bad_pixel_has_the_mean_of_its_good_neighbours() -> None:
    taken, raw = quiet()
    taken.bad[5, 5] = taken.bad[5, 6] = taken.bad[0, 0] = True
    raw[:, taken.bad] = 16_383
    raw[:, 4, 4] += 70
    image, _ = calibrated(taken, raw)
    assert image[2, 2] == 4 * 5 * 1000 + 5 * 70 + 5 * 10  # (4, 4) itself, and a seventh of it in (5, 5)
    assert image[0, 0] == 20_000


def test_a_gain_is_applied_with_rounding_to_the_nearest() -> None:
    taken, raw = quiet()
    taken.gain[0, 0] = round(1.0016 * ONE)
    image, _ = calibrated(taken, raw)
    assert image[0, 0] == 20_000 + 5 * 2
    assert image[0, 1] == 20_000


def deviation(taken: Sensor, frames: Frames) -> float:
    image, _ = calibrated(taken, frames.raw)
    half = len(image)
    truth = frames.scene.reshape(half, 2, half, 2).sum(axis=(1, 3)) * len(frames.raw)
    return float(np.sqrt(np.mean(((image - truth) / noise_of(taken, frames.scene, len(frames.raw))) ** 2)))


def test_without_hits_the_image_is_the_truth_within_the_noise() -> None:
    rng = np.random.default_rng(4)
    taken = sensor(256, rng)
    # 16,384 pixels: the root mean square of normal noise is known to 0.55 %
    assert deviation(taken, expose(taken, 8, 0.0, rng)) == pytest.approx(1.0, abs=0.025)


def test_every_step_is_needed() -> None:
    rng = np.random.default_rng(5)
    taken = sensor(128, rng)
    frames = expose(taken, 8, 1000.0, rng)
    assert deviation(taken, frames) < 1.05
    everywhere = np.zeros_like(taken.bad)
    assert deviation(replace(taken, offset=np.full_like(taken.offset, 400)), frames) > 1.3
    assert deviation(replace(taken, gain=np.full_like(taken.gain, ONE)), frames) > 1.3
    assert deviation(replace(taken, bad=everywhere), frames) > 5.0
    noisy = Frames(
        np.repeat(frames.raw[:1], 8, axis=0), frames.scene, frames.hits
    )  # its hits stay in every frame
    assert deviation(taken, noisy) > 5.0


def test_the_job_removes_what_radiation_leaves_and_little_else() -> None:
    job = make_job("image-calibrate", {"groups": "3", "hits": "2000"})
    for number in range(job.units):
        job.keep(number, job.unit(number))
    told = job.outcome()
    assert told["groups"] == 3
    assert told["spikes"] > 3000
    assert told["spikes_removed_share"] > 0.99
    # 1.6 million values, of which 5 sigma leave 0.5; the noise of the median and of a Poisson's tail add to it
    assert told["false_removed"] < 20
    assert told["deviation_in_noise"] == pytest.approx(1.0, abs=0.03)


def test_units_in_any_order_and_from_a_checkpoint_give_the_same_digest(tmp_path: Path) -> None:
    asked = CalibrateParameters(size=32, groups=4)
    first, second = ImageCalibrate(asked), ImageCalibrate(asked)
    for number in range(4):
        first.keep(number, first.unit(number))
    for number in (3, 1):
        second.keep(number, second.unit(number))
    save(tmp_path / "state", second.save(2))
    third = ImageCalibrate(asked)
    assert third.load(load(tmp_path / "state")) == 2
    for number in (0, 2):
        third.keep(number, third.unit(number))
    assert third.digest() == first.digest()
    assert third.outcome() == first.outcome()
    assert ImageCalibrate(replace(asked, seed=2)).digest() != ImageCalibrate(asked).digest()


def test_flips_in_its_maps_are_repaired_to_the_digest_of_the_quiet_run() -> None:
    asked = CalibrateParameters(size=32, groups=6)
    undisturbed, bare, guarded = (ImageCalibrate(asked) for _ in range(3))
    guard = ServeGuard(guarded.model, level="sums")
    faults = FaultModel(targets=("weights",), count=12, bits="high")
    for number in range(6):
        undisturbed.keep(number, undisturbed.unit(number))
    with inject(guarded.model, faults=faults, steps=6, seed=3) as injector:
        for number in range(6):
            injector.begin(number)
            guarded.keep(number, guard.run(partial(guarded.unit, number)))
    with inject(bare.model, faults=injector.recorded()) as same:
        for number in range(6):
            same.begin(number)
            bare.keep(number, bare.unit(number))
    assert len(injector.hits) == len(same.hits) == 12
    assert guarded.digest() == undisturbed.digest() != bare.digest()
    assert bare.outcome()["deviation_in_noise"] > 5.0


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("size", "15", "even"),
        ("frames", "4", "5 to 64"),
        ("groups", "0", "at least 1"),
        ("hits", "-1", "0 to 100000"),
        ("hits", "nan", "0 to 100000"),
        ("seed", "-1", "0 or more"),
        ("bits", "3", "no parameter 'bits'"),
    ],
)
def test_a_wrong_parameter_is_refused(name: str, value: str, told: str) -> None:
    with pytest.raises(ValueProblem, match=told):
        make_job("image-calibrate", {name: value})
