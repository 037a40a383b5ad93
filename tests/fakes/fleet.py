"""A fleet whose facts a test sets, and whose source a test can break."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from domain.capacity import ReadyBasis, TimeToReady
from domain.errors import TrimtabError
from domain.load import LoadHistory
from domain.observation import Observation
from domain.plan import Recommendation
from domain.ports import Event
from domain.unknown import Unknown
from domain.workload import Workload
from tests.fakes.recommendations import a_workload, an_act
from trimtab.decide import Decided, Failed


def an_observation(workload: Workload, at: datetime) -> Observation:
    """Ten minutes of one request a second, up to a minute before."""
    step = timedelta(minutes=1)
    load = LoadHistory(start=at - 11 * step, step=step, values=np.array([1.0] * 10))
    nothing = Unknown("not asked for")
    return Observation(
        workload=workload,
        observed_at=at,
        source="a fake source",
        load=load,
        latency=nothing,
        errors=nothing,
        replicas=nothing,
        time_to_ready=TimeToReady(
            p50=step, p90=step, longest=step, basis=ReadyBasis.ASSUMED, samples=0, detail="assumed"
        ),
        service_time_s=nothing,
        declared_capacity_rps=nothing,
        running=nothing,
    )


@dataclass
class FakeFleet:
    """`broken` fails whole; `faults` fail one workload each; `recorded_at` makes it a recording."""

    names: Sequence[str] = ("shop:ranker", "shop:search")
    broken: TrimtabError | None = None
    faults: Mapping[str, TrimtabError] = field(default_factory=dict)
    recorded_at: datetime | None = None

    def workloads(self, now: datetime) -> Sequence[Workload]:  # noqa: ARG002  the port's signature
        if self.broken:
            raise self.broken
        return [a_workload(name) for name in self.names]

    def observe(self, workload: Workload, now: datetime) -> Observation:
        if workload.id in self.faults:
            raise self.faults[workload.id]
        return an_observation(workload, self.recorded_at or now)


@dataclass
class FakeDecisions:
    """Acts on everything, but for what it is told to fail at; remembers what it was given as previous."""

    failing: Sequence[str] = ()
    previous: Mapping[str, Recommendation] = field(default_factory=dict)
    declined: Mapping[str, datetime] = field(default_factory=dict)

    def __call__(
        self,
        observations: Sequence[Observation],
        previous: Mapping[str, Recommendation],
        declined: Mapping[str, datetime],
    ) -> Sequence[Decided]:
        self.previous, self.declined = dict(previous), dict(declined)
        return [self._one(observation) for observation in observations]

    def _one(self, observation: Observation) -> Decided:
        name = observation.workload.id
        if name in self.failing:
            return Failed(workload=name, problem="ValueError: a fault of the decision")
        return an_act(name, observation.observed_at)


@dataclass
class Heard:
    """A notifier that remembers; with `fault` it cannot be reached."""

    events: list[Event] = field(default_factory=list)
    fault: TrimtabError | None = None

    def __call__(self, event: Event) -> None:
        if self.fault:
            raise self.fault
        self.events.append(event)

    def told(self) -> list[tuple[str, bool]]:
        """Key and whether over, of each event of trouble."""
        return [(event.key, event.over) for event in self.events if event.severity != "info"]

    def news(self) -> list[tuple[str, bool]]:
        """The same of news: what is proposed, and reports."""
        return [(event.key, event.over) for event in self.events if event.severity == "info"]
