"""`protect`: the one way in, for a block of code or for a model."""

from __future__ import annotations

from typing import Any

from torch import nn

from skyhall.integrity.ledger import Ledger
from skyhall.integrity.protection import Protection

__all__ = ["protect"]


def protect(
    model: nn.Module | None = None,
    *,
    level: str = "abft",
    repair: str = "auto",
    retries: int = 2,
    seed: int = 0,
) -> Any:
    """Protect a block of code, or a model.

    `with protect(level="abft") as guard:` watches every operator inside, forward and backward, of unmodified programs;
    `guard.report` says what happened and `guard.verdict()` ends a step. A compiled model runs eagerly in there.

    `protect(model)` gives a model with the same parameters whose products and attention are checked; it can be compiled
    without graph breaks, and has `.guard`.

    Parameters
    ----------
    model : to protect; None for a block.
    level : "none"; "sums" (only state and guards, by `StepGuard`); "abft" (products and attention checked as well);
        "full" (every other deterministic operator as well; for a block only).
    repair : "operator", "step" or "auto", as in `Ledger`.
    retries : re-runs of a doubted kernel before its alarm counts as uncorrected.
    seed : of the random checksum vectors.

    Raises
    ------
    IntegrityError : an unknown level or way of repair.
    """
    guard = Protection(Ledger(level, repair=repair, retries=retries, seed=seed))
    if model is None:
        return guard
    from skyhall.integrity.compiled import ProtectedModel

    return ProtectedModel(model, guard)
