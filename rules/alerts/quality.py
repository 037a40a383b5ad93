"""Model quality: accuracy on labelled traffic, once there are enough labels to speak of."""

from __future__ import annotations

from datetime import timedelta

from domain.signals import Signal
from rules.model import Alert, Case, Category, Subject
from rules.names import ACCURACY, LABELLED_PAIRS
from rules.promql import ask, number, series
from rules.specimen import constant

AT = timedelta(minutes=30)


def accuracy_low(subject: Subject) -> Alert | None:
    """Accuracy is below its bound, on enough (prediction, label) pairs."""
    if not subject.asks(Signal.ACCURACY):
        return None
    own = subject.workload.slo.min_accuracy
    bound = subject.options.min_accuracy if own is None else own
    by = ", ".join(subject.profile.identity)
    accuracy = ask(subject.profile, Signal.ACCURACY, subject.identity)
    pairs = f"sum by ({by}) ({series(LABELLED_PAIRS, subject.identity)})"
    return Alert(
        name="TrimtabAccuracyLow",
        category=Category.QUALITY,
        severity="warning",
        expr=f"{accuracy} < {number(bound)}\nand\n{pairs} >= {subject.options.min_labelled_pairs}",
        wait=timedelta(minutes=10),
        tail=subject.options.firing_tail,
        summary="The model's accuracy is below its bound.",
        description=f"<workload>: accuracy on labelled requests is <value>; its bound is {number(bound)}.",
        value_template='{{ printf "%.3g" $value }}',
        labels=subject.identity,
        cases=_cases(subject, bound),
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
