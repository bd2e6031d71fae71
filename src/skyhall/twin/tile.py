"""The time-stepping kernel: one tile of satellites at a time, one short loop per discipline.

Plain Python that `compile.py` turns into machine code; nothing here runs uncompiled. A tile of `TILE` satellites
stays in the first-level cache while time is the outer loop. The orbit is stepped in double precision, everything
that follows from it in single precision. Rows of a tile are stretches of one flat array at constant offsets, which is
what lets the compiler prove that they do not overlap and use vector instructions.

The formulas are those of `orbit.shadow` and `satellite`; only the order of things is decided here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import get_thread_id, prange  # type: ignore[attr-defined]

from skyhall.environment.globe_cells import CELLS, octahedron_scale, square_place
from skyhall.orbit.shadow import limb_distance, mean_lit_fraction
from skyhall.satellite.battery import charging_power, discharging_power, energy_change
from skyhall.satellite.heat import (
    coolant_change,
    environment_flux,
    heater_load,
    junction_temperature,
    power_at_junction_limit,
    radiated,
    radiator_change,
)
from skyhall.satellite.solar_array import (
    array_absorbed,
    array_emitted,
    array_power,
    array_temperature_change,
    cell_efficiency,
)
from skyhall.types import Array, Numbers

TILE = 128  # satellites
HALF_SHEET = 0.5 * CELLS  # rows of the table: half of what separates its two squares

# Rows of a tile in double precision: the orbit.
LATITUDE_COS, LATITUDE_SIN = 0 * TILE, 1 * TILE  # argument of latitude
STEP_COS, STEP_SIN = 2 * TILE, 3 * TILE  # its rotation over one step
NODE_COS, NODE_SIN = 4 * TILE, 5 * TILE  # right ascension of the node
NODE_STEP_COS, NODE_STEP_SIN = 6 * TILE, 7 * TILE  # its rotation from anchor to anchor
TILT_COS, TILT_SIN = 8 * TILE, 9 * TILE  # inclination
# Sun's component toward the node, and 90 degrees on along the orbit.
SUN_NODE, SUN_SIDE = 10 * TILE, 11 * TILE
SUN_NODE_STEP, SUN_SIDE_STEP = 12 * TILE, 13 * TILE  # their change over one step
# Sums over time, per satellite; work is what goes beyond idling.
SUM_LIT, SUM_ARRAY, SUM_WORK, SUM_UPSETS = 14 * TILE, 15 * TILE, 16 * TILE, 17 * TILE
DOUBLE_ROWS = 18

# Rows in single precision: everything else.
SUN_COSINE, SUN_ALONG = 0 * TILE, 1 * TILE  # Sun along the radius and along the velocity
HORIZON_SINE, HORIZON_COSINE = 2 * TILE, 3 * TILE
LIMB, LIT = 4 * TILE, 5 * TILE  # limb distance at the start of the step, lit fraction over it
INCIDENCE = 6 * TILE  # cosine between the array's normal and the Sun
ARRAY_K, ARRAY_W = 7 * TILE, 8 * TILE
MISSING, COOLANT_K, RADIATOR_K = 9 * TILE, 10 * TILE, 11 * TILE
WORK_W, LOOP_W, JUNCTION_K = 12 * TILE, 13 * TILE, 14 * TILE
MOST_MISSING, HOTTEST_JUNCTION, COLDEST_COOLANT = 15 * TILE, 16 * TILE, 17 * TILE
# Since the anchor.
LIT_SOFAR, ARRAY_SOFAR, WORK_SOFAR = 18 * TILE, 19 * TILE, 20 * TILE
# Work shed for heat, and in all; array power not used.
HOT_W, SHED_W, CURTAILED_W = 21 * TILE, 22 * TILE, 23 * TILE
# Argument of latitude, node and inclination again, as finely as a map of the globe needs them.
TURN_COS, TURN_SIN = 24 * TILE, 25 * TILE
NODE_X, NODE_Y, TILT_X, TILT_Y = 26 * TILE, 27 * TILE, 28 * TILE, 29 * TILE
# First row of the satellite's table of upset rates, and the factor on it for its altitude.
TABLE, TABLE_SCALE = 30 * TILE, 31 * TILE
UPSETS, UPSETS_SOFAR = 32 * TILE, 33 * TILE  # per second and accelerator; summed since the anchor
SINGLE_ROWS = 34

# Parameters of a design, in single precision.
(
    P_STEP,
    P_WORK,
    P_IDLE,
    P_NIGHT,
    P_FIXED,
    P_HEATER,
    P_HEATER_SET,
    P_HEATER_SLOPE,
    P_LOAD_PER_WORK,
    P_WORK_PER_LOAD,
    P_CELL_AREA,
    P_EFFICIENCY,
    P_TEMPERATURE_COEFFICIENT,
    P_REFERENCE_K,
    P_ARRAY_ABSORPTIVITY,
    P_ARRAY_EMISSIVITY,
    P_ARRAY_ALBEDO_VIEW,
    P_ARRAY_INFRARED,
    P_ARRAY_GAIN,
    P_PER_ARRAY_AREA,
    P_CAPACITY,
    P_RESERVE,
    P_CHARGE_LIMIT,
    P_TAPER,
    P_DISCHARGE_LIMIT,
    P_DRAIN,
    P_CHARGE_EFFICIENCY,
    P_INVERSE_DISCHARGE,
    P_JUNCTION_LIMIT,
    P_JUNCTION_CONDUCTANCE,
    P_JUNCTION_RESISTANCE,
    P_LOOP_CONDUCTANCE,
    P_GAIN_CC,
    P_GAIN_CR,
    P_GAIN_RR,
    P_EMITTING,
    P_RADIATING,
    P_RADIATOR_ABSORPTIVITY,
    P_RADIATOR_SUN_SINE,
    P_RADIATOR_SUN_ALONG,
    P_RADIATOR_EARTH_VIEW,
    P_RADIATOR_INFRARED,
    P_ARRAY_REAR_EMISSIVITY,
    P_ARRAY_COUPLING,
    P_ALBEDO,
    P_ARRAY_FIXED,
) = range(46)
PARAMETERS = 46

# Fleet totals of a step.
F_LIT, F_ARRAY, F_WORK, F_HEAT_SHED, F_POWER_SHED, F_CURTAILED, F_MISSING, F_UPSETS = range(8)
FLEET_FIELDS = 8

# What is recorded of a satellite at a step.
R_LIT, R_ARRAY, R_WORK, R_MISSING, R_JUNCTION, R_RADIATOR, R_ARRAY_K, R_UPSETS = range(8)
RECORD_FIELDS = 8


def step_orbit(orbit: Array, state: Array) -> None:
    """Advance the argument of latitude and the Sun's components to the end of the step."""
    for i in range(TILE):
        cosine = orbit[LATITUDE_COS + i] * orbit[STEP_COS + i] - orbit[LATITUDE_SIN + i] * orbit[STEP_SIN + i]
        sine = orbit[LATITUDE_SIN + i] * orbit[STEP_COS + i] + orbit[LATITUDE_COS + i] * orbit[STEP_SIN + i]
        toward = orbit[SUN_NODE + i] + orbit[SUN_NODE_STEP + i]
        beside = orbit[SUN_SIDE + i] + orbit[SUN_SIDE_STEP + i]
        orbit[LATITUDE_COS + i] = cosine
        orbit[LATITUDE_SIN + i] = sine
        state[TURN_COS + i] = cosine
        state[TURN_SIN + i] = sine
        orbit[SUN_NODE + i] = toward
        orbit[SUN_SIDE + i] = beside
        state[SUN_COSINE + i] = cosine * toward + sine * beside
        state[SUN_ALONG + i] = cosine * beside - sine * toward


def step_light(state: Array, inverse_sun_sine: Numbers) -> Numbers:
    """Mean lit fraction of the step; returns the tile's sum."""
    total: Numbers = np.float32(0.0)
    for i in range(TILE):
        limb = limb_distance(
            state[SUN_COSINE + i], state[HORIZON_SINE + i], state[HORIZON_COSINE + i], inverse_sun_sine
        )
        lit = mean_lit_fraction(state[LIMB + i], limb)
        state[LIMB + i] = limb
        state[LIT + i] = lit
        state[LIT_SOFAR + i] += lit
        total += lit
    return total


def step_array(state: Array, design: Array, irradiance: Numbers) -> Numbers:
    """Array power at the temperature of the start of the step, then the array's temperature; returns total W."""
    cell_area = design[P_CELL_AREA]
    efficiency = design[P_EFFICIENCY]
    coefficient = design[P_TEMPERATURE_COEFFICIENT]
    reference = design[P_REFERENCE_K]
    absorptivity = design[P_ARRAY_ABSORPTIVITY]
    emissivity = design[P_ARRAY_EMISSIVITY]
    albedo = design[P_ALBEDO] * irradiance * design[P_ARRAY_ALBEDO_VIEW]
    infrared = design[P_ARRAY_INFRARED]
    gain = design[P_ARRAY_GAIN]
    per_area = design[P_PER_ARRAY_AREA]
    total: Numbers = np.float32(0.0)
    for i in range(TILE):
        temperature = state[ARRAY_K + i]
        # What the bus drew in the step before; the rest of what the cells could give stays in them as heat.
        drawn = state[ARRAY_W + i] - state[CURTAILED_W + i]
        sunlight = irradiance * state[INCIDENCE + i] * state[LIT + i]
        power = array_power(
            sunlight, cell_area, cell_efficiency(efficiency, coefficient, temperature, reference)
        )
        day = np.maximum(state[SUN_COSINE + i], 0.0)
        absorbed = array_absorbed(
            sunlight, np.minimum(drawn, power) * per_area, absorptivity, day * albedo, infrared
        )
        state[ARRAY_K + i] = temperature + array_temperature_change(
            absorbed, array_emitted(emissivity, temperature), gain
        )
        state[ARRAY_W + i] = power
        state[ARRAY_SOFAR + i] += power
        total += power
    return total


def step_power(state: Array, design: Array) -> None:
    """Work that light and heat allow, and battery flows."""
    step = design[P_STEP]
    idle = design[P_IDLE]
    dark = idle + (design[P_WORK] - idle) * design[P_NIGHT]
    rise = (design[P_WORK] - idle) * (1.0 - design[P_NIGHT])
    fixed = design[P_FIXED]
    heater = design[P_HEATER]
    heater_set = design[P_HEATER_SET]
    heater_slope = design[P_HEATER_SLOPE]
    load_per_work = design[P_LOAD_PER_WORK]
    work_per_load = design[P_WORK_PER_LOAD]
    capacity = design[P_CAPACITY]
    reserve = design[P_RESERVE]
    charge_limit = design[P_CHARGE_LIMIT]
    taper = design[P_TAPER]
    discharge_limit = design[P_DISCHARGE_LIMIT]
    drain = design[P_DRAIN]
    charge_efficiency = design[P_CHARGE_EFFICIENCY]
    inverse_discharge = design[P_INVERSE_DISCHARGE]
    limit = design[P_JUNCTION_LIMIT]
    conductance = design[P_JUNCTION_CONDUCTANCE]
    for i in range(TILE):
        planned = dark + rise * state[LIT + i]
        coolant = state[COOLANT_K + i]
        allowed = np.minimum(planned, np.maximum(power_at_junction_limit(limit, coolant, conductance), 0.0))
        load = fixed + heater_load(coolant, heater, heater_set, heater_slope) + load_per_work * allowed
        net = state[ARRAY_W + i] - load
        surplus = np.maximum(net, 0.0)
        energy = capacity - state[MISSING + i]
        charging = charging_power(surplus, energy, capacity, charge_limit, taper)
        deficit = surplus - net
        discharging = discharging_power(deficit, energy, reserve, discharge_limit, drain)
        unmet = deficit - discharging
        work = np.maximum(allowed - unmet * work_per_load, 0.0)
        # What is missing from full, because single precision resolves it finer than what is stored.
        missing = state[MISSING + i] - energy_change(
            charging, discharging, charge_efficiency, inverse_discharge, step
        )
        state[MISSING + i] = missing
        state[WORK_W + i] = work
        state[HOT_W + i] = planned - allowed
        state[SHED_W + i] = planned - work
        state[CURTAILED_W + i] = surplus - charging
        state[LOOP_W + i] = (
            load - unmet + charging * (1.0 - charge_efficiency) + discharging * (inverse_discharge - 1.0)
        )


def step_totals(state: Array, design: Array) -> Numbers:
    """Add up what `step_power` did, and keep its extremes.

    Apart from it because the two together need more vector registers than there are.
    Returns the tile's totals: work, work shed for heat and for power, curtailed array power, W; missing energy, J.
    """
    idle = design[P_IDLE]
    total_work: Numbers = np.float32(0.0)
    total_shed: Numbers = np.float32(0.0)
    total_hot: Numbers = np.float32(0.0)
    total_curtailed: Numbers = np.float32(0.0)
    total_missing: Numbers = np.float32(0.0)
    for i in range(TILE):
        work = state[WORK_W + i]
        missing = state[MISSING + i]
        state[WORK_SOFAR + i] += np.maximum(work - idle, 0.0)
        state[MOST_MISSING + i] = np.maximum(state[MOST_MISSING + i], missing)
        total_work += work
        total_shed += state[SHED_W + i]
        total_curtailed += state[CURTAILED_W + i]
        total_missing += missing
    if total_shed > 0.0:  # only then has heat a part of it
        for i in range(TILE):
            total_hot += state[HOT_W + i]
    return total_work, total_hot, total_shed - total_hot, total_curtailed, total_missing


def step_heat(state: Array, design: Array, irradiance: Numbers) -> None:
    """Coolant, radiator and junction temperatures at the end of the step."""
    absorptivity = design[P_RADIATOR_ABSORPTIVITY]
    sun_sine = design[P_RADIATOR_SUN_SINE]
    sun_along = design[P_RADIATOR_SUN_ALONG]
    earth_view = design[P_RADIATOR_EARTH_VIEW]
    infrared = design[P_RADIATOR_INFRARED]
    rear = design[P_ARRAY_REAR_EMISSIVITY]
    coupling = design[P_ARRAY_COUPLING]
    albedo = design[P_ALBEDO] * irradiance
    conductance = design[P_LOOP_CONDUCTANCE]
    emitting = design[P_EMITTING]
    radiating = design[P_RADIATING]
    gain_cc = design[P_GAIN_CC]
    gain_cr = design[P_GAIN_CR]
    gain_rr = design[P_GAIN_RR]
    resistance = design[P_JUNCTION_RESISTANCE]
    for i in range(TILE):
        coolant = state[COOLANT_K + i]
        radiator = state[RADIATOR_K + i]
        environment = environment_flux(
            irradiance * state[LIT + i],
            sun_sine + sun_along * np.abs(state[SUN_ALONG + i]),
            absorptivity,
            np.maximum(state[SUN_COSINE + i], 0.0) * albedo,
            earth_view,
            infrared,
            array_emitted(rear, state[ARRAY_K + i]),
            coupling,
        )
        flow = (coolant - radiator) * conductance
        into_coolant = state[LOOP_W + i] - flow
        into_radiator = flow + environment * emitting - radiated(radiating, radiator)
        coolant = coolant + coolant_change(into_coolant, into_radiator, gain_cc, gain_cr)
        state[COOLANT_K + i] = coolant
        state[RADIATOR_K + i] = radiator + radiator_change(into_coolant, into_radiator, gain_cr, gain_rr)
        junction = junction_temperature(coolant, state[WORK_W + i], resistance)
        state[JUNCTION_K + i] = junction
        state[HOTTEST_JUNCTION + i] = np.maximum(state[HOTTEST_JUNCTION + i], junction)
        state[COLDEST_COOLANT + i] = np.minimum(state[COLDEST_COOLANT + i], coolant)


def step_upsets(
    state: Array, rates: Array, cells: npt.NDArray[np.int32], cosine: Numbers, sine: Numbers
) -> Numbers:
    """Upset rate at the end of the step from the table of the globe; returns the tile's sum.

    `cosine` and `sine` are of Greenwich's angle then; `cells` is room for the tile's cell numbers. The sum and the
    difference of the two equatorial components are what the table's squares are laid out in. Three loops, because
    a look-up among the arithmetic keeps the compiler from using vector instructions at all (measured: 5 times slower).
    """
    half = np.float32(HALF_SHEET)
    less = cosine - sine
    more = cosine + sine
    for i in range(TILE):
        beside = state[TURN_SIN + i] * state[TILT_X + i]
        x = state[TURN_COS + i] * state[NODE_X + i] - beside * state[NODE_Y + i]
        y = state[TURN_COS + i] * state[NODE_Y + i] + beside * state[NODE_X + i]
        z = state[TURN_SIN + i] * state[TILT_Y + i]
        along = less * x + more * y
        across = more * x - less * y
        scale = octahedron_scale(along, across, z)
        row = np.floor(state[TABLE + i] + half - np.copysign(half, z) + square_place(along, scale))
        cells[i] = np.int32(row * np.float32(CELLS) + np.floor(square_place(across, scale)))
    for i in range(TILE):
        state[UPSETS + i] = rates[np.uint32(cells[i])]
    total: Numbers = np.float32(0.0)
    for i in range(TILE):
        rate = state[UPSETS + i] * state[TABLE_SCALE + i]
        state[UPSETS + i] = rate
        state[UPSETS_SOFAR + i] += rate
        total += rate
    return total


def take_upsets(state: Array) -> Numbers:
    """Add up upset rates that were fed; returns the tile's sum."""
    total: Numbers = np.float32(0.0)
    for i in range(TILE):
        state[UPSETS_SOFAR + i] += state[UPSETS + i]
        total += state[UPSETS + i]
    return total


def aim(orbit: Array, state: Array, design: Array, sun: Array, sun_next: Array, steps: int) -> None:
    """At an anchor: Sun's components from here to the next anchor, linear in between, and the array's incidence."""
    share = 1.0 / steps
    fixed = design[P_ARRAY_FIXED]
    for i in range(TILE):
        cosine = orbit[NODE_COS + i]
        sine = orbit[NODE_SIN + i]
        tilt = orbit[TILT_COS + i]
        rise = orbit[TILT_SIN + i]
        toward = cosine * sun[0] + sine * sun[1]
        beside = tilt * (cosine * sun[1] - sine * sun[0]) + rise * sun[2]
        normal = rise * (sine * sun[0] - cosine * sun[1]) + tilt * sun[2]
        next_cosine = cosine * orbit[NODE_STEP_COS + i] - sine * orbit[NODE_STEP_SIN + i]
        next_sine = sine * orbit[NODE_STEP_COS + i] + cosine * orbit[NODE_STEP_SIN + i]
        next_toward = next_cosine * sun_next[0] + next_sine * sun_next[1]
        next_beside = tilt * (next_cosine * sun_next[1] - next_sine * sun_next[0]) + rise * sun_next[2]
        next_normal = rise * (next_sine * sun_next[0] - next_cosine * sun_next[1]) + tilt * sun_next[2]
        orbit[NODE_COS + i] = next_cosine
        orbit[NODE_SIN + i] = next_sine
        state[NODE_X + i] = next_cosine  # 16 minutes ahead at most: a hundredth of a degree
        state[NODE_Y + i] = next_sine
        orbit[SUN_NODE + i] = toward
        orbit[SUN_SIDE + i] = beside
        orbit[SUN_NODE_STEP + i] = (next_toward - toward) * share
        orbit[SUN_SIDE_STEP + i] = (next_beside - beside) * share
        state[INCIDENCE + i] = 1.0 - fixed + fixed * np.abs(0.5 * (normal + next_normal))


def gather(orbit: Array, state: Array) -> None:
    """Add the single-precision sums since the anchor to the double-precision ones."""
    for i in range(TILE):
        orbit[SUM_LIT + i] += state[LIT_SOFAR + i]
        orbit[SUM_ARRAY + i] += state[ARRAY_SOFAR + i]
        orbit[SUM_WORK + i] += state[WORK_SOFAR + i]
        orbit[SUM_UPSETS + i] += state[UPSETS_SOFAR + i]
        state[LIT_SOFAR + i] = 0.0
        state[ARRAY_SOFAR + i] = 0.0
        state[WORK_SOFAR + i] = 0.0
        state[UPSETS_SOFAR + i] = 0.0


def keep(state: Array, record: Array) -> None:
    """Copy what is recorded of the tile at this step; `record` has shape (RECORD_FIELDS, TILE)."""
    for i in range(TILE):
        record[R_LIT, i] = state[LIT + i]
        record[R_ARRAY, i] = state[ARRAY_W + i]
        record[R_WORK, i] = state[WORK_W + i]
        record[R_MISSING, i] = state[MISSING + i]
        record[R_JUNCTION, i] = state[JUNCTION_K + i]
        record[R_RADIATOR, i] = state[RADIATOR_K + i]
        record[R_ARRAY_K, i] = state[ARRAY_K + i]
        record[R_UPSETS, i] = state[UPSETS + i]


def add_some(state: Array, satellites: int, total: Array) -> None:
    """Add the first `satellites` of a tile that is not full to the fleet's totals of a step."""
    for i in range(satellites):
        total[F_LIT] += state[LIT + i]
        total[F_ARRAY] += state[ARRAY_W + i]
        total[F_WORK] += state[WORK_W + i]
        total[F_HEAT_SHED] += state[HOT_W + i]
        total[F_POWER_SHED] += state[SHED_W + i] - state[HOT_W + i]
        total[F_CURTAILED] += state[CURTAILED_W + i]
        total[F_MISSING] += state[MISSING + i]
        total[F_UPSETS] += state[UPSETS + i]


def fly_tiles(
    orbits: Array,
    states: Array,
    designs: Array,
    design_of_tile: Array,
    filled: Array,
    sun: Array,
    irradiance: Array,
    inverse_sun_sine: Array,
    greenwich: Array,
    rates: Array,
    steps: int,
    steps_per_anchor: int,
    fed: Array,
    record_slot: Array,
    record: Array,
    record_every: int,
    threads: int,
) -> Array:
    """Fly every tile over `steps` steps and return fleet totals, shape (steps, FLEET_FIELDS).

    Parameters
    ----------
    orbits, states : (tiles, rows * TILE), double and single precision; left at the end of the span.
    designs : (designs, PARAMETERS); `design_of_tile` says which one a tile has.
    filled : satellites in each tile; only the last tile of a design is not full, its rest copies a satellite.
    sun : (anchors + 1, 3) unit vectors in TEME; irradiance (W/m²) and inverse_sun_sine: (steps,).
    greenwich : (steps, 2) cosine and sine of Greenwich's angle at the end of each step.
    rates : tables of upset rates, 1/s per accelerator, one after the other, each 2 CELLS² long.
    fed : (tiles, steps, 5, TILE) Sun along radius and velocity, horizon sine and cosine, upset rate, when positions
        come from elsewhere; empty when the orbit is stepped here.
    record_slot : where in `record` a tile is recorded, -1 for not at all.
    record : (slots, steps // record_every, RECORD_FIELDS, TILE).
    """
    tiles = orbits.shape[0]
    is_fed = fed.shape[0] > 0
    totals = np.zeros((threads, steps, FLEET_FIELDS))
    for tile in prange(tiles):
        orbit = orbits[tile]
        state = states[tile]
        design = designs[design_of_tile[tile]]
        slot = record_slot[tile]
        satellites = filled[tile]
        total = totals[get_thread_id()]
        cells = np.empty(TILE, dtype=np.int32)
        for step in range(steps):
            if step % steps_per_anchor == 0:
                anchor = step // steps_per_anchor
                aim(orbit, state, design, sun[anchor], sun[anchor + 1], steps_per_anchor)
            if is_fed:
                for i in range(TILE):
                    for row in range(4):
                        state[row * TILE + i] = fed[tile, step, row, i]
                    state[UPSETS + i] = fed[tile, step, 4, i]
            else:
                step_orbit(orbit, state)
            lit = step_light(state, inverse_sun_sine[step])
            power = step_array(state, design, irradiance[step])
            step_power(state, design)
            work, hot, unmet, curtailed, missing = step_totals(state, design)
            step_heat(state, design, irradiance[step])
            if is_fed:
                upsets = take_upsets(state)
            else:
                upsets = step_upsets(state, rates, cells, greenwich[step, 0], greenwich[step, 1])
            if satellites == TILE:
                total[step, F_LIT] += lit
                total[step, F_ARRAY] += power
                total[step, F_WORK] += work
                total[step, F_HEAT_SHED] += hot
                total[step, F_POWER_SHED] += unmet
                total[step, F_CURTAILED] += curtailed
                total[step, F_MISSING] += missing
                total[step, F_UPSETS] += upsets
            else:
                add_some(state, satellites, total[step])
            if slot >= 0 and (step + 1) % record_every == 0:
                keep(state, record[slot, step // record_every])
            if (step + 1) % steps_per_anchor == 0 or step + 1 == steps:
                gather(orbit, state)
    summed: Array = totals.sum(axis=0)
    return summed
