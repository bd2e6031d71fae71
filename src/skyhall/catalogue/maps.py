"""Maps that come with the catalogue: arrays that scripts under tools/ compute from published models."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

import numpy as np

from skyhall.errors import FileProblem, Place, did_you_mean
from skyhall.types import Numbers

__all__ = ["load_map"]

FOLDER: Final = "maps"


@cache
def load_map(name: str) -> dict[str, Numbers]:
    """Return the arrays of the map `name` by their names; they are shared and cannot be written to.

    Parameters
    ----------
    name : ``"trapped"`` (trapped protons and electrons, tools/make_trapped_map.py).

    Raises
    ------
    FileProblem : no map of that name comes with this installation.
    """
    folder = resources.files("skyhall.catalogue") / FOLDER
    found = {
        entry.name.removesuffix(".npz"): entry for entry in folder.iterdir() if entry.name.endswith(".npz")
    }
    if name not in found:
        raise FileProblem(f"there is no map {name!r}", place=Place(FOLDER), right=did_you_mean(name, found))
    with found[name].open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    for array in arrays.values():
        array.flags.writeable = False
    return arrays
