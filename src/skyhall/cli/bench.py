"""``skyhall bench``: kernels of on-board processing: right, how fast, and what protection costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from skyhall.cli import show
from skyhall.cli.extras import need_torch
from skyhall.cli.options import as_json, call
from skyhall.errors import CheckFailed

if TYPE_CHECKING:
    from skyhall.studies.kernel_bench import Row

__all__ = ["command"]

_MOST = 1000  # repeats


@click.command("bench")
@click.argument("kernels", nargs=-1, metavar="[KERNEL]...")
@click.option(
    "--size", type=click.IntRange(1), help="Of every kernel named: an edge, or a number of samples."
)
@click.option(
    "--repeats", default=7, show_default=True, type=click.IntRange(1, _MOST), help="Timed executions."
)
@click.option(
    "--protect",
    default="none",
    show_default=True,
    type=click.Choice(("none", "abft", "full")),
    help="Level whose cost is measured beside the plain execution.",
)
@click.option("--device", default="cpu", show_default=True, type=click.Choice(("cpu", "cuda")))
@as_json
def command(kernels: tuple[str, ...], protect: str, json: bool, **asked: Any) -> None:
    """Execute kernels of on-board processing, check each against a reference, and measure its throughput.

    KERNEL is matmul, convolution, fft, fir, wavelet, integer-wavelet, softmax, max-pool, relu, lrn, correlation or
    image-calibrate; all of them without one. Exit code 1 when a result is further from the reference than rounding
    explains.
    """
    need_torch("skyhall bench")
    from skyhall.integrity import current_pins
    from skyhall.studies.kernel_bench import bench, machine

    with show.progress(json=json) as progress:
        rows = list(bench(kernels, protect=protect, progress=progress, **asked))
    if json:
        show.document({"machine": machine(), "pins": current_pins().as_dict(), "rows": rows})
    else:
        _show(rows, f"{machine()['processor']}, {show.count(current_pins().threads, 'thread')}")
    failed = [row.kernel for row in rows if not row.passed]
    if failed:
        raise CheckFailed(
            f"{len(failed)} of {len(rows)} kernels are not what they should be: {', '.join(failed)}"
        )
    if not json:
        show.next_commands(
            call("bench", *kernels, protect="full" if protect == "abft" else "abft"),
            "skyhall inject demo",
            "skyhall radiation --device gpu-h100-class",
        )


def _show(rows: Sequence[Row], where: str) -> None:
    device, protect = rows[0].device, rows[0].protect
    show.heading("Kernels", f"on {device}; {where}" if device == "cpu" else f"on {device}")
    more = () if protect == "none" else (protect, "open")
    columns = ("kernel", "size", "", "error", "median", "throughput", *more)
    show.table(
        columns, [_cells(row) for row in rows], right=(1, *range(3, len(columns))), whole=range(len(columns))
    )
    show.sentence("error: largest difference from the reference, of what rounding may make", "dim")
    if protect != "none":
        show.sentence(
            f"{protect}: time with protection by time without; open: share of the arithmetic that no check covers",
            "dim",
        )
    failed = sum(not row.passed for row in rows)
    show.put(show.verdict(f"{len(rows) - failed} pass, {failed} fail", good=not failed))


def _cells(row: Row) -> list[str | show.Text]:
    cells: list[str | show.Text] = [
        row.kernel,
        f"{row.size:,}",
        show.Text("pass", style="green") if row.passed else show.Text("FAIL", style="bold red"),
        _of_allowed(row),
        _time(row.median_s),
        show.number(row.throughput, row.unit, 3 if row.throughput >= 1.0 else 2),
    ]
    if row.ratio is not None:
        share = None if row.uncovered_share is None else 100.0 * row.uncovered_share
        cells += [f"{row.ratio:.2f} ×", show.number(share, "%", 2)]
    return cells


def _of_allowed(row: Row) -> str:
    if row.tolerance:
        return f"{100.0 * row.error / row.tolerance:.1f} %"
    return "exact" if row.passed else "wrong"


def _time(seconds: float) -> str:
    if seconds < 1e-3:
        return show.number(seconds * 1e6, "µs", 3)
    return show.number(seconds * 1e3, "ms", 3)
