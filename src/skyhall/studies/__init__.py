"""Studies: questions that stand beside the chain or ask it many times.

The year of light and the radiation on one orbit need no satellite: they take a shell of a scenario. The anomaly's map,
a day of upsets, the trade of shielding and the delay between cities take a fleet. All give plain numbers.
"""

from skyhall.studies.fleet_radiation import anomaly_map, day_of_upsets, shielding_trade
from skyhall.studies.latency import Latency, city, latency_between
from skyhall.studies.light import Month, YearInOrbit, year_in_orbit
from skyhall.studies.radiation import OrbitRadiation, radiation_on_orbit

__all__ = [
    "Latency",
    "Month",
    "OrbitRadiation",
    "YearInOrbit",
    "anomaly_map",
    "city",
    "day_of_upsets",
    "latency_between",
    "radiation_on_orbit",
    "shielding_trade",
    "year_in_orbit",
]
