"""``skyhall links``: the budget of a laser link, its rate, and how far each rate reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from skyhall.cli import show
from skyhall.cli.options import as_json, call
from skyhall.errors import Place, SkyhallError

if TYPE_CHECKING:
    from skyhall.studies import OpticalLink

__all__ = ["command"]

# The catalogue's value, or the study's, that each option stands for.
_VALUES = {
    "aperture": "aperture",
    "power": "transmit_power",
    "wavelength": "wavelength",
    "efficiency": "efficiency",
    "loss": "other_loss_db",
    "jitter": "pointing_jitter",
    "photons_per_bit": "photons_per_bit",
    "channels": "channels",
    "channel_rate": "channel_rate",
    "margin": "required_margin_db",
}
_OTHERS = {
    "terminal": "terminal",
    "range": "range",
    "receiver_aperture": "receiver_aperture",
    "extra_loss": "extra_loss_db",
    "outage": "outage",
}


@click.command("links")
@click.option("--terminal", default="optical-100g", show_default=True, help="Of the catalogue's terminals.")
@click.option(
    "--range", "range_", help='Distance, e.g. "5000 km"; default: the longest that the maker states.'
)
@click.option("--aperture", help='Diameter of the telescope at both ends, e.g. "10 cm".')
@click.option("--receiver-aperture", help="Of another telescope at the other end; it tracks without jitter.")
@click.option("--power", help='Optical, of all channels together, e.g. "5 W".')
@click.option("--wavelength", help='E.g. "1.55 um".')
@click.option("--efficiency", help="Share of the ideal gain that each telescope has, e.g. 0.8.")
@click.option("--loss", help='All other losses of the link, e.g. "3 dB".')
@click.option("--extra-loss", help="Losses on the way, such as the atmosphere's; default 0 dB.")
@click.option("--jitter", help='Standard deviation of the pointing on each axis, e.g. "1 urad".')
@click.option("--photons-per-bit", help="That the receiver needs, e.g. 10.")
@click.option("--channels", help="Wavelengths, which share the power.")
@click.option("--channel-rate", help='Of each, e.g. "100 Gbit/s".')
@click.option("--margin", help='To be kept in hand, e.g. "3 dB".')
@click.option("--outage", help="Share of time for the depth of fades by jitter; default 0.001.")
@as_json
def command(json: bool, **given: str | None) -> None:
    """Print the budget of a laser link: gain, received power, margin, rate, and how far each rate reaches.

    What no option gives is the terminal's own (`skyhall catalogue optical-100g`).
    """
    found = _link(given)
    if json:
        show.document(found)
        return
    _show(found)
    show.next_commands(*_next(found, given))


def _link(given: dict[str, str | None]) -> OpticalLink:
    from skyhall.studies import optical_link

    replaced = {key: text for name, key in _VALUES.items() if (text := given[name]) is not None}
    try:
        return optical_link(
            str(given["terminal"]),
            replaced,
            range_text=given["range_"],
            receiver_aperture=given["receiver_aperture"],
            extra_loss=given["extra_loss"],
            outage=given["outage"],
        )
    except SkyhallError as error:
        option = next((name for name, key in (_VALUES | _OTHERS).items() if key == error.place.key), None)
        if option is not None:
            typed = given["range_" if option == "range" else option] is not None
            error.place = Place(f"--{option.replace('_', '-')}") if typed else Place()
        raise


def _show(found: OpticalLink) -> None:
    show.heading(f"{found.terminal} over {_km(found.range_km)}", found.title)
    ends = f"{_aperture(found.aperture_m)}"
    if found.receiver_aperture_m != found.aperture_m:
        ends += f" to {_aperture(found.receiver_aperture_m)}"
    each = f", {_watts(found.received_channel_w)} a channel" if found.channels > 1 else ""
    rows = [
        ("gain", show.number(found.gain_db, "dB"), f"{ends} at {found.wavelength_m * 1e6:.4g} µm"),
        ("confocal range", _km(found.confocal_range_km), "up to it the beam hardly widens"),
        ("sent", show.number(found.transmit_power_w, "W", 3), _channels(found.channels)),
        ("diffraction", show.number(found.coupling_db, "dB"), "share of the beam that is caught"),
        ("pointing jitter", show.number(-found.jitter_loss_db, "dB", 3), "mean of both ends"),
        (
            "other losses",
            show.number(-found.other_loss_db - found.extra_loss_db, "dB", 3),
            f"and {show.percent(found.efficiency)} efficiency of each telescope",
        ),
        ("received", _watts(found.received_w), f"{_photons(found.received_photons_per_bit)} a bit{each}"),
        (
            "required",
            _watts(found.required_w),
            f"{_photons(found.photons_per_bit)} a bit at {_rate(found.line_rate_bps)}",
        ),
        (
            "margin",
            show.number(found.margin_db, "dB", 3),
            f"{found.required_margin_db:g} dB are to be kept in hand",
        ),
        ("rate", _rate(found.rate_bps), ""),
    ]
    show.facts(rows)
    show.put(_verdict(found))
    show.heading("How far each rate reaches", f"with {found.required_margin_db:g} dB in hand")
    show.table(
        ("rate", "up to"),
        [(_rate(step.rate_bps), _km(step.to_km) if step.to_km else "nowhere") for step in found.steps],
        right=(0, 1),
    )
    covered = "within" if found.fade_db <= found.required_margin_db else "MORE than"
    show.sentence(
        f"Fades by jitter are deeper than {show.number(found.fade_db, 'dB', 2)} for {found.outage:.3g} of the time, "
        f"{covered} the margin kept in hand. Acquisition takes {found.acquisition_time_s:g} s, after a short break "
        f"{found.reacquisition_time_s:g} s. A fleet's mesh uses the terminal up to the "
        f"{_km(found.longest_range_km)} that its maker states.",
        "dim",
    )


def _verdict(found: OpticalLink) -> Any:
    if found.closes:
        text = f"closes: up to {_km(found.closing_range_km)}"
        if found.range_km > found.longest_range_km:
            text += f"; its maker states {_km(found.longest_range_km)}"
        return show.verdict(text, good=True)
    short = found.required_margin_db - found.margin_db
    text = f"does not close at {_rate(found.line_rate_bps)}: {show.number(short, 'dB', 3)} too little; "
    if found.rate_bps:
        text += f"it carries {_rate(found.rate_bps)}, and the full rate up to {_km(found.closing_range_km)}"
    else:
        text += f"the link is down, its lowest rate reaches {_km(found.reach_km)}"
    return show.verdict(text, good=False)


def _next(found: OpticalLink, given: dict[str, str | None]) -> list[str]:
    options: dict[str, Any] = {name.rstrip("_"): text for name, text in given.items() if text is not None}
    if found.terminal == "optical-100g":
        options.pop("terminal")
    farther = f"{float(f'{1.5 * found.range_km:.2g}'):g} km"
    other = "optical-short-range" if found.terminal != "optical-short-range" else "optical-200g"
    return [
        call("links", **(options | {"range": farther})),
        call("links", terminal=other),
        call("catalogue", found.terminal),
    ]


def _km(kilometres: float) -> str:
    return show.number(kilometres, "km", 3) if kilometres < 100.0 else f"{kilometres:,.0f} km"


def _aperture(metres: float) -> str:
    if metres >= 1.0:
        return f"{metres:.3g} m"
    return f"{metres * 100.0:.3g} cm" if metres >= 0.01 else f"{metres * 1000.0:.3g} mm"


def _rate(bits_per_s: float) -> str:
    for factor, unit in ((1e12, "Tbit/s"), (1e9, "Gbit/s"), (1e6, "Mbit/s")):
        if bits_per_s >= factor:
            return f"{bits_per_s / factor:.4g} {unit}"
    return f"{bits_per_s:.4g} bit/s"


def _watts(watts: float) -> str:
    for factor, unit in ((1.0, "W"), (1e-3, "mW"), (1e-6, "µW"), (1e-9, "nW"), (1e-12, "pW")):
        if watts >= factor:
            return show.number(watts / factor, unit)
    return show.number(watts, "W")


def _photons(count: float) -> str:
    return f"{show.number(count, digits=3)} photons"


def _channels(count: int) -> str:
    return f"over {count} wavelengths" if count > 1 else "on one wavelength"
