"""What a program computes, kernel by kernel: a dispatch mode that lists the results and lets faults hit them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from skyhall.integrity.bits import dtype_name
from skyhall.integrity.errors import IntegrityError
from skyhall.integrity.faults import Fault, Site

__all__ = ["KERNEL_TARGETS", "KernelHits"]

KERNEL_TARGETS = ("activations", "gradients", "updates")
# Results that no arithmetic made: fresh memory, and `_unsafe_view`, which shares memory without saying so.
_NOT_COMPUTED = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "_unsafe_view"}


class KernelHits(TorchDispatchMode):
    """Counts the results of kernels within a step, by target, and hits those that a fault names.

    Entered inside `protect`, it sees the program's own operators first: a fault's place is the same whatever the
    protection does below. When a fault is due it is armed before the operator runs. A protected kernel offers its raw
    result through `armed_hit` before checking it; if nobody took it, the operator's result is hit.

    Parameters
    ----------
    hit : called with a fault and the tensor to do it to.
    optimizer : its step is told apart as target "updates".
    strict : raise `IntegrityError` where another kernel runs than a fault names; otherwise the fault stays unmet.

    Attributes
    ----------
    sites : the results of the shortest step so far; a step that was redone has more.
    """

    def __init__(
        self,
        hit: Callable[[Fault, Tensor], None],
        optimizer: torch.optim.Optimizer | None,
        *,
        strict: bool = False,
    ) -> None:
        super().__init__()
        self._strict = strict
        self._misplaced = 0
        self.sites: list[Site] = []
        self._hit = hit
        self._due: dict[tuple[str, int], list[Fault]] = {}
        self._stuck: list[Fault] = []
        self._armed: list[Fault] = []
        self._offered: set[Fault] = set()
        self._seen: list[Site] = []
        self._counts = dict.fromkeys(KERNEL_TARGETS, 0)
        self._updating = self._went_back = False
        self._depth = 0  # how often it was entered and not left
        self._nested = False  # whether it ever was entered within itself
        self._busy = False  # below an operator that was seen already: what a protection does for its checks
        self._hooks: list[Any] = []
        if optimizer is not None:
            self._hooks = [
                optimizer.register_step_pre_hook(lambda *_: self._update(True)),
                optimizer.register_step_post_hook(lambda *_: self._update(False)),
            ]

    def begin_step(self, due: Sequence[Fault]) -> None:
        """Begin a step in which these faults are due; those that stick stay for the steps after it."""
        if self._seen and (not self.sites or len(self._seen) < len(self.sites)):
            self.sites = self._seen
        self._seen = []
        self._counts = dict.fromkeys(KERNEL_TARGETS, 0)
        self._went_back = False
        self._misplaced = 0
        self._stuck += [fault for fault in due if fault.stuck is not None]
        self._due = {}
        for fault in due:
            if fault.stuck is None:
                self._due.setdefault((fault.target, fault.place), []).append(fault)

    @property
    def unmet(self) -> int:
        """Faults of this step whose kernel has not run."""
        return self._misplaced + sum(len(faults) for faults in self._due.values())

    def close(self) -> None:
        """Let go of the optimiser."""
        for hook in self._hooks:
            hook.remove()

    def armed_hit(self, kernel: str, raw: Tensor) -> None:
        """Hit the raw result of a kernel with the faults that are armed; for `products.kernel_faults`."""
        data = _data(raw)
        for fault in [fault for fault in self._armed if dtype_name(data.dtype) == fault.dtype]:
            self._hit(fault, data)
            if fault.stuck is None:
                self._armed.remove(fault)
            else:  # a broken unit is there when the kernel is run again
                self._offered.add(fault)

    def __enter__(self) -> KernelHits:
        """Enter; within itself it takes over from the outer place for good."""
        self._depth += 1
        if self._depth > 1 and not self._nested:
            self._nested = True
            self._seen, self._counts = [], dict.fromkeys(KERNEL_TARGETS, 0)
        super().__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        """Leave."""
        super().__exit__(*raised)
        self._depth -= 1
        self._updating = False  # an exception may have ended the optimiser's step before its hook

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operator, and hit its result where a fault is due."""
        kwargs = kwargs or {}
        if self._busy or (self._nested and self._depth < 2) or not _computes(func):
            return func(*args, **kwargs)
        target = self._target()
        self._armed = self._take(target, func)
        self._busy = True
        try:
            out = func(*args, **kwargs)
        finally:
            self._busy = False
        left, self._armed = [fault for fault in self._armed if fault not in self._offered], []
        self._offered.clear()
        results = list(_results(func, out, args))
        for fault in left:
            for tensor in results:
                if dtype_name(tensor.dtype) == fault.dtype:
                    self._hit(fault, tensor)
                    break
        if results:
            self._settle(target, func)
            first = results[0]
            self._seen.append(
                Site(target, str(func), dtype_name(first.dtype), tuple(first.shape), self._counts[target])
            )
            self._counts[target] += 1
        return out

    def _take(self, target: str, func: Any) -> list[Fault]:
        """Return the faults of this kernel: those that stick, and those of its place."""
        stuck = [fault for fault in self._stuck if (fault.target, fault.name) == (target, str(func))]
        due = self._due.get((target, self._counts[target]), ())
        return [*stuck, *(fault for fault in due if fault.name == str(func))]

    def _settle(self, target: str, func: Any) -> None:
        """Take the faults of this place off the list; those of another kernel mean another program."""
        due = self._due.pop((target, self._counts[target]), ())
        wrong = [fault for fault in due if fault.name != str(func)]
        if wrong and self._strict:
            raise IntegrityError(
                f"step {wrong[0].step} hits {wrong[0].name} as {target} {wrong[0].place}, where {func} runs",
                "the list was made for another program",
            )
        self._misplaced += len(wrong)

    def _target(self) -> str:
        if self._updating:
            return "updates"
        if torch._C._current_autograd_node() is not None:
            self._went_back = True
            return "gradients"
        # After a backward pass and with gradients off: clipping and the like, which work on gradients.
        return "gradients" if self._went_back and not torch.is_grad_enabled() else "activations"

    def _update(self, begins: bool) -> None:
        self._updating = begins


@cache
def _computes(func: Any) -> bool:
    """Return whether an operator makes numbers: no view, no fresh memory, no profiler's mark."""
    if func.namespace == "profiler" or func._opname in _NOT_COMPUTED:
        return False
    return not any(
        each.alias_info is not None and not each.alias_info.is_write for each in func._schema.returns
    )


def _results(func: Any, out: Any, args: Sequence[Any]) -> Iterator[Tensor]:
    """Yield what can be hit of the tensors that an operator made or changed."""
    parts = out if isinstance(out, (tuple, list)) else (out,)
    if out is None:  # in place on a list of tensors
        written = [
            value
            for value, described in zip(args, func._schema.arguments, strict=False)
            if described.alias_info is not None and described.alias_info.is_write
        ]
        parts = [
            each for value in written for each in (value if isinstance(value, (tuple, list)) else (value,))
        ]
    for part in parts:
        if isinstance(part, Tensor) and part.numel():
            data = _data(part)
            # Whole numbers of other widths are indices, counts and masks.
            if data.is_floating_point() or data.dtype == torch.int32:
                yield data


def _data(result: Tensor) -> Tensor:
    """Return a result as words that have bits: complex numbers as their parts."""
    return torch.view_as_real(result) if result.is_complex() and not result.is_conj() else result
