"""``skyhall design``: the satellites of a scenario, sized."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from skyhall.cli import show
from skyhall.cli.options import another, as_json, call, elements_option, loaded, scenario_argument, set_option

if TYPE_CHECKING:
    from skyhall.fleet import Fleet

__all__ = ["command"]


@click.command("design")
@scenario_argument
@set_option
@elements_option
@as_json
def command(scenario: str, sets: tuple[str, ...], elements: str | None, json: bool) -> None:
    """Size the satellites of SCENARIO and print their mass, power and heat budgets."""
    asked = loaded(scenario, sets, {"--elements": ("orbit.elements", elements)})
    from skyhall.fleet import design

    fleet = design(asked)
    if json:
        show.document(_document(fleet))
        return
    show.title(asked.name, asked.description, asked.orbit.elements)
    for index in _distinct(fleet):
        _show(fleet, index)
    other = another(
        asked, sets, "satellite.attitude=orbit_normal", "satellite.night=ride", "satellite.life=8 yr"
    )
    show.next_commands(
        call("assess", scenario, elements=elements, sets=sets),
        call("design", scenario, elements=elements, sets=[*sets, other]),
        f"skyhall catalogue {asked.satellite.array}",
    )


def _distinct(fleet: Fleet) -> list[int]:
    """Return the lightest and the heaviest design, or the only one."""
    order = sorted(range(len(fleet.designs)), key=lambda index: fleet.designs[index].mass)
    return list(dict.fromkeys([order[0], order[-1]]))


def _document(fleet: Fleet) -> dict[str, Any]:
    return {
        "satellites": len(fleet),
        "fleet_kg": fleet.mass,
        "it_power_w": fleet.it_power,
        "dropped": fleet.dropped,
        "designs": [
            {
                "satellites": count,
                "mass": design.mass,
                "bus_power": design.bus_power,
                "binding": str(sized.binding),
                "shield_mm": here.shield_mm,
                "dose_krad_per_year": float(here.exposure.dose.total) / 1e3,
                "dose_of_limit": here.dose_of_limit,
                "array_case": str(sized.array_case),
                "battery_case": str(sized.battery_case),
                "radiator_case": str(sized.radiator_case),
                **show.plain(design),
            }
            for count, design, sized, here in zip(
                fleet.counts, fleet.designs, fleet.sized, fleet.irradiation, strict=True
            )
        ],
    }


def _show(fleet: Fleet, index: int) -> None:
    design, sized = fleet.designs[index], fleet.sized[index]
    here = fleet.irradiation[index]
    many = len(fleet.designs)
    which = f"design {index + 1} of {many}: " if many > 1 else ""
    show.heading(f"{which}{design.name}", f"{show.count(fleet.counts[index], 'satellite')}, at end of life")
    show.facts(
        [
            (
                "IT power",
                show.power(design.it_power),
                f"{design.accelerators:,} × {fleet.scenario.satellite.accelerator}",
            ),
            (
                "bus power",
                show.power(design.bus_power),
                f"{float(sized.power_overhead):.3f} × IT; {show.power(design.fixed_load, 3)} without work",
            ),
            (
                "solar array",
                show.number(design.array_area, "m²"),
                f"{show.power(float(sized.array_power_begin))} at begin of life; {_case(sized.array_case)}",
            ),
            (
                "radiator",
                show.number(design.radiator_area, "m²"),
                f"planform, {show.number(design.radiator_emitting_area, 'm²')} emitting; {_case(sized.radiator_case)}",
            ),
            (
                "radiator at",
                show.celsius(design.design_radiator_temperature),
                f"hot case; coolant {show.celsius(design.design_coolant_temperature)}",
            ),
            (
                "battery",
                show.energy(float(sized.battery_capacity_begin)),
                f"{show.percent(float(sized.depth_of_discharge))} in the longest night; {_case(sized.battery_case)}",
            ),
            ("shield", show.number(here.shield_mm, "mm", 3), "aluminium around the electronics"),
            (
                "dose",
                show.number(float(here.exposure.dose.total) / 1e3, "krad/yr", 3),
                show.dose_budget(here),
            ),
            ("drag area", show.number(design.drag_area, "m²"), ""),
            ("stowed volume", show.number(design.stowed_volume, "m³"), ""),
        ]
    )
    if here.dose_of_limit > 1.0:
        show.sentence("The dose is more than the device bears.", "yellow")
    show.heading("Mass of one")
    total = design.mass
    lines = sorted({**design.masses, "propellant": design.propellant}.items(), key=lambda item: -item[1])
    show.table(
        ("line", "kg", "share, %", "kg per kW of IT"),
        [
            (
                name.replace("_", " "),
                show.number(kg),
                f"{kg / total * 100:.1f}",
                f"{kg / design.it_power * 1e3:.2f}",
            )
            for name, kg in (*lines, ("launch mass", total))
        ],
        right=(1, 2, 3),
    )


def _case(text: object) -> str:
    return f"sized by {str(text).replace('_', ' ')}"
