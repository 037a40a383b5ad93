"""Reading a CSV file (gzip allowed) whose rows stand on an even grid of time: `timestamp` and columns of counts.

A missing row is a step of which nothing is known. Everything else that could be read as a number without being one is
refused: a guess about somebody's load costs money in both directions.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.errors import TraceError
from domain.load import Floats, LoadHistory

Indices = NDArray[np.intp]
GZIP_MAGIC = b"\x1f\x8b"
OFF_GRID = 0.05  # share of a step by which a row may stand beside the grid (clock jitter)
MOST_STEPS = 5_000_000  # nine years of minutes; more is a wrong year in a timestamp


@dataclass(slots=True)
class _Rows:
    """The file as read: line numbers, epoch seconds, and the counts of each column."""

    lines: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    counts: dict[str, list[float]] = field(default_factory=dict)


def read_grid(path: Path, column: str, *, optional: Sequence[str] = ()) -> Mapping[str, LoadHistory]:
    """`column` and those of `optional` that the file has, each on its grid, as they stand in the file.

    The step is the median spacing of the rows, missing rows are NaN, and so are empty cells of an
    optional column. Times without a zone are taken as UTC. Raises TraceError naming file, row, value and fix.
    """
    rows = _rows(path, _text(path), column, optional)
    seconds = np.array(rows.times)
    step_s = _step(path, rows.lines, seconds)
    at = _places(path, rows.lines, seconds, step_s)
    start, step = datetime.fromtimestamp(rows.times[0], UTC), timedelta(seconds=step_s)
    found = {}
    for name, counts in rows.counts.items():
        grid = np.full(int(at[-1]) + 1, np.nan)
        grid[at] = counts
        found[name] = LoadHistory(start=start, step=step, values=grid)
    return found


def _text(path: Path) -> str:
    """The file's whole text, unpacked; TraceError if it can not be had."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise TraceError(
            str(path), "there is no such file", "give the path of a trace file (.csv or .csv.gz)"
        ) from None
    except OSError as error:
        raise TraceError(
            str(path), f"can not be read ({error.strerror})", "give the path of a readable file"
        ) from error
    packed = raw.startswith(GZIP_MAGIC)
    if path.suffix == ".gz" and raw and not packed:
        raise TraceError(str(path), "is named .gz but is not gzip", "rename it to .csv, or compress it with gzip")
    try:
        return (gzip.decompress(raw) if packed else raw).decode("utf-8-sig")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TraceError(
            str(path), f"the gzip data is damaged ({error})", "fetch or compress the file again"
        ) from error
    except UnicodeDecodeError as error:
        raise TraceError(
            str(path), f"is no text: byte {error.start} is not UTF-8", "give a CSV file in UTF-8"
        ) from error


def _rows(path: Path, text: str, column: str, optional: Sequence[str]) -> _Rows:
    """Everything the file says of these columns, row by row."""
    lines = csv.reader(io.StringIO(text, newline=""))
    rows = _Rows()
    try:
        header = [name.strip() for name in next(lines, [])]
        if not header:
            raise TraceError(str(path), "the file is empty", f"its first line is a header: timestamp,{column}")
        when = _column(path, header, "timestamp", column)
        names = [column, *(name for name in optional if name in header)]
        places = {name: _column(path, header, name, column) for name in names}
        rows.counts = {name: [] for name in names}
        for row in filter(None, lines):
            where = f"{path}, row {lines.line_num}"
            if len(row) != len(header):
                problem = f"has {len(row)} fields, the header {len(header)}"
                raise TraceError(where, problem, "give each row one field for each column")
            rows.lines.append(lines.line_num)
            rows.times.append(_moment(where, row[when]))
            for name, place in places.items():
                empty = name != column and not row[place].strip()
                rows.counts[name].append(math.nan if empty else _count(where, name, row[place]))
    except csv.Error as error:
        raise TraceError(f"{path}, row {lines.line_num}", f"is no CSV ({error})", "give a CSV file") from error
    return rows


def _column(path: Path, header: Sequence[str], name: str, needed: str) -> int:
    if name not in header:
        shown = ", ".join(column[:30] for column in header[:8])
        fix = f"name the columns timestamp,{needed}"
        raise TraceError(str(path), f"has no column {name!r} (it has: {shown})", fix)
    if header.count(name) > 1:
        raise TraceError(str(path), f"has the column {name!r} twice", "keep one of them")
    return header.index(name)


def _moment(where: str, text: str) -> float:
    """Epoch seconds of an ISO 8601 time; UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise TraceError(
            where, f"timestamp {text[:40]!r} is no ISO 8601 time", "write it as 2024-01-31T23:59:00Z"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _count(where: str, column: str, text: str) -> float:
    """A finite number, not negative."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
        if text.strip():
            raise TraceError(where, f"{column} {text[:40]!r} is no number", "write a count such as 42") from None
    if math.isnan(number):
        raise TraceError(where, f"{column} is {text!r}", "leave the row out if it is unknown, write 0 if it was zero")
    if math.isinf(number) or number < 0:
        raise TraceError(where, f"{column} {text!r} is not a count", "write a finite number that is not negative")
    return number


def _step(path: Path, lines: Sequence[int], seconds: Floats) -> float:
    """Median spacing of the rows in seconds, once they are known to be in order."""
    if len(seconds) < 2:
        raise TraceError(str(path), f"has {len(seconds)} rows of data", "at least 2 are needed to know the step")
    spacing = np.diff(seconds)
    wrong = int(np.argmax(spacing <= 0)) if (spacing <= 0).any() else None
    if wrong is not None:
        where = f"{path}, row {lines[wrong + 1]}"
        written = _written(seconds[wrong + 1])
        if spacing[wrong] == 0:
            raise TraceError(where, f"timestamp {written} is there twice", "keep one row for each time")
        raise TraceError(where, f"timestamp {written} is before the row above it", "sort the rows by timestamp")
    # The lower of the two middle ones: a mean of both would be a step that no row keeps.
    return float(np.quantile(spacing, 0.5, method="lower"))


def _places(path: Path, lines: Sequence[int], seconds: Floats, step_s: float) -> Indices:
    """The grid index of each row."""
    exact = (seconds - seconds[0]) / step_s
    if exact[-1] > MOST_STEPS:
        problem = f"spans {exact[-1]:.0f} steps of {step_s:g} s, to {_written(seconds[-1])}"
        raise TraceError(str(path), problem, "look for a wrong year in a timestamp")
    at: Indices = np.rint(exact).astype(np.intp)
    beside = np.abs(exact - at) > OFF_GRID
    beside[1:] |= np.diff(at) == 0
    if beside.any():
        first = int(np.argmax(beside))
        problem = f"timestamp {_written(seconds[first])} is not a whole number of {step_s:g} s steps from the first row"
        raise TraceError(
            f"{path}, row {lines[first]}", problem, "give rows on an even grid, and leave out missing ones"
        )
    return at


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
