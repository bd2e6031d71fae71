"""Studies: questions that stand beside the chain or ask it many times.

The year of light and the radiation on one orbit need no satellite: they take a shell of a scenario. The anomaly's map,
a day of upsets, the trade of shielding and contacts with the ground take a fleet. All give plain numbers.
"""

from skyhall.studies.contacts import Contact, ContactDay, Contacts, contacts_of
from skyhall.studies.fleet_radiation import anomaly_map, day_of_upsets, shielding_trade
from skyhall.studies.light import Month, YearInOrbit, year_in_orbit
from skyhall.studies.radiation import OrbitRadiation, radiation_on_orbit

__all__ = [
    "Contact",
    "ContactDay",
    "Contacts",
    "Month",
    "OrbitRadiation",
    "YearInOrbit",
    "anomaly_map",
    "contacts_of",
    "day_of_upsets",
    "radiation_on_orbit",
    "shielding_trade",
    "year_in_orbit",
]
