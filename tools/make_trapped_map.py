"""Make the map of trapped protons and electrons that Skyhall ships, and the direct calls that its tests sample.

    pip install . radbelt          # radbelt has no wheel for Python 3.13: use 3.11 or 3.12
    python tools/make_trapped_map.py

Writes src/skyhall/catalogue/maps/trapped.npz and tests/environment/data/trapped_samples.json. Only numbers computed
with the radbelt library (AP8, AE8 and IGRF as NASA's CCMC published them) are stored, none of its files or code.
The same numbers come out each time.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skyhall.constants import EARTH_RADIUS
from skyhall.environment.trapped import orbit_points
from skyhall.types import Array, Numbers

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "src" / "skyhall" / "catalogue" / "maps" / "trapped.npz"
SAMPLES = ROOT / "tests" / "environment" / "data" / "trapped_samples.json"

ACTIVITIES = ("min", "max")
EPOCHS = (1964.0, 1970.0, 2020.0)  # fields of the models of solar minimum and maximum; of today, for cutoffs

# Place: L and B/B0.
LOWEST, HIGHEST = 150e3, 36_000e3  # m
HEIGHTS, LATITUDES, LONGITUDES = 26, 46, 48
# The library's B0 is some 0.3 % off in stripes up to a degree wide, a tenth of all places: a median looks past them.
NEAR_DEG = np.array(
    [[0, 0], [0.6, 0], [1.2, 0], [-0.6, 0], [-1.2, 0], [0, 0.6], [0, 1.2], [0, -0.6], [0, -1.2]]
)
PLACE_SCALE = 1.25 / 65535

# Field: flux over L, B/B0 and energy.
PROTON_MEV = [
    0.1,
    0.2,
    0.4,
    0.7,
    1,
    1.5,
    2,
    3,
    4,
    5,
    6,
    7,
    10,
    15,
    20,
    25,
    30,
    40,
    50,
    60,
    70,
    85,
    100,
    125,
    150,
]
PROTON_MEV += [175, 200, 250, 300, 400]
ELECTRON_MEV = [
    0.04,
    0.07,
    0.1,
    0.2,
    0.3,
    0.5,
    0.75,
    1,
    1.25,
    1.5,
    1.75,
    2,
    2.5,
    3,
    3.5,
    4,
    4.5,
    5,
    5.5,
    6,
    6.5,
    7,
]
RATIOS = 40
SHELLS = np.round(
    np.concatenate(
        [
            np.arange(1.10, 1.40, 0.01),
            np.arange(1.40, 2.00, 0.025),
            np.arange(2.00, 3.00, 0.05),
            np.arange(3.00, 6.00, 0.1),
            np.arange(6.00, 8.00, 0.2),
            np.arange(8.00, 12.01, 0.5),
        ]
    ),
    4,
)
FLUX_SCALE = 22.0 / 65535  # of ln(1 + flux); the largest flux is 6e8
LEAST_CUTOFF = 0.01  # of ln(B/B0) where a shell holds nothing

SAMPLE_COUNT = 480
SEED = 20240501
TODAYS_ALTITUDE = 500e3  # m
TODAYS_INCLINATIONS_DEG = (97.4, 30.0)
AVERAGED_ALTITUDES = (300e3, 500e3, 800e3, 2000e3)  # m
AVERAGED_INCLINATIONS_DEG = (0.0, 30.0, 53.0, 98.0)
AVERAGED = {"p": (10.0, 50.0, 100.0, 200.0), "e": (0.5, 1.0, 5.0)}


def field(latitude_deg: Numbers, longitude_deg: Numbers, height: Numbers, year: float) -> tuple[Array, Array]:
    """Return (L, B/B0) from the library."""
    import radbelt  # type: ignore[import-not-found]

    shell, ratio = radbelt.igrf(longitude_deg, latitude_deg, height / 1e3, year)
    return np.asarray(shell, dtype=np.float64), np.asarray(ratio, dtype=np.float64)


def flux(
    energy: Array | float, shell: Array | float, ratio: Array | float, particle: str, activity: str
) -> Array:
    """Return the flux above `energy` from the library; nothing outside the shells that it knows."""
    import radbelt

    found = np.asarray(radbelt.aep8(energy, shell, ratio, particle, activity), dtype=np.float64)
    return np.where(np.isfinite(found), np.maximum(found, 0.0), 0.0)


def spread(task: Callable[[Any], Any], work: Iterable[Any]) -> list[Any]:
    """Run `task` over `work` on all processors, in order."""
    with Pool(os.cpu_count()) as pool:
        return pool.map(task, list(work), chunksize=1)


def layer(work: tuple[float, float]) -> tuple[Array, Array]:
    """Return `radius_over_l` and `mirror` of one layer of the grid."""
    year, height = work
    latitude, longitude = np.meshgrid(
        np.linspace(-90.0, 90.0, LATITUDES), np.arange(LONGITUDES) * 360.0 / LONGITUDES - 180.0, indexing="ij"
    )
    shell, ratio = field(
        np.clip(latitude + NEAR_DEG[:, 0, None, None], -90.0, 90.0),
        longitude + NEAR_DEG[:, 1, None, None],
        np.array(height),
        year,
    )
    radius = 1.0 + height / EARTH_RADIUS
    return np.median(radius / shell, axis=0), np.median(ratio ** (-1.0 / 3.0), axis=0)


def grid() -> dict[str, npt.NDArray[Any]]:
    """Return the grid over places."""
    height_log = np.linspace(np.log1p(LOWEST / EARTH_RADIUS), np.log1p(HIGHEST / EARTH_RADIUS), HEIGHTS)
    heights = EARTH_RADIUS * np.expm1(height_log)
    layers = spread(layer, [(year, height) for year in EPOCHS for height in heights])
    shape = (len(EPOCHS), HEIGHTS, LATITUDES, LONGITUDES)
    radius_over_l, mirror = (np.array([one[k] for one in layers]).reshape(shape) for k in (0, 1))
    return {
        "epoch": np.array(EPOCHS),
        "height_log": height_log,
        "place_scale": np.array(PLACE_SCALE),
        "radius_over_l": packed(radius_over_l, PLACE_SCALE),
        "mirror": packed(mirror[:2], PLACE_SCALE),
    }


def packed(values: Array, scale: float) -> npt.NDArray[np.uint16]:
    """Return `values` in units of `scale` as 16-bit numbers."""
    counted = np.round(values / scale)
    if not (np.isfinite(counted).all() and counted.min() >= 0 and counted.max() <= 65535):
        raise SystemExit(f"values from {values.min()} to {values.max()} do not fit into 16 bits")
    return counted.astype(np.uint16)


def cutoff(shell: float) -> float:
    """Return ln of the B/B0 beyond which no model has any flux on `shell`."""
    largest = LEAST_CUTOFF
    for particle, energy in (("p", PROTON_MEV[0]), ("e", ELECTRON_MEV[0]), ("e", 1.0)):
        for activity in ACTIVITIES:
            low, high = 0.0, 9.0
            if float(flux(energy, shell, 1.0, particle, activity)) == 0.0:
                continue
            while high - low > 1e-3:
                middle = 0.5 * (low + high)
                held = float(flux(energy, shell, np.exp(middle), particle, activity)) > 0.0
                low, high = (middle, high) if held else (low, middle)
            largest = max(largest, high)
    return largest


def row(work: tuple[float, float]) -> list[Array]:
    """Return ln(1 + flux) on one shell: (activities, ratios, energies) of protons and of electrons."""
    shell, end = work
    ratio = np.exp((1.0 - np.linspace(1.0, 0.0, RATIOS) ** 2) * end)  # dense at the loss cone
    found = []
    for particle, energies in (("p", PROTON_MEV), ("e", ELECTRON_MEV)):
        values = np.array(
            [flux(np.array(energies), shell, ratio[:, None], particle, one) for one in ACTIVITIES]
        )
        # at a few edges AE8 has fewer electrons above 0.04 MeV than above 0.1 MeV, which cannot be
        found.append(np.log1p(np.maximum.accumulate(values[..., ::-1], axis=-1)[..., ::-1]))
    return found


def table() -> dict[str, npt.NDArray[Any]]:
    """Return the table over the field."""
    ends = spread(cutoff, SHELLS)
    rows = spread(row, zip(SHELLS, ends, strict=True))
    protons, electrons = (np.stack([one[k] for one in rows], axis=1) for k in (0, 1))
    return {
        "proton_energy_mev": np.array(PROTON_MEV, dtype=np.float64),
        "electron_energy_mev": np.array(ELECTRON_MEV, dtype=np.float64),
        "l_nodes": SHELLS,
        "cutoff_log": np.array(ends),
        "flux_scale": np.array(FLUX_SCALE),
        "proton_flux": packed(protons, FLUX_SCALE),
        "electron_flux": packed(electrons, FLUX_SCALE),
    }


def average(work: tuple[float, float, float, str, tuple[float, ...], str]) -> list[float]:
    """Return the means over an orbit, by direct calls."""
    altitude, inclination_deg, year, particle, energies, activity = work
    latitude, longitude, height, weight = orbit_points(altitude, np.radians(inclination_deg))
    shell, ratio = field(np.degrees(latitude), np.degrees(longitude), height, year)
    # no model holds anything beyond, whatever the energy; asking only inside saves most of the time
    held = np.flatnonzero((shell > 1.05) & (shell < 12.5) & (ratio < 1.15 * np.maximum(shell, 1.15) ** 3.6))
    values = flux(np.array(energies), shell[held, None], ratio[held, None], particle, activity)
    return [float(one) for one in weight[held] @ values]


def misused() -> dict[str, npt.NDArray[Any]]:
    """Return what AP8 MIN gives in the field of 2020, in which it must not be used."""
    found = spread(
        average,
        [(TODAYS_ALTITUDE, one, EPOCHS[2], "p", tuple(PROTON_MEV), "min") for one in TODAYS_INCLINATIONS_DEG],
    )
    return {
        "todays_field_inclination_deg": np.array(TODAYS_INCLINATIONS_DEG),
        "todays_field_altitude_m": np.array(TODAYS_ALTITUDE),
        "todays_field_protons": np.array(found),
    }


def readme_point() -> Array:
    """Return the flux that the library's README prints: protons above 20 MeV at one place and time."""
    import astropy.units as u  # type: ignore[import-untyped]
    from astropy.coordinates import EarthLocation  # type: ignore[import-untyped]
    from astropy.time import Time  # type: ignore[import-untyped]
    from radbelt import get_flux

    place = EarthLocation(-45 * u.deg, -30 * u.deg, 500 * u.km)
    return np.array(get_flux(place, Time("2021-03-01"), 20 * u.MeV, "p", "max").value, dtype=np.float64)


def samples() -> dict[str, Any]:
    """Return direct calls at random places (most of them low) and their means over orbits."""
    random = np.random.default_rng(SEED)
    places: list[list[Any]] = []
    while len(places) < SAMPLE_COUNT:
        latitude, longitude = np.degrees(np.arcsin(random.uniform(-1, 1))), random.uniform(-180, 180)
        height = np.exp(random.uniform(np.log(250e3), np.log(random.choice([1000e3, 2000e3, 36_000e3]))))
        particle, activity = random.choice(["p", "e"]), random.choice(ACTIVITIES)
        energy = float(random.choice(PROTON_MEV if particle == "p" else ELECTRON_MEV))
        shell, ratio = field(latitude, longitude, height, EPOCHS[ACTIVITIES.index(activity)])
        value = float(flux(energy, float(shell), float(ratio), particle, activity))
        if value == 0.0 and random.uniform() < 0.9:  # nothing is soon sampled enough
            continue
        places.append(
            [
                round(latitude, 6),
                round(longitude, 6),
                round(height, 3),
                str(particle),
                str(activity),
                energy,
                value,
            ]
        )
    work = [
        (altitude, inclination, EPOCHS[0], particle, energies, "min")
        for altitude in AVERAGED_ALTITUDES
        for inclination in AVERAGED_INCLINATIONS_DEG
        for particle, energies in AVERAGED.items()
    ]
    return {
        "made_by": "tools/make_trapped_map.py",
        "columns": [
            "latitude_deg",
            "longitude_deg",
            "height_m",
            "particle",
            "activity",
            "above_mev",
            "flux_cm2_s",
        ],
        "places": places,
        "orbits": [
            {
                "altitude_m": one[0],
                "inclination_deg": one[1],
                "particle": one[3],
                "above_mev": list(one[4]),
                "flux_cm2_s": mean,
            }
            for one, mean in zip(work, spread(average, work), strict=True)
        ],
    }


def main() -> int:
    """Compute, write, say how long it took."""
    started = time.monotonic()
    arrays = {**grid(), **table(), **misused(), "radbelt_point": readme_point()}
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(TARGET, allow_pickle=False, **arrays)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1e3:.0f} kB after {time.monotonic() - started:.0f} s")
    if "--no-samples" not in sys.argv:
        SAMPLES.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(samples(), separators=(",", ":")).replace('],["', '],\n["').replace("],[", "],\n[")
        SAMPLES.write_text(text.replace(',{"alt', ',\n{"alt') + "\n", encoding="utf-8")
        print(
            f"{SAMPLES.name}: {SAMPLES.stat().st_size / 1e3:.0f} kB after {time.monotonic() - started:.0f} s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
