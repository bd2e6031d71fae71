"""Published failures of large clusters, and the beam test of an accelerator, computed anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from skyhall.constants import DAY, JULIAN_YEAR
from skyhall.economics.reliability import time_between, unit_hazard
from skyhall.environment.devices import cross_section_of_events, inferences_per_corruption
from skyhall.validation.cases import Case

__all__ = ["CHECKS"]

HOURS_PER_DAY = 24.0


def llama3(case: Case) -> Mapping[str, Any]:
    """Return the interruptions of one GPU a year, and the hours between those of all."""
    given = case.given
    per_day = unit_hazard(given["interruptions"], given["gpus"], given["days"])
    return {
        "all_causes": float(per_day) * JULIAN_YEAR / DAY,
        "hours_between": float(time_between(per_day, given["gpus"])) * HOURS_PER_DAY,
    }


def rsc_16384(case: Case) -> Mapping[str, Any]:
    """Return the mean time between failures of a job, in hours, from the failures of its nodes."""
    given = case.given
    per_day = unit_hazard(given["failures_per_1000_node_days"], 1000, 1.0)
    nodes = given["gpus"] / given["gpus_per_node"]
    return {"mttf": float(time_between(per_day, nodes)) * HOURS_PER_DAY}


def trillium_cross_sections(case: Case) -> Mapping[str, Any]:
    """Return the cross section of the events that came once per so many rad, cm²."""
    given = case.given
    return {"sigma": float(cross_section_of_events(given["rad_per_event"], given["protons_per_cm2_rad"]))}


def trillium_inferences(case: Case) -> Mapping[str, Any]:
    """Return the inferences between silent corruptions at the orbit's dose."""
    given = case.given
    found = inferences_per_corruption(
        given["inferences_per_s"], given["rad_per_year"], given["rad_per_event"]
    )
    return {"inferences_per_corruption": float(found)}


CHECKS: Mapping[str, Callable[[Case], Mapping[str, Any]]] = {
    "llama3": llama3,
    "rsc-16384": rsc_16384,
    "trillium-cross-sections": trillium_cross_sections,
    "trillium-inferences": trillium_inferences,
}
