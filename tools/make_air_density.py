"""Write the table of air density that ships with Skyhall: `python tools/make_air_density.py` (needs pymsis).

NRLMSISE-00 (Picone, Hedin, Drob & Aikin, J. Geophys. Res. 107 A12 1468, 2002), averaged over the globe, a day and a
year, at steady solar activity. `--compare` writes nothing and prints the ratio to NRLMSIS 2.1 instead.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pymsis  # type: ignore[import-not-found,unused-ignore]

TABLE = Path(__file__).parents[1] / "src/skyhall/catalogue/maps/air.npz"

# km; fine where the scale height is small, and everywhere so that log-linear steps stay within 1 % of the model.
ALTITUDES = np.concatenate(
    [np.arange(100.0, 150.0, 2.5), np.arange(150.0, 200.0, 5.0), np.arange(200.0, 1000.0, 20.0),
     np.arange(1000.0, 2001.0, 50.0)]
)  # fmt: skip
F107 = np.array(
    [65.0, 72.0, 80.0, 90.0, 100.0, 112.0, 125.0, 140.0, 155.0, 170.0, 185.0, 205.0, 225.0, 250.0]
)  # sfu
DAYS = 12  # of a year; a thirteenth changes the mean by less than 0.1 %
LONGITUDES = 12  # at one universal time: the local times of a day
LATITUDES = 8  # Gauss-Legendre points in the sine of the latitude, so that equal areas weigh the same


def matching_ap(f107: Any) -> Any:
    """Return the mean geomagnetic index Ap of years of that F10.7 (sfu): 5 in a minimum, 20 in a strong maximum.

    Rounded from the 13-month means that NASA's Marshall Space Flight Center published with its forecasts of cycle 24
    (2010 to 2012): 4 in the minimum, 13 (50 %) to 20 (95 %) in the years of the maximum.
    """
    return np.interp(f107, [65.0, 140.0, 250.0], [5.0, 12.0, 20.0])


def mean_density(altitudes: Any, f107: float, ap: float, version: float) -> Any:
    """Return the density (kg/m³) at `altitudes` (km), mean over globe, day and year."""
    sines, weights = np.polynomial.legendre.leggauss(LATITUDES)
    start = np.datetime64("2001-01-01T00:00:00")
    days = start + (np.arange(DAYS) * (365.0 / DAYS) * 86400.0).astype("timedelta64[s]").astype(
        "timedelta64[D]"
    )
    longitudes = np.arange(LONGITUDES) * (360.0 / LONGITUDES)
    found = pymsis.calculate(
        days,
        longitudes,
        np.degrees(np.arcsin(sines)),
        altitudes,
        np.full(DAYS, f107),
        np.full(DAYS, f107),
        np.full((DAYS, 7), ap),
        version=version,
    )
    return np.einsum("dlka,k->a", found[..., pymsis.Variable.MASS_DENSITY], weights) / (
        2.0 * DAYS * LONGITUDES
    )


def table(altitudes: Any, version: float) -> Any:
    """Return densities (altitudes, F107), kg/m³."""
    columns = [mean_density(altitudes, f107, float(matching_ap(f107)), version) for f107 in F107]
    return np.stack(columns, axis=-1)


def main() -> None:
    """Write the table, or compare the two models."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--compare", action="store_true", help="print NRLMSISE-00 over NRLMSIS 2.1")
    if options.parse_args().compare:
        altitudes = np.array([150.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 1000.0, 1500.0, 2000.0])
        print("km     " + " ".join(f"{f107:7.0f}" for f107 in F107))
        for altitude, row in zip(altitudes, table(altitudes, 0) / table(altitudes, 2.1), strict=True):
            print(f"{altitude:6.0f} " + " ".join(f"{ratio:7.2f}" for ratio in row))
        return
    TABLE.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        TABLE,
        altitude=ALTITUDES * 1e3,
        f107=F107,
        ap=matching_ap(F107),
        density=table(ALTITUDES, 0),
    )
    print(
        f"{TABLE.name}: {ALTITUDES.size} altitudes, {F107.size} values of F10.7, {TABLE.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
