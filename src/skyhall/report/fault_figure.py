"""The figure of an injection campaign: what came of the faults of each stratum, level beside level."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from skyhall.report.bars import Bar, Piece, bars

__all__ = ["fault_figure", "standalone"]

_COLOURS = {"masked": "green", "silent": "sky", "visible": "orange", "nan": "vermillion"}
_TOLD = {
    "masked": "no bit differs",
    "silent": "others do, nothing visible",
    "visible": "another token, or a loss by more than 1 %",
    "nan": "NaN, or an error",
}


def fault_figure(rows: Sequence[Mapping[str, Any]], *, width: int = 760) -> str:
    """Return the SVG of a campaign's rows: a block for each stratum, a bar for each level.

    Parameters
    ----------
    rows : with the keys of `integrity.campaign.Row.as_dict`.
    """
    drawn: list[Bar] = []
    block = None
    for row in rows:
        stratum = row["target"], row["dtype"], row["bits"]
        if stratum != block:
            drawn.append(Bar(f"{row['target']}, {row['dtype']}, {row['bits']}"))
            block = stratum
        drawn.append(_bar(row))
    return bars(
        drawn,
        "share of the faults injected (%)",
        "Outcomes of injected faults by stratum and level of protection",
        legend=[
            (f"{name}: {_TOLD[name]}" if _TOLD[name] != name else name, _COLOURS[name]) for name in _COLOURS
        ],
        width=width,
    )


def standalone(figure: str) -> str:
    """Return a figure as a file of its own, with the report's style and nothing from outside.

    Colours are written out: not every program that shows an SVG knows CSS variables.
    """
    style = (resources.files("skyhall.report") / "templates" / "report.css").read_text("utf-8")
    style = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", style)
    values = dict(re.findall(r"--([a-z]+):([^;}]+)", style))
    rules = "".join(
        rule for rule in re.findall(r"[^{}]+\{[^{}]*\}", style) if rule.strip().startswith("svg.figure")
    )
    inside = f'<style>{rules}</style><rect width="100%" height="100%" fill="#fff"/>'
    whole = re.sub(r"(<svg [^>]*>)", lambda found: f"{found[1]}{inside}", figure, count=1)
    whole = re.sub(r"var\(--([a-z]+)[^)]*\)", lambda found: values[found[1]], whole)
    return whole.replace("font-family:inherit", "font-family:sans-serif") + "\n"


def _bar(row: Mapping[str, Any]) -> Bar:
    pieces, at = [], 0.0
    for name, colour in _COLOURS.items():
        share = 100.0 * row[name] / row["injected"] if row["injected"] else 0.0
        low, high = row["interval"][name]
        if share:
            sure = f"95 %: {100 * low:.3g}–{100 * high:.3g}"
            told = f"{name}: {row[name]:,} of {row['injected']:,} ({share:.3g} %; {sure})"
            pieces.append(Piece(at, at + share, colour, told))
        at += share
    said = f"detected {row['detected']:,}, corrected {row['corrected']:,}" if row["level"] != "none" else ""
    return Bar(row["level"], pieces, said)
