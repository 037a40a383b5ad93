"""Times as all our files and answers write them."""

from __future__ import annotations

from datetime import UTC, datetime

TIMES = "%Y-%m-%dT%H:%M:%SZ"


def moment(value: datetime) -> str:
    """A time as all our files and answers write it: `YYYY-MM-DDTHH:MM:SSZ`."""
    return value.astimezone(UTC).strftime(TIMES)
