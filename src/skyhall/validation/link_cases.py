"""Published laser links: gain, received power, confocal range, many wavelengths, and one pass of TBIRD."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from skyhall.network.beam import aperture_gain, confocal_range
from skyhall.network.downlink import pass_volume
from skyhall.network.optics import OpticalTerminal, closing_range, link_budget
from skyhall.network.pass_tracks import PassTracks
from skyhall.validation.cases import Case

__all__ = ["CHECKS"]

PHOTON_J_M = 1.98644586e-25  # h c, J m: what a stated power is in photons a bit, apart from the budget's own
BITS_PER_BYTE = 8.0


def aperture(case: Case) -> Mapping[str, Any]:
    """Return the gain of a telescope."""
    given = case.given
    gain = aperture_gain(1e-2 * given["aperture_cm"], 1e-6 * given["wavelength_um"], given["efficiency"])
    return {"gain": _db(gain)}


def received_power(case: Case) -> Mapping[str, Any]:
    """Return the power that one terminal receives of another."""
    budget = link_budget(_suncatcher(case), 1e3 * case.given["range_km"])
    return {"received": 1e6 * float(budget.received_w)}


def confocal(case: Case) -> Mapping[str, Any]:
    """Return the range up to which a beam hardly widens."""
    diameter = 2e-2 * case.given["aperture_radius_cm"]
    return {"range": 1e-3 * float(confocal_range(diameter, diameter, 1e-6 * case.given["wavelength_um"]))}


def dwdm(case: Case) -> Mapping[str, Any]:
    """Return the budget of many wavelengths, and the range to which it closes without any margin."""
    terminal = _suncatcher(case)
    budget = link_budget(terminal, 1e3 * case.given["range_km"])
    return {
        "total": 1e-12 * float(budget.line_rate_bps),
        "carried_at_300_km": 1e-12 * float(budget.rate_bps),
        "required": 1e3 * float(budget.required_w),
        "received_at_300_km": 1e3 * float(budget.received_w),
        "margin_at_300_km": float(budget.margin_db),
        "closing_range": 1e-3 * float(closing_range(terminal)),
        "one-channel-has-all": _db(budget.received_w / (budget.required_w / terminal.channels)),
    }


def tbird_pass(case: Case) -> Mapping[str, Any]:
    """Return the bits of a pass at one rate, by the integral over passes; and the same number taken for bytes."""
    seconds = np.linspace(0.0, case.given["seconds"], 10)[None]
    track = PassTracks(seconds, np.ones_like(seconds), np.ones_like(seconds))
    rate = np.full_like(seconds, 1e9 * case.given["rate_gbps"])
    bits = float(pass_volume(track, [0], [lambda range_m, elevation: rate]).total[0])
    return {"volume": 1e-12 * bits, "terabytes": 1e-12 * bits * BITS_PER_BYTE}


def _suncatcher(case: Case) -> OpticalTerminal:
    """Return a steady terminal of the case's numbers; the efficiency is what the printed gain leaves of (π D/λ)²."""
    given = case.given
    wavelength, diameter = 1e-6 * given["wavelength_um"], 1e-2 * given["aperture_cm"]
    rate = 1e9 * given.get("rate_gbps", 100.0)
    needed_w = 1e-3 * 10.0 ** (0.1 * given.get("required_per_channel_dbm", -30.0))
    return OpticalTerminal(
        aperture=diameter,
        transmit_power=given["transmit_w"],
        wavelength=wavelength,
        efficiency=10.0 ** (0.1 * given["gain_db"]) / (np.pi * diameter / wavelength) ** 2,
        other_loss_db=given["other_loss_db"],
        pointing_jitter=0.0,
        photons_per_bit=needed_w / (rate * PHOTON_J_M / wavelength),
        channels=given.get("channels", 1),
        channel_rate=rate,
        required_margin_db=0.0,
        longest_range=1e3 * given["range_km"],
    )


def _db(ratio: Any) -> float:
    return float(10.0 * np.log10(ratio))


CHECKS: Mapping[str, Callable[[Case], Mapping[str, Any]]] = {
    "suncatcher-aperture-gain": aperture,
    "suncatcher-received-power": received_power,
    "suncatcher-confocal-range": confocal,
    "suncatcher-dwdm": dwdm,
    "tbird-pass": tbird_pass,
}
