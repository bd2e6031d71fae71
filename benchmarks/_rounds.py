"""Measuring side by side: each contestant in a process of its own, in turns, so that a busy moment hits them all.

A contestant is a function of `_contestants.py`. Its process sets up, runs once to warm up, then answers each line
on its standard input with the seconds of one run. Rates are medians over the rounds with their lowest and highest.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_FLAGS = ("fma", "avx2", "avx512f", "avx512bw", "avx512vl", "asimd", "sve")


@dataclass(slots=True)
class Contestant:
    """One thing that is measured: a function of `_contestants.py` and what it is called with."""

    name: str
    function: str
    options: Mapping[str, Any] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    ready: dict[str, Any] = field(default_factory=dict)

    @property
    def missing(self) -> str | None:
        """Why it cannot run here, None when it can."""
        why: str | None = self.ready.get("missing")
        return why

    def rate(self) -> dict[str, float]:
        """Return the median, lowest and highest of its satellite-steps per second."""
        rates = sorted(self.ready["satellite_steps"] / each for each in self.seconds)
        return {"median": statistics.median(rates), "lowest": rates[0], "highest": rates[-1]}

    def row(self) -> dict[str, Any]:
        """Return what the JSON document says of it."""
        if self.missing:
            return {"name": self.name, "missing": self.missing}
        return {
            "name": self.name,
            **self.ready,
            "runs": len(self.seconds),
            "satellite_steps_per_s": self.rate(),
        }


def race(contestants: Sequence[Contestant], rounds: int) -> None:
    """Run every contestant `rounds` times in turns, forwards and backwards alternately."""
    running = [(each, _started(each)) for each in contestants]
    present = [(each, process) for each, process in running if process is not None]
    for index in range(rounds):
        for each, process in present if index % 2 == 0 else reversed(present):
            each.seconds.append(float(_ask(each, process, "run\n")))
    for _, process in present:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def _started(contestant: Contestant) -> subprocess.Popen[str] | None:
    process = subprocess.Popen(
        [
            sys.executable,
            HERE / "_contestants.py",
            contestant.function,
            json.dumps(dict(contestant.options)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    contestant.ready = json.loads(_ask(contestant, process, ""))
    return None if contestant.missing else process


def _ask(contestant: Contestant, process: subprocess.Popen[str], line: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line)
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise SystemExit(f"{contestant.name}: its process ended with code {process.wait()}")
    return answer


def once(function: str, environment: Mapping[str, str] | None = None, **options: Any) -> dict[str, Any]:
    """Return what a function of `_fresh.py` measures in a fresh process."""
    done = subprocess.run(
        [sys.executable, HERE / "_fresh.py", function, json.dumps(options)],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """Return what the figures depend on: processor, memory, system and versions."""
    processor = _fields("/proc/cpuinfo")
    memory = _fields("/proc/meminfo").get("MemTotal", "0 kB").split()[0]
    flags = set(processor.get("flags", processor.get("Features", "")).split())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": processor.get("model name", platform.processor() or platform.machine()),
        "cores": cores,
        "vector_flags": [each for each in _FLAGS if each in flags],
        "memory_gb": round(int(memory) / 1e6, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {each: _version(each) for each in packages},
        "load_before": round(os.getloadavg()[0], 2),
        "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
    }


def _fields(path: str) -> dict[str, str]:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return {}
    pairs = [line.partition(":") for line in lines if ":" in line]
    return {name.strip(): value.strip() for name, _, value in reversed(pairs)}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def described(facts: Mapping[str, Any]) -> str:
    """Return `machine`'s facts as two lines of text."""
    versions = ", ".join(f"{name} {each or 'not installed'}" for name, each in facts["versions"].items())
    return (
        f"{facts['processor']}, {facts['cores']} cores ({' '.join(facts['vector_flags'])}), "
        f"{facts['memory_gb']} GB, {facts['system']}, load {facts['load_before']} before, {facts['measured_at']}\n"
        f"Python {facts['python']}, {versions}"
    )
