"""From workloads and the profiles of their runtimes to the files that Grafana loads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from dashboards.options import DEFAULTS, DashboardOptions
from domain.artifact import Artifact
from domain.signals import RuntimeProfile
from domain.workload import Workload


def render(
    targets: Sequence[tuple[Workload, RuntimeProfile]], options: DashboardOptions = DEFAULTS
) -> tuple[Artifact, ...]:
    """`<uid>.json` for each dashboard, and the provisioning files.

    There is one for the fleet, for cost and savings, for model quality, for Trimtab's health, for each runtime's
    workloads and for each alias. The order of the targets does not matter. Without any target the dashboards show Trimtab's own
    metrics and those of the quality exporter alone.
    """
    from dashboards.costs import costs  # noqa: PLC0415
    from dashboards.directory import directory  # noqa: PLC0415
    from dashboards.fleet import fleet  # noqa: PLC0415  these import the SDK, which `--help` must not pay for
    from dashboards.grafana import to_json  # noqa: PLC0415
    from dashboards.health import health  # noqa: PLC0415
    from dashboards.provisioning import provisioning  # noqa: PLC0415
    from dashboards.quality import quality  # noqa: PLC0415
    from dashboards.workload import workload_boards  # noqa: PLC0415

    ordered = sorted(targets, key=lambda target: (target[0].runtime, target[0].id))
    where = directory(ordered)
    profiles = tuple({profile.name: profile for _, profile in ordered}.values())
    bounds = [workload.slo.min_accuracy for workload, _ in ordered if workload.slo.min_accuracy is not None]
    boards = (
        fleet(ordered, where, options),
        costs(profiles, where, options),
        quality(max(bounds, default=None)),
        health(profiles, options),
        *workload_boards(ordered, where, options),
    )
    written = tuple(Artifact(path=PurePosixPath(f"{board.uid}.json"), text=to_json(board)) for board in boards)
    return written + provisioning(options)
