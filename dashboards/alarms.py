"""Which alerts of Trimtab's rules fire; none where the rules are seen to be evaluated, unknown where they are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dashboards.identity import by_workload
from dashboards.spec import Panel, Query
from dashboards.stats import MOST, NONE_WANTED
from domain.burn import SHORT_WINDOWS
from domain.recorded import recorded_name
from domain.signals import RuntimeProfile, Signal, quote, selector

OURS = 'alertname=~"Trimtab.+",alertstate="firing"'
ABOUT_ONE = 'workload!=""'


def firing(*matchers: str) -> str:
    """The alerts of ours that fire, with the labels of each."""
    return f"ALERTS{{{','.join((OURS, *filter(None, matchers)))}}}"


def quiet(profiles: Iterable[RuntimeProfile], labels: Mapping[str, str] | None = None) -> str | None:
    """0 without labels while our rules are evaluated (on what `labels` select); None where no runtime tells a load."""
    known = " or ".join(seen for profile in profiles if (seen := _evaluated(profile, labels or {})) is not None)
    return f"0 * max({known})" if known else None


def _evaluated(profile: RuntimeProfile, labels: Mapping[str, str]) -> str | None:
    """A series that only live rules keep: the history, which other series are, may be computed for a past without alerts."""
    name = recorded_name(profile, Signal.REQUEST_RATE, window=SHORT_WINDOWS[0])
    return None if name is None else f"{name}{{{selector(labels)}}}"


def how_many(rest: str | None) -> str:
    """How many fire; `rest` as `quiet` has it."""
    return f"count({firing()})" if rest is None else f"count({firing()}) or {rest}"


def of_each_workload(profiles: Iterable[RuntimeProfile]) -> str | None:
    """How many fire by workload, 0 for those on whom our rules are evaluated; None where no runtime tells one."""
    loads = [by_workload(seen, profile) for profile in profiles if (seen := _evaluated(profile, {})) is not None]
    if not loads:
        return None
    return f"count by (workload) ({firing(ABOUT_ONE)}) or on (workload) 0 * ({' or '.join(loads)})"


def alarms(title: str, by: str, rest: str | None, *, matchers: str = "", width: int = 12) -> Panel:
    """How many fire by alert or by workload, over time; "none" at 0 where nothing does; `matchers` are of `ALERTS`."""
    counted = f"topk({MOST}, count by ({by}) ({firing(matchers)}))"
    none = "" if rest is None else f' or on () label_replace({rest}, {quote(by)}, "none", "", "")'
    return Panel(
        title=title,
        description='Alerts of Trimtab\'s rules that fire. "none" is drawn at 0 while these rules are evaluated and nothing fires; without them there is no data.',
        unit="short",
        queries=(Query(expr=counted + none, legend=f"{{{{{by}}}}}"),),
        thresholds=NONE_WANTED,
        steps=True,
        width=width,
    )
