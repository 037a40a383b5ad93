"""What a cycle writes down: records of decisions, holds without a number, what things cost, what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from domain.errors import TrimtabError
from domain.load import LoadHistory
from domain.observation import Observation
from domain.plan import Act, Evidence, Hold, Reason, Recommendation, recommendation_id
from domain.ports import Event
from domain.prices import HOURS_PER_MONTH
from domain.unknown import Unknown
from trimtab.moments import moment
from trimtab.records import Record, Status
from trimtab.store.journal import CostSample

ARTIFACTS = "artifacts"  # in place of a workload, where files could not be written
HOLD_VALID = timedelta(hours=1)  # how long a hold stands that was made because nothing could be read


def record_of(recommendation: Recommendation, observation: Observation, now: datetime) -> Record:
    """The record of a fresh decision; one on a recording is dated now, and says of when its facts are."""
    if observation.observed_at != now:
        reason = Reason(
            code="recorded_history",
            detail=f"decided on {observation.source}, as if its end, {observation.observed_at:%Y-%m-%d %H:%M} UTC, were now; "
            "forecast, calendar and schedule keep the dates of the recording",
        )
        recommendation = replace(
            recommendation,
            id=recommendation_id(recommendation.workload, now),
            created_at=now,
            valid_until=now + (recommendation.valid_until - recommendation.created_at),
            reasons=(*recommendation.reasons, reason),
        )
    return Record(recommendation=recommendation, observed_at=observation.observed_at, last_seen=_last_seen(observation))


SLOWER_IS_NEWS = timedelta(days=7)  # after which the new capacity is simply what it is
NEED_REQUESTS = ("latency", "error_ratio")


def _last_seen(observation: Observation) -> dict[str, datetime]:
    """End of the last known step of each signal that was read.

    Where nothing comes nothing is slow or fails: a step known to be without load is one in which those were seen.
    """
    signals = {
        "request_rate": observation.load,
        "latency": observation.latency,
        "error_ratio": observation.errors,
        "ready_replicas": observation.replicas,
    }
    seen = {}
    for name, history in signals.items():
        if isinstance(history, LoadHistory):
            seen_at = np.isfinite(history.values)
            if name in NEED_REQUESTS and seen_at.any():
                seen_at |= _idle(observation.load, history)
            known = np.flatnonzero(seen_at)
            if known.size:
                seen[name] = history.start + (int(known[-1]) + 1) * history.step
    return seen


def _idle(load: LoadHistory | Unknown, like: LoadHistory) -> NDArray[np.bool_]:
    """The steps of `like` of which the load is known to be none."""
    same = isinstance(load, LoadHistory) and (load.start, load.step, len(load)) == (like.start, like.step, len(like))
    return load.values == 0 if isinstance(load, LoadHistory) and same else np.zeros(len(like), dtype=np.bool_)


def held_without_a_number(name: str, problem: str, now: datetime) -> Record:
    """A hold for a workload of which nothing is known; it has no number to follow."""
    hold = Hold(
        id=recommendation_id(name, now),
        workload=name,
        created_at=now,
        valid_until=now + HOLD_VALID,
        current=Unknown(problem),
        last_good=Unknown("there never was a recommendation"),
        needs="the next cycle tries again; mend what is named in the reason if it stays",
        reasons=(Reason(code="no_facts", detail=problem),),
        evidence=Evidence(inputs_sha256=sha256(f"{name}\n{problem}".encode()).hexdigest()),
    )
    return Record(recommendation=hold, observed_at=now)


def cost_of(recommendation: Recommendation) -> CostSample:
    """What the workload costs an hour as it runs, and as proposed."""
    current = recommendation.current
    proposed: float | Unknown = Unknown("nothing is proposed")
    if isinstance(recommendation, Act):
        proposed = recommendation.plan.proposed.usd_per_month / HOURS_PER_MONTH
    return CostSample(
        workload=recommendation.workload,
        current_usd_per_hour=current if isinstance(current, Unknown) else current.usd_per_month / HOURS_PER_MONTH,
        proposed_usd_per_hour=proposed,
    )


def cost_unknown(name: str, problem: str) -> CostSample:
    """A workload that could not be looked at costs something all the same: a sum over the day must not leave it out."""
    return CostSample(workload=name, current_usd_per_hour=Unknown(problem), proposed_usd_per_hour=Unknown(problem))


def events_of(records: Iterable[Record], problems: Mapping[str, TrimtabError], at: datetime) -> Iterable[Event]:
    """What is worth telling: what failed, recommendations that have expired, replicas that became slower."""
    whole = {
        "": ("source", "Trimtab cannot read its source."),
        ARTIFACTS: (ARTIFACTS, "Trimtab cannot write its files."),
    }
    for name, problem in problems.items():
        key, summary = whole.get(name, (f"held:{name}", f"Trimtab cannot renew its recommendation for {name}."))
        yield Event(key=key, severity="warning", summary=summary, detail=str(problem), at=at)
    for record in records:
        yield from _slower(record, at)
        if record.status(at) is Status.EXPIRED:
            name = record.recommendation.workload
            yield Event(
                key=f"expired:{name}",
                severity="critical",
                summary=f"Trimtab has no valid recommendation for {name}.",
                detail=f"The last one was valid until {moment(record.recommendation.valid_until)}.",
                at=at,
            )


def _slower(record: Record, at: datetime) -> Iterable[Event]:
    """That a replica carries less than it did, for as long as it is news."""
    drift = record.recommendation.evidence.capacity.get("drift")
    if not isinstance(drift, Mapping) or record.status(at) is Status.EXPIRED:
        return
    since, share, version = drift.get("since"), drift.get("share"), drift.get("version")
    if not isinstance(since, str) or not isinstance(share, float) or share >= 1.0:
        return
    began = datetime.fromisoformat(since)
    if record.observed_at - began > SLOWER_IS_NEWS:
        return
    name, by = record.recommendation.workload, f", with version {version}" if version else ""
    yield Event(
        key=f"slower:{name}",
        severity="warning",
        summary=f"A replica of {name} carries less than it did.",
        detail=f"Since {began:%Y-%m-%d %H:%M} UTC{by} it carries {share:.0%} of what it carried before within its SLO.",
        at=at,
    )
