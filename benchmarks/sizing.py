"""Designs sized per second: arrays of parameters through `skyhall.satellite.sizing.size`, from one to 100,000 designs.

    python benchmarks/sizing.py [--designs N] [--repeat N] [--json]

The inputs are the default scenario's; accelerators, cell efficiency and battery energy are spread over the designs.
No installable peer closes mass, power and heat of such a satellite together, so there is none beside it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
from rich.console import Console
from rich.table import Table

from _rounds import described, machine

PACKAGES = ("skyhall", "numpy")
SCENARIO = "dawn-dusk-200mw"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--designs", type=int, default=100_000, help="the largest sweep (default 100,000)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each sweep (default 3)")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    asked = parser.parse_args()
    facts = machine(PACKAGES)
    counts = sorted({1, 100, 10_000, asked.designs})
    document = {
        "benchmark": "sizing",
        "machine": facts,
        "scenario": SCENARIO,
        "sweeps": [sweep(count, asked.repeat) for count in counts if count <= asked.designs],
    }
    if asked.json:
        print(json.dumps(document, indent=1))
        return
    console = Console(width=118, highlight=False)
    console.print(described(facts), style="dim")
    table = Table(title="Sizing: designs per second (median of the runs)")
    for name in ("designs", "seconds", "designs per second", "closed"):
        table.add_column(name, justify="right")
    for row in document["sweeps"]:
        table.add_row(
            f"{row['designs']:,}",
            f"{row['seconds']:.3g}",
            f"{row['designs_per_s']:,.0f}",
            f"{row['closed']:,}",
        )
    console.print(table)


def sweep(count: int, runs: int) -> dict[str, Any]:
    """Size `count` designs `runs` times."""
    from skyhall.satellite.sizing import size

    inputs = spread(count)
    size(spread(2))
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        sized = size(inputs, strict=False)
        seconds.append(time.perf_counter() - began)
    median = statistics.median(seconds)
    return {
        "designs": count,
        "seconds": median,
        "seconds_of_runs": seconds,
        "designs_per_s": count / median,
        "closed": int(np.sum(sized.closes)),
    }


def spread(count: int) -> Any:
    """Return the default scenario's sizing inputs with `count` variants."""
    from skyhall import fleet
    from skyhall.scenario import load

    with mock.patch.object(fleet, "size", wraps=fleet.size) as asked:
        fleet.design(load(SCENARIO))
    inputs = asked.call_args.args[0]
    random = np.random.default_rng(7)
    return replace(
        inputs,
        accelerators=np.asarray(inputs.accelerators) * random.uniform(0.2, 2.0, count),
        cell_efficiency=random.uniform(0.2, 0.34, count),
        battery_specific_energy=np.asarray(inputs.battery_specific_energy) * random.uniform(0.7, 1.5, count),
    )


if __name__ == "__main__":
    main()
