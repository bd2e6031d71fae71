"""Campaigns: many faults, one at a time, stratum by stratum, and what each level of protection made of them.

A stratum is a target, a dtype and some bits. Its faults are drawn once, uniformly over bits and elements of the
target's sites, and every level meets the same ones. Each fault begins from the same state and is compared with the
clean run, bit by bit and by what is visible. What a fault does without protection is what detection is measured
against: of the faults that would have been visible (or NaN), how many raised an alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np

from skyhall.integrity.bits import DTYPES, bits_of, dtype_name
from skyhall.integrity.errors import IntegrityError, nearest
from skyhall.integrity.faults import FaultList, FaultModel, Site
from skyhall.integrity.injection import Injector
from skyhall.integrity.outcomes import OUTCOMES, Observation, interval_of, judge, lower_bound
from skyhall.integrity.shields import SHIELDS
from skyhall.integrity.subjects import Shield, Subject

__all__ = ["Campaign", "DetectedShare", "Row", "Stratum", "detected_share", "run_campaign"]

_QUIET = FaultList(())
_LEARNING = 10  # clean runs, after which a guard's band has its median


@dataclass(frozen=True, slots=True)
class Stratum:
    """Where faults are drawn: a target, the dtype of what is hit, bits as `bits.bits_of` names them, a shape."""

    target: str
    dtype: str
    bits: str = "all"
    shape: str = "single"


@dataclass(frozen=True, slots=True)
class Row:
    """What came of the faults of one stratum at one level.

    Attributes
    ----------
    injected : faults, each in a run of its own.
    masked, silent, visible, nan : what came out at this level, after its repairs; they sum to `injected`.
    detected : faults that raised an alarm.
    corrected : of those, the runs that ended bit for bit like the clean one.
    harmful : faults whose outcome without protection is visible or NaN.
    harmful_detected : of those, detected.
    """

    target: str
    dtype: str
    bits: str
    level: str
    injected: int = 0
    masked: int = 0
    silent: int = 0
    visible: int = 0
    nan: int = 0
    detected: int = 0
    corrected: int = 0
    harmful: int = 0
    harmful_detected: int = 0

    def interval(self, column: str) -> tuple[float, float]:
        """Return the 95 % interval of a column's share of `injected`; of `harmful` for "harmful_detected"."""
        trials = self.harmful if column == "harmful_detected" else self.injected
        return interval_of(getattr(self, column), trials)

    def as_dict(self) -> dict[str, object]:
        """Return the row as plain values, with the intervals of its shares."""
        names = ("target", "dtype", "bits", "level", "injected", *OUTCOMES, "detected", "corrected")
        row: dict[str, object] = {name: getattr(self, name) for name in names}
        row |= {"harmful": self.harmful, "harmful_detected": self.harmful_detected}
        shown = (*OUTCOMES, "detected", "corrected", "harmful_detected")
        return row | {"interval": {name: list(self.interval(name)) for name in shown}}


@dataclass(frozen=True, slots=True)
class DetectedShare:
    """Of the faults that would have been visible or NaN, the share that was detected, with its one-sided 95 % bound."""

    level: str
    harmful: int
    detected: int
    share: float
    lower_bound: float


def run_campaign(
    subject: Subject,
    strata: Sequence[Stratum],
    levels: Sequence[str],
    *,
    count: int,
    seed: int,
    progress: Callable[[str, float], None] = lambda what, share: None,
) -> Iterator[Row]:
    """Yield a row for each stratum and level, as soon as it is known.

    Parameters
    ----------
    levels : of `shields.SHIELDS`.
    count : faults in each stratum.
    progress : told (what, share done) as it goes.

    Raises
    ------
    IntegrityError
        As `Campaign`; and when a stratum has no such bits.
    """
    campaign = Campaign(subject, levels)
    for number, stratum in enumerate(strata):
        # A stratum's faults depend on the seed and itself alone, not on what else is asked.
        own = crc32(f"{stratum.target} {stratum.dtype} {stratum.bits} {stratum.shape}".encode())
        model = FaultModel((stratum.target,), stratum.bits, {stratum.shape: 1.0}, count)
        sites = campaign.sites(stratum.target, stratum.dtype, stratum.bits)
        faults = model.draw(sites, 1, np.random.default_rng([seed, own]))
        bits = stratum.bits if stratum.shape == "single" else f"{stratum.bits} {stratum.shape}"

        def told(what: str, share: float, done: int = number) -> None:
            progress(what, (done + share) / len(strata))

        yield from campaign.rows(stratum.target, stratum.dtype, bits, faults, progress=told)


class Campaign:
    """A program that is hit by one fault at a time: its clean run, and what each level makes of a fault.

    Parameters
    ----------
    subject : the program.
    levels : of `shields.SHIELDS`.

    Raises
    ------
    IntegrityError
        When a level raises an alarm without a fault or changes a bit of the clean result, and when the clean run is not
        the same twice.
    """

    def __init__(self, subject: Subject, levels: Sequence[str]) -> None:
        for level in levels:
            if level not in SHIELDS:
                raise IntegrityError(f"there is no level '{level}'", nearest(level, SHIELDS))
        self._subject, self._levels = subject, levels
        self._shields = {
            level: SHIELDS[level](subject.model, subject.optimizer) for level in ("none", *levels)
        }
        self._clean, self._sites = _clean(subject, self._shields)

    def sites(self, target: str, dtype: str, bits: str) -> list[Site]:
        """Return what can be hit of a target in a dtype; `IntegrityError` where nothing has these bits."""
        if dtype in DTYPES:
            bits_of(DTYPES[dtype], bits)  # says what is wrong with them
        chosen = [site for site in self._sites if (site.target, site.dtype) == (target, dtype)]
        if not chosen:
            have = sorted({f"{site.target} in {site.dtype}" for site in self._sites})
            raise IntegrityError(f"the program has no {target} in {dtype}", f"it has {', '.join(have)}")
        return chosen

    def rows(
        self,
        target: str,
        dtype: str,
        bits: str,
        faults: FaultList,
        *,
        progress: Callable[[str, float], None] = lambda what, share: None,
    ) -> list[Row]:
        """Return what each level made of faults, each in a run of its own whatever its step; a row for each level.

        Raises
        ------
        IntegrityError
            For a fault that finds nothing to hit in this program.
        """
        found = {level: _Tally() for level in self._levels}
        for number, fault in enumerate(faults, start=1):
            one = FaultList((replace(fault, step=0),))
            seen, _, hits = _run(self._subject, one, self._shields["none"])
            if not hits:
                raise IntegrityError(
                    f"step {fault.step} hits {fault.target} {fault.place} of {fault.name}, which does not run here",
                    "the list was made for another program",
                )
            bare = judge(self._clean, seen)
            for level in self._levels:
                if level == "none":
                    found[level].add(bare, bare, False)
                    continue
                seen, alarmed, _ = _run(self._subject, one, self._shields[level])
                found[level].add(bare, judge(self._clean, seen), alarmed)
            progress(f"{target} {dtype}", number / len(faults))
        return [Row(target, dtype, bits, level, **found[level].counts) for level in self._levels]


def detected_share(rows: Sequence[Row], level: str) -> DetectedShare:
    """Return what a level detected of the harmful faults of all its rows."""
    chosen = [row for row in rows if row.level == level]
    harmful, detected = sum(row.harmful for row in chosen), sum(row.harmful_detected for row in chosen)
    share = detected / harmful if harmful else float("nan")
    return DetectedShare(level, harmful, detected, share, lower_bound(detected, harmful))


@dataclass(slots=True)
class _Tally:
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("injected", *OUTCOMES, "detected", "corrected", "harmful", "harmful_detected"), 0
        )
    )

    def add(self, bare: str, seen: str, alarmed: bool) -> None:
        harmful = bare in ("visible", "nan")
        self.counts["injected"] += 1
        self.counts[seen] += 1
        self.counts["detected"] += alarmed
        self.counts["corrected"] += alarmed and seen == "masked"
        self.counts["harmful"] += harmful
        self.counts["harmful_detected"] += harmful and alarmed


def _clean(subject: Subject, shields: Mapping[str, Shield]) -> tuple[Observation, list[Site]]:
    """Return the clean run and what it can be hit at; every level must give the same bits without an alarm.

    Each level sees the clean run as often as its guards need to know what is normal.
    """
    subject.restore()
    injector = Injector(subject.model, subject.optimizer, _QUIET)
    clean = subject.run(injector, shields["none"])
    injector.begin(1)  # the kernels of the step are known now
    injector.kernels.close()
    passing = [
        Site("batch", f"batch.{place}", dtype_name(part.dtype), tuple(part.shape))
        for place, part in enumerate(subject.batch)
    ]
    for level, shield in shields.items():
        for _ in range(1 if level in ("none", "exact") else _LEARNING):
            seen, alarmed, _ = _run(subject, _QUIET, shield)
            if seen.error:
                raise IntegrityError(
                    f"without a fault, level '{level}' ends in {seen.error}", "leave that level out"
                )
            if alarmed or judge(clean, seen) != "masked":
                what = "an alarm" if alarmed else "other bits"
                raise IntegrityError(
                    f"without a fault, level '{level}' gives {what}", "the program must be deterministic"
                )
    return clean, [*injector.sites(), *passing]


def _run(subject: Subject, faults: FaultList, shield: Shield) -> tuple[Observation, bool, int]:
    """Return what came out of one run from the kept state, whether there was an alarm, and how many faults hit."""
    subject.restore()
    shield.accept()
    before = shield.detected
    injector = Injector(subject.model, subject.optimizer, faults)
    try:
        seen = subject.run(injector, shield)
    except (ArithmeticError, IndexError, RuntimeError) as error:
        # The program itself noticed: a token outside the vocabulary, an index outside a tensor; or a guard gave up.
        return Observation((), None, (), type(error).__name__), True, len(injector.hits)
    finally:
        injector.kernels.close()
    return seen, shield.detected > before, len(injector.hits)
