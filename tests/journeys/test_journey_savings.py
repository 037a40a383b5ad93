"""From a promise that somebody accepts to what came of it: measured on a real Prometheus, told by the API, never twice."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.in_thread import listening
from tests.journeys.world import CAPACITY_RPS, NAME, REPLICAS, Clock, Past, program, settings_text
from tests.servers import Prometheus, get_json
from trimtab.api.deps import Deps
from trimtab.app import create_app
from trimtab.jobs import in_turn
from trimtab.selfmetrics import registry_of

pytestmark = [pytest.mark.servers, pytest.mark.slow]

DAY = timedelta(days=1)
C6I_LARGE = 0.085  # USD an hour on demand, as bundled


@pytest.fixture
def prometheus(past: Past, tmp_path: Path) -> Iterator[Prometheus]:
    with Prometheus(tmp_path / "prometheus", data=past.copy_to(tmp_path)) as server:
        yield server


def test_a_promise_that_was_accepted_and_not_kept_is_told_night_by_night(
    past: Past, prometheus: Prometheus, tmp_path: Path
) -> None:
    """Twenty-four replicas ran before and ran on: nothing was realised, and the gap is that it was not applied."""
    clock = Clock(past.end - 3 * DAY)
    held = {"slo": {"latency_ms": 5000}}
    made = program(settings_text(prometheus.url, tmp_path, workload=held), tmp_path, clock)
    deps = Deps(
        recommendations=made.recommendations,
        journal=made.journal,
        proofs=made.prover.store,
        clock=clock,
        registry=registry_of(made.recommendations, made.journal, clock),
    )
    with listening(create_app(deps)) as url:
        made.cycle.run(now=clock())
        [act] = get_json(f"{url}/recommendations", workload=NAME)["items"]
        assert act["kind"] == "act"
        post = urllib.request.Request(f"{url}/recommendations/{act['id']}/accept", method="POST")
        urllib.request.urlopen(post, timeout=10).close()

        clock.now = past.end
        made.cycle.run(now=clock())
        night = in_turn(made.ledger.catch_up, made.nightly.catch_up)
        night(now=clock())
        later = clock() + timedelta(minutes=5)
        night(now=later)
        shown = get_json(f"{url}/savings", workload=NAME)

        accepted = (past.end - 3 * DAY).date()
        assert [item["night"] for item in shown["items"]] == [str(accepted + n * DAY) for n in (1, 2)]
        for item in shown["items"]:
            assert item["recommendation"] == act["id"]
            assert item["taken_up"]["how"] == "accepted"
            assert item["baseline_usd"] == item["ran_usd"] == pytest.approx(24 * REPLICAS * C6I_LARGE, rel=1e-4)
            assert item["promised_usd"] == pytest.approx(act["saving_usd_per_month"] * 24 / 730, abs=1e-5)
            assert (item["realised_usd"], item["followed_share"] < 0.5, item["worse"]) == (0.0, True, [])
            assert item["gap_usd"] == -item["promised_usd"]
            assert sum(item["gap"].values()) == pytest.approx(item["gap_usd"], abs=5e-6)
            assert item["gap"]["not_applied"] < 0.5 * item["gap_usd"]
            assert item["requests"] > 86_400 * CAPACITY_RPS
            assert (item["missed_share"], item["missed_before"], item["slo_held"]) == (0.0, 0.0, True)
            assert item["unknown"] == {}
        assert shown["totals"]["known_nights"] == 2
        assert shown["totals"]["realised_usd"] == 0.0
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            metrics = answer.read().decode()
        assert f'trimtab_realised_saving_usd_per_month{{workload="{NAME}"}} 0.0' in metrics
        assert f'trimtab_made_worse{{workload="{NAME}"}} 0.0' in metrics
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert "What came of it" in answer.read().decode()
    nights = 1 + (later.date() - clock().date()).days  # the five minutes may end after midnight
    assert len(made.journal.report_days(None, 10)) == nights, "the report of the night is written after the ledger"
    made.database.close()
