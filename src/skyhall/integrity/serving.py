"""`ServeGuard`: forward passes at level `bounded`: weights verified before use, results before they leave.

Weights and buffers are compared with their sums and restored from a second copy; products and attention are checked as
in `protect`; a result with NaN or infinity is doubted. A doubted pass is run again; if it gives the same bits, the data
are to blame, and the result is handed out as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils._pytree import tree_leaves

from skyhall.integrity.digests import digest_of
from skyhall.integrity.errors import IntegrityError
from skyhall.integrity.ledger import Ledger
from skyhall.integrity.protection import Protection
from skyhall.integrity.report import Report
from skyhall.integrity.states import weights
from skyhall.integrity.step import Unrepaired
from skyhall.integrity.sums import StateSums

__all__ = ["ServeGuard"]

T = TypeVar("T")


class ServeGuard:
    """Protects inference at level `bounded`.

    Parameters
    ----------
    model : whose weights do not change between two passes; its state now is taken as right.
    level : as for `protect`; "sums" verifies weights and results and leaves the products unchecked.
    redo : times that a pass is run again before it counts as unrepaired.
    repair, seed : as in `Ledger`.

    Raises
    ------
    IntegrityError : an unknown level or way of repair.
    """

    def __init__(
        self, model: nn.Module, *, level: str = "abft", redo: int = 2, repair: str = "auto", seed: int = 0
    ) -> None:
        self._model, self._level, self._redo = model, level, redo
        self.ledger = Ledger(level, repair=repair, seed=seed)
        self._mode = Protection(self.ledger)
        self.accept()

    @property
    def report(self) -> Report:
        """What was checked, detected, corrected, redone and left uncovered so far."""
        return self.ledger.report

    def accept(self) -> None:
        """Take the weights as right as they are now, as after loading others."""
        held = weights(self._model)
        self._sums = StateSums()
        self._sums.renew(held)
        self._copies = {name: value.clone() for name, value in held.items()}

    def run(self, forward: Callable[[], T]) -> T:
        """Run a forward pass and return what it returned, once it is verified.

        Parameters
        ----------
        forward : computes the result, a tensor or a nest of tensors; it may be called more than once.

        Raises
        ------
        Unrepaired : an alarm that stayed, or weights of which no good copy is left.
        """
        if self._level == "none":
            return forward()
        doubted = raised = ""
        targets: tuple[str, ...] = ()
        for attempt in range(self._redo + 1):
            if attempt:
                self.ledger.redo()
            with _disable_current_modes():
                self._verify()
            try:
                with self._mode:
                    result = forward()
            except IntegrityError:
                raise
            except Exception as error:  # a flipped bit may end a pass, as an index outside its tensor does
                told = f"{type(error).__name__}: {error}"
                if attempt == self._redo or told == raised:
                    raise  # what comes twice is the program's own
                raised, targets = told, self._doubt("error", told)
                continue
            with _disable_current_modes():
                verdict = self.ledger.verdict()
                if not verdict:
                    targets = verdict.open
                    continue
                if _finite(result):
                    return result
                digest = digest_of({str(place): part for place, part in enumerate(_tensors(result))})
                if digest == doubted:
                    self.ledger.confirm()  # the same bits again: data, not a fault
                    return result
                doubted, targets = digest, self._doubt("guard", "result")
        self.ledger.settle_step(targets, "uncorrected")
        raise Unrepaired(targets, f"alarms stayed through {self._redo + 1} executions of the pass")

    def _verify(self) -> None:
        """Compare the weights with their sums, and restore what changed."""
        held = weights(self._model)
        self.ledger.checked("sums of state", len(held))
        wrong = {name: held[name] for name in self._sums.changed(held)}
        if not wrong:
            return
        with torch.no_grad():
            for name, value in wrong.items():
                value.copy_(self._copies[name])
        missing = tuple(self._sums.changed(wrong))
        for name in wrong:
            self.ledger.alarm("state", name, "uncorrected" if name in missing else "corrected")
        if missing:
            self.ledger.verdict()
            raise Unrepaired(missing, "weights changed at rest and so did their copy")

    def _doubt(self, target: str, where: str) -> tuple[str, ...]:
        self.ledger.alarm(target, where, "open")
        return self.ledger.verdict().open


def _tensors(result: object) -> list[Tensor]:
    return [part for part in tree_leaves(result) if isinstance(part, Tensor)]


def _finite(result: object) -> bool:
    floats = [part for part in _tensors(result) if part.is_floating_point()]
    return not floats or bool(torch.stack([torch.isfinite(part).all() for part in floats]).all())
