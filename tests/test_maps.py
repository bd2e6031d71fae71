from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from skyhall.catalogue.maps import load_map
from skyhall.errors import FileProblem


def test_a_missing_map_is_an_error_that_names_those_that_come() -> None:
    with pytest.raises(FileProblem, match="no map 'tapped'") as caught:
        load_map("tapped")
    assert caught.value.right == "did you mean 'trapped'?"


def test_a_map_is_read_once_and_nobody_can_write_to_it() -> None:
    arrays = load_map("trapped")
    assert load_map("trapped") is arrays
    with pytest.raises(ValueError, match="read-only"):
        arrays["epoch"][0] = 1900.0


def test_the_trapped_map_is_smaller_than_4_mb() -> None:
    folder = resources.files("skyhall.catalogue") / "maps"
    assert len((folder / "trapped.npz").read_bytes()) < 4e6


def test_the_trapped_map_holds_only_numbers() -> None:
    assert all(np.issubdtype(array.dtype, np.number) for array in load_map("trapped").values())
