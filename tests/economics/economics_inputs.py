from __future__ import annotations

from skyhall.economics import (
    Batch,
    Builder,
    BuildPrices,
    CostInputs,
    Finance,
    GroundSite,
    Operations,
    OrbitReliability,
    SatelliteBill,
    Vehicle,
)

# Round numbers of a 200 MW fleet; nothing here is a claim about the world.
INPUTS = CostInputs(
    batches=(
        Batch(
            1600,
            SatelliteBill(
                mass_kg=2500,
                bus_kg=500,
                array_w=170e3,
                battery_kwh=40,
                radiator_m2=150,
                accelerators=64,
                it_power_w=125e3,
            ),
        ),
    ),
    accelerator_usd=60e3,
    life_years=5.0,
    delivered_fraction=0.95,
    vehicle=Vehicle("Starship", price_usd_per_kg=250, payload_kg=100e3, success_rate=0.98),
    parts=BuildPrices(800, 10, 450, 4000),
    builder=Builder(0.85, 5.2e6, 5.2e6, engineering_usd=750e6),
    operations=Operations(20e3, 20e6, 500, insurance_rate=0.1),
    reliability=OrbitReliability(0.09, 0.02, 0.2, "none", 0.05, 0.10),
    ground=GroundSite("grid", 11.7, 15, pue=1.2, energy_usd_per_kwh=0.087, operations_usd_per_kw_year=250),
    finance=Finance(0.15, 0.103, 10),
)
