"""Array types of the public signatures."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
# A scalar or an array of float64. `Any`, because NumPy's broadcasting rules (and Numba's) cannot be written as types.
Numbers: TypeAlias = Any
