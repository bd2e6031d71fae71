"""``skyhall schema``: the JSON Schema of a scenario, or of a job file."""

from __future__ import annotations

import click

from skyhall.cli import show
from skyhall.cli.options import as_json

__all__ = ["command"]


@click.command("schema")
@click.argument("of", type=click.Choice(["scenario", "job"]), default="scenario")
@as_json
def command(of: str, json: bool) -> None:
    """Print the JSON Schema of a scenario, or of the job files of `skyhall run`, for editors and programs."""
    if of == "job":
        from skyhall.work.job_file import JobFile

        show.document(JobFile.model_json_schema())
    else:
        from skyhall.scenario import json_schema

        show.document(json_schema())
    if not json:
        show.next_commands(
            f"skyhall schema {of} > {of}.schema.json", "skyhall init my-fleet", "skyhall run --list", err=True
        )
