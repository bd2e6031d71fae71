"""`gpt-parallel`: replicas of a GPT share every batch and average their gradients, a step a unit.

What a formation with fast links does: an all-reduce in every step. With one replica it is `gpt-train`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from skyhall.errors import Place, ValueProblem
from skyhall.jobs.gpt import learning_rate, loss_of
from skyhall.jobs.job import PartedJob
from skyhall.jobs.outer import GUARDS, Guards, aggregate, contributions_of
from skyhall.jobs.train import GPTTrain, GPTTrainParameters

__all__ = ["GPTParallel", "GPTParallelParameters"]


@dataclass(frozen=True, slots=True)
class GPTParallelParameters(GPTTrainParameters):
    """What to train, by how many: `replicas` draw a batch each in every step; the rest as of `gpt-train`."""

    replicas: int = 2

    def __post_init__(self) -> None:
        GPTTrainParameters.__post_init__(self)
        if self.replicas < 1:
            raise ValueProblem(
                f"{self.replicas} replicas train nothing",
                place=Place("--set", "replicas"),
                right="at least 1",
            )


class GPTParallel(GPTTrain, PartedJob):
    """The job: gradients of the mean over all replicas' batches; one loses no more than its own share if left out."""

    Parameters = GPTParallelParameters
    guards_itself = True

    parameters: GPTParallelParameters

    def __init__(self, parameters: GPTParallelParameters) -> None:
        super().__init__(parameters)
        self.parts = parameters.replicas

    def unit(self, number: int) -> Tensor:
        """Do a step with all replicas' batches, and return the mean loss."""
        came = {part: self.contribute(number, part) for part in range(self.parts)}
        return self._update(number, came, None)

    def contribute(self, number: int, part: int) -> dict[str, Tensor]:
        """Return a replica's loss and gradients; nothing that is saved changes."""
        config = self._config
        inputs, targets = self._text.batch(
            number * self.parts + part, rows=config.rows, block=config.block, seed=self.parameters.seed
        )
        weights = list(self.model.parameters())

        def backward() -> Tensor:
            self.model.zero_grad(set_to_none=True)
            loss = loss_of(self.model, inputs, targets)
            loss.backward()
            return loss.detach()

        loss = self.guard.run(backward) if self.guard else backward()
        gradients = {
            str(place): weight.grad.clone() for place, weight in enumerate(weights) if weight.grad is not None
        }
        self.model.zero_grad(set_to_none=True)
        return {"loss": loss, **gradients}

    def take(self, number: int, came: Mapping[int, Mapping[str, Tensor]], *, guarded: bool) -> None:
        """Average the gradients that came, and update."""
        self.keep(number, self._update(number, came, GUARDS if guarded else None))

    def _update(self, number: int, came: Mapping[int, Mapping[str, Tensor]], guards: Guards | None) -> Tensor:
        tensors = {part: tuple(given[str(n)] for n in range(len(given) - 1)) for part, given in came.items()}
        found = aggregate(contributions_of(tensors), quorum=self.parts // 2 + 1, guards=guards)
        assert self.optimizer is not None
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(number, self._config)
        for weight, mean in zip(self.model.parameters(), found.mean, strict=True):
            weight.grad = mean.clone()
        nn.utils.clip_grad_norm_(self.model.parameters(), self._config.clip)
        if self.guard:
            self.guard.run(self.optimizer.step)
        else:
            self.optimizer.step()
        self.model.zero_grad(set_to_none=True)
        return torch.stack([came[part]["loss"] for part in found.replicas]).mean()

    def alike(self) -> dict[str, Any]:
        """Return all of the state: replicas have it in common."""
        return {**super().alike(), **{f"moments/{name}": value for name, value in self._moments().items()}}

    def _moments(self) -> dict[str, Tensor]:
        from skyhall.integrity.states import optimizer_state

        return optimizer_state(self.optimizer) if self.optimizer else {}
