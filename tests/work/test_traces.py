"""Request traces: the public format, its errors by line, and the synthetic one against the public hour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skyhall.errors import FileProblem
from skyhall.work.traces import Trace, read_trace, synthetic_trace

AZURE = Path(__file__).parents[2] / "../shared/data"
HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens"


def written(folder: Path, *lines: str) -> Path:
    path = folder / "trace.csv"
    path.write_bytes("\r\n".join(lines).encode())
    return path


def public(name: str) -> Trace:
    path = AZURE / f"azure-llm-2023-{name}.csv"
    if not path.is_file():
        pytest.skip("the public trace is not here")
    return read_trace(path)


def test_times_count_from_the_first_request_whatever_the_column_order_and_offset(tmp_path: Path) -> None:
    trace = read_trace(
        written(
            tmp_path,
            "GeneratedTokens,Model,TIMESTAMP,ContextTokens",
            "10,a,2023-11-16 18:17:03.9799600,4808",
            "8,b,2023-11-16T20:17:04.2299600+02:00,3180",
            "27,a,2023-11-17 18:17:03.9799600,110",
        )
    )
    np.testing.assert_allclose(trace.arrivals_s, [0.0, 0.25, 86_400.0], atol=1e-6)
    assert trace.prompts.tolist() == [4808, 3180, 110]
    assert trace.replies.tolist() == [10, 8, 27]


@pytest.mark.parametrize(
    ("lines", "line", "what"),
    [
        (["TIMESTAMP,ContextTokens"], 1, "no column GeneratedTokens"),
        ([""], 1, "no column TIMESTAMP"),
        ([HEADER, "2023-11-16 18:17:03,1,1", "yesterday,1,1"], 3, "'yesterday' is no time"),
        ([HEADER, "2023-11-16 18:17:03,1,1", "2023-11-16 18:17:02,1,1"], 3, "comes before the line above"),
        ([HEADER, "2023-11-16 18:17:03,0,1"], 2, "'0' is no number of ContextTokens"),
        ([HEADER, "2023-11-16 18:17:03,5,1.5"], 2, "'1.5' is no number of GeneratedTokens"),
        ([HEADER, "2023-11-16 18:17:03,5"], 2, "'None' is no number of GeneratedTokens"),
        ([HEADER, "2023-11-16 18:17:03,5,6", '"' + "x" * 200_000], 3, "is no CSV"),
        ([HEADER], None, "holds no request"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_line(
    tmp_path: Path, lines: list[str], line: int | None, what: str
) -> None:
    path = written(tmp_path, *lines)
    with pytest.raises(FileProblem, match=what) as caught:
        read_trace(path)
    assert caught.value.place.file == str(path)
    assert caught.value.place.line == line


def test_the_public_hour_of_conversations_is_read_whole() -> None:
    trace = public("conv")
    assert len(trace) == 19_366  # data rows of the file
    assert trace.arrivals_s[-1] == pytest.approx(3501.72, abs=0.01)  # 18:15:46.68 to 19:14:08.40
    assert trace.prompts[:3].tolist() == [374, 396, 879]
    assert trace.replies[:3].tolist() == [44, 109, 55]


def test_the_synthetic_trace_has_the_moments_of_the_public_hour() -> None:
    real, ours = public("conv"), synthetic_trace(20_000, seed=3)
    assert ours.rate == pytest.approx(real.rate, rel=0.03)
    for drawn, measured in ((ours.prompts, real.prompts), (ours.replies, real.replies)):
        assert np.log(drawn).mean() == pytest.approx(np.log(measured).mean(), abs=0.03)
        assert np.log(drawn).std() == pytest.approx(np.log(measured).std(), abs=0.03)


def test_a_synthetic_trace_is_a_function_of_count_and_seed() -> None:
    one, same, other = (synthetic_trace(50, seed) for seed in (1, 1, 2))
    assert one.arrivals_s.tolist() == same.arrivals_s.tolist()
    assert one.prompts.tolist() == same.prompts.tolist()
    assert one.replies.tolist() != other.replies.tolist()
    assert one.arrivals_s[0] == 0.0
    assert (np.diff(one.arrivals_s) >= 0.0).all()


def test_a_rate_stretches_time_and_keeps_the_gaps_proportions() -> None:
    trace = synthetic_trace(50, 1)
    slow = trace.at_rate(0.1)
    assert slow.rate == pytest.approx(0.1)
    np.testing.assert_allclose(slow.arrivals_s / slow.arrivals_s[-1], trace.arrivals_s / trace.arrivals_s[-1])


def test_long_columns_are_scaled_by_their_95th_percentile_and_short_ones_are_left_alone() -> None:
    prompts = np.arange(1, 102) * 10  # 95th percentile: 960
    trace = Trace(np.arange(101.0), prompts, np.full(101, 7))
    fitted = trace.scaled(96, 20)
    assert fitted.prompts[:96].tolist() == list(range(1, 97))
    assert set(fitted.prompts[96:].tolist()) == {96}
    assert fitted.replies.tolist() == [7] * 101
