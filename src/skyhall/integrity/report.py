"""What protection did: the report of a job, and the verdict of one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Alarm", "Report", "Verdict"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm and what came of it.

    Parameters
    ----------
    step : number of the step, from 0.
    target : what was wrong: product, attention, state, gradient, update, copy, guard, error or operator.
    where : operator or tensor.
    action : corrected (the re-run agrees with its check), confirmed (the re-run gave the same bits and only a guard
        had doubted), restored, redone, or uncorrected.
    rows : rows of a product that the re-run changed; None where that has no meaning.
    """

    step: int
    target: str
    where: str
    action: str
    rows: tuple[int, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "step": self.step,
            "target": self.target,
            "where": self.where,
            "action": self.action,
            "rows": None if self.rows is None else list(self.rows),
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one step's checks say together; it is true where the step may be trusted.

    Parameters
    ----------
    trusted : no alarm is left open; the step's results may be used.
    detected : alarms of the step.
    corrected : those that a re-run of the same kernel settled.
    open : targets of the others.
    """

    trusted: bool
    detected: int
    corrected: int
    open: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.trusted


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked, found, repaired, and left without cover.

    Parameters
    ----------
    level : of protection; "exact" where whole executions are compared, and operators are in no count.
    steps : verdicts that were read.
    checked : executions under a check, by operator.
    unchecked : executions whose check could say nothing (NaN or infinity in the inputs, overflow), by operator.
    detected, corrected, uncorrected : alarms, by target; what is neither corrected nor uncorrected was redone, restored
        or confirmed.
    redone : steps that were run again.
    confirmed : alarms of guards that a re-run reproduced bit for bit: false alarms, or defects that stay.
    uncovered : bytes that operators without a check wrote, by operator.
    covered_bytes : bytes that operators under a check wrote.
    covered_flops, uncovered_flops : arithmetic with and without a check; an uncovered operator counts one operation
        an element of what it writes, or its products where it is a fused layer or a product.
    alarms : the first thousand alarms one by one.
    unseen : what ran out of the protection's sight and is in no count; empty where nothing did.
    """

    level: str
    steps: int = 0
    checked: Mapping[str, int] = field(default_factory=dict)
    unchecked: Mapping[str, int] = field(default_factory=dict)
    detected: Mapping[str, int] = field(default_factory=dict)
    corrected: Mapping[str, int] = field(default_factory=dict)
    uncorrected: Mapping[str, int] = field(default_factory=dict)
    redone: int = 0
    confirmed: int = 0
    uncovered: Mapping[str, int] = field(default_factory=dict)
    covered_bytes: int = 0
    covered_flops: int = 0
    uncovered_flops: int = 0
    alarms: tuple[Alarm, ...] = ()
    unseen: str = ""

    @property
    def uncovered_share(self) -> dict[str, float]:
        """Share of written bytes and of arithmetic that no check covers, 0 to 1; all of it at "none" and "sums"."""
        if self.level in ("none", "sums"):
            return {"bytes": 1.0, "flops": 1.0}
        lost = sum(self.uncovered.values())
        written, computed = lost + self.covered_bytes, self.uncovered_flops + self.covered_flops
        return {
            "bytes": lost / written if written else 0.0,
            "flops": self.uncovered_flops / computed if computed else 0.0,
        }

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {
            "level": self.level,
            "steps": self.steps,
            "checked": dict(self.checked),
            "unchecked": dict(self.unchecked),
            "detected": dict(self.detected),
            "corrected": dict(self.corrected),
            "uncorrected": dict(self.uncorrected),
            "redone": self.redone,
            "confirmed": self.confirmed,
            "uncovered": dict(self.uncovered),
            "uncovered_share": self.uncovered_share,
            "covered_bytes": self.covered_bytes,
            "covered_flops": self.covered_flops,
            "uncovered_flops": self.uncovered_flops,
            "unseen": self.unseen,
            "alarms": [each.as_dict() for each in self.alarms],
        }

    def __str__(self) -> str:
        share = self.uncovered_share
        said = (
            f"protection {self.level}: {sum(self.checked.values()):,} executions checked in {self.steps:,} steps; "
            f"detected {sum(self.detected.values()):,}, corrected {sum(self.corrected.values()):,}, "
            f"redone {self.redone:,} steps, uncorrected {sum(self.uncorrected.values()):,}; "
            f"without cover {100.0 * share['flops']:.2f} % of the arithmetic, "
            f"{100.0 * share['bytes']:.1f} % of the bytes"
        )
        return f"{said}; in no count: {self.unseen}" if self.unseen else said
