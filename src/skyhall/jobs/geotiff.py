"""A user's image: the bands of a GeoTIFF as floats, and where its pixels lie on Earth."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skyhall.errors import Place, ValueProblem

__all__ = ["Geolocation", "Image", "read_image"]

_WGS84 = 4326  # EPSG


@dataclass(frozen=True, slots=True)
class Geolocation:
    """A north-up grid in degrees of longitude and latitude (EPSG:4326).

    Attributes
    ----------
    west, north : of the outer corner of pixel (0, 0), degrees.
    width, height : of a pixel, degrees.
    """

    west: float
    north: float
    width: float
    height: float

    def lon_lat(self, row: float, column: float) -> tuple[float, float]:
        """Return longitude and latitude, degrees, of the centre of a pixel."""
        return self.west + (column + 0.5) * self.width, self.north - (row + 0.5) * self.height


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Bands of one size.

    Attributes
    ----------
    bands : (bands, rows, columns), float32; NaN where the file says that there are no data.
    whole : whether the file holds whole numbers.
    sha256 : of the file, in hex.
    """

    bands: npt.NDArray[np.float32]
    whole: bool
    geolocation: Geolocation | None
    sha256: str


def read_image(path: str, count: int, meaning: str) -> Image:
    """Return the image of a TIFF file with `count` bands, which `meaning` describes to the user.

    Geolocation is understood where the file has EPSG:4326, a scale and one tie point, as most software writes it; any
    other reference system leaves pixel coordinates.

    Raises
    ------
    ValueProblem
        When the file cannot be read, is no TIFF, has another number of bands or holds no real numbers.
    """
    place = Place("--set", "scene")
    try:
        import tifffile
    except ImportError:
        raise ValueProblem(
            "reading a GeoTIFF needs tifffile", place=place, right="pip install 'skyhall[ml]'"
        ) from None
    try:
        sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        with tifffile.TiffFile(path) as file:
            page: Any = file.pages[0]
            raw, axes = file.series[0].asarray(), file.series[0].axes
            tags, nodata = page.geotiff_tags or {}, page.nodata if 42113 in page.tags else None
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ValueProblem(
            f"{path} cannot be read as a TIFF ({reason.lower()})",
            place=place,
            right=f"a GeoTIFF with {meaning}",
        ) from None
    bands = _bands_first(raw, axes)
    if bands is None or len(bands) != count:
        shape = " x ".join(str(each) for each in raw.shape)
        raise ValueProblem(f"{path} is an array of {shape}", place=place, right=f"a GeoTIFF with {meaning}")
    if bands.dtype.kind not in "uif":
        raise ValueProblem(
            f"{path} holds values of type {bands.dtype}", place=place, right=f"a GeoTIFF with {meaning}"
        )
    held = bands.astype(np.float32)
    if nodata is not None:
        held[bands == nodata] = np.nan
    held[~np.isfinite(held)] = np.nan
    return Image(held, bands.dtype.kind in "ui", _geolocation(tags), sha256)


def _bands_first(raw: npt.NDArray[Any], axes: str) -> npt.NDArray[Any] | None:
    """Return (bands, rows, columns): bands may be samples of a pixel, planes or pages."""
    if raw.ndim == 2:
        return raw[None]
    if raw.ndim != 3 or not {"Y", "X"} <= set(axes):
        return None
    (other,) = set(axes) - {"Y", "X"}
    return raw.transpose(axes.index(other), axes.index("Y"), axes.index("X"))


def _geolocation(tags: dict[str, Any]) -> Geolocation | None:
    scale, tie = tags.get("ModelPixelScale"), tags.get("ModelTiepoint")
    if int(tags.get("GeographicTypeGeoKey", 0)) != _WGS84 or int(tags.get("GTModelTypeGeoKey", 0)) != 2:
        return None
    if scale is None or tie is None or len(tie) != 6:
        return None
    # A tie point of a "point" raster names the centre of a pixel, otherwise its outer corner.
    centre = 0.5 if int(tags.get("GTRasterTypeGeoKey", 1)) == 2 else 0.0
    width, height = float(scale[0]), float(scale[1])
    west = float(tie[3]) - (float(tie[0]) + centre) * width
    north = float(tie[4]) + (float(tie[1]) + centre) * height
    return Geolocation(west, north, width, height)
