"""A run's folder: nothing that no run made is removed, and a run goes on only with what it was begun with."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from skyhall.errors import FileProblem, ValueProblem
from skyhall.runtime.asked import asked_in, clear, inputs_of, refuse_another, room_in
from skyhall.runtime.engines.engine import LEASE_S
from skyhall.runtime.strikes import strikes_of

DOCUMENT: dict[str, Any] = {
    "job": {"name": "a", "kind": "gpt-train", "parameters": {"steps": "3"}},
    "options": {"speedup": 120.0, "kills": []},
    "satellites": ["sat-0", "sat-1"],
    "start_s": 5.0,
    "units": 3,
    "inputs": {"text": "ab"},
    "skyhall": "1.0",
    "made_at": "then",
}


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    """A folder with an ended run, and what its user put beside it."""
    (tmp_path / "run.json").write_text(json.dumps(DOCUMENT), encoding="utf-8")
    for name in ("evidence.json", "journal.jsonl", "events.jsonl", "result.checkpoint", "mine.txt"):
        (tmp_path / name).write_text("")
    for name in ("sat-0", "sat-1", "sat-2", "papers"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("")
    (tmp_path / "scenario.resolved.yaml").write_text("a: 1\n", encoding="utf-8")
    return tmp_path


def test_only_what_the_run_made_is_removed(ended: Path) -> None:
    clear(ended, room_in(ended, resumed=False), ["sat-0"])
    left = {each.name for each in ended.iterdir()}
    assert left == {"run.json", "scenario.resolved.yaml", "mine.txt", "sat-2", "papers"}
    assert (ended / "sat-2" / "file").exists()


def test_a_folder_with_the_name_of_a_satellite_that_no_run_made_is_refused(ended: Path) -> None:
    before = sorted(ended.rglob("*"))
    with pytest.raises(ValueProblem, match="no run made it"):
        clear(ended, room_in(ended, resumed=False), ["sat-0", "sat-1", "sat-2"])
    assert sorted(ended.rglob("*")) == before


def test_a_run_that_ended_before_its_satellites_began_made_no_folder(ended: Path) -> None:
    for name in ("evidence.json", "journal.jsonl"):
        (ended / name).unlink()
    assert {each.name for each in room_in(ended, resumed=False)} == {"events.jsonl", "result.checkpoint"}


def test_a_folder_that_holds_no_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(ValueProblem, match="holds no run"):
        room_in(tmp_path, resumed=False)
    assert (tmp_path / "mine.txt").exists()


def test_an_empty_folder_and_none_have_room(tmp_path: Path) -> None:
    assert room_in(tmp_path, resumed=False) == []
    assert room_in(tmp_path / "new" / "one", resumed=False) == []
    assert (tmp_path / "new" / "one").is_dir()


@pytest.mark.parametrize(
    "text",
    ["", '{"satell', "[]", "{}", "3", '{"satellites": "sat-0"}', '{"satellites": [0]}']
    + [json.dumps({"satellites": [name]}) for name in ("..", "", ".", "a/b", "/etc", "../mine")],
)
def test_a_torn_or_foreign_record_is_a_file_problem(ended: Path, text: str) -> None:
    (ended / "run.json").write_text(text, encoding="utf-8")
    before = sorted(ended.rglob("*"))
    with pytest.raises(FileProblem, match="is not what a run was asked for"):
        room_in(ended, resumed=False)
    with pytest.raises(FileProblem, match="is not what a run was asked for"):
        asked_in(ended)
    assert sorted(ended.rglob("*")) == before


@pytest.mark.parametrize(
    "options", [{"speedup": "fast"}, {"sped": 1.0}, {"kills": 3}, {"engine": "cloud"}, 7]
)
def test_options_of_another_kind_are_a_file_problem(ended: Path, options: Any) -> None:
    (ended / "run.json").write_text(json.dumps(DOCUMENT | {"options": options}), encoding="utf-8")
    with pytest.raises(FileProblem):
        asked_in(ended)


def test_a_link_is_removed_and_what_it_leads_to_is_not(ended: Path, tmp_path_factory: Any) -> None:
    afar = tmp_path_factory.mktemp("afar")
    (afar / "kept").write_text("")
    for each in (ended / "sat-1").iterdir():
        each.unlink()
    (ended / "sat-1").rmdir()
    (ended / "sat-1").symlink_to(afar)
    clear(ended, room_in(ended, resumed=False), [])
    assert not (ended / "sat-1").is_symlink()
    assert (afar / "kept").exists()


def test_a_run_goes_on_with_what_it_was_begun_with(ended: Path) -> None:
    refuse_another(ended, DOCUMENT | {"made_at": "now", "satellites": ("sat-0", "sat-1")}, "a: 1\n")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"skyhall": "2.0"}, "skyhall 1.0, now 2.0"),
        ({"satellites": ["sat-0"]}, "satellites sat-0, sat-1, now sat-0"),
        ({"start_s": 6.0}, "start_s 5.0, now 6.0"),
        ({"units": 4}, "units 3, now 4"),
        ({"inputs": {"text": "cd"}}, "inputs.text ab, now cd"),
        ({"inputs": {}}, "inputs.text ab, now none"),
        ({"options": {"speedup": 60.0, "kills": []}}, "options.speedup 120.0, now 60.0"),
        ({"job": DOCUMENT["job"] | {"kind": "kernels"}}, "job.kind gpt-train, now kernels"),
    ],
)
def test_a_run_does_not_go_on_with_anything_else(ended: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueProblem) as refused:
        refuse_another(ended, DOCUMENT | change, "a: 1\n")
    assert told in refused.value.what


def test_another_scenario_is_refused(ended: Path) -> None:
    with pytest.raises(ValueProblem, match="another scenario"):
        refuse_another(ended, DOCUMENT, "a: 2\n")


def test_inputs_are_the_files_that_parameters_name(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"to be or not")
    named = {"text": str(tmp_path / "text"), "size": "tiny", "trace": "", "scene": str(tmp_path)}
    assert inputs_of(named) == {"text": hashlib.sha256(b"to be or not").hexdigest()}


def struck(*texts: str, speedup: float = 120.0) -> Any:
    return strikes_of(texts, ["sat-0", "sat-1"], 100.0, 50, 0, speedup)


@pytest.mark.parametrize("speedup", [1.0, 120.0, 600.0])
def test_a_stop_lasts_longer_than_a_lease_at_any_speedup(speedup: float) -> None:
    (stop,) = struck("sat-1@40 min:stop", speedup=speedup)
    assert stop.lasts / speedup == pytest.approx(4.0 * LEASE_S)


def test_texts_become_strikes() -> None:
    lost, shared, *three = struck("sat-1@40 min:lose", "any@30 %", "3")
    assert (lost.how, lost.satellite, lost.time) == ("lose", 1, 2500.0)
    assert (shared.how, shared.satellite, shared.unit) == ("kill", None, 15)
    assert len(three) == 3
    assert all(0 < each.unit < 50 for each in three)


NO_NUMBERS = ("²", "³²", "٣", "-3", "1.5", "")
NO_TIMES = ("any@", "any@30", "any@-5 min", "any@² s", "any@nan s", "any@inf s")
NO_SHARES = ("any@-1 %", "any@100 %", "any@130 %", "any@30 %:shoot")
NOBODY = ("²@30 %", "-1@30 %", "2@30 %")


@pytest.mark.parametrize("text", [*NO_NUMBERS, *NO_TIMES, *NO_SHARES, *NOBODY])
def test_anything_else_is_no_strike(text: str) -> None:
    with pytest.raises(ValueProblem):
        struck(text)
