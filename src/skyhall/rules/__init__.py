"""The rules of orbit: what regulators, standards and neighbours ask of a fleet, checked with numbers and sources.

One module per family of rules holds the formulas (`debris`, `disposal`, `collision`, `punctures`, `conjunctions`,
`casualty`, `brightness`, `separation`); `check` applies them to a fleet. Limits and published figures are in the
catalogue, kind ``rules``.
"""

from skyhall.rules.fleet_rules import check
from skyhall.rules.result import RuleResult

__all__ = ["RuleResult", "check"]
