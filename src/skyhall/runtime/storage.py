"""A satellite's storage: a folder of checkpoints, each named by the units that were done."""

from __future__ import annotations

import re
from pathlib import Path

from skyhall.files import atomic_path

__all__ = ["KEPT", "checkpoint_path", "stored", "write_checkpoint"]

KEPT = 3  # checkpoints: one to go on from, one to fall back on, one on its way


def checkpoint_path(folder: Path, done: int) -> Path:
    """Return the file of a checkpoint."""
    return folder / f"step-{done:09d}.checkpoint"


def stored(folder: Path) -> list[int]:
    """Return the checkpoints that are there, by units done, ascending."""
    found = (re.fullmatch(r"step-(\d{9})\.checkpoint", each.name) for each in folder.glob("step-*"))
    return sorted(int(each[1]) for each in found if each)


def write_checkpoint(folder: Path, done: int, sealed: bytes) -> None:
    """Write a checkpoint atomically, and remove those before the newest `KEPT`; `FileProblem` when it cannot be."""
    with atomic_path(checkpoint_path(folder, done)) as temporary:
        temporary.write_bytes(sealed)
    for old in stored(folder)[:-KEPT]:
        checkpoint_path(folder, old).unlink(missing_ok=True)
