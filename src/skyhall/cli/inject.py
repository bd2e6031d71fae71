"""``skyhall inject``: flip bits of a model, and see what each level of protection makes of it."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skyhall.cli import show
from skyhall.cli.extras import need_torch
from skyhall.cli.folder import writable
from skyhall.cli.options import DEFAULT, Folder, as_json, call, loaded, number_of, set_option, simulated
from skyhall.errors import Place, ValueProblem
from skyhall.files import read_text, write_text

if TYPE_CHECKING:
    from skyhall.integrity.campaign import Row
    from skyhall.integrity.faults import FaultList
    from skyhall.studies.injection import AtRate, Program

__all__ = ["command"]

_OUTCOMES = ("masked", "silent", "visible", "nan", "detected", "corrected")
_MOST = 1_000_000  # `faults.MOST_FAULTS`, which is not imported here: it needs torch
_FACTOR = "x1e6"  # an example
_OF_A_STRETCH = ("scenario", "sets", "start", "duration")
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
    "default exponent,mantissa (int8: high,low); at a rate, all.",
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
    "--faults",
    metavar="xF | FILE",
    help="Instead of a count: x1e6, drawn at the twin's rates times so much; or a list that was recorded.",
)
@click.option("--scenario", default=DEFAULT, show_default=True, help="Whose first satellite meets the rates.")
@set_option
@click.option("--start", help="Of the stretch, ISO 8601 in UTC; default the scenario's.")
@click.option("--duration", default="1 day", show_default=True, help="Of the stretch.")
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="Of the faults, and the demo."
)
@click.option("--size", default="tiny", show_default=True, help="Of the demo: tiny, 0.8m, 3.2m, 10.7m.")
@click.option(
    "--out",
    type=Folder(),
    help="Folder for rows.json, a figure, faults.svg, and at a rate the list, faults.jsonl.",
)
@as_json
def command(model: str, out: Path | None, json: bool, **asked: Any) -> None:
    """Flip bits of MODEL one by one, and count what came of it at each level of protection.

    Faults are so many in each stratum (--count), come at the rates that the twin has for a satellite (--faults x1e6),
    or are those of a list (--faults FILE).

    MODEL is "demo" (a small GPT, trained on the spot), or file.py:function or package.module:function: a function that
    returns (model, inputs), or (model, inputs, loss) to train it as well.

    A fault is masked (no bit of the result differs), silent, visible (a greedy token changes, or a loss by more than
    1 %) or NaN. Lists are written with commas.
    """
    need_torch("fault injection")
    found, written = _Found(), list[Path]()
    if out is None:
        _inject(found, model, json=json, **asked)
    else:
        with writable(out) as folder:
            _inject(found, model, json=json, **asked)
            written = _write(folder, found)
    if json:
        rows = [row.as_dict() for row in found.rows]
        show.document(rows if found.at_rate is None else found.at_rate.as_dict())
        return
    _show(found, model if model != "demo" else f"demo, GPT of size {asked['size']}")
    if out is not None:
        show.heading("Files")
        show.sentence(", ".join(str(each) for each in written))
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
        call("inject", model, faults=_FACTOR, out="runs/faults"),
        "skyhall radiation --device gpu-h100-class",
    )


@dataclass(slots=True)
class _Found:
    """What came of it; `at_rate` where the faults were drawn by the twin's rates."""

    rows: list[Row] = field(default_factory=list)
    at_rate: AtRate | None = None


def _inject(
    found: _Found,
    model: str,
    *,
    targets: str | None,
    dtypes: str,
    bits: str | None,
    level: str,
    shapes: str,
    count: int,
    faults: str | None,
    scenario: str,
    sets: tuple[str, ...],
    start: str | None,
    duration: str,
    seed: int,
    size: str,
    json: bool,
) -> None:
    from skyhall.studies.injection import (
        check_names,
        demo,
        given,
        inject_at_rate,
        inject_list,
        inject_strata,
    )
    from skyhall.studies.upset_rate import upset_rate_on

    factor = number_of(faults.strip().lower().removeprefix("x")) if faults and faults[:1] in "xX" else None
    _refuse_beside(faults, factor)
    levels, progressing = _words(level), show.progress(json=json)
    with _one_thread(), _blamed(), progressing as progress:
        check_names(_words(targets), _words(dtypes), levels, _words(shapes))
        recorded = None if faults is None or factor is not None else _recorded(Path(faults))
        rate = None
        if factor is not None:
            _refuse_many("--dtypes", dtypes, "each would be another memory")
            _refuse_many("--bits", bits, "an upset may hit any of them: join them with +, as sign+exponent")
            progress("rates", 0.0)
            known = loaded(scenario, sets, {"--start": ("flight.start", start)})
            begin, lasts = simulated(known, duration)
            rate = upset_rate_on(known, start=begin or 0.0, duration=lasts)
        progress("model", 0.0)
        program = demo(size, seed=seed) if model == "demo" else given(model)
        if recorded is not None:
            found.rows += inject_list(
                program, recorded, _dtype_of(recorded, dtypes), levels, progress=progress
            )
            return
        hit = _words(targets) or _all_targets(program, dtypes)
        if rate is not None and factor is not None:
            found.at_rate = inject_at_rate(
                program, hit, dtypes.strip(), (bits or "all").strip(), levels, rate, factor,
                shapes=_words(shapes), seed=seed, progress=progress,
            )  # fmt: skip
            found.rows += found.at_rate.rows
            return
        found.rows += inject_strata(
            program, hit, _words(dtypes), _words(bits), levels,
            shapes=_words(shapes), count=count, seed=seed, progress=progress,
        )  # fmt: skip


def _typed(name: str) -> bool:
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE


def _refuse_beside(faults: str | None, factor: float | None) -> None:
    """Refuse what was typed and would change nothing."""
    idle: list[str] = ["count"] if faults is not None else []
    idle += _OF_A_STRETCH if factor is None else []
    idle += ["targets", "bits", "shapes"] if faults is not None and factor is None else []
    for name in idle:
        if _typed(name):
            stretch = name in _OF_A_STRETCH
            raise ValueProblem(
                "is of faults at a rate" if stretch else "is not chosen where --faults says what is drawn",
                place=Place("--set" if name == "sets" else f"--{name}"),
                right=f"add --faults {_FACTOR}" if stretch else "leave out one of them",
            )


def _refuse_many(option: str, text: str | None, why: str) -> None:
    if len(_words(text)) > 1:
        raise ValueProblem(f"'{text}' are several", place=Place(option), right=f"give one at a rate: {why}")


def _recorded(path: Path) -> FaultList:
    from skyhall.integrity.faults import FaultList

    if not path.exists():
        raise ValueProblem(
            f"'{path}' is neither a factor on the twin's rates nor a file",
            place=Place("--faults"),
            right=f"write {_FACTOR}, or name a list that was recorded",
        )
    read_text(path)  # says what is wrong where it is no text
    return FaultList.read(path)


def _dtype_of(recorded: FaultList, dtypes: str) -> str:
    """Return the dtype of the weights that a list was made for: what was typed, else what it says of itself."""
    known = recorded.origin.get("weights")
    if known is not None and not _typed("dtypes"):
        return str(known)
    _refuse_many("--dtypes", dtypes, "a list is of one program")
    return dtypes.strip()


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


def _show(found: _Found, name: str) -> None:
    rows = found.rows
    if found.at_rate is not None:
        _show_rate(found.at_rate)
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


def _show_rate(drawn: AtRate) -> None:
    rate = drawn.rate
    show.heading("Upsets", f"of {rate.satellite}, {rate.device}, over {show.number(rate.hours, 'h', 3)}")
    passes = float(rate.in_anomaly.mean())
    rows = [("rate", f"{rate.mean:.3g}", "a bit and hour, as the twin has it")]
    if rate.inside is not None:
        rows.append(("  in the anomaly", f"{rate.inside:.3g}", f"{show.percent(passes)} of the time"))
    if rate.outside is not None:
        rows.append(("  outside", f"{rate.outside:.3g}", ""))
    rows += [
        ("exposed", show.bits(drawn.bits), f"times {drawn.acceleration:g}"),
        ("expected", show.number(drawn.expected), ""),
        ("drawn", f"{len(drawn.faults):,}", f"{drawn.drawn_in_anomaly:,} of them in the anomaly"),
    ]
    show.facts(rows)


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


def _write(folder: Path, found: _Found) -> list[Path]:
    """Write what was found and return the files; nothing has no figure."""
    from skyhall.report.fault_figure import fault_figure, standalone

    plain: list[dict[str, Any]] = [row.as_dict() for row in found.rows]
    written = [write_text(folder / "rows.json", json_module.dumps(plain, indent=2) + "\n")]
    if any(row.injected for row in found.rows):
        written.append(write_text(folder / "faults.svg", standalone(fault_figure(plain))))
    if found.at_rate is not None:
        written.append(found.at_rate.faults.write(folder / "faults.jsonl"))
    return written
