"""``skyhall schema``: the JSON Schema of a scenario."""

from __future__ import annotations

import click

from skyhall.cli import show
from skyhall.cli.options import as_json

__all__ = ["command"]


@click.command("schema")
@as_json
def command(json: bool) -> None:
    """Print the JSON Schema of a scenario, for editors and programs."""
    from skyhall.scenario import json_schema

    show.document(json_schema())
    if not json:
        show.next_commands(
            "skyhall schema > scenario.schema.json", "skyhall init my-fleet", "skyhall scenarios", err=True
        )
