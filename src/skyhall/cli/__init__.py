"""The command line: one thin module per verb.

It takes arguments, calls the chain and shows what came back, as tables or, with ``--json``, as one document.
It holds no physics and no prices. A verb's module is imported only when the verb is called, so that
``skyhall --help`` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from skyhall.cli.outcome import exit_code_of, finish, interrupts
from skyhall.errors import did_you_mean

__all__ = ["VERBS", "Verbs", "main", "program"]

VERBS = {
    "assess": "the whole chain on a scenario: design, year in orbit, price beside the ground",
    "scenarios": "list the built-in scenarios; with a name, its YAML",
    "catalogue": "list the catalogue's parts; with a name, its values and sources",
    "design": "size the satellites of a scenario: mass, power and heat budgets",
    "radiation": "dose, upsets and the South Atlantic Anomaly on one orbit",
    "orbit": "a year of light on one orbit: sunlit share, seasons, eclipses month by month",
    "links": "a laser link between terminals: budget, margin, and how far each rate reaches",
    "contacts": "passes over ground sites: rise, set, highest elevation, bits",
    "latency": "delay between cities over laser links, beside fibre",
    "simulate": "fly a scenario's fleet on the twin",
    "compare": "scenarios or earlier runs side by side",
    "inject": "flip bits of a model: what comes of it, and what protection finds and repairs",
    "run": "a real job on processes that live like satellites: dusk, kills, bit flips, and a proof",
    "bench": "kernels of on-board processing: right, how fast, and what protection costs",
    "rules": "what regulators and neighbours ask of a fleet: value, limit, pass or fail",
    "validate": "published cases: published, ours, difference, tolerance",
    "schema": "the JSON Schema of a scenario",
    "init": "write a commented scenario to begin with",
}


class Verbs(click.Group):
    """The program: finds a verb's module when it is called, and ends every way out with the right exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the verb's command, imported now; None when there is no such verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"skyhall.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; an unknown one is an error that names the nearest."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise click.UsageError(f"there is no verb '{args[0]}'; {did_you_mean(args[0], VERBS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from the table, without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def main(  # type: ignore[override]  # it always ends the program, whatever click's standalone mode says
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run the verb that `args` name and exit with its code."""
        given = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False

        def run() -> object:
            return super(Verbs, self).main(given, prog_name or "skyhall", **extra)

        sys.exit(finish(exit_code_of(run, json="--json" in given, arguments=given)))


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"skyhall {version('skyhall')}")
        context.exit()


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Begin with `skyhall assess`. Each verb has its own --help; --json prints one document for machines.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.pass_context
def program(context: click.Context) -> None:
    """Skyhall: the software of a data centre in orbit, from sunlight to invoice."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> NoReturn:
    """Run the command line with the arguments of this process."""
    with interrupts():
        program.main()
