"""GeoTIFFs as software writes them: (bands, rows, columns) in separate planes, EPSG:4326."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile

WEST, NORTH, STEP = 10.0, 50.0, 0.01


def write_geotiff(
    path: Path, bands: np.ndarray, *, epsg: int = 4326, nodata: str = "", **options: Any
) -> Path:
    keys = (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, epsg)
    tags: list[tuple[Any, ...]] = [
        (33550, "d", 3, (STEP, STEP, 0.0), True),
        (33922, "d", 6, (0.0, 0.0, 0.0, WEST, NORTH, 0.0), True),
        (34735, "H", len(keys), keys, True),
    ]
    if nodata:
        tags.append((42113, "s", 0, nodata, True))
    tifffile.imwrite(path, bands, photometric="minisblack", extratags=tags, **options)
    return path
