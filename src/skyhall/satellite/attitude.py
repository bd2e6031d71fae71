"""The attitude law of a design, which fixes every view factor and every cosine of it at once.

The satellite is a T: the radiator's plane stands perpendicular behind the middle of the array. Two laws:

`sun_tracking`
    The array's normal follows the Sun. The satellite turns about the Sun line so that the radiator's plane
    holds both the Sun and the Earth: its normal is Sun × nadir, so it is edge-on to both.
`orbit_normal`
    The array is fixed to the orbit's normal (on the Sun's side). The radiator's plane holds the orbit normal
    and nadir: its normal is the velocity, so it is edge-on to the Earth, and the Sun shines on one face at a
    time with |velocity · Sun| = cos(beta) |sin(phase)|.

Left out: the part of the Earth that the array hides from the radiator (which makes it cooler than computed), the
turn about the Sun line near noon and midnight at small beta (assumed instantaneous), flexing, and eclipse attitudes
of their own. The array's shadow on the radiator is apart, in `AttitudeView.radiator_lit_share`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from skyhall.constants import EARTH_RADIUS
from skyhall.errors import ValueProblem, did_you_mean
from skyhall.satellite.view_factors import array_rear_to_radiator_face, plate_to_sphere
from skyhall.types import Array

__all__ = ["AttitudeView", "Law", "attitude_view"]

Law = Literal["sun_tracking", "orbit_normal"]

_ORBIT_POINTS = 16  # phases of half an orbit for its mean (the other half mirrors it); error below 1e-5
_GRAZING = 1e-9  # sine below which a ray runs along a plane: keeps divisions finite
_MEAN_STEPS = 6  # arithmetic-geometric mean converges quadratically


@dataclass(frozen=True, slots=True)
class AttitudeView:
    """What a design sees of Sun, Earth and itself under one attitude law; made by `attitude_view`.

    The first seven fields are what is chosen; all others follow from them and cannot be set. Fields may be
    arrays that broadcast together (one entry per design).

    Attributes
    ----------
    law : `sun_tracking` or `orbit_normal`.
    altitude : above the equatorial radius, m.
    pointing_error : angle by which the pointing is off, rad; taken at its worst side everywhere.
    array_length, array_width : array along the line where it meets the radiator's plane, and across it, m.
    radiator_length, radiator_height : radiator along that line, and away from the array, m.
    radiator_sun_sine : sine of the Sun's height above the radiator's plane from the pointing error alone.
    radiator_sun_follows_velocity : 1 if |velocity · Sun| shines on one face besides (`orbit_normal`), else 0.
    radiator_earth_view : view factor of each face to the Earth.
    radiator_array_view : view factor of each face to the array's rear.
    """

    law: Law
    altitude: npt.ArrayLike
    pointing_error: npt.ArrayLike
    array_length: npt.ArrayLike
    array_width: npt.ArrayLike
    radiator_length: npt.ArrayLike
    radiator_height: npt.ArrayLike
    radiator_sun_sine: Array = field(init=False)
    radiator_sun_follows_velocity: float = field(init=False)
    radiator_earth_view: Array = field(init=False)
    radiator_array_view: Array = field(init=False)

    def __post_init__(self) -> None:
        _check(self)
        fixed: dict[str, object] = {
            "radiator_sun_sine": np.sin(np.asarray(self.pointing_error, dtype=float)),
            "radiator_sun_follows_velocity": float(self.law == "orbit_normal"),
            "radiator_earth_view": plate_to_sphere(0.5 * np.pi, self.distance_ratio),
            "radiator_array_view": array_rear_to_radiator_face(
                self.array_length, self.array_width, self.radiator_length, self.radiator_height
            ),
        }
        for name, value in fixed.items():
            object.__setattr__(self, name, value)

    @property
    def distance_ratio(self) -> Array:
        """Distance from the Earth's centre over the equatorial radius."""
        return 1.0 + np.asarray(self.altitude, dtype=float) / EARTH_RADIUS

    def array_sun_cosine(self, beta: npt.ArrayLike) -> Array:
        """Return the cosine between the array's normal and the Sun at beta angle `beta` (rad).

        `orbit_normal`: |sin(beta)|, the array facing the side where the Sun is. The pointing error is taken
        towards the worse side.
        """
        error = np.asarray(self.pointing_error, dtype=float)
        if self.law == "sun_tracking":
            return np.asarray(np.cos(error) + np.zeros_like(np.asarray(beta, dtype=float)))
        elevation = np.abs(np.asarray(beta, dtype=float)) - error
        return np.asarray(np.maximum(np.sin(elevation), 0.0))

    def radiator_sun_cosine(self, beta: npt.ArrayLike, phase: npt.ArrayLike) -> Array:
        """Return |cosine| between the radiator's normal and the Sun; it shines on one face at a time.

        Parameters
        ----------
        beta : angle between the Sun and the orbit's plane, rad.
        phase : angle in the orbit from the point nearest the Sun's direction (local noon), rad.

        Notes
        -----
        `orbit_normal`: |velocity · Sun| = cos(beta)|sin(phase)|, plus the pointing error's sine (cautious).
        """
        along = np.cos(np.asarray(beta, dtype=float)) * np.abs(np.sin(np.asarray(phase, dtype=float)))
        total = self.radiator_sun_sine + self.radiator_sun_follows_velocity * along
        return np.asarray(np.minimum(total, 1.0))

    def radiator_mean_sun_cosine(self, beta: npt.ArrayLike) -> Array:
        """Return the mean of `radiator_sun_cosine` over a whole orbit, sunlit or not (mean |sin| = 2/pi).

        The array's shadow is not in it; without the shadow the radiator is warmer (cautious).
        """
        along = np.cos(np.asarray(beta, dtype=float)) * (2.0 / np.pi)
        total = self.radiator_sun_sine + self.radiator_sun_follows_velocity * along
        return np.asarray(np.minimum(total, 1.0))

    def radiator_lit_share(self, beta: npt.ArrayLike, phase: npt.ArrayLike) -> Array:
        """Return the share of the radiator's lit face that lies outside the array's shadow, 0 to 1.

        With `radiator_sun_cosine` it gives the sunlight that really arrives: `sun_cosine × lit_share`. Exact for
        `orbit_normal` and two flat rectangles; 0 for `sun_tracking`, whose radiator lies along the shadow's axis.

        Notes
        -----
        The Sun's ray through a point at height z behind the array's plane meets that plane at z s_x/s_z across and
        z s_y/s_z along it. Shaded heights end where the former leaves the array's half width; up to there the
        shaded length is clip(c - k z, 0, m), with c half the sum of both lengths, m the shorter and k = |s_y/s_z|.
        """
        beta, phase = np.asarray(beta, dtype=float), np.asarray(phase, dtype=float)
        across = np.cos(beta) * np.abs(np.sin(phase))
        along = np.cos(beta) * np.abs(np.cos(phase))
        if self.law == "sun_tracking":
            return np.zeros(np.shape(across + self.radiator_sun_sine))
        height, length = np.asarray(self.radiator_height, dtype=float), np.asarray(self.radiator_length)
        toward = np.maximum(np.abs(np.sin(beta)), _GRAZING)
        end = np.minimum(height, 0.5 * np.asarray(self.array_width) * toward / np.maximum(across, _GRAZING))
        shorter = np.minimum(length, self.array_length)
        reach = 0.5 * (np.asarray(self.array_length) + length)
        slope = np.maximum(along / toward, _GRAZING)
        full = np.minimum(end, (reach - shorter) / slope)  # shaded over the whole shorter length up to here
        last = np.minimum(end, reach / slope)
        sloping = (last - full) * (reach - 0.5 * slope * (last + full))
        return np.asarray(np.clip(1.0 - (shorter * full + sloping) / (height * length), 0.0, 1.0))

    def array_earth_view(self, beta: npt.ArrayLike) -> tuple[Array, Array]:
        """Return the array's view factors to the Earth, (front, rear).

        `orbit_normal`: edge-on, both alike, exact. `sun_tracking`: mean over the orbit at beta angle `beta`
        (rad); front and rear have the same mean, because half an orbit later one sees what the other saw.
        """
        if self.law == "orbit_normal":
            view = np.asarray(self.radiator_earth_view + np.zeros_like(np.asarray(beta, dtype=float)))
            return view, view
        phase = (np.arange(_ORBIT_POINTS) + 0.5) * (np.pi / _ORBIT_POINTS)
        across = np.cos(np.asarray(beta, dtype=float))[..., np.newaxis] * np.cos(phase)
        view = plate_to_sphere(np.arccos(across), self.distance_ratio[..., np.newaxis]).mean(axis=-1)
        return view, view

    def array_frontal_fraction(self, beta: npt.ArrayLike) -> Array:
        """Return the orbit mean of the array's area seen along the velocity, over its (one-sided) area.

        `sun_tracking`: mean |velocity · Sun| = (2/pi) cos(beta). `orbit_normal`: edge-on but for the error.
        """
        cosine = np.cos(np.asarray(beta, dtype=float))
        if self.law == "sun_tracking":
            return np.asarray((2.0 / np.pi) * cosine + np.zeros_like(self.radiator_sun_sine))
        return np.asarray(self.radiator_sun_sine + np.zeros_like(cosine))

    def radiator_frontal_fraction(self, beta: npt.ArrayLike) -> Array:
        """Return the orbit mean of the radiator's area seen along the velocity, over its planform area.

        `orbit_normal`: 1, it flies face on. `sun_tracking`: with s the Sun and r the zenith, the normal is
        s × r / |s × r|, its cosine to the velocity is |sin(beta)| / sqrt(1 - cos²(beta) cos²(phase)), and the
        mean of that over the orbit is |sin(beta)| over the arithmetic-geometric mean of 1 and |sin(beta)|
        (Gauss; Abramowitz and Stegun 17.6).
        """
        sine = np.abs(np.sin(np.asarray(beta, dtype=float)))
        if self.law == "orbit_normal":
            return np.asarray(np.ones_like(sine) + np.zeros_like(self.radiator_sun_sine))
        arithmetic, geometric = np.ones_like(sine), sine
        for _ in range(_MEAN_STEPS):
            arithmetic, geometric = 0.5 * (arithmetic + geometric), np.sqrt(arithmetic * geometric)
        return np.asarray(sine / arithmetic + np.zeros_like(self.radiator_sun_sine))


def attitude_view(
    law: str,
    altitude: npt.ArrayLike,
    pointing_error: npt.ArrayLike,
    array_length: npt.ArrayLike,
    array_width: npt.ArrayLike,
    radiator_length: npt.ArrayLike,
    radiator_height: npt.ArrayLike,
) -> AttitudeView:
    """Return what a satellite sees of Sun, Earth and its own array under the attitude law `law`.

    Parameters
    ----------
    law : ``"sun_tracking"`` or ``"orbit_normal"``.
    altitude : m above the equatorial radius.
    pointing_error : rad.
    array_length, array_width : array along the line where the radiator's plane meets it, and across it, m.
    radiator_length, radiator_height : radiator along that line, and away from the array, m.

    Raises
    ------
    ValueProblem : an unknown law; an altitude, error or size that cannot be.
    """
    return AttitudeView(
        cast(Law, law),
        altitude,
        pointing_error,
        array_length,
        array_width,
        radiator_length,
        radiator_height,
    )


def _check(view: AttitudeView) -> None:
    if view.law not in get_args(Law):
        raise ValueProblem(
            f"'{view.law}' is not an attitude law", right=did_you_mean(view.law, get_args(Law))
        )
    if not np.all(np.asarray(view.altitude) > 0.0):
        raise ValueProblem("an orbit must be above the Earth's surface", right="altitude > 0 m")
    error = np.asarray(view.pointing_error)
    if not np.all((error >= 0.0) & (error < 0.5 * np.pi)):
        raise ValueProblem("pointing error out of range", right="0 <= pointing error < 90 deg")
    for name in ("array_length", "array_width", "radiator_length", "radiator_height"):
        if not np.all(np.asarray(getattr(view, name)) > 0.0):
            raise ValueProblem(f"{name.replace('_', ' ')} must be positive", right="a length > 0 m")
