"""The job file: what to run, how it is protected, what it needs; YAML near what schedulers on the ground take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    field_validator,
)

from skyhall.errors import FileProblem, Place, ValueProblem, did_you_mean
from skyhall.files import read_text
from skyhall.units import parse

__all__ = ["JobFile", "load_job"]

_OWN = ("protect", "copies")  # of --set: keys of the file itself; all others are the job's parameters


def _parsed(value: object, unit: str, right: str) -> float:
    try:
        return parse(value, unit)
    except ValueProblem as error:
        raise ValueError(f"{error.what}|{right}") from None  # pydantic adds the key, `_told` parts them


_Power = Annotated[
    float,
    BeforeValidator(lambda value: _parsed(value, "W", "write a power, as '6 kW'")),
    PlainSerializer(lambda value: f"{value!r} W", when_used="json-unless-none"),
    WithJsonSchema({"type": "string", "examples": ["6 kW"]}),
]
_Time = Annotated[
    float,
    BeforeValidator(lambda value: _parsed(value, "s", "write a time, as '30 min'")),
    PlainSerializer(lambda value: f"{value!r} s", when_used="json-unless-none"),
    WithJsonSchema({"type": "string", "examples": ["30 min"]}),
]


class _Resources(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    power: _Power | None = Field(
        None, gt=0.0, description="IT power that it needs; default one accelerator's"
    )
    satellites: int | None = Field(None, ge=1, description="to run on; default the copies and two more")


class _Checkpoint(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    every: _Time = Field(1800.0, gt=0.0, description="simulated time between two checkpoints")


class JobFile(BaseModel):
    """A job as it is asked for.

    `parameters` are the kind's own; their values are texts, as `--set` gives them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="of the run's folder")
    kind: str = Field(description="of job, as `skyhall run --list` shows them")
    parameters: dict[str, str] = Field(default_factory=dict, description="of the kind")
    protect: Literal["exact", "bounded", "none"] = Field("exact", description="level of protection")
    copies: int | None = Field(
        None, ge=1, description="executions on different satellites; default 3 at exact, else 1"
    )
    resources: _Resources = Field(default_factory=_Resources)
    checkpoint: _Checkpoint = Field(default_factory=_Checkpoint)

    @field_validator("name")
    @classmethod
    def _no_path(cls, value: str) -> str:
        if not value.strip() or "/" in value or value in (".", ".."):
            raise ValueError(f"'{value}' is no name of a folder|write a name without slashes")
        return value

    @field_validator("parameters", mode="before")
    @classmethod
    def _texts(cls, value: object) -> object:
        return {str(key): str(each) for key, each in value.items()} if isinstance(value, Mapping) else value

    @property
    def executions(self) -> int:
        """Copies that run on satellites of their own."""
        return self.copies or (3 if self.protect == "exact" else 1)


def load_job(source: str | Path, kinds: Sequence[str], sets: Sequence[str] = ()) -> JobFile:
    """Return the job of a file, or of a kind's name with its defaults.

    Parameters
    ----------
    source : a kind's name, or a YAML file.
    kinds : that there are.
    sets : texts ``key=value``: protect, copies, or one of the kind's parameters.

    Raises
    ------
    FileProblem
        When the file cannot be read.
    ValueProblem
        For what is not YAML, an unknown key or kind, or a wrong value; says where.
    """
    where = str(source)
    raw: Any = {"name": where, "kind": where}
    if where not in kinds:
        if not Path(source).suffix and not Path(source).exists():
            raise ValueProblem(
                f"there is no job '{where}'", right=f"{did_you_mean(where, kinds)} Or name a YAML file."
            )
        raw = _yaml(Path(source))
    if not isinstance(raw, dict):
        raise ValueProblem("is no job", place=Place(where), right="write keys such as kind: gpt-train")
    raw = {"name": Path(source).stem, **raw}
    given = raw.get("parameters") or {}
    if not isinstance(given, dict):
        raise ValueProblem(
            "are no parameters",
            place=Place(where, "parameters"),
            right="write them as keys, such as steps: 200",
        )
    raw["parameters"] = dict(given)
    for text in sets:
        key, found, value = text.partition("=")
        if not found or not key.strip():
            raise ValueProblem(f"'{text}' sets nothing", place=Place("--set"), right="write KEY=VALUE")
        (raw if key.strip() in _OWN else raw["parameters"])[key.strip()] = value.strip()
    try:
        job = JobFile.model_validate(raw)
    except ValidationError as error:
        raise _told(error, where, sets) from None
    if job.kind not in kinds:
        raise ValueProblem(
            f"there is no kind of job '{job.kind}'",
            place=Place(where, "kind"),
            right=did_you_mean(job.kind, kinds),
        )
    if job.protect == "exact" and job.executions < 2:
        raise ValueProblem(
            "one copy has nothing to be compared with",
            place=Place(where, "copies"),
            right="2 or 3 copies at exact",
        )
    if job.protect != "exact" and job.executions > 1:
        raise ValueProblem(
            f"{job.executions} copies are compared only at exact",
            place=Place(where, "copies"),
            right="protect: exact, or 1 copy",
        )
    return job


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise ValueProblem(
            f"is not YAML ({getattr(error, 'problem', None) or 'cannot be read'})",
            place=Place(str(path), line=line),
        ) from None
    except FileProblem as error:
        error.right = "name a job file, or a kind of job"
        raise


def _told(error: ValidationError, where: str, sets: Sequence[str]) -> ValueProblem:
    """Return the first thing that is wrong."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    typed = {text.partition("=")[0].strip() for text in sets}
    place = Place("--set" if key in typed else where, key)
    if first["type"] == "extra_forbidden":
        section, _, name = key.rpartition(".")
        models: dict[str, type[BaseModel]] = {"resources": _Resources, "checkpoint": _Checkpoint}
        known = models.get(section, JobFile).model_fields
        return ValueProblem("is no key of a job", place=place, right=did_you_mean(name, known))
    if first["type"] == "missing":
        return ValueProblem("is missing", place=place, right="write kind: and the name of a kind of job")
    what, parted, right = str(first["msg"]).removeprefix("Value error, ").partition("|")
    if not parted:
        what, right = f"{first['input']!r} is not right", f"it {what.removeprefix('Input ')}"
    return ValueProblem(what, place=place, right=right)
