"""`ship-watch`: ships in radar images of the sea, a scene a unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from skyhall.errors import Place, ValueProblem, did_you_mean
from skyhall.jobs.geotiff import Image, read_image
from skyhall.jobs.sea_scenes import make_sea_scene
from skyhall.jobs.ships import HALO, Clutter, ShipDetector
from skyhall.jobs.watch import SHARED, Scene, Watch, within

__all__ = ["ShipWatch", "ShipWatchParameters"]

_MEANING = (
    "one band of radar amplitude (or of intensity, with values=intensity), linear; NaN, nodata or 0 on land"
)
_CORRELATION: Final = 8.0  # pixels: of the synthetic sea's texture, assumed


@dataclass(frozen=True, slots=True)
class ShipWatchParameters:
    """Where to look for ships.

    Attributes
    ----------
    scene : path of a GeoTIFF; empty stands for synthetic scenes.
    values : of the GeoTIFF: "amplitude" or "intensity".
    scenes, ships, seed : synthetic scenes, ships planted in each, and what they are drawn from.
    size : rows and columns of a synthetic scene, or of a tile of the user's image.
    pixel_m : edge of a pixel of a synthetic scene, m.
    looks : averaged into a pixel; Sentinel-1's ground range images have about 4.
    texture : shape of the sea's texture, 0.5 to 100, smaller is spikier; 0 stands for an even sea.
    false_alarm : probability that a pixel of sea is called a ship's.
    most : ships that are told of a unit.
    """

    scene: str = ""
    values: str = "amplitude"
    scenes: int = 8
    ships: int = 10
    seed: int = 1
    size: int = 256
    pixel_m: float = 20.0
    looks: float = 4.0
    texture: float = 8.0
    false_alarm: float = 1e-6
    most: int = 256

    def __post_init__(self) -> None:
        if self.values not in ("amplitude", "intensity"):
            raise ValueProblem(
                f"there are no values '{self.values}'",
                place=Place("--set", "values"),
                right=did_you_mean(self.values, ("amplitude", "intensity")),
            )
        within(
            self,
            **SHARED,
            ships=(0, 1000),
            pixel_m=(5.0, 1e5),
            looks=(1.0, 1000.0),
            texture=(0.5 if self.texture else 0.0, 100.0),
            false_alarm=(1e-12, 0.1),
        )

    @property
    def clutter(self) -> Clutter:
        """The sea that the threshold is made for."""
        return Clutter(self.looks, self.texture or float("inf"))


class ShipWatch(Watch):
    """The job; its outcome has precision and recall against the ships that were planted."""

    Parameters = ShipWatchParameters
    classes = ("below 50 m", "50 to 100 m", "above 100 m")
    columns = ("row", "column", "pixels", "contrast_db")
    scales = (1.0, 1.0, 1.0, 100.0)
    halo = HALO

    def __init__(self, parameters: ShipWatchParameters) -> None:
        self.parameters = parameters
        self._begin(ShipDetector(parameters.clutter, parameters.false_alarm), _image(parameters))

    def _scene(self, number: int) -> Scene:
        wanted = self.parameters
        made = make_sea_scene(
            (wanted.seed, number),
            size=wanted.size,
            ships=wanted.ships,
            clutter=wanted.clutter,
            pixel_m=wanted.pixel_m,
            correlation=_CORRELATION,
        )
        return Scene(made.amplitude[None], made.ships, np.digitize(made.length_m, (50.0, 100.0)))

    def _raw_bits(self) -> int:
        return 16  # an amplitude, as in Sentinel-1's ground range images


def _image(parameters: ShipWatchParameters) -> Image | None:
    """Return the user's image as amplitude, once its units are known to be right."""
    if not parameters.scene:
        return None
    image = read_image(parameters.scene, 1, _MEANING)
    bands = image.bands
    if (bands < 0.0).any():
        raise ValueProblem(
            f"{parameters.scene} has values below zero, as decibels have",
            place=Place("--set", "scene"),
            right=f"a GeoTIFF with {_MEANING}",
        )
    bands = np.where(bands > 0.0, bands, np.float32(np.nan))  # many products write 0 where they have no data
    return replace(image, bands=np.sqrt(bands) if parameters.values == "intensity" else bands)
