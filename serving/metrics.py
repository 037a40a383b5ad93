"""The metrics of one server, in a registry that is handed in. This is the home of their names.

A request is counted under the route's template, never under the path that was sent, and under a model only where it
asked a deployed model to infer: what callers send makes no new series. Series of known outcomes exist before their
first event, so that the first error is an increase and not a birth.
"""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from serving.model import Model

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
UNMATCHED = "unmatched"
INFERENCE_ENDPOINTS = ("/predict", "/v2/models/{name}/infer", "/v2/models/{name}/versions/{version}/infer")
EXPECTED_STATUSES = ("200", "400", "500", "503")

_MODEL = ("service", "model")


@dataclass(frozen=True, slots=True)
class Answered:
    """What is known of a request once it is answered."""

    endpoint: str
    model: str
    status: int
    seconds: float


class Metrics:
    """Everything `/metrics` shows; `service` is the label of that name on every series."""

    def __init__(self, service: str, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._service = service
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "ai_requests",
            "Requests answered, by HTTP status.",
            ("service", "endpoint", "model", "status"),
            registry=registry,
        )
        self._duration = Histogram(
            "ai_request_duration_seconds",
            "Time from a request's arrival to the end of its answer, waiting included.",
            ("service", "endpoint", "model"),
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._arrivals = Counter(
            "ai_request_arrivals", "Requests to infer, counted when they arrive.", _MODEL, registry=registry
        )
        self._in_flight = Gauge(
            "ai_requests_in_flight", "Requests to infer that wait or are worked on.", _MODEL, registry=registry
        )
        self._ready = Gauge(
            "ai_ready", "1 while this process takes requests for the model, otherwise 0.", _MODEL, registry=registry
        )
        self._load_seconds = Gauge(
            "ai_model_load_seconds", "Time that the deployed model took to load.", _MODEL, registry=registry
        )
        self._info = Gauge(
            "ai_model_info", "Always 1: which model is deployed.", (*_MODEL, "version", "sha256"), registry=registry
        )
        self._startup = Gauge(
            "ai_startup_seconds", "Time from the start of the process to ready.", ("service",), registry=registry
        )
        self._pipeline_items = Counter(
            "ai_pipeline_items", "Inputs run by pipelines, by outcome.", (*_MODEL, "outcome"), registry=registry
        )
        self._expect(UNMATCHED, "", ("404",))
        for endpoint in INFERENCE_ENDPOINTS:
            self._expect(endpoint, "", ("400", "404"))

    def _expect(self, endpoint: str, model: str, statuses: tuple[str, ...]) -> None:
        for status in statuses:
            self._requests.labels(self._service, endpoint, model, status)

    def arrived(self, model: str) -> None:
        """A request asks `model` to infer."""
        self._arrivals.labels(self._service, model).inc()
        self._in_flight.labels(self._service, model).inc()

    def answered(self, request: Answered) -> None:
        """A request was answered, whatever with."""
        self._requests.labels(self._service, request.endpoint, request.model, str(request.status)).inc()
        self._duration.labels(self._service, request.endpoint, request.model).observe(request.seconds)
        if request.model:
            self._in_flight.labels(self._service, request.model).dec()

    def announced(self, name: str) -> None:
        """A model is to be deployed: its series exist from now on."""
        self._ready.labels(self._service, name)
        self._arrivals.labels(self._service, name)
        self._in_flight.labels(self._service, name)
        for outcome in ("succeeded", "failed"):
            self._pipeline_items.labels(self._service, name, outcome)
        for endpoint in INFERENCE_ENDPOINTS:
            self._expect(endpoint, name, EXPECTED_STATUSES)
            self._duration.labels(self._service, endpoint, name)

    def deployed(self, model: Model) -> None:
        """A model is in memory."""
        self._forget_version(model.name)
        self._load_seconds.labels(self._service, model.name).set(model.load_seconds)
        self._info.labels(self._service, model.name, model.version, model.sha256[:12]).set(1)

    def withdrawn(self, name: str) -> None:
        """A model is no longer deployed here: its gauges end, its counters stay as they are."""
        self._forget_version(name)
        for gauge in (self._ready, self._load_seconds):
            gauge.remove_by_labels({"service": self._service, "model": name})

    def _forget_version(self, name: str) -> None:
        self._info.remove_by_labels({"service": self._service, "model": name})

    def ready(self, name: str, truth: bool) -> None:
        """Whether this process takes requests for a model."""
        self._ready.labels(self._service, name).set(float(truth))

    def started(self, seconds: float) -> None:
        """The server became ready for the first time, so long after its process began."""
        self._startup.labels(self._service).set(seconds)

    def pipeline_item(self, model: str, *, succeeded: bool) -> None:
        """A pipeline ran one input."""
        self._pipeline_items.labels(self._service, model, "succeeded" if succeeded else "failed").inc()
