"""``skyhall scenarios``: what ships, and its YAML."""

from __future__ import annotations

import click

from skyhall.cli import show
from skyhall.cli.options import as_json

__all__ = ["command"]


@click.command("scenarios")
@click.argument("name", required=False)
@as_json
def command(name: str | None, json: bool) -> None:
    """List the built-in scenarios; with NAME, print its YAML."""
    from skyhall.scenario import builtin_names, builtin_text, load

    if name is not None:
        text = builtin_text(name)
        if json:
            show.document({"name": name, "yaml": text})
            return
        click.echo(text, nl=False)
        show.next_commands(
            f"skyhall assess {name}", f"skyhall scenarios {name} > mine.yaml", "skyhall schema", err=True
        )
        return
    found = [load(each) for each in builtin_names()]
    if json:
        show.document([{"name": each.name, "description": each.description} for each in found])
        return
    show.table(("scenario", "what it asks"), [(each.name, each.description) for each in found])
    show.next_commands("skyhall assess starcloud-1", "skyhall scenarios starcloud-1", "skyhall init my-fleet")
