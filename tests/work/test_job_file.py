"""The job file: what it takes, its defaults, and what it says to what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from skyhall.errors import FileProblem, SkyhallError, ValueProblem
from skyhall.work.job_file import JobFile, load_job

KINDS = ["gpt-train", "kernels"]


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_kind_alone_is_a_job_with_defaults() -> None:
    job = load_job("gpt-train", KINDS)
    assert (job.name, job.kind, job.parameters) == ("gpt-train", "gpt-train", {})
    assert (job.protect, job.executions) == ("exact", 3)
    assert (job.resources.power, job.resources.satellites, job.checkpoint.every) == (None, None, 1800.0)


def test_quantities_are_in_si_and_parameters_are_texts(tmp_path: Path) -> None:
    job = load_job(
        written(
            tmp_path,
            "kind: gpt-train\nparameters: {steps: 200, size: tiny}\nprotect: bounded\n"
            "resources: {power: 6 kW, satellites: 4}\ncheckpoint: {every: 10 min}\n",
        ),
        KINDS,
    )
    assert job.name == "mine"
    assert job.parameters == {"steps": "200", "size": "tiny"}
    assert (job.resources.power, job.resources.satellites, job.checkpoint.every) == (6000.0, 4, 600.0)
    assert job.executions == 1


def test_set_replaces_what_the_file_says(tmp_path: Path) -> None:
    path = written(tmp_path, "kind: gpt-train\nparameters: {steps: 200}\n")
    job = load_job(path, KINDS, ["steps=3", "protect=bounded", "steps = 4"])
    assert (job.parameters, job.protect) == ({"steps": "4"}, "bounded")


def test_a_job_read_back_from_json_is_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, "kind: kernels\nresources: {power: 6.6 kW}\ncheckpoint: {every: 7 min}\n")
    job = load_job(path, KINDS)
    assert JobFile.model_validate(job.model_dump(mode="json")) == job


@pytest.mark.parametrize(
    ("text", "key", "told"),
    [
        ("kind: gpt-train\nprotct: exact", "protct", "did you mean 'protect'"),
        ("kind: gpt-train\ncheckpoint: {evry: 5 min}", "checkpoint.evry", "did you mean 'every'"),
        ("kind: gpt-train\nresources: {powr: 5 kW}", "resources.powr", "did you mean 'power'"),
        ("kind: gpt-train\nresources: {power: 6}", "resources.power", "as '6 kW'"),
        ("kind: gpt-train\nresources: {power: 6 km}", "resources.power", "as '6 kW'"),
        ("kind: gpt-train\nresources: {power: -6 kW}", "resources.power", "greater than 0"),
        ("kind: gpt-train\nresources: {satellites: 0}", "resources.satellites", "greater than or equal to 1"),
        ("kind: gpt-train\ncheckpoint: {every: 600}", "checkpoint.every", "as '30 min'"),
        ("kind: gpt-train\nprotect: exakt", "protect", "'exact', 'bounded' or 'none'"),
        ("kind: gpt-train\ncopies: 1", "copies", "2 or 3 copies"),
        ("kind: gpt-train\ncopies: 2\nprotect: bounded", "copies", "compared only at exact"),
        ("kind: gpt-trian", "kind", "did you mean 'gpt-train'"),
        ("protect: exact", "kind", "is missing"),
        ("kind: gpt-train\nname: ../other", "name", "without slashes"),
        ("kind: gpt-train\nparameters: [1, 2]", "parameters", "as keys"),
        ("- kind: gpt-train", None, "is no job"),
        ("", None, "is no job"),
        ("kind: [a", None, "is not YAML"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(
    tmp_path: Path, text: str, key: str | None, told: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ValueProblem) as found:
        load_job(path, KINDS)
    error = found.value
    assert (error.place.file, error.place.key) == (str(path), key)
    assert told in f"{error.what} | {error.right}"


@pytest.mark.parametrize(
    ("source", "sets", "where", "told"),
    [
        ("gpt-trian", [], "", "did you mean 'gpt-train'"),
        ("gpt-train", ["steps"], "--set", "KEY=VALUE"),
        ("gpt-train", ["protect=exakt"], "--set protect", "'bounded'"),
        ("gpt-train", ["copies=two"], "--set copies", "integer"),
    ],
)
def test_what_was_typed_wrongly_is_named(source: str, sets: list[str], where: str, told: str) -> None:
    with pytest.raises(ValueProblem) as found:
        load_job(source, KINDS, sets)
    assert str(found.value.place) == where
    assert told in f"{found.value.what} | {found.value.right}"


def test_a_file_that_is_not_there_is_a_matter_of_files(tmp_path: Path) -> None:
    with pytest.raises(FileProblem) as found:
        load_job(tmp_path / "none.yaml", KINDS)
    assert isinstance(found.value, SkyhallError)
    assert "kind of job" in str(found.value.right)
