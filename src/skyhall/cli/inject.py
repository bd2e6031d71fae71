"""``skyhall inject``: flip bits of a model, and see what each level of protection makes of it."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skyhall.cli import show
from skyhall.cli.extras import need_torch
from skyhall.cli.folder import writable
from skyhall.cli.options import Folder, as_json, call
from skyhall.errors import ValueProblem
from skyhall.files import write_text

if TYPE_CHECKING:
    from skyhall.integrity.campaign import Row
    from skyhall.studies.injection import Program

__all__ = ["command"]

_OUTCOMES = ("masked", "silent", "visible", "nan", "detected", "corrected")
_MOST = 1_000_000  # `faults.MOST_FAULTS`, which is not imported here: it needs torch
_TRAINED = ("optimizer", "gradients", "updates")


@click.command("inject")
@click.argument("model", default="demo")
@click.option("--targets", help="weights, activations, batch; with training: optimizer, gradients, updates.")
@click.option(
    "--dtypes", default="fp32", show_default=True, help="Of the weights: fp32, bf16, fp16, fp64, int8."
)
@click.option(
    "--bits",
    help="Each a stratum: all, sign, exponent, top-exponent, mantissa, high, low, 30, 23-30, sign+exponent …; "
    "default exponent,mantissa (int8: high,low).",
)
@click.option(
    "--level", default="none,abft,full", show_default=True, help="Of none, sums, abft, full, exact."
)
@click.option(
    "--shapes",
    default="single",
    show_default=True,
    help="single, adjacent, row, tile, stuck-at-0, stuck-at-1.",
)
@click.option(
    "--count", default=25, show_default=True, type=click.IntRange(1, _MOST), help="Faults in each stratum."
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="Of the faults, and the demo."
)
@click.option("--size", default="tiny", show_default=True, help="Of the demo: tiny, 0.8m, 3.2m, 10.7m.")
@click.option("--out", type=Folder(), help="Folder for rows.json and a figure, faults.svg.")
@as_json
def command(model: str, out: Path | None, json: bool, **asked: Any) -> None:
    """Flip bits of MODEL one by one, and count what came of it at each level of protection.

    MODEL is "demo" (a small GPT, trained on the spot), or file.py:function or package.module:function: a function that
    returns (model, inputs), or (model, inputs, loss) to train it as well.

    A fault is masked (no bit of the result differs), silent, visible (a greedy token changes, or a loss by more than
    1 %) or NaN. Lists are written with commas.
    """
    need_torch("fault injection")
    if out is None:
        rows = _rows(model, json=json, **asked)
    else:
        with writable(out) as folder:
            rows = _rows(model, json=json, **asked)
            _write(folder, rows)
    if json:
        show.document([row.as_dict() for row in rows])
        return
    _show(rows, model if model != "demo" else f"demo, GPT of size {asked['size']}")
    if out is not None:
        show.heading("Files")
        show.sentence(f"{out}/rows.json and {out}/faults.svg")
    other = "bf16" if asked["dtypes"] != "bf16" else "fp32"
    show.next_commands(
        call(
            "inject",
            model,
            targets=asked["targets"],
            dtypes=other,
            bits="sign+exponent",
            seed=asked["seed"] + 1,
        ),
        call("inject", model, targets="activations", shapes="adjacent,row,tile", out="runs/faults"),
        "skyhall radiation --device gpu-h100-class",
    )


def _rows(
    model: str,
    *,
    targets: str | None,
    dtypes: str,
    bits: str | None,
    level: str,
    shapes: str,
    count: int,
    seed: int,
    size: str,
    json: bool,
) -> list[Row]:
    from skyhall.studies.injection import check_names, demo, given, inject_strata

    with _one_thread(), _blamed(), show.progress(json=json) as progress:
        check_names(_words(targets), _words(dtypes), _words(level), _words(shapes))
        progress("model", 0.0)
        program = demo(size, seed=seed) if model == "demo" else given(model)
        return list(
            inject_strata(
                program,
                _words(targets) or _all_targets(program, dtypes),
                _words(dtypes),
                _words(bits),
                _words(level),
                shapes=_words(shapes),
                count=count,
                seed=seed,
                progress=progress,
            )
        )


def _all_targets(program: Program, dtypes: str) -> list[str]:
    """Return weights and activations, and what is trained where there is training in every dtype."""
    trained = program.train is not None and "int8" not in _words(dtypes)
    return ["weights", "activations", *(_TRAINED if trained else ())]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Pin torch to one thread: bits depend on the thread count, and small models are fastest so."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _blamed() -> Iterator[None]:
    """Turn the library's own errors into those of the command line."""
    from skyhall.integrity.errors import IntegrityError

    try:
        yield
    except IntegrityError as error:
        raise ValueProblem(error.what, right=error.right) from error


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def _show(rows: Sequence[Row], name: str) -> None:
    show.heading("Faults", f"{name}; one fault in each run")
    cells: list[list[str | show.Text]] = []
    last = ""
    for row in rows:
        stratum = f"{row.target}, {row.dtype}, {row.bits}"
        if stratum != last:
            cells.append([show.Text(stratum, style="bold"), *[""] * 7])
            last = stratum
        cells.append([f"  {row.level}", *(f"{getattr(row, name):,}" for name in ("injected", *_OUTCOMES))])
    show.table(("", "faults", *_OUTCOMES), cells, right=range(1, 8), whole=range(1, 8), most={0: 21})
    show.sentence(
        "masked: no bit of the result differs; silent: others do, nothing visible; visible: a greedy token, or a loss "
        "by more than 1 %; nan: NaN, infinity, or an error; corrected: detected, and then the clean result bit for bit",
        "dim",
    )
    _claims(rows)


def _claims(rows: Sequence[Row]) -> None:
    """Say what each level detected of the faults that matter, with how sure that is."""
    from skyhall.integrity.campaign import detected_share

    show.sentence("")
    for level in dict.fromkeys(row.level for row in rows if row.level != "none"):
        found = detected_share(rows, level)
        if not found.harmful:
            show.sentence(f"{level}: no fault would have been visible; inject more, or into exponents")
            continue
        text = (
            f"{level}: {found.detected:,} of the {found.harmful:,} faults that would have been visible or NaN were "
            f"detected: {100.0 * found.share:.2f} %, at least {100.0 * found.lower_bound:.2f} % with 95 % confidence"
        )
        show.put(show.verdict(text, good=found.detected == found.harmful))


def _write(folder: Path, rows: Sequence[Row]) -> None:
    from skyhall.report.fault_figure import fault_figure, standalone

    plain: list[dict[str, Any]] = [row.as_dict() for row in rows]
    write_text(folder / "rows.json", json_module.dumps(plain, indent=2) + "\n")
    write_text(folder / "faults.svg", standalone(fault_figure(plain)))
