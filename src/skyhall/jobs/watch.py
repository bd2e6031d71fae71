"""What the image jobs share: scenes or tiles as units, what was found against what was planted, bytes to send down."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from skyhall.errors import Place, ValueProblem
from skyhall.integrity import digest_of
from skyhall.jobs.geotiff import Image
from skyhall.jobs.job import Job

__all__ = ["SHARED", "Scene", "Watch", "within"]

# Limits of the parameters that all have: a record of the downlink has 16 bits for a row, and for a count.
SHARED = {"scenes": (1, 100_000), "seed": (0, 2**63 - 1), "size": (32, 8192), "most": (1, 65_535)}

_IMAGE_BITS = 16  # a word of a user's image: assumed


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A synthetic scene and what was planted in it.

    Attributes
    ----------
    bands : (bands, size, size), float32.
    targets : (size, size): 0, or the number, from 1, of the target that a detection with its centre there has found.
    kinds : of each target, the index into the job's `classes`.
    """

    bands: npt.NDArray[np.float32]
    targets: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int64]


class Watch(Job):
    """A job that looks for something in scenes, a scene (or a tile of a user's image) a unit.

    Its model takes bands with `halo` pixels of NaN or neighbouring tiles around them, and returns what it found as rows
    of numbers, named by `columns`, of which the first two are row and column.

    Attributes
    ----------
    classes : sizes by which recall is told.
    columns : of what is found; the last is how strong it is.
    scales : what a column is multiplied with to be a 16-bit word of the downlink.
    halo : pixels that the model reaches beyond its unit.
    """

    classes: ClassVar[tuple[str, ...]]
    columns: ClassVar[tuple[str, ...]]
    scales: ClassVar[tuple[float, ...]]
    halo: ClassVar[int]

    def _begin(self, model: torch.nn.Module, image: Image | None) -> None:
        """Make what a job has from its model and from the user's image, if any; `parameters` are set."""
        size, most = self.parameters.size, self.parameters.most
        self.model, self.optimizer, self._image = model, None, image
        self._corners = [(0, 0)] * self.parameters.scenes
        if image is not None:
            rows, columns = image.bands.shape[1:]
            self._corners = [
                (row, column) for row in range(0, rows, size) for column in range(0, columns, size)
            ]
        self.units = len(self._corners)
        self.kept = {
            "found": torch.zeros(self.units, most, len(self.columns)),
            "count": torch.full((self.units,), -1),  # not done
            "true": torch.zeros(self.units, dtype=torch.int64),
            "planted": torch.zeros(self.units, len(self.classes), dtype=torch.int64),
            "recalled": torch.zeros(self.units, len(self.classes), dtype=torch.int64),
        }

    @abstractmethod
    def _scene(self, number: int) -> Scene:
        """Return a synthetic scene."""

    @abstractmethod
    def _raw_bits(self) -> int:
        """Return the bits of a pixel of a synthetic scene as its sensor delivers it."""

    def unit(self, number: int) -> dict[str, Tensor]:
        """Look at a scene; what is found beyond `most` is counted, but only the strongest are told."""
        scene = self._scene(number) if self._image is None else None
        around = ((0, 0), (self.halo, self.halo), (self.halo, self.halo))
        bands = self._tile(number) if scene is None else np.pad(scene.bands, around, constant_values=np.nan)
        found: Tensor = self.model(torch.from_numpy(bands))
        told = torch.zeros(self.parameters.most, len(self.columns))
        strongest = found[:, -1].argsort(descending=True, stable=True)[: len(told)].sort().values
        told[: len(strongest)] = found[strongest]
        true, planted, recalled = self._judged(found, scene)
        return {
            "found": told,
            "count": torch.tensor(len(found)),
            "true": torch.tensor(true),
            "planted": torch.from_numpy(planted),
            "recalled": torch.from_numpy(recalled),
        }

    def _tile(self, number: int) -> npt.NDArray[np.float32]:
        """Return a tile of the user's image with what lies around it, NaN beyond the image."""
        assert self._image is not None
        row, column = self._corners[number]
        size, halo = self.parameters.size, self.halo
        bands = self._image.bands
        rows, columns = (min(size, bands.shape[axis] - at) for axis, at in ((1, row), (2, column)))
        tile = np.full((len(bands), rows + 2 * halo, columns + 2 * halo), np.nan, np.float32)
        part = bands[
            :, max(row - halo, 0) : row + rows + halo, max(column - halo, 0) : column + columns + halo
        ]
        top, left = max(halo - row, 0), max(halo - column, 0)
        tile[:, top : top + part.shape[1], left : left + part.shape[2]] = part
        return tile

    def _judged(
        self, found: Tensor, scene: Scene | None
    ) -> tuple[int, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return how many detections are true, and by class how many targets there are and were found."""
        classes = len(self.classes)
        if scene is None:
            return 0, np.zeros(classes, np.int64), np.zeros(classes, np.int64)
        rows, columns = found[:, :2].round().long().numpy().T
        # A fault may tell of a place outside the scene, which is no target.
        size = len(scene.targets)
        inside = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
        hit = scene.targets[rows[inside], columns[inside]]
        recalled = np.unique(hit[hit > 0]) - 1
        return (
            int((hit > 0).sum()),
            np.bincount(scene.kinds, minlength=classes),
            np.bincount(scene.kinds[recalled], minlength=classes),
        )

    def keep(self, number: int, result: Any) -> None:
        """Keep what was found, and how much of it is true."""
        for name, value in result.items():
            self.kept[name][number] = value

    def told(self, done: int) -> str:
        """Return how much was found so far."""
        return f"{int(self.kept['count'].clamp(min=0).sum())} found"

    def downlink(self) -> bytes:
        """Return what has to be sent down: for each unit its number and count, then a 16-bit word a column."""
        sent = bytearray()
        for number in self._done():
            found = self._records(number)
            sent += np.array(number, "<u4").tobytes() + np.array(len(found), "<u2").tobytes()
            words = np.nan_to_num(np.round(found.double().numpy() * self.scales))
            sent += words.clip(0, 65535).astype("<u2").tobytes()
        return bytes(sent)

    def outcome(self) -> dict[str, Any]:
        """Return what was found, how well, and how much shorter it is than the scenes."""
        done = self._done()
        count = self.kept["count"][done]
        detections = int(count.sum())
        planted, recalled = (self.kept[name].sum(0).tolist() for name in ("planted", "recalled"))
        synthetic = self._image is None
        bits = self._raw_bits() if self._image is None else _IMAGE_BITS * len(self._image.bands)
        raw = sum(self._pixels(number) for number in done) * bits // 8
        down = len(self.downlink())
        return {
            "synthetic": synthetic,
            "scene_sha256": None if self._image is None else self._image.sha256,
            "scenes": len(done),
            "detections": detections,
            "positions_sha256": self._positions(),
            "dropped": int((count - self.parameters.most).clamp(min=0).sum()),
            "planted": sum(planted) if synthetic else None,
            "precision": int(self.kept["true"].sum()) / detections if synthetic and detections else None,
            "recall": _share(sum(recalled), sum(planted)),
            "recall_by_class": {
                name: _share(seen, there)
                for name, seen, there in zip(self.classes, recalled, planted, strict=True)
            },
            "bytes_raw": raw,
            "bytes_down": down,
            "raw_over_down": raw / down if down else None,
            "found": [row for number in done for row in self._described(number)],
        }

    def _positions(self) -> str:
        """Return the digest of where detections are, by unit, to the pixel: counts alone may agree by chance."""
        places = self.kept["found"][:, :, :2].round()
        return digest_of({"count": self.kept["count"], "row and column": places})

    def _done(self) -> list[int]:
        return torch.nonzero(self.kept["count"] >= 0)[:, 0].tolist()

    def _records(self, number: int) -> Tensor:
        return self.kept["found"][number, : min(int(self.kept["count"][number]), self.parameters.most)]

    def _pixels(self, number: int) -> int:
        size = self.parameters.size
        if self._image is None:
            return int(size * size)
        row, column = self._corners[number]
        rows, columns = self._image.bands.shape[1:]
        return int(min(size, rows - row) * min(size, columns - column))

    def _described(self, number: int) -> list[dict[str, float]]:
        """Return what was found in a unit by name; places are of the scene, or of the user's whole image."""
        row, column = self._corners[number]
        described = []
        for values in self._records(number).tolist():
            found = dict(zip(self.columns, values, strict=True))
            found["row"] += row
            found["column"] += column
            if self._image is None:
                found = {"scene": number, **found}
            elif self._image.geolocation is not None:
                lon, lat = self._image.geolocation.lon_lat(found["row"], found["column"])
                found |= {"lon_deg": lon, "lat_deg": lat}
            described.append(found)
        return described


def within(parameters: Any, **limits: tuple[float, float]) -> None:
    """Raise `ValueProblem` for the first parameter that is not within its limits."""
    for name, (low, high) in limits.items():
        given = getattr(parameters, name)
        if not low <= given <= high:
            raise ValueProblem(
                f"{given} is too {'large' if given > high else 'small'}",
                place=Place("--set", name),
                right=f"from {low:g} to {high:g}",
            )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
