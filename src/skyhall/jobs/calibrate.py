"""`image-calibrate`: groups of raw frames become one corrected image each, in integers throughout.

In the manner of the public description of OBPMark's benchmark 1.1, image calibration and correction; own code, own
sensor. Offset; bad pixels; radiation spikes over successive frames; gain; 2 × 2 pixels and all frames summed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from skyhall.jobs.checksum import checksum
from skyhall.jobs.job import Job
from skyhall.jobs.sensor import ELECTRONS_PER_DN, GAIN_BITS, READ_NOISE_DN, Frames, Sensor, expose, sensor

__all__ = ["SPIKE_SIGMAS", "CalibrateParameters", "Calibration", "ImageCalibrate", "noise_of"]

SPIKE_SIGMAS = 5  # above the median of a pixel's frames, a value is a spike; ours: 3e-7 of normal noise is
_NEIGHBOURS = [(dy, dx) for dy in (0, 1, 2) for dx in (0, 1, 2) if (dy, dx) != (1, 1)]


class Calibration(nn.Module):
    """The pipeline; its maps are buffers.

    Parameters
    ----------
    offset : int32 (n, n), DN.
    gain : int32 (n, n), fixed point.
    bad : (n, n), true where a pixel does not measure; each has a good neighbour.
    """

    offset: Tensor
    gain: Tensor
    good: Tensor

    def __init__(self, offset: NDArray[np.int32], gain: NDArray[np.int32], bad: NDArray[np.bool_]) -> None:
        super().__init__()
        # Copies: a fault in the buffers must not reach the sensor.
        self.register_buffer("offset", torch.tensor(offset))
        self.register_buffer("gain", torch.tensor(gain))
        self.register_buffer("good", torch.from_numpy((~bad).astype(np.int32)))

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return the corrected image and where spikes were removed.

        Parameters
        ----------
        frames : int32 (f, n, n), DN.

        Returns
        -------
        image : int32 (n/2, n/2), DN summed over 4 f values.
        spikes : bool (f, n, n).
        """
        light = self._repaired(frames - self.offset)
        # In integers: value - median > k σ, with σ² = read noise² + median / electrons per DN.
        median = light.median(dim=0).values
        above = (light - median).clamp(min=0)
        variance = ELECTRONS_PER_DN * READ_NOISE_DN**2 + median.clamp(min=0)
        spikes = above * above > torch.div(
            SPIKE_SIGMAS**2 * variance, ELECTRONS_PER_DN, rounding_mode="floor"
        )
        light = torch.where(spikes, median, light)
        flat = (light * self.gain + (1 << (GAIN_BITS - 1))) >> GAIN_BITS
        half = flat.shape[-1] // 2
        binned = flat.view(-1, half, 2, half, 2).sum(dim=(0, 2, 4), dtype=torch.int32)
        return binned, spikes

    def _repaired(self, light: Tensor) -> Tensor:
        """Return frames in which a bad pixel is the rounded mean of its good neighbours."""
        total = _around(light * self.good)
        count = _around(self.good).clamp(min=1)
        mean = torch.div(total + count // 2, count, rounding_mode="floor")
        return torch.where(self.good.bool(), light, mean)


def _around(image: Tensor) -> Tensor:
    rows, columns = image.shape[-2:]
    wide = functional.pad(image, (1, 1, 1, 1))
    total = torch.zeros_like(image)
    for dy, dx in _NEIGHBOURS:
        total += wide[..., dy : dy + rows, dx : dx + columns]
    return total


def noise_of(taken: Sensor, scene: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    """Return the standard deviation of a corrected image, DN, (n/2, n/2): shot, read and rounding noise of its sum."""
    half = scene.shape[0] // 2
    pixel = scene * taken.response / ELECTRONS_PER_DN + READ_NOISE_DN**2 + 1.0 / 12.0
    variance = frames * (pixel / taken.response**2 + 1.0 / 12.0)
    return np.sqrt(variance.reshape(half, 2, half, 2).sum(axis=(1, 3)))


@dataclass(frozen=True, slots=True)
class CalibrateParameters:
    """What to calibrate.

    Attributes
    ----------
    size : pixels along an edge, even.
    frames : in a group, at least 5: a median of fewer is no witness against two hits.
    groups : units of the job.
    hits : particles a frame and million pixels.
    seed : of sensor, scenes, noise and hits.
    """

    size: int = 256
    frames: int = 8
    groups: int = 20
    hits: float = 1000.0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.size < 16 or self.size % 2 or self.size > 4096:
            raise ValueError(f"a size of {self.size}: give an even one from 16 to 4096")
        if not 5 <= self.frames <= 64:
            raise ValueError(f"{self.frames} frames in a group: give 5 to 64")
        if self.groups < 1:
            raise ValueError(f"{self.groups} groups: give at least 1")
        if not 0.0 <= self.hits <= 1e5:
            raise ValueError(f"{self.hits:g} hits a frame and million pixels: give 0 to 100000")
        if self.seed < 0:
            raise ValueError(f"a seed of {self.seed}: give 0 or more")


class ImageCalibrate(Job):
    """The job; a unit is one group of frames.

    `kept`, one entry a group: `checksum` of the image; `mean` of the image, DN; `spikes`: good pixels that hits lifted
    by more than the threshold, those of them removed, and good pixels removed that no hit had met; `noise`: the root
    mean square of image minus truth in standard deviations of the sensor's noise, 1 where all is well.
    """

    meanings: ClassVar[Mapping[str, str]] = {
        "groups": "of frames",
        "spikes": "good pixels that hits lifted above the threshold",
        "spikes_removed_share": "of the spikes",
        "false_removed": "good pixels that no hit had met",
        "deviation_in_noise": "from the truth, in units of the sensor's noise",
    }
    Parameters = CalibrateParameters

    def __init__(self, parameters: CalibrateParameters) -> None:
        self.parameters = parameters
        self._sensor = sensor(parameters.size, np.random.default_rng([parameters.seed, 0, 1]))
        self.model = Calibration(self._sensor.offset, self._sensor.gain, self._sensor.bad)
        self.optimizer = None
        self.units = parameters.groups
        self.kept = {
            "checksum": torch.zeros(self.units, dtype=torch.int64),
            "mean": torch.zeros(self.units, dtype=torch.float64),
            "spikes": torch.zeros(self.units, 3, dtype=torch.int64),
            "noise": torch.zeros(self.units, dtype=torch.float64),
        }

    def unit(self, number: int) -> dict[str, Tensor]:
        """Calibrate one group and compare it with the truth."""
        asked = self.parameters
        taken = expose(self._sensor, asked.frames, asked.hits, np.random.default_rng([asked.seed, number]))
        image, spikes = self.model(torch.from_numpy(taken.raw))
        return {
            "checksum": checksum(image),
            "mean": image.double().mean(),
            "spikes": torch.from_numpy(self._counted(taken, spikes.numpy())),
            "noise": torch.tensor(self._noise(taken, image.numpy()), dtype=torch.float64),
        }

    def keep(self, number: int, result: Any) -> None:
        """Keep what the unit says of its image."""
        for name, value in self.kept.items():
            value[number] = result[name]

    def outcome(self) -> dict[str, Any]:
        """Return shares of spikes removed and the deviation from the truth, over the groups done."""
        done = self.kept["noise"] > 0.0
        lifted, removed, false = (int(part) for part in self.kept["spikes"].sum(dim=0))
        noise = self.kept["noise"][done]
        return {
            "groups": int(done.sum()),
            "spikes": lifted,
            "spikes_removed_share": removed / lifted if lifted else None,
            "false_removed": false,
            "deviation_in_noise": float(noise.square().mean().sqrt()) if len(noise) else None,
        }

    def _counted(self, taken: Frames, spikes: NDArray[np.bool_]) -> NDArray[np.int64]:
        here = self._sensor
        noise = np.sqrt(taken.scene * here.response / ELECTRONS_PER_DN + READ_NOISE_DN**2)
        lifted = (taken.hits > SPIKE_SIGMAS * noise) & ~here.bad
        removed = spikes & lifted
        return np.array([lifted.sum(), removed.sum(), (spikes & (taken.hits == 0) & ~here.bad).sum()])

    def _noise(self, taken: Frames, image: NDArray[np.int32]) -> float:
        half = image.shape[0]
        truth = taken.scene.reshape(half, 2, half, 2).sum(axis=(1, 3)) * len(taken.raw)
        return float(
            np.sqrt(np.mean(((image - truth) / noise_of(self._sensor, taken.scene, len(taken.raw))) ** 2))
        )
