"""The dashboards of workloads: one for each runtime, and one for each workload under a name of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboards import names
from dashboards.around import WINDOW, links, marks
from dashboards.budgets import Promised
from dashboards.detail import sections
from dashboards.directory import Directory, alias_uid, runtime_uid
from dashboards.identity import as_variables, variables
from dashboards.options import DashboardOptions
from dashboards.spec import Board
from dashboards.subject import Subject
from domain.signals import RuntimeProfile, Signal, selector
from domain.workload import Slo, Workload


def workload_boards(
    targets: Sequence[tuple[Workload, RuntimeProfile]], where: Directory, options: DashboardOptions
) -> tuple[Board, ...]:
    """One dashboard for each runtime, and one for each workload whose id does not hold its labels."""
    profiles = {profile.name: profile for _, profile in targets}
    by_runtime = [
        of_runtime(profile, shown, where, options)
        for profile in profiles.values()
        if (shown := {each.id: each.slo for each, _ in targets if where.uids[each.id] == runtime_uid(profile)})
    ]
    aliases = [
        of_alias(workload, profile, options)
        for workload, profile in targets
        if where.uids[workload.id] == alias_uid(workload)
    ]
    return (*by_runtime, *aliases)


def of_runtime(profile: RuntimeProfile, slos: Mapping[str, Slo], where: Directory, options: DashboardOptions) -> Board:
    """Follows `$workload` through all workloads of a runtime."""
    labels = as_variables(profile)

    def ask(signal: Signal, quantile: float) -> str | None:
        return profile.query(signal, labels, window=WINDOW, quantile=quantile)

    uid = runtime_uid(profile)
    promised = Promised(profile=profile, labels=labels, own=names.OF_WORKLOAD, slos=slos)
    return Board(
        uid=uid,
        title=f"Trimtab / Workload on {profile.name}",
        description="One workload: its demand, what is recommended and why it pays, and whether it holds its SLO.",
        sections=sections(Subject(own=names.OF_WORKLOAD, ask=ask, promised=promised), options),
        variables=variables(profile, where.matcher(uid)),
        links=links(uid),
        annotations=marks(names.OF_WORKLOAD),
        tags=(names.TAG, names.WORKLOAD_TAG),
    )


def of_alias(workload: Workload, profile: RuntimeProfile, options: DashboardOptions) -> Board:
    """For a workload under a name of its own: its labels are written out."""
    own = selector({names.WORKLOAD: workload.id})

    def ask(signal: Signal, quantile: float) -> str | None:
        return profile.query(signal, workload.labels, window=WINDOW, quantile=quantile)

    promised = Promised(profile=profile, labels=workload.labels, own=own, slos={workload.id: workload.slo})
    return Board(
        uid=alias_uid(workload),
        title=f"Trimtab / Workload {workload.id}",
        description=f"The workload {workload.id}: its demand, what is recommended, and whether it holds its SLO.",
        sections=sections(Subject(own=own, ask=ask, promised=promised), options),
        links=links(alias_uid(workload)),
        annotations=marks(own),
        tags=(names.TAG, names.WORKLOAD_TAG),
    )
