"""How a device answers particles: cross sections against proton energy and ion LET, and the dose it bears.

Energies in MeV, LET in MeV·cm²/mg (silicon), areas in cm² per device, dose in rad(Si). A response is the field's four
numbers of a Weibull curve, once for protons and once for ions (Petersen, *Single Event Effects in Aerospace*, IEEE
Press/Wiley 2011, ch. 4). Left out: direct ionisation by protons below about 2 MeV, which upsets circuits of 65 nm and
smaller (Rodbell et al., IEEE Trans. Nucl. Sci. 54 (2007) 2474), thermal neutrons, and the change of a cross section
with dose, temperature and voltage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from skyhall.constants import JULIAN_YEAR
from skyhall.errors import Place, ValueProblem
from skyhall.types import Array, Numbers

__all__ = [
    "DEVICE_UNITS",
    "HAZARDS",
    "OUTCOMES",
    "Device",
    "Response",
    "cross_section_of_events",
    "device_from_values",
    "inferences_per_corruption",
    "weibull",
]

OUTCOMES = ("corrected", "detected", "functional", "silent")
HAZARDS = ("latchup", "burnout")
DEVICE_UNITS: Mapping[str, str] = {
    **{f"{effect}_proton": "cm**2" for effect in (*OUTCOMES, *HAZARDS)},
    **{f"{effect}_ion": "cm**2" for effect in (*OUTCOMES, *HAZARDS)},
    "beam_energy": "MeV",
    "proton_threshold": "MeV",
    "proton_width": "MeV",
    "proton_shape": "",
    "ion_threshold": "MeV*cm**2/mg",
    "ion_width": "MeV*cm**2/mg",
    "ion_shape": "",
    "latchup_threshold": "MeV*cm**2/mg",
    "burnout_threshold": "MeV*cm**2/mg",
    "dose_limit": "rads",  # rad(Si); the library's `rad` is the angle
    "bits": "",
}


_ABOVE_ZERO = ("proton_width", "proton_shape", "ion_width", "ion_shape", "dose_limit", "bits")


def weibull(x: Numbers, threshold: float, width: float, shape: float) -> Array:
    """Return the share of the saturated cross section at `x`: 1 - exp(-((x - threshold)/width)^shape), 0 below.

    `x`, `threshold` and `width` share one unit (MeV or MeV·cm²/mg).
    """
    above = np.maximum(np.asarray(x, dtype=np.float64) - threshold, 0.0)
    # A steep curve is a step: beyond e^50 of the exponent nothing changes any more.
    power = shape * np.log(np.maximum(above / width, 1e-300))
    return np.asarray(np.where(above > 0.0, -np.expm1(-np.exp(np.clip(power, -700.0, 50.0))), 0.0))


@dataclass(frozen=True, slots=True)
class Response:
    """Cross sections of one effect in one device.

    Parameters
    ----------
    proton_cm2, ion_cm2 : saturated cross sections per device, cm²; 0: the particle has no such effect.
    proton_threshold_mev, proton_width_mev, proton_shape : Weibull curve over the proton's energy, MeV.
    ion_threshold, ion_width, ion_shape : Weibull curve over the ion's LET in silicon, MeV·cm²/mg.

    Raises
    ------
    ValueProblem : a negative cross section or threshold, or a width or shape that is not above zero.
    """

    proton_cm2: float
    proton_threshold_mev: float
    proton_width_mev: float
    proton_shape: float
    ion_cm2: float
    ion_threshold: float
    ion_width: float
    ion_shape: float

    def __post_init__(self) -> None:
        for name in ("proton_cm2", "proton_threshold_mev", "ion_cm2", "ion_threshold"):
            if not getattr(self, name) >= 0:
                raise ValueProblem(f"{name} is {getattr(self, name):g}", right="it must not be negative")
        for name in ("proton_width_mev", "proton_shape", "ion_width", "ion_shape"):
            if not getattr(self, name) > 0:
                raise ValueProblem(f"{name} is {getattr(self, name):g}", right="it must be above zero")

    def protons(self, energy_mev: Numbers) -> Array:
        """Return the cross section for protons of `energy_mev`, cm²."""
        curve = weibull(energy_mev, self.proton_threshold_mev, self.proton_width_mev, self.proton_shape)
        return self.proton_cm2 * curve

    def ions(self, let: Numbers) -> Array:
        """Return the cross section for ions of `let` (MeV·cm²/mg in silicon), cm²."""
        return self.ion_cm2 * weibull(let, self.ion_threshold, self.ion_width, self.ion_shape)


@dataclass(frozen=True, slots=True)
class Device:
    """One device: what it does when hit, and the dose up to which it was seen to work.

    Parameters
    ----------
    name : of the catalogue's part.
    responses : a `Response` for each of `OUTCOMES` and `HAZARDS`: "corrected" (ECC repaired it), "detected" (found, not
        repaired: the process dies), "functional" (interrupt; reset or power cycle needed), "silent" (wrong result, no
        sign), "latchup" and "burnout" (destructive).
    dose_limit_rad : dose up to which it was seen to work, rad(Si).
    bits : memory bits that "corrected" refers to.
    """

    name: str
    responses: Mapping[str, Response]
    dose_limit_rad: float
    bits: float = 1.0


def device_from_values(name: str, values: Mapping[str, float]) -> Device:
    """Return the `Device` of plain numbers with the keys and units of `DEVICE_UNITS`.

    The proton cross sections are those at `beam_energy`; the saturated ones follow from the Weibull curve. Latch-up and
    burnout have thresholds of their own and the width and shape of the upsets.
    """
    for key in _ABOVE_ZERO:
        if not values[key] > 0.0:
            raise ValueProblem(
                f"{key.replace('_', ' ')} is {values[key]:g}",
                place=Place(key=f"catalogue.{name}.{key}"),
                right="above zero",
            )
    share = float(
        weibull(
            values["beam_energy"],
            values["proton_threshold"],
            values["proton_width"],
            values["proton_shape"],
        )
    )
    if not share > 0:
        raise ValueProblem(
            f"the beam of {name} ({values['beam_energy']:g} MeV) lies below the proton threshold",
            right=f"a proton_threshold below {values['beam_energy']:g} MeV",
        )
    responses = {
        effect: Response(
            proton_cm2=values[f"{effect}_proton"] / share,
            proton_threshold_mev=values["proton_threshold"],
            proton_width_mev=values["proton_width"],
            proton_shape=values["proton_shape"],
            ion_cm2=values[f"{effect}_ion"],
            ion_threshold=values[f"{effect}_threshold" if effect in HAZARDS else "ion_threshold"],
            ion_width=values["ion_width"],
            ion_shape=values["ion_shape"],
        )
        for effect in (*OUTCOMES, *HAZARDS)
    }
    return Device(name, responses, dose_limit_rad=values["dose_limit"], bits=values["bits"])


def cross_section_of_events(rad_per_event: Numbers, protons_per_cm2_rad: float) -> Array:
    """Return the cross section of a proton beam test in cm² from the mean dose between events.

    Parameters
    ----------
    rad_per_event : mean dose between events, rad.
    protons_per_cm2_rad : proton fluence that deposits one rad, 1/cm² (7.9e6 at 67 MeV in silicon).
    """
    return np.asarray(1.0 / (np.asarray(rad_per_event) * protons_per_cm2_rad))


def inferences_per_corruption(
    inferences_per_s: Numbers, rad_per_year: Numbers, rad_per_event: Numbers
) -> Array:
    """Return how many inferences are made between silent corruptions, if orbit's dose acts like the beam's.

    A share of dose that electrons or heavy ions bring upsets otherwise than the beam's protons: an order of magnitude.
    """
    return np.asarray(inferences_per_s * JULIAN_YEAR * rad_per_event / rad_per_year)
