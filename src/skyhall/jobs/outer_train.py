"""`gpt-diloco`: replicas of a GPT train apart for some steps, then take an outer step together; a round is a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from skyhall.errors import Place, ValueProblem, did_you_mean
from skyhall.jobs.gpt import GPT, SIZES, adamw, build, learning_rate, train_step, validation_loss
from skyhall.jobs.job import PartedJob
from skyhall.jobs.outer import (
    GUARDS,
    Aggregate,
    Contribution,
    Guards,
    aggregate,
    contributions_of,
    outer_step,
    pseudo_gradient,
)
from skyhall.jobs.train import LOSSES, text_of

__all__ = ["GPTDiLoCo", "GPTDiLoCoParameters", "Shard"]


@dataclass(frozen=True, slots=True)
class GPTDiLoCoParameters:
    """What to train, by whom.

    Attributes
    ----------
    text, size : as of `gpt-train`.
    replicas : that train apart.
    inner : steps of AdamW that each does in a round.
    steps : rounds, each with an outer step; the inner learning rate falls over all of them.
    outer_rate, outer_momentum : of the outer step, SGD with Nesterov's momentum; the defaults are DiLoCo's.
    seed : of the first weights and of the batches.
    """

    text: str = ""
    size: str = "0.8m"
    replicas: int = 4
    inner: int = 20
    steps: int = 10
    outer_rate: float = 0.7
    outer_momentum: float = 0.9
    seed: int = 1

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise _wrong(f"there is no size '{self.size}'", "size", did_you_mean(self.size, SIZES))
        for name in ("replicas", "inner", "steps"):
            if getattr(self, name) < 1:
                raise _wrong(f"{name}={getattr(self, name)} trains nothing", name, "at least 1")
        if not 0.0 < self.outer_rate < float("inf"):
            raise _wrong(f"{self.outer_rate} is no outer rate", "outer_rate", "above 0; DiLoCo's is 0.7")
        if not 0.0 <= self.outer_momentum < 1.0:
            raise _wrong(f"{self.outer_momentum} is no momentum", "outer_momentum", "0 to below 1")


class Shard(NamedTuple):
    """What a replica's part of a round gives: mean loss of its inner steps, and its pseudo-gradient."""

    loss: Tensor
    gradient: tuple[Tensor, ...]


class _Replicas(nn.Module):
    """The shared model, the outer step's velocity, and each replica's own copy: one state to protect and to save."""

    def __init__(self, shared: GPT, count: int, seed: int) -> None:
        super().__init__()
        self.shared = shared.requires_grad_(False)
        self.own = nn.ModuleList(build(shared.config, seed) for _ in range(count))
        for place, weight in enumerate(shared.parameters()):
            self.register_buffer(f"velocity_{place}", torch.zeros_like(weight))

    @property
    def velocity(self) -> list[Tensor]:
        return list(self.buffers(recurse=False))


class GPTDiLoCo(PartedJob):
    """The job; its outcome is the validation loss of the shared model, nats a character.

    `unit` does a whole round. Where satellites do one replica each, `shard` is a satellite's part, and `merge` takes
    their contributions to the next shared model.

    Attributes
    ----------
    guard : at level `bounded`, a `StepGuard` of `model` and `optimizer`. It runs each inner step; it cannot run a unit,
        in which weights are also written by others than the optimiser.
    """

    Parameters = GPTDiLoCoParameters
    meanings = LOSSES
    guards_itself = True

    def __init__(self, parameters: GPTDiLoCoParameters) -> None:
        self.parameters = parameters
        self._text = text_of(parameters.text)
        size = SIZES[parameters.size]
        total = parameters.steps * parameters.inner
        self._config = replace(
            size, vocabulary=len(self._text.alphabet), steps=total, warmup=min(size.warmup, total // 4)
        )
        shared = build(self._config, parameters.seed)
        self._replicas = self.model = _Replicas(shared, parameters.replicas, parameters.seed)
        # One optimiser for all replicas: it passes over the weights that have no gradient.
        self.optimizer = adamw(self.model, self._config)
        self.units = parameters.steps
        self.parts = parameters.replicas
        self.kept = {"loss": torch.zeros(parameters.steps, parameters.replicas)}

    @property
    def shared(self) -> GPT:
        """The model that all replicas start the next round from."""
        return self._replicas.shared

    def unit(self, number: int) -> Tensor:
        """Do a round, and return the mean loss of each replica: (replicas,).

        Its contributions are taken as right: the unit is verified as a whole.
        """
        shards = [self.shard(number, replica) for replica in range(self.parameters.replicas)]
        came = {replica: each.gradient for replica, each in enumerate(shards)}
        self.merge(number, contributions_of(came), guards=None)
        return torch.stack([each.loss for each in shards])

    def shard(self, number: int, replica: int) -> Shard:
        """Do a replica's inner steps of a round from the shared model; its moments stay in the job.

        It changes no other replica's state and not the shared one, so that replicas may run in any order, each on
        another machine that keeps that replica's moments.
        """
        assert self.optimizer is not None
        config, own = self._config, self._replicas.own[replica]
        shared = list(self.shared.parameters())
        self._verify()
        self._write(list(own.parameters()), shared)
        losses = []
        for step in range(number * self.parameters.inner, (number + 1) * self.parameters.inner):
            batch = self._text.batch(
                step * self.parameters.replicas + replica,  # a draw that no other replica has
                rows=config.rows,
                block=config.block,
                seed=self.parameters.seed,
            )
            inner = partial(train_step, own, self.optimizer, batch, learning_rate(step, config), config.clip)
            losses.append(self.guard.run(inner) if self.guard else inner())
        self.optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            return Shard(torch.stack(losses).mean(), pseudo_gradient(shared, list(own.parameters())))

    def contribute(self, number: int, part: int) -> dict[str, Tensor]:
        """Do a replica's part of a round, and return its loss and pseudo-gradient."""
        did = self.shard(number, part)
        return {"loss": did.loss, **{str(place): each for place, each in enumerate(did.gradient)}}

    def take(self, number: int, came: Mapping[int, Mapping[str, Tensor]], *, guarded: bool) -> None:
        """Take the outer step with what came."""
        tensors = {
            part: tuple(given[str(place)] for place in range(len(given) - 1)) for part, given in came.items()
        }
        self.merge(number, contributions_of(tensors), guards=GUARDS if guarded else None)
        self.keep(number, torch.stack([came[part]["loss"] for part in sorted(came)]))

    def alike(self) -> dict[str, Tensor]:
        """Return the shared model, the outer step's velocity, and the losses."""
        shared = {f"shared/{name}": value for name, value in self.shared.state_dict().items()}
        velocity = {f"velocity/{place}": value for place, value in enumerate(self._replicas.velocity)}
        return {**shared, **velocity, "loss": self.kept["loss"]}

    @torch.no_grad()
    def merge(
        self, number: int, contributions: Sequence[Contribution], *, guards: Guards | None = GUARDS
    ) -> Aggregate:
        """Take a round's contributions to the next shared model, and return who entered and who was left out.

        More than half of the replicas are the quorum.

        Raises
        ------
        Unresolved
            With fewer verified; nothing is changed then.
        """
        found = aggregate(contributions, quorum=self.parameters.replicas // 2 + 1, guards=guards)
        self._verify()
        shared, velocity = list(self.shared.parameters()), self._replicas.velocity
        stepped, moved = outer_step(
            shared,
            found.mean,
            velocity,
            rate=self.parameters.outer_rate,
            momentum=self.parameters.outer_momentum,
        )
        self._write([*shared, *velocity], [*stepped, *moved])
        return found

    @torch.no_grad()
    def _write(self, old: Sequence[Tensor], new: Sequence[Tensor]) -> None:
        """Write weights on purpose."""
        for target, value in zip(old, new, strict=True):
            target.copy_(value)
        if self.guard:
            self.guard.accept()

    def _verify(self) -> None:
        """Let the guard put right what changed at rest, before it is read and before the guard accepts what is new."""
        if self.guard:
            self.guard.run(lambda: None)

    def keep(self, number: int, result: Any) -> None:
        """Keep the losses."""
        self.kept["loss"][number] = result

    def outcome(self) -> dict[str, Any]:
        """Return losses, and what the digest of the text makes comparable."""
        return {
            "validation_loss": validation_loss(self.shared, self._text, seed=self.parameters.seed),
            "training_loss": float(self.kept["loss"][-1].mean()),
            "text_sha256": self._text.digest,
        }


def _wrong(what: str, name: str, right: str) -> ValueProblem:
    return ValueProblem(what, place=Place("--set", name), right=right)
