"""What `twin.py` measures in fresh processes: memory, the kernel's compile, accuracy. Run `_fresh.py NAME OPTIONS`."""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

import numpy as np


def peak_gb() -> float:
    """Return the most memory that this process has held, GB."""
    unit = 1.0 if sys.platform == "darwin" else 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def fleet_of(scenario: str, satellites: int | None = None) -> Any:
    from _contestants import thinned
    from skyhall.fleet import design
    from skyhall.scenario import load

    fleet = design(load(scenario))
    return fleet if satellites is None else thinned(fleet, satellites)


def day(satellites: int) -> dict[str, Any]:
    """A fleet flown for a day at steps of a minute, in `reduce` mode."""
    from skyhall.twin import fly

    began = time.perf_counter()
    fleet = fleet_of("million", satellites)
    designed, before = time.perf_counter() - began, peak_gb()
    began = time.perf_counter()
    flight = fly(fleet, duration=86400.0, step=60.0, whole=True)
    took = time.perf_counter() - began
    return {
        "satellites": len(fleet),
        "steps": flight.steps,
        "flight_s": took,
        "satellite_steps_per_s": len(fleet) * flight.steps / took,
        "peak_rss_gb": peak_gb(),
        "peak_rss_before_flight_gb": before,
        "design_s": designed,
        "lit": float(flight.delivered.lit.mean()),
    }


def memory(mode: str, satellites: int, hours: float) -> dict[str, Any]:
    """Peak memory of a flight in one of the three modes; its answers are dropped as they come."""
    from skyhall.twin import fly, forecast, record

    fleet = fleet_of("million", satellites)
    duration = hours * 3600.0
    if mode == "reduce":
        fly(fleet, duration=duration, whole=True)
    else:
        for _ in forecast(fleet, duration=duration) if mode == "slots" else record(fleet, duration=duration):
            pass
    steps = round(duration / 60.0)
    return {"mode": mode, "satellites": len(fleet), "steps": steps, "peak_rss_gb": peak_gb()}


def kernel() -> dict[str, Any]:
    """Seconds from nothing to the first step: compiled where the cache is empty, else loaded."""
    from skyhall.twin import fly

    fleet = fleet_of("starcloud-1")
    began = time.perf_counter()
    fly(fleet, duration=60.0)
    return {"first_flight_s": time.perf_counter() - began}


def accuracy(satellites: int, steps: int) -> dict[str, Any]:
    """Largest differences between the kernel and plain double-precision NumPy with exact angles, over every step."""
    fleet = fleet_of("million", satellites)
    each = [differences(fleet_of_design(fleet, index), steps) for index in range(len(fleet.designs))]
    return {
        "satellites": len(fleet),
        "steps": steps,
        **{name: max(one[name] for one in each) for name in each[0]},
    }


def differences(fleet: Any, steps: int) -> dict[str, float]:
    """Return the largest differences on a fleet of one design."""
    from skyhall.orbit.elements import circular_position
    from skyhall.twin import ConstantLoad, record, stepping
    from skyhall.twin import tile as t
    from skyhall.twin.flight import environment
    from skyhall.twin.plain import fly_plain

    chunks = list(record(fleet, duration=steps * 60.0))
    ours = chunks[0].joined(chunks[1:])
    around = environment(fleet)
    plain = fly_plain(fleet.elements, fleet.designs[0], around, epoch=fleet.epoch_julian_date, steps=steps)
    stepper = stepping.Stepper(fleet, ConstantLoad(), around, start=0.0, step=60.0)
    for _ in stepper.spans(steps):
        pass
    rows = stepper.tiles.double_row
    node = np.stack([rows(t.NODE_COS), rows(t.NODE_SIN)])
    tilt = fleet.elements.inclination
    toward = np.stack([node[0], node[1], 0.0 * tilt], axis=-1)
    beside = np.stack([-node[1] * np.cos(tilt), node[0] * np.cos(tilt), np.sin(tilt)], axis=-1)
    radial = rows(t.LATITUDE_COS)[:, None] * toward + rows(t.LATITUDE_SIN)[:, None] * beside
    exact = circular_position(fleet.elements, steps * 60.0)

    def largest(name: str) -> float:
        return float(np.abs(getattr(ours, name) - getattr(plain, name).T).max())

    return {
        "position_m": float(np.abs(radial * fleet.elements.semi_major_axis[:, None] - exact).max()),
        "lit": largest("lit"),
        "energy_of_capacity": largest("battery_j") / fleet.designs[0].battery_capacity,
        "temperature_k": max(largest(name) for name in ("junction_k", "radiator_k", "array_k")),
    }


def fleet_of_design(fleet: Any, index: int) -> Any:
    """Return the satellites of one design (`fly_plain` flies one)."""
    from dataclasses import replace

    kept = fleet.design_index == index
    return replace(
        fleet,
        elements=fleet.elements[kept],
        plane=fleet.plane[kept],
        slot=fleet.slot[kept],
        design_index=np.zeros(int(kept.sum()), dtype=np.int64),
        designs=fleet.designs[index : index + 1],
        sized=fleet.sized[index : index + 1],
        light=fleet.light[index : index + 1],
    )


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](**json.loads(sys.argv[2]))))
