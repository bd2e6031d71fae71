"""Trapped protons and electrons (AP8, AE8) over the globe, read from a map of the models in their own fields.

The map has two factors. A grid over latitude, longitude and height gives McIlwain's L and B/B0 in the field of the
model's epoch; a table over L, B/B0 and energy gives the flux. Both are smooth where the flux over the globe is not:
at the lower edge of the South Atlantic Anomaly it falls to nothing within a few hundred kilometres.

Fluxes are integral (above an energy in MeV) and omnidirectional (over 4π), in 1/(cm² s).

References
----------
Sawyer and Vette 1976, AP-8 trapped proton environment, NSSDC/WDC-A-R&S 76-06; Vette 1991, The AE-8 trapped electron
model environment, NSSDC/WDC-A-R&S 91-24.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import EARTH_FLATTENING, EARTH_RADIUS
from skyhall.errors import ValueProblem
from skyhall.orbit.geodetic import geodetic
from skyhall.types import Array, Numbers

__all__ = [
    "DRIFT_DEG_PER_YEAR",
    "FIRST_YEAR",
    "HIGHEST_ORBIT",
    "LARGEST_L",
    "LAST_YEAR",
    "LOWEST_ORBIT",
    "TrappedMap",
    "orbit_points",
]

# Badhwar 1997, J. Geophys. Res. 102(A2), 2343: doses on Skylab (1973) and Mir (1995) at some 400 km, compared through
# AP8: 0.28 ± 0.03 degrees west a year (and 0.08 ± 0.03 north, which is left out).
DRIFT_DEG_PER_YEAR: Final = 0.28
FIRST_YEAR: Final = 1964.0  # epoch of the older of the two fields
LAST_YEAR: Final = 2040.0  # how far the drift is carried on beyond what has been measured
LARGEST_L: Final = 20.0  # Earth radii; over the polar caps field lines do not close within the magnetosphere

# Altitudes of circular orbits that are promised, m over the equator's radius: from the map's first layer to its last.
# Geodetic heights on them are up to 21.4 km more, near the poles: so far the map goes on beyond its last layer (by less
# than a hundredth of a step between layers).
LOWEST_ORBIT: Final = 150e3
HIGHEST_ORBIT: Final = 36_000e3
_FLATTENED: Final = EARTH_RADIUS * EARTH_FLATTENING + 100.0

_CHUNK: Final = 16384  # points at a time, so that memory stays bounded

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrappedMap:
    """AP8 and AE8 for solar minimum (first) and maximum (second): the arrays of `catalogue.maps.load_map("trapped")`.

    Attributes
    ----------
    proton_energy_mev, electron_energy_mev : MeV, (nP,) and (nE,): fluxes are given above these.
    epoch : decimal year of the field of minimum, of maximum and of the field for cutoffs, (3,).
    height_log : ln(1 + height / equatorial radius) of the grid's layers in equal steps, (heights,).
    radius_over_l : (1 + height / equatorial radius) / L in units of `place_scale`,
        (3 epochs, heights, latitudes from -90° to 90°, longitudes from -180° to 180° without the last).
    mirror : (B/B0)^(-1/3) in units of `place_scale`, (2 epochs, heights, latitudes, longitudes).
    l_nodes : L of the flux table, (nL,). cutoff_log : ln of the B/B0 where the flux ends at each L, (nL,).
    proton_flux, electron_flux : ln(1 + flux) in units of `flux_scale`, (2, nL, nX, energies); with
        X = ln(B/B0) / `cutoff_log`, its steps are equal in sqrt(1 - X), from X = 0 to 1: dense at the loss cone.
    radbelt_point : the flux that radbelt's own example prints, as computed when the map was made; ().
    todays_field_inclination_deg, todays_field_altitude_m, todays_field_protons : AP8 MIN misused in the field of
        2020, averaged over two circular orbits: (2,), (), and (2, nP) in 1/(cm² s).
    """

    proton_energy_mev: Array
    electron_energy_mev: Array
    epoch: Array
    height_log: Array
    place_scale: Array
    flux_scale: Array
    radius_over_l: Numbers
    mirror: Numbers
    l_nodes: Array
    cutoff_log: Array
    proton_flux: Numbers
    electron_flux: Numbers
    radbelt_point: Array
    todays_field_inclination_deg: Array
    todays_field_altitude_m: Array
    todays_field_protons: Array

    def protons(
        self, latitude: Numbers, longitude: Numbers, altitude: Numbers, *, activity: float, year: float
    ) -> Array:
        """Return the integral omnidirectional flux of protons above each of `proton_energy_mev`, 1/(cm² s).

        Parameters
        ----------
        latitude, longitude : geodetic, rad, (...). altitude : geodetic height, m, (...).
        activity : 0 at solar minimum, 1 at solar maximum; in between the two models are mixed in proportion.
        year : decimal year, for the drift of the anomaly: each model is shifted west from its own epoch.

        Returns
        -------
        (..., nP).

        Raises
        ------
        ValueProblem : a height or year outside the map, or an activity outside 0 to 1.
        """
        return self._flux(self.proton_flux, latitude, longitude, altitude, activity, year)

    def electrons(
        self, latitude: Numbers, longitude: Numbers, altitude: Numbers, *, activity: float, year: float
    ) -> Array:
        """Return the integral omnidirectional flux of electrons above each of `electron_energy_mev`; as `protons`."""
        return self._flux(self.electron_flux, latitude, longitude, altitude, activity, year)

    def l_shell(self, latitude: Numbers, longitude: Numbers, altitude: Numbers, *, year: float) -> Array:
        """Return McIlwain's L, Earth radii, (...), at most `LARGEST_L`; parameters as in `protons`.

        For cutoffs of cosmic rays: in the field of 2020, not in those of the flux models. `year` is only checked:
        the drift of the anomaly is not that of the whole field.
        """
        places = _places(latitude, longitude, altitude)
        self._check(places[2], year)
        shape = np.broadcast_shapes(np.shape(latitude), np.shape(longitude), np.shape(altitude))
        found = np.empty(places[0].size)
        for part in _parts(places[0].size):
            corners, weights, radius = self._stencil(places, part, 0.0)
            found[part] = self._l_from(_mean(self.radius_over_l[2], corners, weights), radius)
        return np.minimum(found, LARGEST_L).reshape(shape)

    def _flux(
        self,
        table: Numbers,
        latitude: Numbers,
        longitude: Numbers,
        altitude: Numbers,
        activity: float,
        year: float,
    ) -> Array:
        places = _places(latitude, longitude, altitude)
        self._check(places[2], year)
        if not 0.0 <= activity <= 1.0:
            raise ValueProblem(
                f"a solar activity of {activity:g} does not exist",
                right="choose between 0 (minimum) and 1 (maximum)",
            )
        shape = np.broadcast_shapes(np.shape(latitude), np.shape(longitude), np.shape(altitude))
        found = np.zeros((places[0].size, table.shape[-1]))
        for model, share in enumerate((1.0 - activity, activity)):
            if share == 0.0:
                continue
            for part in _parts(places[0].size):
                corners, weights, radius = self._stencil(places, part, year - float(self.epoch[model]))
                shell = self._l_from(_mean(self.radius_over_l[model], corners, weights), radius)
                mirror = _mean(self.mirror[model], corners, weights) * float(self.place_scale)
                found[part] += share * self._in_field(table[model], shell, mirror)
        return found.reshape(*shape, table.shape[-1])

    def _check(self, height: Array, year: float) -> None:
        lowest, highest = EARTH_RADIUS * np.expm1(self.height_log[[0, -1]])
        outside = ~((height >= lowest - 1.0) & (height <= highest + _FLATTENED))
        if outside.any():
            raise ValueProblem(
                f"an altitude of {height[outside][0] / 1e3:,.0f} km is outside the map of trapped particles",
                right=f"choose between {lowest / 1e3:,.0f} km and {highest / 1e3:,.0f} km",
            )
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ValueProblem(
                f"the year {year:.6g} is outside the field model of the trapped particles",
                right=f"choose a date between {FIRST_YEAR:.0f} and {LAST_YEAR:.0f}",
            )

    def _stencil(
        self, places: tuple[Array, Array, Array], part: slice, years: float
    ) -> tuple[Integers, tuple[Array, Array, Array], Array]:
        """Return the flat indices (n, 4, 4, 4) of the grid's points around `places`, their weights and the radius."""
        latitude, longitude, height = (place[part] for place in places)
        heights, latitudes, longitudes = self.mirror.shape[1:]
        # what was at `longitude` at the model's epoch has moved west: today it is looked for in the east
        turned = longitude + np.radians(DRIFT_DEG_PER_YEAR) * years
        radius = 1.0 + height / EARTH_RADIUS
        step = (self.height_log[-1] - self.height_log[0]) / (heights - 1)
        layer, layer_weight = _cubic((np.log(radius) - self.height_log[0]) / step, heights)
        row, row_weight = _cubic((latitude / np.pi + 0.5) * (latitudes - 1), latitudes)
        column, column_weight = _cubic(
            np.mod(turned / (2.0 * np.pi) + 0.5, 1.0) * longitudes + 1.0, longitudes + 3
        )
        column = np.mod(column - 1, longitudes)
        corners = (layer[:, :, None, None] * latitudes + row[:, None, :, None]) * longitudes + column[
            :, None, None, :
        ]
        return corners, (layer_weight, row_weight, column_weight), radius

    def _l_from(self, radius_over_l: Array, radius: Array) -> Array:
        return radius / np.maximum(radius_over_l * float(self.place_scale), radius / (2.0 * LARGEST_L))

    def _in_field(self, table: Numbers, shell: Array, mirror: Array) -> Array:
        """Return the flux (n, energies) at L = `shell` and (B/B0)^(-1/3) = `mirror`."""
        shells, ratios, energies = table.shape
        node = np.interp(shell, self.l_nodes, np.arange(shells), left=-1.0, right=-1.0)
        depth = np.maximum(-3.0 * np.log(np.maximum(mirror, 1e-6)), 0.0) / np.interp(
            shell, self.l_nodes, self.cutoff_log
        )
        found = np.zeros((shell.size, energies))
        inside = np.flatnonzero((node >= 0.0) & (depth < 1.0))
        node, across = node[inside], (1.0 - np.sqrt(1.0 - depth[inside])) * (ratios - 1)
        low = np.minimum(node.astype(np.int64), shells - 2)
        left = across.astype(np.int64)
        up, right = (node - low)[:, None], (across - left)[:, None]
        flat = table.reshape(shells * ratios, energies)
        corner = low * ratios + left
        logarithm = (1.0 - up) * ((1.0 - right) * flat[corner] + right * flat[corner + 1]) + up * (
            (1.0 - right) * flat[corner + ratios] + right * flat[corner + ratios + 1]
        )
        found[inside] = np.expm1(logarithm * float(self.flux_scale))
        return found


def orbit_points(
    altitude: float, inclination: float, latitudes: int = 60, longitudes: int = 72
) -> tuple[Array, Array, Array, Array]:
    """Return places that stand for a circular orbit over many days: (latitude, longitude, height, weight), (n,) each.

    They are uniform in argument of latitude, from the southernmost to the northernmost point (the way back passes
    the same places), and in longitude; n is `latitudes` × `longitudes`. Means over an orbit are ``weight @ values``.

    Parameters
    ----------
    altitude : m over the equatorial radius. inclination : rad.

    Returns
    -------
    latitude (rad) and height (m) are geodetic; longitude rad; weight sums to 1.

    Raises
    ------
    ValueProblem : an altitude outside the map of trapped particles, 150 to 36,000 km.
    """
    if not LOWEST_ORBIT - 1.0 <= altitude <= HIGHEST_ORBIT + 1.0:
        raise ValueProblem(
            f"an orbit's altitude of {altitude / 1e3:,.7g} km is outside the map of trapped particles",
            right=f"choose between {LOWEST_ORBIT / 1e3:,.0f} km and {HIGHEST_ORBIT / 1e3:,.0f} km",
        )
    argument = ((np.arange(latitudes) + 0.5) / latitudes - 0.5) * np.pi
    sine = np.sin(inclination) * np.sin(argument)
    radius = EARTH_RADIUS + altitude
    position = radius * np.stack([np.sqrt(1.0 - sine * sine), np.zeros_like(sine), sine], axis=-1)
    latitude, _, height = geodetic(position)
    longitude = ((np.arange(longitudes) + 0.5) / longitudes * 2.0 - 1.0) * np.pi
    count = latitudes * longitudes
    return (
        np.repeat(latitude, longitudes),
        np.tile(longitude, latitudes),
        np.repeat(height, longitudes),
        np.full(count, 1.0 / count),
    )


def _places(latitude: Numbers, longitude: Numbers, altitude: Numbers) -> tuple[Array, Array, Array]:
    given = np.broadcast_arrays(latitude, longitude, altitude)
    first, second, third = (np.asarray(one, dtype=np.float64).ravel() for one in given)
    return first, second, third


def _parts(count: int) -> list[slice]:
    return [slice(start, start + _CHUNK) for start in range(0, count, _CHUNK)]


def _cubic(place: Array, size: int) -> tuple[Integers, Array]:
    """Return the four indices around `place` (in steps of a grid of `size`) and Lagrange's weights; (n, 4) each."""
    base = np.clip(np.floor(place).astype(np.int64), 1, size - 3)
    t = place - base
    before, after, beyond = t + 1.0, t - 1.0, t - 2.0
    weights = [
        -t * after * beyond / 6.0,
        before * after * beyond / 2.0,
        -before * t * beyond / 2.0,
        before * t * after / 6.0,
    ]
    return base[:, None] + np.arange(-1, 3), np.stack(weights, axis=-1)


def _mean(grid: Numbers, corners: Integers, weights: tuple[Array, Array, Array]) -> Array:
    """Return the weighted mean of `grid` over each point's 4 × 4 × 4 `corners`, (n,)."""
    values = grid.reshape(-1)[corners].astype(np.float64)
    for weight in reversed(weights):
        values = np.einsum("n...k,nk->n...", values, weight)
    return np.asarray(values)
