"""A satellite's storage: a folder of checkpoints, each named by the units that were done."""

from __future__ import annotations

import re
from pathlib import Path

from skyhall.files import atomic_path

__all__ = ["KEPT", "checkpoint_name", "contribution_name", "stored", "write_file"]

KEPT = 3  # checkpoints: one to go on from, one to fall back on, one on its way


def checkpoint_name(done: int) -> str:
    """Return the name of a checkpoint's file."""
    return f"step-{done:09d}.checkpoint"


def contribution_name(done: int, part: int) -> str:
    """Return the name of the file with a part's contribution to the state after `done` units."""
    return f"part-{part}-of-{done:09d}.contribution"


def stored(folder: Path) -> list[int]:
    """Return the checkpoints that are there, by units done, ascending."""
    found = (re.fullmatch(r"step-(\d{9})\.checkpoint", each.name) for each in folder.glob("step-*"))
    return sorted(int(each[1]) for each in found if each)


def write_file(folder: Path, name: str, sealed: bytes) -> None:
    """Write a file atomically, and remove all but the `KEPT` checkpoints written last.

    Not those of the most units: a job that went back writes lower ones again.

    Raises
    ------
    FileProblem
        When it cannot be written.
    """
    with atomic_path(folder / name) as temporary:
        temporary.write_bytes(sealed)
    checkpoints = [folder / checkpoint_name(done) for done in stored(folder)]
    for old in sorted(checkpoints, key=lambda path: path.stat().st_mtime_ns)[:-KEPT]:
        old.unlink(missing_ok=True)
