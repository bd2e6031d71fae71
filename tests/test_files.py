from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from skyhall.errors import FileProblem
from skyhall.files import atomic_path, make_folder, read_text, write_text

HALF_WRITTEN = """
import signal, sys, time
from pathlib import Path
from skyhall.files import atomic_path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background starts with it ignored
with atomic_path(Path(sys.argv[1])) as temporary, temporary.open("w") as stream:
    stream.write("new " * 1000)
    stream.flush()
    print("half", flush=True)
    time.sleep(60)
"""

BEYOND_THE_LIMIT = """
import resource, sys
from pathlib import Path
from skyhall.errors import FileProblem
from skyhall.files import write_text
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_text(Path(sys.argv[1]), "new " * 10000)
except FileProblem as problem:
    print(problem.what)
    sys.exit(problem.exit_code)
"""

# Root may write anywhere, so the check gives root up first.
AS_NOBODY = """
import os, sys
from pathlib import Path
from skyhall.errors import FileProblem
from skyhall.files import make_folder, write_text
if os.geteuid() == 0:
    os.setuid(65534)
folder = Path(sys.argv[1])
for attempt in (lambda: write_text(folder / "a.txt", "new"), lambda: make_folder(folder / "sub")):
    try:
        attempt()
    except FileProblem as problem:
        print(problem.exit_code, problem.what)
"""


def start(script: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "summary.json"
    path.write_text("old")
    return path


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    # Not under pytest's own temporary folder, which only its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="skyhall-read-only-"))
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def interrupt(path: Path, how: signal.Signals) -> None:
    with start(HALF_WRITTEN, path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(how)
        process.wait(timeout=30)


def test_a_written_text_is_read_back(tmp_path: Path) -> None:
    assert read_text(write_text(tmp_path / "a.txt", "650 km, 98°\n")) == "650 km, 98°\n"


def test_a_written_file_has_the_permissions_that_any_new_file_has(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    written = write_text(tmp_path / "written", "")
    assert stat.S_IMODE(written.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_kill_9_in_the_middle_of_a_write_leaves_the_old_file_whole(old: Path) -> None:
    interrupt(old, signal.SIGKILL)
    assert old.read_text() == "old"


def test_kill_9_in_the_middle_of_a_first_write_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    interrupt(tmp_path / "summary.json", signal.SIGKILL)
    assert not (tmp_path / "summary.json").exists()


def test_ctrl_c_in_the_middle_of_a_write_leaves_the_old_file_and_nothing_else(old: Path) -> None:
    interrupt(old, signal.SIGINT)
    assert [path.name for path in old.parent.iterdir()] == ["summary.json"]
    assert old.read_text() == "old"


def test_a_failure_of_the_writer_leaves_the_old_file_and_nothing_else(old: Path) -> None:
    def fail_half_way() -> None:
        with atomic_path(old) as temporary:
            temporary.write_text("new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert [path.name for path in old.parent.iterdir()] == ["summary.json"]
    assert old.read_text() == "old"


def test_a_write_that_hits_the_limit_on_size_is_a_file_problem_and_leaves_the_old_file(old: Path) -> None:
    with start(BEYOND_THE_LIMIT, old) as process:
        said, _ = process.communicate(timeout=30)
    assert (process.returncode, said) == (3, "cannot be written (file too large)\n")
    assert [path.name for path in old.parent.iterdir()] == ["summary.json"]
    assert old.read_text() == "old"


def test_a_full_disk_is_a_file_problem_that_says_so(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileProblem, match=r"summary\.json: cannot be written \(no space left on device\)"):
        write_text(old, "new")
    assert [path.name for path in old.parent.iterdir()] == ["summary.json"]
    assert old.read_text() == "old"


def test_a_read_only_folder_is_a_file_problem_and_stays_empty(read_only_folder: Path) -> None:
    with start(AS_NOBODY, read_only_folder) as process:
        said, _ = process.communicate(timeout=30)
    assert said.splitlines() == [
        "3 cannot be written (permission denied)",
        "3 cannot write into this folder (permission denied)",
    ]
    assert not list(read_only_folder.iterdir())


def test_a_folder_is_made_with_its_parents_and_left_empty(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "runs" / "a")
    assert folder.is_dir()
    assert not list(folder.iterdir())


def test_a_folder_below_a_file_is_a_file_problem_that_names_the_way_out(old: Path) -> None:
    with pytest.raises(FileProblem, match="choose another with --out"):
        make_folder(old / "runs")


def test_a_missing_file_is_a_file_problem_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match=r"gone\.yaml: no such file"):
        read_text(tmp_path / "gone.yaml")


def test_a_folder_read_as_a_file_is_a_file_problem(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="is a directory"):
        read_text(tmp_path)


def test_bytes_that_are_not_text_are_a_file_problem(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileProblem, match="is not text in UTF-8"):
        read_text(path)


def test_a_path_with_a_null_byte_is_a_file_problem() -> None:
    with pytest.raises(FileProblem):
        read_text(Path("a\0b"))
