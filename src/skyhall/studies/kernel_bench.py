"""Kernels measured on this machine: right or not beside the reference, how fast, and what protection costs."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skyhall.errors import Place, ValueProblem, did_you_mean
from skyhall.integrity import ServeGuard
from skyhall.jobs.kernels import KERNELS, Case, error_of

__all__ = ["DEVICES", "LEVELS", "Row", "bench", "machine"]

LEVELS = ("none", "abft", "full")
DEVICES = ("cpu", "cuda")
_FACTORS = {"GFLOP/s": 1e9, "MB/s": 1e6, "Mpixel/s": 1e6}


@dataclass(frozen=True, slots=True)
class Row:
    """One kernel as it was measured.

    Attributes
    ----------
    passed : whether the error is within the tolerance, of the plain execution and of the protected one.
    error, tolerance : largest difference from the reference and what it may be, in scales of `skyhall.jobs.references`.
    median_s : seconds of an execution without protection, the median of the repeats.
    throughput : the kernel's work by that time, in `unit`.
    protect : level of protection that `ratio` is of.
    ratio : median seconds with protection by those without; None at level "none".
    uncovered_share : of the arithmetic under protection, what no check covers, 0 to 1; None at level "none".
    """

    kernel: str
    size: int
    dtype: str
    device: str
    passed: bool
    error: float
    tolerance: float
    median_s: float
    throughput: float
    unit: str
    protect: str
    ratio: float | None
    uncovered_share: float | None


def bench(
    names: Sequence[str] = (),
    *,
    size: int | None = None,
    repeats: int = 7,
    protect: str = "none",
    device: str = "cpu",
    seed: int = 1,
    progress: Callable[[str, float], None] = lambda what, share: None,
) -> Iterator[Row]:
    """Yield a row for each kernel.

    Parameters
    ----------
    names : of `skyhall.jobs.kernels.KERNELS`; none stands for all.
    size : of every kernel; its own where it is left out.
    repeats : timed executions, after one that is checked and not timed.
    protect : "none", "abft" or "full", as in `skyhall.integrity.ServeGuard`; the protected executions take turns with
        the plain ones.
    device : "cpu" with torch's own number of threads, or "cuda".
    seed : of constants and inputs.

    Raises
    ------
    ValueProblem
        For an unknown kernel, level or device, a device that is not here, and a size that a kernel does not take.
    """
    for what, words, possible in (
        ("kernel", names, KERNELS),
        ("level", [protect], LEVELS),
        ("device", [device], DEVICES),
    ):
        for word in words:
            if word not in possible:
                raise ValueProblem(f"there is no {what} '{word}'", right=did_you_mean(word, possible))
    if repeats < 1:
        raise ValueProblem(f"{repeats} repeats measure nothing", right="give at least 1")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueProblem("torch finds no CUDA device here", place=Place("--device"), right="choose cpu")
    chosen = list(names) or list(KERNELS)
    if size is not None:
        for name in chosen:
            _check(name, size)
    for number, name in enumerate(chosen):
        progress(name, number / len(chosen))
        case = Case.of(KERNELS[name], size or KERNELS[name].size, seed)
        yield _measured(name, case, repeats, protect, device)


def machine() -> dict[str, Any]:
    """Return what throughputs depend on besides pins: processor, its logical cores, system, versions."""
    return {
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def _check(name: str, size: int) -> None:
    try:
        KERNELS[name].check(size)
    except ValueError as error:
        raise ValueProblem(f"{name} does not take {error}", place=Place("--size")) from None


def _measured(name: str, case: Case, repeats: int, protect: str, device: str) -> Row:
    model = case.module().to(device)
    inputs = [torch.from_numpy(each).to(device) for each in case.inputs(0)]
    value, scale = case.expected(0)

    def plain() -> Tensor:
        result: Tensor = model(*inputs)
        return result

    guard = ServeGuard(model, level=protect)
    runs = [plain] if protect == "none" else [plain, lambda: guard.run(plain)]
    with torch.no_grad(), _full_precision():
        errors = [_error(run(), value, scale) for run in runs]
        times = [[_timed(run, device) for run in runs] for _ in range(repeats)]
    medians = [statistics.median(each) for each in zip(*times, strict=True)]
    kernel = case.kernel
    return Row(
        kernel=name,
        size=case.size,
        dtype=kernel.dtype,
        device=device,
        passed=all(error <= case.tolerance for error in errors),
        error=max(errors, key=lambda error: (error != error, error)),  # a NaN is the worst
        tolerance=case.tolerance,
        median_s=medians[0],
        throughput=kernel.work(case.size) / medians[0] / _FACTORS[kernel.unit],
        unit=kernel.unit,
        protect=protect,
        ratio=medians[1] / medians[0] if protect != "none" else None,
        uncovered_share=guard.report.uncovered_share["flops"] if protect != "none" else None,
    )


def _error(result: Tensor, value: NDArray[Any], scale: NDArray[Any]) -> float:
    return error_of(result.cpu().numpy(), value, scale)


def _timed(run: Callable[[], Tensor], device: str) -> float:
    _finished(device)
    began = time.perf_counter()
    run()
    _finished(device)
    return time.perf_counter() - began


def _finished(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


@contextmanager
def _full_precision() -> Iterator[None]:
    """Keep a GPU from rounding factors to TF32, whose errors no tolerance of fp32 covers."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = False
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


def _processor() -> str:
    """Return the processor's name; Linux tells it in a file only."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
