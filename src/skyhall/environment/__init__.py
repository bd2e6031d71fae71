"""What surrounds a satellite: trapped and cosmic radiation, dose, upsets and thin air.

Takes places, energies, shields and devices as numbers; gives fluxes, doses, upset rates and air densities. Unlike
the rest of the house it counts as radiation physics does: energies in MeV, areas in cm², shields in g/cm², doses in
rad in silicon (each name says so), fluxes omnidirectional per cm² and second. Leaves out secondary neutrons and the
satellite's own geometry: a shield is a sphere or a slab of aluminium.
"""
