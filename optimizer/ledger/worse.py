"""Whether what was taken up has made things worse: dearer than what ran before, or an SLO broken that was held."""

from __future__ import annotations

from collections.abc import Sequence

from domain.ledger import LedgerNight
from domain.plan import Reason
from domain.prices import HOURS_PER_MONTH
from domain.unknown import Unknown
from optimizer.guardrails import GuardrailOptions
from optimizer.ledger.ways import HOURS_A_NIGHT

NIGHTS = 7  # a week: what is dearer on Mondays alone is not dearer
FOLLOWED = 0.5  # of a night in which it ran as proposed; of other nights it is not to blame


def worse(nights: Sequence[LedgerNight], noise: GuardrailOptions) -> tuple[Reason, ...]:
    """In what one recommendation made things worse over its last week of nights up to the newest; empty where in nothing.

    Noise is what a change would not be proposed for: a difference below either of the two least savings.
    """
    followed = [row for row in nights if not isinstance(row.followed_share, Unknown) and row.followed_share >= FOLLOWED]
    last = sorted(followed, key=lambda row: row.night)[-NIGHTS:]
    return (*_dearer(last, noise), *_broken(last))


def _dearer(last: Sequence[LedgerNight], noise: GuardrailOptions) -> tuple[Reason, ...]:
    known = [
        (row, row.baseline_usd, row.ran_usd)
        for row in last
        if not isinstance(row.baseline_usd, Unknown) and not isinstance(row.ran_usd, Unknown)
    ]
    before, after = sum(baseline for _, baseline, _ in known), sum(ran for _, _, ran in known)
    least = max(noise.min_saving_share * before, noise.min_saving_usd * len(known) * HOURS_A_NIGHT / HOURS_PER_MONTH)
    if after - before <= least or _outgrown([row for row, _, _ in known]):
        return ()
    detail = f"{after - before:,.2f} USD dearer over {_nights(known)} than what ran before would have been"
    return (Reason(code="dearer", detail=detail, before=f"{before:.2f} USD", after=f"{after:.2f} USD"),)


def _outgrown(rows: Sequence[LedgerNight]) -> bool:
    """Whether what ran before would have missed more of these nights' load than the SLO allows."""
    share = _weighted([(row.would_have_missed, row.requests) for row in rows])
    return share is not None and share > rows[0].budget


def _broken(last: Sequence[LedgerNight]) -> tuple[Reason, ...]:
    if not last or isinstance(last[-1].missed_before, Unknown):
        return ()
    before, budget = last[-1].missed_before, last[-1].budget
    missed = _weighted([(row.missed_share, row.requests) for row in last])
    if missed is None or missed <= budget or before > budget:
        return ()
    detail = f"at least {missed:.3%} of the requests of {_nights(last)} were missed, over the {budget:.3%} that may be; {before:.3%} before"
    return (Reason(code="slo_broken", detail=detail, before=f"{before:.3%}", after=f"{missed:.3%}"),)


def _weighted(shares: Sequence[tuple[float | Unknown, float | Unknown]]) -> float | None:
    """The share of all requests of the nights of which it is known; None where nothing is."""
    known = [
        (share, came) for share, came in shares if not isinstance(share, Unknown) and not isinstance(came, Unknown)
    ]
    total = sum(came for _, came in known)
    return sum(share * came for share, came in known) / total if total > 0 else None


def _nights(rows: Sequence[object]) -> str:
    return "the last night" if len(rows) == 1 else f"the last {len(rows)} nights"
