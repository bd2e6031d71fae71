"""The journal: what was appended is there after a kill, and nobody else writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from skyhall.errors import FileProblem
from skyhall.runtime.journal import Event, Journal, read_journal


def test_what_was_appended_is_read_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    events = [Event("tick", 1.5), Event("ready", 2.0, 3, 1, {"done": 4, "digest": "ab"})]
    for event in events:
        journal.append(event)
    assert read_journal(tmp_path / "journal.jsonl") == events
    journal.close()


@pytest.mark.parametrize("torn", [b'{"kind": "rea', b'{"kind": "tick", "time": 3.0}'])
def test_a_torn_last_line_is_left_out_and_written_over(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(Event("tick", 1.0).line().encode() + b"\n" + torn)
    assert read_journal(path) == [Event("tick", 1.0)]
    journal = Journal(path)
    journal.append(Event("tick", 2.0))
    journal.close()
    assert read_journal(path) == [Event("tick", 1.0), Event("tick", 2.0)]


def test_a_line_that_is_no_event_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"kind": "tick", "time": 1.0}\n[]\n{"kind": "tick", "time": 2.0}\n')
    with pytest.raises(FileProblem, match=r"journal\.jsonl:2: is no event"):
        read_journal(path)


def test_what_a_process_says_cannot_pass_for_the_coordinators_own(tmp_path: Path) -> None:
    said = Event("ended", 5.0, 1, 2, {"time": 99.0, "epoch": 7, "satellite": 0, "digest": "x"})
    again = Event.of(said.line())
    assert (again.time, again.satellite, again.epoch) == (5.0, 1, 2)


def test_two_coordinators_do_not_write_one_journal(tmp_path: Path) -> None:
    first = Journal(tmp_path / "journal.jsonl")
    with pytest.raises(FileProblem, match="another coordinator"):
        Journal(tmp_path / "journal.jsonl")
    first.close()
    Journal(tmp_path / "journal.jsonl").close()
