"""``skyhall compare``: scenarios and earlier runs side by side."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Any

import click

from skyhall.cli import show
from skyhall.cli.options import as_json, call, loaded, set_option
from skyhall.errors import FileProblem, Place, ValueProblem

__all__ = ["command"]

_ROWS = {
    "satellites": ("satellites", ""),
    "accelerators": ("accelerators", ""),
    "it_power_mw": ("IT power", ""),
    "satellite_kg": ("mass of one", "kg"),
    "specific_mass_kg_per_kw": ("specific mass", "kg/kW IT"),
    "power_overhead": ("bus over IT power", ""),
    "array_m2": ("array of one", "m²"),
    "radiator_planform_m2": ("radiator planform", "m²"),
    "radiator_emitting_m2": ("radiator emitting", "m²"),
    "battery_kwh": ("battery of one", "kWh"),
    "launches": ("launches", ""),
    "satellites_per_launch": ("satellites on each", ""),
    "sunlit_year": ("sunlit share", "%"),
    "longest_eclipse_min": ("longest eclipse", "min"),
    "delivered_it_mwh_per_year": ("delivered IT", "MWh/yr"),
    "delivered_share": ("delivered share", "%"),
    "verified_share": ("delivered, verified", "%"),
    "throttled_h_per_year": ("throttled", "h/yr"),
    "hottest_junction_c": ("hottest junction", "°C"),
    "lowest_state_of_charge": ("lowest charge", "%"),
    "shield_mm": ("shield, aluminium", "mm"),
    "dose_of_limit": ("dose of its limit", "%"),
    "upsets_per_accelerator_day": ("upsets of one", "1/day"),
    "lost_to_upsets_share": ("lost to upsets", "%"),
    "silent_left_per_accelerator_year": ("silent left", "1/yr"),
    "mesh_links": ("laser links", ""),
    "bisection_tbps": ("bisection", "Tbit/s"),
    "bisection_of_clos_share": ("bisection of Clos", "%"),
    "handover_min": ("handover", "min"),
    "contact_min_per_satellite_day": ("contacts of one", "min/day"),
    "downlink_tbit_per_day": ("downlink", "Tbit/day"),
    "rules_failed": ("rules not met", ""),
    "launch_usd_per_kg": ("launch price", "USD/kg"),
    "usd_per_installed_gpu_h": ("per installed hour", "USD/GPU-h"),
    "usd_per_delivered_gpu_h": ("per delivered hour", "USD/GPU-h"),
    "ground_usd_per_gpu_h": ("on the ground", "USD/GPU-h"),
    "breakeven_launch_usd_per_kg": ("break-even launch", "USD/kg"),
    "binding": ("binding, price", ""),
    "binding_mass": ("binding, mass", ""),
}
_ALIKE = 5e-4  # relative: what differs less is shown as alike


@click.command("compare")
@click.argument("sources", nargs=-1, required=True, metavar="A B…")
@set_option
@as_json
def command(sources: tuple[str, ...], sets: tuple[str, ...], json: bool) -> None:
    """Show scenarios (names or files) and earlier runs (their folder or summary.json) side by side."""
    if len(sources) < 2:
        raise ValueProblem(
            "there is only one to compare",
            right="name two or more, e.g. skyhall compare starcloud-1 suncatcher-81",
        )
    summaries = []
    with show.progress(json=json) as told:
        for index, source in enumerate(sources):
            told(source, index / len(sources))
            summaries.append(_summary(source, sets))
    names = _names(sources, summaries)
    if json:
        differing = [key for key in _ROWS if _differs([each.get(key) for each in summaries])]
        show.document({"names": names, "summaries": summaries, "differing": differing})
        return
    _show(names, summaries)
    seen = any(Path(source) == Path("runs/ride") for source in sources)
    other, folder = (
        ("launch.price=100 USD/kg", "runs/price") if seen else ("satellite.night=ride", "runs/ride")
    )
    show.next_commands(
        call("design", sources[0], sets=sets) if not _is_run(sources[0]) else "skyhall scenarios",
        call("assess", out=folder, sets=[other]),
        call("compare", "dawn-dusk-200mw", folder),
    )


def _is_run(source: str) -> bool:
    return Path(source).is_dir() or source.endswith(".json")


def _summary(source: str, sets: tuple[str, ...]) -> dict[str, Any]:
    """Return the summary of an earlier run, or of a scenario assessed now."""
    if _is_run(source):
        return _read(Path(source))
    from skyhall.chain import assess

    found: dict[str, Any] = show.plain(assess(loaded(source, sets)).summary())
    return found


def _read(path: Path) -> dict[str, Any]:
    from skyhall.files import read_text

    file = path / "summary.json" if path.is_dir() else path
    try:
        document = json_module.loads(read_text(file))
    except ValueError:
        raise FileProblem(
            "is not JSON", place=Place(str(file)), right="give a run's folder or summary.json"
        ) from None
    if isinstance(document, dict) and isinstance(document.get("summary"), dict):
        document = document["summary"]
    if not isinstance(document, dict) or not document.keys() & _ROWS.keys():
        raise FileProblem("is not the summary of a run", place=Place(str(file)), right="give a run's folder")
    return document


def _names(sources: tuple[str, ...], summaries: list[dict[str, Any]]) -> list[str]:
    names = [str(each.get("scenario", source)) for source, each in zip(sources, summaries, strict=True)]
    if len(set(names)) == len(names):
        return names
    return [source.removesuffix("/summary.json").rstrip("/") for source in sources]


def _differs(values: list[Any]) -> bool:
    first = values[0]
    for value in values[1:]:
        if isinstance(value, (int, float)) and isinstance(first, (int, float)):
            if abs(value - first) > _ALIKE * max(abs(value), abs(first)):
                return True
        elif value != first:
            return True
    return False


def _show(names: list[str], summaries: list[dict[str, Any]]) -> None:
    two = len(names) == 2
    rows: list[list[str | show.Text]] = []
    for key, (label, unit) in _ROWS.items():
        values = [each.get(key) for each in summaries]
        if key == "breakeven_launch_usd_per_kg":
            cells_of = [_break_even(each) for each in summaries]
        elif all(value is None for value in values):
            continue  # runs of an earlier version
        else:
            cells_of = [_shown(key, value) for value in values]
        differs = _differs(values) or (key.startswith("breakeven") and len(set(cells_of)) > 1)
        style = "" if differs else "dim"
        cells = [show.Text(text, style="bold yellow" if differs else style) for text in cells_of]
        ratio = [_ratio(values) if differs else ""] if two else []
        mark = "≠" if differs else ""
        rows.append(
            [show.Text(mark), show.Text(label, style=style), *cells, *ratio, show.Text(unit, style="dim")]
        )
    columns = ["", "", *names, *(["B / A"] if two else []), "unit"]
    show.table(columns, rows, right=range(2, len(columns) - 1), whole=(0, 1, len(columns) - 1))


def _shown(key: str, value: Any) -> str:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return "none" if value is None else str(value).replace("_", " ")
    if key == "it_power_mw":
        return show.power(1e6 * value)
    if _ROWS[key][1] == "%":
        return show.number(100.0 * value, digits=3)
    if key == "launches" and value < 1.0:
        return f"{show.percent(value)} of one"
    return show.number(value)


def _break_even(summary: dict[str, Any]) -> str:
    """Return the break-even price; where no price closes, the signed number that says how far it is."""
    price, signed = (summary.get(f"breakeven_launch_{each}usd_per_kg") for each in ("", "signed_"))
    if price is not None:
        return show.number(price)
    return "none closes" + (f" ({show.number(signed, digits=3)})" if signed is not None else "")


def _ratio(values: list[Any]) -> str:
    first, second = values
    if not all(isinstance(value, (int, float)) for value in values) or not first:
        return ""
    return show.number(float(second / first), digits=3)
