"""Kernels of on-board processing: closed forms, perfect reconstruction, and checks that can fail."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from skyhall.integrity.bits import flip
from skyhall.jobs.checksum import checksum
from skyhall.jobs.kernels import KERNELS, Case, error_of, flat

pytestmark = pytest.mark.ml

EXACT = {"integer-wavelet", "max-pool", "relu", "image-calibrate"}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def executed(case: Case, *inputs: NDArray[np.generic]) -> NDArray[np.generic]:
    with torch.no_grad():
        result: NDArray[np.generic] = case.module()(*(torch.from_numpy(each) for each in inputs)).numpy()
    return result


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_agrees_with_its_reference_within_rounding(name: str) -> None:
    for size, seed in ((64, 1), (256, 2)):
        case = Case.of(KERNELS[name], size, seed)
        error = error_of(executed(case, *case.inputs(0)), *case.expected(0))
        assert error <= case.tolerance
        assert (error == 0.0) == (name in EXACT)


@pytest.mark.parametrize("name", KERNELS)
def test_one_element_beyond_the_tolerance_fails_and_so_does_a_nan(name: str) -> None:
    case = Case.of(KERNELS[name], 64, 3)
    value, scale = case.expected(0)
    scales = np.broadcast_to(scale, value.shape)
    own = flat(np.repeat(scales, 2) if np.iscomplexobj(value) else scales)
    place = len(own) // 3
    elements = flat(value)

    def with_one(wrong: float) -> NDArray[np.generic]:
        changed = elements.astype(np.float64)
        changed[place] = wrong
        return changed

    shift = 1.0 if name in EXACT else 1.5 * case.tolerance * own[place]
    assert error_of(elements, elements, own) == 0.0
    assert error_of(with_one(elements[place] + shift), elements, own) > case.tolerance
    assert not error_of(with_one(math.nan), elements, own) <= case.tolerance


@pytest.mark.parametrize("name", KERNELS)
def test_inputs_are_those_of_their_number_and_constants_those_of_the_seed(name: str) -> None:
    case, again, other = (Case.of(KERNELS[name], 32 if name != "fir" else 64, seed) for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(case.inputs(7), again.inputs(7), strict=True))
    assert not np.array_equal(case.inputs(7)[0], case.inputs(8)[0])
    assert not np.array_equal(case.inputs(7)[0], other.inputs(7)[0])


@pytest.mark.parametrize("name", KERNELS)
def test_what_becomes_of_a_kernels_weights_leaves_its_reference_alone(name: str) -> None:
    case = Case.of(KERNELS[name], 64, 1)
    value, scale = case.expected(0)
    model = case.module()
    with torch.no_grad():
        held = [*model.parameters(), *model.buffers()]
        for each in held:
            each.add_(1)
        changed = model(*(torch.from_numpy(each) for each in case.inputs(0))).numpy()
    assert np.array_equal(case.expected(0)[0], value)
    assert (error_of(changed, value, scale) > case.tolerance) == bool(held)


def test_the_transform_of_a_tone_is_one_line() -> None:
    n, line = 4096, 321
    tone = np.exp(2j * np.pi * line * np.arange(n) / n).astype(np.complex64)
    spectrum = executed(Case.of(KERNELS["fft"], n, 0), tone)
    expected = np.zeros(n)
    expected[line] = n
    assert np.abs(spectrum - expected).max() < 1e-6 * n


def test_the_transform_keeps_the_energy() -> None:
    case = Case.of(KERNELS["fft"], 1 << 14, 0)
    (samples,) = case.inputs(0)
    spectrum = executed(case, samples).astype(np.complex128)
    energy = np.sum(np.abs(samples.astype(np.complex128)) ** 2)
    assert np.sum(np.abs(spectrum) ** 2) / len(samples) == pytest.approx(energy, rel=1e-6)


def test_an_impulse_shows_the_taps_of_the_filter_and_a_steady_signal_passes_it() -> None:
    case = Case.of(KERNELS["fir"], 256, 0)
    taps = case.constants["taps"]
    impulse = np.zeros(256, np.float32)
    impulse[10] = 1.0
    assert np.array_equal(executed(case, impulse)[10 : 10 + len(taps)], taps)
    assert executed(case, np.ones(256, np.float32))[len(taps) :] == pytest.approx(1.0, abs=1e-6)


def test_an_impulse_shows_the_kernel_of_the_convolution_turned_about() -> None:
    case = Case.of(KERNELS["convolution"], 16, 0)
    impulse = np.zeros((16, 16), np.float32)
    impulse[8, 5] = 1.0
    assert np.array_equal(executed(case, impulse)[7:10, 4:7], case.constants["kernel"][::-1, ::-1])


def test_a_matrix_times_one_is_itself() -> None:
    case = Case.of(KERNELS["matmul"], 32, 0)
    assert np.array_equal(executed(case, np.eye(32, dtype=np.float32)), case.constants["right"])


def test_rows_of_a_softmax_sum_to_one_and_a_shift_changes_nothing() -> None:
    case = Case.of(KERNELS["softmax"], 128, 0)
    (logits,) = case.inputs(0)
    rows = executed(case, logits)
    assert rows.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert executed(case, logits + np.float32(4.0)) == pytest.approx(rows, rel=1e-5)


def test_equal_channels_are_normalised_as_the_formula_says() -> None:
    x = 30.0
    result = executed(Case.of(KERNELS["lrn"], 4, 0), np.full((16, 4, 4), x, np.float32))
    for channel, neighbours in ((0, 3), (1, 4), (7, 5), (15, 3)):
        expected = x / (2.0 + 1e-4 / 5 * neighbours * x * x) ** 0.75
        assert result[channel] == pytest.approx(expected, rel=1e-5)


def test_an_image_correlates_with_itself_and_against_its_negative() -> None:
    case = Case.of(KERNELS["correlation"], 64, 0)
    image, other = case.inputs(0)
    assert executed(case, image, 3.0 * image + np.float32(7.0)) == pytest.approx(1.0, abs=1e-5)
    assert executed(case, image, -image) == pytest.approx(-1.0, abs=1e-5)
    # 0.5 a + noise of the same power: 0.5 / sqrt(1.25)
    assert executed(case, image, other) == pytest.approx(0.447, abs=0.05)


def undone(pyramid: NDArray[np.float64], inverse: object) -> NDArray[np.float64]:
    """Return the image of a pyramid of three levels: columns first, then rows."""
    made = pyramid.copy()
    for level in (2, 1, 0):
        edge = len(pyramid) >> level
        part = made[:edge, :edge]
        made[:edge, :edge] = inverse(inverse(part.T).T)  # type: ignore[operator]
    return made


def lifted_back(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Undo a level of the 9/7 by the lifting steps of Daubechies and Sweldens (1998), which the kernel does not use."""
    half = rows.shape[1] // 2
    even, odd = rows[:, :half] / 1.149604398860241, rows[:, half:] / -0.869864451624781
    for weight, into_odd in (
        (0.443506852043971, False),
        (0.882911075530934, True),
        (-0.052980118572961, False),
        (-1.586134342059924, True),
    ):
        if into_odd:
            odd = odd - weight * (even + np.hstack((even[:, 1:], even[:, -1:])))
        else:
            even = even - weight * (odd + np.hstack((odd[:, :1], odd[:, :-1])))
    return np.stack((even, odd), axis=2).reshape(rows.shape)


def integers_back(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Undo a level of the 9/7 in integers, pixel by pixel."""
    half = rows.shape[1] // 2
    made = np.zeros_like(rows)
    for row, (low, high) in enumerate(zip(rows[:, :half].tolist(), rows[:, half:].tolist(), strict=True)):
        even = [low[j] + math.floor(0.5 - (high[max(j - 1, 0)] + high[j]) / 4) for j in range(half)]

        def at(j: int, even: list[int] = even) -> int:
            return even[-j] if j < 0 else even[2 * half - 1 - j] if j >= half else even[j]

        for j in range(half):
            made[row, 2 * j] = even[j]
            predicted = 9 / 16 * (at(j) + at(j + 1)) - 1 / 16 * (at(j - 1) + at(j + 2))
            made[row, 2 * j + 1] = high[j] + math.floor(predicted + 0.5)
    return made


def test_lifting_steps_rebuild_the_image_from_its_float_pyramid() -> None:
    case = Case.of(KERNELS["wavelet"], 64, 0)
    (image,) = case.inputs(0)
    assert undone(executed(case, image).astype(np.float64), lifted_back) == pytest.approx(image, abs=3e-6)


def test_the_integer_pyramid_rebuilds_every_pixel() -> None:
    for seed in range(5):
        case = Case.of(KERNELS["integer-wavelet"], 32, seed)
        (image,) = case.inputs(0)
        assert np.array_equal(undone(executed(case, image).astype(np.int64), integers_back), image)


@pytest.mark.parametrize("name", ["wavelet", "integer-wavelet"])
def test_a_flat_image_has_a_mean_and_no_details(name: str) -> None:
    dtype = np.float32 if name == "wavelet" else np.int32
    pyramid = executed(Case.of(KERNELS[name], 64, 0), np.full((64, 64), 100, dtype))
    mean = 800.0 if name == "wavelet" else 100  # the floats' low pass sums to √2, once a direction and level
    assert pyramid[:8, :8] == pytest.approx(mean, rel=1e-6)
    pyramid[:8, :8] = 0
    assert np.abs(pyramid).max() <= (1e-4 if name == "wavelet" else 0)


@pytest.mark.parametrize(("name", "most"), [("wavelet", 0.1), ("integer-wavelet", 0.0)])
def test_a_cubic_has_no_fine_details_away_from_the_edges(name: str, most: float) -> None:
    x = np.arange(64)
    cubic = (x**3 - 60 * x**2 + 500 * x) * np.ones((64, 1), np.int64)
    pyramid = executed(Case.of(KERNELS[name], 64, 0), cubic.astype(np.float32 if most else np.int32))
    fine = pyramid[:32, 32 + 2 : 64 - 2]
    assert np.abs(fine).max() <= most


@pytest.mark.parametrize(
    ("name", "size", "right"),
    [
        ("fft", 1000, "a power of two from 2 to 16777216"),
        ("wavelet", 36, "a multiple of 8 from 32 to 8192"),
        ("integer-wavelet", 24, "from 32"),
        ("max-pool", 7, "a multiple of 2"),
        ("matmul", 100_000, "from 1 to 8192"),
        ("fir", 0, "from 64"),
    ],
)
def test_a_size_that_a_kernel_does_not_take_is_refused(name: str, size: int, right: str) -> None:
    with pytest.raises(ValueError, match=right):
        Case.of(KERNELS[name], size, 0)


@pytest.mark.parametrize("dtype", [torch.int32, torch.float32, torch.complex64])
def test_a_checksum_changes_with_any_bit(dtype: torch.dtype) -> None:
    result = torch.arange(300).to(dtype)
    before = checksum(result)
    plain = torch.view_as_real(result) if result.is_complex() else result
    for bit in range(32):
        for place in (0, 7, 299):
            flip(plain, torch.tensor([place]), 1 << bit)
            assert checksum(result) != before
            flip(plain, torch.tensor([place]), 1 << bit)
    assert checksum(result) == before
