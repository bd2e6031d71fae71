"""Studies: questions that stand beside the chain or ask it many times.

So far the year of light on one orbit, which needs no satellite. It takes a shell of a scenario and gives plain numbers.
"""

from skyhall.studies.light import Month, YearInOrbit, year_in_orbit

__all__ = ["Month", "YearInOrbit", "year_in_orbit"]
