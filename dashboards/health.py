"""Panels about Trimtab's own sight and pulse: how old its inputs are, how its cycles go."""

from __future__ import annotations

from dashboards import names
from dashboards.spec import Kind, Panel, Query, Step

# The rules warn at 15 minutes; two scrapes of five minutes late is worth a look.
AGES = (
    Step(value=None, colour="green"),
    Step(value=600.0, colour="orange"),
    Step(value=900.0, colour="red"),
)


def input_age(expr: str, *, title: str, description: str) -> Panel:
    """One age of this moment."""
    return Panel(
        kind=Kind.STAT,
        title=title,
        description=description,
        unit="s",
        queries=(Query(expr=expr, instant=True),),
        thresholds=AGES,
        width=4,
        height=4,
        least=None,
    )


def own_health() -> tuple[Panel, ...]:
    """Inputs by signal, the length of a cycle, failures."""
    return (
        Panel(
            title="Age of inputs by signal",
            description="The stalest workload of each signal. A signal that is not answered is never read as zero: it ages.",
            unit="s",
            queries=(Query(expr=f"max by (signal) ({names.INPUT_AGE})", legend="{{signal}}"),),
            thresholds=AGES,
            line=True,
            width=8,
        ),
        Panel(
            title="Length of a cycle",
            description="Seconds from waking up to the last file written.",
            unit="s",
            queries=(Query(expr=f"max({names.CYCLE_SECONDS})", legend="seconds"),),
            width=8,
        ),
        Panel(
            title="Failed cycles",
            description="Cycles that ended in an error, over the hour before each point.",
            unit="short",
            queries=(Query(expr=f"sum(increase({names.CYCLE_FAILURES}[1h]))", legend="failed in an hour"),),
            thresholds=(Step(value=None, colour="green"), Step(value=1.0, colour="red")),
            width=8,
        ),
    )
