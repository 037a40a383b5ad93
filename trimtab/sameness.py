"""Whether a decision made again is the same to the last bit, and if not, why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from domain.errors import BadAnswer
from domain.plan import Recommendation
from optimizer.fingerprint import Fields, fingerprint
from optimizer.unthreaded import arithmetic
from trimtab.store.codec import encode
from trimtab.store.inputs import Kept

TOLD = 5  # places in which two answers differ that are named


def compared(old: Recommendation, new: Recommendation, kept: Kept | None) -> str:
    """The line that says that the answer is the same; BadAnswer where the inputs or the answers differ.

    `kept` are the inputs as they were stored, None where they were read from the source again.
    """
    if kept is not None and _fewer_facts(old, new, kept):
        return _the_same_on_fewer_facts(old, new, kept)
    _need_the_same(old, new, kept)
    whence = "stored with it" if kept else "read from the source again, for they are no longer stored"
    digest = old.evidence.inputs_sha256[:12]
    return f"recomputed: the same inputs ({digest}; {whence}) give the same answer, bit for bit"


def _need_the_same(old: Recommendation, new: Recommendation, kept: Kept | None) -> None:
    """BadAnswer where the inputs or the answers differ."""
    if new.evidence.inputs_sha256 != old.evidence.inputs_sha256:
        differ = f"({new.evidence.inputs_sha256[:12]}, then {old.evidence.inputs_sha256[:12]})"
        if kept:
            raise BadAnswer(
                "recompute",
                f"the stored inputs are not those of {old.created_at:%Y-%m-%d %H:%M} UTC {differ}",
                "the store was changed by something else" + _or_less_was_known(old, kept),
            )
        raise BadAnswer(
            "recompute",
            f"the inputs are no longer those of {old.created_at:%Y-%m-%d %H:%M} UTC {differ}",
            "samples arrived later or were dropped since, or settings or prices changed",
        )
    if encode(new) != encode(old):
        raise BadAnswer("recompute", "the same inputs gave another answer", f"{_why(kept)}; {_differing(old, new)}")


def _why(kept: Kept | None) -> str:
    """Why the same inputs may give another answer, and what to do about it."""
    if kept is None:
        return "report this as a fault of Trimtab"
    here = arithmetic()
    if kept.arithmetic not in (None, here):
        return (
            f"it was decided with {kept.arithmetic} and here is {here}, which rounds the last digits differently; "
            "recompute it on a machine of that kind"
        )
    now = version("trimtab")
    if kept.version != now:
        return f"version {kept.version} decided, this is {now}, which may decide otherwise; run that version to have its answer again"
    return f"version {kept.version} decided, this is {now}; report this as a fault of Trimtab"


def _fewer_facts(old: Recommendation, new: Recommendation, kept: Kept) -> bool:
    """Whether the hashes differ for nothing but fields that the version which decided did not know: the inputs then are those of then."""
    if not kept.unknown_then or new.evidence.inputs_sha256 == old.evidence.inputs_sha256:
        return False
    facts, without = kept.inputs, kept.unknown_then
    then = fingerprint(facts.observation, facts.book, facts.options, facts.previous, without=without)
    if facts.placement is not None:
        then = fingerprint(then, facts.placement, without=without)
    return then == old.evidence.inputs_sha256


def _the_same_on_fewer_facts(old: Recommendation, new: Recommendation, kept: Kept) -> str:
    """The line where the answer is the same but for its hash; BadAnswer, with what differs, where it is not."""
    told = f"version {kept.version}, which decided, did not know {_named(kept.unknown_then)}; on what it knew"
    digest = old.evidence.inputs_sha256
    hashed = replace(new, evidence=replace(new.evidence, inputs_sha256=digest))
    if encode(hashed) == encode(old):
        return f"recomputed: {told} the stored inputs are the same ({digest[:12]}) and give the same answer"
    raise BadAnswer(
        "recompute",
        f"{told} the stored inputs are the same ({digest[:12]}), and this version ({version('trimtab')}) answers otherwise",
        f"nothing was changed in the store; to see that answer again, run the version that decided; {_differing(old, hashed)}",
    )


def _or_less_was_known(old: Recommendation, kept: Kept) -> str:
    """The other way in which the hash of stored inputs comes to differ, where it may be that."""
    if kept.unknown_then:
        return f", beside that version {kept.version}, which decided, did not know {_named(kept.unknown_then)}"
    if kept.inputs.previous is not None:
        return f", or version {kept.version}, which decided, told less in the recommendation before {old.id}"
    return ""


def _named(unknown: Fields) -> str:
    return ", ".join(sorted(f"{kind}.{name}" for kind, name in unknown))


def _differing(old: Recommendation, new: Recommendation) -> str:
    """Where two answers differ, by name."""
    places = list(_places(json.loads(encode(old)), json.loads(encode(new)), ""))
    more = f" and {len(places) - TOLD} more" if len(places) > TOLD else ""
    return f"what differs: {', '.join(places[:TOLD])}{more}"


def _places(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys((*old, *new)):
            yield from _places(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for n, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _places(a, b, f"{path}[{n}]")
    elif old != new:
        yield path
