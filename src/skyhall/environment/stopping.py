"""How protons and heavier nuclei slow down in aluminium and silicon: stopping power, range, LET.

Continuous slowing down: every particle of one energy loses the same energy on the same path. Bethe's formula above
0.5 MeV, the fit of Andersen and Ziegler below, nuclei by their effective charge. Leaves out range straggling (some
1 % of the range), angular scattering and nuclear (elastic) stopping (0.1 % at 1 MeV). Nuclear
reactions are counted (`reactions`), not followed.

Energies in MeV, or MeV per nucleon where the name says so; paths in g/cm²; stopping powers in MeV cm²/g; LET in MeV
cm²/mg.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import ELECTRON_MASS_MEV, NUCLEON_MASS_MEV, PROTON_MASS_MEV
from skyhall.errors import ValueProblem, did_you_mean
from skyhall.types import Array, Numbers

__all__ = [
    "MATERIALS",
    "Material",
    "csda_range",
    "density_effect",
    "effective_charge",
    "energy_after",
    "ion_energy_after",
    "ion_let",
    "reactions",
    "stopping_power",
    "surviving",
]

_BETHE: Final = 0.307075  # MeV cm²/mol: 4π N_A r_e² m_e c², Particle Data Group
_AVOGADRO_PER_BARN: Final = 0.602214076  # atoms/mol in 1e24

# Fit below, Bethe's formula above, as in ICRU Report 49. The ratio of both here fades out as 1/E.
_JOIN_MEV: Final = 0.5
# What shell corrections take from Bethe's stopping number, less what the Barkas and Bloch terms give back: read off
# ICRU 49's own stopping powers (PSTAR), where aluminium and silicon differ by less than 0.006. Beyond, as 1/E.
_SHELL_MEV: Final = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0])
_SHELL: Final = np.array(
    [0.049, 0.097, 0.115, 0.121, 0.122, 0.109, 0.095, 0.077, 0.058, 0.046, 0.032, 0.0195]
)
_BARRIER_MEV: Final = 8.0  # protons below do not reach the nucleus (Coulomb barrier; Q of most reactions)
# Tables: kinetic energies per nucleon.
_LOWEST_MEV: Final = 1e-3
_HIGHEST_MEV: Final = 1e6
_POINTS: Final = 2000


@dataclass(frozen=True, slots=True)
class Material:
    """An element that slows particles down.

    Attributes
    ----------
    charge : atomic number. mass : g/mol. excitation_ev : mean excitation energy, eV (ICRU 49).
    fit : Andersen and Ziegler's coefficients A2 to A5 of the stopping cross-section in eV/(1e15 atoms/cm²), energy in
        keV (ICRU 49 for protons up to some MeV).
    density_effect : Sternheimer, Berger and Seltzer 1984: C, x0, x1, a, k, δ0.
    """

    charge: int
    mass: float
    excitation_ev: float
    fit: tuple[float, float, float, float]
    density_effect: tuple[float, float, float, float, float, float]


# Excitation energies and fits: ICRU Report 49 (1993); density effect: Atomic Data Nucl. Data Tables 30, 261 (1984).
MATERIALS: Final = {
    "aluminium": Material(
        13,
        26.9815,
        166.0,
        (4.739, 2766.0, 164.5, 0.02023),
        (4.2395, 0.1708, 3.0127, 0.08024, 3.6345, 0.12),
    ),
    "silicon": Material(
        14,
        28.0855,
        173.0,
        (5.598, 3193.0, 232.7, 0.01419),
        (4.4355, 0.2015, 2.8716, 0.14921, 3.2546, 0.14),
    ),
}


def stopping_power(energy_mev: Numbers, material: str = "aluminium") -> Array:
    """Return the stopping power of protons by electrons, MeV cm²/g.

    Parameters
    ----------
    energy_mev : any shape, 1 keV to 1e6 MeV (held at the ends).
    material : "aluminium" or "silicon".

    Raises ValueProblem for another material. Source: ICRU Report 49 (1993). Within 0.6 % of PSTAR above 0.1 MeV.
    """
    substance = _material(material)
    energy = np.clip(np.asarray(energy_mev, dtype=np.float64), _LOWEST_MEV, _HIGHEST_MEV)
    joint = np.float64(_JOIN_MEV)
    excess = _fitted(joint, substance) / _bethe(joint, substance) - 1.0
    fast = _bethe(np.maximum(energy, 0.5 * joint), substance) * (1.0 + excess * joint / energy)
    return np.asarray(np.where(energy < joint, _fitted(energy, substance), fast), dtype=np.float64)


def csda_range(energy_mev: Numbers, material: str = "aluminium") -> Array:
    """Return the range of protons in the continuous-slowing-down approximation, g/cm².

    Parameters as `stopping_power`. Source: integral of dE/S; within 1 % of PSTAR from 1 to 500 MeV.
    """
    _, log_energy, log_range = _table(1, 1.0, material)
    return _look_up(energy_mev, log_energy, log_range)


def energy_after(energy_mev: Numbers, thickness_g_cm2: Numbers, material: str = "aluminium") -> Array:
    """Return the energy (MeV) that a proton has left after a path, 0 where it stopped.

    Parameters
    ----------
    energy_mev, thickness_g_cm2 : broadcast. material : as `stopping_power`.

    Raises ValueProblem for a negative thickness or another material.
    """
    return ion_energy_after(energy_mev, 1, 1.0, thickness_g_cm2, material)


def reactions(energy_mev: Numbers, material: str = "aluminium") -> Array:
    """Return how many nuclear reactions a proton makes per path, cm²/g; none below 8 MeV.

    Source: Letaw, Silberberg and Tsao 1983, Astrophys. J. Suppl. 51, 271, equations 1 and 2; 440 mb for aluminium.
    """
    mass = _material(material).mass
    energy = np.maximum(np.asarray(energy_mev, dtype=np.float64), 1.0)
    fast = 45.0 * mass**0.7 * (1.0 + 0.016 * np.sin(5.3 - 2.63 * np.log(mass)))
    millibarn = fast * (1.0 - 0.62 * np.exp(-energy / 200.0) * np.sin(10.9 * energy**-0.28))
    return np.asarray(np.where(energy < _BARRIER_MEV, 0.0, millibarn * 1e-3 * _AVOGADRO_PER_BARN / mass))


def surviving(energy_mev: Numbers, energy_left_mev: Numbers, material: str = "aluminium") -> Array:
    """Return the share of protons that make no nuclear reaction while they slow down from one energy to another."""
    log_energy, depth = _reaction_depth(material)
    logs = [np.log(np.maximum(np.asarray(each), _LOWEST_MEV)) for each in (energy_mev, energy_left_mev)]
    between = np.interp(logs[0], log_energy, depth) - np.interp(logs[1], log_energy, depth)
    return np.asarray(np.exp(-between), dtype=np.float64)


def effective_charge(energy_mev_per_nucleon: Numbers, charge: int) -> Array:
    """Return the mean charge of a nucleus that has picked up electrons: Z (1 - exp(-125 β Z^(-2/3))), Barkas 1963.

    Source: W. H. Barkas, Nuclear Research Emulsions (1963), vol. 1, p. 371. Protons keep theirs (the fit has it).
    """
    if charge == 1:
        return np.ones_like(np.asarray(energy_mev_per_nucleon, dtype=np.float64))
    energy = np.asarray(energy_mev_per_nucleon, dtype=np.float64)
    speed = np.sqrt(energy * (energy + 2.0 * NUCLEON_MASS_MEV)) / (energy + NUCLEON_MASS_MEV)
    return np.asarray(charge * -np.expm1(-125.0 * speed * charge ** (-2.0 / 3.0)), dtype=np.float64)


def ion_let(
    energy_mev_per_nucleon: Numbers, charge: int, mass_number: float, material: str = "silicon"
) -> Array:
    """Return the linear energy transfer of a nucleus, MeV cm²/mg.

    Parameters
    ----------
    energy_mev_per_nucleon : any shape, 0.01 to 1e6.
    charge, mass_number : of the nucleus; 1 is the proton.
    material : "silicon" or "aluminium".

    Raises ValueProblem for a charge or mass below 1 or another material. Protons' stopping power at equal speed times
    the effective charge squared: a few per cent above 10 MeV per nucleon, 10 to 15 % at 1, worse below.
    """
    _nucleus(charge, mass_number)
    energy = np.maximum(np.asarray(energy_mev_per_nucleon, dtype=np.float64), _LOWEST_MEV)
    per_gram = _ion_stopping(energy, charge, material)
    return np.asarray(per_gram * 1e-3, dtype=np.float64)


def ion_energy_after(
    energy_mev_per_nucleon: Numbers,
    charge: int,
    mass_number: float,
    thickness_g_cm2: Numbers,
    material: str = "aluminium",
) -> Array:
    """Return the energy (MeV per nucleon) that a nucleus has left after a path, 0 where it stopped.

    Parameters
    ----------
    energy_mev_per_nucleon, thickness_g_cm2 : broadcast.
    charge, mass_number, material : as `ion_let`.

    Raises ValueProblem for a negative thickness, a charge or mass below 1, or another material.
    """
    _nucleus(charge, mass_number)
    thickness = np.asarray(thickness_g_cm2, dtype=np.float64)
    if np.any(thickness < 0.0) or not np.all(np.isfinite(thickness)):
        raise ValueProblem(
            f"a thickness of {float(thickness.min()):g} g/cm² does not exist", right="a number from 0 up"
        )
    energy = np.asarray(energy_mev_per_nucleon, dtype=np.float64)
    _, log_energy, log_range = _table(charge, mass_number, material)
    left = _look_up(energy, log_energy, log_range) - thickness
    after = np.exp(np.interp(np.log(np.maximum(left, 1e-300)), log_range, log_energy))
    # No table error where nothing is crossed; never more than there was.
    after = np.where(thickness == 0.0, energy, np.minimum(after, energy))
    return np.asarray(np.where(left > np.exp(log_range[0]), after, 0.0), dtype=np.float64)


def density_effect(momentum_ratio: Numbers, material: str) -> Array:
    """Return Sternheimer's correction δ for the target's polarisation; `momentum_ratio` is βγ."""
    constant, x0, x1, a, k, delta0 = _material(material).density_effect
    x = np.log10(np.asarray(momentum_ratio, dtype=np.float64))
    high = 2.0 * np.log(10.0) * x - constant
    middle = high + a * np.maximum(x1 - x, 0.0) ** k
    return np.asarray(np.where(x < x0, delta0 * 10.0 ** (2.0 * (np.minimum(x, x0) - x0)), middle))


def _material(name: str) -> Material:
    if name not in MATERIALS:
        raise ValueProblem(f"no stopping power for '{name}'", right=did_you_mean(name, MATERIALS))
    return MATERIALS[name]


def _nucleus(charge: int, mass_number: float) -> None:
    if charge < 1 or mass_number < 1:
        raise ValueProblem(
            f"no nucleus has charge {charge} and mass number {mass_number:g}", right="both from 1 up"
        )


def _bethe(energy: npt.NDArray[np.float64] | np.float64, substance: Material) -> Array:
    """Return Bethe's formula with density effect and shell corrections."""
    gamma = 1.0 + energy / PROTON_MASS_MEV
    squared = 1.0 - 1.0 / gamma**2
    ratio = ELECTRON_MASS_MEV / PROTON_MASS_MEV
    momentum = gamma**2 * squared
    largest = 2.0 * ELECTRON_MASS_MEV * momentum / (1.0 + 2.0 * gamma * ratio + ratio**2)
    excitation = substance.excitation_ev * 1e-6
    logarithm = 0.5 * np.log(2.0 * ELECTRON_MASS_MEV * momentum * largest / excitation**2)
    name = next(key for key, each in MATERIALS.items() if each is substance)
    shell = np.interp(np.log(energy), np.log(_SHELL_MEV), _SHELL)
    shell *= np.minimum(_SHELL_MEV[-1] / energy, 1.0)
    number = logarithm - squared - shell - 0.5 * density_effect(np.sqrt(momentum), name)
    return np.asarray(_BETHE * substance.charge / substance.mass / squared * number, dtype=np.float64)


def _fitted(energy: npt.NDArray[np.float64] | np.float64, substance: Material) -> Array:
    """Return Andersen and Ziegler's fit: 1/S = 1/S_low + 1/S_high, energy in keV."""
    a2, a3, a4, a5 = substance.fit
    kev = energy * 1e3
    low = a2 * kev**0.45
    high = a3 / kev * np.log(1.0 + a4 / kev + a5 * kev)
    cross_section = low * high / (low + high)  # eV cm² / 1e15 atoms
    return np.asarray(cross_section * _AVOGADRO_PER_BARN * 1e3 / substance.mass, dtype=np.float64)


def _ion_stopping(energy: Array, charge: int, material: str) -> Array:
    """Return the stopping power of a nucleus, MeV cm²/g: that of a proton of its speed × effective charge²."""
    at_speed = energy * (PROTON_MASS_MEV / NUCLEON_MASS_MEV) if charge > 1 else energy
    return stopping_power(at_speed, material) * effective_charge(energy, charge) ** 2


@lru_cache(maxsize=128)
def _table(charge: int, mass_number: float, material: str) -> tuple[Array, Array, Array]:
    """Return energies per nucleon, their logarithms, and the logarithms of the ranges."""
    _material(material)
    log_energy = np.linspace(np.log(_LOWEST_MEV), np.log(_HIGHEST_MEV), _POINTS)
    energy = np.exp(log_energy)
    # R = ∫ dE/S over ln E; below the table S grows as the speed or so: E/S × 2 is the beginning.
    integrand = mass_number * energy / _ion_stopping(energy, charge, material)
    steps = 0.5 * (integrand[1:] + integrand[:-1]) * np.diff(log_energy)
    ranges = 2.0 * integrand[0] + np.concatenate([[0.0], np.cumsum(steps)])
    return energy, log_energy, np.log(ranges)


@lru_cache(maxsize=2)
def _reaction_depth(material: str) -> tuple[Array, Array]:
    """Return logarithms of energies and the mean number of reactions until a proton of each has stopped."""
    energy, log_energy, _ = _table(1, 1.0, material)
    integrand = energy * reactions(energy, material) / stopping_power(energy, material)
    steps = 0.5 * (integrand[1:] + integrand[:-1]) * np.diff(log_energy)
    return log_energy, np.concatenate([[0.0], np.cumsum(steps)])


def _look_up(energy: Numbers, log_energy: Array, log_value: Array) -> Array:
    kinetic = np.maximum(np.asarray(energy, dtype=np.float64), _LOWEST_MEV)
    return np.asarray(np.exp(np.interp(np.log(kinetic), log_energy, log_value)), dtype=np.float64)
