"""The comments on top of a manifest: why, until when, what it saves, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from domain.plan import Act, Configuration
from domain.unknown import Unknown
from domain.workload import ScaleTarget, Workload
from manifests.bounds import ReplicaBounds


def header(workload: Workload, act: Act, target: ScaleTarget, bounds: ReplicaBounds, path: str) -> str:
    """Comment lines; whatever a name or a reason holds, it stays inside its line."""
    return "".join(f"# {one_line(line)}\n" for line in _lines(workload, act, target, bounds, path))


def one_line(text: str) -> str:
    """`text` without line breaks or control characters."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def moment(at: datetime) -> str:
    """UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _lines(workload: Workload, act: Act, target: ScaleTarget, bounds: ReplicaBounds, path: str) -> Iterator[str]:
    yield f"Written by `trimtab render manifests` for {act.workload}, recommendation {act.id}."
    yield f"Made {moment(act.created_at)}; expires {moment(act.valid_until)}: render again by then, or roll back."
    yield f"Now: {_configuration(act.current)}."
    yield f"Proposed: {_configuration(act.plan.proposed)}."
    yield _saving(act)
    for reason in act.reasons:
        yield f"Why: {reason.detail} ({reason.code})"
    if workload.target is None:
        yield f"ASSUMED: the workload runs as Deployment {target.name} in namespace {target.namespace}; settings name none."
    if bounds.maximum_is_assumed:
        yield f"ASSUMED: at most {bounds.maximum} replicas, from the plan's peak; the workload has no maximum of its own."
    yield f"Roll back: kubectl delete -f {path} && {_way_back(act.current, target)}"


def _configuration(configuration: Configuration | Unknown) -> str:
    if isinstance(configuration, Unknown):
        return f"unknown, {configuration.reason}"
    return (
        f"{configuration.replicas} replicas ({configuration.mean_replicas:.2f} on average), {configuration.mode}, "
        f"{configuration.offer}, {configuration.usd_per_month:.2f} USD a month"
    )


def _saving(act: Act) -> str:
    if isinstance(act.saving, Unknown):
        return f"Saving: unknown, {act.saving.reason}."
    saving = act.saving
    return f"Saving: {saving.usd_per_month:.2f} USD a month (between {saving.low:.2f} and {saving.high:.2f})."


def _way_back(current: Configuration | Unknown, target: ScaleTarget) -> str:
    scale = f"kubectl -n {target.namespace} scale {target.kind.lower()}/{target.name} --replicas="
    return f"{scale}{'THE NUMBER YOU HAD' if isinstance(current, Unknown) else current.replicas}"
