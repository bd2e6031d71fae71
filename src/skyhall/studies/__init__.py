"""Studies: questions that stand beside the chain or ask it many times.

So far the year of light and the radiation on one orbit, which need no satellite. They take a shell of a scenario and
give plain numbers.
"""

from skyhall.studies.light import Month, YearInOrbit, year_in_orbit
from skyhall.studies.radiation import OrbitRadiation, radiation_on_orbit

__all__ = ["Month", "OrbitRadiation", "YearInOrbit", "radiation_on_orbit", "year_in_orbit"]
