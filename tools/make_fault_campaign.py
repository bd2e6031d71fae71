"""Run the long injection campaign and write its rows, its figure and its table: about half an hour.

    python tools/make_fault_campaign.py [--share 0.1] [--levels none,abft,full]

The rows go to docs/assets/fault-campaign.json, the figure to docs/assets/fault-campaign.svg; the table, for
docs/models/faults.md, is printed. `--share` makes every stratum smaller, to try it out, and then nothing is written.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from skyhall.integrity.campaign import Row, detected_share
from skyhall.report.fault_figure import fault_figure, standalone
from skyhall.studies.injection import demo, inject_strata

ASSETS = Path(__file__).parents[1] / "docs" / "assets"
LEVELS = ("none", "abft", "full")
SIZE, SEED = "0.8m", 1
HALVES, TRAINED = ("fp32", "bf16", "fp16"), ("optimizer", "gradients", "updates")
# (targets, dtypes, bits, shape, faults in each stratum); top exponent bits are the ones that are seen.
STRATA = (
    (("weights", "activations"), HALVES, "top-exponent", "single", 500),
    (("weights", "activations"), HALVES, "exponent", "single", 120),
    (("weights", "activations"), HALVES, "sign+mantissa", "single", 120),
    (("weights",), ("int8",), "all", "single", 150),
    (("activations",), ("fp32",), "exponent", "adjacent", 100),
    (("activations",), ("fp32",), "exponent", "row", 100),
    (("activations",), ("fp32",), "exponent", "tile", 100),
    (TRAINED, ("fp32",), "top-exponent", "single", 150),
    (TRAINED, ("fp32",), "exponent", "single", 60),
    (TRAINED, ("fp32",), "sign+mantissa", "single", 30),
)


def campaign(share: float = 1.0, levels: Sequence[str] = LEVELS) -> Iterator[Row]:
    """Yield the rows, stratum by stratum; `share` of the faults of each."""
    torch.set_num_threads(1)
    program = demo(SIZE, seed=SEED)
    for targets, dtypes, bits, shape, count in STRATA:
        faults = max(1, round(count * share))
        shapes = [shape]
        yield from inject_strata(
            program, targets, dtypes, [bits], levels, shapes=shapes, count=faults, seed=SEED
        )


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table, a line for each stratum, and what each level detected in all."""
    levels = list(dict.fromkeys(row.level for row in rows))
    heads = ["target", "dtype", "bits", "faults", "masked", "silent", "visible", "NaN"]
    heads += [f"{level} {what}" for level in levels[1:] for what in ("detects", "corrects")]
    lines = [f"| {' | '.join(heads)} |", "|" + " --- |" * 3 + " ---: |" * (len(heads) - 3)]
    for bare, *others in zip(*(rows[place :: len(levels)] for place in range(len(levels))), strict=True):
        cells = [
            bare.target,
            bare.dtype,
            bare.bits,
            bare.injected,
            bare.masked,
            bare.silent,
            bare.visible,
            bare.nan,
        ]
        for row in others:
            seen = f"{row.harmful_detected} of {row.harmful}" if row.harmful else "–"
            cells += [seen, f"{row.corrected} of {row.detected}"]
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    for level in levels[1:]:
        found = detected_share(rows, level)
        lines.append(
            f"\n{level}: {found.detected:,} of {found.harmful:,} visible or NaN detected, "
            f"{100 * found.share:.3f} %, at least {100 * found.lower_bound:.3f} % with 95 % confidence"
        )
    return "\n".join(lines)


def main() -> int:
    """Run it."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--share", type=float, default=1.0)
    asked.add_argument("--levels", default=",".join(LEVELS))
    share, levels = asked.parse_args().share, asked.parse_args().levels.split(",")
    began = time.monotonic()
    rows = []
    for row in campaign(share, levels):
        rows.append(row)
        sys.stderr.write(
            f"{time.monotonic() - began:6.0f} s  {row.target} {row.dtype} {row.bits} {row.level}\n"
        )
    if share == 1.0:
        plain = [row.as_dict() for row in rows]
        body = {"size": SIZE, "seed": SEED, "torch": torch.__version__, "threads": 1, "rows": plain}
        (ASSETS / "fault-campaign.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
        (ASSETS / "fault-campaign.svg").write_text(standalone(fault_figure(plain)), encoding="utf-8")
    sys.stdout.write(table(rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
