"""The folder that a command writes into: known to be writable before the work, gone again when nothing came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from skyhall.errors import FileProblem, Place
from skyhall.files import make_folder

__all__ = ["writable"]


@contextmanager
def writable(folder: Path) -> Iterator[Path]:
    """Make `folder`, or raise `FileProblem`; on any failure within, remove what was made and is still empty."""
    if folder.exists() and not folder.is_dir():
        raise FileProblem(
            "is a file, not a folder", place=Place(str(folder)), right="choose another with --out"
        )
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        yield make_folder(folder)
    except BaseException:
        for each in missing:
            with suppress(OSError):
                each.rmdir()
        raise
