"""`fire-watch`: active fires in scenes of thermal bands, a scene a unit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skyhall.errors import Place, ValueProblem, did_you_mean
from skyhall.jobs.fire import DAY, HALO, NIGHT, FireDetector
from skyhall.jobs.fire_scenes import WORDS, make_fire_scene
from skyhall.jobs.geotiff import Image, read_image
from skyhall.jobs.watch import SHARED, Scene, Watch, within

__all__ = ["FireWatch", "FireWatchParameters"]

_TIMES = {"day": DAY, "night": NIGHT}
_BANDS = {
    "day": (
        "four bands of floats: brightness temperature at 4 and 11 µm in K, reflectance at 0.65 and 0.86 µm (0 to 1)"
    ),
    "night": "two bands of floats: brightness temperature at 4 and 11 µm in K",
}


@dataclass(frozen=True, slots=True)
class FireWatchParameters:
    """Where to look for fires.

    Attributes
    ----------
    scene : path of a GeoTIFF; empty stands for synthetic scenes.
    light : "day" (bands at 4, 11, 0.65 and 0.86 µm) or "night" (4 and 11 µm).
    scenes, fires, seed : synthetic scenes, fires planted in each, and what they are drawn from.
    size : rows and columns of a synthetic scene, or of a tile of the user's image.
    pixel_m : edge of a pixel, m.
    threshold_k : temperature at 4 µm above which a pixel is a candidate; 0 stands for the published 310, at night 305.
    most : fires that are told of a unit.
    """

    scene: str = ""
    light: str = "day"
    scenes: int = 8
    fires: int = 12
    seed: int = 1
    size: int = 256
    pixel_m: float = 1000.0
    threshold_k: float = 0.0
    most: int = 256

    def __post_init__(self) -> None:
        if self.light not in _TIMES:
            raise ValueProblem(
                f"there is no light '{self.light}'",
                place=Place("--set", "light"),
                right=did_you_mean(self.light, _TIMES),
            )
        within(self, **SHARED, fires=(0, 10_000), pixel_m=(1.0, 1e5), threshold_k=(0.0, 500.0))


class FireWatch(Watch):
    """The job; its outcome has precision and recall against the fires that were planted."""

    Parameters = FireWatchParameters
    classes = ("below 100 m2", "100 to 1000 m2", "above 1000 m2")
    columns = ("row", "column", "temperature_k", "power_mw")
    scales = (1.0, 1.0, 100.0, 10.0)
    halo = HALO

    def __init__(self, parameters: FireWatchParameters) -> None:
        self.parameters = parameters
        thresholds = _TIMES[parameters.light]
        if parameters.threshold_k:
            thresholds = replace(thresholds, potential=parameters.threshold_k)
        self._begin(FireDetector(thresholds, parameters.pixel_m**2), _image(parameters))

    def _scene(self, number: int) -> Scene:
        wanted = self.parameters
        made = make_fire_scene(
            (wanted.seed, number),
            size=wanted.size,
            fires=wanted.fires,
            light=wanted.light,
            pixel_m=wanted.pixel_m,
        )
        targets = np.zeros((wanted.size, wanted.size), np.int64)
        targets[made.rows, made.columns] = 1 + np.arange(len(made.rows))
        return Scene(made.bands, targets, np.digitize(made.area_m2, (100.0, 1000.0)))

    def _raw_bits(self) -> int:
        return 12 * WORDS[self.parameters.light]


def _image(parameters: FireWatchParameters) -> Image | None:
    """Return the user's image, once its units are known to be right."""
    if not parameters.scene:
        return None
    meaning = _BANDS[parameters.light]
    image = read_image(parameters.scene, 4 if parameters.light == "day" else 2, meaning)
    wrong = "holds whole numbers" if image.whole else ""
    for band, values in enumerate(image.bands):
        known = values[np.isfinite(values)]
        # Earth's land and clouds, and what reflects: anything else has other units.
        low, high = (150.0, 400.0) if band < 2 else (-0.1, 1.6)
        if not wrong and len(known) and not low <= (middle := float(np.median(known))) <= high:
            wrong = f"has a median of {middle:.5g} in band {band + 1}"
    if wrong:
        raise ValueProblem(
            f"{parameters.scene} {wrong}", place=Place("--set", "scene"), right=f"a GeoTIFF with {meaning}"
        )
    return image
