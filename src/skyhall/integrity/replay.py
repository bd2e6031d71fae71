"""Sampled replay: one step in N is executed again elsewhere from the same bits, and the digests are compared.

It finds what no check on one node can: a defect that always computes the same wrong result there. It misses what
happens between the samples, so it adds to the other layers and replaces none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn

from skyhall.integrity.determinism import refuse_nondeterminism
from skyhall.integrity.errors import IntegrityError
from skyhall.integrity.exact import Snapshot
from skyhall.integrity.ledger import Ledger
from skyhall.integrity.report import Report

__all__ = ["Replay"]

T = TypeVar("T")


class Replay:
    """Has one step in `every` executed again elsewhere.

    Parameters
    ----------
    model, optimizer : of the job.
    every : steps from one sample to the next, at least 1; the first sample is the first step.
    elsewhere : takes the state before the step and what the caller gave as the step's data, executes the step on
        another node, and returns the digest of the state after it, as `Snapshot.digest`.

    Raises
    ------
    IntegrityError : no interval, or a setting under which equal bits cannot be promised.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        every: int,
        elsewhere: Callable[[Snapshot, Any], str],
    ) -> None:
        if every < 1:
            raise IntegrityError(f"a sample every {every} steps is none", "give at least 1")
        refuse_nondeterminism(model)
        self._model = model
        self._optimizer = optimizer
        self._every = every
        self._elsewhere = elsewhere
        self._ledger = Ledger.exact("the steps between two samples" if every > 1 else "")
        self._count = 0

    @property
    def report(self) -> Report:
        """Samples that were compared, and those that differed."""
        return self._ledger.report

    def run(self, step: Callable[[], T], data: Any = None) -> tuple[T, bool]:
        """Execute one step; return what it returned, and False if its replay gave another digest.

        Parameters
        ----------
        step : the step.
        data : what the other node needs besides the state, such as the batch.
        """
        sampled = self._count % self._every == 0
        self._count += 1
        if not sampled:
            return step(), True
        before = Snapshot.take(self._model, self._optimizer)
        result = step()
        here = Snapshot.take(self._model, self._optimizer).digest
        there = self._elsewhere(before, data)
        self._ledger.checked("replays")
        agrees = here == there
        if not agrees:
            self._ledger.alarm("copy", f"replay of step {self._count - 1}", "uncorrected")
        self._ledger.verdict()
        return result, agrees
