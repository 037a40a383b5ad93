"""A KEDA ScaledObject that follows `trimtab_recommended_replicas`, with the plan's calendar as a floor.

What KEDA's HPA makes of it, and the traps:
- threshold 1 and AverageValue: desired = ceil(value / 1), so the metric is the replica count;
- the HPA's tolerance swallows small steps: counts are rounded up to a ladder (manifests.ladder), or the
  tolerance is set to zero where the cluster can do that;
- policies of a tenth or a few pods would stop between two rungs, where the tolerance holds: one step may go all the way;
- `ignoreNullValues: "false"`: an expired recommendation is an error, never zero, and after some failures the
  fallback keeps at least the last good number;
- a cron trigger is a floor: the HPA takes the highest of all triggers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from domain.plan import CalendarStep
from manifests.calendar import cron_windows
from manifests.follow import followed
from manifests.hpa import kubectl_notes, one_step_behavior
from manifests.ladder import Ladder
from manifests.options import ManifestOptions
from manifests.subject import Made, Subject

USUAL_PROMETHEUS = "http://prometheus-server.monitoring.svc:80"


def keda_form(subject: Subject) -> Made:
    """`keda/<name>.yaml`."""
    path = PurePosixPath("keda") / f"{subject.name}.yaml"
    notes = kubectl_notes(path, subject, assumed=prometheus_assumed(subject.options))
    return (subject.file(path, scaled_object(subject), notes),)


def prometheus_assumed(options: ManifestOptions) -> tuple[str, ...]:
    """What is said where nobody said which Prometheus KEDA asks."""
    if options.prometheus_url is not None:
        return ()
    return (
        f"KEDA reaches the Prometheus that scrapes Trimtab at {USUAL_PROMETHEUS}; set emit.cluster.prometheus_url.",
    )


def scaled_object(subject: Subject) -> dict[str, Any]:
    """The object; every trigger's metadata are strings, as KEDA's schema demands."""
    act, bounds, options = subject.act, subject.bounds, subject.options
    counts = subject.counts(bounds.base, bounds.maximum)
    recommended = {
        "type": "prometheus",
        "name": "recommended",
        "metricType": "AverageValue",
        "metadata": {
            "serverAddress": options.prometheus_url or USUAL_PROMETHEUS,
            "query": followed(act.workload, counts),
            "threshold": "1",
            "ignoreNullValues": "false",
        },
    }
    fallback = {
        "failureThreshold": options.failures_before_fallback,
        "replicas": counts.rung(act.plan.proposed.replicas),
        "behavior": "currentReplicasIfHigher",
    }
    triggers = [recommended, *cron_triggers(act.plan.calendar, counts, options)]
    return following_object(subject, bounds.base, bounds.maximum, triggers, fallback=fallback)


def following_object(
    subject: Subject,
    minimum: int,
    maximum: int,
    triggers: Sequence[dict[str, Any]],
    *,
    fallback: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A ScaledObject on these triggers."""
    behavior = one_step_behavior(maximum, subject.options)
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": subject.metadata,
        "spec": {
            "scaleTargetRef": subject.scale_target_ref,
            "pollingInterval": int(subject.options.polling.total_seconds()),
            "minReplicaCount": minimum,
            "maxReplicaCount": maximum,
            **({} if fallback is None else {"fallback": fallback}),
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior}},
            "triggers": list(triggers),
        },
    }


def cron_triggers(steps: Sequence[CalendarStep], counts: Ladder, options: ManifestOptions) -> list[dict[str, Any]]:
    """One cron trigger for each window of the week above the lowest rung."""
    return [
        {
            "type": "cron",
            "name": f"calendar-{number}",
            "metadata": {
                "timezone": options.timezone,
                "start": window.start,
                "end": window.end,
                "desiredReplicas": str(counts.value(window.replicas)),
            },
        }
        for number, window in enumerate(cron_windows(steps, counts.rungs[0], options.timezone), start=1)
    ]
