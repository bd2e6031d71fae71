"""Moments as the files write them: UTC in ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["utc"]


def utc(epoch: datetime, seconds: float = 0.0, *, digits: int = 0) -> str:
    """Return the moment `seconds` after `epoch`, such as 2026-03-20T06:00:00Z, with `digits` (0 or 3) of a second."""
    # Added in whole microseconds: a float of seconds would lose them after some years.
    moment = epoch + timedelta(microseconds=round(seconds * 1e6))
    if digits == 0 and moment.microsecond >= 500_000:
        moment += timedelta(seconds=1)
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if digits else "seconds")
    return text.removesuffix("+00:00") + "Z"
