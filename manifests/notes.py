"""The comments on top of a manifest: why, until when, what it saves, how to apply it, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.plan import Act, Configuration
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ScaleTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What a file says besides what all say: how to apply it, the way back, its own reasons, what it assumes."""

    apply: str
    back: str
    why: Sequence[str] = ()
    assumed: Sequence[str] = ()


def header(act: Act, notes: Notes) -> str:
    """Comment lines; whatever a name or a reason holds, it stays inside its line."""
    return "".join(f"# {one_line(line)}\n" for line in _lines(act, notes))


def one_line(text: str) -> str:
    """`text` without line breaks or control characters."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def moment(at: datetime) -> str:
    """UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def replicas_of_today(current: Configuration | Unknown) -> str:
    """The number to go back to."""
    return "THE NUMBER YOU HAD" if isinstance(current, Unknown) else str(current.replicas)


def scaled_back(current: Configuration | Unknown, target: ScaleTarget) -> str:
    """The command that sets today's number of replicas again."""
    count = replicas_of_today(current)
    if target.in_kubernetes:
        return f"kubectl -n {target.namespace} scale {target.kind.lower()}/{target.name} --replicas={count}"
    return f"aws ecs update-service --cluster {target.cluster} --service {target.name} --desired-count {count}"


def _lines(act: Act, notes: Notes) -> Iterator[str]:
    yield f"Written by `trimtab render manifests` for {act.workload}, recommendation {act.id}."
    yield f"Made {moment(act.created_at)}; expires {moment(act.valid_until)}: render again by then, or roll back."
    yield f"Now: {_configuration(act.current)}."
    yield f"Proposed: {_configuration(act.plan.proposed)}."
    yield _saving(act)
    for reason in act.reasons:
        yield f"Why: {reason.detail} ({reason.code})"
    for each in notes.why:
        yield f"Why: {each}"
    for each in notes.assumed:
        yield f"ASSUMED: {each}"
    yield f"Apply: {notes.apply}"
    yield f"Roll back: {notes.back}"


def _configuration(configuration: Configuration | Unknown) -> str:
    if isinstance(configuration, Unknown):
        return f"unknown, {configuration.reason}"
    return (
        f"{configuration.replicas} replicas (on average {configuration.mean_replicas:.2f}: "
        f"{_bought(configuration.purchase)}), {configuration.mode}, {configuration.offer}, "
        f"{configuration.usd_per_month:.2f} USD a month"
    )


def _bought(mix: PurchaseMix) -> str:
    ways = (("reserved", mix.reserved), ("on demand", mix.on_demand), ("spot", mix.spot))
    return ", ".join(f"{count:.2f} {way}" for way, count in ways if count > 0) or "no machine bought"


def _saving(act: Act) -> str:
    if isinstance(act.saving, Unknown):
        return f"Saving: unknown, {act.saving.reason}."
    saving = act.saving
    return f"Saving: {saving.usd_per_month:.2f} USD a month (between {saving.low:.2f} and {saving.high:.2f})."
