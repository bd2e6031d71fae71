"""The globe in cells: every direction lies in the cell whose centre is near it."""

import numpy as np

from skyhall.environment.globe_cells import CELLS, cell_directions, cell_index


def test_a_cells_centre_lies_in_that_cell() -> None:
    np.testing.assert_array_equal(cell_index(cell_directions()), np.arange(2 * CELLS**2))


def test_a_direction_is_within_two_degrees_of_its_cells_centre() -> None:
    rng = np.random.default_rng(1)
    direction = rng.normal(size=(20_000, 3))
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    centre = cell_directions()[cell_index(direction)]
    apart = np.degrees(np.arccos(np.clip(np.einsum("nk,nk->n", direction, centre), -1.0, 1.0)))
    assert apart.max() < 2.0


def test_the_length_of_the_vector_does_not_matter_and_poles_and_axes_have_a_cell() -> None:
    axes = np.array(
        [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1], [1, 1, 0], [1, -1, 0]]
    )
    index = cell_index(axes.astype(float))
    assert ((index >= 0) & (index < 2 * CELLS**2)).all()
    np.testing.assert_array_equal(index, cell_index(axes * 6.9e6))


def test_cells_cover_like_areas() -> None:
    rng = np.random.default_rng(2)
    count = np.bincount(cell_index(rng.normal(size=(2_000_000, 3))), minlength=2 * CELLS**2)
    assert count.max() < 6.5 * np.median(count)
    assert count.min() > 0.2 * np.median(count)
