"""Deterministic checkpoints: all state of a training run, written whole or not at all, verified when read.

A file that is truncated or has a flipped bit is refused with the reason, and the one before it is used. The same state
gives the same bytes, so that two machines can compare checkpoints by their digests alone. `container` describes the
format.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from skyhall.integrity.container import pack, unpack
from skyhall.integrity.errors import CheckpointError

__all__ = ["Checkpoints", "Loaded", "Written", "capture", "load", "restore", "save"]


@dataclass(frozen=True, slots=True)
class Written:
    """A checkpoint that is safely on the disk.

    Attributes
    ----------
    digest : SHA-256 that seals the file, in hex.
    size : of the file, bytes.
    """

    path: Path
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checkpoint that was read and verified.

    Attributes
    ----------
    step : it was written for.
    state : the tree that was saved.
    refused : newer files that were not used, each with the reason.
    """

    step: int
    state: Any
    path: Path
    digest: str
    refused: tuple[tuple[Path, str], ...] = ()


def capture(
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    position: Mapping[str, Any] | None = None,
    generators: Mapping[str, torch.Generator | np.random.Generator] | None = None,
) -> dict[str, Any]:
    """Return all that the rest of a run depends on, as a tree for `save`.

    Weights and buffers, the optimiser's moments and settings, the global random states of Python, NumPy and torch (and
    of each CUDA device), the named `generators`, and `position`: where the data stands, as the caller counts it, in
    plain values. Tensors are not copied: save before the next step.
    """
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    name, keys, at, has_gauss, gauss = np.random.get_state(legacy=True)  # noqa: NPY002  # the global one is state too
    return {
        "model": dict(model.state_dict()),
        "optimizer": None if optimizer is None else optimizer.state_dict(),
        "random": {
            "python": random.getstate(),
            "numpy": (name, keys, at, has_gauss, gauss),
            "torch": torch.get_rng_state(),
            "cuda": [torch.cuda.get_rng_state(device) for device in devices],
            "generators": {name: _state_of(each) for name, each in (generators or {}).items()},
        },
        "position": dict(position or {}),
    }


def restore(
    state: Mapping[str, Any],
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    generators: Mapping[str, torch.Generator | np.random.Generator] | None = None,
) -> dict[str, Any]:
    """Put back what `capture` took, in place, and return the position.

    Raises
    ------
    CheckpointError
        When the state is not of this model or optimiser, or a generator is missing in it.
    """
    try:
        model.load_state_dict(state["model"])
        if optimizer is not None:
            if state["optimizer"] is None:
                raise CheckpointError("the checkpoint holds no optimiser")
            optimizer.load_state_dict(state["optimizer"])
    except (KeyError, RuntimeError, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        first = str(error).strip().splitlines()[0]
        raise CheckpointError(f"the checkpoint is of another model or optimiser ({first})") from None
    drawn = state["random"]
    random.setstate(drawn["python"])
    np.random.set_state(drawn["numpy"])  # noqa: NPY002
    torch.set_rng_state(drawn["torch"])
    if torch.cuda.is_available():
        for device, held in enumerate(drawn["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(held, device)
    for name, each in (generators or {}).items():
        if name not in drawn["generators"]:
            raise CheckpointError(f"the checkpoint holds no generator '{name}'")
        _set_state(each, drawn["generators"][name])
    return dict(state["position"])


def save(path: str | Path, state: Any) -> Written:
    """Write a checkpoint atomically: temporary file beside it, fsync, rename, fsync of the folder.

    Whatever happens on the way (a full disk, a kill), `path` is either what it was or the whole new file.

    Raises
    ------
    CheckpointError
        When it cannot be written, with the reason; what `path` was is still there.
    """
    target, data = Path(path), pack(state)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        _write(temporary, data)
        temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        reason = "the disk is full" if full else (error.strerror or str(error)).lower()
        raise CheckpointError(
            f"{target} cannot be written: {reason}",
            f"{len(data):,} bytes are needed; the file before is untouched",
        ) from error
    return Written(target, data[-32:].hex(), len(data))


def load(path: str | Path) -> Any:
    """Return the state of a checkpoint after verifying every byte of it.

    Raises
    ------
    CheckpointError
        When the file cannot be read, is truncated, or differs from its digest.
    """
    return _read(Path(path))[0]


class Checkpoints:
    """A folder of checkpoints of one run: the newest `keep` are kept, corrupted ones are passed over.

    Parameters
    ----------
    folder : is made if it is not there.
    keep : files to keep, at least 2: one to fall back on.
    """

    def __init__(self, folder: str | Path, *, keep: int = 3) -> None:
        if keep < 2:
            raise CheckpointError(f"keep={keep} leaves nothing to fall back on", "at least 2")
        self.folder, self.keep = Path(folder), keep
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(
                f"{folder} cannot be made: {(error.strerror or str(error)).lower()}"
            ) from error

    def write(self, step: int, state: Any) -> Written:
        """Write the checkpoint of a step, then remove what is older than the newest `keep`."""
        written = save(self._path(step), state)
        for old in self._files()[self.keep :]:
            old.unlink(missing_ok=True)
        for orphan in self.folder.glob(".step-*.partial"):  # of a process that was killed while it wrote
            if not _alive(int(orphan.name.split(".")[-2])):
                orphan.unlink(missing_ok=True)
        return written

    def newest(self) -> Loaded | None:
        """Return the newest checkpoint that verifies, with those refused on the way; None when the folder has none.

        Raises
        ------
        CheckpointError
            When there are files and not one of them verifies.
        """
        refused: list[tuple[Path, str]] = []
        for path in self._files():
            try:
                state, digest = _read(path)
            except CheckpointError as error:
                refused.append((path, error.what.removeprefix(f"{path} ")))
                continue
            return Loaded(_step(path), state, path, digest, tuple(refused))
        if refused:
            told = "; ".join(f"{path.name} {reason}" for path, reason in refused)
            raise CheckpointError(f"{self.folder} has no checkpoint that verifies ({told})", "begin anew")
        return None

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:09d}.checkpoint"

    def _files(self) -> list[Path]:
        """Return the files, newest first."""
        return sorted(self.folder.glob("step-*.checkpoint"), key=_step, reverse=True)


def _read(path: Path) -> tuple[Any, str]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    try:
        return unpack(data), data[-32:].hex()
    except CheckpointError as error:
        raise CheckpointError(f"{path} {error.what}", "use the one before") from None


def _step(path: Path) -> int:
    found = re.fullmatch(r"step-(\d+)\.checkpoint", path.name)
    return int(found[1]) if found else -1


def _write(path: Path, data: bytearray) -> None:
    """Write and fsync a new file; a short write is an error of the disk, told as what it is."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Fsync a folder, so that the rename survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _state_of(generator: torch.Generator | np.random.Generator) -> Any:
    return generator.get_state() if isinstance(generator, torch.Generator) else generator.bit_generator.state


def _set_state(generator: torch.Generator | np.random.Generator, state: Any) -> None:
    if isinstance(generator, torch.Generator):
        generator.set_state(state)
    else:
        generator.bit_generator.state = state
