"""What an alert would have done: when it would have fired on real history, and whether that is too often.

The answer stands beside the rule: in its annotation `proof`, in `proof.md` and in `proof.json`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from domain.unknown import Unknown
from rules.asking import Reading
from rules.model import Alert, Severity
from rules.options import RuleOptions

SHOWN = 5  # episodes that are named one by one
KNOWN = 0.99  # share of a window from which it counts as known throughout
MOSTLY = 0.5  # share from which what is known is told as one; below it the time says more
WEEK = timedelta(days=7)
FLEET = ""  # in place of a workload, for an alert that is one rule for all
LOWERED: Mapping[Severity, Severity] = {"critical": "warning", "warning": "info", "info": "info"}

About = tuple[str, str]
"""A workload's id (or `FLEET`) and the name of an alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One time that the alert fires, [start, end); `labels` tell apart what one rule says of many workloads."""

    start: datetime
    end: datetime
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """An alert replayed over [start, end]: `known` is the share of it in which the alert could be judged.

    `rule` is the fingerprint of what was replayed: of another rule it proves nothing.
    """

    rule: str
    start: datetime
    end: datetime
    known: float
    reading: Reading
    episodes: tuple[Episode, ...]

    @property
    def weeks(self) -> float:
        """Weeks in which the alert could be judged."""
        return self.known * (self.end - self.start) / WEEK


Proofs = Mapping[About, Proof | Unknown]


def fingerprint(alert: Alert) -> str:
    """What makes two rules the same as far as their firing goes."""
    text = "\n".join((alert.expr, str(alert.wait), str(alert.tail)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def proof_of(alert: Alert, workload: str, proofs: Proofs) -> Proof | Unknown | None:
    """The proof of this very rule; None where it was never asked for."""
    found = proofs.get((workload, alert.name))
    if isinstance(found, Proof) and found.rule != fingerprint(alert):
        return Unknown("the rule has changed since it was replayed")
    return found


def told(proof: Proof | Unknown) -> str:
    """The proof as one sentence."""
    if isinstance(proof, Unknown):
        return f"not known: {proof.reason}"
    length = proof.end - proof.start
    part = f"{proof.known:.0%}" if proof.known >= MOSTLY else _span(proof.known * length)
    known = "" if proof.known >= KNOWN else f"known {part} of the "
    until = f"in the {known}{length / timedelta(days=1):.3g} days to {_minute(proof.end)} UTC"
    count = len(proof.episodes)
    if not count:
        return f"would not have fired {until}"
    newest = sorted(proof.episodes, key=lambda episode: episode.start)[-SHOWN:]
    listed = ", ".join(_listed(episode) for episode in newest)
    before = f" ({count - len(newest)} before these)" if count > len(newest) else ""
    return f"would have fired {count} time{'s' * (count > 1)} {until}: {listed}{before}"


def noise(alert: Alert, proof: Proof | Unknown | None, options: RuleOptions) -> str | None:
    """Why the rule counts as noisy; None where it does not, or nobody knows.

    It is where the busiest of its series fires more often a week than its severity may. Less than a week of history
    is taken as one, so that a single episode is never a habit.
    """
    bound = options.most_a_week.get(alert.severity)
    if bound is None or not isinstance(proof, Proof):
        return None
    series = Counter(frozenset(episode.labels.items()) for episode in proof.episodes)
    a_week = max(series.values(), default=0) / max(1.0, proof.weeks)
    if a_week <= bound:
        return None
    often = f"fires {a_week:.2g} times a week, more than the {bound:g} that are allowed a {alert.severity} alert"
    if alert.steadfast:
        return f"{often}; it stays {alert.severity}, for each time a promise to users is broken"
    return f"{often}; lowered to {LOWERED[alert.severity]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """An alert as its rule file has it: one that is noisy a step lower, and what its proof adds to the annotations."""

    alert: Alert
    annotations: Mapping[str, str]


def emitted(alert: Alert, workload: str, proofs: Proofs, options: RuleOptions) -> Emitted:
    """The alert with its proof; where none was ever asked for, as it is. A steadfast one keeps its severity."""
    proof = proof_of(alert, workload, proofs)
    if proof is None:
        return Emitted(alert=alert, annotations={})
    noisy = noise(alert, proof, options)
    if noisy is None:
        return Emitted(alert=alert, annotations={"proof": told(proof)})
    lowered = alert if alert.steadfast else replace(alert, severity=LOWERED[alert.severity])
    return Emitted(alert=lowered, annotations={"proof": told(proof), "noise": noisy})


def _listed(episode: Episode) -> str:
    named = "/".join(episode.labels[name] for name in sorted(episode.labels))
    return f"{named + ' ' if named else ''}{_minute(episode.start)} for {_span(episode.end - episode.start)}"


def _span(length: timedelta) -> str:
    seconds = length.total_seconds()
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
