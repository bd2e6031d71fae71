"""What a verb says where an extra that it needs is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from skyhall.errors import ValueProblem

__all__ = ["need_torch"]


def need_torch(what: str) -> None:
    """Raise `ValueProblem` where torch is missing; `what` begins its sentence."""
    if find_spec("torch") is None:
        raise ValueProblem(
            f"{what} needs the package torch, which is not installed",
            right="install the extra: pip install 'skyhall[ml]'",
        )
