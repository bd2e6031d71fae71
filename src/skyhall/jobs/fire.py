"""Active fires by contextual thresholds at 4 and 11 µm, in the manner of the MODIS algorithm.

Thresholds, windows and tests follow Giglio et al. 2003 (Remote Sensing of Environment 87, 273-282,
doi:10.1016/S0034-4257(03)00184-6); fire radiative power from the 4 µm radiance as in Giglio et al. 2016
(doi:10.1016/j.rse.2016.02.054). Candidates' and absolute thresholds were compared with restatements of the algorithm
(Sentinel-3 SLSTR's guide has 360 and 320 K); the other numbers have yet to be compared with the paper's own text.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import torch
from torch import Tensor, nn

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.jobs.planck import radiance

__all__ = ["DAY", "HALO", "MIDDLE_UM", "NIGHT", "FireDetector", "Thresholds"]

MIDDLE_UM: Final = 3.96  # centre of MODIS bands 21 and 22, µm
HALO: Final = 10  # pixels around a scene that the largest window, 21 x 21, reaches into

_POWER_LAW: Final = 3.0e-9  # W/(m² sr µm K⁴): radiance at 3.96 µm over T⁴ at 600-1500 K, Wooster et al. 2003
_ABOUT_K: Final = 300.0  # sums of single precision lose less around it
_AT_ONCE: Final = 2048  # candidates, each with 441 pixels of background


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Of one time of day, K; the defaults of daytime.

    Attributes
    ----------
    potential, potential_difference : T4 and T4 - T11 that make a pixel a candidate.
    absolute : T4 that needs no background.
    hot, hot_difference : T4 and T4 - T11 that keep a pixel out of the background.
    """

    potential: float = 310.0
    potential_difference: float = 10.0
    absolute: float = 360.0
    hot: float = 325.0
    hot_difference: float = 20.0


DAY: Final = Thresholds()
NIGHT: Final = Thresholds(potential=305.0, absolute=320.0, hot=310.0, hot_difference=10.0)


class FireDetector(nn.Module):
    """Finds the fire pixels of a scene.

    Parameters
    ----------
    thresholds : whose reflective tests apply where the scene has four bands.
    pixel_m2 : area of a pixel, m².
    """

    windows: Tensor
    potential: Tensor
    potential_difference: Tensor
    absolute: Tensor
    hot: Tensor
    hot_difference: Tensor

    def __init__(self, thresholds: Thresholds, pixel_m2: float) -> None:
        super().__init__()
        self._pixel_m2 = pixel_m2
        for each in fields(thresholds):
            self.register_buffer(each.name, torch.tensor(getattr(thresholds, each.name)))
        self.register_buffer("windows", _windows())

    def forward(self, bands: Tensor) -> Tensor:
        """Return the fires of a scene in raster order.

        Parameters
        ----------
        bands : (4 or 2, rows + 20, columns + 20), with `HALO` pixels around the scene: brightness temperature at 4 and
            11 µm, K; by day then reflectance at 0.65 and 0.86 µm, 0 to 1. What is missing is NaN.

        Returns
        -------
        Tensor
            (fires, 4): row, column, temperature at 4 µm in K, radiative power in MW (0 where no background is known).
        """
        t4, t11 = bands[0], bands[1]
        difference = t4 - t11
        land = torch.isfinite(bands).all(0) & ~_clouded(bands)
        candidates = land & (t4 > self.potential) & (difference > self.potential_difference)
        if len(bands) == 4:
            land = land & ~_water(bands)
            candidates = candidates & land & (bands[3] < 0.3)
        hot = land & (t4 > self.hot) & (difference > self.hot_difference)
        places = torch.nonzero(candidates[HALO:-HALO, HALO:-HALO])
        values = torch.stack((t4, t11, difference)).flatten(1)
        values[:2] -= _ABOUT_K
        maps = (values, (land & ~hot).flatten(), hot.flatten())
        found = [
            self._confirmed(part, maps, t4.shape[1], daytime=len(bands) == 4)
            for part in places.split(_AT_ONCE)
        ]
        return torch.cat(found)

    def _confirmed(
        self, places: Tensor, maps: tuple[Tensor, Tensor, Tensor], width: int, *, daytime: bool
    ) -> Tensor:
        """Return those of some candidates that pass the tests, as `forward` does."""
        values, background, hot = maps
        steps = torch.arange(-HALO, HALO + 1)
        near = (steps[:, None] * width + steps).flatten()
        centre = (places[:, 0] + HALO) * width + places[:, 1] + HALO
        patch = centre[:, None] + near
        around = torch.where(background[patch], values[:, patch], 0.0)
        counted = background[patch].float()
        counts = counted @ self.windows
        # The window grows until a quarter of it, and eight pixels, are background.
        enough = (counts >= 8.0) & (counts >= 0.25 * _sides().square())
        known = enough.any(1)
        chosen = enough.float().argmax(1, keepdim=True)
        count = counts.gather(1, chosen).clamp(min=1.0)
        mean = self._sums(around, chosen) / count
        away = torch.where(background[patch], (values[:, patch] - mean).abs(), 0.0)
        deviation = (self._sums(away, chosen) / count)[..., 0]
        mean = mean[..., 0]
        t4, t11, difference = values[:, centre]
        context = (
            known
            & (difference > mean[2] + 3.5 * deviation[2])
            & (difference > mean[2] + 6.0)
            & (t4 > mean[0] + 3.0 * deviation[0])
        )
        if daytime:
            among_fires = self._deviation_of_fires(values[0], hot, patch, chosen) > 5.0
            context = context & ((t11 > mean[1] + deviation[1] - 4.0) | among_fires)
        fire = context | (t4 + _ABOUT_K > self.absolute)
        power = self._power_mw(t4 + _ABOUT_K, mean[0] + _ABOUT_K)
        rows = torch.column_stack((places.float(), t4 + _ABOUT_K, torch.where(known, power, 0.0)))
        return rows[fire]

    def _sums(self, patches: Tensor, chosen: Tensor) -> Tensor:
        """Return the sums (..., candidates, 1) of patches (..., candidates, 441) over each candidate's window."""
        sums = patches @ self.windows
        return sums.gather(-1, chosen.expand(*sums.shape[:-1], 1))

    def _deviation_of_fires(self, t4: Tensor, hot: Tensor, patch: Tensor, chosen: Tensor) -> Tensor:
        """Return the mean absolute deviation of T4, K, among the fires that were kept out of the background."""
        fires = hot[patch]
        count = self._sums(fires.float(), chosen).clamp(min=1.0)
        mean = self._sums(torch.where(fires, t4[patch], 0.0), chosen) / count
        away = torch.where(fires, (t4[patch] - mean).abs(), 0.0)
        return (self._sums(away, chosen) / count)[:, 0]

    def _power_mw(self, t4: Tensor, background: Tensor) -> Tensor:
        """Return fire radiative power, MW, with a clear atmosphere (Giglio et al. 2016, equation for FRP)."""
        excess = (radiance(t4, MIDDLE_UM) - radiance(background, MIDDLE_UM)).clamp(min=0.0)
        return excess * (self._pixel_m2 * STEFAN_BOLTZMANN / _POWER_LAW / 1e6)


def _clouded(bands: Tensor) -> Tensor:
    """Say where there is cloud; 11 µm stands in for the paper's 12 µm."""
    cold = bands[1] < 265.0
    if len(bands) == 2:
        return cold
    bright = bands[2] + bands[3]
    return cold | (bright > 0.9) | ((bright > 0.7) & (bands[1] < 285.0))


def _water(bands: Tensor) -> Tensor:
    """Say where there is water: the paper's test of unmasked water, without its band at 2.1 µm."""
    return (bands[3] < 0.15) & (bands[3] < bands[2])


def _sides() -> Tensor:
    # The paper begins with 3 x 3, which never holds eight pixels without the middle three.
    return torch.arange(5.0, 2 * HALO + 2, 2)


def _windows() -> Tensor:
    """Return (441, 9), 1 where a pixel of the largest window belongs to the n-th one.

    A candidate and its two neighbours along the scan, which see part of its light, belong to none.
    """
    steps = torch.arange(-HALO, HALO + 1)
    reach = torch.maximum(steps[:, None].abs(), steps.abs())
    inside = reach[..., None] <= (_sides() - 1) / 2
    inside[HALO, HALO - 1 : HALO + 2] = False
    return inside.flatten(0, 1).float()
