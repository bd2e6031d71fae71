"""The Sun's direction against astropy (ERFA's epv00 and IAU 2006/2000A precession and nutation).

Tolerance: 0.0006 deg (2 arcseconds) in TEME over 2020 to 2035; the issue asks for 0.01 deg. Distance within 3e-5.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from skyhall.orbit import greenwich_angle, sun_direction

coordinates = pytest.importorskip("astropy.coordinates")
time = pytest.importorskip("astropy.time")
iers = pytest.importorskip("astropy.utils.iers")

MOMENTS = 2458849.5 + np.linspace(0, 16 * 365.25, 800)  # 2020-01-01 to 2036-01-01


def apparent_sun(frame: str) -> tuple[np.ndarray, np.ndarray]:
    """Return astropy's apparent Sun, unit vectors and metres, in TEME or in GCRS."""
    with warnings.catch_warnings(), iers.conf.set_temp("auto_download", False):
        warnings.simplefilter("ignore")  # leap seconds and polar motion of the coming years are not known yet
        # What ships with astropy is older than a month, some day, and nothing is downloaded.
        with iers.conf.set_temp("iers_degraded_accuracy", "ignore"), iers.conf.set_temp("auto_max_age", None):
            moments = time.Time(MOMENTS, format="jd", scale="utc")
            sun = coordinates.get_sun(moments)
            if frame == "TEME":
                sun = sun.transform_to(coordinates.TEME(obstime=moments))
    metres = sun.cartesian.xyz.to_value("m").T
    distance = np.linalg.norm(metres, axis=-1)
    return metres / distance[:, None], distance


def degrees_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(np.linalg.norm(np.cross(a, b), axis=-1))


def test_the_suns_direction_is_within_2_arcseconds() -> None:
    ours, _ = sun_direction(MOMENTS)
    theirs, _ = apparent_sun("TEME")
    assert degrees_between(ours, theirs).max() < 0.0006


def test_the_suns_distance_is_within_3e_minus_5() -> None:
    _, ours = sun_direction(MOMENTS)
    _, theirs = apparent_sun("TEME")
    np.testing.assert_allclose(ours, theirs, rtol=3e-5)


def test_a_j2000_sun_beside_teme_is_told_apart() -> None:
    ours, _ = sun_direction(MOMENTS)
    theirs, _ = apparent_sun("GCRS")
    assert degrees_between(ours, theirs).min() > 0.2


def test_greenwich_angle_is_that_of_gmst_1982() -> None:
    import erfa

    theirs = erfa.gmst82(MOMENTS, 0.0)
    turned = np.abs(np.mod(greenwich_angle(MOMENTS) - theirs + np.pi, 2 * np.pi) - np.pi)
    assert np.degrees(turned).max() < 1e-6
