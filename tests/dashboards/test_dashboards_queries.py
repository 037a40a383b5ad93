"""Reading back what a dashboard asks."""

from __future__ import annotations

import json

import pytest

from dashboards.queries import PanelQuery, panel_queries


def board(expr: str, **variable: str) -> str:
    """A dashboard with one panel in a collapsed row, and one variable."""
    panel = {"type": "stat", "title": "t", "targets": [{"expr": expr, "instant": True}]}
    row = {"type": "row", "title": "r", "panels": [panel]}
    return json.dumps({"panels": [row], "templating": {"list": [{"name": "workload"}, variable]}})


@pytest.mark.parametrize(
    "expr, filled",
    [
        ('m{w="$workload"}', 'm{w="a:b"}'),
        ('m{w="${workload}"}', 'm{w="a:b"}'),
        ('m{w=~"${workload:regex}"}', 'm{w=~"a:b"}'),
        ('m{w="[[workload]]"}', 'm{w="a:b"}'),
        ("rate(m[$__rate_interval])", "rate(m[5m])"),
        ("rate(m[${__range}])", "rate(m[86400s])"),
        ('m{w="$model"}', 'm{w="b"}'),
        ('m{w="$nothing"}', 'm{w="$nothing"}'),
    ],
)
def test_variables_are_filled_in_as_grafana_does(expr: str, filled: str) -> None:
    text = board(expr, name="model", regex="/^[^:]*:(.*)$/")
    assert panel_queries(text, {"workload": "a:b"}) == [PanelQuery(title="t", expr=filled, instant=True)]


def test_a_given_value_wins_over_the_built_in_one() -> None:
    (query,) = panel_queries(board("rate(m[$__rate_interval])", name="x"), {"__rate_interval": "1h"})
    assert query.expr == "rate(m[1h])"


def test_values_are_escaped_for_promql() -> None:
    (query,) = panel_queries(board('m{w="$workload"}', name="x"), {"workload": 'a"b\\c'})
    assert query.expr == r'm{w="a\"b\\c"}'


@pytest.mark.parametrize("missing", ["workload", "model", "__from"])
def test_a_variable_without_a_value_is_named(missing: str) -> None:
    text = board(f'm{{w="${missing}"}}', name="model", regex="/^[^:]*:(.*)$/")
    with pytest.raises(ValueError, match=rf"\${missing} of .* has no value"):
        panel_queries(text, {})
