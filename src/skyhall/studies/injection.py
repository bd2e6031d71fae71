"""Fault injection into the GPT that ships, or into a user's model: what is hit, and how a campaign runs over it."""

from __future__ import annotations

import copy
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from skyhall.errors import ValueProblem, did_you_mean
from skyhall.integrity.bits import DTYPES
from skyhall.integrity.campaign import Campaign, Row, Stratum, run_campaign
from skyhall.integrity.faults import SHAPES, Fault, FaultList, FaultModel
from skyhall.integrity.quantised import quantised
from skyhall.integrity.shields import SHIELDS
from skyhall.integrity.subjects import Batch, Inference, Step, Subject, Training
from skyhall.jobs import gpt
from skyhall.jobs.text import standard_library_text
from skyhall.studies.upset_rate import UpsetRate

__all__ = [
    "MODES",
    "AtRate",
    "Program",
    "check_names",
    "demo",
    "given",
    "inject_at_rate",
    "inject_list",
    "inject_strata",
    "subject",
]

# What is hit in a forward pass, and what in a step of training.
MODES = {
    "weights": "inference",
    "activations": "inference",
    "batch": "inference",
    "optimizer": "training",
    "gradients": "training",
    "updates": "training",
}
_FLOATS = ("fp32", "bf16", "fp16", "fp64")
_READY = 3  # steps of training before the hit one, so that moments mean something
_LATER = 3  # steps after it, in which a loss may change
_ROWS = 8  # sequences of the demo's inference: 256 tokens of the tiny model, 512 and more of the others

Trainer = Callable[[nn.Module], tuple[torch.optim.Optimizer, Sequence[Batch], Step]]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A model with what it is called with.

    Attributes
    ----------
    inputs : the model is called with them.
    loss : takes the model's output to a scalar; None where there is none.
    train : makes optimiser, batches and step for a model; None where there is no training.
    """

    model: nn.Module
    inputs: Batch
    loss: Callable[[Tensor], Tensor] | None
    train: Trainer | None


def demo(size: str = "tiny", *, steps: int = 150, seed: int = 0) -> Program:
    """Return the GPT of a size of `gpt.SIZES`, trained for some steps on Python's standard library.

    Raises
    ------
    ValueProblem
        For an unknown size.
    """
    if size not in gpt.SIZES:
        raise ValueProblem(f"there is no size '{size}'", right=did_you_mean(size, gpt.SIZES))
    text = standard_library_text(400_000)
    config = replace(gpt.SIZES[size], vocabulary=len(text.alphabet), warmup=20)
    trained, _, _ = gpt.train(text, config, steps, seed)
    inputs, targets = text.batch(0, rows=_ROWS, block=config.block, seed=seed, part="validation")

    def train(model: nn.Module) -> tuple[torch.optim.Optimizer, Sequence[Batch], Step]:
        rate = gpt.learning_rate(steps, config)
        batches = list(gpt.batches(text, config, range(steps, steps + _READY + 1 + _LATER), seed))
        return gpt.adamw(model, config), batches, lambda *now: gpt.train_step(now[0], now[1], now[2], rate)

    return Program(trained, (inputs,), lambda out: _cross_entropy(out, targets), train)


def given(name: str) -> Program:
    """Return the user's program.

    Parameters
    ----------
    name : ``file.py:function`` or ``package.module:function``. The function takes nothing and returns (model, inputs)
        or (model, inputs, loss): inputs a tensor or a tuple of tensors that the model is called with, loss a function
        from the model's output to a scalar, with which it can be trained.

    Raises
    ------
    ValueProblem
        When there is no such function, it fails, or it returns something else.
    """
    where, colon, function = name.rpartition(":")
    if not colon or not where or not function:
        raise ValueProblem(
            f"'{name}' names no function", right="give file.py:function or package.module:function, or demo"
        )
    module = _module(where)
    made = getattr(module, function, None)
    if not callable(made):
        known = [
            each for each in vars(module) if not each.startswith("_") and callable(getattr(module, each))
        ]
        raise ValueProblem(f"{where} has no function '{function}'", right=did_you_mean(function, known))
    try:
        found = made()
    except Exception as error:
        raise ValueProblem(f"{name} failed: {type(error).__name__}: {error}") from error
    right = "return (model, inputs) or (model, inputs, loss)"
    if not isinstance(found, tuple) or len(found) not in (2, 3) or not isinstance(found[0], nn.Module):
        raise ValueProblem(f"{name} returned a {type(found).__name__}, not what is needed", right=right)
    inputs = found[1] if isinstance(found[1], tuple) else (found[1],)
    if not all(isinstance(part, Tensor) for part in inputs):
        raise ValueProblem(f"{name} returned inputs that are no tensors", right=right)
    loss = found[2] if len(found) == 3 else None
    return Program(found[0], inputs, loss, None if loss is None else _trainer(inputs, loss))


def subject(program: Program, target: str, dtype: str) -> Subject:
    """Return what a campaign hits for one target, with the program's weights in `dtype`.

    Raises
    ------
    ValueProblem
        For a target that a campaign does not hit, a dtype that weights cannot have, and training where there is none.
    """
    if target not in MODES:
        raise ValueProblem(f"a campaign has no target '{target}'", right=did_you_mean(target, MODES))
    if dtype not in (*_FLOATS, "int8"):
        raise ValueProblem(f"weights cannot be '{dtype}'", right=did_you_mean(dtype, (*_FLOATS, "int8")))
    training = MODES[target] == "training"
    if dtype == "int8" and training:
        raise ValueProblem(
            f"int8 weights are not trained: there is no '{target}'", right="choose fp32, bf16 or fp16"
        )
    if training and program.train is None:
        raise ValueProblem(f"'{target}' needs training", right="return a loss too: (model, inputs, loss)")
    kind = torch.float32 if dtype == "int8" else DTYPES[dtype]
    model = copy.deepcopy(program.model).to(kind)
    if not training:
        model = quantised(model) if dtype == "int8" else model
        return Inference(model.eval(), _cast(program.inputs, kind), program.loss)
    assert program.train is not None
    optimizer, batches, step = program.train(model.train())
    cast = [_cast(batch, kind) for batch in batches]
    for batch in cast[:_READY]:
        step(model, optimizer, batch)
    return Training(model, optimizer, cast[_READY:], step)


def check_names(
    targets: Sequence[str], dtypes: Sequence[str], levels: Sequence[str], shapes: Sequence[str] = ("single",)
) -> None:
    """Raise `ValueProblem` for an unknown target, dtype, level or shape: before any model is trained."""
    for what, words, possible in (
        ("target", targets, MODES),
        ("level", levels, SHIELDS),
        ("shape", shapes, SHAPES),
        ("dtype", dtypes, (*_FLOATS, "int8")),
    ):
        for word in words:
            if word not in possible:
                raise ValueProblem(f"there is no {what} '{word}'", right=did_you_mean(word, possible))


def inject_strata(
    program: Program,
    targets: Sequence[str],
    dtypes: Sequence[str],
    bits: Sequence[str],
    levels: Sequence[str],
    *,
    shapes: Sequence[str] = ("single",),
    count: int = 25,
    seed: int = 0,
    progress: Callable[[str, float], None] = lambda what, share: None,
) -> Iterator[Row]:
    """Yield the rows of a campaign over targets × dtypes × bits × shapes at every level.

    Parameters
    ----------
    bits : texts of `bits.bits_of`; empty for exponent and mantissa of floats, high and low half of int8.
    count : faults in each stratum.

    Raises
    ------
    ValueProblem
        For an unknown target, dtype, level or shape; `IntegrityError` for bits that a dtype does not have.
    """
    check_names(targets, dtypes, levels, shapes)
    pairs = [(target, dtype) for dtype in dtypes for target in targets]
    for number, (target, dtype) in enumerate(pairs):
        hit = subject(program, target, dtype)
        inside = _inside(hit, target, dtype)
        chosen = bits or (("exponent", "mantissa") if inside in _FLOATS else ("high", "low"))
        strata = [Stratum(target, inside, each, shape) for each in chosen for shape in shapes]

        def told(what: str, share: float, done: int = number) -> None:
            progress(what, (done + share) / len(pairs))

        for row in run_campaign(hit, strata, levels, count=count, seed=seed, progress=told):
            yield replace(row, dtype=dtype)


@dataclass(frozen=True, slots=True)
class AtRate:
    """What upsets at an environment's rate did.

    Attributes
    ----------
    rate, acceleration : they were drawn at, the one times the other.
    bits : of the program that were exposed.
    expected : upsets in the mean.
    faults : those that were drawn; the step of each is the slot of the rate in which it happens.
    rows : what came of them.
    """

    rate: UpsetRate
    acceleration: float
    bits: int
    expected: float
    faults: FaultList
    rows: tuple[Row, ...]

    @property
    def drawn_in_anomaly(self) -> int:
        """Faults that happen inside the South Atlantic Anomaly."""
        return sum(bool(self.rate.in_anomaly[fault.step]) for fault in self.faults)

    def as_dict(self) -> dict[str, object]:
        """Return all but the faults as plain values."""
        rate = self.rate
        return {
            "satellite": rate.satellite,
            "device": rate.device,
            "hours": rate.hours,
            "time_in_anomaly": float(rate.in_anomaly.mean()),
            "rate_per_bit_hour": {
                "mean": rate.mean,
                "inside_anomaly": rate.inside,
                "outside_anomaly": rate.outside,
            },
            "acceleration": self.acceleration,
            "bits": self.bits,
            "expected": self.expected,
            "drawn": len(self.faults),
            "drawn_inside_anomaly": self.drawn_in_anomaly,
            "rows": [row.as_dict() for row in self.rows],
        }


def inject_at_rate(
    program: Program,
    targets: Sequence[str],
    dtype: str,
    bits: str,
    levels: Sequence[str],
    rate: UpsetRate,
    acceleration: float,
    *,
    shapes: Sequence[str] = ("single",),
    seed: int = 0,
    progress: Callable[[str, float], None] = lambda what, share: None,
) -> AtRate:
    """Return what came of upsets that a Poisson process gives each bit of the program, each in a run of its own.

    Parameters
    ----------
    bits : text of `bits.bits_of`: those of an element that are exposed.
    shapes : equally likely.
    rate, acceleration : by which it is multiplied.

    Raises
    ------
    ValueProblem
        For an unknown target, dtype, level or shape; `IntegrityError` for bits that a dtype does not have, and for more
        faults than a list holds.
    """
    check_names(targets, [dtype], levels, shapes)
    mean, slots = rate.mean, len(rate.per_bit_hour)
    rng = np.random.default_rng([seed, 2])
    faults: list[Fault] = []
    rows: list[Row] = []
    exposed, expected = 0, 0.0
    label = bits if list(shapes) == ["single"] else f"{bits} {', '.join(shapes)}"
    for number, target in enumerate(targets):
        hit = subject(program, target, dtype)
        inside = _inside(hit, target, dtype)
        campaign = Campaign(hit, levels)
        model = FaultModel(
            (target,),
            bits,
            dict.fromkeys(shapes, 1.0),
            rate_per_bit_hour=mean,
            hours_per_step=rate.slot_h,
            acceleration=acceleration,
        )
        sites = campaign.sites(target, inside, bits)
        exposed += sum(site.elements * len(model.candidates(site)) for site in sites)
        expected += slots * model.expected(sites)
        drawn = model.draw(sites, slots, rng, relative=rate.per_bit_hour / mean if mean else 1.0)

        def told(what: str, share: float, done: int = number) -> None:
            progress(what, (done + share) / len(targets))

        found = campaign.rows(target, inside, label, drawn, progress=told)
        rows += [replace(row, dtype=dtype) for row in found]
        faults += drawn
    origin: dict[str, object] = {
        "weights": dtype,
        "seed": seed,
        "satellite": rate.satellite,
        "device": rate.device,
        "rate_per_bit_hour": mean,
        "hours_per_step": rate.slot_h,
        "acceleration": acceleration,
    }
    return AtRate(rate, acceleration, exposed, expected, FaultList(tuple(faults), origin), tuple(rows))


def inject_list(
    program: Program,
    faults: FaultList,
    dtype: str,
    levels: Sequence[str],
    *,
    progress: Callable[[str, float], None] = lambda what, share: None,
) -> Iterator[Row]:
    """Yield what came of the faults of a list, each in a run of its own; rows by target and dtype of what is hit.

    Parameters
    ----------
    dtype : of the weights.

    Raises
    ------
    ValueProblem
        For an unknown dtype or level, and a target that a campaign does not hit; `IntegrityError` for faults of another
        program.
    """
    check_names([fault.target for fault in faults], [dtype], levels)
    groups: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        groups.setdefault((fault.target, fault.dtype), []).append(fault)
    for number, ((target, inside), group) in enumerate(groups.items()):

        def told(what: str, share: float, done: int = number) -> None:
            progress(what, (done + share) / len(groups))

        campaign = Campaign(subject(program, target, dtype), levels)
        yield from campaign.rows(target, inside, "recorded", FaultList(tuple(group)), progress=told)


def _inside(hit: Subject, target: str, dtype: str) -> str:
    """Return the dtype of what a target has in a model whose weights have `dtype`."""
    # Of an int8 model only the weights are bytes; tokens are whole numbers whatever the weights are.
    if target == "batch" and not all(part.is_floating_point() for part in hit.batch):
        return "int64"
    return dtype if target == "weights" else dtype.replace("int8", "fp32")


def _trainer(inputs: Batch, loss: Callable[[Tensor], Tensor]) -> Trainer:
    def step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        value = loss(model(*batch))
        value.backward()
        optimizer.step()
        return value.detach()

    def train(model: nn.Module) -> tuple[torch.optim.Optimizer, Sequence[Batch], Step]:
        return torch.optim.AdamW(model.parameters()), [inputs] * (_READY + 1 + _LATER), step

    return train


def _module(where: str) -> ModuleType:
    """Return the module of a file or of a dotted name."""
    path = Path(where)
    if path.suffix == ".py" and not path.is_file():
        raise ValueProblem(f"there is no file {where}", right="check the path")
    try:
        if path.suffix != ".py":
            return importlib.import_module(where)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(path.stem, module)  # as an import would: dataclasses and pickles look there
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's module does at import
        raise ValueProblem(f"{where} cannot be imported: {type(error).__name__}: {error}") from error
    return module


def _cast(batch: Batch, kind: Any) -> Batch:
    return tuple(part.to(kind) if part.is_floating_point() else part for part in batch)


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(logits.float().view(-1, logits.shape[-1]), targets.reshape(-1))
