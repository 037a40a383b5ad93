"""A client of the one real replica: sends the load that is due, and reports predictions and truths."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from trimtab.demo.live import Replayed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The model's answer to request `number`: a class, and the probability it gave it."""

    number: int
    label: str
    score: float


@dataclass(slots=True, kw_only=True)
class Client:
    """Sends real images to `serving` and tells `quality` what was answered and what was right."""

    serving: str
    quality: str
    labels: Mapping[str, str]
    inputs: Sequence[Sequence[float]]
    truth: Sequence[str]
    due: Replayed
    stop: threading.Event
    sent: int = 0
    failed: int = 0
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10.0, trust_env=False))

    def tick(self, now_s: float) -> None:
        """Send what is due, unless told to stop; a request that fails is counted, and the load goes on."""
        answered = [self._predict() for _ in range(self.due.due(now_s)) if not self.stop.is_set()]
        told = [one for one in answered if one is not None]
        if told:
            self._tell(told)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _predict(self) -> Answered | None:
        """None where there was no answer."""
        number, self.sent = self.sent, self.sent + 1
        body = {"model_id": self.labels["model"], "input_data": [list(self.inputs[number % len(self.inputs)])]}
        try:
            answer = self._http.post(f"{self.serving}/predict", json=body)
            answer.raise_for_status()
        except httpx.HTTPError:
            self.failed += 1
            return None
        outputs = answer.json()["outputs"]
        return Answered(number=number, label=str(outputs["label"][0]), score=max(outputs["probabilities"][0]))

    def _tell(self, told: Sequence[Answered]) -> None:
        """Hand predictions, then the truth, to the quality exporter."""
        names = {"service": self.labels["service"], "model": self.labels["model"]}
        predictions = [{"id": str(one.number), "label": one.label, "score": one.score, **names} for one in told]
        truths = [{"id": str(one.number), "label": self.truth[one.number % len(self.truth)]} for one in told]
        try:
            self._http.post(f"{self.quality}/predictions", json=predictions).raise_for_status()
            self._http.post(f"{self.quality}/labels", json=truths).raise_for_status()
        except httpx.HTTPError:
            self.failed += 1
