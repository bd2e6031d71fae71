"""What bit equality depends on: pinned, recorded, compared; and refused, by name, where it cannot hold."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from skyhall.integrity.errors import IntegrityError

__all__ = ["Pins", "current_pins", "nondeterminism", "pinned", "refuse_nondeterminism"]

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"
_CUBLAS_FIXED = (":4096:8", ":16:8")


@dataclass(frozen=True, slots=True)
class Pins:
    """Settings and versions that choose kernels and orders of summation.

    Two runs with equal pins on equal inputs give equal bits; the thread count alone changes them.
    """

    torch: str
    machine: str
    capability: str
    threads: int
    deterministic: bool
    mkldnn: bool
    float32_precision: str
    cudnn_benchmark: bool
    cudnn_deterministic: bool
    tf32: tuple[bool, bool]
    reduced_precision: tuple[bool, bool]
    cublas_workspace: str
    devices: tuple[str, ...]
    cuda: str

    def as_dict(self) -> dict[str, Any]:
        """Return them as JSON takes them."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    def differences(self, other: Pins) -> list[str]:
        """Return what differs, as sentences."""
        mine, theirs = asdict(self), asdict(other)
        return [
            f"{name} was {mine[name]!r}, is {theirs[name]!r}" for name in mine if mine[name] != theirs[name]
        ]


def current_pins() -> Pins:
    """Return the settings as they are."""
    matmul = torch.backends.cuda.matmul
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return Pins(
        torch=torch.__version__,
        machine=platform.machine(),
        capability=torch.backends.cpu.get_cpu_capability(),
        threads=torch.get_num_threads(),
        deterministic=torch.are_deterministic_algorithms_enabled(),
        mkldnn=torch.backends.mkldnn.enabled,
        float32_precision=torch.get_float32_matmul_precision(),
        cudnn_benchmark=torch.backends.cudnn.benchmark,
        cudnn_deterministic=torch.backends.cudnn.deterministic,
        tf32=(matmul.allow_tf32, torch.backends.cudnn.allow_tf32),
        reduced_precision=(
            bool(matmul.allow_fp16_reduced_precision_reduction),
            bool(matmul.allow_bf16_reduced_precision_reduction),
        ),
        cublas_workspace=os.environ.get(_CUBLAS, ""),
        devices=tuple(torch.cuda.get_device_name(index) for index in range(count)),
        cuda=str(torch.version.cuda),
    )


@contextmanager
def pinned(threads: int = 1) -> Iterator[Pins]:
    """Pin what can be pinned inside a block, and give what then holds: threads, deterministic kernels, no autotuning.

    Parameters
    ----------
    threads : of torch's operators; more of them give other bits, so pin as many on every node.

    Raises
    ------
    IntegrityError : fewer than one thread.
    """
    if threads < 1:
        raise IntegrityError(f"{threads} threads compute nothing", "give at least 1")
    cudnn = torch.backends.cudnn
    before = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        cudnn.benchmark,
        cudnn.deterministic,
    )
    try:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True)
        cudnn.benchmark, cudnn.deterministic = False, True
        yield current_pins()
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1], warn_only=before[2])
        cudnn.benchmark, cudnn.deterministic = before[3], before[4]


def nondeterminism(model: nn.Module | None = None) -> list[str]:
    """Return what makes equal bits impossible to promise, each by the name of its setting; none is an empty list.

    Parameters
    ----------
    model : whose devices and modules are looked at; the settings alone without it.
    """
    found = []
    on_gpu = model is not None and any(each.is_cuda for each in model.parameters())
    if not torch.are_deterministic_algorithms_enabled():
        found.append("torch.use_deterministic_algorithms is off")
    elif torch.is_deterministic_algorithms_warn_only_enabled():
        found.append("torch.use_deterministic_algorithms only warns (warn_only=True)")
    if torch.backends.cudnn.benchmark:
        found.append("torch.backends.cudnn.benchmark is on: kernels are chosen by timing")
    if on_gpu and os.environ.get(_CUBLAS) not in _CUBLAS_FIXED:
        found.append(f"{_CUBLAS} is not {_CUBLAS_FIXED[0]} or {_CUBLAS_FIXED[1]}")
    if model is not None:
        found += [
            f"module {name or '(the model)'} draws from a generator of its own"
            for name, module in model.named_modules()
            if any(isinstance(value, torch.Generator) for value in vars(module).values())
        ]
    return found


def refuse_nondeterminism(model: nn.Module | None = None) -> None:
    """Raise where equal bits cannot be promised.

    Raises
    ------
    IntegrityError : names every setting or module that makes it so.
    """
    found = nondeterminism(model)
    if found:
        raise IntegrityError(
            f"level exact needs equal bits, and cannot have them: {'; '.join(found)}",
            "run it inside skyhall.integrity.pinned(), or change these",
        )
