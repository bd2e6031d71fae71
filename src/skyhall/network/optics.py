"""Budget of a laser link: how much light arrives, how many photons a bit has, and which rate closes over which range.

What arrives is the sent power times both telescopes' efficiencies, the coupling of the beam (`beam`), the mean of
what jitter leaves (`pointing`) and the other losses. Left out: background light, truncated and obscured apertures (in
the efficiency), what the atmosphere takes (`extra_loss_db`), and the dead time of protocols.

The line rate is that of all channels. Where its margin is not met the rate is halved, up to four times. Terminals step
so rather than glide, because their symbol rate is fixed: QPSK becomes BPSK, then each symbol is sent twice, four times
and so on, which trades rate for margin one to one within a dB (Geisler et al., Opt. Eng. 55 (2016) 111605: 45.6 dB of
rate over 41.7 dB of power; from QPSK to BPSK 3 dB of rate for 3.5 dB). With several channels it may darken half of them
instead: the rest share the power. Four halvings are our choice, as most terminals have fewer (TBIRD: 200 and
100 Gbit/s); below a sixteenth the link is down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skyhall.constants import PLANCK, SPEED_OF_LIGHT
from skyhall.errors import Place, ValueProblem
from skyhall.network.beam import aperture_gain, confocal_range, mode_coupling
from skyhall.network.pointing import fade_db, jitter_ratio, mean_jitter_loss_db
from skyhall.types import Array, Numbers

__all__ = [
    "HALVINGS",
    "TERMINAL_UNITS",
    "LinkBudget",
    "OpticalTerminal",
    "Telescope",
    "adaptive_rate",
    "closing_range",
    "fade_margin_db",
    "link_budget",
    "terminal_from_values",
]

HALVINGS = 4  # of the line rate, at most
_ROUNDING = 1e-9  # by which a budget may miss its margin and still close
# The catalogue's unit of each field.
TERMINAL_UNITS: Mapping[str, str] = {
    "aperture": "m",
    "transmit_power": "W",
    "wavelength": "m",
    "efficiency": "",
    "other_loss_db": "dB",
    "pointing_jitter": "rad",
    "photons_per_bit": "",
    "channels": "",
    "channel_rate": "bit/s",
    "required_margin_db": "dB",
    "longest_range": "m",
    "acquisition_time": "s",
    "reacquisition_time": "s",
    "slew_rate": "rad/s",
}
_MAY_BE_ZERO = (
    "other_loss_db",
    "pointing_jitter",
    "required_margin_db",
    "acquisition_time",
    "reacquisition_time",
)


@dataclass(frozen=True, slots=True)
class OpticalTerminal:
    """A laser terminal; every number may be an array, and they broadcast.

    Parameters
    ----------
    aperture : diameter of the telescope, m; it sends and receives.
    transmit_power : optical, of all channels together, W.
    wavelength : m.
    efficiency : of the telescope, share of (π D/λ)² that its gain has, sending and receiving alike.
    other_loss_db : of the whole link: splitters, coupling into fibre, ageing, dB.
    pointing_jitter : standard deviation on each axis when tracking, rad.
    photons_per_bit : that the receiver needs in its aperture.
    channels : wavelengths, which share the power evenly. channel_rate : of each, bit/s.
    required_margin_db : what a budget keeps in hand, for fades and ageing, dB.
    longest_range : up to which the maker says that it works, m.
    acquisition_time : from the first pointing to data, s. reacquisition_time : after a short break, s.
    slew_rate : at which the telescope can follow or change its target, rad/s.

    Raises
    ------
    ValueProblem : a value that is not above zero (losses, jitter, margin and times: negative), or an efficiency
        above 1.
    """

    aperture: Numbers
    transmit_power: Numbers
    wavelength: Numbers
    efficiency: Numbers
    other_loss_db: Numbers
    pointing_jitter: Numbers
    photons_per_bit: Numbers
    channels: Numbers
    channel_rate: Numbers
    required_margin_db: Numbers
    longest_range: Numbers
    acquisition_time: Numbers = 0.0
    reacquisition_time: Numbers = 0.0
    slew_rate: Numbers = 1.0

    def __post_init__(self) -> None:
        for name in TERMINAL_UNITS:
            _check(name, getattr(self, name))

    @property
    def line_rate_bps(self) -> Array:
        """Rate of all channels, bit/s."""
        return np.asarray(self.channels * np.asarray(self.channel_rate, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Telescope:
    """A receiver that takes every channel of the terminal that it looks at, such as a ground station's telescope.

    Parameters
    ----------
    aperture : diameter, m. efficiency : as of a terminal, into the detector.
    pointing_jitter : what tracking and adaptive optics leave, on each axis, rad; beside the telescope's own narrow beam
        (1.4 µrad of 1 m at 1.55 µm).
    photons_per_bit : that it needs in its aperture; None: as the sender's own receiver.
    """

    aperture: Numbers
    efficiency: Numbers
    pointing_jitter: Numbers = 0.0
    photons_per_bit: Numbers | None = None

    def __post_init__(self) -> None:
        for name in ("aperture", "efficiency", "pointing_jitter", "photons_per_bit"):
            if getattr(self, name) is not None:
                _check(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class LinkBudget:
    """A link, line by line; arrays as terminals and range broadcast.

    Attributes
    ----------
    gain_db, receiver_gain_db : of the two telescopes, efficiency included.
    confocal_range : m; within it distance costs next to nothing.
    coupling : share of the mode that arrives, before efficiencies and losses.
    jitter_loss_db : mean loss by pointing jitter of both ends.
    received_w, required_w : of all channels: what arrives, and what the line rate needs.
    received_photons_per_bit : at the line rate.
    margin_db : received over required, at the line rate; the link closes where it is at least `required_margin_db`.
    line_rate_bps, rate_bps : of all channels lit; what the link carries with its margin, 0 where it is down.
    """

    gain_db: Array
    receiver_gain_db: Array
    confocal_range: Array
    coupling: Array
    jitter_loss_db: Array
    received_w: Array
    required_w: Array
    received_photons_per_bit: Array
    margin_db: Array
    required_margin_db: Array
    line_rate_bps: Array
    rate_bps: Array
    channels: Array

    @property
    def closes(self) -> Any:
        """Whether the line rate holds with the required margin."""
        return self.rate_bps == self.line_rate_bps

    @property
    def received_channel_w(self) -> Array:
        """Power that each channel receives, W."""
        return np.asarray(self.received_w / self.channels)


def adaptive_rate(line_rate_bps: Numbers, spare_db: Numbers) -> Array:
    """Return the rate that a link steps down to, bit/s: the line rate halved 0 to `HALVINGS` times, else 0.

    Parameters
    ----------
    line_rate_bps : bit/s. spare_db : margin at the line rate less the required one, dB. They broadcast.
    """
    halvings = np.ceil(-np.asarray(spare_db, dtype=np.float64) / (10.0 * np.log10(2.0)) - _ROUNDING)
    steps = np.maximum(halvings, 0.0)
    return np.asarray(np.where(steps <= HALVINGS, line_rate_bps * 0.5 ** np.minimum(steps, HALVINGS), 0.0))


def link_budget(
    terminal: OpticalTerminal,
    range_m: Numbers,
    receiver: OpticalTerminal | Telescope | None = None,
    extra_loss_db: Numbers = 0.0,
) -> LinkBudget:
    """Return the budget of a link from `terminal` over `range_m`.

    Two terminals use the channels and the channel rate that both have; the sender's power is shared among the lit ones.

    Parameters
    ----------
    terminal : that sends.
    range_m : m, not negative.
    receiver : that receives; None: a terminal as the sender.
    extra_loss_db : besides the terminal's own, such as the atmosphere's, dB.

    Raises
    ------
    ValueProblem : a negative range or loss, or two terminals of different wavelengths.
    """
    distance = np.asarray(range_m, dtype=np.float64)
    if not np.all(distance >= 0.0):
        raise ValueProblem("a range is negative or unknown", place=Place(key="range"), right="zero or more")
    other, channels, line = _other_end(terminal, receiver)
    confocal = confocal_range(terminal.aperture, other.aperture, terminal.wavelength)
    coupled = mode_coupling(distance, confocal)
    jitter = mean_jitter_loss_db(*_jitter_ratios(terminal, other))
    received = _sent_to(terminal, other, extra_loss_db) * coupled
    photon = _photon_energy(terminal.wavelength)
    required = _needed_photons(terminal, other) * photon * line
    margin = 10.0 * np.log10(received / required)
    found = {
        "gain_db": 10.0
        * np.log10(aperture_gain(terminal.aperture, terminal.wavelength, terminal.efficiency)),
        "receiver_gain_db": 10.0
        * np.log10(aperture_gain(other.aperture, terminal.wavelength, other.efficiency)),
        "confocal_range": confocal,
        "coupling": coupled,
        "jitter_loss_db": jitter,
        "received_w": received,
        "required_w": required,
        "received_photons_per_bit": received / (photon * line),
        "margin_db": margin,
        "required_margin_db": terminal.required_margin_db,
        "line_rate_bps": line,
        "rate_bps": adaptive_rate(line, margin - terminal.required_margin_db),
        "channels": channels,
    }
    shape = np.shape(margin)
    return LinkBudget(**{name: np.broadcast_to(value, shape) for name, value in found.items()})


def closing_range(
    terminal: OpticalTerminal,
    receiver: OpticalTerminal | Telescope | None = None,
    extra_loss_db: Numbers = 0.0,
    *,
    rate_bps: Numbers | None = None,
    margin_db: Numbers | None = None,
) -> Array:
    """Return the longest range at which a rate closes, m; 0 where it closes at none.

    Parameters
    ----------
    terminal, receiver, extra_loss_db : as of `link_budget`.
    rate_bps : bit/s; None: the line rate. The power goes into it wholly, however many channels carry it.
    margin_db : to be kept; None: the terminal's required one.
    """
    other, _, line = _other_end(terminal, receiver)
    rate = line if rate_bps is None else np.asarray(rate_bps, dtype=np.float64)
    kept = np.asarray(terminal.required_margin_db if margin_db is None else margin_db, dtype=np.float64)
    required = _needed_photons(terminal, other) * _photon_energy(terminal.wavelength) * rate
    over = _sent_to(terminal, other, extra_loss_db) / (required * 10.0 ** (0.1 * kept))
    confocal = confocal_range(terminal.aperture, other.aperture, terminal.wavelength)
    return np.asarray(confocal * np.sqrt(np.maximum(over - 1.0, 0.0)))


def fade_margin_db(
    terminal: OpticalTerminal, receiver: OpticalTerminal | Telescope | None = None, *, outage: Numbers
) -> Array:
    """Return how far below its mean the jittering link falls for a share `outage` of the time, dB.

    A required margin at least so large keeps fades by jitter to that share.
    """
    other, _, _ = _other_end(terminal, receiver)
    ratios = _jitter_ratios(terminal, other)
    return np.asarray(fade_db(outage, *ratios) - mean_jitter_loss_db(*ratios))


def terminal_from_values(values: Mapping[str, float]) -> OpticalTerminal:
    """Return the terminal of plain numbers with the keys and units of `TERMINAL_UNITS`."""
    return OpticalTerminal(**{name: values[name] for name in TERMINAL_UNITS})


def _check(name: str, value: Numbers) -> None:
    number = np.asarray(value, dtype=np.float64)
    word = name.replace("_", " ")
    if name in _MAY_BE_ZERO:
        fine, right = number >= 0.0, "zero or more"
    elif name == "efficiency":
        fine, right = (number > 0.0) & (number <= 1.0), "above 0 and at most 1"
    elif name == "channels":
        fine, right = (number >= 1.0) & (number == np.round(number)), "a whole number, at least 1"
    else:
        fine, right = number > 0.0, "above zero"
    bad = number[~(fine & np.isfinite(number))]
    if bad.size:
        raise ValueProblem(f"{word} is {float(bad.flat[0]):g}", place=Place(key=name), right=right)


def _other_end(
    terminal: OpticalTerminal, receiver: OpticalTerminal | Telescope | None
) -> tuple[OpticalTerminal | Telescope, Array, Array]:
    """Return the receiving end, the channels that are lit, and their rate together, bit/s."""
    if receiver is None or isinstance(receiver, Telescope):
        return receiver or terminal, np.asarray(terminal.channels), terminal.line_rate_bps
    if not np.allclose(receiver.wavelength, terminal.wavelength, rtol=0.03):
        raise ValueProblem(
            "two terminals of different wavelengths have no link",
            place=Place(key="wavelength"),
            right="terminals of one band",
        )
    channels = np.minimum(terminal.channels, receiver.channels)
    return receiver, channels, channels * np.minimum(terminal.channel_rate, receiver.channel_rate)


def _jitter_ratios(terminal: OpticalTerminal, other: OpticalTerminal | Telescope) -> tuple[Array, Array]:
    return (
        jitter_ratio(terminal.aperture, terminal.wavelength, terminal.pointing_jitter),
        jitter_ratio(other.aperture, terminal.wavelength, other.pointing_jitter),
    )


def _sent_to(terminal: OpticalTerminal, other: OpticalTerminal | Telescope, extra_loss_db: Numbers) -> Any:
    """Return the power that would arrive at no distance, W: all losses but diffraction's."""
    extra = np.asarray(extra_loss_db, dtype=np.float64)
    if not np.all(extra >= 0.0):
        raise ValueProblem(
            "a loss is negative or unknown", place=Place(key="extra_loss_db"), right="zero or more"
        )
    loss = terminal.other_loss_db + extra + mean_jitter_loss_db(*_jitter_ratios(terminal, other))
    return terminal.transmit_power * terminal.efficiency * other.efficiency * 10.0 ** (-0.1 * loss)


def _needed_photons(terminal: OpticalTerminal, other: OpticalTerminal | Telescope) -> Numbers:
    return terminal.photons_per_bit if other.photons_per_bit is None else other.photons_per_bit


def _photon_energy(wavelength: Numbers) -> Numbers:
    return PLANCK * SPEED_OF_LIGHT / np.asarray(wavelength, dtype=np.float64)
