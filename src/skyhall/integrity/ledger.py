"""The ledger of a protected job: runs each kernel under its check, repeats it on alarm, and counts.

On a CPU a verdict is read at once and the kernel is run again on the spot. On an accelerator reading would wait for the
device, so verdicts stay there until the step's one verdict, and the step is what is run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from skyhall.integrity import products
from skyhall.integrity.errors import IntegrityError, nearest
from skyhall.integrity.guards import Band, Ceiling
from skyhall.integrity.report import Alarm, Report, Verdict
from skyhall.integrity.singular import SingularValues
from skyhall.integrity.sketches import Sketches
from skyhall.integrity.sums import as_wide_words
from skyhall.integrity.weight_products import Notes

__all__ = ["LEVELS", "REPAIRS", "Ledger", "changed_rows", "differing", "same_bits"]

LEVELS = ("none", "sums", "abft", "full")
REPAIRS = ("auto", "operator", "step")
_KEPT_ALARMS = 1000
_RANGE = 32.0  # times the median of the steps before, above which the longest row into a product is doubted


@dataclass(frozen=True, slots=True)
class _Owed:
    """An execution that is not vouched for yet, and what tells that its inputs and results are still the same."""

    name: str
    target: str
    kernel: Callable[[], Any]
    held: tuple[tuple[Tensor, int], ...]
    result: tuple[Tensor, ...]

    def differs(self) -> Tensor | None:
        """Return whether a second execution differs (0-dim truth), None where the program changed one of them."""
        if any(tensor._version != version for tensor, version in self.held):
            return None
        with torch.no_grad():
            return differing(self.result, self.kernel())


class Ledger:
    """State of one protected job: counts, sketches, open verdicts.

    Parameters
    ----------
    level : "none", "sums" (state and guards only), "abft" (checked products and attention as well) or "full" (every
        other deterministic operator as well).
    repair : "operator" runs a doubted kernel again at once; "step" leaves it to the step; "auto" is "operator" for
        tensors on a CPU and "step" elsewhere.
    retries : times that a kernel is run again before its alarm counts as uncorrected.
    seed : of the sketches.

    Raises
    ------
    IntegrityError : an unknown level or way of repair.
    """

    def __init__(self, level: str = "abft", *, repair: str = "auto", retries: int = 2, seed: int = 0) -> None:
        if level not in LEVELS:
            raise IntegrityError(f"there is no level {level!r} of protection", nearest(level, LEVELS))
        if repair not in REPAIRS:
            raise IntegrityError(f"there is no way of repair {repair!r}", nearest(repair, REPAIRS))
        if retries < 1:
            raise IntegrityError(f"{retries} retries repair nothing", "give at least 1")
        self.level = level
        self.sketches = Sketches(seed)
        self.singular = SingularValues(seed, lambda: self.alarm("guard", "bound of a weight", "corrected"))
        self._repair = repair
        self._retries = retries
        self.unseen = "every operator: this level checks none" if level in ("none", "sums") else ""
        self.settles = False  # a verdict is sure to come for what is left to it, as in a step's guard
        self.notes = Notes()
        self._owed: list[_Owed] = []
        self.paused = False  # an update is on, which its shadow checks
        self._step = 0
        self._pending: list[tuple[str, str, Tensor, Tensor | None]] = []
        self._open: list[str] = []
        self._ranges: list[tuple[Any, str, Tensor]] = []
        self._seen_ranges: list[tuple[Any, float]] = []
        self._bands: dict[Any, Band] = {}
        self._ceilings: dict[Any, tuple[Ceiling, Ceiling, Ceiling]] = {}
        self._step_detected = 0
        self._step_corrected = 0
        self._counts: dict[str, Counter[str]] = {
            each: Counter()
            for each in ("checked", "unchecked", "detected", "corrected", "uncorrected", "uncovered")
        }
        self._numbers: Counter[str] = Counter()
        self._alarms: list[Alarm] = []

    @classmethod
    def exact(cls, unseen: str = "") -> Ledger:
        """Return the ledger of level `exact`, where executions are compared whole and no operator is checked.

        Parameters
        ----------
        unseen : what runs without being compared.
        """
        ledger = cls("none")
        ledger.level, ledger.unseen = "exact", unseen
        return ledger

    def run(
        self,
        name: str,
        target: str,
        kernel: Callable[[], Any],
        inspect: Callable[[Any], tuple[Tensor, Tensor | None]],
        flops: int = 0,
        *,
        vouches_for_inputs: bool = False,
    ) -> Any:
        """Return what `kernel` gives, once its check has nothing against it.

        Parameters
        ----------
        name : the operator's.
        target : what an alarm is counted under.
        kernel : runs the operator: a tensor or a tuple of tensors and others. It must not change its inputs.
        inspect : says of a result whether it is wrong, and whether it could not be checked (0-dim truths).
        flops : arithmetic of one execution.
        vouches_for_inputs : the check fails for wrong inputs too, so that an alarm that stays is left to the step.
        """
        result = _struck(name, kernel())
        wrong, unknown = inspect(result)
        self._count(name, result, flops)
        if self._waits(wrong):
            self._pending.append((target, name, wrong, unknown))
            return result
        if unknown is not None and bool(unknown):
            self._renew()
            wrong, unknown = inspect(result)
            if unknown is None or not bool(unknown):
                self.alarm("guard", f"numbers that check {name}", "corrected")
            else:
                self._counts["unchecked"][name] += 1
                if wrong.device.type == "cpu":  # elsewhere a kernel need not give the same bits twice
                    inspect = _compared(inspect, kernel)
                    wrong, _ = inspect(result)
        if not bool(wrong):
            return result
        return self._again(
            name, target, kernel, inspect, result, "open" if vouches_for_inputs else "uncorrected"
        )

    def owe(
        self, name: str, target: str, kernel: Callable[[], Any], inputs: Sequence[Tensor], flops: int = 0
    ) -> Any:
        """Return what `kernel` gives, to be vouched for by something later: `discharge`, or a second execution.

        Parameters
        ----------
        name, target, kernel, flops : as for `run`; the kernel gives a tuple of tensors.
        inputs : what it reads, kept until then, as autograd keeps it for the backward pass.
        """
        result = _struck(name, kernel())
        self._count(name, result, flops)
        tensors = (*inputs, *(each for each in result if isinstance(each, Tensor)))
        held = tuple((each, each._version) for each in tensors)
        self._owed.append(_Owed(name, target, kernel, held, result))
        return result

    def discharge(self, first: Tensor) -> None:
        """Take the execution that gave this tensor first as vouched for."""
        self._owed = [each for each in self._owed if each.result[0].data_ptr() != first.data_ptr()]

    def _settle_owed(self) -> None:
        """Execute again what nothing has vouched for."""
        for each in self._owed:
            differs = each.differs()
            if differs is None:
                self._counts["unchecked"][each.name] += 1
            elif bool(differs):
                self.alarm(each.target, each.name, "open")
        self._owed = []

    @property
    def unread(self) -> bool:
        """Whether something is left for a verdict."""
        return bool(self._open or self._pending)

    def abandon(self) -> None:
        """Forget what a step left that did not come to its end."""
        self.paused = False
        self._owed, self._pending, self._ranges, self._open = [], [], [], []
        self.notes.clear()

    def _again(self, name: str, target: str, kernel: Any, inspect: Any, first: Any, failing: str) -> Any:
        """Run a doubted kernel again until its check passes, and say which rows had been wrong.

        The check itself may have been what was wrong: each time it begins with numbers of its own made anew, and where
        the kernel then gives the same bits, a guard had doubted what was right.
        """
        self._detect(target)
        last, first = first, _kept(first)
        for _ in range(self._retries):
            self._renew()
            last = _struck(name, kernel())
            if not bool(inspect(last)[0]):
                action = "confirmed" if not bool(differing(first, last)) else "corrected"
                self._settle(target, name, action, changed_rows(first, last))
                return last
        self._settle(target, name, failing, changed_rows(first, last))
        return last

    def _renew(self) -> None:
        """Forget the checks' own numbers, which are then computed anew."""
        self.sketches.forget()
        self.singular.forget()
        self.notes.clear()

    def watch(self, key: Any, where: str, norms: Tensor) -> None:
        """Have the longest row that enters a product judged at the verdict, beside that of the steps before."""
        self._ranges.append((key, where, norms.max()))

    def ceilings(self, key: Any) -> tuple[Ceiling, Ceiling, Ceiling]:
        """Return what the identities of attention executions of one kind usually reach."""
        return self._ceilings.setdefault(key, (Ceiling(), Ceiling(), Ceiling()))

    def verdict(self) -> Verdict:
        """Return the step's verdict, reading the device once, and begin the next step."""
        if not self.sketches.intact():  # what they did not see in this step is not known
            self.sketches.forget()
            self.alarm("guard", "sketches", "open")
        self._settle_owed()
        self._read_pending()
        self._read_ranges()
        verdict = Verdict(
            trusted=not self._open,
            detected=self._step_detected,
            corrected=self._step_corrected,
            open=tuple(self._open),
        )
        self._open, self._step_detected, self._step_corrected = [], 0, 0
        self._step += 1
        self.singular.forget_sums()
        self.notes.clear()
        if verdict:
            self.learn_ranges()
        return verdict

    def learn_ranges(self) -> None:
        """Take the rows of the last verdict as normal."""
        for key, longest in self._seen_ranges:
            self._bands.setdefault(key, Band(0.0, _RANGE)).learn(longest)
        self._seen_ranges = []

    def _read_ranges(self) -> None:
        if not self._ranges:
            return
        numbers = torch.stack([longest for _, _, longest in self._ranges]).tolist()
        self._seen_ranges = []
        for (key, where, _), longest in zip(self._ranges, numbers, strict=True):
            self._seen_ranges.append((key, longest))
            if self._bands.setdefault(key, Band(0.0, _RANGE)).doubts(longest):
                self.alarm("guard", f"rows into {where}", "open")
        self._ranges = []

    def _read_pending(self) -> None:
        if not self._pending:
            return
        none = torch.zeros((), dtype=torch.bool, device=self._pending[0][2].device)
        read = torch.stack(
            [
                torch.stack([wrong, none if unknown is None else unknown])
                for _, _, wrong, unknown in self._pending
            ]
        ).tolist()
        for (target, name, _, _), (wrong, unknown) in zip(self._pending, read, strict=True):
            if unknown:
                self._counts["unchecked"][name] += 1
            if wrong:
                self._detect(target)
                self._open.append(target)
                self._note(Alarm(self._step, target, name, "redone"))
            if unknown or wrong:
                self._renew()
        self._pending = []

    def alarm(self, target: str, where: str, action: str) -> None:
        """Count an alarm that a guard or a sum raised; action "open" leaves it to the step."""
        self._detect(target)
        self._settle(target, where, action, None)

    def checked(self, name: str, times: int = 1) -> None:
        """Count checks of something that is no operator: sums of state, an update."""
        self._counts["checked"][name] += times

    def redo(self) -> None:
        """Count a step that is run again."""
        self._numbers["redone"] += 1

    def confirm(self) -> None:
        """Count a guard's doubt that a second execution, to the same bits, did away with."""
        self._numbers["confirmed"] += 1

    def settle_step(self, targets: Sequence[str], action: str) -> None:
        """Count what became of alarms that had been left to the step."""
        for target in targets:
            if action in ("corrected", "uncorrected"):
                self._counts[action][target] += 1
            elif action == "confirmed":
                self._numbers["confirmed"] += 1

    def uncovered(self, name: str, result: Any, flops: int = 0) -> None:
        """Count an operator that no check covers; its arithmetic is one operation an element where `flops` is 0."""
        size, elements = _sizes(result)
        self._counts["uncovered"][name] += size
        self._numbers["uncovered_flops"] += flops or elements

    @property
    def report(self) -> Report:
        """What happened so far; open verdicts of an accelerator are not read for it."""
        counts = {name: dict(sorted(count.items())) for name, count in self._counts.items()}
        numbers = self._numbers
        return Report(
            level=self.level,
            steps=self._step,
            redone=numbers["redone"],
            confirmed=numbers["confirmed"],
            covered_bytes=numbers["covered_bytes"],
            covered_flops=numbers["covered_flops"],
            uncovered_flops=numbers["uncovered_flops"],
            alarms=tuple(self._alarms),
            unseen=self.unseen,
            **counts,
        )

    def _waits(self, wrong: Tensor) -> bool:
        return self._repair == "step" or (self._repair == "auto" and wrong.device.type != "cpu")

    def _count(self, name: str, result: Any, flops: int) -> None:
        self._counts["checked"][name] += 1
        size, elements = _sizes(result)
        self._numbers["covered_bytes"] += size
        self._numbers["covered_flops"] += flops or elements

    def _detect(self, target: str) -> None:
        self._counts["detected"][target] += 1
        self._step_detected += 1

    def _settle(self, target: str, where: str, action: str, rows: tuple[int, ...] | None) -> None:
        if action == "corrected":
            self._counts["corrected"][target] += 1
            self._step_corrected += 1
        elif action == "confirmed":
            self._numbers["confirmed"] += 1
        elif action == "uncorrected":
            self._counts["uncorrected"][target] += 1
            self._open.append(target)
        elif action == "open":
            self._open.append(target)
            action = "redone"
        self._note(Alarm(self._step, target, where, action, rows))

    def _note(self, alarm: Alarm) -> None:
        if len(self._alarms) < _KEPT_ALARMS:
            self._alarms.append(alarm)


def same_bits(one: Tensor, other: Tensor) -> Tensor:
    """Return whether two tensors hold the same bits (0-dim truth); NaN equals itself."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return torch.zeros((), dtype=torch.bool, device=one.device)
    if one.device.type == "cpu" and one.stride() == other.stride():
        wide = as_wide_words(one), as_wide_words(other)
        if wide[0] is not None and wide[1] is not None:
            return torch.tensor(torch.equal(*wide))  # three times faster than comparing element by element
    return (_words(one) == _words(other)).all()


def _compared(inspect: Any, kernel: Callable[[], Any]) -> Callable[[Any], tuple[Tensor, None]]:
    """Return a check that compares the bits of a second execution as well, for what a checksum cannot judge."""
    return lambda result: (inspect(result)[0] | differing(result, kernel()), None)


def differing(one: Any, other: Any) -> Tensor:
    """Return whether two executions' results, tensors or tuples of them and others, differ in a bit (0-dim truth)."""
    pairs = [(one, other)] if isinstance(one, Tensor) else zip(one, other, strict=True)
    same = [same_bits(a, b) for a, b in pairs if isinstance(a, Tensor)]
    return ~torch.stack(same).all()


def changed_rows(first: Any, last: Any) -> tuple[int, ...] | None:
    """Return the rows (all but the last axis, counted through) in which two results differ, at most a hundred."""
    one, other = (each if isinstance(each, Tensor) else each[0] for each in (first, last))
    if not isinstance(one, Tensor) or one.dim() == 0:
        return None
    differs = (_words(one) != _words(other)).any(-1).flatten()
    return tuple(differs.nonzero().flatten()[:100].tolist())


def _words(tensor: Tensor) -> Tensor:
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return tensor
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    return tensor.view({1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.element_size()])


def _struck(name: str, result: Any) -> Any:
    """Return a result after the fault injector, if there is one, had it."""
    if products.kernel_faults is not None:
        for each in (result,) if isinstance(result, Tensor) else result:
            if isinstance(each, Tensor):
                products.kernel_faults(name, each)
    return result


def _sizes(result: Any) -> tuple[int, int]:
    """Return bytes and elements of what an operator gave."""
    size = elements = 0
    for each in (
        (result,) if isinstance(result, Tensor) else result if isinstance(result, tuple | list) else ()
    ):
        if isinstance(each, Tensor):
            count = each.numel()
            size += count * each.element_size()
            elements += count
    return size, elements


def _kept(result: Any) -> Any:
    """Return a result as it is now: a kernel that works in place writes the next one into the same memory."""
    if isinstance(result, Tensor):
        return result.clone()
    return tuple(each.clone() if isinstance(each, Tensor) else each for each in result)
