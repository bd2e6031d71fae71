"""Injection: faults of a list or a model hit the real bits of a running program.

State at rest (weights, moments, generators) is hit by `Injector.begin`, between two steps; kernels' results are hit
while they are computed, by a dispatch mode that sees every operator of the forward pass, the backward pass and the
optimiser's step. Under `protect` the raw result of a protected kernel is hit before its check, through
`products.kernel_faults`, so that the check has its chance, as in hardware.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _disable_current_modes

from skyhall.integrity import products
from skyhall.integrity.bits import dtype_name, flip, stick, width, words
from skyhall.integrity.errors import IntegrityError
from skyhall.integrity.faults import Fault, FaultList, FaultModel, Site
from skyhall.integrity.kernels import KERNEL_TARGETS, KernelHits

__all__ = ["Hit", "Injector", "inject", "strike"]

_AT_REST = ("weights", "optimizer", "rng")
# Of the 5,056 bytes of torch's CPU generator: the Mersenne twister's 624 words of 32 bits, each in 8 bytes. The rest is
# counters, some of whose bits torch itself refuses.
_TWISTER, _TWISTER_WORDS = 24, 624


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that happened; of the first element hit, the word before and after, in hex."""

    fault: Fault
    before: str
    after: str


def strike(tensor: Tensor, fault: Fault) -> Hit:
    """Do one fault to `tensor`, in place.

    Raises
    ------
    IntegrityError
        When the tensor's dtype is not the fault's.
    """
    if dtype_name(tensor.dtype) != fault.dtype:
        raise IntegrityError(
            f"{fault.name} is {dtype_name(tensor.dtype)}, the fault is of {fault.dtype}",
            "the list was made for another program",
        )
    elements = torch.from_numpy(fault.elements(tensor.shape))
    before = _word(tensor, int(elements[0]))
    if fault.stuck is None:
        flip(tensor, elements, fault.mask)
    else:
        stick(tensor, elements, fault.mask, fault.stuck)
    return Hit(fault, before, _word(tensor, int(elements[0])))


class Injector:
    """Faults on their way into a program; made by `inject`.

    Attributes
    ----------
    hits : faults that happened, in order. A stuck bit is there once, however often it takes hold.
    planned : faults of the steps begun so far; those that found nothing to hit are `planned - len(hits)`.
    """

    def __init__(
        self,
        model: nn.Module | None,
        optimizer: torch.optim.Optimizer | None,
        faults: FaultList | FaultModel,
        *,
        steps: int | None = None,
        seed: int = 0,
        log: IO[str] | None = None,
    ) -> None:
        self.hits: list[Hit] = []
        self.planned = 0
        self._module, self._optimizer = model, optimizer
        self._seed, self._log = seed, log
        self._step = -1
        self._rng = np.random.default_rng([seed, 0])
        self._model = faults if isinstance(faults, FaultModel) else None
        self._counts = self._spread(steps)
        self._listed: dict[int, list[Fault]] = {}
        for fault in faults if isinstance(faults, FaultList) else ():
            self._listed.setdefault(fault.step, []).append(fault)
        self._stuck: list[Fault] = []
        self._late: list[Fault] = []  # of a list, for what appears within the step
        self._owed: dict[str, int] = {}  # the same of a model with a count
        self._carried = 0
        self._logged: set[Fault] = set()
        self.kernels = KernelHits(self._do, optimizer, strict=self._model is None)

    def add(self, events: int) -> None:
        """Have so many more faults of a model with a count drawn in the next step, as a rate that changes asks for."""
        self._carried += events

    def begin(self, step: int) -> None:
        """Begin a step: state at rest is hit now, the kernels' results as they come."""
        with _disable_current_modes():
            self._begin(step)

    def _begin(self, step: int) -> None:
        self._step = step
        self._rng = np.random.default_rng([self._seed, 1, step])
        if self._model is not None and self._model.count is not None:
            # What found nothing to hit (a kernel of the first step alone, a batch that never came) is drawn anew.
            unmet = self.kernels.unmet + sum(self._owed.values())
            self._carried += unmet
            self.planned -= unmet
        self.kernels.begin_step(())  # the kernels of the step before are known now
        due = self._drawn() if self._model is not None else list(self._listed.get(step, ()))
        self.planned += len(due) + sum(self._owed.values())
        for fault in [*self._stuck, *due]:
            if fault.target in _AT_REST:
                self._hit_at_rest(fault)
        self._stuck += [fault for fault in due if fault.stuck is not None and fault.target in _AT_REST]
        self._late = [fault for fault in due if fault.target not in (*_AT_REST, *KERNEL_TARGETS)]
        self.kernels.begin_step([fault for fault in due if fault.target in KERNEL_TARGETS])

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Let faults hit the kernels that run inside the block; what is inside `inject` is inside one.

        Where a protection is entered within `inject`, as `StepGuard.run` does, enter this within that: from then on
        only what runs inside it is hit, the program's own kernels before their checks, and not the protection's.
        """
        before = products.kernel_faults
        products.kernel_faults = self.kernels.armed_hit
        try:
            with self.kernels:
                yield
        finally:
            products.kernel_faults = before

    def batch(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Return the tensors of a batch, hit where a fault is due; the given ones stay as they are."""
        named = {f"batch.{place}": tensor for place, tensor in enumerate(tensors)}
        return tuple(self._passing("batch", named).values())

    def message(self, name: str, tensor: Tensor) -> Tensor:
        """Return a tensor on its way to another process, hit where a fault is due; the given one stays as it is."""
        return self._passing("messages", {name: tensor})[name]

    def checkpoint(self, path: str | Path) -> None:
        """Hit the bytes of a checkpoint's file where a fault is due."""
        target = Path(path)
        held = torch.frombuffer(bytearray(target.read_bytes()), dtype=torch.uint8)
        hit = self._passing("checkpoint", {"bytes": held})["bytes"]
        if hit is not held:
            target.write_bytes(hit.numpy().tobytes())

    def sites(self) -> list[Site]:
        """Return what can be hit as the next step begins: state at rest, and kernels as the steps before ran them."""
        return [*(_site(target, name, tensor) for target, name, tensor in self._state()), *self.kernels.sites]

    def recorded(self) -> FaultList:
        """Return the faults that happened, as a list that does the same again."""
        return FaultList(tuple(hit.fault for hit in self.hits), {"seed": self._seed})

    def _spread(self, steps: int | None) -> dict[int, int]:
        """Return how many of the counted faults happen in each step."""
        if self._model is None or self._model.count is None:
            return {}
        if steps is None:
            raise IntegrityError("a count of faults needs `steps`", "over how many steps they are spread")
        when = self._rng.integers(0, steps, size=self._model.count)
        return {
            int(step): int(count) for step, count in zip(*np.unique(when, return_counts=True), strict=True)
        }

    def _drawn(self) -> list[Fault]:
        assert self._model is not None
        model, sites = self._model, self.sites()
        self._owed = {}
        if model.count is None:
            events = int(self._rng.poisson(model.expected(sites)))
            return [model.one(sites, self._step, self._rng) for _ in range(events)]
        late = [name for name in model.targets if name not in (*_AT_REST, *KERNEL_TARGETS)]
        choice = [*model.present(sites), *late]
        events, self._carried = self._counts.get(self._step, 0) + self._carried, 0
        if not choice:  # no kernel is known before the first step
            self._carried = events
            return []
        faults = []
        for _ in range(events):
            target = choice[int(self._rng.integers(len(choice)))]
            if target in late:
                self._owed[target] = self._owed.get(target, 0) + 1
            else:
                pool = [site for site in sites if site.target == target]
                faults.append(model.one(pool, self._step, self._rng))
        return faults

    def _passing(self, target: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Hit copies of what passes by; where nothing is due the tensors themselves come back."""
        due = [fault for fault in self._late if fault.target == target and fault.name in tensors]
        self._late = [fault for fault in self._late if fault not in due]
        if self._model is not None:
            sites = [_site(target, name, tensor) for name, tensor in tensors.items()]
            sites = [site for site in sites if self._model.candidates(site)]
            if self._model.count is not None:
                events = self._owed.pop(target, 0)
            else:
                events = int(self._rng.poisson(self._model.expected(sites)))
                self.planned += events
            due += [self._model.one(sites, self._step, self._rng) for _ in range(events if sites else 0)]
        out = dict(tensors)
        for fault in due:
            if out[fault.name] is tensors[fault.name]:
                out[fault.name] = tensors[fault.name].clone()
            self._do(fault, out[fault.name])
        return out

    def _state(self) -> Iterator[tuple[str, str, Tensor]]:
        """Yield (target, name, tensor) of all state at rest."""
        names: dict[Tensor, str] = {}
        if self._module is not None:
            for name, weight in [*self._module.named_parameters(), *self._module.named_buffers()]:
                names.setdefault(weight, name)
                yield "weights", name, weight
        if self._optimizer is not None:
            weights = [weight for group in self._optimizer.param_groups for weight in group["params"]]
            for place, weight in enumerate(weights):
                for key, value in self._optimizer.state.get(weight, {}).items():
                    if isinstance(value, Tensor):
                        yield "optimizer", f"{key}/{names.get(weight, place)}", value
        yield "rng", "torch", _twister(torch.get_rng_state())

    def _hit_at_rest(self, fault: Fault) -> None:
        if fault.target == "rng":
            state = torch.get_rng_state()
            twister = _twister(state)
            self._do(fault, twister)
            state[_TWISTER : _TWISTER + 8 * _TWISTER_WORDS].view(-1, 8)[:, :4] = twister.view(-1, 4)
            torch.set_rng_state(state)
            return
        for target, name, tensor in self._state():
            if (target, name, tuple(tensor.shape)) == (fault.target, fault.name, fault.within):
                self._do(fault, tensor)
                return
        raise IntegrityError(
            f"step {fault.step} hits {fault.target} {fault.name} of shape {fault.within}, which is not here",
            "the list was made for another program",
        )

    def _do(self, fault: Fault, tensor: Tensor) -> None:
        with _disable_current_modes():
            hit = strike(tensor, fault)
        if fault.stuck is not None and fault in self._logged:
            return
        self._logged.add(fault)
        self.hits.append(hit)
        if self._log is not None:
            line = {**asdict(fault), "mask": hex(fault.mask), "before": hit.before, "after": hit.after}
            self._log.write(json.dumps(line) + "\n")
            self._log.flush()  # what was injected is known even if the fault ends the program


@contextmanager
def inject(
    model: nn.Module | None,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    faults: FaultList | FaultModel,
    steps: int | None = None,
    seed: int = 0,
    log: str | Path | None = None,
) -> Iterator[Injector]:
    """Let faults hit what runs inside the block.

    Call `Injector.begin(step)` before each step; pass data through `batch`, what is sent through `message`, and files
    through `checkpoint`. Enter it inside `protect`, so that a fault's place does not depend on the protection; where
    that cannot be, `Injector.computing` is for the inside.

    Parameters
    ----------
    faults : a list, done exactly as written, or a model, drawn step by step from `seed` and the step's number. A model
        hits the kernels that the steps before ran: none in the first step.
    steps : over which the faults of a model with a count are spread.
    log : file for the faults as they happen, JSON lines that `FaultList.read` takes.

    Yields
    ------
    Injector
    """
    stream = None
    if log is not None:
        FaultList(
            (), {"seed": seed, **(faults.origin() if isinstance(faults, FaultModel) else faults.origin)}
        ).write(log)
        stream = Path(log).open("a", encoding="utf-8")  # noqa: SIM115  # closed below, after the injector
    injector = Injector(model, optimizer, faults, steps=steps, seed=seed, log=stream)
    try:
        with injector.computing():
            yield injector
    finally:
        injector.kernels.close()
        if stream is not None:
            stream.close()


def _site(target: str, name: str, tensor: Tensor) -> Site:
    return Site(target, name, dtype_name(tensor.dtype), tuple(tensor.shape))


def _twister(state: Tensor) -> Tensor:
    """Return the bytes of the twister's words, a copy of shape (2496,)."""
    return state[_TWISTER : _TWISTER + 8 * _TWISTER_WORDS].view(-1, 8)[:, :4].reshape(-1).clone()


def _word(tensor: Tensor, element: int) -> str:
    where = torch.unravel_index(torch.tensor(element), tensor.shape) if tensor.dim() else ()
    value = int(words(tensor)[where])
    return f"{value & ((1 << width(tensor.dtype)) - 1):#x}"
