"""Scenarios: what is asked for, checked and frozen.

It takes YAML (a built-in name, a file, or a mapping) with overrides and gives a `Scenario` in which every value is an
SI float, every default is filled in and every key remembers file and line. It sizes and flies nothing.
"""

from skyhall.scenario.loading import builtin_names, builtin_text, load, resolved_yaml, template
from skyhall.scenario.models import Scenario, Shell, json_schema

__all__ = [
    "Scenario",
    "Shell",
    "builtin_names",
    "builtin_text",
    "json_schema",
    "load",
    "resolved_yaml",
    "template",
]
