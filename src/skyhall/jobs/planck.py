"""Planck's law at one wavelength: radiance and brightness temperature."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from skyhall.constants import BOLTZMANN, PLANCK, SPEED_OF_LIGHT

__all__ = ["brightness_temperature", "radiance"]

_FIRST: Final = 2.0 * PLANCK * SPEED_OF_LIGHT**2 * 1e24  # W µm⁴/(m² sr)
_SECOND: Final = PLANCK * SPEED_OF_LIGHT / BOLTZMANN * 1e6  # µm K


def radiance(kelvin: Any, wavelength_um: float) -> Any:
    """Return what a black body radiates, W/(m² sr µm), from its temperature in K: a number, an array or a tensor."""
    return _FIRST / wavelength_um**5 / (math.e ** (_SECOND / (wavelength_um * kelvin)) - 1.0)


def brightness_temperature(radiance: Any, wavelength_um: float) -> Any:
    """Return the temperature, K, at which a black body radiates so much; a number or an array, W/(m² sr µm)."""
    return _SECOND / (wavelength_um * np.log1p(_FIRST / (wavelength_um**5 * radiance)))
