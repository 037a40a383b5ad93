"""Decides on a fleet: a draft of each workload, in as many processes as may be, then one plan for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from domain.observation import Observation
from domain.plan import Recommendation
from domain.prices import PriceBook
from domain.unknown import Unknown
from optimizer.draft import Draft, Ready, draft
from optimizer.fleet import Before, Member, together
from optimizer.options import Options
from optimizer.placement import Placement, standing_seats
from optimizer.settle import settle
from trimtab.decide import Decided, Failed, attempted, compile_first, think_of_each


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """Prices and options, and the number of `processes` that drafts are made in."""

    book: PriceBook
    options: Options
    processes: int

    def all(
        self,
        observations: Sequence[Observation],
        previous: Mapping[str, Recommendation],
        declined: Mapping[str, datetime],
    ) -> Sequence[Decided]:
        """One decision for each observation, in order. `previous` may also have workloads that were not observed.

        `declined` says until when a workload is to have no place on a shared host, because a person refused one.
        Where the plan for all of them breaks, everybody who could have shared a host is held.
        """
        compile_first(self._draft, observations, previous, processes=self.processes)
        drafts = think_of_each(self._draft, observations, previous, processes=self.processes)
        seen = {each.workload.id: each for each in observations}
        made = {name: each for name, each in zip(seen, drafts, strict=True) if not isinstance(each, Failed)}
        failed = {each.workload: each for each in drafts if isinstance(each, Failed)}

        def settled(name: str, placement: Placement | None) -> Recommendation | None:
            work = partial(settle, made[name], seen[name], self.options, previous.get(name), placement)
            answer = attempted(name, work)
            if isinstance(answer, Failed):
                failed[name] = answer
                return None
            return answer

        members = [Member(workload=name, team=each.workload.team, draft=made.get(name)) for name, each in seen.items()]
        work = partial(together, members, _before(observations, previous, declined), self.book, self.options, settled)
        answers = attempted("the fleet", work)
        if isinstance(answers, Failed):
            broken = answers
            answers = {name: None if _could_share(made.get(name)) else settled(name, None) for name in seen}
            failed = {name: Failed(workload=name, problem=broken.problem) for name in seen} | failed
        return [answer if (answer := answers[name]) is not None else failed[name] for name in seen]

    def _draft(self, observation: Observation, previous: Recommendation | None) -> Draft:
        return draft(observation, self.book, self.options, previous)


def _before(
    observations: Sequence[Observation], previous: Mapping[str, Recommendation], declined: Mapping[str, datetime]
) -> Before:
    """The seats that stand and the refusals that last, of everybody who has any."""
    if not observations:
        return Before()
    now = max(each.observed_at for each in observations)
    refused = {name: until for name, until in declined.items() if until > now}
    seats = {name: standing_seats(each, now) for name, each in sorted(previous.items()) if name not in refused}
    return Before(seats={name: each for name, each in seats.items() if each}, declined=refused)


def _could_share(made: Draft | None) -> bool:
    return made is None or (isinstance(made.found, Ready) and not isinstance(made.found.tenancy, Unknown))
