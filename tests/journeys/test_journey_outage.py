"""Prometheus goes away: nothing that was known is lost, nothing turns to zero, and its return needs no help."""

from __future__ import annotations

import http.client
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.in_thread import listening
from tests.journeys.world import NAME, Clock, Past, program, settings_text
from tests.servers import Asked, Prometheus, Reply, Scripted, get_json
from trimtab.api.deps import Deps
from trimtab.app import create_app
from trimtab.cycle import Outcome
from trimtab.moments import moment
from trimtab.selfmetrics import registry_of
from trimtab.wiring import Program

pytestmark = [pytest.mark.servers, pytest.mark.slow]

TEN_MINUTES = timedelta(minutes=10)
MORE_THAN_A_PULL = 1000
NEVER_ZERO = (
    "trimtab_recommended_replicas", "trimtab_forecast_load", "trimtab_cost_usd_per_hour",
    "trimtab_saving_usd_per_month", "trimtab_capacity_rps",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The whole program over a Prometheus, its API on a real port, and the clock of both."""

    program: Program
    clock: Clock
    url: str

    def cycle(self) -> Outcome:
        """One cycle now."""
        return self.program.cycle.run(now=self.clock())

    def recommendation(self) -> dict[str, Any]:
        """What the API says of the workload."""
        (found,) = get_json(f"{self.url}/recommendations", workload=NAME)["items"]
        return dict(found)

    def metrics(self) -> dict[tuple[str, str], float]:
        """Our own metrics of the workload by name and state (or quantile and horizon)."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return {
            (
                sample.name,
                ",".join(value for name, value in sorted(sample.labels.items()) if name != "workload"),
            ): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.labels.get("workload") == NAME
        }

    def replicas(self) -> float | None:
        """The number that an autoscaler would follow; None where there is none."""
        return self.metrics().get(("trimtab_recommended_replicas", ""))


class Watch(Protocol):
    """Puts the program over the Prometheus at an address, at the end of the past; one store for all of a test."""

    def __call__(self, prometheus: str, /, **workload: Any) -> Watched: ...


@pytest.fixture
def watch(past: Past, tmp_path: Path) -> Iterator[Watch]:
    with ExitStack() as stack:

        def start(prometheus: str, /, **workload: Any) -> Watched:
            clock = Clock(past.end)
            built = program(settings_text(prometheus, tmp_path, workload=workload), tmp_path, clock)
            stack.callback(built.database.close)
            deps = Deps(
                recommendations=built.recommendations,
                journal=built.journal,
                proofs=built.prover.store,
                clock=clock,
                registry=registry_of(built.recommendations, built.journal, clock),
            )
            return Watched(program=built, clock=clock, url=stack.enter_context(listening(create_app(deps))))

        yield start


@pytest.fixture
def prometheus(past: Past, tmp_path: Path) -> Iterator[Prometheus]:
    with Prometheus(tmp_path / "prometheus", data=past.copy_to(tmp_path)) as server:
        yield server


def test_a_killed_prometheus_costs_nothing_until_the_recommendation_expires(
    past: Past, prometheus: Prometheus, watch: Watch
) -> None:
    watched = watch(prometheus.url)
    assert watched.cycle().failure is None
    first = watched.recommendation()
    assert (first["kind"], first["status"], first["replicas"] > 1) == ("act", "open", True)
    before = never_zero(watched)

    prometheus.kill()
    watched.clock.advance(TEN_MINUTES)
    outcome = watched.cycle()
    assert prometheus.url in str(outcome.failure)
    held = watched.recommendation()
    assert held["id"] == first["id"]
    assert held["status"] == "held"
    assert held["replicas"] == first["replicas"] == watched.replicas()
    assert held["age_seconds"] == TEN_MINUTES.total_seconds()
    assert prometheus.url in held["held"]["reason"]
    assert never_zero(watched) == before, "nothing changes, let alone to zero"

    watched.clock.advance(TEN_MINUTES)
    watched.cycle()
    still = watched.recommendation()
    assert still["held"]["since"] == moment(past.end + TEN_MINUTES), "held since the first failure"
    assert watched.replicas() == first["replicas"]

    prometheus.start()
    watched.clock.advance(timedelta(minutes=5))
    assert watched.cycle().failure is None
    renewed = watched.recommendation()
    assert renewed["id"] != first["id"]
    assert (renewed["status"], renewed["held"], renewed["age_seconds"]) == ("open", None, 0)
    assert renewed["replicas"] == watched.replicas()
    assert renewed["replicas"] > 1


def test_after_its_end_a_recommendation_is_absent_and_never_zero(prometheus: Prometheus, watch: Watch) -> None:
    watched = watch(prometheus.url)
    watched.cycle()
    first = watched.recommendation()
    prometheus.kill()
    until = datetime.fromisoformat(first["valid_until"])

    watched.clock.now = until - timedelta(seconds=1)
    watched.cycle()
    assert watched.replicas() == first["replicas"]

    watched.clock.now = until
    watched.cycle()
    expired = watched.recommendation()
    assert (expired["status"], expired["replicas"]) == ("expired", None)
    shown = watched.metrics()
    assert [name for name, _ in shown if name in NEVER_ZERO] == []
    assert shown["trimtab_recommendation_info", "expired"] == 1

    prometheus.start()  # its newest sample is now hours old: nothing can be said, and no number is made up
    watched.cycle()
    stale = watched.recommendation()
    assert (stale["kind"], stale["status"], stale["replicas"]) == ("hold", "open", None)
    assert watched.replicas() is None


def relay(real: Prometheus, answered: int) -> Callable[[Asked], Reply]:
    """Hands on the first `answered` requests, and hangs up on every later one."""
    left = iter(range(answered))

    def script(asked: Asked) -> Reply:
        if next(left, None) is None:
            return Reply(hang_up=True)
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(real.url).port, timeout=30)
        connection.request(asked.method, asked.path, asked.body, {"Accept-Encoding": "identity"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return Reply(status=answer.status, body=body)

    return script


@pytest.mark.parametrize("declared", [True, False], ids=["capacity-declared", "capacity-learned"])
def test_a_prometheus_that_dies_during_the_pull_leaves_a_good_number(
    declared: bool, prometheus: Prometheus, watch: Watch
) -> None:
    """After whichever query it happens: the last good recommendation is held, and in no case is a number lost."""
    workload = {} if declared else {"capacity_rps": None}
    watched = watch(prometheus.url, **workload)
    assert watched.cycle().failure is None
    first = watched.recommendation()
    with Scripted(relay(prometheus, MORE_THAN_A_PULL)) as counting:
        watch(counting.url, **workload).cycle()
        asked = len(counting.asked)
    assert 4 < asked < MORE_THAN_A_PULL
    found = [after_a_death(watch, prometheus, answered, workload) for answered in (0, 1, asked // 2, asked - 1)]
    assert {each["replicas"] for each in found} == {first["replicas"]}
    assert [(each["kind"], each["status"]) for each in found] == [("act", "held")] * 4


def after_a_death(watch: Watch, real: Prometheus, answered: int, workload: dict[str, Any]) -> dict[str, Any]:
    """What the API says after a cycle whose Prometheus died after so many answers."""
    with Scripted(relay(real, answered)) as dying:
        cut = watch(dying.url, **workload)
        cut.clock.advance(TEN_MINUTES)
        cut.cycle()
        assert cut.replicas() == cut.recommendation()["replicas"]
        return cut.recommendation()


def never_zero(watched: Watched) -> dict[tuple[str, str], float]:
    """What must not turn to zero, and stays as it is while it is held.

    The forecast moves on with the clock, and a low quantile of it may be zero of its own right: it has to be there, and
    the quantile that the plan holds above zero.
    """
    shown = {key: value for key, value in watched.metrics().items() if key[0] in NEVER_ZERO}
    assert {name for name, _ in shown} == set(NEVER_ZERO)
    forecast = {key for key in shown if key[0] == "trimtab_forecast_load"}
    assert all(value > 0 for key, value in shown.items() if key not in forecast or key[1].endswith("plan")), shown
    return {key: value for key, value in shown.items() if key not in forecast}
