"""A satellite's storage: a folder of checkpoints, each named by the units that were done."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skyhall.errors import FileProblem
from skyhall.files import atomic_path

__all__ = ["KEPT", "checkpoint_path", "landed", "sent", "stored", "write_checkpoint"]

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


def sent(folder: Path, done: int) -> tuple[bytes, str]:
    """Return a checkpoint's bytes to be carried elsewhere, and why they cannot be (empty where they can)."""
    try:
        sealed = checkpoint_path(folder, done).read_bytes()
    except OSError as error:
        return b"", _told(error)
    return (sealed, "") if _is_whole(sealed) else (b"", "the file is not what was written")


def landed(
    folder: Path, done: int, sealed: bytes, unsent: str, on_the_way: Callable[[bytes], bytes]
) -> dict[str, Any]:
    """Store what `sent` gave once its seal is verified here, and return what is said of it as "carried".

    `on_the_way` may change the bytes before they arrive.
    """
    if unsent:
        return {"ok": False, "reason": unsent, "at_source": True}
    arrived = on_the_way(sealed)
    if not _is_whole(arrived):
        return {"ok": False, "reason": "the bytes that arrived are not those that were sent"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_checkpoint(folder, done, arrived)
    except (FileProblem, OSError) as error:
        return {"ok": False, "reason": error.what if isinstance(error, FileProblem) else _told(error)}
    return {"ok": True, "digest": arrived[-32:].hex(), "size": len(arrived), "kept": stored(folder)}


def _is_whole(sealed: bytes) -> bool:
    """Say whether the bytes of a checkpoint are those that its last 32, a SHA-256, were made from."""
    return len(sealed) > 32 and hashlib.sha256(memoryview(sealed)[:-32]).digest() == sealed[-32:]


def _told(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
