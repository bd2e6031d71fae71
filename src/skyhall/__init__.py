"""Skyhall: the software of a data centre in orbit, from sunlight to invoice.

>>> import skyhall as sh
>>> a = sh.assess("dawn-dusk-200mw")
>>> a.summary()["satellites"] > 0
True

Each link of the chain can be used alone: `load`, `design`, `forecast`, `simulate`, `price`. Nothing scientific is
imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skyhall.catalogue import load_catalogue
    from skyhall.chain import Assessment, assess, simulate
    from skyhall.costing import price
    from skyhall.errors import SkyhallError
    from skyhall.fleet import Fleet, design
    from skyhall.report import write
    from skyhall.scenario import Scenario, load
    from skyhall.twin import fly, forecast, record
    from skyhall.validation import validate

__all__ = [
    "Assessment",
    "Fleet",
    "Scenario",
    "SkyhallError",
    "assess",
    "design",
    "fly",
    "forecast",
    "load",
    "load_catalogue",
    "price",
    "record",
    "simulate",
    "validate",
    "write",
]

_HOMES = {
    "Assessment": "chain",
    "Fleet": "fleet",
    "Scenario": "scenario",
    "SkyhallError": "errors",
    "assess": "chain",
    "design": "fleet",
    "fly": "twin",
    "forecast": "twin",
    "load": "scenario",
    "load_catalogue": "catalogue",
    "price": "costing",
    "record": "twin",
    "simulate": "chain",
    "validate": "validation",
    "write": "report",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("skyhall")
    if name not in _HOMES:
        raise AttributeError(f"module 'skyhall' has no attribute '{name}'")
    return getattr(import_module(f"skyhall.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
