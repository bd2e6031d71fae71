"""The folder that a command writes into: known to be writable before the work, gone again when nothing came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from skyhall.files import make_folder

__all__ = ["writable"]


@contextmanager
def writable(folder: Path) -> Iterator[Path]:
    """Make `folder`, or raise `FileProblem`; on any failure within, remove what was made and is still empty."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        yield make_folder(folder)
    except BaseException:
        for each in missing:
            with suppress(OSError):
                each.rmdir()
        raise
