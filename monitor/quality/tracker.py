"""Joins labels to predictions by id, for many models, within bounded memory. Thread-safe; time is handed in."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.errors import UserError
from domain.unknown import Unknown
from monitor.quality.windows import Prediction, Sizes, Windows

Served = tuple[str, str]
"""A workload here: (service, model)."""


class Refused(UserError):
    """What was sent cannot be taken; nothing of it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What is known of one workload; `drift` by what was compared."""

    service: str
    model: str
    predictions: int
    pairs: int
    dropped: int
    accuracy: float | Unknown
    drift: Mapping[str, float] | Unknown
    last_label_at: datetime | None

    @property
    def most_drift(self) -> float | Unknown:
        """The largest index of all that was compared."""
        return self.drift if isinstance(self.drift, Unknown) else max(self.drift.values())


@dataclass(slots=True)
class _Known:
    windows: Windows
    predictions: int = 0
    dropped: int = 0
    features: int | None = None
    last_label_at: datetime | None = None


class Tracker:
    """All models' windows, and the predictions that wait for their label; the oldest of those go when room is out."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._lock = threading.Lock()
        self._known: dict[Served, _Known] = {}
        self._pending: OrderedDict[str, tuple[Served, str]] = OrderedDict()
        self._unmatched = 0

    @property
    def pending(self) -> int:
        """Predictions that wait for their label."""
        return len(self._pending)

    @property
    def unmatched(self) -> int:
        """Labels that came for no prediction that waits."""
        return self._unmatched

    def predicted(self, batch: Sequence[tuple[Served, Prediction]]) -> list[str]:
        """Take predictions, all or none (Refused); those whose id waits already are left out, and returned."""
        with self._lock:
            self._check(batch)
            again = []
            for served, prediction in batch:
                if prediction.id in self._pending:
                    again.append(prediction.id)
                else:
                    self._take(served, prediction)
            return again

    def labelled(self, labels: Sequence[tuple[str, str]], *, at: datetime) -> list[str]:
        """Join (id, label) pairs; returns the ids that no prediction waits for, so that they can be sent again."""
        with self._lock:
            unmatched = []
            for name, label in labels:
                waiting = self._pending.pop(name, None)
                if waiting is None:
                    unmatched.append(name)
                else:
                    self._judge(*waiting, label, at)
            self._unmatched += len(unmatched)
            return unmatched

    def forget(self, served: Served) -> bool:
        """Begin anew with a workload, as after a new version of its model; whether there was one."""
        with self._lock:
            self._pending = OrderedDict((name, kept) for name, kept in self._pending.items() if kept[0] != served)
            return self._known.pop(served, None) is not None

    def quality(self) -> tuple[Quality, ...]:
        """What is known now, by service and model."""
        with self._lock:
            return tuple(_quality(served, self._known[served]) for served in sorted(self._known))

    def _check(self, batch: Sequence[tuple[Served, Prediction]]) -> None:
        new = {served for served, _ in batch} - self._known.keys()
        if len(self._known) + len(new) > self._sizes.workloads:
            raise Refused(f"{self._sizes.workloads} models are all there is room for; forget one, or raise --workloads")
        widths = {served: known.features for served, known in self._known.items()}
        for served, prediction in batch:
            width = None if prediction.features is None else len(prediction.features)
            expected = widths.setdefault(served, width)
            if width != expected:
                raise Refused(f"prediction {prediction.id!r}: {width} features, this model's others have {expected}")

    def _take(self, served: Served, prediction: Prediction) -> None:
        known = self._known.get(served)
        if known is None:
            width = None if prediction.features is None else len(prediction.features)
            known = self._known[served] = _Known(Windows(self._sizes), features=width)
        known.predictions += 1
        known.windows.saw(prediction)
        if len(self._pending) >= self._sizes.pending:
            _, (owner, _) = self._pending.popitem(last=False)
            self._known[owner].dropped += 1
        self._pending[prediction.id] = (served, prediction.label)

    def _judge(self, served: Served, said: str, label: str, at: datetime) -> None:
        known = self._known[served]
        known.windows.judged(right=said == label)
        known.last_label_at = at


def _quality(served: Served, known: _Known) -> Quality:
    service, model = served
    return Quality(
        service=service,
        model=model,
        predictions=known.predictions,
        pairs=len(known.windows.outcomes),
        dropped=known.dropped,
        accuracy=known.windows.accuracy(),
        drift=known.windows.drift(),
        last_label_at=known.last_label_at,
    )
