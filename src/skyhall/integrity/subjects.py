"""What a campaign hits: programs that start from the same bits as often as asked, and say what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from skyhall.integrity.injection import Injector
from skyhall.integrity.outcomes import Observation, same_bits

__all__ = ["Batch", "Inference", "Shield", "Step", "Subject", "Training"]

Batch = tuple[Tensor, ...]
Step = Callable[[nn.Module, torch.optim.Optimizer, Batch], Tensor]


class Shield(Protocol):
    """Runs steps under protection."""

    def accept(self) -> None:
        """Take the state as right as it is now."""

    def run(self, step: Callable[[], Any]) -> Any:
        """Return what `step` returns, repaired if it could be; `step` may be called more than once."""

    @property
    def detected(self) -> int:
        """Alarms so far."""


class Subject(Protocol):
    """A program to hit."""

    model: nn.Module
    optimizer: torch.optim.Optimizer | None

    @property
    def batch(self) -> Batch:
        """The data of the step that is hit."""

    def restore(self) -> None:
        """Go back to the bits that the program begins with."""

    def run(self, injector: Injector, shield: Shield) -> Observation:
        """Let the injector's step 0 happen, from where the program stands, and return what came out."""


class Inference:
    """A forward pass; its result are the logits, their greedy tokens and, with a loss, that too.

    Parameters
    ----------
    model : in evaluation mode; called with the inputs.
    inputs : of the model.
    loss : takes the logits to a scalar.
    """

    optimizer = None

    def __init__(
        self, model: nn.Module, inputs: Sequence[Tensor], loss: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        self.model = model
        self.batch, self._loss = tuple(inputs), loss
        self._state = _Kept(model, None)

    def restore(self) -> None:
        """Put the weights back."""
        self._state.restore()

    def run(self, injector: Injector, shield: Shield) -> Observation:
        """Run the forward pass once."""
        injector.begin(0)
        inputs = injector.batch(*self.batch)

        def forward() -> Tensor:
            with torch.no_grad(), injector.computing():
                return self.model(*inputs)

        logits = shield.run(forward)
        with torch.no_grad():
            losses = () if self._loss is None else (float(self._loss(logits)),)
        return Observation((logits,), logits.argmax(-1), losses)


class Training:
    """A step of training and the few after it; its result are all weights and moments after the step, and the losses.

    Only the first step is hit and protected; those after it show what became of a difference.

    Parameters
    ----------
    batches : of the hit step and of those after it.
    step : takes (model, optimizer, batch) to the loss; does one step.
    """

    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, batches: Sequence[Batch], step: Step
    ) -> None:
        self.model, self.optimizer = model, optimizer
        self.batch, self._later = tuple(batches[0]), tuple(batches[1:])
        self._step = step
        self._state = _Kept(model, optimizer)
        self._clean: Observation | None = None

    def restore(self) -> None:
        """Put weights, moments and the generator back."""
        self._state.restore()

    def run(self, injector: Injector, shield: Shield) -> Observation:
        """Run the step, and those after it unless the state is that of the first run of all, which must be clean."""
        injector.begin(0)
        batch = injector.batch(*self.batch)

        def step() -> Tensor:
            with injector.computing():
                return self._step(self.model, self.optimizer, batch)

        losses = [float(shield.run(step))]
        state = tuple(self._state.tensors())
        clean = self._clean
        if clean is not None and same_bits(clean.bits, state):
            return Observation(clean.bits, None, (losses[0], *clean.losses[1:]))
        kept = tuple(tensor.detach().clone() for tensor in state)
        losses += [float(self._step(self.model, self.optimizer, later)) for later in self._later]
        seen = Observation(kept, None, tuple(losses))
        self._clean = clean or seen
        return seen


class _Kept:
    """All state of a model and its optimiser, to go back to in place."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        self._model, self._optimizer = model, optimizer
        self._copies = [tensor.detach().clone() for tensor in self.tensors()]
        self._random = torch.get_rng_state()

    def tensors(self) -> list[Tensor]:
        found = [*self._model.parameters(), *self._model.buffers()]
        if self._optimizer is not None:
            for state in self._optimizer.state.values():
                found += [value for value in state.values() if isinstance(value, Tensor)]
        return found

    @torch.no_grad()
    def restore(self) -> None:
        for tensor, copy in zip(self.tensors(), self._copies, strict=True):
            tensor.copy_(copy)
        torch.set_rng_state(self._random)
