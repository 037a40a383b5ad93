"""`trimtab render`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from trimtab.cli.options import Config, OutFolder, need_settings, say


class Kind(StrEnum):
    """What can be rendered."""

    RULES = "rules"
    ALERTMANAGER = "alertmanager"
    PROMETHEUS = "prometheus"
    DASHBOARDS = "dashboards"
    MANIFESTS = "manifests"


def render(
    kind: Annotated[Kind, typer.Argument(help="What to write.")],
    out: OutFolder,
    config: Config = None,
) -> None:
    """Write rules, dashboards, manifests or configurations from the newest recommendations in the store.

    What has expired is left out; a store in which nothing stands is filled by one cycle first.
    Files are replaced only if their text changed.
    """
    settings = need_settings(config)
    from trimtab.cli.fill import standing  # noqa: PLC0415
    from trimtab.files import write_artifacts  # noqa: PLC0415
    from trimtab.rendering import render as artifacts_of  # noqa: PLC0415
    from trimtab.rendering import to_render  # noqa: PLC0415
    from trimtab.wiring import build  # noqa: PLC0415

    if kind in (Kind.ALERTMANAGER, Kind.PROMETHEUS):  # these rest on the settings alone
        artifacts = artifacts_of(kind.value, settings, (), ())
    else:
        program = build(settings, progress=say)
        recommendations = to_render(kind.value, standing(program))
        artifacts = artifacts_of(kind.value, settings, program.journal.workloads(), recommendations)
    written = write_artifacts(out, artifacts)
    for path in sorted((*written.changed, *written.unchanged)):
        typer.echo(path)
    say(f"{len(written.changed)} files written, {len(written.unchanged)} were up to date")
