"""The kernel's state: satellites sorted by design into tiles, and each design's parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skyhall.constants import EARTH_RADIUS, STEFAN_BOLTZMANN
from skyhall.environment.globe_cells import CELLS
from skyhall.orbit.elements import MeanElements, secular_rates
from skyhall.satellite.design import SatelliteDesign
from skyhall.twin import tile as t
from skyhall.types import Array

__all__ = ["Environment", "Tiles", "design_parameters", "make_tiles"]

_HOTTEST_ARRAY = 390.0  # K: the radiative slope of the array's implicit step; any value keeps the equilibrium
_CACHE_LINE = 64  # bytes, also the widest vector register
_HOTTEST_RADIATOR = 350.0  # K: the same for the radiator


@dataclass(frozen=True, slots=True)
class Environment:
    """What surrounds the satellites.

    Attributes
    ----------
    irradiance : of the Sun at one astronomical unit, W/m².
    albedo : share of sunlight that the Earth reflects (orbit mean; no map).
    infrared : exitance of the Earth in the infrared, W/m² (mean; no map).
    """

    irradiance: float
    albedo: float
    infrared: float


@dataclass(slots=True)
class Tiles:
    """State of a fleet in the kernel's order.

    `order[k]` is the satellite that sits in lane k (tiles × TILE lanes); lanes that fill up a design's last tile repeat
    its satellites and are left out of every total.
    """

    orbits: Array  # (tiles, rows * TILE), double
    states: npt.NDArray[np.float32]  # (tiles, rows * TILE)
    designs: npt.NDArray[np.float32]  # (designs, PARAMETERS)
    design_of_tile: npt.NDArray[np.int64]
    filled: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]
    first_lane: npt.NDArray[np.int64]  # lane of each satellite
    node: Array  # right ascension of the node at the epoch, rad, (lanes,)
    node_rate: Array  # rad/s

    def row(self, row: int) -> npt.NDArray[np.float32]:
        """Return one single-precision row for every satellite, in the fleet's order; shape (satellites,)."""
        lanes = self.states.reshape(len(self.states), -1, t.TILE)[:, row // t.TILE].reshape(-1)
        return lanes[self.first_lane]

    def double_row(self, row: int) -> Array:
        """Return one double-precision row for every satellite, in the fleet's order; shape (satellites,)."""
        lanes = self.orbits.reshape(len(self.orbits), -1, t.TILE)[:, row // t.TILE].reshape(-1)
        return lanes[self.first_lane]

    def set_nodes(self, seconds: float) -> None:
        """Put the nodes where they are at `seconds`: a span starts there, wherever the last one's anchor reached."""
        node = (self.node + self.node_rate * seconds).reshape(len(self.orbits), t.TILE)
        rows = self.orbits.reshape(len(self.orbits), -1, t.TILE)
        rows[:, t.NODE_COS // t.TILE] = np.cos(node)
        rows[:, t.NODE_SIN // t.TILE] = np.sin(node)

    def begin(self) -> None:
        """Forget the sums and extremes so far: they count from now on."""
        self.orbits.reshape(len(self.orbits), -1, t.TILE)[:, t.SUM_LIT // t.TILE :] = 0.0
        rows = self.states.reshape(len(self.states), -1, t.TILE)
        for extreme, now in (
            (t.MOST_MISSING, t.MISSING),
            (t.HOTTEST_JUNCTION, t.JUNCTION_K),
            (t.COLDEST_COOLANT, t.COOLANT_K),
        ):
            rows[:, extreme // t.TILE] = rows[:, now // t.TILE]


def design_parameters(
    design: SatelliteDesign, environment: Environment, step: float, dtype: npt.DTypeLike = np.float32
) -> npt.NDArray[Any]:
    """Return the kernel's parameters of `design` for steps of `step` seconds."""
    p = np.zeros(t.PARAMETERS)
    emissivity = design.array_emissivity_front + design.array_emissivity_rear
    slope = 4.0 * emissivity * STEFAN_BOLTZMANN * _HOTTEST_ARRAY**3
    infrared_on_array = environment.infrared * (
        design.array_emissivity_front * design.array_earth_view_front
        + design.array_emissivity_rear * design.array_earth_view_rear
    )
    radiating = design.radiator_emitting_area * design.radiator_emissivity * design.radiator_fin_efficiency
    conductance = design.coolant_to_radiator
    system = np.array(
        [
            [design.coolant_heat_capacity + step * conductance, -step * conductance],
            [
                -step * conductance,
                design.radiator_heat_capacity
                + step * (conductance + 4.0 * radiating * STEFAN_BOLTZMANN * _HOTTEST_RADIATOR**3),
            ],
        ]
    )
    gains = step * np.linalg.inv(system)
    p[t.P_STEP] = step
    p[t.P_WORK], p[t.P_IDLE], p[t.P_NIGHT] = design.it_power, design.it_idle, design.night_share
    p[t.P_FIXED], p[t.P_HEATER] = design.fixed_load, design.heater_power
    p[t.P_HEATER_SET], p[t.P_HEATER_SLOPE] = design.heater_set, 1.0 / design.heater_band
    p[t.P_LOAD_PER_WORK] = 1.0 + design.overhead_per_it
    p[t.P_WORK_PER_LOAD] = 1.0 / (1.0 + design.overhead_per_it)
    p[t.P_CELL_AREA], p[t.P_EFFICIENCY] = design.cell_area, design.cell_efficiency
    p[t.P_TEMPERATURE_COEFFICIENT] = design.cell_temperature_coefficient
    p[t.P_REFERENCE_K] = design.cell_reference_temperature
    p[t.P_ARRAY_ABSORPTIVITY], p[t.P_ARRAY_EMISSIVITY] = design.array_absorptivity, emissivity
    p[t.P_ARRAY_ALBEDO_VIEW] = design.array_earth_view_front + design.array_earth_view_rear
    p[t.P_ARRAY_INFRARED] = infrared_on_array
    p[t.P_ARRAY_GAIN] = step / (design.array_heat_capacity + step * slope)
    p[t.P_PER_ARRAY_AREA] = 1.0 / design.array_area
    p[t.P_CAPACITY], p[t.P_RESERVE] = design.battery_capacity, design.battery_reserve
    p[t.P_CHARGE_LIMIT], p[t.P_DISCHARGE_LIMIT] = design.charge_limit, design.discharge_limit
    p[t.P_TAPER] = 1.0 / (design.charge_efficiency * max(design.taper_time, step))
    p[t.P_DRAIN] = design.discharge_efficiency / step
    p[t.P_CHARGE_EFFICIENCY], p[t.P_INVERSE_DISCHARGE] = (
        design.charge_efficiency,
        1.0 / design.discharge_efficiency,
    )
    p[t.P_JUNCTION_LIMIT], p[t.P_JUNCTION_RESISTANCE] = design.junction_limit, design.junction_resistance
    p[t.P_JUNCTION_CONDUCTANCE] = 1.0 / design.junction_resistance
    p[t.P_LOOP_CONDUCTANCE] = conductance
    p[t.P_GAIN_CC], p[t.P_GAIN_CR], p[t.P_GAIN_RR] = gains[0, 0], gains[0, 1], gains[1, 1]
    p[t.P_EMITTING], p[t.P_RADIATING] = design.radiator_emitting_area, radiating
    p[t.P_RADIATOR_ABSORPTIVITY] = design.radiator_absorptivity
    p[t.P_RADIATOR_SUN_SINE] = design.radiator_sun_sine
    p[t.P_RADIATOR_SUN_ALONG] = design.radiator_sun_follows_velocity
    p[t.P_RADIATOR_EARTH_VIEW] = design.radiator_earth_view
    p[t.P_RADIATOR_INFRARED] = design.radiator_emissivity * design.radiator_earth_view * environment.infrared
    p[t.P_ARRAY_REAR_EMISSIVITY] = design.array_emissivity_rear
    p[t.P_ARRAY_COUPLING] = design.radiator_emissivity * design.radiator_array_view
    p[t.P_ALBEDO] = environment.albedo
    p[t.P_ARRAY_FIXED] = float(design.attitude == "orbit_normal")
    return p.astype(dtype)


def make_tiles(
    elements: MeanElements,
    designs: Sequence[SatelliteDesign],
    design_index: npt.NDArray[np.int64],
    environment: Environment,
    *,
    seconds: float,
    step: float,
    steps_per_anchor: int,
    sun: Array,
    inverse_sun_sine: float,
    table: npt.NDArray[np.int64],
    table_scale: Array,
) -> Tiles:
    """Return the state at `seconds` after the elements' epoch: batteries full, everything at its sized temperature.

    Parameters
    ----------
    sun : unit vector to the Sun then, (3,), TEME; `inverse_sun_sine` its distance over its radius.
    table, table_scale : which table of upset rates a satellite looks up, and the factor on it; (satellites,).
    """
    lanes, design_of_tile, filled = _arrange(design_index, len(designs))
    laid = elements[lanes]
    raan_rate, perigee_rate, anomaly_rate = secular_rates(
        laid.semi_major_axis, laid.eccentricity, laid.inclination
    )
    rate = perigee_rate + anomaly_rate
    latitude = laid.argument_of_perigee + laid.mean_anomaly + rate * seconds
    node = laid.raan + raan_rate * seconds
    tiles = len(filled)
    orbit = _aligned_zeros((tiles, t.DOUBLE_ROWS, t.TILE), np.float64)
    state = _aligned_zeros((tiles, t.SINGLE_ROWS, t.TILE), np.float32)

    def put(rows: npt.NDArray[np.generic], row: int, values: Array) -> None:
        rows[:, row // t.TILE] = np.broadcast_to(values, (tiles * t.TILE,)).reshape(tiles, t.TILE)

    for row, angle in (
        (t.LATITUDE_COS, latitude),
        (t.STEP_COS, rate * step),
        (t.NODE_STEP_COS, raan_rate * step * steps_per_anchor),
        (t.TILT_COS, laid.inclination),
    ):
        put(orbit, row, np.cos(angle))
        put(orbit, row + t.TILE, np.sin(angle))
    horizon_sine = EARTH_RADIUS / laid.semi_major_axis
    horizon_cosine = np.sqrt(1.0 - horizon_sine**2)
    put(state, t.HORIZON_SINE, horizon_sine)
    put(state, t.HORIZON_COSINE, horizon_cosine)
    toward = np.cos(node) * sun[0] + np.sin(node) * sun[1]
    beside = np.cos(laid.inclination) * (np.cos(node) * sun[1] - np.sin(node) * sun[0])
    beside = beside + np.sin(laid.inclination) * sun[2]
    cosine = np.cos(latitude) * toward + np.sin(latitude) * beside
    limb = (
        np.sqrt(np.maximum(1.0 - cosine**2, 0.0)) * horizon_cosine + cosine * horizon_sine
    ) * inverse_sun_sine
    put(state, t.LIMB, limb)
    put(state, t.TURN_COS, np.cos(latitude))
    put(state, t.TURN_SIN, np.sin(latitude))
    put(state, t.TILT_X, np.cos(laid.inclination))
    put(state, t.TILT_Y, np.sin(laid.inclination))
    put(state, t.TABLE, table[lanes] * np.float64(2 * CELLS))
    put(state, t.TABLE_SCALE, table_scale[lanes])
    of_lane = np.repeat(design_of_tile, t.TILE)
    for row, field in (
        (t.COOLANT_K, "design_coolant_temperature"),
        (t.RADIATOR_K, "design_radiator_temperature"),
        (t.ARRAY_K, "cell_reference_temperature"),
    ):
        put(state, row, np.array([getattr(design, field) for design in designs])[of_lane])
    first_lane = np.empty(len(elements), dtype=np.int64)
    first_lane[lanes[::-1]] = np.arange(tiles * t.TILE)[::-1]
    return Tiles(
        orbits=orbit.reshape(tiles, -1),
        states=state.reshape(tiles, -1),
        designs=np.stack([design_parameters(design, environment, step) for design in designs]),
        design_of_tile=design_of_tile,
        filled=filled,
        order=lanes,
        first_lane=first_lane,
        node=laid.raan,
        node_rate=raan_rate,
    )


def _aligned_zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return zeros that begin on a cache line: NumPy's 16 bytes would make every vector load straddle two."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = np.zeros(size + _CACHE_LINE, dtype=np.uint8)
    first = -room.ctypes.data % _CACHE_LINE
    return room[first : first + size].view(dtype).reshape(shape)


def _arrange(
    design_index: npt.NDArray[np.int64], designs: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return (satellite of each lane, design of each tile, satellites in each tile); one design a tile."""
    lanes: list[npt.NDArray[np.int64]] = []
    of_tile: list[int] = []
    filled: list[int] = []
    for design in range(designs):
        members = np.flatnonzero(design_index == design)
        for start in range(0, len(members), t.TILE):
            here = members[start : start + t.TILE]
            lanes.append(np.resize(here, t.TILE))
            of_tile.append(design)
            filled.append(len(here))
    return np.concatenate(lanes), np.array(of_tile), np.array(filled)
