"""Model quality: accuracy on labelled traffic, once there are enough labels to speak of, and drift of what comes in."""

from __future__ import annotations

from datetime import timedelta

from domain.signals import Signal
from rules.model import Alert, Case, Category, Subject
from rules.names import ACCURACY, DRIFT, LABELLED_PAIRS
from rules.promql import number, series
from rules.specimen import constant

AT = timedelta(minutes=30)


def accuracy_low(subject: Subject) -> Alert | None:
    """Accuracy is below its bound, on enough (prediction, label) pairs."""
    if not subject.asks(Signal.ACCURACY):
        return None
    own = subject.workload.slo.min_accuracy
    bound = subject.options.min_accuracy if own is None else own
    by = ", ".join(subject.profile.identity)
    accuracy = subject.ask.now(Signal.ACCURACY)
    pairs = f"sum by ({by}) ({series(LABELLED_PAIRS, subject.identity)})"
    return Alert(
        name="TrimtabAccuracyLow",
        category=Category.QUALITY,
        severity="warning",
        expr=f"{accuracy} < {number(bound)}\nand\n{pairs} >= {subject.options.min_labelled_pairs}",
        known=accuracy,
        wait=timedelta(minutes=10),
        tail=subject.options.firing_tail,
        summary="The model's accuracy is below its bound.",
        description=f"<workload>: accuracy on labelled requests is <value>; its bound is {number(bound)}.",
        value_template='{{ printf "%.3g" $value }}',
        labels=subject.identity,
        cases=_cases(subject, bound),
    )


def drift_high(subject: Subject) -> Alert | None:
    """What the model is asked, or what it says, is no longer what it was; the exporter tells it of full windows only."""
    if not subject.asks(Signal.ACCURACY):  # the quality exporter's, as accuracy is
        return None
    bound = subject.options.max_drift
    drift = f"max by ({', '.join(subject.profile.identity)}) ({series(DRIFT, subject.identity)})"
    return Alert(
        name="TrimtabDriftHigh",
        category=Category.QUALITY,
        severity="warning",
        expr=f"{drift} > {number(bound)}",
        known=drift,
        wait=timedelta(minutes=30),
        tail=subject.options.firing_tail,
        summary="The model's inputs or answers have drifted.",
        description=(
            f"<workload>: the population stability index against the reference is <value>; its bound is {number(bound)}."
        ),
        value_template='{{ printf "%.3g" $value }}',
        labels=subject.identity,
        cases=tuple(
            Case(name=name, series=drifted, at=2 * AT, value=value)
            for name, drifted, value in (
                (
                    "fires when it has drifted",
                    (constant(series(DRIFT, subject.identity), 2 * bound, 2 * AT),),
                    f"{2 * bound:.3g}",
                ),
                (
                    "is quiet within the bound",
                    (constant(series(DRIFT, subject.identity), bound / 2, 2 * AT),),
                    None,
                ),
                ("is quiet before the windows are full", (), None),
            )
        ),
    )


def _cases(subject: Subject, bound: float) -> tuple[Case, ...]:
    enough, low = subject.options.min_labelled_pairs, bound / 2
    fed = (
        ("fires when accuracy is low", low, enough, f"{low:.3g}"),
        ("is quiet above the bound", (1 + bound) / 2, enough, None),
        ("is quiet with few labels", low, enough - 1, None),
    )
    return tuple(
        Case(
            name=name,
            series=(
                constant(series(ACCURACY, subject.identity), accuracy, AT),
                constant(series(LABELLED_PAIRS, subject.identity), pairs, AT),
            ),
            at=AT,
            value=value,
        )
        for name, accuracy, pairs, value in fed
    )
