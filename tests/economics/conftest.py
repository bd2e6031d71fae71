from __future__ import annotations

import pytest
from tests.economics.economics_inputs import INPUTS

from skyhall.economics import CostInputs


@pytest.fixture
def inputs() -> CostInputs:
    return INPUTS
