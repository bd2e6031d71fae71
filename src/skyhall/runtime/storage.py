"""A satellite's storage: a folder of checkpoints, each named by the units that were done."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skyhall.errors import FileProblem
from skyhall.files import atomic_path

__all__ = [
    "KEPT",
    "checkpoint_name",
    "contribution_name",
    "is_whole",
    "landed",
    "sent",
    "stored",
    "write_file",
]

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


def sent(folder: Path, name: str) -> tuple[bytes, str]:
    """Return a file's bytes to be carried elsewhere, and why they cannot be (empty where they can)."""
    try:
        sealed = (folder / name).read_bytes()
    except OSError as error:
        return b"", _told(error)
    return (sealed, "") if is_whole(sealed) else (b"", "the file is not what was written")


def landed(
    folder: Path, name: str, sealed: bytes, unsent: str, on_the_way: Callable[[bytes], bytes]
) -> dict[str, Any]:
    """Store what `sent` gave once its seal is verified here, and return what is said of it as "carried".

    `on_the_way` may change the bytes before they arrive.
    """
    if unsent:
        return {"ok": False, "reason": unsent, "at_source": True}
    arrived = on_the_way(sealed)
    if not is_whole(arrived):
        return {"ok": False, "reason": "the bytes that arrived are not those that were sent"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_file(folder, name, arrived)
    except (FileProblem, OSError) as error:
        return {"ok": False, "reason": error.what if isinstance(error, FileProblem) else _told(error)}
    return {"ok": True, "digest": arrived[-32:].hex(), "size": len(arrived), "kept": stored(folder)}


def is_whole(sealed: bytes) -> bool:
    """Say whether the bytes of a file are those that its last 32, a SHA-256, were made from."""
    return len(sealed) > 32 and hashlib.sha256(memoryview(sealed)[:-32]).digest() == sealed[-32:]


def _told(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
