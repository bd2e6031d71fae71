"""``skyhall init``: a commented scenario to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from skyhall.cli import show
from skyhall.cli.options import as_json
from skyhall.errors import FileProblem, Place

__all__ = ["command"]


@click.command("init")
@click.argument("name")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@as_json
def command(name: str, force: bool, json: bool) -> None:
    """Write NAME.yaml, a commented scenario that runs as it stands."""
    from skyhall.files import write_text
    from skyhall.scenario import template

    wanted = Path(name)
    path = wanted if wanted.suffix in {".yaml", ".yml"} else Path(f"{name}.yaml")
    text = template(path.stem)
    if path.exists() and not force:
        raise FileProblem(
            "is there already", place=Place(str(path)), right="choose another name, or add --force"
        )
    write_text(path, text)
    if json:
        show.document({"file": path, "name": path.stem})
        return
    show.sentence(f"wrote {path}")
    show.next_commands(
        f"skyhall assess {path}",
        f"skyhall assess {path} --set orbit.shells.0.altitude='1200 km' --out runs/higher",
        "skyhall catalogue accelerators",
    )
