"""Which workloads a Prometheus knows of: fingerprints of runtimes first, then the identities found under them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from domain.errors import BadAnswer, NoData
from domain.signals import RuntimeProfile
from domain.workload import Workload
from monitor.client import Client, Points

LOOK_EVERY = timedelta(hours=1)


def discover(
    client: Client, profiles: Iterable[RuntimeProfile], *, at: datetime, lookback: timedelta
) -> Sequence[Workload]:
    """The workloads seen in (at - lookback, at], by id; one that is scaled to zero now has no series now.

    An id is the identity's label values joined by ":". Raises NoData if there are none, BadAnswer if two workloads
    would have one id.
    """
    profiles = tuple(profiles)
    found: dict[str, Workload] = {}
    for workload in (one for profile in profiles for one in _of(client, profile, at, lookback)):
        twin = found.setdefault(workload.id, workload)
        if twin is not workload:
            problem = f"knows {workload.id!r} as {dict(twin.labels)} ({twin.runtime}) and as {dict(workload.labels)}"
            raise BadAnswer(client.name, f"{problem} ({workload.runtime})", "relabel one of them")
    if not found:
        names = ", ".join(name for profile in profiles for name in profile.fingerprint)
        raise NoData(
            client.name,
            f"holds no metric of a known runtime in the {lookback.days} days to {at:%Y-%m-%dT%H:%MZ} (looked for {names})",
            "see that it scrapes your model servers",
        )
    return [found[key] for key in sorted(found)]


def _of(client: Client, profile: RuntimeProfile, at: datetime, lookback: timedelta) -> Iterable[Workload]:
    """One runtime's workloads. Each hour is looked at in whole, so that a short life is seen too."""
    count = max(1, lookback // LOOK_EVERY)
    last = at.replace(microsecond=0)
    points = Points(first=last - (count - 1) * LOOK_EVERY, step=LOOK_EVERY, count=count)
    for series in client.over(_identities(profile), points):
        labels = {name: series.labels[name] for name in profile.identity}
        yield Workload(id=":".join(labels.values()), runtime=profile.name, labels=labels)


def _identities(profile: RuntimeProfile) -> str:
    """PromQL for every identity under a profile's fingerprint, nameless ones left out."""
    named = ",".join(f'{label}!=""' for label in profile.identity)
    by = ", ".join(profile.identity)
    return " or ".join(
        f"group by ({by}) (present_over_time({metric}{{{named}}}[{LOOK_EVERY.total_seconds():.0f}s]))"
        for metric in profile.fingerprint
    )
