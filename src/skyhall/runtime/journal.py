"""The coordinator's journal: every event it acted on, a JSON line each, on the disk before it acts."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skyhall.errors import FileProblem, Place

__all__ = ["Event", "Journal", "read_journal"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, at a simulated time (s after the epoch); `data` is JSON."""

    kind: str
    time: float
    satellite: int | None = None
    epoch: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """Return the event as a line of JSON."""
        own = {"kind": self.kind, "time": self.time, "satellite": self.satellite, "epoch": self.epoch}
        return json.dumps({**self.data, **{name: value for name, value in own.items() if value is not None}})

    @classmethod
    def of(cls, line: str) -> Event:
        """Return the event of a line."""
        raw = json.loads(line)
        return cls(raw.pop("kind"), raw.pop("time"), raw.pop("satellite", None), raw.pop("epoch", None), raw)


class Journal:
    """An append-only file of events; what `append` returned from is safe from a kill.

    Parameters
    ----------
    path : is made if it is not there; a torn last line, of a writer that was killed, is cut off.

    Raises
    ------
    FileProblem
        When it cannot be written, or another coordinator holds it.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("ab")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise FileProblem(
                "is being written by another coordinator",
                place=Place(str(path)),
                right="wait for it, or end it",
            ) from None
        except OSError as error:
            raise self._cannot(path, error) from None
        try:
            whole = len(_whole_lines(path.read_bytes()))
            self._file.truncate(whole)
        except OSError as error:
            raise self._cannot(path, error) from None

    @staticmethod
    def _cannot(path: Path, error: OSError) -> FileProblem:
        reason = (error.strerror or str(error)).lower()
        return FileProblem(f"cannot be written ({reason})", place=Place(str(path)))

    def append(self, event: Event) -> None:
        """Write an event. Ticks are left to the system to write out: nothing depends on the last one."""
        self._file.write(event.line().encode() + b"\n")
        self._file.flush()
        if event.kind != "tick":
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_journal(path: Path) -> list[Event]:
    """Return the events of a journal; a torn last line is left out.

    Raises
    ------
    FileProblem
        When it cannot be read, or a line before the last is no event.
    """
    try:
        lines = _whole_lines(path.read_bytes()).splitlines()
    except OSError as error:
        raise FileProblem(
            f"cannot be read ({(error.strerror or str(error)).lower()})", place=Place(str(path))
        ) from None
    events = []
    for number, line in enumerate(lines, start=1):
        try:
            events.append(Event.of(line.decode()))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise FileProblem("is no event of a run", place=Place(str(path), line=number)) from None
    return events


def _whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]
