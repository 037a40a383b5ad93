"""`trimtab render`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import SettingsError
from trimtab.cli.options import Config, OutFolder, need_settings, say

if TYPE_CHECKING:
    from rules import Proofs
    from trimtab.settings import Settings
    from trimtab.wiring import Program


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
    form: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORM",
            help="Of manifests only this form (docs/manifests.md), whatever emit.manifests says; repeatable.",
        ),
    ] = None,
) -> None:
    """Write rules, dashboards, manifests or configurations from the newest recommendations in the store.

    What has expired is left out; a store in which nothing stands is filled by one cycle first.
    Rules are replayed on the history of Prometheus first, so that each says when it would have fired.
    Files are replaced only if their text changed.
    """
    settings = need_settings(config)
    if form:
        settings = _only(settings, kind, form)
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
        proofs = _proved(program) if kind is Kind.RULES and settings.rules.proof_days else None
        artifacts = artifacts_of(kind.value, settings, program.journal.workloads(), recommendations, proofs)
    written = write_artifacts(out, artifacts, option="--out")
    for path in sorted((*written.changed, *written.unchanged)):
        typer.echo(path)
    say(f"{len(written.changed)} files written, {len(written.unchanged)} were up to date")


def _proved(program: Program) -> Proofs:
    say(f"replaying the rules over {program.settings.rules.proof_days:g} days of history")
    return program.prover.catch_up(now=program.clock())


def _only(settings: Settings, kind: Kind, forms: list[str]) -> Settings:
    """The settings with these forms of manifests; SettingsError for one that is unknown, or a kind that has none."""
    from trimtab.settings import EmitSettings  # noqa: PLC0415
    from trimtab.settings_file import parse_section  # noqa: PLC0415

    if kind is not Kind.MANIFESTS:
        raise SettingsError("--form", ", ".join(forms), f"leave it out: {kind.value} have no forms")
    chosen = parse_section(EmitSettings, {"manifests": forms}, name="--form").manifests
    return settings.model_copy(update={"emit": settings.emit.model_copy(update={"manifests": chosen})})
