"""Files of spot availability: what is read, and that what is wrong is refused with its row and its fix."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from domain.errors import TraceError
from monitor.availability_file import read_availability

SMALL = Path(__file__).resolve().parents[1] / "data" / "spot_availability.csv"


def test_values_are_machines_and_a_missing_row_is_unknown() -> None:
    """Eight steps of five minutes; the row of the sixth is missing."""
    found = read_availability(SMALL)
    assert found.start == datetime(2024, 1, 1, tzinfo=UTC)
    assert found.step == timedelta(minutes=5)
    np.testing.assert_array_equal(found.values, [1, 1, 0, 2, 2, np.nan, 1, 0.95])


@pytest.mark.parametrize(
    "text,where,fix",
    [
        ("timestamp,requests\n2024-01-01T00:00:00Z,1\n", "no column 'value'", "name the columns timestamp,value"),
        ("", "the file is empty", "timestamp,value"),
        ("timestamp,value\n2024-01-01T00:00:00Z,1\n2024-01-01T00:05:00Z,-1\n", "row 3: value '-1'", "not negative"),
        ("timestamp,value\n2024-01-01T00:00:00Z,1\n2024-01-01T00:05:00Z,\n", "row 3: value is ''", "leave the row out"),
        ("timestamp,value\n2024-01-01T00:00:00Z,1\nyesterday,1\n", "row 3: timestamp 'yesterday'", "write it as"),
        ("timestamp,value\n2024-01-01T00:00:00Z,1\n", "1 rows of data", "at least 2"),
    ],
)
def test_a_wrong_file_is_refused_with_row_and_fix(tmp_path: Path, text: str, where: str, fix: str) -> None:
    path = tmp_path / "zone.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TraceError) as caught:
        read_availability(path)
    assert where in str(caught.value)
    assert fix in str(caught.value)
    assert "\n" not in str(caught.value)
