"""A decision is made again from what was stored with it, long after the source is gone; what was tampered with is found out."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from domain.errors import BadAnswer, SourceUnavailable
from tests.journeys.world import NAME, Clock, Past, program, settings_text
from tests.servers import Prometheus
from trimtab.explaining import recomputed
from trimtab.records import Record
from trimtab.store.tables import InputRow
from trimtab.wiring import Program

pytestmark = [pytest.mark.servers, pytest.mark.slow]

FIVE_MINUTES = timedelta(minutes=5)


@pytest.fixture
def prometheus(past: Past, tmp_path: Path) -> Iterator[Prometheus]:
    with Prometheus(tmp_path / "prometheus", data=past.copy_to(tmp_path)) as server:
        yield server


def newest(made: Program) -> Record:
    found = made.recommendations.newest_of(NAME)
    assert found is not None
    return found


def test_a_decision_is_made_again_without_its_source(past: Past, prometheus: Prometheus, tmp_path: Path) -> None:
    clock = Clock(past.end)
    made = program(settings_text(prometheus.url, tmp_path), tmp_path, clock)
    made.cycle.run(now=clock())
    first = newest(made)
    clock.advance(FIVE_MINUTES)
    made.cycle.run(now=clock())
    second = newest(made)
    assert second.recommendation.id != first.recommendation.id

    assert "read from the source again" in recomputed(made, first), "nobody decided on it, and it is superseded"
    prometheus.kill()
    made.database.close()

    later = program(settings_text(prometheus.url, tmp_path), tmp_path, Clock(past.end + timedelta(days=400)))
    said = recomputed(later, second)
    assert "stored with it" in said
    assert "bit for bit" in said
    with pytest.raises(SourceUnavailable):
        recomputed(later, first)

    surer = replace(second, recommendation=replace(second.recommendation, valid_until=past.end + timedelta(days=9)))
    with pytest.raises(BadAnswer, match=r"gave another answer; version \S+ decided"):
        recomputed(later, surer)

    with later.database.session() as session:
        row = session.scalars(select(InputRow).where(InputRow.recommendation == second.recommendation.id)).one()
        row.arithmetic = "openblas 0.3 Z80"
    with pytest.raises(
        BadAnswer, match=r"decided with openblas 0\.3 Z80 and here is \w+ .* rounds the last digits differently"
    ):
        recomputed(later, surer)

    with later.database.session() as session:
        row = session.scalars(select(InputRow).where(InputRow.recommendation == second.recommendation.id)).one()
        row.body = zlib.compress(
            zlib.decompress(row.body).replace(b'"declared_capacity_rps":4.0', b'"declared_capacity_rps":4.5')
        )
    with pytest.raises(BadAnswer, match="the stored inputs are not those of"):
        recomputed(later, second)
    with later.database.session() as session:
        session.execute(delete(InputRow))
    with pytest.raises(SourceUnavailable):
        recomputed(later, second)
    later.database.close()
