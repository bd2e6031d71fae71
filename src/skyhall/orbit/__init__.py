"""Orbits, the Sun and the Earth's shadow.

Takes altitudes, inclinations, local times or published element sets (as text), and times; gives mean
elements, positions in metres and Sun directions in TEME (true equator, mean equinox of date), lit fractions,
the times of entry into shadow and exit from it, the seasons of a year, and the relative motion inside a formation.
Leaves out manoeuvres, drag of designed orbits (published element sets carry their own), lunisolar perturbations,
refraction and limb darkening.
"""

from __future__ import annotations

from skyhall.orbit.element_sets import Dropped, ElementSets, Ephemeris, parse_element_sets
from skyhall.orbit.elements import (
    MeanElements,
    check_altitude,
    circular_position,
    kepler_period,
    mean_motion,
    position,
    raan_from_local_time,
    secular_rates,
    sun_synchronous_inclination,
)
from skyhall.orbit.formation import (
    FlownEllipse,
    axis_ratio,
    closed_orbit,
    flown_ellipse,
    formation_elements,
    square_lattice,
)
from skyhall.orbit.patterns import (
    Pattern,
    cluster,
    geostationary_altitude,
    geostationary_ring,
    sun_synchronous,
    walker_delta,
    walker_star,
)
from skyhall.orbit.seasons import LightSummary, LightYear, year_of_light
from skyhall.orbit.shadow import (
    DiscFractions,
    ShadowTimes,
    disc_fractions,
    eclipse_fraction_of_orbit,
    limb_distance,
    lit_disc_fraction,
    lit_disc_integral,
    mean_lit_fraction,
    shadow_times,
)
from skyhall.orbit.sun import (
    beta_angle,
    decimal_year,
    greenwich_angle,
    irradiance_ratio,
    julian_date,
    mean_sun_right_ascension,
    sun_direction,
)

__all__ = [
    "DiscFractions",
    "Dropped",
    "ElementSets",
    "Ephemeris",
    "FlownEllipse",
    "LightSummary",
    "LightYear",
    "MeanElements",
    "Pattern",
    "ShadowTimes",
    "axis_ratio",
    "beta_angle",
    "check_altitude",
    "circular_position",
    "closed_orbit",
    "cluster",
    "decimal_year",
    "disc_fractions",
    "eclipse_fraction_of_orbit",
    "flown_ellipse",
    "formation_elements",
    "geostationary_altitude",
    "geostationary_ring",
    "greenwich_angle",
    "irradiance_ratio",
    "julian_date",
    "kepler_period",
    "limb_distance",
    "lit_disc_fraction",
    "lit_disc_integral",
    "mean_lit_fraction",
    "mean_motion",
    "mean_sun_right_ascension",
    "parse_element_sets",
    "position",
    "raan_from_local_time",
    "secular_rates",
    "shadow_times",
    "square_lattice",
    "sun_direction",
    "sun_synchronous",
    "sun_synchronous_inclination",
    "walker_delta",
    "walker_star",
    "year_of_light",
]
