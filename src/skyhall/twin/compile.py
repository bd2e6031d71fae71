"""From the formulas' plain Python to one compiled kernel, cached under a digest of every source it comes from.

Numba's own cache looks at one file only and would return old numbers after a formula changed in another module. So
the sources of the formulas and of the tile loops are joined into one generated module whose folder is named by
their digest.
In the functions that run in single precision every float constant becomes a float32, which is how Numba keeps the
whole loop in vector lanes of single width; the formulas themselves stay as NumPy sees them.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from skyhall import constants
from skyhall.environment import globe_cells
from skyhall.orbit import shadow
from skyhall.satellite import battery, heat, solar_array
from skyhall.twin import tile

__all__ = ["kernel", "kernel_source"]

_FORMULAS = (shadow, globe_cells, solar_array, battery, heat)
_DOUBLE = {"step_orbit", "aim", "gather", "fly_tiles", "add_some", "keep"}
_SINGLE_TILE = {
    "step_light",
    "step_array",
    "step_power",
    "step_totals",
    "step_heat",
    "step_upsets",
    "take_upsets",
}
_HEADER = '''"""Generated from Skyhall's formulas; rebuilt when any of them changes."""
from typing import Final
import numpy as np
from numba import get_thread_id, njit, prange
'''


def kernel_source(sources: Iterable[str] | None = None) -> str:
    """Return the generated module's text; `sources` (for tests) replaces the formulas' modules and the tile's."""
    texts = (
        list(sources) if sources is not None else [inspect.getsource(module) for module in (*_FORMULAS, tile)]
    )
    parts = [_HEADER, _constants()]
    parts += [_formulas(ast.parse(text)) for text in texts[:-1]]
    parts.append(_tile(ast.parse(texts[-1])))
    return "\n".join(parts)


@cache
def kernel() -> Callable[..., Any]:
    """Return the compiled `fly_tiles`; from the cache where one is writable, else compiled for this process."""
    text = kernel_source()
    module = _from_cache(text) or _in_memory(text)
    compiled: Callable[..., Any] = module.fly_tiles
    return compiled


def _from_cache(text: str) -> ModuleType | None:
    import numba

    digest = hashlib.sha256(f"{sys.version}{numba.__version__}{text}".encode()).hexdigest()[:20]
    root = Path(os.environ.get("SKYHALL_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "skyhall" / f"kernel-{digest}"
    path = folder / "skyhall_kernel.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text.replace("CACHE", "True"):
            with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".py", delete=False) as stream:
                stream.write(text.replace("CACHE", "True"))
            Path(stream.name).replace(path)
        specification = importlib.util.spec_from_file_location("skyhall_kernel", path)
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        sys.modules["skyhall_kernel"] = module
        specification.loader.exec_module(module)
    except (OSError, RuntimeError):  # Numba raises RuntimeError where it finds no place for its cache
        return None
    return module


def _in_memory(text: str) -> ModuleType:
    module = ModuleType("skyhall_kernel")
    exec(compile(text.replace("CACHE", "False"), "<skyhall kernel>", "exec"), module.__dict__)
    return module


def _constants() -> str:
    tree = ast.parse(inspect.getsource(constants))
    lines: list[ast.stmt] = [node for node in tree.body if isinstance(node, ast.AnnAssign)]
    return ast.unparse(ast.Module(lines, []))


def _formulas(tree: ast.Module) -> str:
    """Keep constants and functions of plain arithmetic; the functions in single precision."""
    kept: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            kept.append(f"{node.target.id} = {ast.unparse(node.value)}")
        elif isinstance(node, ast.FunctionDef) and _is_formula(node):
            kept.append(_function(node, single=True))
    return "\n".join(kept)


def _is_formula(node: ast.FunctionDef) -> bool:
    """Whether the function uses only the arithmetic that NumPy and the compiled loop share."""
    allowed = {"sqrt", "minimum", "maximum", "abs", "copysign"}
    if node.args.kwonlyargs or node.args.defaults:
        return False
    for part in ast.walk(ast.Module(node.body, [])):
        if isinstance(part, ast.Attribute) and part.attr not in allowed:
            return False
        if isinstance(
            part, (ast.If, ast.For, ast.While, ast.IfExp, ast.Subscript, ast.Raise, ast.Pow, ast.Tuple)
        ):
            return False
    return True


def _tile(tree: ast.Module) -> str:
    kept: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Assign):
            kept.append(ast.unparse(node))
        elif isinstance(node, ast.FunctionDef):
            if node.name not in _DOUBLE | _SINGLE_TILE:
                raise AssertionError(f"{node.name}: say in which precision it runs")
            kept.append(_function(node, single=node.name in _SINGLE_TILE, parallel=node.name == "fly_tiles"))
    return "\n".join(kept)


def _function(node: ast.FunctionDef, *, single: bool, parallel: bool = False) -> str:
    bare = ast.parse(ast.unparse(node)).body[0]
    assert isinstance(bare, ast.FunctionDef)
    bare.returns = None
    for argument in bare.args.args:
        argument.annotation = None
    if ast.get_docstring(bare) is not None:
        bare.body = bare.body[1:]
    bare = _Plain(single).visit(bare)
    options = "fastmath=True, error_model='numpy'" + (", parallel=True, cache=CACHE" if parallel else "")
    return f"@njit({options})\n{ast.unparse(ast.fix_missing_locations(bare))}"


class _Plain(ast.NodeTransformer):
    """Drop annotations; in single precision turn float constants and upper-case float names into float32."""

    def __init__(self, single: bool) -> None:
        self.single = single

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        assert node.value is not None
        return self.visit(ast.Assign([node.target], node.value, lineno=node.lineno))  # type: ignore[no-any-return]

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return self._narrow(node) if self.single and isinstance(node.value, float) else node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        name = node.id.lstrip("_")
        is_number = name.isupper() and not hasattr(tile, node.id)
        return self._narrow(node) if self.single and is_number and isinstance(node.ctx, ast.Load) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "float32":
            return node
        return self.generic_visit(node)

    @staticmethod
    def _narrow(node: ast.expr) -> ast.Call:
        return ast.Call(ast.Attribute(ast.Name("np", ast.Load()), "float32", ast.Load()), [node], [])
