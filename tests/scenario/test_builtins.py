"""Every built-in scenario becomes a fleet that does the work it asks for."""

from __future__ import annotations

import pytest

from skyhall.fleet import design
from skyhall.scenario import builtin_names, load


@pytest.mark.parametrize("name", builtin_names())
def test_a_built_in_scenario_is_designed(name: str) -> None:
    scenario = load(name)
    fleet = design(scenario)
    if scenario.work.it_power is not None:
        # At least what was asked; more by whole accelerators, satellites and planes.
        assert scenario.work.it_power <= fleet.it_power <= 1.05 * scenario.work.it_power
    else:
        assert len(fleet) == sum(shell.satellites for shell in scenario.orbit.shells)
    assert 20 < fleet.mass / fleet.it_power * 1e3 < 250  # kg/kW
