"""The contestants of `twin.py`: each function sets one up and returns (facts, run); run `_contestants.py NAME OPTIONS`.

All do orbit, light, power, battery and heat for many satellites over many steps, the twin upset rates as well; what a
peer's model leaves out or adds is said in its `work`. The peers run at sizes of their own users; a satellite costs
them no less in a larger fleet.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np

Facts = dict[str, Any]
Run = Callable[[], None]
EMPTY: dict[str, ast.expr] = {
    "step_orbit": ast.Constant(0.0),
    "step_light": ast.Constant(0.0),
    "step_array": ast.Constant(0.0),
    "step_power": ast.Tuple([ast.Constant(0.0)] * 5, ast.Load()),
    "step_heat": ast.Constant(0.0),
    "step_upsets": ast.Constant(0.0),
}
DISCIPLINES = {
    "orbit": ("step_orbit",),
    "light": ("step_light",),
    "array": ("step_array",),
    "power and battery": ("step_power",),
    "heat": ("step_heat",),
    "upsets": ("step_upsets",),
    "all of them": tuple(EMPTY),
}


def twin(
    satellites: int,
    steps: int,
    threads: int,
    step: float = 60.0,
    scenario: str = "million",
    without: str | None = None,
) -> tuple[Facts, Run]:
    """Skyhall's twin on the fleet of a scenario, thinned evenly; `without` drops a discipline's loop."""
    import numba

    from skyhall.fleet import design
    from skyhall.scenario import load
    from skyhall.twin import ConstantLoad, stepping
    from skyhall.twin.flight import environment

    if without is not None:
        fly_tiles = kernel_without(DISCIPLINES[without])
        mock.patch.object(stepping, "kernel", return_value=fly_tiles).start()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    fleet = thinned(design(load(scenario)), satellites)
    stepper = stepping.Stepper(fleet, ConstantLoad(), environment(fleet), start=0.0, step=step)

    def run() -> None:
        for _ in stepper.spans(steps):
            pass

    facts = {
        "satellites": len(fleet),
        "steps": steps,
        "step_s": step,
        "threads": numba.get_num_threads(),
        "work": "orbit with secular J2, penumbra, array with its temperature, battery with taper, coolant and radiator",
    }
    return facts, run


def kernel_without(functions: tuple[str, ...]) -> Callable[..., Any]:
    """Compile the kernel with the calls of some loops taken out."""
    from skyhall.twin.compile import kernel_source

    class Without(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            named = node.func.id if isinstance(node.func, ast.Name) else ""
            return EMPTY[named] if named in functions else self.generic_visit(node)

    text = ast.unparse(ast.fix_missing_locations(Without().visit(ast.parse(kernel_source()))))
    names: dict[str, Any] = {}
    exec(compile(text.replace("CACHE", "False"), "<kernel without>", "exec"), names)
    compiled: Callable[..., Any] = names["fly_tiles"]
    return compiled


def thinned(fleet: Any, satellites: int) -> Any:
    """Return every so many-th satellite of a fleet."""
    kept = np.linspace(0, len(fleet) - 1, min(satellites, len(fleet))).astype(np.int64)
    return replace(
        fleet,
        elements=fleet.elements[kept],
        plane=fleet.plane[kept],
        slot=fleet.slot[kept],
        design_index=fleet.design_index[kept],
        upsets=fleet.upsets.only(kept),
    )


def plain_numpy(satellites: int, steps: int, step: float = 60.0) -> tuple[Facts, Run]:
    """The same formulas in plain NumPy: `skyhall.twin.plain`."""
    from skyhall.fleet import design
    from skyhall.scenario import load
    from skyhall.twin.flight import environment
    from skyhall.twin.plain import fly_plain

    fleet = thinned(design(load("million")), satellites)

    def run() -> None:
        fly_plain(
            fleet.elements,
            fleet.designs[0],
            environment(fleet),
            upsets=fleet.upsets,
            epoch=fleet.epoch_julian_date,
            steps=steps,
            step=step,
        )

    facts = {
        "satellites": len(fleet),
        "steps": steps,
        "step_s": step,
        "threads": 1,
        "work": "the same formulas, array by array in double precision",
    }
    return facts, run


def basilisk(satellites: int, steps: int, step: float = 10.0) -> tuple[Facts, Run]:
    """Basilisk: spacecraft under point gravity, eclipse, solar panel, power sink, battery, panel temperature."""
    from _basilisk import Constellation

    constellation = Constellation(satellites, step)
    facts = {
        "satellites": satellites,
        "steps": steps,
        "step_s": step,
        "threads": 1,
        "work": "orbit and attitude by RK4, penumbra, panel, sink, battery, one temperature",
    }
    return facts, lambda: constellation.fly(steps)


def orbital_compute(satellites: int, steps: int) -> tuple[Facts, Run]:
    """orbital-compute: its run loop at steps of a minute; the search for ground contacts is set-up and left out."""
    from orbital_compute import simulator

    simulations: list[Any] = []

    def made() -> Any:
        simulation = simulator.Simulation(
            simulator.SimulationConfig(
                n_satellites=satellites, sim_duration_hours=steps / 60.0, n_jobs=5 * satellites // 3
            )
        )
        with mock.patch.object(simulator, "find_contact_windows", return_value=[]):
            simulation.setup()
        return simulation

    def run() -> None:
        simulations.append(made())  # what is timed is told apart by `timed`

    def timed() -> None:
        simulations.pop().run()

    run.timed = timed  # type: ignore[attr-defined]
    facts = {
        "satellites": satellites,
        "steps": steps,
        "step_s": 60.0,
        "threads": 1,
        "work": "SGP4 orbit, shadow cylinder, power, battery, one temperature, and a scheduler",
    }
    return facts, run


def main() -> None:
    """Set up, warm up, say so, and answer every line with the seconds of one run."""
    function, options = sys.argv[1], json.loads(sys.argv[2])
    answers = sys.stdout
    with contextlib.redirect_stdout(io.StringIO()):  # peers print as they go
        try:
            facts, run = globals()[function](**options)
        except ModuleNotFoundError as problem:
            print(json.dumps({"missing": f"{problem.name} is not installed"}), file=answers, flush=True)
            return
        timed = getattr(run, "timed", None)

        def seconds() -> float:
            if timed is not None:
                run()
            began = time.perf_counter()
            (timed or run)()
            return time.perf_counter() - began

        seconds()
        facts["satellite_steps"] = facts["satellites"] * facts["steps"]
        print(json.dumps(facts), file=answers, flush=True)
        for _ in sys.stdin:
            print(seconds(), file=answers, flush=True)


if __name__ == "__main__":
    main()
