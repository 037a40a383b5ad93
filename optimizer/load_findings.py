"""What is found of a load history itself: whether decisions would be held on it, and what trains no forecast."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from domain.health import Finding, State
from domain.load import LoadHistory
from optimizer.hygiene import clean
from optimizer.readiness import GAPPY_HISTORY, STALE_INPUT, THIN_HISTORY, Readiness, assess, span

READY = {
    THIN_HISTORY: (State.WARNING, "nothing to mend: it is held until then; or fill Prometheus with older data"),
    STALE_INPUT: (State.BROKEN, "see which part of its expression has no value now"),
    GAPPY_HISTORY: (State.BROKEN, "find what stopped the scrapes; a gap is never read as 0"),
}
LEFT_OUT = {
    "outage": (State.FINE, "nothing to mend where it was one"),
    "counter_reset": (State.WARNING, "see that no rate is taken of a gauge"),
}


def load_findings(load: LoadHistory, *, observed_at: datetime, readiness: Readiness) -> Iterator[Finding]:
    """Why a decision at `observed_at` would be held, then each kind of window that training leaves out; gaps are gaps."""
    for reason in assess(load, observed_at=observed_at, limits=readiness):
        state, fix = READY[reason.code]
        yield Finding(code=reason.code, state=state, detail=reason.detail, fix=fix)
    masks = clean(load).masked
    for kind in dict.fromkeys(mask.kind for mask in masks):
        of_kind = [mask for mask in masks if mask.kind == kind]
        newest, count = of_kind[-1], f"{len(of_kind)} window{'s' * (len(of_kind) != 1)}"
        state, fix = LEFT_OUT[kind]
        yield Finding(
            code=kind,
            state=state,
            detail=f"{count} of it train no forecast ({kind.replace('_', ' ')}), the newest "
            f"{span(newest.end - newest.start)} from {newest.start:%Y-%m-%d %H:%M} UTC: {newest.detail}",
            fix=fix,
        )
