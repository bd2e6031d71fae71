"""Real satellites: published element sets flown with SGP4, or turned into mean elements of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from sgp4.api import SGP4_ERRORS, SatrecArray

from skyhall.constants import DAY, EARTH_GM, EARTH_J2, EARTH_J3, EARTH_RADIUS, MINUTE
from skyhall.errors import Place, ValueProblem
from skyhall.orbit.element_formats import Entry, read_entries
from skyhall.orbit.elements import HIGHEST_ALTITUDE, MeanElements, position
from skyhall.types import Array

__all__ = ["Dropped", "ElementSets", "Ephemeris", "parse_element_sets"]

NEARLY_CIRCULAR: Final = 0.02  # eccentricity up to which positions of first order are good to some km


@dataclass(frozen=True, slots=True)
class Dropped:
    """An element set that is not flown: its name (or number), why, and its line in the file."""

    name: str
    reason: str
    line: int | None = None

    def __str__(self) -> str:
        where = "" if self.line is None else f" (line {self.line})"
        return f"{self.name}{where}: {self.reason}"


class Ephemeris(NamedTuple):
    """Positions (m, TEME, shape (n, steps, 3), NaN where SGP4 fails) and where it failed (n, steps)."""

    position: Array
    failed: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ElementSets:
    """Element sets that can be flown, one per satellite, and those dropped.

    Parameters
    ----------
    names : one per satellite.
    satrecs : the sgp4 library's records (WGS 72, as the sets are published).
    dropped : every set of the file that is not among them, with its reason.
    source : the file they came from, for messages.
    """

    names: list[str]
    satrecs: list[Any]
    dropped: list[Dropped] = field(default_factory=list)
    source: str = ""

    def __len__(self) -> int:
        return len(self.satrecs)

    @property
    def epochs(self) -> Array:
        """Epochs of the sets, Julian dates in UTC, days."""
        return np.array([each.jdsatepoch + each.jdsatepochF for each in self.satrecs])

    @property
    def not_circular(self) -> npt.NDArray[np.bool_]:
        """Which satellites are too eccentric (above 0.02) to be flown as nearly circular orbits."""
        return np.array([each.ecco > NEARLY_CIRCULAR for each in self.satrecs], dtype=np.bool_)

    def __getitem__(self, index: slice | Sequence[int]) -> ElementSets:
        """Return the sets that `index` selects; nothing is added to the dropped ones."""
        chosen = range(len(self))[index] if isinstance(index, slice) else index
        return replace(self, names=[self.names[i] for i in chosen], satrecs=[self.satrecs[i] for i in chosen])

    def flyable(self, julian_date: float, duration_s: float = 0.0, *, checks: int = 25) -> ElementSets:
        """Return the sets that SGP4 can fly from `julian_date` on; the others join `dropped` with the reason.

        Parameters
        ----------
        julian_date : start, UTC, days.
        duration_s : s; SGP4 is asked at `checks` moments from start to end.

        Raises
        ------
        ValueProblem : SGP4 can fly none of them.
        """
        seconds = np.linspace(0.0, duration_s, checks if duration_s else 1)
        codes, _ = self._propagate(julian_date, seconds)
        worst = codes.max(axis=1)
        reasons = [
            Dropped(name, f"SGP4 fails at the scenario's time: {SGP4_ERRORS.get(code, code)}")
            for name, code in zip(self.names, worst.tolist(), strict=True)
            if code
        ]
        if len(reasons) == len(self):
            raise _nothing_left(self.source, reasons)
        left = self[np.flatnonzero(worst == 0).tolist()]
        return replace(left, dropped=self.dropped + reasons)

    def nearly_circular(self) -> ElementSets:
        """Return the sets that may fly as nearly circular orbits; the others join `dropped` with the reason.

        Raises
        ------
        ValueProblem : none of them is nearly circular.
        """
        reasons = [
            Dropped(name, f"eccentricity {each.ecco:.3f} is above {NEARLY_CIRCULAR}: only SGP4 flies it")
            for name, each in zip(self.names, self.satrecs, strict=True)
            if each.ecco > NEARLY_CIRCULAR
        ]
        if len(reasons) == len(self):
            raise _nothing_left(self.source, reasons)
        left = self[np.flatnonzero(~self.not_circular).tolist()]
        return replace(left, dropped=self.dropped + reasons)

    def above(self, altitude: float, julian_date: float) -> ElementSets:
        """Return the sets whose mean orbit lies above `altitude` (m) then; the others join `dropped`.

        Raises
        ------
        ValueProblem : none of them does.
        """
        heights = self.mean_elements(julian_date).semi_major_axis - EARTH_RADIUS
        kept = (heights >= altitude) & (heights <= HIGHEST_ALTITUDE)
        reasons = [
            Dropped(
                name,
                f"mean altitude {height / 1e3:,.0f} km: not an orbit that is kept (from {altitude / 1e3:g} km)",
            )
            for name, height, good in zip(self.names, heights, kept, strict=True)
            if not good
        ]
        if len(reasons) == len(self):
            raise _nothing_left(self.source, reasons)
        left = self[np.flatnonzero(kept).tolist()]
        return replace(left, dropped=self.dropped + reasons)

    def positions(self, julian_date: npt.ArrayLike, seconds: npt.ArrayLike = 0.0) -> Ephemeris:
        """Return SGP4 positions of every satellite at ``julian_date + seconds``.

        Parameters
        ----------
        julian_date, seconds : UTC days, and s after them; together of shape (steps,). A start and seconds
            keep the time to a nanosecond, Julian dates alone to 40 microseconds.
        """
        codes, kilometres = self._propagate(julian_date, seconds)
        failed = codes != 0
        return Ephemeris(np.where(failed[..., None], np.nan, kilometres * 1e3), failed)

    def _propagate(self, julian_date: npt.ArrayLike, seconds: npt.ArrayLike) -> tuple[Any, Any]:
        dates, after = np.broadcast_arrays(
            np.asarray(julian_date, np.float64), np.asarray(seconds, np.float64)
        )
        days = np.atleast_1d(np.floor(dates))
        shares = np.atleast_1d(dates - np.floor(dates) + after / DAY)
        codes, kilometres, _ = SatrecArray(self.satrecs).sgp4(days, shares)
        return codes, kilometres

    def mean_elements(self, julian_date: float, duration_s: float = DAY) -> MeanElements:
        """Return mean elements at `julian_date`, for flying without SGP4 for `duration_s`.

        SGP4's own mean elements there (secular rates, drag, lunisolar and resonant terms up to that moment;
        the mean motion without Kozai's term, as drag leaves it in the middle of the flight), and J3's
        long-period shift of the eccentricity vector, which stands still over a day. From then on only our
        secular rates act; `fit_error_km` says what that costs.

        Raises
        ------
        ValueProblem : SGP4 fails for a satellite; call `flyable` first.

        References
        ----------
        Hoots and Roehrich 1980, Spacetrack Report No. 3, section 6.
        """
        day = float(np.floor(julian_date))
        share = julian_date - day
        rows = []
        for name, each in zip(self.names, self.satrecs, strict=True):
            later, _, _ = each.sgp4(day, share + 0.5 * duration_s / DAY)
            motion = each.nm
            code = each.sgp4(day, share)[0] or later
            if code:
                raise ValueProblem(
                    f"SGP4 fails for {name}: {SGP4_ERRORS.get(code, code)}", place=Place(self.source or None)
                )
            rows.append((motion, each.em, each.im, each.Om, each.om, each.mm))
        motion, eccentricity, inclination, raan, perigee, anomaly = np.array(rows).reshape(-1, 6).T
        axis = np.cbrt(EARTH_GM / np.square(motion / MINUTE))
        return _with_long_period(MeanElements(axis, eccentricity, inclination, raan, perigee, anomaly))

    def fit_error_km(self, julian_date: float, duration_s: float = DAY, *, samples: int = 97) -> Array:
        """Return how far each satellite's mean elements stray from SGP4 (km, worst moment, shape (n,)).

        Parameters
        ----------
        julian_date : epoch of the mean elements and start of the comparison, UTC, days.
        duration_s, samples : s, and moments compared, start and end included.
        """
        seconds = np.linspace(0.0, duration_s, samples)
        ours = position(self.mean_elements(julian_date, duration_s)[:, None], seconds)
        theirs = self.positions(julian_date, seconds).position
        return np.asarray(np.linalg.norm(ours - theirs, axis=-1).max(axis=-1) / 1e3, dtype=np.float64)


def _with_long_period(mean: MeanElements) -> MeanElements:
    flatness = 1.0 - np.square(mean.eccentricity)
    reach = EARTH_RADIUS / (mean.semi_major_axis * flatness)
    shift = -0.5 * EARTH_J3 / EARTH_J2 * reach * np.sin(mean.inclination)
    along = mean.eccentricity * np.cos(mean.argument_of_perigee)
    across = mean.eccentricity * np.sin(mean.argument_of_perigee) + shift
    perigee = np.arctan2(across, along)
    return replace(
        mean,
        eccentricity=np.hypot(along, across),
        argument_of_perigee=perigee,
        mean_anomaly=mean.mean_anomaly + mean.argument_of_perigee - perigee,
    )


def parse_element_sets(text: str, source: str = "") -> ElementSets:
    """Return the element sets of `text`: TLE of two or three lines, OMM as KVN, XML, JSON or CSV.

    Sets with a wrong checksum, bad columns or missing values, and all but the newest set of a satellite, are
    dropped and named with the reason.

    Parameters
    ----------
    text : the whole file; its format is recognised.
    source : its name, for messages.

    Raises
    ------
    ValueProblem : the file is empty, cannot be read, or no set of it is good.
    """
    entries = read_entries(text, source)
    dropped = [Dropped(each.name, each.reason, each.line) for each in entries if each.reason]
    kept, older = _newest([each for each in entries if not each.reason])
    if not kept:
        raise _nothing_left(source, dropped)
    return ElementSets(
        names=[each.name for each in kept],
        satrecs=[each.satrec for each in kept],
        dropped=sorted(dropped + older, key=lambda each: each.line or 0),
        source=source,
    )


def _newest(entries: list[Entry]) -> tuple[list[Entry], list[Dropped]]:
    best: dict[str, Entry] = {}
    older = []
    for each in entries:
        key = each.number.lstrip("0") or each.name
        rival = best.get(key)
        if rival is None:
            best[key] = each
            continue
        newer = _epoch_of(each) >= _epoch_of(rival)
        loser = rival if newer else each
        older.append(Dropped(loser.name, "a newer set of the same satellite is kept", loser.line))
        best[key] = each if newer else rival
    return list(best.values()), older


def _epoch_of(entry: Entry) -> float:
    return float(entry.satrec.jdsatepoch + entry.satrec.jdsatepochF)


def _nothing_left(source: str, dropped: list[Dropped]) -> ValueProblem:
    first = dropped[0] if dropped else Dropped("", "nothing in it looks like an element set")
    what = f"holds no usable element set; {len(dropped)} dropped, first {first.name!r}: {first.reason}"
    return ValueProblem(
        what, place=Place(source or None, line=first.line), right="give TLE or OMM (KVN, XML, JSON, CSV)"
    )
