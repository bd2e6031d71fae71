"""Reading text and writing files atomically: the one place that does either."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skyhall.errors import FileProblem, Place

__all__ = ["atomic_path", "make_folder", "read_text", "write_text"]


def read_text(path: Path) -> str:
    """Return the UTF-8 text of `path`; `FileProblem` when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FileProblem("is not text in UTF-8", place=Place(str(path))) from None
    except (OSError, ValueError) as error:
        raise FileProblem(_reason(error), place=Place(str(path)), right="check the path") from None


def make_folder(path: Path) -> Path:
    """Make the folder `path` (with parents) and return it; `FileProblem` when it cannot be written to."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise FileProblem(
            f"cannot write into this folder ({_reason(error)})",
            place=Place(str(path)),
            right="choose another with --out",
        ) from None
    return path


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is fsynced and renamed over `path`, else removed."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise FileProblem(f"cannot be written ({_reason(error)})", place=Place(str(path))) from None
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        raise FileProblem(f"cannot be written ({_reason(error)})", place=Place(str(path))) from None
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> Path:
    """Write `text` to `path` atomically and return the path."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _reason(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
