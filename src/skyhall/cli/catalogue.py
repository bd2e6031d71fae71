"""``skyhall catalogue``: parts, and each value's range, source and date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skyhall.cli import show
from skyhall.cli.options import as_json

if TYPE_CHECKING:
    from skyhall.catalogue import Catalogue, Fact, Part

__all__ = ["command"]

_MANY = 40  # parts of a kind, beyond which the list of everything only counts them
_UNSAID = {"peak_flops": "FLOP/s"}  # units of values that the catalogue writes as plain numbers


@click.command("catalogue")
@click.argument("name", required=False)
@as_json
def command(name: str | None, json: bool) -> None:
    """List the catalogue's parts; with NAME of a part, its values; with NAME of a kind, its parts."""
    from skyhall.catalogue import load_catalogue

    catalogue = load_catalogue()
    if name is not None and name in catalogue.parts:
        _show_part(catalogue.parts[name], json)
        return
    parts = _chosen(catalogue, name)
    if json:
        show.document([{"name": part.name, "kind": part.kind, "title": part.title} for part in parts])
        return
    kinds = list(dict.fromkeys(part.kind for part in parts))
    for kind in kinds:
        show.heading(kind)
        listed = [(part.name, part.title) for part in parts if part.kind == kind]
        if name is None and len(listed) > _MANY:
            listed = [("…", f"{len(listed)} of them: skyhall catalogue {kind}")]
        show.pairs(listed)
    show.next_commands(
        f"skyhall catalogue {parts[0].name}",
        "skyhall catalogue accelerators" if name == "vehicles" else "skyhall catalogue vehicles",
        "skyhall assess --set launch.vehicle=falcon-9 --out runs/falcon-9",
    )


def _chosen(catalogue: Catalogue, kind: str | None) -> list[Part]:
    from skyhall.errors import ValueProblem, did_you_mean

    parts = [part for part in catalogue if kind in (None, part.kind)]
    if not parts:
        names = {part.kind for part in catalogue} | set(catalogue.parts)
        raise ValueProblem(
            f"the catalogue has no part or kind '{kind}'", right=did_you_mean(str(kind), names)
        )
    return parts


def _show_part(part: Part, json: bool) -> None:
    if json:
        values = [
            {
                "key": fact.key,
                "value": fact.value,
                "low": fact.low,
                "high": fact.high,
                "source": fact.source,
                "date": fact.date,
                "confidence": fact.confidence,
                "note": fact.note or None,
            }
            for fact in part.facts.values()
        ]
        show.document({"name": part.name, "kind": part.kind, "title": part.title, "values": values})
        return
    show.sentence(f"{part.name}: {part.title} ({part.kind})", "bold")
    show.entry(("key", "value", "low – high"), "source; date; confidence")
    for fact in part.facts.values():
        span = "" if fact.low is None and fact.high is None else f"{_end(fact.low)} – {_end(fact.high)}"
        note = f". {fact.note}" if fact.note else ""
        show.entry((fact.key, _value(fact), span), f"{fact.source}; {fact.date}; {fact.confidence}{note}")
    first = next(iter(part.facts.values()))
    show.next_commands(
        f"skyhall catalogue {part.kind}",
        f"skyhall assess --set catalogue.{part.name}.{first.key}='{first.value}' --out runs/changed",
        "skyhall scenarios",
    )


def _value(fact: Fact) -> str:
    unit = _UNSAID.get(fact.key) if isinstance(fact.value, (int, float)) else None
    return f"{fact.value:.4g} {unit}".replace("e+", "e") if unit else str(fact.value)


def _end(value: str | float | None) -> str:
    return "…" if value is None else str(value)
