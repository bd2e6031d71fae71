"""The state of a training job by name: weights, buffers, and what the optimiser keeps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["gradients", "optimizer_state", "random_state", "restore_random_state", "weights"]


def weights(model: nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers, a tied one once, under "weights/" and "buffers/"."""
    named = {f"weights/{name}": value.detach() for name, value in model.named_parameters()}
    return {**named, **{f"buffers/{name}": value.detach() for name, value in model.named_buffers()}}


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimiser's tensors under "optimizer/group/number/name"."""
    found: dict[str, Tensor] = {}
    for index, group in enumerate(optimizer.param_groups):
        for number, parameter in enumerate(group["params"]):
            for name, value in optimizer.state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    found[f"optimizer/{index}/{number}/{name}"] = value
    return found


def gradients(model: nn.Module) -> dict[str, Tensor]:
    """Return the gradients that are there under "gradients/"."""
    return {
        f"gradients/{name}": value.grad for name, value in model.named_parameters() if value.grad is not None
    }


def random_state() -> tuple[Tensor, list[Tensor]]:
    """Return the states of torch's generators: the CPU's, and each GPU's where there are any in use."""
    used = torch.cuda.is_available() and torch.cuda.is_initialized()
    return torch.get_rng_state(), [state.clone() for state in torch.cuda.get_rng_state_all()] if used else []


def restore_random_state(state: tuple[Tensor, list[Tensor]]) -> None:
    """Set torch's generators back."""
    torch.set_rng_state(state[0])
    if state[1]:
        torch.cuda.set_rng_state_all(state[1])
