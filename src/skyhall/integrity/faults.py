"""Faults as data: what is hit, where, which bits; drawn by count or by rate, written down and read again.

A `Fault` says everything that is needed to do it again: the step, the tensor or kernel, the elements and the bits. A
`FaultList` of them is a file of JSON lines; the same list on the same program gives the same bits.

The shapes follow what is seen in hardware. One bit in one element is the floor: of the upsets of high-bandwidth memory
under neutrons 31.5 % were multiple (Sullivan et al., MICRO 2021), and of the bit-flip events at the gates of a GPU less
than 40 % were a single bit, while errors lay along warps and came again (arXiv:2605.04213).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from skyhall.integrity.bits import DTYPES, bits_of, mask_of
from skyhall.integrity.errors import IntegrityError, nearest

__all__ = ["MOST_FAULTS", "SHAPES", "TARGETS", "Fault", "FaultList", "FaultModel", "Site"]

TARGETS = {
    "weights": "parameters and buffers of the model, at rest",
    "optimizer": "moments of the optimiser, at rest",
    "rng": "state of torch's random number generator, at rest",
    "batch": "data of a batch",
    "activations": "results of kernels of the forward pass",
    "gradients": "results of kernels of the backward pass",
    "updates": "results of kernels of the optimiser's step",
    "checkpoint": "bytes of a checkpoint",
    "messages": "what is sent between processes",
}
SHAPES = ("single", "adjacent", "row", "tile", "stuck-at-0", "stuck-at-1")
MOST_FAULTS = 1_000_000  # of one list, which is held in memory: about half a gigabyte
_FORMAT = "skyhall-faults 1"


@dataclass(frozen=True, slots=True)
class Site:
    """Something with bits that can be hit.

    Attributes
    ----------
    target : of `TARGETS`.
    name : of the tensor, or of the kernel that makes it.
    place : of a kernel's result: how many results of this target came before it in the step; else 0.
    dtype : ``fp32``, ``bf16`` …
    shape : of the tensor; () is one element.
    """

    target: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    place: int = 0

    @property
    def elements(self) -> int:
        """How many elements it has."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Fault:
    """One event: some bits of a block of elements of one site flip, or stick.

    Attributes
    ----------
    step : in which it happens; a stuck bit stays from then on.
    target, name, place, dtype : of the site.
    shape : of `SHAPES`.
    within : shape of the tensor.
    index : first element hit, along each of its axes.
    extent : elements hit along each of its axes.
    mask : bits hit in each of them; bit 0 is the least significant.
    """

    step: int
    target: str
    name: str
    dtype: str
    shape: str
    within: tuple[int, ...]
    index: tuple[int, ...]
    extent: tuple[int, ...]
    mask: int
    place: int = 0

    @property
    def stuck(self) -> int | None:
        """The value at which the bits stick; None for bits that flip once."""
        return int(self.shape[-1]) if self.shape.startswith("stuck-at-") else None

    @property
    def bits(self) -> int:
        """How many bits it reaches."""
        return self.mask.bit_count() * prod(self.extent)

    def elements(self, shape: Sequence[int]) -> npt.NDArray[np.int64]:
        """Return the flat (row-major) indices that it hits in a tensor of `shape`, at least one.

        In a tensor of another shape than `within` (a broken unit computes matrices of many shapes) the block begins at
        its index modulo the shape and ends with the tensor.
        """
        if len(shape) != len(self.within):
            flat = self.elements(self.within)
            return flat if prod(shape) == prod(self.within) else flat[:1] % prod(shape)
        starts = [start % size for start, size in zip(self.index, shape, strict=True)]
        axes = [
            np.arange(start, min(start + length, size))
            for start, length, size in zip(starts, self.extent, shape, strict=True)
        ]
        grid = np.meshgrid(*axes, indexing="ij")
        places = np.ravel_multi_index([axis.reshape(-1) for axis in grid], tuple(shape)) if axes else [0]
        return np.asarray(places, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class FaultList:
    """Faults in the order of their steps, and what they were drawn from."""

    faults: tuple[Fault, ...]
    origin: Mapping[str, object] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.faults)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.faults)

    def write(self, path: str | Path) -> Path:
        """Write the list as JSON lines: a header with its origin, then a fault a line."""
        lines = [json.dumps({"format": _FORMAT, **self.origin}, sort_keys=True)]
        lines += [json.dumps({**asdict(fault), "mask": hex(fault.mask)}) for fault in self.faults]
        target = Path(path)
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return target

    @classmethod
    def read(cls, path: str | Path) -> FaultList:
        """Return the list that `write` wrote, or that an injector logged.

        Raises
        ------
        IntegrityError
            When the file is no fault list, with the line.
        """
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        try:
            header = json.loads(lines[0]) if lines else {}
        except json.JSONDecodeError:
            header = {}
        if not isinstance(header, dict) or header.get("format") != _FORMAT:
            raise IntegrityError(f"{path} is no list of faults", f'its first line has "format": "{_FORMAT}"')
        faults = [_fault(line, f"{path}:{number}") for number, line in enumerate(lines[1:], start=2) if line]
        return cls(tuple(faults), {key: value for key, value in header.items() if key != "format"})


def _refuse_too_many(count: float) -> None:
    if count > MOST_FAULTS:
        raise IntegrityError(
            f"{count:,.0f} faults are too many for one list", f"give at most {MOST_FAULTS:,}"
        )


@dataclass(frozen=True, slots=True)
class FaultModel:
    """What faults to draw: of which targets and shapes, in which bits, how many.

    Attributes
    ----------
    targets : names of `TARGETS`.
    bits : text for `bits.bits_of`, of the hit element's own dtype.
    shapes : share of each shape among the faults; they need not sum to 1.
    count : faults in all steps together; None with a rate.
    rate_per_bit_hour : upsets per bit and hour, as an environment gives them; None with a count.
    hours_per_step : for the rate.
    acceleration : by which the rate is multiplied; written into the list's origin.
    adjacent : neighbouring bits of an "adjacent" fault.
    row : elements of a "row": a warp's 32.
    tile : rows and columns of a "tile".

    Raises
    ------
    IntegrityError
        For an unknown target or shape, unless exactly one of count and rate is given, and for a count above
        `MOST_FAULTS`.
    """

    targets: tuple[str, ...] = ("weights", "optimizer", "activations", "gradients")
    bits: str = "all"
    shapes: Mapping[str, float] = field(default_factory=lambda: {"single": 1.0})
    count: int | None = None
    rate_per_bit_hour: float | None = None
    hours_per_step: float = 0.0
    acceleration: float = 1.0
    adjacent: int = 2
    row: int = 32
    tile: tuple[int, int] = (8, 8)

    def __post_init__(self) -> None:
        for target in self.targets:
            if target not in TARGETS:
                raise IntegrityError(f"there is no target '{target}'", nearest(target, TARGETS))
        for shape in self.shapes:
            if shape not in SHAPES:
                raise IntegrityError(f"there is no shape '{shape}'", nearest(shape, SHAPES))
        if not self.targets or not sum(self.shapes.values()) > 0.0 or min(self.shapes.values()) < 0.0:
            raise IntegrityError("a fault model needs a target, and shapes with shares of at least 0")
        if (self.count is None) == (self.rate_per_bit_hour is None):
            raise IntegrityError("a fault model needs a count or a rate", "give exactly one of them")
        if min(self.count or 0, self.rate_per_bit_hour or 0.0, self.acceleration, self.hours_per_step) < 0.0:
            raise IntegrityError("counts and rates are at least 0")
        _refuse_too_many(self.count or 0)
        if self.rate_per_bit_hour and not self.hours_per_step > 0.0:
            raise IntegrityError(
                "a rate needs hours_per_step", "how long a step lasts in the time of the rate"
            )

    def origin(self) -> dict[str, object]:
        """Return the model as plain values, for the header of a list."""
        return {"model": {**asdict(self), "shapes": dict(self.shapes)}}

    def candidates(self, site: Site) -> tuple[int, ...]:
        """Return the bits of one element of `site` that may be hit; none when its dtype has no such field."""
        if site.target not in self.targets or not site.elements:
            return ()
        return _bits(site.dtype, self.bits)

    def expected(self, sites: Iterable[Site]) -> float:
        """Return the events that the rate gives in one step at these sites; `IntegrityError` above `MOST_FAULTS`."""
        exposed = sum(site.elements * len(self.candidates(site)) for site in sites)
        events = (self.rate_per_bit_hour or 0.0) * self.acceleration * self.hours_per_step * exposed
        _refuse_too_many(events)
        return events

    def draw(
        self,
        sites: Sequence[Site],
        steps: int,
        rng: np.random.Generator,
        *,
        relative: npt.ArrayLike = 1.0,
    ) -> FaultList:
        """Return faults over `steps` steps, each of which has these sites; sorted by step.

        With a count, the targets get equal shares and within a target every bit is as likely; with a rate, every bit
        of every target is.

        Parameters
        ----------
        relative : to the model's rate: that of each step, (steps,), where it changes.
        """
        if self.count is not None:
            when = np.sort(rng.integers(0, steps, size=self.count)).tolist()
        else:
            expected = self.expected(sites) * np.broadcast_to(relative, (steps,))
            _refuse_too_many(float(expected.sum()))
            events = rng.poisson(expected)
            when = np.repeat(np.arange(steps), events).tolist()
        present = self.present(sites)
        if when and not present:
            raise IntegrityError(
                f"no bits '{self.bits}' at {', '.join(self.targets)}", "choose other bits or targets"
            )
        faults = []
        for step in when:
            pool = sites
            if self.count is not None:
                target = present[int(rng.integers(len(present)))]
                pool = [site for site in sites if site.target == target]
            faults.append(self.one(pool, step, rng))
        return FaultList(tuple(faults), self.origin())

    def present(self, sites: Iterable[Site]) -> list[str]:
        """Return the targets that have bits to hit at these sites, in the model's order."""
        found = {site.target for site in sites if self.candidates(site)}
        return [target for target in self.targets if target in found]

    def one(self, sites: Sequence[Site], step: int, rng: np.random.Generator) -> Fault:
        """Return one fault at these sites, every candidate bit as likely; `ValueError` when they have none."""
        weights = np.array([site.elements * len(self.candidates(site)) for site in sites], dtype=np.float64)
        site = sites[int(rng.choice(len(sites), p=weights / weights.sum()))]
        names = list(self.shapes)
        shares = np.array([self.shapes[name] for name in names])
        shape = names[int(rng.choice(len(names), p=shares / shares.sum()))]
        return self._at(site, shape, step, rng)

    def _at(self, site: Site, shape: str, step: int, rng: np.random.Generator) -> Fault:
        bits = self.candidates(site)
        index = [int(rng.integers(size)) for size in site.shape]
        extent = [1] * len(index)
        first = int(rng.integers(len(bits)))
        mask = 1 << bits[first]
        if shape == "adjacent":
            low = min(bits[first], 8 * DTYPES[site.dtype].itemsize - self.adjacent)
            mask = mask_of(range(max(0, low), max(0, low) + self.adjacent))
        if shape in ("row", "tile") and index:
            wide = self.row if shape == "row" else self.tile[1]
            index[-1] -= index[-1] % wide  # a warp begins at a multiple of its width
            extent[-1] = min(wide, site.shape[-1] - index[-1])
        if shape == "tile" and len(index) > 1:
            index[-2] -= index[-2] % self.tile[0]
            extent[-2] = min(self.tile[0], site.shape[-2] - index[-2])
        block = (site.shape, tuple(index), tuple(extent))
        return Fault(step, site.target, site.name, site.dtype, shape, *block, mask, site.place)


@cache
def _bits(dtype: str, which: str) -> tuple[int, ...]:
    """Return the bits that a text names in a dtype; none where it has no such field."""
    try:
        return bits_of(DTYPES[dtype], which)
    except (IntegrityError, KeyError):
        return ()


def _fault(line: str, where: str) -> Fault:
    try:
        raw = json.loads(line)
        return Fault(
            step=int(raw["step"]),
            target=str(raw["target"]),
            name=str(raw["name"]),
            dtype=str(raw["dtype"]),
            shape=str(raw["shape"]),
            within=tuple(int(value) for value in raw["within"]),
            index=tuple(int(value) for value in raw["index"]),
            extent=tuple(int(value) for value in raw["extent"]),
            mask=int(raw["mask"], 16),
            place=int(raw["place"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{where} is no fault ({type(error).__name__}: {error})") from None
