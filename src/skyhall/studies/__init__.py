"""Studies: questions that stand beside the chain or ask it many times.

The year of light and the radiation on one orbit need no satellite: they take a shell of a scenario. A laser link takes
a terminal of the catalogue. The anomaly's map, a day of upsets, the trade of shielding, contacts with the ground and
the delay between cities take a fleet. All give plain numbers.
"""

from skyhall.studies.contacts import Contact, ContactDay, Contacts, contacts_of
from skyhall.studies.fleet_radiation import anomaly_map, day_of_upsets, shielding_trade
from skyhall.studies.latency import Latency, city, latency_between
from skyhall.studies.light import Month, YearInOrbit, year_in_orbit
from skyhall.studies.optical_link import LinkAtRange, OpticalLink, RateStep, optical_link
from skyhall.studies.radiation import OrbitRadiation, radiation_on_orbit

__all__ = [
    "Contact",
    "ContactDay",
    "Contacts",
    "Latency",
    "LinkAtRange",
    "Month",
    "OpticalLink",
    "OrbitRadiation",
    "RateStep",
    "YearInOrbit",
    "anomaly_map",
    "city",
    "contacts_of",
    "day_of_upsets",
    "latency_between",
    "optical_link",
    "radiation_on_orbit",
    "shielding_trade",
    "year_in_orbit",
]
