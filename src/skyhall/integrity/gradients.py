"""Gradients between the backward pass that made them and the update that reads them: sums from the first moment.

A program may change its gradients on the way, to clip or scale them. What it does runs under the dispatch mode, so that
the sums are verified before such an operator and taken anew after it; a bit that flips by itself is in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _disable_current_modes

from skyhall.integrity.executions import targets_of, tensors_of
from skyhall.integrity.operators import written_arguments
from skyhall.integrity.sums import agree, block_sums

__all__ = ["GradientWatch"]


@dataclass(frozen=True, slots=True)
class _Note:
    """A gradient's sums, and what tells that it is still the same tensor and was not written out of sight."""

    address: int
    version: int
    sums: Tensor


class GradientWatch:
    """Takes sums of each parameter's gradient as soon as a backward pass has added to it.

    Parameters
    ----------
    model : whose parameters' gradients are watched, from `begin` to `end`.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._hooks: dict[int, Any] = {}
        self._names: dict[int, str] = {}
        self._parameters: dict[str, Tensor] = {}
        self._notes: dict[str, _Note] = {}
        self._memory: dict[int, list[str]] = {}
        self._changed: dict[str, Tensor] = {}
        self._watching = False

    def begin(self) -> None:
        """Forget what was noted, and watch: an execution of a step begins."""
        self._parameters = dict(self._model.named_parameters())
        for name, parameter in self._parameters.items():
            self._names[id(parameter)] = name
            if parameter.requires_grad and parameter.is_leaf and id(parameter) not in self._hooks:
                self._hooks[id(parameter)] = parameter.register_post_accumulate_grad_hook(self._accumulated)
        self._notes, self._memory, self._changed = {}, {}, {}
        self._watching = True

    def end(self) -> None:
        """Watch no longer."""
        self._watching = False

    def close(self) -> None:
        """Let go of the parameters."""
        for hook in self._hooks.values():
            hook.remove()
        self._hooks, self._watching = {}, False

    def writing(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> list[str]:
        """Verify the gradients that an operator is about to change, and return their names, for `wrote`."""
        written = written_arguments(func)
        if not self._watching or not written or not self._memory:
            return []
        names: list[str] = []
        for each in tensors_of(targets_of(func, args, kwargs, written)):
            names += self._memory.get(_storage(each), [])
        if names:
            with _disable_current_modes():
                self._verify(names)
        return names

    def wrote(self, names: Iterable[str]) -> None:
        """Take the sums of gradients anew that an operator of the program has changed."""
        with _disable_current_modes():
            for name in names:
                self._note(name, self._parameters[name])

    def verify(self) -> tuple[dict[str, Tensor], dict[str, Tensor], list[Tensor]]:
        """Compare all gradients with their sums.

        Returns
        -------
        Sums of those that changed by themselves, by name; sums of those that are right; gradients that cannot be
        judged, as something out of sight wrote them: another process, or code that is no operator.
        """
        if _distributed():  # a collective writes into them from a thread of its own
            return {}, {}, [each.grad for each in self._parameters.values() if each.grad is not None]
        unseen = self._verify(self._parameters)
        right = {name: note.sums for name, note in self._notes.items() if name not in self._changed}
        return dict(self._changed), right, unseen

    def _verify(self, names: Iterable[str]) -> list[Tensor]:
        unseen: list[Tensor] = []
        pending: list[tuple[str, Tensor, Tensor]] = []
        for name in names:
            note, grad = self._notes.get(name), self._parameters[name].grad
            if grad is None:
                self._notes.pop(name, None)
                continue
            if note is None or (note.address, note.version) != (_address(grad), _version(grad)):
                self._notes.pop(name, None)
                unseen.append(grad)
                continue
            now = block_sums(grad)
            pending.append((name, now, agree(now, note.sums)))
        if pending and not bool(torch.stack([same.to(pending[0][2].device) for _, _, same in pending]).all()):
            self._changed |= {name: now for name, now, same in pending if not bool(same)}
        return unseen

    def _accumulated(self, parameter: Tensor) -> None:
        if self._watching:
            with _disable_current_modes():
                self._note(self._names[id(parameter)], parameter)

    def _note(self, name: str, parameter: Tensor) -> None:
        grad = parameter.grad
        if grad is None or grad.layout != torch.strided:
            self._notes.pop(name, None)
            return
        self._notes[name] = _Note(_address(grad), _version(grad), block_sums(grad))
        there = self._memory.setdefault(_storage(grad), [])
        if name not in there:
            there.append(name)


def _address(tensor: Tensor) -> int:
    return tensor.data_ptr() if tensor.layout == torch.strided else id(tensor)


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else int(tensor._version)


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr() if tensor.layout == torch.strided else 0


def _distributed() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()
