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
    """`<uid>.json` for the fleet, each runtime's workloads and each alias, and the provisioning files.

    The order of the targets does not matter. Without any target the dashboards show Trimtab's own
    metrics alone.
    """
    from dashboards.directory import directory  # noqa: PLC0415
    from dashboards.fleet import fleet  # noqa: PLC0415  these import the SDK, which `--help` must not pay for
    from dashboards.grafana import to_json  # noqa: PLC0415
    from dashboards.provisioning import provisioning  # noqa: PLC0415
    from dashboards.workload import workload_boards  # noqa: PLC0415

    ordered = sorted(targets, key=lambda target: (target[0].runtime, target[0].id))
    where = directory(ordered)
    boards = (fleet(ordered, where), *workload_boards(ordered, where))
    written = tuple(Artifact(path=PurePosixPath(f"{board.uid}.json"), text=to_json(board)) for board in boards)
    return written + provisioning(options)
