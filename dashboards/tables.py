"""A table with a line a workload, whose name leads to its own dashboard."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards import names
from dashboards.directory import Directory
from dashboards.spec import GRID, Kind, Panel, Query


def workload_table(title: str, columns: Sequence[tuple[str, str, str]], where: Directory) -> Panel:
    """Workload, state, and the `columns`: expression (a vector by workload), title, unit."""
    return Panel(
        kind=Kind.TABLE,
        title=title,
        description="One line a workload; an empty cell is not known. The name leads to the workload's own dashboard.",
        unit="short",
        queries=(
            Query(expr=where.labelled(f"max by (workload, state) ({names.INFO} == 1)"), instant=True),
            *(Query(expr=expr, legend=title, instant=True) for expr, title, _ in columns),
        ),
        column_units={title: unit for _, title, unit in columns},
        width=GRID,
        height=11,
        least=None,
    )
