"""SYNTHETIC scenes with planted fires, as a radiometer like MODIS would measure them.

Radiances of mixed pixels by Planck's law over a surface with correlated temperature, with hot bare soil, lakes and
clouds; sunlight reflected at 4 µm; noise, saturation and 12-bit words. There is no atmosphere, and no blur between
pixels. Nothing here is an observation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import ASTRONOMICAL_UNIT, SOLAR_RADIUS
from skyhall.jobs.fields import correlated
from skyhall.jobs.fire import MIDDLE_UM
from skyhall.jobs.planck import brightness_temperature, radiance

__all__ = ["WORDS", "FireScene", "make_fire_scene"]

Floats = npt.NDArray[np.float64]

_THERMAL_UM: Final = 11.03  # centre of MODIS band 31, µm
# Saturation (Giglio et al. 2003, section 2) and noise (MODIS specification), K, of bands 22, 21 and 31.
_FINE: Final = (331.0, 0.07)
_COARSE: Final = (500.0, 0.2)  # noise assumed: the specification, 2 K at 335 K, is wider than what it does
_THERMAL: Final = (400.0, 0.05)
_LEVELS: Final = 4096  # 12-bit words
_SUN_K: Final = 5772.0  # effective temperature of the nominal Sun, IAU 2015 Resolution B3
_SUN_SR: Final = np.pi * (SOLAR_RADIUS / ASTRONOMICAL_UNIT) ** 2
_SUN_HEIGHT: Final = 0.7  # cosine of the Sun's zenith distance: assumed, mid-morning

WORDS: Final = {"day": 5, "night": 3}  # a pixel: bands 22, 21, 31, and by day red and near infrared


@dataclass(frozen=True, slots=True, eq=False)
class FireScene:
    """A synthetic scene.

    Attributes
    ----------
    bands : (4 or 2, size, size), float32, as `FireDetector` takes them, without halo.
    rows, columns : of the planted fires.
    area_m2, kelvin : of the planted fires.
    """

    bands: npt.NDArray[np.float32]
    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    area_m2: Floats
    kelvin: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Surface:
    """Temperature (K), reflectance at 4 and 11 µm, red and near infrared, and whether fires may be planted."""

    kelvin: Floats
    middle: Floats
    thermal: Floats
    red: Floats
    near: Floats
    burnable: npt.NDArray[np.bool_]


def make_fire_scene(
    seed: tuple[int, int], *, size: int, fires: int, light: str = "day", pixel_m: float = 1000.0
) -> FireScene:
    """Return a scene that depends on the arguments alone.

    Parameters
    ----------
    seed : of the job, and the number of the scene.
    size : rows and columns, at least 32.
    fires : planted, in pixels of their own under clear sky, apart from each other where there is room.
    light : "day" or "night".
    pixel_m : edge of a pixel, m.
    """
    drawn = np.random.default_rng(seed)
    surface = _surface(drawn, size, daytime=light == "day")
    rows, columns = _places(drawn, surface.burnable, fires)
    # Assumed: 30 m² to 1 ha, evenly in the logarithm; smouldering to flaming temperatures.
    area = np.minimum(10.0 ** drawn.uniform(1.5, 4.0, len(rows)), pixel_m**2)
    kelvin = drawn.uniform(600.0, 1200.0, len(rows))
    covered = np.zeros((size, size))
    covered[rows, columns] = area / pixel_m**2
    burning = np.full((size, size), 1000.0)
    burning[rows, columns] = kelvin

    def seen(wavelength: float, reflectance: Floats) -> Floats:
        own = (1.0 - reflectance) * radiance(surface.kelvin, wavelength)
        sunlight = radiance(_SUN_K, wavelength) * _SUN_SR * _SUN_HEIGHT / np.pi if light == "day" else 0.0
        # Flames are black bodies that reflect nothing.
        return (1.0 - covered) * (own + reflectance * sunlight) + covered * radiance(burning, wavelength)

    middle, thermal = seen(MIDDLE_UM, surface.middle), seen(_THERMAL_UM, surface.thermal)
    fine = _measured(drawn, middle, MIDDLE_UM, *_FINE)
    coarse = _measured(drawn, middle, MIDDLE_UM, *_COARSE)
    # The coarse band takes over where the fine one is full.
    bands = [
        np.where(fine < _FINE[0] - 0.01, fine, coarse),
        _measured(drawn, thermal, _THERMAL_UM, *_THERMAL),
    ]
    if light == "day":
        for reflectance in (surface.red, surface.near):
            noisy = (1.0 - covered) * reflectance + drawn.normal(0.0, 0.003, (size, size))  # assumed
            bands.append(_words(noisy, 1.2) * 1.2)
    return FireScene(np.stack(bands).astype(np.float32), rows, columns, area, kelvin)


def _surface(drawn: np.random.Generator, size: int, *, daytime: bool) -> _Surface:
    """Return land with hot bare soil, lakes and clouds; every number here is assumed."""
    shape = (size, size)
    grain = correlated(drawn, shape, 8.0)
    green = np.clip(0.5 + 0.3 * correlated(drawn, shape, 16.0), 0.0, 1.0)
    bare = correlated(drawn, shape, 6.0) > 2.0
    lake = correlated(drawn, shape, 12.0) > 1.8
    cloud = correlated(drawn, shape, 20.0) - 1.3
    thick = np.clip(cloud / 0.3, 0.0, 1.0)
    kelvin = (301.0 if daytime else 288.0) + 2.0 * grain + (1.0 - green) * (5.0 if daytime else -2.0)
    kelvin = np.where(bare, kelvin + (16.0 if daytime else 2.0), kelvin)
    kelvin = np.where(lake, 294.0, kelvin)
    red = np.where(bare, 0.22, 0.12 - 0.07 * green)
    near = np.where(bare, 0.28, 0.18 + 0.11 * green)
    red, near = np.where(lake, 0.05, red), np.where(lake, 0.02, near)
    middle = np.where(bare, 0.3, 0.05 - 0.02 * green)
    return _Surface(
        kelvin=kelvin + thick * (255.0 - kelvin),
        middle=middle + thick * (0.15 - middle),
        thermal=np.where(bare & (cloud < 0.0), 0.06, 0.02),
        red=red + thick * (0.6 - red),
        near=near + thick * (0.6 - near),
        burnable=~bare & ~lake & (cloud < 0.0),
    )


def _places(
    drawn: np.random.Generator, burnable: npt.NDArray[np.bool_], fires: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return pixels for fires, no two of them neighbours; fewer where there is no room."""
    free = burnable.copy()
    chosen: list[tuple[int, int]] = []
    for place in drawn.permutation(np.flatnonzero(burnable)):
        row, column = divmod(int(place), burnable.shape[1])
        if len(chosen) == fires:
            break
        if free[row, column]:
            chosen.append((row, column))
            free[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = False
    found = np.array(chosen, dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _measured(
    drawn: np.random.Generator, light: Floats, wavelength_um: float, full_k: float, noise_k: float
) -> Floats:
    """Return the brightness temperature, K, that a band reads; its noise is given at 300 K."""
    full = radiance(full_k, wavelength_um)
    noise = radiance(300.0 + noise_k, wavelength_um) - radiance(300.0, wavelength_um)
    share = _words(light + drawn.normal(0.0, noise, light.shape), full)
    return np.asarray(brightness_temperature(np.maximum(share, 1.0 / _LEVELS) * full, wavelength_um))


def _words(values: Floats, full: Any) -> Floats:
    """Return values as shares of full scale, rounded to the sensor's words and cut at its ends."""
    return np.clip(np.round(values / full * (_LEVELS - 1)), 0, _LEVELS - 1) / (_LEVELS - 1)
