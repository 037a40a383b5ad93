"""The proofs of all alerts in two files beside the rules: one to read, one for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from domain.artifact import Artifact
from domain.unknown import Unknown
from rules.document import one_line
from rules.model import Alert
from rules.options import RuleOptions
from rules.proof import FLEET, Proof, Proofs, emitted, noise, proof_of, told

NEVER_ASKED = Unknown("it was not replayed yet")
HEAD = """# What each alert would have done

Each alert of these rules was replayed over the history that Prometheus has, its `for` and `keep_firing_for` included:
how often it would have fired, and when. Where a part of the history is not known, nothing is said of that part.

| workload | alert | severity | replayed | noise |
|---|---|---|---|---|
"""


def proof_files(
    alerts: Mapping[str, Sequence[Alert]], proofs: Proofs, options: RuleOptions
) -> tuple[Artifact, Artifact]:
    """`proof.md` and `proof.json`; `alerts` by workload, `FLEET` for those of the fleet."""
    rows = list(_rows(alerts, proofs, options))
    read = "".join(
        f"| {_cell(row['workload'] or 'fleet')} | {row['alert']} | {row['severity']} | {_cell(row['told'])} "
        f"| {_cell(row['noise'] or '')} |\n"
        for row in rows
    )
    return (
        Artifact(path=PurePosixPath("proof.md"), text=HEAD + read),
        Artifact(
            path=PurePosixPath("proof.json"), text=json.dumps({"alerts": rows}, indent=2, ensure_ascii=False) + "\n"
        ),
    )


def proof_body(workload: str, name: str, proof: Proof | Unknown) -> dict[str, Any]:
    """A proof as JSON; what is not known is null, and `unknown` says why."""
    body: dict[str, Any] = {"workload": workload or None, "alert": name, "told": told(proof)}
    if isinstance(proof, Unknown):
        nothing = dict.fromkeys(("from", "until", "known", "rests_on", "fired", "episodes"))
        return body | nothing | {"unknown": proof.reason}
    return body | {
        "from": _moment(proof.start),
        "until": _moment(proof.end),
        "known": round(proof.known, 4),
        "rests_on": proof.reading.value,
        "fired": len(proof.episodes),
        "episodes": [
            {"from": _moment(each.start), "until": _moment(each.end), "labels": dict(each.labels)}
            for each in proof.episodes
        ],
        "unknown": None,
    }


def _rows(alerts: Mapping[str, Sequence[Alert]], proofs: Proofs, options: RuleOptions) -> Iterator[dict[str, Any]]:
    for workload in sorted(alerts, key=lambda name: (name != FLEET, name)):
        for alert in alerts[workload]:
            proof = proof_of(alert, workload, proofs) or NEVER_ASKED
            severity = emitted(alert, workload, proofs, options).alert.severity
            yield proof_body(workload, alert.name, proof) | {
                "severity": severity,
                "noise": noise(alert, proof, options),
            }


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
