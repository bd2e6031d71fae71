"""One term at a time exchanged for the ground's: which of them keeps orbit above the ground."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from skyhall.economics.cost_inputs import CostInputs
from skyhall.economics.cost_sheet import CostSheet

__all__ = ["relieved"]

# Terms that are cost lines which the ground does not have.
_LINES = {
    "solar array": ("solar array",),
    "bus": ("bus",),
    "radiator and loop": ("radiator", "coolant loop"),
    "battery": ("battery",),
    "terminals": ("terminals",),
    "propulsion": ("propulsion", "propellant"),
    "spare accelerators": ("spare accelerators",),
    "engineering": ("engineering",),
    "launch failures and insurance": ("launch failures", "insurance"),
}


def relieved(
    inputs: CostInputs, sheet: CostSheet, price: Callable[[CostInputs], CostSheet]
) -> tuple[tuple[str, CostSheet], ...]:
    """Return for each term the sheet in which orbit pays or loses what the ground does, or nothing.

    Parameters
    ----------
    inputs, sheet : the fleet and its cost sheet.
    price : makes a sheet of inputs.

    Notes
    -----
    What a term weighs is launched all the same: only its price goes. Terms overlap (hours lost raise every
    other term), so that savings do not add up; `CostSheet.gap` does.
    """
    found = [
        (term, sheet.without(*names))
        for term, names in _LINES.items()
        if any(line.name in names for line in sheet.orbit)
    ]
    found += [(term, price(changed)) for term, changed in _as_on_the_ground(inputs).items()]
    repairs = tuple(line for line in sheet.ground if line.name == "repairs")
    whole = replace(inputs.reliability, accelerator_failures=0.0, satellite_failures=0.0)
    repaired = price(replace(inputs, reliability=whole))
    return (
        *found,
        ("operations", _with_family(sheet, "operate")),
        ("failures without repair", replace(repaired, orbit=(*repaired.orbit, *repairs))),
    )


def _as_on_the_ground(inputs: CostInputs) -> dict[str, CostInputs]:
    ground, hazards = inputs.rival, inputs.reliability
    as_verified = replace(hazards, upset_loss_share=ground.lost_share, protection_overhead=0.0)
    return {
        "short life": replace(inputs, life_years=max(inputs.life_years, ground.server_life_years)),
        "cost of capital": replace(
            inputs, finance=replace(inputs.finance, wacc_space=inputs.finance.wacc_ground)
        ),
        "upsets and protection": replace(inputs, reliability=as_verified),
        "light, power and heat": replace(inputs, delivered_fraction=ground.running_share),
    }


def _with_family(sheet: CostSheet, family: str) -> CostSheet:
    """Return the sheet in which orbit has the ground's lines of a family in place of its own."""
    own = [line.name for line in sheet.orbit if line.family == family]
    theirs = tuple(line for line in sheet.ground if line.family == family)
    relieved_of_own = sheet.without(*own)
    return replace(relieved_of_own, orbit=relieved_of_own.orbit + theirs)
