"""`kernels`: one kernel, executed over and over on seeded inputs; a unit is one execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skyhall.errors import Place, ValueProblem, did_you_mean
from skyhall.integrity import digest_of
from skyhall.jobs.checksum import checksum
from skyhall.jobs.job import Job
from skyhall.jobs.kernels import KERNELS, Case, error_of, flat

__all__ = ["KernelRuns", "KernelRunsParameters"]

_SAMPLES = 64  # elements of each result that are kept
_COMPARED = 8  # executions at most whose samples are compared: a reference takes longer than its kernel


@dataclass(frozen=True, slots=True)
class KernelRunsParameters:
    """What to execute.

    Attributes
    ----------
    kernel : of `skyhall.jobs.kernels.KERNELS`.
    size : of it; 0 stands for its own.
    units : executions.
    seed : of constants and inputs.
    """

    kernel: str = "fft"
    size: int = 0
    units: int = 100
    seed: int = 1

    def __post_init__(self) -> None:
        if self.kernel not in KERNELS:
            raise ValueProblem(
                f"there is no kernel '{self.kernel}'",
                place=Place("--set", "kernel"),
                right=did_you_mean(self.kernel, KERNELS),
            )
        if self.size:
            KERNELS[self.kernel].check(self.size)
        if self.units < 1:
            raise ValueError(f"{self.units} units: give at least 1")
        if self.seed < 0:
            raise ValueError(f"a seed of {self.seed}: give 0 or more")


class KernelRuns(Job):
    """The job. `kept`, one entry an execution: a checksum of the whole result, some of its elements, and if done."""

    meanings: ClassVar[Mapping[str, str]] = {
        "size": "as of `skyhall bench`",
        "compared": "executions, with a reference in double precision",
        "largest_error": "absolute, in the result's own unit",
    }
    Parameters = KernelRunsParameters
    # Low bits may differ; `passed` says whether the samples are within the tolerance.
    loose = frozenset({"results_sha256", "largest_error"})

    def __init__(self, parameters: KernelRunsParameters) -> None:
        self.parameters = parameters
        kernel = KERNELS[parameters.kernel]
        self._case = Case.of(kernel, parameters.size or kernel.size, parameters.seed)
        self.model = self._case.module()
        self.optimizer = None
        self.units = parameters.units
        self.kept = {
            "checksum": torch.zeros(self.units, dtype=torch.int64),
            "sample": torch.zeros(self.units, _SAMPLES, dtype=torch.float64),
            "done": torch.zeros(self.units, dtype=torch.bool),
        }

    @torch.no_grad()
    def unit(self, number: int) -> dict[str, Tensor]:
        """Execute the kernel once."""
        result = self.model(*(torch.from_numpy(each) for each in self._case.inputs(number)))
        return {"checksum": checksum(result), "sample": torch.from_numpy(_sampled(result.numpy()))}

    def keep(self, number: int, result: Any) -> None:
        """Keep checksum and sample."""
        self.kept["checksum"][number] = result["checksum"]
        self.kept["sample"][number] = result["sample"]
        self.kept["done"][number] = True

    def outcome(self) -> dict[str, Any]:
        """Return the digest of all checksums, and the largest error of some samples beside the tolerance."""
        done = self.kept["done"].nonzero().reshape(-1).tolist()
        errors = [self._error(number) for number in done[:: -(-len(done) // _COMPARED) or 1]]
        return {
            "kernel": self.parameters.kernel,
            "size": self._case.size,
            "executions": len(done),
            "results_sha256": digest_of({"checksum": self.kept["checksum"]}),
            "compared": len(errors),
            "passed": all(error <= self._case.tolerance for error in errors),
            "largest_error": max(errors, default=0.0),
            "tolerance": self._case.tolerance,
        }

    def _error(self, number: int) -> float:
        value, scale = self._case.expected(number)
        scales = np.broadcast_to(scale, value.shape)
        if np.iscomplexobj(value):
            scales = np.repeat(scales, 2)  # real and imaginary part
        return error_of(self.kept["sample"][number].numpy(), _sampled(value), _sampled(scales))


def _sampled(result: NDArray[Any]) -> NDArray[np.float64]:
    elements = flat(result)
    return elements[np.linspace(0, len(elements) - 1, _SAMPLES).astype(int)].astype(np.float64)
