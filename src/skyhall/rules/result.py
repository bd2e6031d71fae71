"""What a rule said."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["RuleResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """One rule applied to one shell of a fleet, the worst of them.

    Attributes
    ----------
    rule : name, e.g. ``disposal_time``.
    value : what the fleet does, in `unit`; infinite where it never ends, or cannot be seen.
    limit : what is asked for, in `unit`; None where no authority sets a number.
    sense : whether the value must be ``at most`` or ``at least`` the limit.
    source : who sets the limit; where nobody does, whose figures the value rests on.
    shell : the design that it holds for; empty where it is the whole fleet.
    note : what the value is made of.
    """

    rule: str
    value: float
    unit: str
    limit: float | None
    sense: Literal["at most", "at least"] = "at most"
    source: str
    shell: str = ""
    note: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether the rule is met; None where there is no limit: information, not a failure."""
        if self.limit is None:
            return None
        return self.value <= self.limit if self.sense == "at most" else self.value >= self.limit

    @property
    def excess(self) -> float:
        """How far the value is on the wrong side of its limit, in `unit`: the worst shell has the most."""
        over = self.value - (self.limit or 0.0)
        return over if self.sense == "at most" else -over

    def as_dict(self) -> dict[str, object]:
        """Return the row of ``skyhall rules --json``, in which an infinite value is null."""
        return {
            "rule": self.rule,
            "value": self.value if math.isfinite(self.value) else None,
            "limit": self.limit,
            "pass": self.passed,
            "source": self.source,
            "unit": self.unit,
            "shell": self.shell,
            "note": self.note,
        }
