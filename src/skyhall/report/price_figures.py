"""The figures of the price: each boundary by family of costs, and the gap to the ground term by term."""

from __future__ import annotations

from skyhall.economics import CostSheet
from skyhall.economics.cost_sheet import Boundary, Side
from skyhall.report.bars import Bar, Piece, bars
from skyhall.report.formats import money, number

__all__ = ["FAMILY_COLOURS", "gap", "price_by_boundary"]

FAMILY_COLOURS = {
    "launch": "orange",
    "build": "sky",
    "compute": "blue",
    "engineering": "purple",
    "operate": "green",
    "energy": "yellow",
    "risk": "vermillion",
}


def price_by_boundary(costs: CostSheet) -> str:
    """Return the figure of the price under each boundary, orbit beside ground, stacked by family of costs."""
    rows = []
    seen: list[str] = []
    for boundary in costs.boundaries():
        rows.append(
            Bar(
                f"{boundary.title[0].upper()}{boundary.title[1:]} · orbit {_ratio(boundary.ratio)} the ground"
            )
        )
        for side in ("orbit", "ground"):
            bar, families = _stack(costs, boundary.boundary, side)
            rows.append(bar)
            seen += [family for family in families if family not in seen]
    legend = [(name, FAMILY_COLOURS.get(name, "grey")) for name in [*FAMILY_COLOURS, *seen] if name in seen]
    label = "Price per GPU-hour under each boundary, orbit beside ground"
    return bars(rows, "USD per GPU-hour", label, legend=dict(legend).items(), width=940)  # type: ignore[arg-type]


def _stack(costs: CostSheet, boundary: Boundary, side: Side) -> tuple[Bar, list[str]]:
    if not costs.hours(boundary, side) > 0:
        return Bar(side, (Piece(0.0, 0.0, "grey", side),), "nothing is delivered"), []
    at, pieces = 0.0, []
    families = costs.by_family(boundary, side)
    for family in sorted(
        families, key=lambda name: list(FAMILY_COLOURS).index(name) if name in FAMILY_COLOURS else 99
    ):
        value = families[family]
        told = f"{side}, {family}: {money(value)} USD per GPU-hour"
        pieces.append(Piece(at, at + value, FAMILY_COLOURS.get(family, "grey"), told))
        at += value
    total = costs.per_gpu_h(boundary, side)
    return Bar(side, pieces or (Piece(0.0, 0.0, "grey", side),), f"{money(total)} USD"), list(families)


def gap(costs: CostSheet, boundary: Boundary = "delivered") -> str:
    """Return the figure that walks from the ground's price to orbit's, term by term, the largest first."""
    if not min(costs.hours(boundary), costs.hours(boundary, "ground")) > 0:
        return "<p>Nothing is delivered, so that no price stands beside the other.</p>"
    ground, orbit = costs.per_gpu_h(boundary, "ground"), costs.per_gpu_h(boundary)
    terms = costs.gap(boundary)
    last = terms.pop("launch price")
    order = sorted((name for name in terms if abs(terms[name]) > 5e-5 * orbit), key=lambda name: -terms[name])
    rows = [
        Bar(
            "ground",
            (Piece(0.0, ground, "green", f"ground: {money(ground)} USD"),),
            money(ground),
            strong=True,
        )
    ]
    at = ground
    for name, value in [*((name, terms[name]) for name in order), ("launch price", last)]:
        text = f"{'+' if value >= 0 else '−'}{_term(abs(value), orbit)}"
        colour = "vermillion" if value >= 0 else "sky"
        rows.append(Bar(name, (Piece(at, at + value, colour, f"{name}: {text} USD per GPU-hour"),), text))
        at += value
    rows.append(
        Bar("orbit", (Piece(0.0, orbit, "blue", f"orbit: {money(orbit)} USD"),), money(orbit), strong=True)
    )
    return bars(rows, "USD per delivered GPU-hour", "From the ground's price to orbit's", width=940)


def _term(value: float, whole: float) -> str:
    """Return `value` with as many decimal places as `whole` is worth."""
    return (
        f"{value:,.0f}"
        if whole >= 100 and value >= 10
        else f"{value:.2f}"
        if whole >= 0.5
        else number(value, 2)
    )


def _ratio(ratio: float) -> str:
    return f"{money(ratio)} times"
