"""Loading a scenario: built-in name, file or mapping, one base, overrides; every value remembers where it stood."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from skyhall.errors import FileProblem, Place, SkyhallError, ValueProblem, did_you_mean
from skyhall.files import read_text
from skyhall.scenario.catalogue_overrides import check_overrides
from skyhall.scenario.models import NAME, NAME_IN_WORDS, Scenario

__all__ = ["builtin_names", "builtin_text", "load", "resolved_yaml", "template"]

_Tree = dict[str, Any]
_Places = dict[str, Place]

_DEEPEST = 20  # levels of a file
_MOST_VALUES = 50_000  # of a file; aliases count each time, or ten lines could fill the memory
_SHAPES = {
    "model_type": "a section of keys",
    "model_attributes_type": "a section of keys",
    "dict_type": "a section of keys",
    "list_type": "a list",
    "tuple_type": "a list",
}
_LARGEST_INTEGER = 2**63


def builtin_names() -> list[str]:
    """Return the names of the scenarios that ship with Skyhall, the default first."""
    folder = resources.files("skyhall.scenario") / "scenarios"
    names = sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )
    return sorted(names, key=lambda name: name != "dawn-dusk-200mw")


def builtin_text(name: str) -> str:
    """Return the YAML of a built-in scenario; `ValueProblem` with "did you mean" when there is none."""
    names = builtin_names()
    if name not in names:
        raise ValueProblem(f"there is no scenario '{name}'", right=did_you_mean(name, names))
    return (resources.files("skyhall.scenario") / "scenarios" / f"{name}.yaml").read_text("utf-8")


def template(name: str) -> str:
    """Return a commented scenario of some 30 lines called `name`, to begin with."""
    if not re.fullmatch(NAME, name):
        raise ValueProblem(f"'{name}' cannot be a scenario's name", right=NAME_IN_WORDS)
    text = (resources.files("skyhall.scenario") / "template.yaml").read_text("utf-8")
    return text.replace("NAME", name)


def load(source: str | Path | Mapping[str, Any], *, overrides: Sequence[str] = ()) -> Scenario:
    """Return the checked, frozen scenario.

    Parameters
    ----------
    source : name of a built-in scenario, path of a YAML file, or a mapping of the same shape.
    overrides : texts ``section.key=value``, applied last.

    Raises
    ------
    ValueProblem : unknown key, wrong unit, impossible value; with file, key, line and what would be right.
    FileProblem : a file that cannot be read, or is not YAML.
    """
    places: _Places = {}
    tree = _plain(dict(source)) if isinstance(source, Mapping) else _read(str(source), places, seen=())
    for override in overrides:
        _apply(tree, override, places)
    return _check(tree, places)


def resolved_yaml(scenario: Scenario) -> str:
    """Return the scenario as YAML with every default filled in; loading it gives an equal scenario."""
    return yaml.safe_dump(
        scenario.model_dump(mode="json", by_alias=True, exclude_none=True),
        sort_keys=False,
        allow_unicode=True,
    )


def _read(source: str, places: _Places, seen: tuple[str, ...]) -> _Tree:
    if source in seen:
        raise ValueProblem(
            "the scenario extends itself", place=Place(source, "extends"), right="name another base"
        )
    if len(seen) > 1:
        raise ValueProblem(
            "a base may not extend another", place=Place(seen[-1], "extends"), right="extend it directly"
        )
    path = Path(source)
    looks_like_file = path.suffix in {".yaml", ".yml"} or "/" in source or _is_file(path)
    text = read_text(path) if looks_like_file else builtin_text(source)
    tree = _parse(text, source if looks_like_file else f"scenario {source}", places)
    if looks_like_file:
        _take_from_file(tree, path)
    base = tree.pop("extends", None)
    if base is None:
        return tree
    if not isinstance(base, str):
        raise ValueProblem(
            "extends names one base",
            place=places.get("extends"),
            right="write, for example, extends: geo-1gw",
        )
    if looks_like_file and _is_file(path.parent / base):
        base = str(path.parent / base)
    base_places: _Places = {}
    merged = _merge(_read(base, base_places, (*seen, source)), tree)
    for key, place in base_places.items():
        places.setdefault(key, place)
    return merged


def _is_file(path: Path) -> bool:
    """Return whether there is such a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _take_from_file(tree: _Tree, path: Path) -> None:
    """Name a nameless scenario after its file, and look for its element sets beside it first."""
    if "name" not in tree and re.fullmatch(NAME, path.stem):
        tree["name"] = path.stem
    orbit = tree.get("orbit")
    elements = orbit.get("elements") if isinstance(orbit, dict) else None
    if isinstance(orbit, dict) and isinstance(elements, str) and _is_file(path.parent / elements):
        orbit["elements"] = str(path.parent / elements)


def _parse(text: str, file: str, places: _Places) -> _Tree:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise FileProblem("is nested too deeply", place=Place(file)) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        problem = getattr(error, "problem", None) or str(error).split("\n", maxsplit=1)[0]
        raise FileProblem(
            f"is not YAML: {problem}", place=Place(file, line=line), right="check indentation and quotes"
        ) from None
    if node is None:
        raise ValueProblem(
            "is empty", place=Place(file), right="`skyhall init NAME` writes one to begin with"
        )
    tree = _build(node, file, "", places, depth=0)
    if isinstance(tree, dict):
        # An empty section ("work:") asks for its defaults.
        tree = {key: value for key, value in tree.items() if value is not None}
    else:
        raise ValueProblem(
            "is not a mapping of sections", place=Place(file), right="begin with 'schema: skyhall/v1'"
        )
    return tree


def _build(node: yaml.Node, file: str, key: str, places: _Places, depth: int) -> Any:
    if depth > _DEEPEST or len(places) > _MOST_VALUES:
        what = "is nested too deeply" if depth > _DEEPEST else f"has more than {_MOST_VALUES:,} values"
        raise ValueProblem(
            what, place=Place(file, key, node.start_mark.line + 1), right="see `skyhall schema`"
        )
    places[key] = Place(file, key or None, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        tree: _Tree = {}
        for name_node, value_node in node.value:
            name = str(name_node.value)
            inner = f"{key}.{name}" if key else name
            if name in tree:
                raise ValueProblem(
                    "is given twice",
                    place=Place(file, inner, name_node.start_mark.line + 1),
                    right="keep one",
                )
            tree[name] = _build(value_node, file, inner, places, depth + 1)
        return tree
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, file, f"{key}.{i}", places, depth + 1) for i, item in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node.value, plain=node.style is None)


def _scalar(text: str, *, plain: bool) -> Any:
    """Numbers, booleans and null of plain scalars; everything else stays the text that was written (06:00, dates)."""
    if not plain:
        return text
    if text in {"", "~", "null"}:
        return None
    if text in {"true", "false"}:
        return text == "true"
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if abs(value) < _LARGEST_INTEGER or (kind is float and math.isfinite(value)) else text
    return text


def _merge(base: _Tree, over: _Tree) -> _Tree:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _apply(tree: _Tree, override: str, places: _Places) -> None:
    key, equals, text = override.partition("=")
    key = key.strip()
    place = Place("--set", key or None)
    if not equals or not key:
        raise ValueProblem(
            f"{override!r} is not key=value",
            place=Place("--set"),
            right="write, for example, --set launch.price='200 USD/kg'",
        )
    here: Any = tree
    *path, last = key.split(".")
    for i, name in enumerate(path):
        here = _descend(here, name, path[i + 1] if i + 1 < len(path) else last, place)
    value = _scalar(text.strip(), plain=True)
    if isinstance(here, list):
        here[_index(here, last, place)] = value
    else:
        here[last] = value
    for old in [old for old in places if old == key or old.startswith(key + ".")]:
        del places[old]
    places[key] = place


def _descend(here: Any, name: str, following: str, place: Place) -> Any:
    default: Any = [{}] if following == "0" else {}
    if isinstance(here, list):
        inner = here[_index(here, name, place)]
    elif here.get(name) is None:
        inner = here[name] = default
    else:
        inner = here[name]
    if not isinstance(inner, (dict, list)):
        raise ValueProblem(f"'{name}' has no keys of its own", place=place, right="see `skyhall schema`")
    return inner


def _index(items: list[Any], name: str, place: Place) -> int:
    if not name.isdecimal() or int(name) >= len(items):
        raise ValueProblem(
            f"'{name}' is not an index below {len(items)}", place=place, right="the first entry is 0"
        )
    return int(name)


def _check(tree: _Tree, places: _Places) -> Scenario:
    try:
        scenario = Scenario.model_validate(tree)
    except ValidationError as error:
        raise _problem(error, places) from None
    except RecursionError:
        raise ValueProblem("is nested too deeply") from None
    scenario._places.update(places)
    check_overrides(scenario.catalogue, scenario.place)
    return scenario


def _problem(error: ValidationError, places: _Places) -> SkyhallError:
    first = error.errors(include_url=False)[0]
    steps = [str(step) for step in first["loc"] if not str(step).startswith("function-")]
    known = [step for step in steps if step not in {"str", "float", "int", "constrained-str"}]
    key = ".".join(known)
    place = places.get(key) or Place(places[""].file if "" in places else None, key or None)
    if first["type"] == "extra_forbidden":
        key = ".".join(steps)
        place = places.get(key) or Place(place.file, key)
        return ValueProblem(
            f"unknown key {steps[-1]!r}", place=place, right=did_you_mean(steps[-1], _fields(steps[:-1]))
        )
    if first["type"] in _SHAPES:
        return ValueProblem(
            f"{first.get('input')!r} is not right: it must be {_SHAPES[first['type']]}",
            place=place,
            right="see `skyhall schema`",
        )
    what, _, right = str(first["msg"]).removeprefix("Value error, ").partition("|")
    if not right:
        what = f"{first.get('input')!r} is not right: {what.lower()}"
        right = "see `skyhall schema`"
    return ValueProblem(what, place=place, right=right)


def _fields(path: list[str]) -> list[str]:
    model: Any = Scenario
    for step in path:
        if step.isdigit():
            continue
        annotation = model.model_fields[step].annotation
        arguments = [item for item in getattr(annotation, "__args__", ()) if hasattr(item, "model_fields")]
        model = arguments[0] if arguments else annotation
        if not hasattr(model, "model_fields"):
            return []
    return [field.alias or name for name, field in model.model_fields.items()] + ([] if path else ["extends"])
