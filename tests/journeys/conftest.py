"""The past that the journeys share: made once, copied for each server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.world import Past, make_past, whole_minute

# The replicas of the past went silent longer ago than Prometheus looks back, and an input may be old.
SILENT = timedelta(minutes=7)


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory, prometheus_installed: None) -> Past:
    """Eight days of real load that ended a few minutes ago."""
    return make_past(tmp_path_factory.mktemp("past"), whole_minute(datetime.now(UTC)) - SILENT)
