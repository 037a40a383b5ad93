"""The metrics that dashboards name are those that our own processes export."""

from __future__ import annotations

from prometheus_client.metrics_core import CounterMetricFamily

from dashboards import names
from monitor.quality.metrics import QualityCollector
from monitor.quality.tracker import Tracker
from monitor.quality.windows import Sizes
from trimtab import budgetmetrics, selfmetrics


def test_the_quality_exporter_has_every_metric_of_the_model_quality_dashboard() -> None:
    exported = {
        f"{family.name}_total" if isinstance(family, CounterMetricFamily) else family.name
        for family in QualityCollector(Tracker(Sizes())).collect()
    }
    wanted = {value for value in vars(names).values() if isinstance(value, str) and value.startswith("ai_")}
    assert len(wanted) > 5
    assert wanted <= exported


def test_trimtab_has_every_metric_of_its_own() -> None:
    homes = (vars(selfmetrics), vars(budgetmetrics))
    exported = {value for home in homes for name, value in home.items() if name.isupper() and isinstance(value, str)}
    wanted = {value for value in vars(names).values() if isinstance(value, str) and value.startswith("trimtab_")}
    assert {name.removesuffix("_total") for name in wanted} <= exported
