"""Which dashboard shows which workload.

There is one dashboard for each runtime, and it follows `$workload`. A workload whose id does not
hold its labels (an alias from settings) has a dashboard of its own with its selector written out.
Our metrics name the workload and not its runtime, so where there are several dashboards the ids of
all but the most common one are listed in the expressions that lead to them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dashboards import names
from dashboards.identity import derivable
from domain.names import safe_name
from domain.signals import RuntimeProfile, quote
from domain.workload import Workload

LONGEST_UID = 40
PREFIX = f"{names.WORKLOAD_TAG}-"
ALIASES = f"{PREFIX}id-"


@dataclass(frozen=True, slots=True)
class Directory:
    """Uid of each workload's dashboard, and the one that most have (None without workloads)."""

    uids: Mapping[str, str]
    common: str | None

    def labelled(self, expr: str) -> str:
        """`expr`, a vector by workload, with the label `dashboard`: the uid to go to."""
        if self.common is None:
            return expr
        expr = f'label_replace({expr}, "dashboard", {quote(self.common)}, "", "")'
        for uid in sorted(set(self.uids.values()) - {self.common}):
            expr = f'label_replace({expr}, "dashboard", {quote(uid)}, "workload", {quote(self._pattern([uid]))})'
        return expr

    def matcher(self, uid: str) -> str:
        """Selects in our metrics the workloads that the dashboard `uid` shows; empty where it shows all."""
        others = set(self.uids.values()) - {uid}
        if not others:
            return ""
        if uid == self.common:
            return f"{{workload!~{quote(self._pattern(others))}}}"
        return f"{{workload=~{quote(self._pattern([uid]))}}}"

    def _pattern(self, uids: Iterable[str]) -> str:
        wanted = set(uids)
        return any_of(workload for workload, uid in self.uids.items() if uid in wanted)


def any_of(workloads: Iterable[str]) -> str:
    """A regular expression that fits exactly these ids."""
    return "|".join(map(re.escape, sorted(workloads)))


def directory(targets: Sequence[tuple[Workload, RuntimeProfile]]) -> Directory:
    """Where each workload is shown. The common dashboard is a runtime's if any is: new workloads will be shown there."""
    uids = {
        workload.id: runtime_uid(profile) if derivable(workload, profile) else alias_uid(workload)
        for workload, profile in targets
    }
    counts = Counter(uids.values())
    order = sorted(counts, key=lambda uid: (uid.startswith(ALIASES), -counts[uid], uid))
    return Directory(uids, order[0] if order else None)


def runtime_uid(profile: RuntimeProfile) -> str:
    """The dashboard of a runtime's workloads, for example `trimtab-workload-vllm`."""
    return fitting(safe_name(profile.name))


def alias_uid(workload: Workload) -> str:
    """The dashboard of one workload under a name of its own; never that of a runtime."""
    return fitting(ALIASES.removeprefix(PREFIX) + safe_name(workload.id))


def fitting(name: str) -> str:
    """The prefixed name, its middle replaced by a hash where it is longer than Grafana allows."""
    uid = PREFIX + name
    if len(uid) <= LONGEST_UID:
        return uid
    digest = safe_name(f"{name} ")[-8:]
    return f"{uid[: LONGEST_UID - len(digest) - 1]}-{digest}"
