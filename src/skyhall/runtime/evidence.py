"""What a run proves: its result beside the undisturbed run's, what happened on the way, and what it cost."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from skyhall.runtime.state import RunPlan, RunState
from skyhall.work.queueing import Latencies, latencies

__all__ = ["BOUNDED_ERROR", "Evidence", "one_digest"]

# What `bounded` promises of a result's numbers, as a share of the undisturbed ones: below it the integrity library
# counts a change of a loss as not visible.
BOUNDED_ERROR = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The end of a run.

    Attributes
    ----------
    plan, state : of the run.
    outcome : what the job says with its final state.
    reference : the undisturbed run's digests (of the first state and after each unit), outcome and times; None where
        it was not asked for.
    arrivals : for each unit, when the requests that it answers come, s after the start; empty where nobody waits.
    wall_s : real time of the run, of all its legs where it was resumed; of a leg whose coordinator was killed from when
        its first satellite answered.
    folder : of the record.
    loose : names in the outcome that the job lets differ at `bounded`.
    """

    plan: RunPlan
    state: RunState
    outcome: Mapping[str, Any]
    reference: Mapping[str, Any] | None
    arrivals: Sequence[Sequence[float]]
    wall_s: float
    folder: Path
    loose: frozenset[str] = frozenset()

    @property
    def digest(self) -> str:
        """SHA-256 of the final state's checkpoint; of those of all parts, where there are several."""
        return one_digest(self.state.digests[self.state.verified])

    @property
    def differing(self) -> list[int]:
        """Units after which a verified digest is not the undisturbed run's."""
        if self.reference is None:
            return []
        quiet = self.reference["digests"]
        return sorted(done for done, digest in self.state.digests.items() if tuple(quiet[done]) != digest)

    @property
    def identical(self) -> bool | None:
        """Whether the final state is bit for bit the undisturbed run's; None without one."""
        return None if self.reference is None else one_digest(self.reference["digests"][-1]) == self.digest

    @property
    def outcome_difference(self) -> float | None:
        """Largest difference of a number of the outcome, as a share of the undisturbed one; None where none is in both.

        What is loose is left out; lists and mappings are looked into.
        """
        return max((_difference(*pair) for pair in self._compared() if _are_numbers(pair)), default=None)

    @property
    def outcome_changed(self) -> list[str]:
        """Names in the outcome whose texts, size or kind are not the undisturbed run's; without loose ones."""
        changed = {name for name, pair in self._pairs() if not _are_numbers(pair) and pair[0] != pair[1]}
        return sorted(changed - self.loose)

    @property
    def kept(self) -> bool | None:
        """Whether the level's promise was kept; None where nothing could be compared, and at level none."""
        if self.reference is None or self.plan.protect == "none":
            return None
        if self.plan.protect == "exact":
            return bool(self.identical) and not self.differing
        if not self._compared():
            return None
        return not self.outcome_changed and (self.outcome_difference or 0.0) <= BOUNDED_ERROR

    def _pairs(self) -> list[tuple[str, tuple[Any, Any]]]:
        """Return what the outcome and the undisturbed one say, leaf by leaf, with the name in the outcome."""
        if self.reference is None:
            return []
        own, quiet = dict(_leaves(self.outcome)), dict(_leaves(self.reference["outcome"]))
        paths = sorted({*own, *quiet}, key=str)
        return [(str(path[0]), (own.get(path), quiet.get(path))) for path in paths]

    def _compared(self) -> list[tuple[Any, Any]]:
        return [pair for name, pair in self._pairs() if name not in self.loose and pair != (None, None)]

    @property
    def processor_s(self) -> float:
        """Processor time of all executions, s; of those that were never reported at most the real time they took."""
        return self.state.busy_s + self.state.lost_busy_s

    @property
    def joules_per_step(self) -> float:
        """Processor time of all executions at the power of one accelerator, for each verified unit, J."""
        return self.processor_s * self.plan.sky.accelerator_w / self.state.verified

    @property
    def latencies(self) -> Latencies | None:
        """How long requests wait: units take the processor time that they took, in the outages that there were.

        A unit takes what `spent` says: real seconds of a processor. Outages are the simulated spans in which too few
        satellites could work. The trace begins with the first round, so that an outage after its last answer meets
        nobody. None where nobody waits.
        """
        start = self.state.began
        if not self.arrivals or start is None:
            return None
        service = [self.state.spent[number] for number in range(self.plan.units)]
        return latencies(self.arrivals, service, [(a - start, b - start) for a, b in self.state.waits])

    @property
    def unchecked_share(self) -> float | None:
        """Share of the arithmetic that no check covered at `bounded`; None at the other levels."""
        covered, not_covered = (self.state.counts[name] for name in ("covered_flops", "uncovered_flops"))
        return not_covered / (covered + not_covered) if covered + not_covered else None

    def faults(self) -> dict[str, int | None]:
        """Return what hit and what came of it.

        `uncovered` : at `exact`, verified digests that are not the undisturbed run's (None without one); at `bounded`,
        upsets without an alarm, harmless ones too; at `none` all.
        """
        counts = self.state.counts
        injected, detected = counts["injected"], counts["detected"]
        uncovered: int | None = injected
        if self.plan.protect == "exact":
            uncovered = None if self.reference is None else len(self.differing)
        elif self.plan.protect == "bounded":
            uncovered = max(0, injected - detected)
        return {
            "injected": injected,
            "detected": detected,
            "corrected": counts["corrected"],
            "redone": counts["redone"],
            "uncovered": uncovered,
        }

    def summary(self) -> dict[str, Any]:
        """Return the record's head: flat but for `faults`, units in the names."""
        state, counts, quiet = self.state, self.state.counts, self.reference
        return {
            "identical": self.identical,
            "promise_kept": self.kept,
            "digest": self.digest,
            "reference_digest": None if quiet is None else one_digest(quiet["digests"][-1]),
            "protect": self.plan.protect,
            "copies": self.plan.copies,
            "parts": self.plan.parts,
            "steps": state.verified,
            "validation_loss": self.outcome.get("validation_loss"),
            "outcome": dict(self.outcome),
            "latency_s": None if self.latencies is None else asdict(self.latencies),
            "outcome_difference": self.outcome_difference,
            "outcome_changed": None if quiet is None else self.outcome_changed,
            "verified_digests": len(state.digests),
            "differing_digests": None if quiet is None else len(self.differing),
            "eclipses": counts["eclipses"],
            "moves": counts["moves"],
            "kills": counts["kills"],
            "stops": counts["stops"],
            "faults": self.faults(),
            "acceleration": counts["injected"] / state.exposure if state.exposure else None,
            "uncorrected": counts["uncorrected"],
            "unchecked_arithmetic_share": self.unchecked_share,
            "replays": counts["replays"],
            "replays_differed": counts["replays_differed"],
            "replays_undecided": counts["replays_undecided"],
            "defective": counts["defective"],
            "steps_in_doubt": counts["units_in_doubt"],
            "unresolved_rounds": counts["unresolved"],
            "outvoted": counts["outvoted"],
            "checkpoints": counts["checkpoints"],
            "transfers": counts["transfers"],
            "moved_mb": state.moved_bits / 8e6,
            "transfer_s": state.move_s,
            "refused": counts["refused"],
            "coordinator_restarts": counts["coordinator_restarts"],
            "steps_lost": counts["units_lost"],
            "simulated_h": (state.now - self.plan.sky.start) / 3600.0,
            "wall_s": self.wall_s,
            "processor_s": self.processor_s,
            "lost_processor_s": state.lost_busy_s,
            "joules_per_verified_step": self.joules_per_step,
            "cost_over_undisturbed": None if quiet is None else self.processor_s / quiet["busy_s"],
            "record": str(self.folder),
        }


def one_digest(parts: Sequence[str]) -> str:
    """Return the digest of a state whose parts have these."""
    return parts[0] if len(parts) == 1 else hashlib.sha256("".join(parts).encode()).hexdigest()


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield what is no list and no mapping, with the keys that lead to it."""
    if not isinstance(value, (Mapping, list, tuple)):
        yield path, value
        return
    for key, each in value.items() if isinstance(value, Mapping) else enumerate(value):
        yield from _leaves(each, (*path, key))


def _are_numbers(pair: tuple[Any, Any]) -> bool:
    return all(isinstance(each, (int, float)) for each in pair)


def _difference(value: float, quiet: float) -> float:
    """Return how far a number is off; never NaN, which no comparison and no `max` would see."""
    if value == quiet or (math.isnan(value) and math.isnan(quiet)):
        return 0.0
    if not quiet or not math.isfinite(value) or not math.isfinite(quiet):
        return math.inf
    return abs(value - quiet) / abs(quiet)
