"""What protection costs and finds: a 10 M-parameter GPT's training step, products on a GPU, false alarms, a campaign.

    python benchmarks/integrity.py [--pairs N] [--products N] [--faults N] [--size NAME] [--rows N] [--json]

Needs torch (`make bench-ml`). Ratios are medians over pairs measured in turns in one process, one thread, in processor
time, which busy neighbours disturb less than the clock; the clock's ratio stands beside them. Freed memory is kept, as
a training of its own comes to keep it: otherwise a step may pay for pages that the other one gave back, which is more
than what is measured. What cannot run here is named with the reason.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from skyhall.integrity import Copies, StepGuard, current_pins, detected_share, pinned, protect
from skyhall.integrity.products import Residuals, residuals
from skyhall.integrity.rounding import accumulator
from skyhall.integrity.sketches import Sketches
from skyhall.integrity.vectors import differences, vector_limits
from skyhall.jobs.gpt import SIZES, GPTConfig, adamw, build, train_step

TARGETS = {
    "step_overhead": 1.10,
    "visible_detected_share": 0.999,
    "false_alarms": 0,
    "checked_products": 1_000_000,
    "cuda 8192": 1.10,
    "cuda 16384": 1.05,
}
LEVELS = ("sums", "abft", "full")
CAMPAIGN_TARGETS = ("weights", "activations", "optimizer", "gradients", "updates")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=9, help="pairs of steps for each ratio (default 9)")
    parser.add_argument("--size", default="10.7m", choices=sorted(SIZES), help="of the GPT (default 10.7m)")
    parser.add_argument("--rows", type=int, help="sequences in a batch (default: the size's own)")
    parser.add_argument(
        "--products", type=int, default=20_000, help="checked for false alarms (default 20,000)"
    )
    parser.add_argument(
        "--faults", type=int, default=10, help="in each stratum of the campaign; 0 leaves it out"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    asked = parser.parse_args()
    config = SIZES[asked.size]
    if asked.rows is not None:
        if asked.rows < 1:
            parser.error(f"--rows {asked.rows} leaves no batch: give at least 1")
        config = replace(config, rows=asked.rows)
    keeps = keep_memory()
    said = Console(stderr=True, quiet=asked.json)
    document: dict[str, Any] = {
        "benchmark": "integrity",
        "device": "cpu",
        "machine": machine(),
        "size": asked.size,
        "batch": [config.rows, config.block],
        "keeps_freed_memory": keeps,
    }
    with pinned():
        document["pins"] = current_pins().as_dict()
        said.print(f"training steps of the {asked.size} GPT, {asked.pairs} pairs ...")
        document |= step_overheads(config, asked.pairs)
        said.print("three copies ...")
        document |= copies_overhead(config, max(2, asked.pairs // 4))
        said.print("single products ...")
        document["products"] = product_overheads("cpu", torch.float32, (512, 1024, 2048), asked.pairs)
        said.print(f"{asked.products:,} checked products ...")
        document |= false_alarms(asked.products)
    document["cuda"] = cuda(asked.pairs)
    said.print("campaign ...")
    document |= campaign(asked.faults)
    document["targets"] = TARGETS
    if asked.json:
        print(json.dumps(document, indent=1))
    else:
        show(document)


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    name = platform.processor() or platform.machine()
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            name = next(
                (each.split(":", 1)[1].strip() for each in lines if each.startswith("model name")), name
            )
        load: float | None = float(Path("/proc/loadavg").read_text(encoding="utf-8").split()[0])
    except OSError:
        load = None
    return {
        "processor": name,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load_before": load,
        "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
    }


def keep_memory() -> bool:
    """Have glibc keep what is freed; return whether it does."""
    try:
        tell = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    trim_threshold, most_mapped = -1, -4
    return bool(tell(most_mapped, 0) and tell(trim_threshold, -1))


def paired(plain: Callable[[], Any], other: Callable[[], Any], pairs: int) -> dict[str, Any]:
    """Return the ratio of two functions' times, run in turns (A B B A ...): medians over the pairs."""
    plain()
    other()
    ratios, clock, seconds = [], [], []
    for index in range(pairs):
        order = (plain, other) if index % 2 == 0 else (other, plain)
        spent = {}
        for each in order:
            began, ticks = time.process_time(), time.perf_counter()
            each()
            spent[each] = (time.process_time() - began, time.perf_counter() - ticks)
        ratios.append(spent[other][0] / spent[plain][0])
        clock.append(spent[other][1] / spent[plain][1])
        seconds.append(spent[plain][0])
    return {
        "ratio": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
        "clock": statistics.median(clock),
        "plain_s": statistics.median(seconds),
        "pairs": pairs,
    }


class Job:
    """A GPT in training: each call is one step on the next batch."""

    def __init__(self, config: GPTConfig, wrap: Callable[[Any, Any], Any] | None = None) -> None:
        self.config = config
        self.model = build(self.config, 1)
        self.optimizer = adamw(self.model, self.config)
        self.guard = wrap(self.model, self.optimizer) if wrap is not None else None
        self.number = 0

    def __call__(self) -> Any:
        generator = torch.Generator().manual_seed(self.number)
        shape = (self.config.rows, self.config.block + 1)
        tokens = torch.randint(0, self.config.vocabulary, shape, generator=generator)
        batch = (tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous())
        self.number += 1

        def step() -> Any:
            return train_step(self.model, self.optimizer, batch, 1e-3)

        return step() if self.guard is None else self.guard.run(step)

    def bits(self) -> list[torch.Tensor]:
        """Return the weights."""
        return [each.detach() for each in self.model.parameters()]


def step_overheads(config: GPTConfig, pairs: int) -> dict[str, Any]:
    """Return what a guarded step costs over a plain one at each level, and whether both end with the same bits."""
    found: dict[str, Any] = {}
    for level in LEVELS:
        plain = Job(config)
        guarded = Job(config, lambda model, optimizer, level=level: StepGuard(model, optimizer, level=level))
        measured = paired(plain, guarded, pairs)
        same = all(torch.equal(a, b) for a, b in zip(plain.bits(), guarded.bits(), strict=True))
        report = guarded.guard.report
        found[level] = {
            **measured,
            "same_bits": same,
            "detected": sum(report.detected.values()),
            "checked": sum(report.checked.values()),
            "uncovered_share": report.uncovered_share,
            "unseen": report.unseen,
        }
        guarded.guard.close()
    return {
        "step_overhead": found["abft"]["ratio"],
        "step_overhead_clock": found["abft"]["clock"],
        "levels": found,
    }


def copies_overhead(config: GPTConfig, pairs: int) -> dict[str, Any]:
    """Return what three copies with a vote cost over one execution."""
    measured = paired(
        Job(config), Job(config, lambda model, optimizer: Copies(model, optimizer, copies=3)), pairs
    )
    return {"three_copies_overhead": measured["ratio"], "three_copies": measured}


def product_overheads(device: str, dtype: Any, sizes: tuple[int, ...], pairs: int) -> list[dict[str, Any]]:
    """Return the ratio of a checked square product to a plain one, for each size."""
    rows = []
    for size in sizes:
        a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        guard = protect(repair="step" if device == "cuda" else "auto")

        def plain(a: Any = a, b: Any = b) -> None:
            _ = a @ b

        def checked(a: Any = a, b: Any = b, guard: Any = guard) -> None:
            with guard:
                _ = a @ b

        measured = paired_on_gpu(plain, checked, pairs) if device == "cuda" else paired(plain, checked, pairs)
        verdict = guard.verdict()
        rows.append(
            {"size": size, "dtype": str(dtype).removeprefix("torch."), **measured, "alarms": verdict.detected}
        )
    return rows


def paired_on_gpu(plain: Callable[[], Any], other: Callable[[], Any], pairs: int) -> dict[str, Any]:
    """Return what `paired` does, timed by events on the device, ten executions each."""
    ratios = []
    for each in (plain, other):
        for _ in range(3):
            each()
    for _ in range(pairs):
        spent = []
        for each in (plain, other):
            first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            first.record()
            for _ in range(10):
                each()
            last.record()
            torch.cuda.synchronize()
            spent.append(first.elapsed_time(last))
        ratios.append(spent[1] / spent[0])
    return {"ratio": statistics.median(ratios), "lowest": min(ratios), "highest": max(ratios), "pairs": pairs}


def cuda(pairs: int) -> Any:
    """Return the checked products on a GPU, or why there are none."""
    if not torch.cuda.is_available():
        return "not run: no GPU"
    sizes = (4096, 8192, 16384)
    return {
        "device": torch.cuda.get_device_name(0),
        "rows": [
            row
            for dtype in (torch.bfloat16, torch.float32)
            for row in product_overheads("cuda", dtype, sizes, pairs)
        ],
    }


def false_alarms(count: int) -> dict[str, Any]:
    """Return the alarms of correct products: normal, positive, badly scaled, of four formats, by each kind of check."""
    generator, sketches = torch.Generator().manual_seed(1), Sketches(1)
    alarms = checked = 0
    worst = 0.0
    formats = (torch.float32, torch.float32, torch.bfloat16, torch.float16, torch.float64)
    while checked < count:
        for dtype in formats:
            rows, inner, columns = (int(each) for each in torch.randint(8, 97, (3,), generator=generator))
            a, b = (torch.randn(*shape, generator=generator) for shape in ((rows, inner), (inner, columns)))
            kind = checked % 4
            if kind == 1:
                a, b = a.abs() + 0.5, b.abs() + 0.5
            if kind == 2:
                a = a * torch.logspace(-3, 3, rows)[:, None]
            if kind == 3:
                b = b * torch.logspace(-3, 3, columns)
            a, b = a.to(dtype), b.to(dtype)
            c = a @ b
            wide = accumulator(dtype)
            largest = torch.linalg.matrix_norm(b.to(wide), 2) * 1.0001
            found: list[Residuals] = [
                residuals(a, b, c, sketches.draw(columns, wide, a.device), largest=each)
                for each in (None, largest)
            ]
            if dtype == wide:
                x = sketches.weights(columns, wide, a.device)
                found.append(vector_limits(a, c, x, largest, *differences(a, b @ x, c, x, 1.0)))
            for each in found:
                ratio = (each.value.abs() / each.limit)[each.value.isfinite() & each.limit.isfinite()]
                alarms += bool(each.verdict()[0])
                worst = max(worst, float(ratio.max()) if ratio.numel() else 0.0)
                checked += 1
    return {"false_alarms": alarms, "checked_products": checked, "worst_residual_over_limit": worst}


def campaign(count: int) -> dict[str, Any]:
    """Return what is detected of the faults that would be seen; nothing where the campaign is left out."""
    if not count:
        return {"injections": 0, "campaign": "not run: --faults 0"}
    from skyhall.studies.injection import demo, inject_strata

    with pinned():
        rows = list(
            inject_strata(
                demo("tiny"), list(CAMPAIGN_TARGETS), ["fp32"], ["top-exponent"], ["abft", "full"],
                count=count, seed=1,
            )
        )  # fmt: skip
    shares = {level: detected_share(rows, level) for level in ("abft", "full")}
    return {
        "visible_detected_share": shares["full"].share,
        "visible_detected_lower_bound": shares["full"].lower_bound,
        "injections": sum(row.injected for row in rows if row.level == "full"),
        "visible": shares["full"].harmful,
        "campaign": {
            level: {
                "visible": each.harmful,
                "detected": each.detected,
                "share": each.share,
                "lower": each.lower_bound,
            }
            for level, each in shares.items()
        },
    }


def show(document: dict[str, Any]) -> None:
    """Print the tables."""
    console = Console(width=118, highlight=False)
    facts = document["machine"]
    console.print(", ".join(f"{name} {value}" for name, value in facts.items()), style="dim")
    batch = " × ".join(map(str, document["batch"]))
    table = Table(title=f"A step of the {document['size']} GPT on {batch} over a plain one, one thread")
    for name in ("level", "ratio", "lowest", "highest", "by the clock", "uncovered arithmetic", "bits"):
        table.add_column(name, justify="left" if name == "level" else "right")
    for level, each in document["levels"].items():
        table.add_row(
            level,
            f"{each['ratio']:.3f}",
            f"{each['lowest']:.3f}",
            f"{each['highest']:.3f}",
            f"{each['clock']:.3f}",
            "all" if each["unseen"] else f"{100.0 * each['uncovered_share']['flops']:.2f} %",
            "the same" if each["same_bits"] else "OTHERS",
        )
    three = document["three_copies"]
    table.add_row(
        "three copies",
        *(f"{three[key]:.3f}" for key in ("ratio", "lowest", "highest", "clock")),
        "0 %",
        "voted",
    )
    console.print(table)
    table = Table(title="A checked square product over a plain one")
    for name in ("device", "format", "size", "ratio", "lowest", "highest"):
        table.add_column(name)
    rows = [("cpu", row) for row in document["products"]]
    if isinstance(document["cuda"], dict):
        rows += [(document["cuda"]["device"], row) for row in document["cuda"]["rows"]]
    for device, row in rows:
        table.add_row(
            device,
            row["dtype"],
            str(row["size"]),
            *(f"{row[key]:.3f}" for key in ("ratio", "lowest", "highest")),
        )
    console.print(table)
    if isinstance(document["cuda"], str):
        console.print(f"GPU: {document['cuda']}")
    console.print(
        f"{document['false_alarms']} false alarms in {document['checked_products']:,} checked products; "
        f"the worst residual was {document['worst_residual_over_limit']:.2f} of its limit"
    )
    if isinstance(document["campaign"], str):
        console.print(f"campaign: {document['campaign']}")
    else:
        for level, each in document["campaign"].items():
            console.print(
                f"{level}: {each['detected']} of {each['visible']} faults that would be seen are detected; "
                f"95 % lower bound {100.0 * each['lower']:.2f} %"
            )


if __name__ == "__main__":
    sys.exit(main())
