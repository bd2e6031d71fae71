"""The twin: a fleet flown through time on orbit, light, power, battery and heat.

It takes a `Fleet` (and a plan) and gives `Windows`, what nature offers without any load, and a `Flight`, what
happened under the plan: timeline and delivered work. It leaves out radiation and links, which join it with their
own models, attitude dynamics, and weather of the Earth's albedo and infrared.
"""

from skyhall.twin.flight import fly, forecast, record, representative_days
from skyhall.twin.stepping import ConstantLoad
from skyhall.twin.timeline import Chunk, Delivered, Flight, Slot, Timeline, Windows

__all__ = [
    "Chunk",
    "ConstantLoad",
    "Delivered",
    "Flight",
    "Slot",
    "Timeline",
    "Windows",
    "fly",
    "forecast",
    "record",
    "representative_days",
]
