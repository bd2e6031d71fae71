"""Which guard a custom operator runs under: operators carry a number, as a compiled graph carries no objects."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from skyhall.integrity.protection import Protection

__all__ = ["GUARDS", "under"]

GUARDS: weakref.WeakValueDictionary[int, Protection] = weakref.WeakValueDictionary()


def under(key: int, call: Callable[[], Any]) -> Any:
    """Return what `call` gives under the guard of this number; plain if the guard is gone with its model.

    Parameters
    ----------
    key : the guard's number.
    call : runs torch's operators.
    """
    guard = GUARDS.get(key)
    if guard is None:
        return call()
    with guard:
        return call()
