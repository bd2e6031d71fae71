"""`protect`: a dispatch mode that runs an unmodified program's operators under checks, forward and backward."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from skyhall.integrity.ledger import Ledger
from skyhall.integrity.operators import HANDLERS, makes_numbers, run_twice
from skyhall.integrity.report import Report, Verdict

__all__ = ["Protection"]


class Protection(TorchDispatchMode):
    """Runs what happens inside it under protection; `protect` makes it.

    A clean run gives the same bits as without: checks read, and draw from a generator of their own.

    Parameters
    ----------
    ledger : of the job.
    """

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger
        self._watch: list[Any] = []

    @property
    def report(self) -> Report:
        """What was checked, detected, corrected, and left uncovered so far."""
        return self.ledger.report

    def verdict(self) -> Verdict:
        """Return the step's verdict by one read of the device; call it before the step's results are used."""
        return self.ledger.verdict()

    def __enter__(self) -> Protection:
        self._watch.append(torch.nn.modules.module.register_module_forward_pre_hook(_warn_of_compiled))
        super().__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)
        self._watch.pop().remove()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operator under its check; count it where there is none."""
        named = kwargs or {}
        ledger = self.ledger
        if ledger.paused or ledger.level in ("none", "sums"):
            return func(*args, **named)
        handler = HANDLERS.get(func)
        if handler is not None:
            return handler(ledger, func, args, named)
        if not makes_numbers(func):
            return func(*args, **named)
        if ledger.level == "full":
            return run_twice(ledger, func, args, named)
        result = func(*args, **named)
        ledger.uncovered(func._opname, result)
        return result


def _warn_of_compiled(module: torch.nn.Module, _: Any) -> None:
    if type(module).__name__ == "OptimizedModule":
        warnings.warn(
            "a compiled model runs eagerly inside `with protect()`; use protect(model) and compile that",
            RuntimeWarning,
            stacklevel=3,
        )
