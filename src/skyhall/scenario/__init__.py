"""Scenarios: what is asked for, checked and frozen.

It takes YAML (a built-in name, a file, or a mapping) with overrides and gives a `Scenario` in which every value is
an SI float, every default is filled in and every key remembers file and line. It sizes and flies nothing.
"""

from skyhall.scenario.loading import builtin_names, builtin_text, load, resolved_yaml
from skyhall.scenario.models import Scenario, Shell

__all__ = ["Scenario", "Shell", "builtin_names", "builtin_text", "load", "resolved_yaml"]
