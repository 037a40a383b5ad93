"""PromQL of what workloads cost and would cost, so that every dashboard compares like with like."""

from __future__ import annotations

from collections.abc import Iterable

from dashboards import names
from dashboards.identity import by_workload
from domain.signals import RuntimeProfile, Signal, quote

HOURS_PER_MONTH = 730


def current(own: str = "") -> str:
    """Dollars an hour of each workload as it runs, where that is known."""
    return f"max by (workload) ({names.COST}{{{_matchers(own, 'current')}}})"


def proposed(own: str = "") -> str:
    """Dollars an hour of each workload as proposed."""
    return f"max by (workload) ({names.COST}{{{_matchers(own, 'proposed')}}})"


def as_proposed() -> str:
    """Dollars an hour of each workload whose cost now is known, if every proposal were taken: what is held stays."""
    return f"(({proposed()} and on (workload) {current()}) or on (workload) {current()})"


def load(profile: RuntimeProfile) -> str | None:
    """Requests a second by workload id, as far as ids hold the labels; None where the runtime tells no load."""
    expr = profile.query(Signal.REQUEST_RATE, {}, recorded=True) or profile.query(
        Signal.REQUEST_RATE, {}, window="$__rate_interval"
    )
    return None if expr is None else by_workload(expr, profile)


def of_thousand_requests(profiles: Iterable[RuntimeProfile]) -> list[str]:
    """Dollars of a thousand requests by workload, one expression a runtime; nothing where nothing is asked."""
    loads = (load(profile) for profile in profiles)
    return [f"1000 * {current()} / on (workload) (3600 * ({each} > 0))" for each in loads if each is not None]


def spent() -> str:
    """Dollars by workload over the time shown, of the minutes whose cost is known."""
    return f"sum_over_time({current()}[$__range:1m]) / 60"


def _matchers(own: str, state: str) -> str:
    return ",".join(part for part in (own, f"state={quote(state)}") if part)
