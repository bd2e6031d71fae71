"""Write the dose kernels of electrons that ship with Skyhall: `python tools/make_electron_kernels.py` (needs numba).

A small Monte Carlo of electrons and their bremsstrahlung photons in aluminium: isotropic on one side of a half-space,
dose in silicon over depth. Electrons go in condensed steps of 3 % of their energy (random hinge): restricted collision
loss after Berger and Seltzer (ICRU 37), Møller collisions above 3 % of the first energy one by one and their electrons
followed, elastic scattering after the screened McKinley-Feshbach cross-section (Molière's screening, Z (Z+1)), turns
beyond 8 degrees one by one and smaller ones together, bremsstrahlung photons after Seltzer and Berger 1986. Photons
scatter after Klein and Nishina and are absorbed (what the energy absorption coefficient has beyond that: photoelectric
effect, and pairs without their annihilation photons).

From depth-dose D(z) to the centre of a sphere as SHIELDOSE does (Seltzer 1980, NBS TN 1116): rays are independent,
D(z) = z/2 ∫ f(s)/s² ds from z on; the sphere's f is fitted to D.
"""

# Numba draws from NumPy's legacy generator only.
# ruff: noqa: NPY002

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from scipy.optimize import nnls

TARGET = Path(__file__).parents[1] / "src/skyhall/environment/electron_kernels.py"

MASS = 0.51099895  # MeV, CODATA 2018
RADIUS_CM = 2.8179403e-13  # classical electron radius
AVOGADRO = 6.02214076e23
FINE_STRUCTURE = 1 / 137.035999
CHARGE, WEIGHT = 13, 26.9815  # aluminium
EXCITATION = {"aluminium": 166e-6, "silicon": 173e-6}  # MeV, ICRU 37
CHARGE_PER_MASS = {"aluminium": 13 / 26.9815, "silicon": 14 / 28.0855}
# Sternheimer, Berger, Seltzer 1984: C, x0, x1, a, k, δ0.
DENSITY = {
    "aluminium": (4.2395, 0.1708, 3.0127, 0.08024, 3.6345, 0.12),
    "silicon": (4.4355, 0.2015, 2.8716, 0.14921, 3.2546, 0.14),
}
# Seltzer and Berger 1986, At. Data Nucl. Data Tables 35, 345: (β²/Z²) k dσ/dk of aluminium in mb, over k/E and E
# (read in Seltzer's file of 1984 as EGSnrc has it, every second share and some of its energies).
BREMS_MEV = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0])
BREMS_SHARE = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
BREMS = np.array(
    [
        [7.79895, 9.25355, 10.36616, 11.31866, 11.93686, 12.95132, 14.02776, 15.10389, 16.06155, 16.44629],
        [7.84965, 8.66824, 9.53412, 9.65920, 9.60709, 9.64676, 10.16984, 11.01601, 12.12214, 12.67832],
        [7.58768, 8.09677, 8.41618, 8.26011, 7.86960, 7.55818, 7.87843, 8.64281, 9.98598, 10.80294],
        [7.23300, 7.55897, 7.44834, 7.10741, 6.55413, 6.07991, 6.29607, 6.99176, 8.33620, 9.30380],
        [6.87984, 7.05527, 6.66763, 6.15646, 5.52522, 4.96428, 5.09213, 5.72937, 7.02205, 8.07747],
        [6.56393, 6.58953, 6.02292, 5.38399, 4.69706, 4.05512, 4.11104, 4.69332, 5.95249, 7.05697],
        [6.28153, 6.16999, 5.46018, 4.73357, 3.98788, 3.28912, 3.28691, 3.80504, 5.03523, 6.16544],
        [6.03754, 5.80212, 4.98019, 4.16575, 3.34909, 2.61468, 2.56370, 2.99985, 4.17431, 5.30927],
        [5.82472, 5.49654, 4.55076, 3.65690, 2.78454, 2.02510, 1.91292, 2.24796, 3.29612, 4.38842],
        [5.64243, 5.25586, 4.17442, 3.16592, 2.25008, 1.47436, 1.31227, 1.49706, 2.22087, 3.10500],
        [5.56345, 5.18294, 4.01482, 2.95367, 1.99343, 1.19783, 1.00135, 1.08333, 1.51172, 2.11117],
        [5.48771, 5.06832, 3.90227, 2.81933, 1.79991, 0.94046, 0.66519, 0.57759, 0.53875, 0.52018],
    ]
)
# Hubbell and Seltzer, NISTIR 5632: mass energy-absorption coefficients, cm²/g (read in copies of NIST's pages).
PHOTON_MEV = np.array(
    [0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0,
     3.0, 4.0, 5.0, 6.0, 8.0, 10.0]
)  # fmt: skip
ABSORPTION_AL = np.array(
    [25.43, 7.487, 3.094, 0.8778, 0.3601, 0.1840, 0.1099, 0.05511, 0.03794, 0.02827, 0.02745, 0.02816, 0.02862,
     0.02868, 0.02851, 0.02778, 0.02686, 0.02565, 0.02451, 0.02266, 0.02024, 0.01882, 0.01795, 0.01739, 0.01678,
     0.01650]
)  # fmt: skip
ABSORPTION_SI = np.array(
    [32.89, 9.794, 4.076, 1.164, 0.4782, 0.2430, 0.1434, 0.06896, 0.04513, 0.03086, 0.02905, 0.02932, 0.02968,
     0.02971, 0.02951, 0.02875, 0.02778, 0.02652, 0.02535, 0.02345, 0.02101, 0.01963, 0.01878, 0.01827, 0.01773,
     0.01753]
)  # fmt: skip

GRID = np.geomspace(1e-3, 20.0, 500)  # MeV
ENERGIES = np.array(
    [0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.5, 6.0, 10.0]
)  # MeV, of the kernels
SHARES = np.concatenate([np.arange(0.0, 0.6, 0.05), np.arange(0.6, 1.001, 0.025)])  # of the range
DEPTHS = np.array(
    [
        0.005,
        0.01,
        0.02,
        0.035,
        0.06,
        0.1,
        0.17,
        0.3,
        0.5,
        0.8,
        1.3,
        2.0,
        3.0,
        4.5,
        7.0,
        11.0,
        17.0,
        27.0,
        45.0,
        80.0,
    ]
)  # g/cm², of the photons' kernels
SMOOTH = 1.0  # weight of straightness in the fit, against errors of 2 %
BINS = 100
PHOTON_EDGES = np.concatenate([[0.0], np.geomspace(0.004, 80.0, 61)])
LOWEST_PHOTON = 0.01
HARD_TURN = 0.01  # 1 - cos θ
SPIN = np.pi * FINE_STRUCTURE * CHARGE
PHOTONS_PER_EXPECTED = 30.0  # photons emitted for each real one, of that much smaller weight


def collision_stopping(energy: Any, material: str) -> Any:
    """Return the collision stopping power of electrons, MeV cm²/g (ICRU 37, equation 2.10)."""
    tau = energy / MASS
    squared = tau * (tau + 2) / (tau + 1) ** 2
    ratio = np.sqrt(tau * (tau + 2))
    c, x0, x1, a, k, d0 = DENSITY[material]
    x = np.log10(ratio)
    delta = 2 * np.log(10) * x - c + a * np.maximum(x1 - x, 0) ** k
    delta = np.where(x < x0, d0 * 10 ** (2 * (np.minimum(x, x0) - x0)), delta)
    f = (1 - squared) * (1 + tau**2 / 8 - (2 * tau + 1) * np.log(2))
    number = 2 * np.log(energy / EXCITATION[material]) + np.log(1 + tau / 2) + f - delta
    return 0.1535375 * CHARGE_PER_MASS[material] / squared * number


def brems_tables() -> tuple[Any, Any, Any, Any]:
    """Return radiative stopping power, its part below `LOWEST_PHOTON`; photons above: number and distribution."""
    shares = np.linspace(0, 1, 201)
    log = np.log(GRID)
    chi = np.array([np.interp(log, np.log(BREMS_MEV), row) for row in BREMS])
    fine = np.array([np.interp(shares, BREMS_SHARE, column) for column in chi.T])  # (E, share)
    tau = GRID / MASS
    squared = tau * (tau + 2) / (tau + 1) ** 2
    scale = CHARGE**2 / squared * 1e-27 * AVOGADRO / WEIGHT  # cm²/g
    radiative = scale * GRID * np.trapezoid(fine, shares, axis=1)
    soft, count, cumulative = radiative.copy(), np.zeros(GRID.size), np.zeros((GRID.size, 65))
    grid01 = np.linspace(0, 1, 65)  # of ln k between the lowest and E
    for i, energy in enumerate(GRID):
        if energy <= LOWEST_PHOTON * 1.01:
            cumulative[i] = grid01
            continue
        k = LOWEST_PHOTON * (energy / LOWEST_PHOTON) ** grid01
        y = np.interp(k / energy, shares, fine[i])
        steps = 0.5 * (y[1:] + y[:-1]) * np.diff(np.log(k))
        total = steps.sum()
        count[i] = scale[i] * total
        soft[i] -= scale[i] * np.trapezoid(y, k)
        cumulative[i] = np.concatenate([[0], np.cumsum(steps)]) / total
    return radiative, np.maximum(soft, 0.0), count, cumulative


def elastic_tables() -> tuple[Any, Any, Any]:
    """Return the screening η, turns beyond 1 - cos θ = `HARD_TURN` per g/cm², and the mean 1 - cos θ of the others."""
    tau = GRID / MASS
    squared = tau * (tau + 2) / (tau + 1) ** 2
    screening = 0.25 * (FINE_STRUCTURE * CHARGE ** (1 / 3) / 0.885) ** 2 / (tau * (tau + 2))
    screening *= 1.13 + 3.76 * (FINE_STRUCTURE * CHARGE) ** 2 / squared
    momentum = squared * (tau + 1)  # pβc / mc²
    scale = 2 * np.pi * CHARGE * (CHARGE + 1) * (RADIUS_CM / momentum) ** 2 * AVOGADRO / WEIGHT

    def over(low: float, high: float, power: int) -> Any:
        u = np.geomspace(low, high, 4000)[:, None]  # 1 - cos θ
        half = np.sqrt(u / 2)  # sin θ/2
        spin = 1 - squared * half**2 + np.pi * FINE_STRUCTURE * np.sqrt(squared) * CHARGE * half * (1 - half)
        return scale * np.trapezoid(
            u ** (power + 1) / (u + 2 * screening) ** 2 * spin, np.log(u[:, 0]), axis=0
        )

    return screening, over(HARD_TURN, 2.0, 0), over(1e-9, HARD_TURN, 1)


def moller_tables(cut: float) -> tuple[Any, Any]:
    """Return the stopping power of collisions above `cut` (MeV cm²/g) and their number (cm²/g)."""
    lost, number = np.zeros(GRID.size), np.zeros(GRID.size)
    for i, energy in enumerate(GRID):
        if energy <= 2 * cut:
            continue
        w = np.geomspace(cut, energy / 2, 400)
        tau = energy / MASS
        squared = tau * (tau + 2) / (tau + 1) ** 2
        shape = 1 / w**2 + 1 / (energy - w) ** 2 + (tau / (tau + 1)) ** 2 / energy**2
        shape = shape - (2 * tau + 1) / (tau + 1) ** 2 / (w * (energy - w))
        per_gram = 2 * np.pi * RADIUS_CM**2 * MASS / squared * AVOGADRO * CHARGE / WEIGHT * shape
        lost[i] = np.trapezoid(per_gram * w * w, np.log(w))
        number[i] = np.trapezoid(per_gram * w, np.log(w))
    return lost, number


def compton(energy: Any) -> tuple[Any, Any]:
    """Return Klein and Nishina's attenuation of aluminium (cm²/g) and the mean share of energy given to electrons."""
    u = np.linspace(-1, 1, 2001)[:, None]
    p = 1 / (1 + np.asarray(energy)[None, :] / MASS * (1 - u))
    section = 0.5 * RADIUS_CM**2 * p**2 * (p + 1 / p - 1 + u**2) * 2 * np.pi
    total = np.trapezoid(section, u[:, 0], axis=0)
    given = np.trapezoid(section * (1 - p), u[:, 0], axis=0)
    return total * AVOGADRO * CHARGE / WEIGHT, given / total


@njit(cache=True)
def _at(log_energy: float, log_first: float, step: float, table: Any) -> Any:
    place = (log_energy - log_first) / step
    low = min(max(int(place), 0), table.size - 2)
    return table[low] + (place - low) * (table[low + 1] - table[low])


@njit(cache=True)
def _turned(mu: float, cosine: float) -> Any:
    azimuth = 2 * np.pi * np.random.random()
    sine = np.sqrt(max((1 - mu * mu) * (1 - cosine * cosine), 0.0))
    return min(max(mu * cosine + sine * np.cos(azimuth), -1.0), 1.0)


@njit(cache=True)
def _energy_of_photon(
    energy: float, log_energy: float, log_first: float, step: float, cumulative: Any
) -> Any:
    row = min(max(int((log_energy - log_first) / step + 0.5), 0), cumulative.shape[0] - 1)
    x = np.random.random()
    j = min(max(np.searchsorted(cumulative[row], x) - 1, 0), cumulative.shape[1] - 2)
    width = max(cumulative[row, j + 1] - cumulative[row, j], 1e-30)
    part = (j + (x - cumulative[row, j]) / width) / (cumulative.shape[1] - 1)
    return LOWEST_PHOTON * (energy / LOWEST_PHOTON) ** part


@njit(cache=True)
def _photon(z: float, mu: float, k: float, weight: float, grids: Any, edges: Any, score: Any) -> None:
    first, step, compton_table, absorbed_table, silicon_table = grids
    while k > 0.008:
        log_k = np.log(k)
        scatter, absorb = _at(log_k, first, step, compton_table), _at(log_k, first, step, absorbed_table)
        path = -np.log(1 - np.random.random()) / (scatter + absorb)
        end = z + path * mu
        low, high = max(min(z, end), 0.0), min(max(z, end), edges[-1])
        if high > low and abs(mu) > 1e-9:
            value = weight * k * _at(log_k, first, step, silicon_table) / abs(mu)
            i = max(np.searchsorted(edges, low) - 1, 0)
            while i < edges.size - 1 and edges[i] < high:
                crossed = min(high, edges[i + 1]) - max(low, edges[i])
                score[i] += value * max(crossed, 0.0) / (edges[i + 1] - edges[i])
                i += 1
        if end < 0 or end > edges[-1] or np.random.random() * (scatter + absorb) > scatter:
            return
        z = end
        # Klein-Nishina by rejection over cos θ
        while True:
            u = 2 * np.random.random() - 1
            p = 1 / (1 + k / 0.51099895 * (1 - u))
            if np.random.random() * 2 < p * p * (p + 1 / p - 1 + u * u):
                break
        k *= p
        mu = _turned(mu, u)


@njit(cache=True)
def _run(
    histories: int, first_energy: float, cut: float, tables: Any, cumulative: Any, photon_grids: Any,
    depth: float, edges: Any, seed: int,
) -> Any:  # fmt: skip
    np.random.seed(seed)
    log_first, step, soft, hard_number, soft_brems, photons, screening, turns, soft_turn, ratio = tables
    score, score_photons = np.zeros(BINS), np.zeros(edges.size - 1)
    stack = np.empty((200, 3))
    mass = 0.51099895
    lowest = min(0.02 * first_energy, 0.02)
    for _ in range(histories):
        stack[0, 0], stack[0, 1], stack[0, 2] = 0.0, np.sqrt(np.random.random()), first_energy
        waiting = 1
        while waiting > 0:
            waiting -= 1
            z, mu, energy = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2]
            while True:
                if energy < lowest:
                    i = int(z / depth * BINS)
                    if 0 <= i < BINS:
                        score[i] += energy * _at(np.log(energy), log_first, step, ratio)
                    break
                log_energy = np.log(energy)
                loss = _at(log_energy, log_first, step, soft)
                brems = _at(log_energy, log_first, step, soft_brems)
                hard = _at(log_energy, log_first, step, hard_number) if energy > 2 * cut else 0.0
                large = _at(log_energy, log_first, step, turns)
                bright = _at(log_energy, log_first, step, photons)
                path = 0.03 * energy / (loss + brems)
                event = 0
                free = -np.log(1 - np.random.random()) / (hard + large + bright)
                if free < path:
                    path = free
                    x = np.random.random() * (hard + large + bright)
                    event = 1 if x < hard else (2 if x < hard + large else 3)
                # loss at the middle of the step
                middle = np.log(energy - 0.5 * path * (loss + brems))
                loss = _at(middle, log_first, step, soft)
                brems = _at(middle, log_first, step, soft_brems)
                before = path * np.random.random()
                spot = np.random.random() * path
                mean = 1 - np.exp(-path * _at(middle, log_first, step, soft_turn))
                u = -mean * np.log(1 - np.random.random())
                while u > 2:
                    u = -mean * np.log(1 - np.random.random())
                turned = _turned(mu, 1 - u)
                hinge = z + mu * before
                end = hinge + turned * (path - before)
                where = z + mu * spot if spot < before else hinge + turned * (spot - before)
                i = int(where / depth * BINS)
                if where >= 0 and i < BINS:
                    score[i] += loss * path * _at(middle, log_first, step, ratio)
                expected = path * _at(middle, log_first, step, photons)
                if expected > 0 and where >= 0:
                    chance = min(1.0, expected * PHOTONS_PER_EXPECTED)
                    if np.random.random() < chance:
                        k = _energy_of_photon(energy, middle, log_first, step, cumulative)
                        beta = np.sqrt(energy * (energy + 2 * mass)) / (energy + mass)
                        u = 2 * np.random.random() - 1
                        angle = (u + beta) / (1 + beta * u)
                        _photon(
                            where,
                            _turned(turned, angle),
                            k,
                            expected / chance,
                            photon_grids,
                            edges,
                            score_photons,
                        )
                z, mu = end, turned
                energy -= (loss + brems) * path
                if z < 0 or energy <= 0:
                    break
                if event == 2:
                    eta2 = 2 * _at(np.log(energy), log_first, step, screening)
                    beta2 = energy * (energy + 2 * mass) / (energy + mass) ** 2
                    while True:
                        x = np.random.random()
                        u = 1 / ((1 - x) / (HARD_TURN + eta2) + x / (2 + eta2)) - eta2
                        half = np.sqrt(0.5 * u)
                        spin = 1 - beta2 * 0.5 * u + SPIN * np.sqrt(beta2) * half * (1 - half)
                        if np.random.random() * 1.08 < spin:
                            break
                    mu = _turned(mu, 1 - u)
                if event == 3 and energy > LOWEST_PHOTON:
                    energy -= _energy_of_photon(energy, np.log(energy), log_first, step, cumulative)
                    if energy <= 0:
                        break
                if event == 1 and energy > 2 * cut:
                    tau = energy / mass
                    c1, c2 = (tau / (tau + 1)) ** 2, (2 * tau + 1) / (tau + 1) ** 2
                    while True:
                        w = cut / (1 - np.random.random() * (1 - 2 * cut / energy))
                        share = w / energy
                        odd = share / (1 - share)
                        if np.random.random() * 2.0 < 1 + odd * odd + c1 * share * share - c2 * odd:
                            break
                    knocked = np.sqrt(w * (energy + 2 * mass) / (energy * (w + 2 * mass)))
                    left = energy - w
                    after = np.sqrt(left * (energy + 2 * mass) / (energy * (left + 2 * mass)))
                    if waiting < 199:
                        stack[waiting, 0], stack[waiting, 1], stack[waiting, 2] = (
                            z,
                            _turned(mu, min(knocked, 1.0)),
                            w,
                        )
                        waiting += 1
                    mu = _turned(mu, min(after, 1.0))
                    energy = left
    return score / histories, score_photons / histories


def csda_ranges(radiative: Any) -> Any:
    """Return the range at each energy of GRID, g/cm²."""
    integrand = GRID / (collision_stopping(GRID, "aluminium") + radiative)
    steps = 0.5 * (integrand[1:] + integrand[:-1]) * np.diff(np.log(GRID))
    return 0.6 * integrand[0] + np.concatenate([[0], np.cumsum(steps)])


def sphere_from(edges: Any, dose: Any, nodes: Any, smooth: float, log_nodes: bool) -> Any:
    """Return the sphere's kernel at `nodes` whose mean over angles is the half-space's `dose` in bins of `edges`."""
    middle = 0.5 * (edges[1:] + edges[:-1])
    cosines, weights = np.polynomial.legendre.leggauss(96)
    cosines, weights = 0.5 * (cosines + 1), 0.5 * weights
    paths = middle[:, None] / cosines
    x = np.log(np.maximum(paths, nodes[0])) if log_nodes else paths
    positions = np.log(nodes) if log_nodes else nodes
    columns = []
    for j in range(nodes.size):
        unit = np.zeros(nodes.size)
        unit[j] = 1.0
        right = 0.0
        columns.append(0.5 * (np.interp(x, positions, unit, right=right) @ weights))
    matrix = np.stack(columns, axis=1)
    error = 1 / np.maximum(np.abs(dose) * 0.02, dose.max() * 2e-5)
    typical = np.maximum(np.interp(nodes, middle, dose) * 2, dose.max() * 1e-4)
    bend = np.zeros((nodes.size - 2, nodes.size))
    for i in range(nodes.size - 2):
        bend[i, i : i + 3] = np.array([1, -2, 1]) * smooth / typical[i + 1]
    rows = np.concatenate([matrix * error[:, None], bend])
    return nnls(rows, np.concatenate([dose * error, np.zeros(nodes.size - 2)]))[0]


def main() -> None:
    """Follow the electrons of every energy and write what they leave."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=300_000)
    parser.add_argument("--save", type=Path, help="also write the depth-dose curves as .npz")
    options = parser.parse_args()
    radiative, soft_brems, photons, cumulative = brems_tables()
    ranges = csda_ranges(radiative)
    step = np.log(GRID[1] / GRID[0])
    ratio = collision_stopping(GRID, "silicon") / collision_stopping(GRID, "aluminium")
    screening, turns, soft_turn = elastic_tables()
    scatter, given = compton(GRID)
    absorbed = np.exp(np.interp(np.log(GRID), np.log(PHOTON_MEV), np.log(ABSORPTION_AL)))
    silicon = np.exp(np.interp(np.log(GRID), np.log(PHOTON_MEV), np.log(ABSORPTION_SI)))
    absorbed = np.maximum(absorbed - scatter * given, 0.0)
    photon_grids = (np.log(GRID[0]), step, scatter, absorbed, silicon)
    for energy in (0.1, 0.5, 1.0, 2.0, 5.0, 10.0):
        stopping = float(collision_stopping(np.array([energy]), "aluminium")[0])
        at = [float(np.interp(energy, GRID, table)) for table in (radiative, ranges)]
        print(f"{energy:6} MeV: collision {stopping:.4g} radiative {at[0]:.4g} range {at[1]:.4g}")
    kernels, photon_kernels, depth_doses, photon_doses = [], [], [], []
    for seed, energy in enumerate(ENERGIES):
        cut = 0.03 * energy
        lost, number = moller_tables(cut)
        soft = collision_stopping(GRID, "aluminium") - lost
        tables = (
            np.log(GRID[0]), step, soft, number, soft_brems, photons, screening, turns, soft_turn, ratio
        )  # fmt: skip
        depth = 1.1 * float(np.interp(energy, GRID, ranges))
        score, score_photons = _run(
            options.histories, energy, cut, tables, cumulative, photon_grids, depth, PHOTON_EDGES, seed
        )
        dose = score / 4 / (depth / BINS)  # current is a quarter of the flux; MeV/g per electron/cm²
        dose_photons = score_photons / 4
        full = depth / 1.1
        kernels.append(
            sphere_from(np.linspace(0, 1.1, BINS + 1), dose, SHARES, SMOOTH, False) * full / energy
        )
        photon_kernels.append(sphere_from(PHOTON_EDGES, dose_photons, DEPTHS, SMOOTH, True) / energy)
        depth_doses.append(dose)
        photon_doses.append(dose_photons)
        print(
            f"{energy:6} MeV: absorbed {4 * dose.sum() * depth / BINS / energy:.3f} surface {dose[0]:.3f}",
            flush=True,
        )
    if options.save:
        np.savez(options.save, dose=depth_doses, photons=photon_doses, edges=PHOTON_EDGES, energies=ENERGIES)
    write(np.interp(ENERGIES, GRID, ranges), np.array(kernels), np.array(photon_kernels))


def write(ranges: Any, kernels: Any, photon_kernels: Any) -> None:
    """Write the tables as a module."""

    def row(values: Any, indent: str) -> str:
        body = ", ".join(f"{value:.4g}" for value in values)
        return textwrap.fill(body, 108, initial_indent=indent + "    ", subsequent_indent=indent + "    ")

    def line(name: str, comment: str, values: Any) -> str:
        return f"# {comment}\n{name}: Final = np.array([\n{row(values, '')}\n])\n"

    def table(name: str, comment: str, values: Any) -> str:
        rows = "\n".join(f"    [\n{row(each, '    ')}\n    ]," for each in values)
        return f"# {comment}\n{name}: Final = np.array([\n{rows}\n])\n"

    text = '"""Dose kernels of electrons in aluminium, made by tools/make_electron_kernels.py: do not edit."""\n\n'
    text += (
        "from __future__ import annotations\n\nfrom typing import Final\n\nimport numpy as np\n\n# fmt: off\n"
    )
    text += line("ENERGIES_MEV", "MeV", ENERGIES)
    text += line("RANGES", "at these energies, g/cm², continuous slowing down", ranges)
    text += line("SHARES", "radius of the sphere over the range", SHARES)
    text += table("ELECTRONS", "dose × range / energy per flux at its centre, energies × shares: 1", kernels)
    text += line("DEPTHS", "radius of the sphere, g/cm²", DEPTHS)
    text += table("PHOTONS", "dose / energy per flux at its centre, energies × depths: cm²/g", photon_kernels)
    TARGET.write_text(text + "# fmt: on\n", encoding="utf-8")


if __name__ == "__main__":
    main()
