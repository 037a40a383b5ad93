"""Load, or spend, that is out of the ordinary for its workload, as Trimtab's cycle measures it.

A score of 1 is as far as the workload's own days allow; what a rule adds is that there is enough of it, and that what
comes again within a day is told once.
"""

from __future__ import annotations

from datetime import timedelta

from rules.model import Alert, Case, Category, Series
from rules.names import LOAD_ANOMALY, LOAD_EXCESS, SPEND_ANOMALY, SPEND_EXCESS
from rules.options import RuleOptions
from rules.promql import number, series
from rules.specimen import STEP, constant

EXAMPLE = "vision:digits"
AT = timedelta(minutes=30)
TAIL = timedelta(hours=23)  # with the hour that a score looks back, a quiet day ends an episode
SCORE = '{{ printf "%.2g" $value }}'


def load_anomaly(options: RuleOptions) -> Alert:
    """More load, or less, than the workload's own days allow, by enough requests to speak of."""
    score, excess = _newest(LOAD_ANOMALY), _newest(LOAD_EXCESS)
    enough = float(options.min_requests)
    return Alert(
        name="TrimtabLoadAnomaly",
        category=Category.CAPACITY,
        severity="warning",
        expr=f"{score} > 1\nand\nabs({excess}) >= {number(enough)}",
        known=f"{score} * {excess}",
        wait=timedelta(minutes=1),
        tail=TAIL,
        summary="A workload's load is out of the ordinary.",
        description=(
            "<workload>: in the last hour the load was <value> times as far from what was expected of it "
            "as its own days allow."
        ),
        value_template=SCORE,
        labels={"workload": EXAMPLE},
        cases=(
            _case("fires when load is out of the ordinary", {LOAD_ANOMALY: 1.5, LOAD_EXCESS: 10 * enough}, "1.5"),
            _case("fires on a lack of load", {LOAD_ANOMALY: 1.5, LOAD_EXCESS: -10 * enough}, "1.5"),
            _case("is quiet on ordinary load", {LOAD_ANOMALY: 0.9, LOAD_EXCESS: 10 * enough}),
            _case("is quiet on low traffic", {LOAD_ANOMALY: 1.5, LOAD_EXCESS: enough - 1}),
            _case("is quiet while nothing is known", {}),
            _again("goes on for a day after the last sign", (LOAD_ANOMALY, LOAD_EXCESS), 10 * enough, TAIL, "1.5"),
            _again("ends after a quiet day", (LOAD_ANOMALY, LOAD_EXCESS), 10 * enough, TAIL + 2 * AT),
        ),
    )


def spend_anomaly(options: RuleOptions) -> Alert:
    """More spend than the workload's own days allow for its load."""
    score, excess = _newest(SPEND_ANOMALY), _newest(SPEND_EXCESS)
    floor = options.cost_floor_usd_per_hour
    much = 2 * floor + 1
    return Alert(
        name="TrimtabSpendAnomaly",
        category=Category.COST,
        severity="warning",
        expr=f"{score} > 1\nand\n{excess} > {number(floor)}",
        known=f"{score} * {excess}",
        wait=timedelta(minutes=1),
        tail=TAIL,
        summary="A workload's spend is out of the ordinary.",
        description=(
            "<workload>: in the last hour the spend was <value> times as far above what its load explains "
            "as its own days allow."
        ),
        value_template=SCORE,
        labels={"workload": EXAMPLE},
        cases=(
            _case("fires when spend is out of the ordinary", {SPEND_ANOMALY: 1.5, SPEND_EXCESS: much}, "1.5"),
            _case("is quiet on ordinary spend", {SPEND_ANOMALY: 0.9, SPEND_EXCESS: much}),
            _case("is quiet about small sums", {SPEND_ANOMALY: 1.5, SPEND_EXCESS: floor / 2}),
            _case("is quiet about load", {SPEND_ANOMALY: 0.9, SPEND_EXCESS: much, LOAD_ANOMALY: 1.5}),
            _case("is quiet while the spend is unknown", {LOAD_ANOMALY: 0.5}),
            _again("goes on for a day after the last sign", (SPEND_ANOMALY, SPEND_EXCESS), much, TAIL, "1.5"),
            _again("ends after a quiet day", (SPEND_ANOMALY, SPEND_EXCESS), much, TAIL + 2 * AT),
        ),
    )


def _newest(metric: str) -> str:
    return f"max by (workload) ({metric})"


def _case(name: str, facts: dict[str, float], value: str | None = None) -> Case:
    fed: tuple[Series, ...] = tuple(
        constant(series(metric, {"workload": EXAMPLE}), fact, AT) for metric, fact in facts.items()
    )
    return Case(name=name, series=fed, at=AT, value=value)


def _again(name: str, of: tuple[str, str], enough: float, at: timedelta, value: str | None = None) -> Case:
    """The score of `of` half an hour out of the ordinary, ordinary again until `at`."""
    score, excess = of
    fed = (
        Series(series=series(score, {"workload": EXAMPLE}), values=f"1.5x{AT // STEP} 0.4x{(at - AT) // STEP}"),
        constant(series(excess, {"workload": EXAMPLE}), enough, at),
    )
    return Case(name=name, series=fed, at=at, value=value)
