"""Metrics of our own: read from the store when scraped, so that what has expired is absent and never 0."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta

import numpy as np
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.plan import Act, Json, Recommendation
from domain.prices import HOURS_PER_MONTH
from domain.unknown import Unknown
from trimtab.anomalies import Strange, excess_requests, excess_usd_per_hour, score_of, strange
from trimtab.priceages import price_age
from trimtab.records import Record, Status
from trimtab.store.journal import Journal
from trimtab.store.nights import Standing
from trimtab.store.recommendations import Recommendations
from trimtab.totals import Totals, totals_of

RECOMMENDED_REPLICAS = "trimtab_recommended_replicas"
FORECAST_LOAD = "trimtab_forecast_load"
CAPACITY_RPS = "trimtab_capacity_rps"
COST = "trimtab_cost_usd_per_hour"
SAVING = "trimtab_saving_usd_per_month"
FLEET = "trimtab_fleet_usd_per_month"
FIGURES = ("bill", "plan", "saving", "saving_low", "saving_high")
SHARED_HOSTS = "trimtab_shared_hosts"
INPUT_AGE = "trimtab_input_age_seconds"
PRICE_AGE = "trimtab_price_age_seconds"
CYCLE_DURATION = "trimtab_cycle_duration_seconds"
CYCLE_FAILURES = "trimtab_cycle_failures"  # the client adds _total
RECOMMENDATION_INFO = "trimtab_recommendation_info"
LOAD_ANOMALY = "trimtab_load_anomaly_score"
LOAD_EXCESS = "trimtab_load_anomaly_excess_requests"
SPEND_ANOMALY = "trimtab_spend_anomaly_score"
SPEND_EXCESS = "trimtab_spend_anomaly_excess_usd_per_hour"
VALID_UNTIL = "trimtab_recommendation_valid_until_timestamp_seconds"
PROMISED_SAVING = "trimtab_promised_saving_usd_per_month"
REALISED_SAVING = "trimtab_realised_saving_usd_per_month"
MADE_WORSE = "trimtab_made_worse"
LEDGER_NIGHT = "trimtab_ledger_night_timestamp_seconds"

DAY = timedelta(days=1)
STATES = ("act", "hold", "accepted", "dismissed", "applied", "held", "expired")


class TrimtabCollector(Collector):
    """Everything the store can tell, at the moment of the scrape."""

    def __init__(self, recommendations: Recommendations, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._recommendations = recommendations
        self._journal = journal
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that registering asks nothing of the store."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The families; raises StoreError when the store fails."""
        now = self._clock()
        records = self._recommendations.newest()
        yield from _replicas(records, now)
        yield _loads(records, now)
        yield _costs(records, now)
        yield from _fleet(totals_of(records, now))
        yield from _anomalies(records, now)
        yield _ages(records, now)
        yield _price_ages(records, now)
        yield from _ledger(self._journal.nights.standing(now.astimezone(UTC).date()))
        yield from _cycles(self._journal)


def registry_of(recommendations: Recommendations, journal: Journal, clock: Callable[[], datetime]) -> CollectorRegistry:
    """A registry of our own, never the process-wide one."""
    registry = CollectorRegistry()
    registry.register(TrimtabCollector(recommendations, journal, clock))
    ProcessCollector(registry=registry)
    return registry


def _state(record: Record, now: datetime) -> str:
    status = record.status(now)
    return record.recommendation.kind if status is Status.OPEN else status.value


def _replicas(records: Iterable[Record], now: datetime) -> Iterable[Metric]:
    wanted = GaugeMetricFamily(RECOMMENDED_REPLICAS, "Replicas to run; absent when none is known.", labels=["workload"])
    info = GaugeMetricFamily(
        RECOMMENDATION_INFO,
        f"1 for the state of the newest recommendation: {', '.join(STATES)}.",
        labels=["workload", "state"],
    )
    saving = GaugeMetricFamily(SAVING, "Saving a month of the newest recommendation to act.", labels=["workload"])
    until = GaugeMetricFamily(
        VALID_UNTIL, "When the newest recommendation ends unless it is renewed.", labels=["workload"]
    )
    capacity = GaugeMetricFamily(CAPACITY_RPS, "Requests/s one replica carries within its SLO.", labels=["workload"])
    for record in records:
        recommendation = record.recommendation
        name = recommendation.workload
        info.add_metric([name, _state(record, now)], 1.0)
        until.add_metric([name], recommendation.valid_until.timestamp())
        replicas = record.replicas(now)
        if not isinstance(replicas, Unknown):
            wanted.add_metric([name], replicas)
        if record.status(now) is Status.EXPIRED:
            continue
        rate = recommendation.evidence.capacity.get("rate_rps")
        if isinstance(rate, int | float):
            capacity.add_metric([name], rate)
        if isinstance(recommendation, Act) and not isinstance(recommendation.saving, Unknown):
            saving.add_metric([name], recommendation.saving.usd_per_month)
    return wanted, info, until, saving, capacity


def _loads(records: Iterable[Record], now: datetime) -> Metric:
    loads = GaugeMetricFamily(
        FORECAST_LOAD,
        "Requests/s expected: the highest within the horizon, at the quantile.",
        labels=["workload", "quantile", "horizon"],
    )
    for record in records:
        if record.status(now) is not Status.EXPIRED:
            for quantile, horizon, load in forecast_loads(record.recommendation, now):
                loads.add_metric([record.recommendation.workload, quantile, horizon], load)
    return loads


def forecast_loads(recommendation: Recommendation, now: datetime) -> Iterable[tuple[str, str, float]]:
    """Quantile, horizon and the highest requests/s expected from `now` to the horizon.

    Horizon `lead` is the time a new replica needs, in whole hours of the forecast; quantile `plan` is
    the one that the plan holds, between the levels that were forecast.
    """
    evidence = recommendation.evidence
    levels = sorted((float(name[1:]) / 100, path) for name, path in _paths(evidence.forecast.get("quantiles_rps")))
    step_s, plan = evidence.forecast.get("step_s"), evidence.forecast.get("plan_quantile")
    if not levels or not isinstance(step_s, int | float):
        return
    passed_s = (now - recommendation.created_at).total_seconds()
    for horizon, seconds in (("lead", evidence.capacity.get("time_to_ready_s")), ("24h", 86400.0)):
        if not isinstance(seconds, int | float):
            continue
        # Every step that the window touches: late in a step a lead reaches into the next.
        first, end = int(passed_s // step_s), math.ceil((passed_s + seconds) / step_s)
        steps = slice(first, max(first + 1, end))
        known = {level: [load for load in path[steps] if load is not None] for level, path in levels}
        highest = {level: max(loads) for level, loads in known.items() if loads}
        for level, load in highest.items():
            yield f"{level:g}", horizon, load
        if highest and isinstance(plan, int | float):
            yield "plan", horizon, float(np.interp(plan, list(highest), list(highest.values())))


def _paths(value: Json) -> Iterable[tuple[str, list[float | None]]]:
    """Each path with None in the place of what is no number, so that none moves in time."""
    if isinstance(value, Mapping):
        for name, path in value.items():
            if isinstance(path, Sequence):
                yield name, [load if isinstance(load, int | float) else None for load in path]


def _costs(records: Iterable[Record], now: datetime) -> Metric:
    costs = GaugeMetricFamily(COST, "USD an hour as it runs (current) and as proposed.", labels=["workload", "state"])
    for record in records:
        recommendation = record.recommendation
        if record.status(now) is Status.EXPIRED:
            continue
        if not isinstance(recommendation.current, Unknown):
            costs.add_metric(
                [recommendation.workload, "current"], recommendation.current.usd_per_month / HOURS_PER_MONTH
            )
        if isinstance(recommendation, Act):
            proposed = recommendation.plan.proposed.usd_per_month
            costs.add_metric([recommendation.workload, "proposed"], proposed / HOURS_PER_MONTH)
    return costs


def _fleet(totals: Totals) -> Iterable[Metric]:
    """Sums over the fleet, where anything is known to sum, and its shared hosts."""
    fleet = GaugeMetricFamily(
        FLEET, f"USD a month of all workloads of which it is known: {', '.join(FIGURES)}.", labels=["figure"]
    )
    figures = (totals.bill, totals.plan, totals.saving, totals.low, totals.high)
    for figure, usd in zip(FIGURES, figures, strict=True):
        if totals.billed if figure in ("bill", "plan") else totals.saving_known:
            fleet.add_metric([figure], usd)
    yield fleet
    yield GaugeMetricFamily(SHARED_HOSTS, "Hosts that workloads are to share.", value=len(totals.hosts))


def _anomalies(records: Sequence[Record], now: datetime) -> Iterable[Metric]:
    """Of each workload whose last hour could be compared; absent otherwise, for that is no quiet."""
    metered: tuple[tuple[str, str, str, Callable[[Strange], float]], ...] = (
        (LOAD_ANOMALY, "How far out of the ordinary the last hour's load is; above 1 it is.", "load", score_of),
        (LOAD_EXCESS, "Requests beyond those expected, where the score is from.", "load", excess_requests),
        (SPEND_ANOMALY, "The same of the spend, beside what its load explains.", "spend", score_of),
        (SPEND_EXCESS, "USD an hour beyond those explained, where the score is from.", "spend", excess_usd_per_hour),
    )
    for name, text, kind, figure in metered:
        family = GaugeMetricFamily(name, text, labels=["workload"])
        for record in records:
            found = strange(record, kind, "now", now)
            if found is not None:
                family.add_metric([record.recommendation.workload], figure(found))
        yield family


def _ages(records: Iterable[Record], now: datetime) -> Metric:
    ages = GaugeMetricFamily(INPUT_AGE, "Age of the newest known sample of a signal.", labels=["workload", "signal"])
    for record in records:
        for signal in record.last_seen:
            ages.add_metric([record.recommendation.workload, signal], record.input_age(signal, now).total_seconds())
    return ages


def _price_ages(records: Iterable[Record], now: datetime) -> Metric:
    ages = GaugeMetricFamily(
        PRICE_AGE,
        "Age of the oldest price of the newest recommendation; absent where none is known.",
        labels=["workload"],
    )
    for record in records:
        age = price_age(record.recommendation.evidence, now.astimezone(UTC).date())
        if record.status(now) is not Status.EXPIRED and not isinstance(age, Unknown):
            ages.add_metric([record.recommendation.workload], age.total_seconds())
    return ages


def _ledger(standing: Iterable[Standing]) -> Iterable[Metric]:
    promised = GaugeMetricFamily(
        PROMISED_SAVING,
        "Saving a month of what was taken up, as promised, over the last known nights.",
        labels=["workload"],
    )
    realised = GaugeMetricFamily(
        REALISED_SAVING, "Saving a month that came of it, over the last known nights.", labels=["workload"]
    )
    worse = GaugeMetricFamily(
        MADE_WORSE, "1 while what was taken up is dearer than what ran before or breaks its SLO.", labels=["workload"]
    )
    nights = GaugeMetricFamily(LEDGER_NIGHT, "End of the newest night whose outcome is known.", labels=["workload"])
    for each in standing:
        promised.add_metric([each.workload], each.promised_usd_per_month)
        realised.add_metric([each.workload], each.realised_usd_per_month)
        worse.add_metric([each.workload], float(bool(each.worse)))
        nights.add_metric([each.workload], datetime.combine(each.night + DAY, time(), UTC).timestamp())
    return promised, realised, worse, nights


def _cycles(journal: Journal) -> Iterable[Metric]:
    last = journal.last_cycle()
    if last is not None:
        yield GaugeMetricFamily(CYCLE_DURATION, "Seconds the last cycle took.", value=last.duration_s)
    yield CounterMetricFamily(CYCLE_FAILURES, "Cycles in which something failed.", value=journal.cycle_failures())
