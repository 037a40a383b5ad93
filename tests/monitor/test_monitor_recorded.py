"""Trace files: what is read, and that everything doubtful is refused with its row and its fix."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from domain.errors import BadAnswer, NoData, TraceError
from domain.signals import Signal
from domain.workload import Workload
from monitor.recorded import RecordedSource, by_name, read_trace

TRACES = Path(__file__).resolve().parents[2] / "examples" / "traces"
START = datetime(2024, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def written(folder: Path, body: str, name: str = "trial.csv") -> Path:
    path = folder / name
    path.write_text(body, encoding="utf-8")
    return path


def rows(*counts: str, step: timedelta = MINUTE) -> str:
    return "timestamp,requests\n" + "".join(
        f"{START + i * step:%Y-%m-%dT%H:%M:%SZ},{count}\n" for i, count in enumerate(counts) if count != "-"
    )


def test_counts_become_requests_a_second_and_a_missing_row_is_missing(tmp_path: Path) -> None:
    trace = read_trace(written(tmp_path, rows("60", "0", "-", "-", "120", "30")))
    assert trace.requests.start == START
    assert trace.requests.step == MINUTE
    np.testing.assert_array_equal(trace.requests.values, [1.0, 0.0, np.nan, np.nan, 2.0, 0.5])
    assert trace.replicas is None


@pytest.mark.parametrize("stamp", ["2024-01-01T00:01:00", "2024-01-01 01:01:00+01:00", "2024-01-01T00:01:00.000Z"])
def test_times_without_a_zone_are_utc_and_others_are_turned_into_it(tmp_path: Path, stamp: str) -> None:
    body = f"timestamp,requests\n{stamp},60\n2024-01-01T00:02:00Z,60\n"
    assert read_trace(written(tmp_path, body)).requests.start == START + MINUTE


def test_replicas_are_read_where_recorded_and_an_empty_cell_is_unknown(tmp_path: Path) -> None:
    body = "timestamp,region,requests,replicas\n2024-01-01T00:00:00Z,x,60,3\n2024-01-01T00:01:00Z,y,60,\n"
    replicas = read_trace(written(tmp_path, body)).replicas
    assert replicas is not None
    np.testing.assert_array_equal(replicas.values, [3.0, np.nan])


def test_windows_line_ends_a_byte_order_mark_and_blank_lines_do_no_harm(tmp_path: Path) -> None:
    body = "\ufeff" + rows("60", "120").replace("\n", "\r\n") + "\r\n\r\n"
    np.testing.assert_array_equal(read_trace(written(tmp_path, body)).requests.values, [1.0, 2.0])


def test_a_clock_that_jitters_within_a_twentieth_of_a_step_is_on_the_grid(tmp_path: Path) -> None:
    body = rows("60", "60", "60", "60").replace("00:01:00Z", "00:01:02Z")
    assert len(read_trace(written(tmp_path, body)).requests) == 4


BAD = {
    "empty": ("", "the file is empty"),
    "no column": ("timestamp,value\n2024-01-01T00:00:00Z,1\n", "no column 'requests' (it has: timestamp, value)"),
    "column twice": ("timestamp,requests,requests\n2024-01-01T00:00:00Z,1,2\n", "'requests' twice"),
    "no rows": ("timestamp,requests\n", "has 0 rows of data"),
    "one row": (rows("1"), "has 1 rows of data"),
    "no time": ("timestamp,requests\nyesterday,1\n", "row 2: timestamp 'yesterday' is no ISO 8601 time"),
    "no number": (rows("1", "many"), "row 3: requests 'many' is no number"),
    "nan": (rows("1", "NaN"), "row 3: requests is 'NaN'; leave the row out"),
    "empty cell": (rows("1", ""), "row 3: requests is ''; leave the row out"),
    "infinite": (rows("1", "inf"), "row 3: requests 'inf' is not a count"),
    "negative": (rows("1", "2", "-3"), "row 4: requests '-3' is not a count"),
    "thousands": (rows("1", "1,000"), "row 3: has 3 fields, the header 2"),
    "short row": (f"{rows('1', '2')}2024-01-01T00:02:00Z\n", "row 4: has 1 fields, the header 2"),
    "twice": (rows("1", "2") + "2024-01-01T00:01:00Z,2\n", "row 4: timestamp 2024-01-01T00:01:00Z is there twice"),
    "disorder": (
        rows("1", "2", "3") + "2024-01-01T00:01:30Z,2\n",
        "row 5: timestamp 2024-01-01T00:01:30Z is before the row above it; sort the rows",
    ),
    "off grid": (
        rows("1", "2", "3") + "2024-01-01T00:03:30Z,2\n",
        "row 5: timestamp 2024-01-01T00:03:30Z is not a whole number of 60 s steps",
    ),
    "wrong year": (rows("1", "2", "3") + "2204-01-01T00:03:00Z,2\n", "look for a wrong year"),
    "nul byte": (rows("1", "2") + "\0\n", "row 4: has 1 fields"),
    "negative replicas": ("timestamp,requests,replicas\n2024-01-01T00:00:00Z,1,-1\n", "row 2: replicas '-1'"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_doubtful_file_is_refused_in_one_line_with_file_row_and_fix(case: str, tmp_path: Path) -> None:
    body, complaint = BAD[case]
    path = written(tmp_path, body)
    with pytest.raises(TraceError) as caught:
        read_trace(path)
    said = str(caught.value)
    assert said.startswith(str(path))
    assert complaint in said
    assert "\n" not in said
    assert caught.value.fix


def test_files_that_can_not_be_read_at_all_are_named(tmp_path: Path) -> None:
    whole = gzip.compress(rows("1", "2").encode())
    (tmp_path / "plain.csv.gz").write_text(rows("1", "2"), encoding="utf-8")
    (tmp_path / "cut.csv.gz").write_bytes(whole[:-6])
    (tmp_path / "broken.csv.gz").write_bytes(whole[:12] + b"\xff" * 20)
    (tmp_path / "image.csv").write_bytes(b"\x89PNG\r\n\xff\xfe")
    complaints = {
        "missing.csv": "there is no such file",
        "plain.csv.gz": "is named .gz but is not gzip",
        "cut.csv.gz": "the gzip data is damaged",
        "broken.csv.gz": "the gzip data is damaged",
        "image.csv": "is no text",
        "": "can not be read (Is a directory)",
    }
    for name, complaint in complaints.items():
        with pytest.raises(TraceError) as caught:
            read_trace(tmp_path / name)
        assert complaint in str(caught.value)
        assert "\n" not in str(caught.value)


def test_eighty_thousand_rows_are_read_in_half_a_second(tmp_path: Path) -> None:
    path = tmp_path / "long.csv.gz"
    path.write_bytes(gzip.compress(rows(*(str(i % 97) for i in range(82_000))).encode(), 1))
    began = time.perf_counter()
    assert len(read_trace(path).requests) == 82_000
    assert time.perf_counter() - began < 1.0  # 0.2 s on the machine this was written on; room for a busy one


def source_of(folder: Path, *counts: str) -> tuple[RecordedSource, Workload]:
    source = RecordedSource(by_name([written(folder, rows(*counts))]))
    (workload,) = source.workloads(at=START)
    return source, workload


def ask(
    source: RecordedSource, workload: Workload, minutes: int, step: timedelta = MINUTE, start: datetime = START
) -> list[float]:
    end = start + minutes * MINUTE
    return list(map(float, source.load(workload, Signal.REQUEST_RATE, start=start, end=end, step=step).values))


def test_a_file_is_a_workload_by_its_name() -> None:
    source = RecordedSource(by_name(sorted(TRACES.glob("*.csv.gz"))))
    known = source.workloads(at=START)
    assert {"azfn_bd33", "servegen_small_c36"} <= {workload.id for workload in known}
    assert {workload.runtime for workload in known} == {"recorded"}


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="rename one"):
        by_name([tmp_path / "a.csv", tmp_path / "a.csv.gz"])


def test_the_own_step_comes_back_as_recorded_with_edges_missing(tmp_path: Path) -> None:
    source, workload = source_of(tmp_path, "60", "-", "180", "0")
    asked = ask(source, workload, 6, start=START - MINUTE)
    np.testing.assert_array_equal(asked, [np.nan, 1.0, np.nan, 3.0, 0.0, np.nan])


def test_coarser_steps_are_means_of_what_is_known_and_an_unfinished_one_is_missing(tmp_path: Path) -> None:
    source, workload = source_of(tmp_path, "60", "180", "-", "-", "120", "-", "60", "0", "60")
    np.testing.assert_array_equal(ask(source, workload, 10, step=2 * MINUTE), [2.0, np.nan, 2.0, 0.5, np.nan])


def test_an_interval_across_a_step_s_end_is_told_of_in_the_next_step(tmp_path: Path) -> None:
    """Otherwise a decision at the step's end would have seen half an interval of its future."""
    source, workload = source_of(tmp_path, "60", "120", "180")
    start = START + timedelta(seconds=30)
    np.testing.assert_array_equal(ask(source, workload, 3, start=start - MINUTE), [np.nan, 1.0, 2.0])


def test_nothing_recorded_is_no_data_and_too_fine_a_step_a_bad_answer(tmp_path: Path) -> None:
    source, workload = source_of(tmp_path, "60", "120")
    with pytest.raises(NoData, match="it runs from 2024-01-01T00:00Z"):
        ask(source, workload, 5, start=START + timedelta(days=9))
    with pytest.raises(BadAnswer, match="recorded every 60 s and can not be read every 30 s"):
        ask(source, workload, 5, step=timedelta(seconds=30))
    # The file and not its folder: a report repeats it.
    with pytest.raises(NoData, match=r"^trial\.csv: a trace file without latency"):
        source.load(workload, Signal.LATENCY, start=START, end=START + MINUTE, step=MINUTE)
    with pytest.raises(NoData, match="add a column replicas"):
        source.load(workload, Signal.READY_REPLICAS, start=START, end=START + MINUTE, step=MINUTE)
    with pytest.raises(NoData, match="has no file for 'other'"):
        ask(source, Workload(id="other", runtime="recorded"), 5)
    with pytest.raises(ValueError, match="no whole step"):
        ask(source, workload, 0)


def test_no_file_at_all_is_no_data() -> None:
    with pytest.raises(NoData, match="no file is given"):
        RecordedSource({}).workloads(at=START)
