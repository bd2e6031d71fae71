"""The twin's speed, memory and accuracy, beside installable peers on like work in the same run.

    python benchmarks/twin.py [--satellites N] [--steps N] [--repeat N] [--json]

Prints a table, or with ``--json`` one document. Peers that are not installed are said to be missing; their versions are
pinned in `requirements.txt`. Everything is measured in processes of its own, the contestants in turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from _contestants import DISCIPLINES
from _rounds import Contestant, described, machine, once, race

PACKAGES = ("skyhall", "numpy", "numba", "llvmlite", "bsk", "orbital-compute")
TARGETS = {
    "satellite_steps_per_s": 1e9,
    "least_satellite_steps_per_s": 5e8,  # with the upset rates looked up
    "million_day_s": 4.0,
    "million_day_gb": 2.0,
    "second_assess_s": 5.0,
    "position_m": 1.0,
    "lit": 2e-5,
    "energy_of_capacity": 1e-6,
    "temperature_k": 1e-3,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--satellites", type=int, default=100_000, help="of the race (default 100,000)")
    parser.add_argument("--steps", type=int, default=480, help="of the race, a multiple of 16 (default 480)")
    parser.add_argument("--repeat", type=int, default=9, help="rounds of the race (default 9)")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    asked = parser.parse_args()
    said = Console(stderr=True, quiet=asked.json)
    facts = machine(PACKAGES)
    contestants = peers(asked.satellites, asked.steps)
    said.print("racing the twin and its peers ...")
    race(contestants, asked.repeat)
    said.print("without each discipline ...")
    loops = disciplines(asked.satellites, asked.steps, asked.repeat)
    said.print("a million satellites for a day, memory, compile, assess, accuracy ...")
    document = {
        "benchmark": "twin",
        "machine": facts,
        "rates": rates(contestants),
        "nanoseconds_per_satellite_step": loops,
        "million_day": million_day(min(asked.repeat, 3)),
        "memory": memory(),
        "kernel": compile_times(),
        "assess": assess_times(min(asked.repeat, 3)),
        "accuracy": once("accuracy", satellites=800, steps=1440),
        "targets": TARGETS,
    }
    if asked.json:
        print(json.dumps(document, indent=1))
    else:
        show(document)


def peers(satellites: int, steps: int) -> list[Contestant]:
    """Return the contestants: the twin in two sizes, and each peer in its own."""
    sized = {"satellites": satellites, "steps": steps}
    return [
        Contestant("twin, 2 threads", "twin", {**sized, "threads": 2}),
        Contestant("twin, 1 thread", "twin", {**sized, "threads": 1}),
        Contestant(
            "twin, 1 thread, Basilisk's size", "twin",
            {"scenario": "starlink-shell-53", "satellites": 100, "steps": 576, "threads": 1, "step": 10.0},
        ),
        Contestant("plain NumPy", "plain_numpy", {"satellites": 2000, "steps": 60}),
        Contestant("Basilisk", "basilisk", {"satellites": 100, "steps": 576}),
        Contestant("orbital-compute", "orbital_compute", {"satellites": 48, "steps": 360}),
    ]  # fmt: skip


def rates(contestants: list[Contestant]) -> list[dict[str, Any]]:
    """Return a row for each contestant, with how many times faster the twin is on two threads and on one."""
    two, one = (each.rate()["median"] for each in contestants[:2])
    rows = [each.row() for each in contestants]
    for row in rows:
        if "missing" not in row:
            median = row["satellite_steps_per_s"]["median"]
            row["twin_times_faster"] = {"2 threads": two / median, "1 thread": one / median}
    return rows


def disciplines(satellites: int, steps: int, rounds: int) -> dict[str, float]:
    """Return what each discipline costs on one thread: the whole kernel's time less that of one without its loop."""
    sized = {"satellites": satellites, "steps": steps, "threads": 1}
    whole = Contestant("whole", "twin", sized)
    without = [Contestant(each, "twin", {**sized, "without": each}) for each in DISCIPLINES]
    race([whole, *without], rounds)

    def nanoseconds(contestant: Contestant) -> float:
        return 1e9 * statistics.median(contestant.seconds) / contestant.ready["satellite_steps"]

    least = nanoseconds(without[-1])
    costs = {each.name: nanoseconds(whole) - nanoseconds(each) for each in without[:-1]}
    return {**costs, "totals and anchors": least, "whole": nanoseconds(whole)}


def million_day(runs: int) -> dict[str, Any]:
    """Return the quickest and the other runs of a million satellites for a day, each in a fresh process."""
    done = sorted((once("day", satellites=1_000_000) for _ in range(runs)), key=lambda each: each["flight_s"])
    return {
        **done[len(done) // 2],
        "flight_s_of_runs": [each["flight_s"] for each in done],
        "peak_rss_gb": max(each["peak_rss_gb"] for each in done),
    }


def memory() -> list[dict[str, Any]]:
    """Return the peak memory of each mode at one, four and sixteen times the steps."""
    sizes = {"reduce": 100_000, "slots": 100_000, "record": 5_000}
    return [
        once("memory", mode=mode, satellites=satellites, hours=6.0 * times)
        for mode, satellites in sizes.items()
        for times in (1, 4, 16)
    ]


def compile_times() -> dict[str, float]:
    """Return the seconds of a first flight of one satellite and one step, with an empty cache and with a full one."""
    with tempfile.TemporaryDirectory() as folder:
        cold, warm, again = (once("kernel", {"SKYHALL_CACHE": folder})["first_flight_s"] for _ in range(3))
    return {"cold_s": cold, "warm_s": min(warm, again)}


def assess_times(runs: int) -> dict[str, Any]:
    """Return the seconds of `skyhall assess` on the default scenario in fresh processes, after a first one."""
    seconds = []
    for _ in range(runs + 1):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "skyhall", "assess", "--out", f"{folder}/run", "--json"]
            began = time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            seconds.append(time.perf_counter() - began)
        if done.returncode:
            return {"failed": done.stderr[-500:]}
    return {"first_s": seconds[0], "second_s": statistics.median(seconds[1:]), "runs": seconds}


def show(document: dict[str, Any]) -> None:
    """Print the tables."""
    console = Console(width=118, highlight=False)
    console.print(described(document["machine"]), style="dim")
    console.print(rates_table(document["rates"]))
    console.print(figures_table(document))
    costs = document["nanoseconds_per_satellite_step"]
    table = Table(
        title="Where a satellite-step goes: one thread, whole kernel less the kernel without that loop"
    )
    for name in costs:
        table.add_column(name, justify="right")
    table.add_row(*(f"{value:.2f} ns" for value in costs.values()))
    console.print(table)


def rates_table(rows: list[dict[str, Any]]) -> Table:
    """Return the race as a table."""
    table = Table(title="Satellite-steps per second: orbit, light, power, battery and heat")
    for name in ("", "satellites × steps", "median", "lowest", "highest", "twin on 2 threads", "on 1"):
        table.add_column(name, justify="left" if not name else "right")
    for row in rows:
        if "missing" in row:
            table.add_row(row["name"], row["missing"])
            continue
        rate, faster = row["satellite_steps_per_s"], row["twin_times_faster"]
        table.add_row(
            row["name"],
            f"{row['satellites']:,} × {row['steps']:,} of {row['step_s']:g} s",
            *(f"{rate[each]:.3g}" for each in ("median", "lowest", "highest")),
            *(f"{times:,.3g} ×" for times in faster.values()),
        )
    return table


def figures_table(document: dict[str, Any]) -> Table:
    """Return the other figures beside their targets."""
    day, kernel, assess = document["million_day"], document["kernel"], document["assess"]
    accuracy = document["accuracy"]
    table = Table(title="Other figures")
    for name in ("", "measured", "target"):
        table.add_column(name, justify="left" if not name else "right")
    runs = ", ".join(f"{each:.2f}" for each in day["flight_s_of_runs"])
    table.add_row("a million satellites for a day at 60 s, fresh process", f"{runs} s", "4 s")
    table.add_row("its peak memory", f"{day['peak_rss_gb']:.2f} GB", "2 GB")
    for mode in dict.fromkeys(row["mode"] for row in document["memory"]):
        rows = [row for row in document["memory"] if row["mode"] == mode]
        steps = ", ".join(f"{row['steps']:,}" for row in rows)
        sizes = ", ".join(f"{row['peak_rss_gb']:.2f}" for row in rows)
        table.add_row(
            f"peak memory, {mode}, {rows[0]['satellites']:,} × {steps} steps", f"{sizes} GB", "level"
        )
    table.add_row("first flight with an empty cache (compiles)", f"{kernel['cold_s']:.1f} s", "")
    table.add_row("first flight with a full cache (loads)", f"{kernel['warm_s']:.2f} s", "")
    second = f"{assess['second_s']:.1f} s" if "second_s" in assess else "failed"
    table.add_row("second `skyhall assess` of the default scenario", second, "5 s")
    where = f"kernel and plain NumPy over {accuracy['steps']:,} steps"
    table.add_row(f"{where}: position", f"{accuracy['position_m']:.1e} m", "1 m")
    table.add_row("  lit fraction", f"{accuracy['lit']:.1e}", "2e-5")
    table.add_row("  energy, of the capacity", f"{accuracy['energy_of_capacity']:.1e}", "1e-6")
    table.add_row("  temperature", f"{1e3 * accuracy['temperature_k']:.2f} mK", "1 mK")
    return table


if __name__ == "__main__":
    main()
