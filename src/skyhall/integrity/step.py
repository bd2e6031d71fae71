"""`StepGuard`: training steps at level `bounded`, verified before their update and repaired by doing them again.

Around a step that it does not change, the guard verifies the sums of weights and buffers (before use), of the
optimiser's state and the gradients (before and after the update), does the update a second time on its shadow, watches
the gradients' norm and peak, and reads one verdict of all checked products. On alarm the same step runs again from the
same bits: random numbers, buffers and weights are set back first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _disable_current_modes

from skyhall.integrity.errors import IntegrityError
from skyhall.integrity.gradients import GradientWatch
from skyhall.integrity.guards import Band, norm_and_peak
from skyhall.integrity.ledger import Ledger
from skyhall.integrity.protection import Protection
from skyhall.integrity.report import Report
from skyhall.integrity.shadow import Shadow
from skyhall.integrity.states import gradients, optimizer_state, random_state, restore_random_state, weights
from skyhall.integrity.sums import StateSums, block_sums

__all__ = ["StepGuard", "Unrepaired"]

T = TypeVar("T")


class Unrepaired(RuntimeError):
    """A step whose alarm stayed after every repair: a defect that stays, or state that no copy can restore.

    Parameters
    ----------
    targets : what was wrong.
    what : one sentence.
    """

    def __init__(self, targets: tuple[str, ...], what: str) -> None:
        self.targets = targets
        super().__init__(f"{what}: {', '.join(targets)}")


class _Redo(Exception):
    def __init__(self, targets: tuple[str, ...]) -> None:
        self.targets = targets
        super().__init__(targets)


class StepGuard:
    """Protects training steps at level `bounded`.

    Parameters
    ----------
    model, optimizer : of the job.
    level : as for `protect`; "sums" keeps sums, shadow and guards and leaves the products unchecked.
    redo : times that a step is run again before it counts as unrepaired.
    repair : as in `Ledger`.
    norm_band, peak_band : factors of the median of the last steps, below and above which the gradients' norm and the
        largest gradient's share of it are doubted.
    shadow : keep a second copy of weights and optimiser state, to restore from and to check updates with. Without it a
        changed state is `Unrepaired`, and updates are counted as uncovered.
    seed : of the random checksum vectors.

    Raises
    ------
    IntegrityError : an optimiser whose parameters are not the model's, or an unknown level.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        level: str = "abft",
        redo: int = 2,
        repair: str = "auto",
        norm_band: tuple[float, float] = (0.1, 10.0),
        peak_band: tuple[float, float] = (0.0, 4.0),
        shadow: bool = True,
        seed: int = 0,
    ) -> None:
        own = {id(each) for each in model.parameters()}
        if any(id(each) not in own for group in optimizer.param_groups for each in group["params"]):
            raise IntegrityError(
                "the optimiser updates what the model does not have", "give model and optimiser of one job"
            )
        self._model = model
        self._optimizer = optimizer
        self._level = level
        self._redo = redo
        self.ledger = Ledger(level, repair=repair, seed=seed)
        self._mode = Protection(self.ledger)
        self._watch = self._mode.gradients = GradientWatch(model)
        self._rewritten: dict[str, Tensor] = {}
        self._sums = StateSums()
        self._gradient_sums = StateSums()
        self._norms = Band(*norm_band)
        self._peaks = Band(*peak_band)
        self._wants_shadow = shadow
        self._shadow: Shadow | None = None
        self._doubted: dict[str, Tensor] | None = None
        self._inside = self._updated = False
        self._began = False
        self._hooks = [
            optimizer.register_step_pre_hook(self._before_update),
            optimizer.register_step_post_hook(self._after_update),
        ]

    @property
    def report(self) -> Report:
        """What was checked, detected, corrected, redone and left uncovered so far."""
        return self.ledger.report

    def close(self) -> None:
        """Let go of the optimiser and of the parameters."""
        self._watch.close()
        for hook in self._hooks:
            hook.remove()

    def accept(self) -> None:
        """Take the state as right as it is now: what the first step does, and to do after restoring a checkpoint."""
        with _disable_current_modes():
            self._sums = StateSums()
            self._sums.renew(self._state())
            self.ledger.singular.forget()
            if self._shadow is not None:
                self._shadow.refresh()
            elif self._wants_shadow:
                self._shadow = Shadow(self._model, self._optimizer)
        self._began = True

    def run(self, step: Callable[[], T]) -> T:
        """Run one step and return what it returned, once it is verified.

        Parameters
        ----------
        step : zeroes the gradients, computes the loss, goes back, and calls the optimiser's step. It may be called more
            than once, from the same state of model, optimiser and torch's generators; it must not draw from other ones.

        Raises
        ------
        Unrepaired : an alarm that stayed. Model and optimiser are then as before the step, unless it was the update
            that three executions could not settle.
        """
        if self._level == "none":
            return step()
        with _disable_current_modes():
            self._begin()
            random, buffers = random_state(), self._buffers()
        self._doubted, self._rewritten = None, {}
        raised = ""
        for attempt in range(self._redo + 1):
            self._updated = False
            self.ledger.settles = True
            self._watch.begin()
            try:
                with self._mode:
                    self._inside = True
                    result = step()
                    if not self._updated:
                        with _disable_current_modes():
                            self._judge()
            except _Redo as redo:
                if attempt == self._redo:
                    self._give_up(redo.targets)
                self.ledger.redo()
                with _disable_current_modes():
                    self._rewind(random, buffers)
            except (Unrepaired, IntegrityError):
                raise
            except Exception as error:  # a flipped bit may end a step, as an index outside its tensor does
                told = f"{type(error).__name__}: {error}"
                if self._shadow is None or attempt == self._redo or told == raised:
                    raise  # what comes twice is the program's own
                raised = told
                self._redo_after(told)
                with _disable_current_modes():
                    self._rewind(random, buffers)
            else:
                return self._end(result)
            finally:
                self._inside = False
                self._watch.end()
                self.ledger.abandon()
        raise AssertionError("the last attempt returns or raises")

    def _redo_after(self, told: str) -> None:
        """Count an exception as an alarm; how far an update came is unknown, so that all of it is set back."""
        self.ledger.paused = False
        self.ledger.alarm("error", told, "open")
        self.ledger.verdict()
        self.ledger.redo()
        self._updated = True

    def _begin(self) -> None:
        """Verify weights and buffers before they are used; the first time, take the state as right."""
        if not self._began:
            self.accept()
            return
        self._verify(weights(self._model))

    def _verify(self, tensors: dict[str, Tensor]) -> list[str]:
        """Compare tensors with their sums and restore what changed; return what had."""
        self.ledger.checked("sums of state", len(tensors))
        changed = self._sums.changed(tensors)
        if not changed:
            return []
        wrong = {name: tensors[name] for name in changed}
        missing = list(wrong) if self._shadow is None else self._shadow.restore(wrong)
        if not missing:
            missing = list(self._sums.changed(wrong))  # the copy may have been hit as well
        for name in wrong:
            self.ledger.alarm("state", name, "uncorrected" if name in missing else "corrected")
        if missing:
            self.ledger.verdict()
            raise Unrepaired(tuple(missing), "state changed at rest and no good copy is left")
        return list(wrong)

    def _before_update(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self._inside:
            return
        follows = self._shadow is not None and self._shadow.follows
        if self._updated:
            raise IntegrityError("a second update in one step", "run each update as a step of its own")
        if follows and any(callable(each) for each in (*args, *kwargs.values())):
            raise IntegrityError("an update with a closure", "compute loss and gradients before the update")
        with _disable_current_modes():
            known = self._judge()
            self._gradient_sums = StateSums()
            for name, value in gradients(self._model).items():
                self._gradient_sums.take(name, known[name] if name in known else block_sums(value))
        self.ledger.paused = follows

    def _judge(self) -> dict[str, Tensor]:
        """Read the step's one verdict and raise what makes the step run again; return the gradients' sums."""
        known = self._verify_gradients()
        verdict = self.ledger.verdict()
        if not set(verdict.open) <= {"guard", "activation"}:
            raise _Redo(verdict.open)
        # Weights were read through the whole step; moments are about to be.
        changed = self._verify(self._state(without_buffers=True))
        if any(name.startswith("weights/") for name in changed):
            raise _Redo(("state",))
        found = gradients(self._model)
        if not verdict:
            self._doubt(found)
            self.ledger.learn_ranges()
        if not found:
            return known
        norm, peak = norm_and_peak(list(found.values()))
        self.ledger.checked("guards")
        share = peak / norm if norm else 0.0
        if not (self._norms.doubts(norm) or self._peaks.doubts(share)):
            self._norms.learn(norm)
            self._peaks.learn(share)
            return known
        if verdict:  # otherwise doubted already, and confirmed
            self.ledger.alarm("guard", "gradients", "open")
            self.ledger.verdict()
            self._doubt(found)
        self._norms.learn(norm)
        self._peaks.learn(share)
        return known

    def _verify_gradients(self) -> dict[str, Tensor]:
        """Raise an alarm for gradients that changed since their backward pass; return the sums of the others.

        Those that a second execution changes to the same bits are the program's own doing, out of the mode's sight.
        """
        changed, right, unseen = self._watch.verify()
        self.ledger.checked("sums of gradients", len(right) + len(changed))
        if unseen:
            self.ledger.uncovered("gradients written out of sight", unseen)
        for name, sums in changed.items():
            if name in self._rewritten and torch.equal(self._rewritten[name], sums):
                self.ledger.confirm()
                right[name] = sums
            else:
                self.ledger.alarm("gradient", name, "open")
        self._rewritten = changed
        return {f"gradients/{name}": sums for name, sums in right.items()}

    def _doubt(self, found: dict[str, Tensor]) -> None:
        """Have a step that only guards doubt run again; return if it has been, to the same bits: data, not a fault."""
        sums = {name: block_sums(value) for name, value in found.items()}
        if self._doubted is not None and _equal(sums, self._doubted):
            self.ledger.confirm()
            return
        self._doubted = sums
        raise _Redo(("guard",))

    def _after_update(self, *_: Any) -> None:
        if not self._inside:
            return
        self._updated = True
        self.ledger.paused = self.ledger.settles = False  # nothing settles what comes after
        with _disable_current_modes():
            if self._gradient_sums.changed(gradients(self._model)):
                self.ledger.alarm("gradient", "between backward pass and update", "open")
                raise _Redo(self.ledger.verdict().open)
            state = self._state()
            sums = {name: block_sums(value) for name, value in state.items()}
            for name, value in self._follow(state, sums).items():
                self._sums.take(name, value)

    def _follow(self, state: dict[str, Tensor], sums: dict[str, Tensor]) -> dict[str, Tensor]:
        """Do the update again on the shadow; return the sums of the state that is then right."""
        if self._shadow is None:
            self.ledger.uncovered("update", list(state.values()))
            return sums
        if not self._shadow.follows:
            self.ledger.uncovered("update", list(state.values()))
            self._shadow.refresh()
            return sums
        found = self._shadow.follow(sums, self._sums.of)
        self._shadow.refresh_buffers()
        self.ledger.checked("update", len(state))
        for name in found.corrected:
            self.ledger.alarm("update", name, "corrected")
        for name in found.renewed:
            self.ledger.alarm("state", f"copy of {name}", "corrected")
            self.ledger.uncovered("update", state.get(f"weights/{name}"))
        for name in found.unresolved:
            self.ledger.alarm("update", name, "uncorrected")
        if found.unresolved:
            raise Unrepaired(tuple(found.unresolved), "three executions of an update gave three results")
        return {name: block_sums(value) for name, value in state.items()} if found.corrected else sums

    def _rewind(self, random: Any, buffers: dict[str, Tensor]) -> None:
        """Go back to the bits that the step began with."""
        restore_random_state(random)
        live = weights(self._model)
        for name, value in buffers.items():
            live[name].copy_(value)
        if self._updated and self._shadow is not None:
            # The shadow has not followed yet: it is the state before the update.
            self._shadow.restore(
                {name: value for name, value in self._state().items() if name not in buffers}
            )
        elif self._updated:
            raise Unrepaired(("update",), "the state before a wrong update is lost")

    def _give_up(self, targets: tuple[str, ...]) -> None:
        self.ledger.settle_step(targets, "uncorrected")
        raise Unrepaired(targets, f"alarms stayed through {self._redo + 1} executions of the step")

    def _end(self, result: T) -> T:
        if self.ledger.unread:  # of what ran after the update, which cannot be done again
            left = tuple(each for each in self.ledger.verdict().open if each != "guard")
            self.ledger.settle_step(left, "uncorrected")
            if left:
                raise Unrepaired(left, "alarms after the update stayed")
        with _disable_current_modes():
            if not self._updated:  # a step without an update: its buffers are new all the same
                self._sums.renew(self._buffers())
                if self._shadow is not None:
                    self._shadow.refresh_buffers()
        return result

    def _state(self, *, without_buffers: bool = False) -> dict[str, Tensor]:
        state = {**weights(self._model), **optimizer_state(self._optimizer)}
        return {
            name: value
            for name, value in state.items()
            if not (without_buffers and name.startswith("buffers/"))
        }

    def _buffers(self) -> dict[str, Tensor]:
        return {
            name: value.clone() for name, value in weights(self._model).items() if name.startswith("buffers/")
        }


def _equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
