"""What can be wrong with what a user of the package asks for."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["CheckpointError", "IntegrityError", "nearest"]


class IntegrityError(ValueError):
    """A wrong request: what is wrong, and what would be right.

    Parameters
    ----------
    what : one sentence: what is wrong.
    right : what would be right, when it can be said.
    """

    def __init__(self, what: str, right: str | None = None) -> None:
        self.what = what
        self.right = right
        super().__init__(f"{what}: {right}" if right else what)


class CheckpointError(IntegrityError):
    """A checkpoint that cannot be written, or that must not be read."""


def nearest(word: str, possible: Iterable[str]) -> str:
    """Return "did you mean 'x'?" for the closest of `possible`, else the list of what is possible."""
    names = sorted(possible)
    close = get_close_matches(word, names, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else "possible: " + ", ".join(names)
