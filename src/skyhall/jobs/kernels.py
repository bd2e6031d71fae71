"""Kernels of on-board processing, each with seeded inputs, a reference and a bound on its rounding error.

In the manner of GPU4S Bench, by its public description; own code. A kernel is a module of torch whose constants are
buffers or parameters. Its result passes when no element is further from the float64 reference than the tolerance times
the element's scale.

References
----------
L. Kosmidis et al., GPU4S: Embedded GPUs in Space, DSD 2019, doi:10.1109/DSD.2019.00064.
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002: section 3.1, inner products; theorem
24.2, the fast Fourier transform; section 4.2, sums.
P. Blanchard, D. J. Higham, N. J. Higham, Accurately computing the log-sum-exp and softmax functions, IMA J. Numer.
Anal. 41 (2021): softmax.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import firwin
from torch import Tensor, nn
from torch.nn import functional

from skyhall.jobs import references
from skyhall.jobs.calibrate import SPIKE_SIGMAS, Calibration
from skyhall.jobs.references import Arrays, Reference
from skyhall.jobs.sensor import Sensor, expose, sensor
from skyhall.jobs.wavelet import LEVELS, IntegerWavelet, Wavelet, analysis_filters

__all__ = ["KERNELS", "Case", "Kernel", "error_of", "flat"]

_U = 2.0**-24  # unit roundoff of fp32
_EDGE = 3  # of the convolution's kernel; ours
_TAPS = 64  # of the FIR filter; ours
_CHANNELS = 16  # of the local response normalisation; ours
_NEAR, _ALPHA, _BETA, _K = 5, 1e-4, 0.75, 2.0  # Krizhevsky et al., NIPS 2012, section 3.3
_RANGE = 16.0  # between the largest and the smallest logit of the softmax; ours
_FRAMES, _HITS = 8, 1000.0  # of an image to calibrate, as in `calibrate.CalibrateParameters`
# Kernels by Winograd's or Fourier's transforms lose some bits more than the sums that the bound counts; assumed.
_TRANSFORMS = 8.0
_BLOCK = 64  # elements that a kernel sums one after the other, before it sums by halves; assumed


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel.

    Attributes
    ----------
    about : one line.
    dtype : of inputs and results.
    size : that is measured where none is asked for: an edge of square images and matrices, or a number of samples.
    least, most : sizes that it takes.
    multiple : of which a size must be; 0 stands for powers of two.
    unit : of its throughput.
    work : of a size: operations where the unit is GFLOP/s, bytes of inputs and results for MB/s, pixels for Mpixel/s.
    tolerance : of a size, in scales of the reference.
    constants : of a size and a generator.
    inputs : of constants, size and generator.
    module : of constants; its call takes the inputs and returns one tensor.
    reference : of constants and inputs.
    """

    about: str
    dtype: str
    size: int
    least: int
    most: int
    multiple: int
    unit: str
    work: Callable[[int], float]
    tolerance: Callable[[int], float]
    inputs: Callable[[Arrays, int, np.random.Generator], tuple[NDArray[Any], ...]]
    module: Callable[[Arrays], nn.Module]
    reference: Reference
    constants: Callable[[int, np.random.Generator], Arrays] = field(default=lambda size, rng: {})

    def check(self, size: int) -> None:
        """Raise `ValueError`, with what would be right, for a size that the kernel does not take."""
        wrong = size & (size - 1) if not self.multiple else size % self.multiple
        if not self.least <= size <= self.most or wrong:
            of = f"a multiple of {self.multiple}" if self.multiple else "a power of two"
            raise ValueError(f"a size of {size}: give {of} from {self.least} to {self.most}")


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A kernel of one size with constants drawn from a seed; `ValueError` for a size that it does not take."""

    kernel: Kernel
    size: int
    seed: int
    constants: Arrays

    @classmethod
    def of(cls, kernel: Kernel, size: int, seed: int) -> Case:
        """Return the case; its constants depend on size and seed alone."""
        kernel.check(size)
        return cls(kernel, size, seed, kernel.constants(size, np.random.default_rng([seed, 0, 1])))

    def inputs(self, number: int) -> tuple[NDArray[Any], ...]:
        """Return the inputs of an execution, which depend on size, seed and its number alone."""
        return self.kernel.inputs(self.constants, self.size, np.random.default_rng([self.seed, number]))

    def module(self) -> nn.Module:
        """Return the kernel with its constants, on the CPU."""
        return self.kernel.module(self.constants).eval()

    def expected(self, number: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return value and scale of an execution, as the reference has them."""
        return self.kernel.reference(self.constants, *self.inputs(number))

    @property
    def tolerance(self) -> float:
        """How far a result may be from the value, in scales."""
        return self.kernel.tolerance(self.size)


def flat(result: NDArray[Any]) -> NDArray[Any]:
    """Return the elements in a row, complex ones as real and imaginary parts."""
    plain = np.ascontiguousarray(result)
    return plain.view(plain.real.dtype).reshape(-1) if np.iscomplexobj(plain) else plain.reshape(-1)


def error_of(result: NDArray[Any], value: NDArray[Any], scale: NDArray[Any]) -> float:
    """Return the largest difference in scales; NaN where the result has one.

    Parameters
    ----------
    result, value : of one shape.
    scale : broadcast to it; a difference where the scale is 0 is infinite.
    """
    apart = np.abs(flat(result) - flat(value))
    if np.ndim(scale):
        scale = flat(scale)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.max(np.where(apart == 0, 0.0, apart / scale)))


class _MatMul(nn.Module):
    def __init__(self, constants: Arrays) -> None:
        super().__init__()
        self.right = nn.Parameter(torch.tensor(constants["right"]), requires_grad=False)

    def forward(self, left: Tensor) -> Tensor:
        return left @ self.right


class _Convolution(nn.Module):
    def __init__(self, constants: Arrays) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.tensor(constants["kernel"])[None, None], requires_grad=False)

    def forward(self, image: Tensor) -> Tensor:
        return functional.conv2d(image[None, None], self.kernel, padding=_EDGE // 2)[0, 0]


class _FIR(nn.Module):
    def __init__(self, constants: Arrays) -> None:
        super().__init__()
        last_first = constants["taps"][::-1].copy()
        self.taps = nn.Parameter(torch.tensor(last_first)[None, None], requires_grad=False)

    def forward(self, samples: Tensor) -> Tensor:
        padded = functional.pad(samples[None, None], (self.taps.shape[-1] - 1, 0))
        return functional.conv1d(padded, self.taps)[0, 0]


class _Plain(nn.Module):
    """A kernel without constants."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self._function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        return self._function(*inputs)


class _Image(nn.Module):
    """The image of a calibration, without the places of its spikes."""

    def __init__(self, constants: Arrays) -> None:
        super().__init__()
        self.calibration = Calibration(constants["offset"], constants["gain"], constants["bad"])

    def forward(self, frames: Tensor) -> Tensor:
        image, _ = self.calibration(frames)
        return image


def _lrn(channels: Tensor) -> Tensor:
    return functional.local_response_norm(channels[None], _NEAR, alpha=_ALPHA, beta=_BETA, k=_K)[0]


def _max_pool(image: Tensor) -> Tensor:
    return functional.max_pool2d(image[None, None], 2)[0, 0]


def _correlation(first: Tensor, second: Tensor) -> Tensor:
    a, b = first - first.mean(), second - second.mean()
    return ((a * b).sum() / ((a * a).sum() * (b * b).sum()).sqrt()).reshape(1)


def _sums(terms: int) -> float:
    """Return Higham's γ: the most that rounding changes a sum of products, in the sum of their magnitudes."""
    return terms * _U / (1.0 - terms * _U)


def _normal(*shape: int) -> Callable[..., tuple[NDArray[np.float32]]]:
    """Return a maker of normal numbers; 0 in the shape stands for the size."""

    def made(constants: Arrays, size: int, rng: np.random.Generator) -> tuple[NDArray[np.float32]]:
        return (rng.standard_normal([each or size for each in shape], dtype=np.float32),)

    return made


def _logits(constants: Arrays, size: int, rng: np.random.Generator) -> tuple[NDArray[np.float32]]:
    return (rng.uniform(-_RANGE / 2, _RANGE / 2, (size, size)).astype(np.float32),)


def _pixels(constants: Arrays, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int32]]:
    return (rng.integers(0, 1 << 12, (size, size), dtype=np.int32),)  # of 12 bits


def _signal(constants: Arrays, size: int, rng: np.random.Generator) -> tuple[NDArray[np.complex64]]:
    return (rng.standard_normal(2 * size, dtype=np.float32).view(np.complex64),)


def _two_images(constants: Arrays, size: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
    first, noise = rng.standard_normal((2, size, size), dtype=np.float32)
    return first, 0.5 * first + noise


def _maps(size: int, rng: np.random.Generator) -> Arrays:
    made = sensor(size, rng)
    return {"offset": made.offset, "gain": made.gain, "bad": made.bad, "response": made.response}


def _raw(constants: Arrays, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int32]]:
    return (expose(Sensor(**constants), _FRAMES, _HITS, rng).raw,)


def _images(bytes_a_pixel: float) -> Callable[[int], float]:
    return lambda size: bytes_a_pixel * size * size


def _exact(size: int) -> float:
    return 0.0


KERNELS = {
    "matmul": Kernel(
        "product of two matrices", "fp32", 1024, 1, 8192, 1, "GFLOP/s",
        work=lambda size: 2.0 * size**3,
        tolerance=_sums,
        constants=lambda size, rng: {"right": rng.standard_normal((size, size), dtype=np.float32)},
        inputs=_normal(0, 0),
        module=_MatMul,
        reference=references.matmul,
    ),
    "convolution": Kernel(
        f"an image with a kernel of {_EDGE} × {_EDGE}", "fp32", 1024, _EDGE, 8192, 1, "GFLOP/s",
        work=lambda size: 2.0 * (_EDGE * size) ** 2,
        tolerance=lambda size: _TRANSFORMS * _sums(_EDGE**2),
        constants=lambda size, rng: {"kernel": rng.standard_normal((_EDGE, _EDGE), dtype=np.float32)},
        inputs=_normal(0, 0),
        module=_Convolution,
        reference=references.convolution,
    ),
    "fft": Kernel(
        "complex Fourier transform", "complex64", 1 << 20, 2, 1 << 24, 0, "GFLOP/s",
        work=lambda size: 5.0 * size * math.log2(size),
        # Higham's (24.5) with twiddle factors right to a unit roundoff. It bounds the norm; element by element it is
        # asked for here, which is stricter.
        tolerance=lambda size: math.log2(size) * (1.0 + 4.0 * (math.sqrt(2.0) + 1.0)) * _U,
        inputs=_signal,
        module=lambda constants: _Plain(torch.fft.fft),
        reference=references.fft,
    ),
    "fir": Kernel(
        f"low-pass filter of {_TAPS} taps", "fp32", 1 << 20, _TAPS, 1 << 24, 1, "GFLOP/s",
        work=lambda size: 2.0 * _TAPS * size,
        tolerance=lambda size: _TRANSFORMS * _sums(_TAPS),
        constants=lambda size, rng: {"taps": firwin(_TAPS, 0.25).astype(np.float32)},
        inputs=_normal(0),
        module=_FIR,
        reference=references.fir,
    ),
    "wavelet": Kernel(
        f"9/7 in floats, {LEVELS} levels", "fp32", 1024, 32, 8192, 8, "MB/s",
        work=_images(8.0),
        # Six inner products of nine rounded taps, one after the other.
        tolerance=lambda size: _sums(2 * LEVELS * (9 + 1)),
        constants=lambda size, rng: {"filters": analysis_filters()},
        inputs=_normal(0, 0),
        module=lambda constants: Wavelet(constants["filters"]),
        reference=partial(references.wavelet, levels=LEVELS),
    ),
    "integer-wavelet": Kernel(
        f"9/7 in integers, {LEVELS} levels", "int32", 1024, 32, 8192, 8, "MB/s",
        work=_images(8.0),
        tolerance=_exact,
        inputs=_pixels,
        module=lambda constants: IntegerWavelet(),
        reference=partial(references.integer_wavelet, levels=LEVELS),
    ),
    "softmax": Kernel(
        "of each row of a matrix", "fp32", 1024, 1, 8192, 1, "MB/s",
        work=_images(8.0),
        # An exponential is wrong by the rounding of its argument and two units of its own; then the sum, the quotient.
        tolerance=lambda size: (size + 2.0 * (_RANGE + 2.0)) * _U,
        inputs=_logits,
        module=lambda constants: _Plain(partial(torch.softmax, dim=1)),
        reference=references.softmax,
    ),
    "max-pool": Kernel(
        "largest of 2 × 2 pixels", "fp32", 2048, 2, 8192, 2, "MB/s",
        work=_images(5.0),
        tolerance=_exact,
        inputs=_normal(0, 0),
        module=lambda constants: _Plain(_max_pool),
        reference=references.max_pool,
    ),
    "relu": Kernel(
        "max(x, 0)", "fp32", 2048, 1, 8192, 1, "MB/s",
        work=_images(8.0),
        tolerance=_exact,
        inputs=_normal(0, 0),
        module=lambda constants: _Plain(torch.relu),
        reference=references.relu,
    ),
    "lrn": Kernel(
        f"local response normalisation over {_CHANNELS} channels", "fp32", 512, 1, 2048, 1, "MB/s",
        work=_images(8.0 * _CHANNELS),
        tolerance=lambda size: 16.0 * _U,  # a sum of five squares, a power and a quotient
        inputs=_normal(_CHANNELS, 0, 0),
        module=lambda constants: _Plain(_lrn),
        reference=partial(references.lrn, near=_NEAR, alpha=_ALPHA, beta=_BETA, k=_K),
    ),
    "correlation": Kernel(
        "Pearson's coefficient of two images", "fp32", 2048, 2, 8192, 1, "MB/s",
        work=_images(8.0),
        tolerance=lambda size: 4.0 * (_BLOCK + 2.0 * math.log2(size)) * _U,  # three sums by halves, and the means
        inputs=_two_images,
        module=lambda constants: _Plain(_correlation),
        reference=references.correlation,
    ),
    "image-calibrate": Kernel(
        f"{_FRAMES} frames to one corrected image", "int32", 512, 16, 4096, 2, "Mpixel/s",
        work=_images(_FRAMES),
        tolerance=_exact,
        constants=_maps,
        inputs=_raw,
        module=_Image,
        reference=partial(references.calibrated, sigmas=SPIKE_SIGMAS),
    ),
}  # fmt: skip
