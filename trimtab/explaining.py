"""What `trimtab explain` shows: one recommendation with everything it rests on, and the proof that it can be redone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.errors import NoData
from optimizer.placement import placement_in
from trimtab.bookkeeping import record_of
from trimtab.inputs import Inputs
from trimtab.present import recommendation_body
from trimtab.records import Record
from trimtab.sameness import compared
from trimtab.wiring import Program, decide_on

LONG = 8  # numbers of a list that are shown in text; the JSON has them all


def explained(record: Record, now: datetime, *, as_json: bool) -> str:
    """The whole recommendation as JSON, or as an indented text for reading."""
    body = recommendation_body(record, now)
    if as_json:
        return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
    reasons = body.pop("reasons")
    lines = [f"{body['workload']}: {body['kind']} ({body['status']}), decided {body['created_at']}", "", "why"]
    lines += [f"  {n}. {_reason(reason)}" for n, reason in enumerate(reasons, 1)]
    lines += ["", *_lines({key: value for key, value in body.items() if value not in (None, [], {})}, 0)]
    return "\n".join(lines) + "\n"


def _reason(reason: Mapping[str, Any]) -> str:
    changed = f" [{reason['before']} -> {reason['after']}]" if reason["before"] is not None else ""
    return f"{reason['detail']}{changed} ({reason['code']})"


def _lines(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for key, part in value.items():
        if isinstance(part, Mapping) and part:
            yield f"{indent}{key}"
            yield from _lines(part, depth + 1)
        elif isinstance(part, Sequence) and not isinstance(part, str) and part and isinstance(part[0], Mapping):
            yield f"{indent}{key}"
            for one in part:
                yield f"{indent}  - " + ", ".join(
                    f"{name} {_text(each)}" for name, each in one.items() if each is not None
                )
        else:
            yield f"{indent}{key}: {_text(part)}"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = ", ".join(_text(part) for part in value[:LONG])
        return f"{shown}, ... ({len(value)} in all)" if len(value) > LONG else shown
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else str(value)


def recomputed(program: Program, record: Record) -> str:
    """Decide again on the same inputs; one line when the answer is the same, BadAnswer with why when it is not.

    The inputs are those that were stored with the recommendation; where those are no longer kept they
    are read from the source again, and the line says so.
    """
    kept = program.inputs.of(record.recommendation.id)
    inputs = _read_again(program, record) if kept is None else kept.inputs
    again = record_of(decide_on(inputs), inputs.observation, record.recommendation.created_at)
    return compared(record.recommendation, again.recommendation, kept)


def _read_again(program: Program, record: Record) -> Inputs:
    """What the source, the settings and the store say of that moment today."""
    old = record.recommendation
    workload = next((one for one in program.journal.workloads() if one.id == old.workload), None)
    if workload is None:
        raise NoData("the store", f"no longer knows the workload {old.workload}", "run a cycle first")
    observation = program.fleet.observe(workload, old.created_at)
    before = program.recommendations.before(record) if observation.observed_at == old.created_at else None
    previous = None if before is None else before.recommendation
    return program.inputs_on(observation, previous, placement_in(old))
