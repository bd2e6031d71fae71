"""Build the wheel, install it into a clean environment, and try there what its users will try first.

The wheel must hold every file of the package and nothing else, every console script must answer ``--help``,
and every block of the README must run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

ENTRY_POINTS = """
from importlib.metadata import distribution
for point in distribution("skyhall").entry_points:
    if point.group == "console_scripts":
        print(point.name)
"""


def call(*command: str | Path, cwd: Path) -> str:
    """Run `command` in `cwd` without our Python settings and return what it printed; exit when it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\nexit code {done.returncode}\n{done.stdout}")
    return done.stdout


def build(folder: Path) -> Path:
    """Build the wheel into `folder`, check what it holds and return its path."""
    call(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    strangers = sorted({name.split("/")[0] for name in held if not name.startswith("skyhall")})
    if strangers:
        sys.exit(f"the wheel would install at top level: {', '.join(strangers)}")
    source = ROOT / "src"
    wanted = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".nbi", ".nbc"}
    }
    missing = sorted(wanted - held)
    if missing:
        sys.exit(f"the wheel lacks: {', '.join(missing)}")
    print(f"{wheel.name}: {len(held)} files, {wheel.stat().st_size / 1e3:.0f} kB")
    return wheel


def main() -> int:
    """Build, install, try."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    with tempfile.TemporaryDirectory(prefix="skyhall-wheel-") as name:
        folder = Path(name)
        wheel = build(folder)
        call(sys.executable, "-m", "venv", folder / "clean", cwd=folder)
        python = folder / "clean" / "bin" / "python"
        pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
        call(*pip, "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel, cwd=folder)
        call(*pip, "check", cwd=folder)
        for script in call(python, "-c", ENTRY_POINTS, cwd=folder).split():
            call(python.parent / script, "--help", cwd=folder)
            print(f"ok      {script} --help")
        print(call(python, ROOT / "tools" / "run_docs_blocks.py", ROOT / "README.md", cwd=folder), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
