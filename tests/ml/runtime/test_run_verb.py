"""``skyhall run``: the document of the contract, what it shows, what it continues, and what it says to wrong values."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from skyhall.cli import program
from skyhall.runtime.journal import read_journal

pytestmark = pytest.mark.ml
KEYS = ["identical", "digest", "reference_digest", "steps", "validation_loss", "eclipses", "moves", "kills"]
KEYS += ["faults", "wall_s", "joules_per_verified_step", "record"]
TINY = ("--set", "size=tiny", "--set", "steps=12", "--scenario", "suncatcher-81", "--duration", "6 h")


def call(*args: str) -> Result:
    return CliRunner().invoke(program, ["run", *args])


def answer(*args: str) -> Any:
    result = call(*args, "--json")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.stdout)


def refusal(*args: str) -> str:
    """Return what and where of an error that is the user's."""
    result = call(*args, "--json")
    assert result.exit_code == 2, (result.stdout, result.stderr)
    assert result.stdout == ""
    error = json.loads(result.stderr)
    return f"{error['file']} {error['key']} | {error['what']} | {error['right']}"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A run at exact with two copies, ten flips and a kill: its folder and its document."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    flown = ("--faults", "10", "--kill", "any@50 %", "--satellites", "3", "--set", "copies=2")
    return folder, answer("gpt-train", *TINY, *flown, "--out", str(folder))


def test_the_document_is_that_of_the_contract(ended: tuple[Path, Any]) -> None:
    folder, document = ended
    assert set(KEYS) <= set(document)
    assert list(document["faults"]) == ["injected", "detected", "corrected", "redone", "uncovered"]
    assert document["identical"] is True
    assert document["digest"] == document["reference_digest"]
    assert (document["steps"], document["kills"]) == (12, 1)
    assert document["faults"]["injected"] > 0
    assert 3.0 < document["validation_loss"] < 5.0  # twelve steps from ln 100
    assert document["wall_s"] > 0.0
    assert document["joules_per_verified_step"] > 0.0
    assert document["record"] == str(folder)


def test_the_record_says_what_was_asked_and_what_each_round_gave(ended: tuple[Path, Any]) -> None:
    folder, document = ended
    asked = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert (asked["options"]["faults"], asked["options"]["kills"], asked["units"]) == (10.0, ["any@50 %"], 12)
    assert json.loads((folder / "evidence.json").read_text(encoding="utf-8")) == document
    rows = json.loads((folder / "digests.json").read_text(encoding="utf-8"))
    assert [row["digests"] for row in rows] == [row["undisturbed"] for row in rows]
    assert (rows[0]["done"], rows[-1]["done"]) == (0, 12)
    assert rows[-1]["digests"] == [document["digest"]]
    assert (folder / "result.checkpoint").read_bytes()[-32:].hex() == document["digest"]
    assert read_journal(folder / "journal.jsonl")


def test_a_run_whose_coordinator_ended_is_continued(ended: tuple[Path, Any], tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(ended[0], folder)
    for name in ("evidence.json", "digests.json", "result.checkpoint"):
        (folder / name).unlink()
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "journal.jsonl").write_bytes(b"".join(lines[: len(lines) // 2]) + b'{"kind": "tor')
    asked = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    asked["options"]["reference"] = False  # it is known already
    (folder / "run.json").write_text(json.dumps(asked), encoding="utf-8")
    lived = (read_journal(folder / "journal.jsonl")[-1].time - asked["start_s"]) / asked["options"]["speedup"]
    document = answer("--resume", str(folder))
    assert document["identical"] is None
    assert document["digest"] == ended[1]["digest"]
    assert document["coordinator_restarts"] == 1
    assert document["wall_s"] > lived > 0.0
    assert json.loads((folder / "run.json").read_text(encoding="utf-8")) == asked


@pytest.fixture
def cut(ended: tuple[Path, Any], tmp_path: Path) -> Path:
    """A run that was begun and not ended, as far as its folder tells."""
    folder = tmp_path / "cut"
    shutil.copytree(ended[0], folder)
    (folder / "evidence.json").unlink()
    return folder


def test_a_run_that_was_begun_by_another_version_is_not_resumed(cut: Path) -> None:
    asked = json.loads((cut / "run.json").read_text(encoding="utf-8"))
    (cut / "run.json").write_text(json.dumps(asked | {"skyhall": "0.0.1", "units": 13}), encoding="utf-8")
    said = refusal("--resume", str(cut))
    assert "skyhall 0.0.1, now" in said
    assert "units 13, now 12" in said


def test_a_text_that_was_changed_meanwhile_is_not_trained_on(cut: Path, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("to be, or not to be " * 100, encoding="utf-8")
    asked = json.loads((cut / "run.json").read_text(encoding="utf-8"))
    asked["job"]["parameters"]["text"] = str(text)
    asked["inputs"] = {"text": "0" * 64}
    (cut / "run.json").write_text(json.dumps(asked), encoding="utf-8")
    assert "inputs.text 000000000000…, now" in refusal("--resume", str(cut))


def test_a_torn_record_is_a_problem_of_the_file(cut: Path) -> None:
    (cut / "run.json").write_text("{", encoding="utf-8")
    result = call("--resume", str(cut), "--json")
    assert result.exit_code == 3
    assert "is not what a run was asked for" in json.loads(result.stderr)["what"]


def test_a_folder_of_something_else_is_left_as_it_is(here: Path) -> None:
    (here / "mine" / "papers").mkdir(parents=True)
    assert "holds no run" in refusal("gpt-train", "--out", "mine", "--scenario", "suncatcher-81")
    assert [each.name for each in (here / "mine").iterdir()] == ["papers"]


def test_waits_of_requests_are_shown(here: Path) -> None:
    few = ("--set", "size=tiny", "--set", "requests=8", "--set", "batch=4", "--set", "protect=bounded")
    result = call("gpt-serve", *few, "--satellites", "1", "--scenario", "suncatcher-81")
    assert result.exit_code == 0, result.stderr
    assert "95 % within" in result.stdout
    assert "bounded: " in result.stdout
    waits = json.loads(Path("runs/gpt-serve/evidence.json").read_text(encoding="utf-8"))["latency_s"]
    assert 0.0 < waits["p50_s"] <= waits["p95_s"] <= waits["p99_s"]


def test_a_job_file_at_bounded_on_one_satellite_and_what_is_shown(here: Path) -> None:
    Path("mine.yaml").write_text(
        "kind: gpt-train\nprotect: bounded\nparameters: {size: tiny, steps: 5}\nresources: {satellites: 1}\n"
    )
    result = call("mine.yaml", "--scenario", "suncatcher-81", "--duration", "6 h", "--no-reference")
    assert result.exit_code == 0, result.stderr
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    assert "gpt-train at bounded, 1 copy" in result.stdout
    assert "validation loss" in result.stdout
    assert "undisturbed" not in result.stdout
    assert (here / "runs" / "mine" / "evidence.json").exists()


def test_a_run_that_cannot_end_says_so_and_its_folder_is_free_again(here: Path) -> None:
    given = (*TINY, "--no-reference", "--satellites", "1", "--set", "protect=bounded", "--out", "short")
    # The last of two options counts.
    result = call("gpt-train", *given, "--duration", "2 min", "--speedup", "600", "--json")
    assert result.exit_code == 1
    error = json.loads(result.stderr)
    assert "the time that was given is over" in error["what"]
    assert "--duration" in error["right"]
    assert "failed" in json.loads(Path("short/evidence.json").read_text())
    # Another run would begin there now, were it not for its kill.
    assert "--kill soon" in refusal("gpt-train", *given, "--kill", "soon")


def test_the_kinds_are_listed_with_their_parameters() -> None:
    document = answer("--list")
    assert document["gpt-train"]["parameters"]["size"] == "0.8m"
    assert {"gpt-train", "gpt-serve", "image-calibrate", "kernels", "gpt-diloco"} <= set(document)
    shown = call("--list")
    assert shown.exit_code == 0
    assert all(name in shown.stdout for name in document)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("gpt-trian",), "did you mean 'gpt-train'"),
        (
            ("gpt-train", "--set", "stps=3"),
            "--set stps | there is no parameter 'stps' | did you mean 'steps'",
        ),
        (("gpt-train", "--set", "steps=few"), "--set steps"),
        (("gpt-train", "--faults", "many"), "--faults"),
        (("gpt-train", "--faults", "-1"), "--faults"),
        (("gpt-train", "--faults", "xinf"), "--faults"),
        (("gpt-train", "--kill", "soon"), "any@30 %"),
        (("gpt-train", "--kill", "sat-99@30 %"), "there is no satellite 'sat-99'"),
        (("gpt-train", "--kill", "any@130 %"), "'130 %' is not within the run"),
        (("gpt-train", "--kill", "any@-5 min"), "'-5 min' is not within the run"),
        (("gpt-train", "--kill", "any@30 %:shoot"), "kill|lose|stop"),
        (("gpt-train", "--kill", "any@30"), "any@30 %"),
        (("gpt-train", "--set", "copies=1"), "nothing to be compared with"),
        (("gpt-train", "--scenario", "starcloud-1"), "3 copies need 3 satellites, and there is 1"),
        (("gpt-train", "--satellites", "65"), "at most 64"),
        (("gpt-train", "--duration", "5"), "--duration"),
        (("gpt-train", "--duration", "-5 min"), "--duration"),
        (("gpt-train", "--speedup", "0"), "--speedup"),
        (("gpt-train", "--speedup", "inf"), "--speedup"),
        (("gpt-train", "--speedup", "601"), "at most 600"),
        (("gpt-train", "--speedup", "nan"), "--speedup"),
        (("gpt-parallel", "--set", "size=tiny", "--set", "protect=bounded"), "at least 3 replicas"),
        (("gpt-train", "--address", "head:6379"), "--engine ray"),
        (("gpt-train", "--start", "tomorrow"), "--start"),
        (("--resume", "nothing"), "holds no run"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_right(here: Path, args: tuple[str, ...], told: str) -> None:
    given = args if "--scenario" in args or "--resume" in args else (*args, "--scenario", "suncatcher-81")
    assert told in refusal(*given)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("protct: exact", "mine.yaml protct"),
        ("resources: {power: 6}", "mine.yaml resources.power"),
        ("parameters: {stps: 3}", "mine.yaml parameters.stps"),
        ("resources: {power: 1 GW}", "a satellite has"),
    ],
)
def test_what_is_wrong_in_a_job_file_is_named(here: Path, text: str, told: str) -> None:
    Path("mine.yaml").write_text(f"kind: gpt-train\n{text}\n")
    assert told in refusal("mine.yaml", "--scenario", "suncatcher-81")


def test_a_folder_with_a_run_that_was_not_ended_is_left_as_it_is(here: Path) -> None:
    Path("mine").mkdir()
    Path("mine/journal.jsonl").write_text("")
    assert "--resume mine" in refusal("gpt-train", "--out", "mine")
    assert [each.name for each in Path("mine").iterdir()] == ["journal.jsonl"]


@pytest.mark.parametrize("more", [("--faults", "3"), ("gpt-train",), ("--out", "b"), ("--set", "steps=3")])
def test_nothing_else_is_taken_beside_resume(ended: tuple[Path, Any], more: tuple[str, ...]) -> None:
    assert "give --resume alone" in refusal("--resume", str(ended[0]), *more)


def test_a_run_that_has_ended_is_not_resumed(ended: tuple[Path, Any]) -> None:
    assert "the run in it has ended" in refusal("--resume", str(ended[0]))
