"""Errors that say what was wrong, where, and what would be right.

Every error that a user can cause is a `SkyhallError`; the command line turns it into one message and the
exit code of its class. Anything else that escapes is a fault of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

__all__ = ["CheckFailed", "FileProblem", "Place", "SkyhallError", "ValueProblem", "did_you_mean"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value came from: a file (or "--set"), a dotted key and a line, each optional."""

    file: str | None = None
    key: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = self.file or ""
        if self.line is not None:
            where += f":{self.line}"
        if self.key:
            where += f" {self.key}" if where else self.key
        return where


class SkyhallError(Exception):
    """Base of all errors that a user can cause.

    Parameters
    ----------
    what : one sentence: what is wrong.
    place : where (file, key, line), when known.
    right : what would be right, when it can be said.
    """

    exit_code = 2

    def __init__(self, what: str, *, place: Place | None = None, right: str | None = None) -> None:
        self.what = what
        self.place = place or Place()
        self.right = right
        super().__init__(str(self))

    def __str__(self) -> str:
        where = str(self.place)
        message = f"{where}: {self.what}" if where else self.what
        return f"{message}\n  {self.right}" if self.right else message

    def as_dict(self) -> dict[str, object]:
        """Return the error as one flat JSON-ready mapping."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "file": self.place.file,
            "key": self.place.key,
            "line": self.place.line,
            "right": self.right,
            "exit_code": self.exit_code,
        }


class CheckFailed(SkyhallError):
    """The answer is no: a check that the user asked for did not pass (exit code 1)."""

    exit_code = 1


class ValueProblem(SkyhallError):
    """A value, key or command line is wrong (exit code 2)."""

    exit_code = 2


class FileProblem(SkyhallError):
    """Input or output could not be read or written (exit code 3)."""

    exit_code = 3


def did_you_mean(word: str, possible: Iterable[str]) -> str:
    """Return "did you mean 'x'?" for the closest of `possible`, else the list of what is possible."""
    names = sorted(possible)
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return "possible: " + ", ".join(names)
