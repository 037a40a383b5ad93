"""Load, or spend, that is out of the ordinary for its workload, as Trimtab's cycle measures it.

A score of 1 is as far as the workload's own days allow; what a rule adds is that there is enough of it, and that spend
which follows load is told once, as load.
"""

from __future__ import annotations

from datetime import timedelta

from rules.model import Alert, Case, Category, Series
from rules.names import LOAD_ANOMALY, LOAD_EXCESS, SPEND_ANOMALY, SPEND_EXCESS
from rules.options import RuleOptions
from rules.promql import number, series
from rules.specimen import constant

EXAMPLE = "vision:digits"
AT = timedelta(minutes=30)
LOAD_FIRST = timedelta(hours=6)  # what is spent for so long after load is out of the ordinary, is spent on it
TAIL = timedelta(hours=5)  # with the hour that a score looks back, six quiet hours end an episode
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
        ),
    )


def spend_anomaly(options: RuleOptions) -> Alert:
    """More spend for the load that was expected than the workload's own days allow, and no load that explains it."""
    score, excess = _newest(SPEND_ANOMALY), _newest(SPEND_EXCESS)
    load = f"max by (workload) (max_over_time({LOAD_ANOMALY}[{LOAD_FIRST // timedelta(hours=1)}h]))"
    floor = options.cost_floor_usd_per_hour
    much = 2 * floor + 1
    return Alert(
        name="TrimtabSpendAnomaly",
        category=Category.COST,
        severity="warning",
        expr=f"{score} > 1\nand\n{excess} > {number(floor)}\nunless\n{load} > 1",
        known=f"{score} * {excess}",
        wait=timedelta(minutes=1),
        tail=TAIL,
        summary="A workload's spend is out of the ordinary.",
        description=(
            "<workload>: in the last hour the spend was <value> times as far above what its expected load costs "
            "as its own days allow."
        ),
        value_template=SCORE,
        labels={"workload": EXAMPLE},
        cases=(
            _case("fires when spend is out of the ordinary", {SPEND_ANOMALY: 1.5, SPEND_EXCESS: much}, "1.5"),
            _case("is quiet on ordinary spend", {SPEND_ANOMALY: 0.9, SPEND_EXCESS: much}),
            _case("is quiet about small sums", {SPEND_ANOMALY: 1.5, SPEND_EXCESS: floor / 2}),
            _case("is quiet about load told already", {SPEND_ANOMALY: 1.5, SPEND_EXCESS: much, LOAD_ANOMALY: 1.2}),
            _case("is quiet while the spend is unknown", {LOAD_ANOMALY: 0.5}),
        ),
    )


def _newest(metric: str) -> str:
    return f"max by (workload) ({metric})"


def _case(name: str, facts: dict[str, float], value: str | None = None) -> Case:
    fed: tuple[Series, ...] = tuple(
        constant(series(metric, {"workload": EXAMPLE}), fact, AT) for metric, fact in facts.items()
    )
    return Case(name=name, series=fed, at=AT, value=value)
