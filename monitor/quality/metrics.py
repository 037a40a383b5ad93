"""The exporter's metrics, asked of the tracker at every scrape: what is not known has no series."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.unknown import Unknown
from monitor.quality.tracker import Quality, Tracker

_LABELS = ("service", "model")


class QualityCollector(Collector):
    """Reads one tracker."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: registering is no scrape."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Every metric, as of now."""
        known = self._tracker.quality()
        yield _gauge(
            "ai_model_accuracy", "Share of right answers among the newest labelled ones.", known, lambda q: q.accuracy
        )
        yield _gauge(
            "ai_model_labelled_pairs", "Labelled answers that the accuracy is of.", known, lambda q: float(q.pairs)
        )
        yield _gauge(
            "ai_model_drift",
            "Population stability index of the newest predictions against the first, the largest of all compared.",
            known,
            lambda q: q.most_drift,
        )
        yield _gauge(
            "ai_model_last_label_timestamp_seconds",
            "When a label last came.",
            known,
            lambda q: Unknown("none came") if q.last_label_at is None else q.last_label_at.timestamp(),
        )
        yield _counter("ai_quality_predictions", "Predictions taken.", known, lambda q: q.predictions)
        yield _counter(
            "ai_quality_dropped_predictions",
            "Predictions forgotten before their label came, for want of room.",
            known,
            lambda q: q.dropped,
        )
        unmatched = CounterMetricFamily("ai_quality_unmatched_labels", "Labels that came for no waiting prediction.")
        unmatched.add_metric((), self._tracker.unmatched)
        yield unmatched
        waiting = GaugeMetricFamily("ai_quality_pending_predictions", "Predictions that wait for their label.")
        waiting.add_metric((), self._tracker.pending)
        yield waiting


def _gauge(name: str, told: str, known: Sequence[Quality], value: Callable[[Quality], float | Unknown]) -> Metric:
    family = GaugeMetricFamily(name, told, labels=_LABELS)
    for one in known:
        found = value(one)
        if not isinstance(found, Unknown):
            family.add_metric((one.service, one.model), found)
    return family


def _counter(name: str, told: str, known: Sequence[Quality], value: Callable[[Quality], int]) -> Metric:
    family = CounterMetricFamily(name, told, labels=_LABELS)
    for one in known:
        family.add_metric((one.service, one.model), value(one))
    return family
