"""A laser link between terminals of the catalogue, or of one's own numbers: budget, rates and how far they reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from skyhall.catalogue import Catalogue, Part, load_catalogue
from skyhall.errors import Place, SkyhallError, ValueProblem
from skyhall.network.optics import (
    HALVINGS,
    TERMINAL_UNITS,
    OpticalTerminal,
    Telescope,
    closing_range,
    fade_margin_db,
    link_budget,
    terminal_from_values,
)
from skyhall.units import parse

__all__ = ["LinkAtRange", "OpticalLink", "RateStep", "optical_link"]

_JITTERY_DB = 20.0  # from which jitter, and not the light, is what a link lacks
_POINTS = 60  # of the budget over range
_DEFAULT_OUTAGE = 1e-3


@dataclass(frozen=True, slots=True)
class LinkAtRange:
    """The budget at one range."""

    range_km: float
    received_w: float
    margin_db: float
    rate_bps: float


@dataclass(frozen=True, slots=True)
class RateStep:
    """A rate and the range up to which it holds with the required margin."""

    rate_bps: float
    to_km: float


@dataclass(frozen=True, slots=True)
class OpticalLink:
    """A laser link at one range.

    Attributes
    ----------
    terminal : of the catalogue; its values may have been replaced.
    gain_db, receiver_gain_db : of the two telescopes, efficiency included.
    confocal_range_km : up to it the beam hardly widens.
    coupling_db : what diffraction leaves of the sent light. jitter_loss_db : mean loss by jitter of both ends.
    received_w, received_channel_w : of all channels, and of each. required_w : of all, for the line rate.
    received_photons_per_bit, photons_per_bit : at the line rate, and what the receiver needs.
    margin_db : received over required, at the line rate. required_margin_db : what is to be kept in hand.
    closes : whether the line rate holds with the required margin.
    rate_bps : what the link carries with it: the line rate, halved up to four times, or 0.
    fade_db : depth below the mean that jitter exceeds for the share `outage` of the time.
    closing_range_km, reach_km : to which the line rate closes, and the lowest rate. longest_range_km : the maker's.
    steps : each rate and how far it reaches. over_range : the budget from near to past the reach, where the rates step
        down included.
    """

    terminal: str
    title: str
    range_km: float
    aperture_m: float
    receiver_aperture_m: float
    transmit_power_w: float
    wavelength_m: float
    efficiency: float
    channels: int
    gain_db: float
    receiver_gain_db: float
    confocal_range_km: float
    coupling_db: float
    jitter_loss_db: float
    other_loss_db: float
    extra_loss_db: float
    received_w: float
    received_channel_w: float
    required_w: float
    received_photons_per_bit: float
    photons_per_bit: float
    margin_db: float
    required_margin_db: float
    closes: bool
    line_rate_bps: float
    rate_bps: float
    outage: float
    fade_db: float
    closing_range_km: float
    reach_km: float
    longest_range_km: float
    acquisition_time_s: float
    reacquisition_time_s: float
    steps: tuple[RateStep, ...]
    over_range: tuple[LinkAtRange, ...]


def optical_link(
    terminal: str = "optical-100g",
    replaced: Mapping[str, str] | None = None,
    *,
    range_text: str | None = None,
    receiver_aperture: str | None = None,
    extra_loss: str | None = None,
    outage: str | float | None = None,
) -> OpticalLink:
    """Return the budget of a link of a terminal of the catalogue.

    Parameters
    ----------
    terminal : name in the catalogue. replaced : values of it as text, such as {"aperture": "10 cm"}.
    range_text : with unit; None: the longest that the maker states.
    receiver_aperture : of another telescope at the other end, which tracks without jitter; None: what the catalogue
        states the range with, for most the same terminal.
    extra_loss : besides the terminal's own, such as the atmosphere's, in dB with its unit.
    outage : share of time for the depth of fades; None: a thousandth.

    Raises
    ------
    ValueProblem : no such terminal, a radio, a value that cannot be, or a link that closes at no range.
    """
    chosen = {terminal: dict(replaced)} if replaced else {}
    part = _part(load_catalogue(), terminal)
    part = _part(load_catalogue(chosen), terminal)
    sender = _sender(part)
    receiver = _receiver(part, sender, receiver_aperture)
    distance = sender.longest_range if range_text is None else _quantity("range", range_text, "m")
    if not distance > 0.0:
        raise ValueProblem(
            f"the range is {distance / 1e3:g} km",
            place=Place(key="range"),
            right="above zero, such as 5000 km",
        )
    extra = 0.0 if extra_loss is None else _quantity("extra_loss", extra_loss, "dB")
    share = _DEFAULT_OUTAGE if outage is None else _quantity("outage", outage, "")
    return _link(part, sender, receiver, float(distance), extra, share)


def _link(
    part: Part,
    sender: OpticalTerminal,
    receiver: OpticalTerminal | Telescope,
    distance: float,
    extra: float,
    outage: float,
) -> OpticalLink:
    budget = link_budget(sender, distance, receiver, extra)
    line = float(budget.line_rate_bps)
    rates = line * 0.5 ** np.arange(HALVINGS + 1)
    reaches = closing_range(sender, receiver, extra, rate_bps=rates)
    if not reaches[-1] > 0.0:
        side_by_side = link_budget(sender, 0.0, receiver, extra)
        if float(side_by_side.jitter_loss_db) > _JITTERY_DB:
            raise ValueProblem(
                f"the link of {part.name} closes at no range: pointing jitter takes "
                f"{float(side_by_side.jitter_loss_db):.0f} dB, as it is wide beside the beam",
                place=Place(key="pointing_jitter"),
                right="less jitter, or a smaller aperture, whose beam is wider",
            )
        missing = float(sender.required_margin_db - side_by_side.margin_db)
        raise ValueProblem(
            f"the link of {part.name} closes at no range: side by side {missing:.1f} dB are missing for "
            f"{line / 1e9:g} Gbit/s",
            place=Place(key="transmit_power"),
            right="more power, a lower channel rate, or a receiver that needs fewer photons",
        )
    try:
        fade = float(fade_margin_db(sender, receiver, outage=outage))
    except ValueProblem as error:
        error.place = Place(key="outage")
        raise
    farthest = max(float(reaches[-1]), distance)
    even = np.geomspace(1e-3 * farthest, 1.25 * farthest, _POINTS)
    ranges = np.unique([*even, *reaches[reaches > even[0]], distance])
    over = link_budget(sender, ranges, receiver, extra)
    columns = (1e-3 * ranges, over.received_w, over.margin_db, over.rate_bps)
    return OpticalLink(
        terminal=part.name,
        title=part.title,
        range_km=1e-3 * distance,
        aperture_m=float(sender.aperture),
        receiver_aperture_m=float(receiver.aperture),
        transmit_power_w=float(sender.transmit_power),
        wavelength_m=float(sender.wavelength),
        efficiency=float(sender.efficiency),
        channels=int(sender.channels),
        gain_db=float(budget.gain_db),
        receiver_gain_db=float(budget.receiver_gain_db),
        confocal_range_km=1e-3 * float(budget.confocal_range),
        coupling_db=10.0 * float(np.log10(budget.coupling)),
        jitter_loss_db=float(budget.jitter_loss_db),
        other_loss_db=float(sender.other_loss_db),
        extra_loss_db=extra,
        received_w=float(budget.received_w),
        received_channel_w=float(budget.received_channel_w),
        required_w=float(budget.required_w),
        received_photons_per_bit=float(budget.received_photons_per_bit),
        photons_per_bit=float(sender.photons_per_bit),
        margin_db=float(budget.margin_db),
        required_margin_db=float(sender.required_margin_db),
        closes=bool(budget.closes),
        line_rate_bps=line,
        rate_bps=float(budget.rate_bps),
        outage=outage,
        fade_db=fade,
        closing_range_km=1e-3 * float(reaches[0]),
        reach_km=1e-3 * float(reaches[-1]),
        longest_range_km=1e-3 * float(sender.longest_range),
        acquisition_time_s=float(sender.acquisition_time),
        reacquisition_time_s=float(sender.reacquisition_time),
        steps=tuple(RateStep(float(rate), 1e-3 * float(to)) for rate, to in zip(rates, reaches, strict=True)),
        over_range=tuple(LinkAtRange(*map(float, row)) for row in zip(*columns, strict=True)),
    )


def _part(catalogue: Catalogue, name: str) -> Part:
    part = catalogue.part("terminals", name, place=Place(key="terminal"))
    if "aperture" not in part.facts:
        lasers = [each.name for each in catalogue if each.kind == "terminals" and "aperture" in each.facts]
        raise ValueProblem(
            f"{name!r} is a radio", place=Place(key="terminal"), right=f"laser terminals: {', '.join(lasers)}"
        )
    return part


def _sender(part: Part) -> OpticalTerminal:
    try:
        return terminal_from_values({key: part(key, unit) for key, unit in TERMINAL_UNITS.items()})
    except SkyhallError as error:
        error.place = Place(key=str(error.place.key).rpartition(".")[2])
        raise


def _receiver(part: Part, sender: OpticalTerminal, asked: str | None) -> OpticalTerminal | Telescope:
    """Return the other end: the same terminal, where the catalogue states its range so, else a steady telescope."""
    shipped = _part(load_catalogue(), part.name)
    if asked is None and shipped("receiver_aperture", "m") == shipped("aperture", "m"):
        return sender
    diameter = part("receiver_aperture", "m") if asked is None else _quantity("receiver_aperture", asked, "m")
    try:
        return Telescope(aperture=diameter, efficiency=sender.efficiency)
    except ValueProblem as error:
        error.place = Place(key="receiver_aperture")
        raise


def _quantity(key: str, text: str | float, unit: str) -> float:
    try:
        return parse(text, unit)
    except ValueProblem as error:
        error.place = Place(key=key)
        raise
