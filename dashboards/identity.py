"""From the one variable that a reader chooses, `$workload`, to the labels that select its series.

A workload's id is its identity label values joined by ":" ("vision:digits"), so each label is a
hidden variable cut out of the id by a regular expression that JavaScript and Python read alike.
"""

from __future__ import annotations

import re

from dashboards import names
from dashboards.spec import Variable
from domain.signals import RuntimeProfile, quote
from domain.workload import Workload

THIS_WORKLOAD = f"label_values({names.INFO}{{{names.OF_WORKLOAD}}}, workload)"


def cut(position: int, parts: int) -> str:
    """The regular expression of the id's part at `position` of `parts`; the last part takes the rest."""
    part = "(.*)" if position == parts - 1 else "([^:]*):.*"
    return f"/^{'[^:]*:' * position}{part}$/"


def derivable(workload: Workload, profile: RuntimeProfile) -> bool:
    """Whether cutting the id gives back exactly the labels that select the workload."""
    found = {}
    for position, label in enumerate(profile.identity):
        match = re.match(cut(position, len(profile.identity)).strip("/"), workload.id, re.DOTALL)
        found[label] = match[1] if match else None
    return found == dict(workload.labels)


def as_variables(profile: RuntimeProfile) -> dict[str, str]:
    """The labels of a runtime's workloads as variables: `{"service": "$service", "model": "$model"}`."""
    return {label: f"${label}" for label in profile.identity}


def by_workload(expr: str, profile: RuntimeProfile) -> str:
    """`expr`, a vector by identity, by workload id, as far as ids hold the labels."""
    labels = ", ".join(map(quote, profile.identity))
    return f'sum by (workload) (label_join({expr}, "workload", ":", {labels}))'


def variables(profile: RuntimeProfile, matcher: str) -> tuple[Variable, ...]:
    """The workload that the reader chooses among those that `matcher` selects, and its labels, hidden."""
    chooser = Variable(
        name=names.WORKLOAD,
        label="Workload",
        description="A workload that has a recommendation.",
        query=f"label_values({names.INFO}{matcher}, workload)",
    )
    return chooser, *(
        Variable(
            name=label,
            label=label,
            description="Part of the workload's id; follows the workload chosen.",
            query=THIS_WORKLOAD,
            regex=cut(position, len(profile.identity)),
            hidden=True,
        )
        for position, label in enumerate(profile.identity)
    )
