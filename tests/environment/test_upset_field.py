"""Tables of upset rates over the globe, looked up where a satellite is."""

from __future__ import annotations

import numpy as np

from skyhall.environment.globe_cells import CELLS, cell_directions
from skyhall.environment.upset_field import UpsetField
from skyhall.types import Array


def made_up() -> UpsetField:
    """Two tables that tell the cell: the first its number, the second a thousandth more; three satellites."""
    numbers = np.arange(2 * CELLS**2, dtype=np.float32)
    return UpsetField(np.stack([numbers, numbers + 0.25]), np.array([0, 1, 1]), np.array([1.0, 1.0, 2.0]))


def turned(direction: Array, angle: float) -> Array:
    x, y, z = direction.T
    return np.stack(
        [np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y, z], axis=-1
    )


def test_each_satellite_reads_its_own_table_times_its_factor() -> None:
    cells = [100, 12_345, 7]
    radial = cell_directions()[cells][:, None, :]
    found = made_up().at(radial, np.zeros(1))
    np.testing.assert_allclose(found[:, 0], [100.0, 12_345.25, 14.5])
    assert found.dtype == np.float32


def test_the_globe_turns_below_the_satellite_with_greenwich() -> None:
    cells, angles = np.array([3000, 9000, 15_000]), np.array([0.0, 1.0, -2.5])
    # The same places of the Earth at three moments lie further east in TEME by Greenwich's angle.
    radial = np.stack([turned(cell_directions()[cells], angle) for angle in angles], axis=1)
    found = made_up().at(radial, angles)
    np.testing.assert_allclose(found[0], np.full(3, 3000.0))
    np.testing.assert_allclose(found, np.repeat(found[:, :1], 3, axis=1))
    assert (made_up().at(radial, -angles)[0, 1:] != 3000.0).all()


def test_a_field_of_none_is_zero_everywhere() -> None:
    field = UpsetField.none(5)
    radial = np.broadcast_to(cell_directions()[:4], (5, 4, 3))
    assert not field.at(radial, np.zeros(4)).any()
    assert field.at(radial, np.zeros(4)).shape == (5, 4)


def test_the_field_of_some_satellites_keeps_their_tables_and_factors() -> None:
    field, radial = made_up(), cell_directions()[[100, 12_345, 7]][:, None, :]
    some = field.only(slice(1, 3))
    np.testing.assert_array_equal(some.at(radial[1:], np.zeros(1)), field.at(radial, np.zeros(1))[1:])
