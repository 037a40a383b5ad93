"""The unit tests that come with the rules, for `promtool test rules`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from domain.recorded import duration
from rules.groups import label_values, runbook_url
from rules.model import Alert, Case, Series
from rules.options import RuleOptions
from rules.proof import Emitted
from rules.specimen import STEP

ABSENT_LABEL = re.compile(r"\{\{ \$labels\.\w+ \}\}")


def unit_tests(
    alerts: Sequence[Emitted], rule_files: Sequence[str], owner: Mapping[str, str], options: RuleOptions
) -> dict[str, Any]:
    """A promtool test file: each case of each alert, against `rule_files` (relative to the test file)."""
    return {
        "rule_files": list(rule_files),
        "evaluation_interval": duration(2 * STEP),  # twice as quick as evaluating at every sample
        "tests": [_test(one, case, owner, options) for one in alerts for case in one.alert.cases],
    }


def _test(emitted: Emitted, case: Case, owner: Mapping[str, str], options: RuleOptions) -> dict[str, Any]:
    alert = emitted.alert
    expected = [] if case.value is None else [_firing(emitted, case.value, owner, options)]
    return {
        "name": f"{alert.name} {case.name}",
        "interval": duration(STEP),
        "input_series": [{"series": s.series, "values": s.values} for s in case.series if _serves(s, alert)],
        "alert_rule_test": [{"eval_time": duration(case.at), "alertname": alert.name, "exp_alerts": expected}],
    }


def _serves(series: Series, alert: Alert) -> bool:
    """Whether the alert may ask for it: of recorded series only those that it names."""
    name = series.series.partition("{")[0]
    return ":" not in name or name in alert.expr


def _firing(emitted: Emitted, value: str, owner: Mapping[str, str], options: RuleOptions) -> dict[str, Any]:
    alert = emitted.alert
    labels = {**alert.labels, **label_values(alert, owner)}
    text = alert.description.replace("<workload>", labels.get("workload", "")).replace("<value>", value)
    for name, content in alert.labels.items():
        text = text.replace(f"{{{{ $labels.{name} }}}}", content)
    text = ABSENT_LABEL.sub("", text)
    return {
        "exp_labels": labels,
        "exp_annotations": {
            "summary": alert.summary,
            "description": text,
            "runbook_url": runbook_url(alert.name, options),
            **emitted.annotations,
        },
    }
