"""A user's GeoTIFF comes in as bands of floats with its geolocation, or with a sentence that says what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.ml.jobs.image_files import write_geotiff

from skyhall.errors import ValueProblem
from skyhall.jobs.geotiff import read_image

pytestmark = pytest.mark.ml

BANDS = np.random.default_rng(3).uniform(1.0, 2.0, (3, 20, 30)).astype(np.float32)


@pytest.mark.parametrize("layout", ["separate", "contig", "pages"])
def test_bands_come_in_order_however_they_lie_in_the_file(tmp_path: Path, layout: str) -> None:
    raw = BANDS.transpose(1, 2, 0) if layout == "contig" else BANDS
    options = {} if layout == "pages" else {"planarconfig": layout}
    image = read_image(str(write_geotiff(tmp_path / "a.tif", raw, **options)), 3, "three bands")
    np.testing.assert_array_equal(image.bands, BANDS)


def test_the_centre_of_a_pixel_has_its_longitude_and_latitude(tmp_path: Path) -> None:
    image = read_image(str(write_geotiff(tmp_path / "a.tif", BANDS)), 3, "three bands")
    assert image.geolocation is not None
    # 4 rows south and 7 columns east of the corner's pixel, in steps of 0.01 degrees
    assert image.geolocation.lon_lat(4, 7) == pytest.approx((10.075, 49.955))


def test_another_reference_system_leaves_pixels(tmp_path: Path) -> None:
    assert (
        read_image(str(write_geotiff(tmp_path / "a.tif", BANDS, epsg=4258)), 3, "three bands").geolocation
        is None
    )


def test_what_the_file_calls_no_data_is_missing(tmp_path: Path) -> None:
    holed = BANDS.copy()
    holed[1, 2, 3] = -9999.0
    image = read_image(str(write_geotiff(tmp_path / "a.tif", holed, nodata="-9999")), 3, "three bands")
    assert np.argwhere(np.isnan(image.bands)).tolist() == [[1, 2, 3]]


def test_wrong_files_are_refused_with_what_would_be_right(tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_text("no image")
    write_geotiff(tmp_path / "two.tif", BANDS[:2])
    write_geotiff(tmp_path / "waves.tif", BANDS.astype(np.complex64))
    cut = write_geotiff(tmp_path / "whole.tif", BANDS).read_bytes()
    (tmp_path / "cut.tif").write_bytes(cut[:3000])
    for name, said in (
        ("absent.tif", "no such file"),
        ("text.tif", "cannot be read as a TIFF"),
        ("two.tif", "is an array of 2 x 20 x 30"),
        ("waves.tif", "complex64"),
        ("cut.tif", "cannot be read as a TIFF"),
    ):
        with pytest.raises(ValueProblem, match=said) as raised:
            read_image(str(tmp_path / name), 3, "three bands")
        assert str(raised.value.place) == "--set scene"
        assert "three bands" in str(raised.value.right)
