"""`protect`: a dispatch mode that runs an unmodified program's operators under checks, forward and backward."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

from skyhall.integrity.arithmetic import uncovered_arithmetic
from skyhall.integrity.gradients import GradientWatch
from skyhall.integrity.ledger import Ledger
from skyhall.integrity.operators import HANDLERS, composite, makes_numbers, run_twice
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
        self.gradients: GradientWatch | None = None  # of a step's guard
        self._watches: list[Any] = []

    @property
    def report(self) -> Report:
        """What was checked, detected, corrected, and left uncovered so far."""
        return self.ledger.report

    def verdict(self) -> Verdict:
        """Return the step's verdict by one read of the device; call it before the step's results are used."""
        return self.ledger.verdict()

    def __enter__(self) -> Protection:
        self._watches.append(_watch_compiled_models())
        super().__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)
        if (undo := self._watches.pop()) is not None:
            undo()

    @contextmanager
    def again(self) -> Iterator[None]:
        """Be in force inside an operator's own dispatch."""
        super().__enter__()
        try:
            yield
        finally:
            super().__exit__(None, None, None)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operator under its check; count it where there is none."""
        named = kwargs or {}
        watch = self.gradients
        if watch is None or self.ledger.paused:
            return self._run(func, args, named)
        written = watch.writing(func, args, named)
        result = self._run(func, args, named)
        if written:
            watch.wrote(written)
        return result

    def _run(self, func: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        ledger = self.ledger
        if ledger.paused or ledger.level in ("none", "sums"):
            return func(*args, **named)
        handler = HANDLERS.get(func)
        if handler is not None:
            return handler(ledger, func, args, named)
        if composite(func, args):  # below autograd, they arrive whole
            with self.again():
                parts = func.decompose(*args, **named)
            if parts is not NotImplemented:
                return parts
        if not makes_numbers(func):
            return func(*args, **named)
        if ledger.level == "full":
            return run_twice(ledger, func, args, named)
        result = func(*args, **named)
        ledger.uncovered(func._opname, result, uncovered_arithmetic(func, args, named, result))
        return result


def _watch_compiled_models() -> Any:
    """Let compiled models warn when they are called; return what undoes it, None where none can exist."""
    dynamo = sys.modules.get("torch._dynamo.eval_frame")
    if dynamo is None:
        return None
    compiled = dynamo.OptimizedModule
    call = compiled.__call__

    def warned(module: Any, *args: Any, **kwargs: Any) -> Any:
        warnings.warn(
            "a compiled model runs eagerly inside `with protect()`; use protect(model) and compile that",
            RuntimeWarning,
            stacklevel=2,
        )
        return call(module, *args, **kwargs)

    compiled.__call__ = warned

    def undo() -> None:
        compiled.__call__ = call

    return undo
