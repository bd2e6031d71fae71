"""``skyhall radiation``: dose, upsets and the South Atlantic Anomaly's part on one orbit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from skyhall.cli import show
from skyhall.cli.options import as_json, blame, call
from skyhall.errors import Place, SkyhallError, ValueProblem

if TYPE_CHECKING:
    from skyhall.studies import OrbitRadiation

__all__ = ["command"]

_SHELL = "orbit.shells.0"
_OPTIONS = {
    f"{_SHELL}.altitude": "--altitude",
    f"{_SHELL}.inclination": "--inclination",
    f"{_SHELL}.local_time": "--local-time",
    "satellite.shielding": "--shielding",
    "satellite.device": "--device",
    "satellite.life": "--life",
    "environment.solar_activity": "--solar-activity",
    "environment.solar_proton_confidence": "--confidence",
    "epoch": "--epoch",
}
_PARTS = {"trapped_protons": "trapped protons", "electrons": "electrons", "solar_protons": "solar protons"}


@click.command("radiation")
@click.option("--altitude", default="650 km", show_default=True, help="Above the equator's radius.")
@click.option("--inclination", help='Of an orbit that is not sun-synchronous, e.g. "30 deg".')
@click.option(
    "--local-time", help="Of the ascending node of a sun-synchronous orbit; the dose does not depend on it."
)
@click.option("--shielding", default="5 mm", show_default=True, help="Aluminium around the device.")
@click.option("--device", default="trillium-tpu", show_default=True, help="Of the catalogue's kind devices.")
@click.option(
    "--geometry",
    type=click.Choice(["sphere", "slab"]),
    default="sphere",
    show_default=True,
    help="Dose at the centre of a sphere, or behind a slab with nothing from its other side.",
)
@click.option(
    "--solar-activity",
    type=click.Choice(["minimum", "mean", "maximum"]),
    default="minimum",
    show_default=True,
    help="Of trapped particles and cosmic rays; low orbits meet most protons at minimum.",
)
@click.option(
    "--confidence", help="Chance that solar protons are no more than assumed, 0.5 to 0.99; default 0.95."
)
@click.option(
    "--life", help="Solar protons in the mean over such a life; default: over one year of an active Sun."
)
@click.option("--epoch", help="Date, ISO 8601 in UTC, for the anomaly's drift; default 2026-03-20T00:00:00Z.")
@as_json
def command(geometry: str, json: bool, **given: str | None) -> None:
    """Print what radiation does on one orbit: dose by its parts, upsets of a device, and the anomaly's part."""
    if given["inclination"] is not None and given["local_time"] is not None:
        raise ValueProblem(
            "both --inclination and --local-time are given",
            right="the inclination of a sun-synchronous orbit is solved from its altitude: give one of them",
        )
    found = _radiation(geometry, given)
    if json:
        show.document(show.plain(found))
        return
    _show(found, given["inclination"] is None)
    _next(given)


def _radiation(geometry: str, given: dict[str, str | None]) -> OrbitRadiation:
    from skyhall.scenario import load
    from skyhall.studies import radiation_on_orbit

    shell: dict[str, Any] = {} if given["inclination"] is None else {"pattern": "walker_delta"}
    asked: dict[str, Any] = {"orbit": {"shells": [shell]}, "satellite": {}, "environment": {}}
    names = {option.removeprefix("--").replace("-", "_"): key for key, option in _OPTIONS.items()}
    for name, text in given.items():
        if text is None:
            continue
        section, _, key = names[name].rpartition(".")
        place = shell if section == _SHELL else asked[section] if section else asked
        place[key] = _number(text) if name == "confidence" else text
    try:
        return radiation_on_orbit(load(asked), geometry=geometry, whole_life=given["life"] is not None)
    except SkyhallError as error:
        typed = {names[name] for name, text in given.items() if text is not None}
        blame(error, {key: Place(option) for key, option in _OPTIONS.items() if key in typed})
        raise


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueProblem(
            f"{text!r} is not a number", place=Place("--confidence"), right="for example 0.95"
        ) from None


def _show(found: OrbitRadiation, synchronous: bool) -> None:
    kind = "sun-synchronous" if synchronous else "circular"
    show.heading(f"{found.altitude_km:,.6g} km, {found.inclination_deg:.4g}°", kind)
    parts = found.dose_parts_krad_per_year
    total = found.dose_krad_per_year
    shape = (
        "centre of a solid aluminium sphere of"
        if found.geometry == "sphere"
        else "behind an aluminium slab of"
    )
    rows = [("dose", show.number(total, "krad/yr", 3), f"in silicon, {shape} {found.shielding_mm:g} mm")]
    rows += [
        (
            f"  {name}",
            show.number(parts[key], "krad/yr", 3),
            show.percent(parts[key] / total) if total else "",
        )
        for key, name in _PARTS.items()
    ]
    if total:
        years = found.dose_limit_krad / total
        rows.append(
            ("limit", show.number(found.dose_limit_krad, "krad", 3), f"{found.device}: {years:.3g} years")
        )
    show.facts(rows)
    show.sentence(
        f"AP8/AE8 at solar {found.solar_activity}, in the field of their own epoch. Solar protons: not exceeded with "
        f"{show.percent(found.solar_proton_confidence)}, {show.percent(found.active_share)} of the time in the Sun's "
        "active years.",
        "dim",
    )
    if found.solar_activity == "minimum" and found.active_share == 1.0:
        show.sentence(
            "So are published doses compared. For a mission: --solar-activity mean --life '5 yr'. Behind a few "
            "millimetres the electrons of solar maximum can bring more: --solar-activity maximum.",
            "dim",
        )
    show.heading(f"Upsets of one {found.device}")
    events, days = found.solar_event_upsets_per_device_year, found.upsets_per_device_day
    show.table(
        ("outcome", "a day", "one every", "by solar events, expected a year"),
        [(name, f"{rate:.3g}", _every(rate), f"{events[name]:.3g}") for name, rate in days.items()],
        right=(1, 2, 3),
    )
    show.sentence(
        "corrected: by its error-correcting code; detected: not corrected, the work dies; functional: reset needed; "
        "silent: wrong without a sign",
        "dim",
    )
    show.sentence(f"corrected, a bit and day: {found.corrected_per_bit_day:.2g}")
    hazards = ", ".join(f"{name} {rate:.2g}" for name, rate in found.hazards_per_device_year.items())
    show.sentence(f"destroyed, a year: {hazards}")
    show.heading("South Atlantic Anomaly", found.anomaly)
    show.facts(
        [
            (
                "upsets inside",
                show.percent(found.share_in_south_atlantic_anomaly),
                "of those that kill or corrupt work",
            ),
            (
                "time inside",
                show.percent(found.time_in_south_atlantic_anomaly),
                f"{found.minutes_per_day:.0f} min a day",
            ),
            ("passes", f"{found.passes_per_day:.1f} a day", ""),
        ]
    )
    show.heading("Dose against shielding", "krad/yr")
    show.table(
        ("aluminium, mm", *_PARTS.values(), "sum"),
        [
            (
                f"{mm:g}",
                *(show.number(row[key], digits=3) for key in _PARTS),
                show.number(sum(row.values()), digits=3),
            )
            for mm, row in found.dose_by_mm
        ],
        right=(0, 1, 2, 3, 4),
    )


def _every(per_day: float) -> str:
    if per_day <= 0.0:
        return "never"
    for unit, days in (("years", 365.25), ("days", 1.0), ("h", 1.0 / 24.0)):
        if 1.0 / per_day >= 2.0 * days:
            return f"{1.0 / per_day / days:.3g} {unit}"
    return f"{1440.0 / per_day:.3g} min"


def _next(given: dict[str, str | None]) -> None:
    # Not without an inclination: there is no sun-synchronous orbit at every altitude.
    tilt = "30 deg" if given["inclination"] in (None, "98 deg") else "98 deg"
    thick = "10 mm" if given["shielding"] != "10 mm" else "5 mm"
    altitude = str(given["altitude"])
    show.next_commands(
        call("radiation", altitude=altitude, inclination=tilt),
        call("radiation", altitude=altitude, inclination=given["inclination"], shielding=thick),
        call("catalogue", str(given["device"])),
    )
