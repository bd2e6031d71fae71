"""The catalogue: hardware, vehicles, prices and facts about the environment, each value with its source.

It takes part names and gives `Part`s whose values are asked for in a unit: ``part("price", "USD/kg")``.
A scenario may override any value; an override keeps "scenario" as its source. It leaves out nothing quietly:
a part or value that does not exist is an error that names what does.
"""

from skyhall.catalogue.parts import Catalogue, Fact, Part, load_catalogue

__all__ = ["Catalogue", "Fact", "Part", "load_catalogue"]
