"""Request traces: when requests for text come, how long their prompts are, and how long the replies.

Public traces in the format of the Azure LLM inference trace 2023 (https://github.com/Azure/AzurePublicDataset, CC-BY;
Patel et al., Splitwise, ISCA 2024), or a synthetic one of the same kind.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skyhall.errors import FileProblem, Place
from skyhall.files import read_text

__all__ = ["Trace", "read_trace", "synthetic_trace"]

_COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")

# Fitted by us to the moments of the hour of conversations of that trace (19,366 requests in 3,502 s).
_RATE = 5.530  # requests/s
_PROMPT_LOG = (6.633, 0.985)  # mean and standard deviation of the natural logarithm of tokens
_REPLY_LOG = (5.019, 0.859)
_PERCENTILE = 95.0  # of a column that is scaled to its limit; ours


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Requests in the order of their arrival.

    Attributes
    ----------
    arrivals_s : (N,) seconds after the first request, ascending.
    prompts, replies : (N,) int64, tokens, each at least 1.
    """

    arrivals_s: NDArray[np.float64]
    prompts: NDArray[np.int64]
    replies: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.arrivals_s)

    @property
    def rate(self) -> float:
        """Mean arrivals per second, 0 where all come at once."""
        span = float(self.arrivals_s[-1])
        return (len(self) - 1) / span if span > 0.0 else 0.0

    def first(self, count: int) -> Trace:
        """Return the first `count` requests, or all where there are fewer."""
        return Trace(self.arrivals_s[:count], self.prompts[:count], self.replies[:count])

    def at_rate(self, rate: float) -> Trace:
        """Return the same requests, with time stretched so that `rate` of them come in a second on average."""
        return replace(self, arrivals_s=self.arrivals_s * (self.rate / rate))

    def scaled(self, prompt_limit: int, reply_limit: int) -> Trace:
        """Return the trace with lengths that fit a small model.

        Lengths longer than their limit allows are scaled: a column whose 95th percentile exceeds its limit is
        multiplied by limit / percentile and rounded up; what is still above the limit becomes the limit. Arrivals stay.
        """
        return Trace(self.arrivals_s, _scaled(self.prompts, prompt_limit), _scaled(self.replies, reply_limit))


def read_trace(path: Path) -> Trace:
    """Return the trace of a CSV file with the columns TIMESTAMP, ContextTokens and GeneratedTokens.

    Further columns are passed over. Timestamps are ISO 8601, UTC where they name no offset, ascending; tokens are
    whole numbers, at least 1.

    Raises
    ------
    FileProblem
        When the file cannot be read or a line of it is wrong: names file and line.
    """
    reader = csv.DictReader(read_text(path).splitlines())
    missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise FileProblem(
            f"has no column {missing[0]}",
            place=Place(str(path), line=1),
            right="the first line is " + ",".join(_COLUMNS),
        )
    times: list[float] = []
    lengths: list[tuple[int, int]] = []
    for line, row in _rows(reader, path):
        place = Place(str(path), line=line)
        time = _time(row["TIMESTAMP"], place)
        if times and time < times[-1]:
            raise FileProblem("comes before the line above", place=place, right="sort the lines by TIMESTAMP")
        times.append(time)
        lengths.append((_tokens(row, _COLUMNS[1], place), _tokens(row, _COLUMNS[2], place)))
    if not times:
        raise FileProblem("holds no request", place=Place(str(path)), right="one line a request")
    columns = np.array(lengths, dtype=np.int64)
    return Trace(np.array(times) - times[0], columns[:, 0].copy(), columns[:, 1].copy())


def synthetic_trace(count: int, seed: int) -> Trace:
    """Return a trace of the kind of the public hour of conversations, which it does not need.

    Poisson arrivals at 5.53 a second; lengths of prompts and replies independent and log-normal, with that hour's mean
    and standard deviation of the logarithm, and at least 1 (fitted by us). Depends on `count` and `seed` alone.
    """
    drawn = np.random.default_rng(seed)
    arrivals = np.cumsum(drawn.exponential(1.0 / _RATE, size=count))
    prompts, replies = (
        np.maximum(1, np.rint(drawn.lognormal(*log, size=count))).astype(np.int64)
        for log in (_PROMPT_LOG, _REPLY_LOG)
    )
    return Trace(arrivals - arrivals[0], prompts, replies)


def _rows(reader: csv.DictReader[str], path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        place = Place(str(path), line=reader.line_num + 1)  # of the line that was not taken
        raise FileProblem(f"is no CSV ({error})", place=place, right="close every quote") from None


def _scaled(lengths: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    long = float(np.percentile(lengths, _PERCENTILE))
    scale = min(1.0, limit / long)
    fitted: NDArray[np.int64] = np.minimum(limit, np.ceil(lengths * scale)).astype(np.int64)
    return fitted


def _time(text: str, place: Place) -> float:
    """Return the seconds since 1970 of a timestamp; the trace has seven digits of a second, Python six."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise FileProblem(
            f"'{text}' is no time", place=place, right="for example 2023-11-16 18:15:46.6805900"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _tokens(row: dict[str, str], name: str, place: Place) -> int:
    text = row[name]
    try:
        tokens = int(text)
    except (TypeError, ValueError):
        tokens = 0
    if tokens < 1:
        raise FileProblem(f"'{text}' is no number of {name}", place=place, right="a whole number, at least 1")
    return tokens
