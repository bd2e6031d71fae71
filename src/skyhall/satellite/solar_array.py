"""Solar array: electric power and the temperature of the blanket.

The array is one thin plate with two faces. What it leaves out: current mismatch and shadowing between strings,
the temperature difference between front and rear, and heat conducted to the satellite's body.
"""

from __future__ import annotations

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.types import Numbers

__all__ = ["array_absorbed", "array_emitted", "array_power", "array_temperature_change", "cell_efficiency"]


def cell_efficiency(
    reference_efficiency: Numbers,
    temperature_coefficient: Numbers,
    temperature: Numbers,
    reference_temperature: Numbers,
) -> Numbers:
    """Return the efficiency of the cells at `temperature` (K).

    Linear in temperature: `temperature_coefficient` (1/K, negative) is relative to the reference efficiency.
    Source: ECSS-E-ST-20-08C, section on temperature coefficients; linear within some ±100 K of the reference.
    """
    return reference_efficiency * (1.0 + temperature_coefficient * (temperature - reference_temperature))


def array_power(sunlight: Numbers, cell_area: Numbers, efficiency: Numbers) -> Numbers:
    """Return the electric power (W) of cells of `cell_area` (m²) under `sunlight` (W/m², along the normal)."""
    return sunlight * cell_area * efficiency


def array_absorbed(
    sunlight: Numbers,
    electric_per_area: Numbers,
    absorptivity: Numbers,
    albedo_on_array: Numbers,
    infrared_on_array: Numbers,
) -> Numbers:
    """Return the heat that a square metre of array takes up (W/m²), both faces together.

    Parameters
    ----------
    sunlight : direct sunlight along the normal, W/m².
    electric_per_area : electric power drawn per square metre of panel, W/m².
    absorptivity : solar absorptivity of front and rear, for sunlight and albedo alike.
    albedo_on_array : reflected sunlight falling on both faces together, W/m².
    infrared_on_array : Earth's infrared *absorbed* by both faces together, W/m².
    """
    return absorptivity * (sunlight + albedo_on_array) + infrared_on_array - electric_per_area


def array_emitted(emissivity_sum: Numbers, temperature: Numbers) -> Numbers:
    """Return the heat radiated by a square metre of array (W/m²); `emissivity_sum` is front plus rear."""
    square = temperature * temperature
    return emissivity_sum * STEFAN_BOLTZMANN * square * square


def array_temperature_change(absorbed: Numbers, emitted: Numbers, step_gain: Numbers) -> Numbers:
    """Return the change of the array's temperature over a step (K).

    Linearly implicit (Rosenbrock-W) Euler step with a constant radiative slope H: `step_gain` is
    ``step / (heat_capacity + step * H)`` per square metre. Stable for any step, exact in equilibrium, first order
    in between. Source: Hairer & Wanner, Solving Ordinary Differential Equations II, section IV.7 (W-methods).
    """
    return (absorbed - emitted) * step_gain
