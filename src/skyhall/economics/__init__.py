"""Price: what a fleet in orbit and its ground rival cost, line by line, under named boundaries.

Takes plain numbers (a satellite's bill of quantities, prices of a vehicle, a builder, a site on Earth,
the cost of capital) and gives a `CostSheet` of cost lines that add up: per boundary, per GPU-hour
installed and delivered, beside the ground, with the launch price that breaks even or the term that binds.
It knows prices, not fleets: `costing` maps a scenario to it. Left out: taxes, inflation, obsolescence of
accelerators, months waited for a grid connection.
"""

from skyhall.economics.build import Builder, BuildPrices, SatelliteBill
from skyhall.economics.cost_inputs import Batch, CostInputs
from skyhall.economics.cost_line import BOUNDARIES, Boundary, CostLine
from skyhall.economics.cost_sheet import BoundaryRow, CostSheet, Counterfactual
from skyhall.economics.finance import BreakEven, Finance
from skyhall.economics.ground import GroundSite
from skyhall.economics.launch import Manifest, Vehicle
from skyhall.economics.operate import Operations, OrbitReliability
from skyhall.economics.pricing import price_design

__all__ = [
    "BOUNDARIES",
    "Batch",
    "Boundary",
    "BoundaryRow",
    "BreakEven",
    "BuildPrices",
    "Builder",
    "CostInputs",
    "CostLine",
    "CostSheet",
    "Counterfactual",
    "Finance",
    "GroundSite",
    "Manifest",
    "Operations",
    "OrbitReliability",
    "SatelliteBill",
    "Vehicle",
    "price_design",
]
