"""What is loaded when, and who imports whom."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import skyhall

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "skyhall"
SCIENTIFIC = {"numba", "numpy", "pint", "pyarrow", "scipy", "sgp4"}
EXTRAS = {"fastapi", "ray", "torch", "uvicorn", "xarray", "zarr"}
PURE = [
    name for name in ("orbit", "environment", "satellite", "network", "economics") if (SOURCE / name).is_dir()
]
READS_OR_WRITES = {"open", "read_bytes", "read_text", "write_bytes", "write_text", "print", "input"}


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after `statement`."""
    script = f"import sys\n{statement}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_nothing_scientific() -> None:
    statement = "import contextlib\nfrom skyhall.cli import main\nsys.argv = ['skyhall', '--help']\n"
    statement += "with contextlib.suppress(SystemExit):\n    main()"
    assert not loaded_by(statement) & (SCIENTIFIC | EXTRAS)


def test_importing_skyhall_loads_nothing_scientific_and_no_extra() -> None:
    assert not loaded_by("import skyhall") & (SCIENTIFIC | EXTRAS)


def test_every_public_name_resolves() -> None:
    assert skyhall.__all__
    for name in skyhall.__all__:
        assert getattr(skyhall, name) is not None


def test_public_names_are_listed_for_completion() -> None:
    assert set(skyhall.__all__) <= set(dir(skyhall))


def test_resolving_the_public_names_loads_no_extra() -> None:
    assert not loaded_by("import skyhall\nfor name in skyhall.__all__: getattr(skyhall, name)") & EXTRAS


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="asses"):
        _ = skyhall.asses


@pytest.mark.parametrize("package", PURE)
def test_a_pure_package_opens_no_file_and_prints_nothing(package: str) -> None:
    for path in sorted((SOURCE / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", None))
                assert called not in READS_OR_WRITES, f"{path.name}:{node.lineno} calls {called}()"


def contracts_kept(source: str, tmp_path: Path, module: str) -> bool:
    """Say whether the import contracts hold for a copy of the package with `source` added as `module`."""
    tree = tmp_path / "src"
    shutil.copytree(SOURCE, tree / "skyhall", ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "skyhall" / module).write_text(source, encoding="utf-8")
    script = "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports; "
    script += f"sys.exit(lint_imports(config_filename={str(ROOT / '.importlinter')!r}, no_cache=True))"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("orbit/added.py", "import skyhall.satellite\n"),
        ("orbit/added.py", "import skyhall.catalogue\n"),
        ("economics/added.py", "import yaml\n"),
        ("satellite/added.py", "import skyhall.files\n"),
        ("cli/added.py", "import numpy\n"),
        ("report/added.py", "import numba\n"),
        ("utilities.py", ""),
    ],
)
def test_the_contracts_turn_red_for(module: str, source: str, tmp_path: Path) -> None:
    assert not contracts_kept(source, tmp_path, module)


def test_the_contracts_allow_a_pure_package_what_stands_above_it(tmp_path: Path) -> None:
    assert contracts_kept(
        "import numpy\nimport skyhall.orbit\nimport skyhall.errors\n", tmp_path, "satellite/added.py"
    )
