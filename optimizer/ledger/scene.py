"""What ran before, what was proposed and what ran, side by side on the load of one night."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.capacity import CapacityModel
from domain.ledger import exact
from domain.load import Floats, LoadHistory
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.following import followed
from optimizer.ledger.facts import ENOUGH, Night, Taken, in_its_unit
from optimizer.ledger.gap import Steps, Usd, less
from optimizer.ledger.ways import Line, Stretch, Way, line_of, way_of
from optimizer.modes import Market
from optimizer.outlook import recent_of
from optimizer.physics import Counts
from optimizer.proposal import market_of, recorded


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decision:
    """The market and the load that a recommendation was decided on, and what ran before it."""

    market: Market
    stretch: Stretch
    before: Way
    line: Line

    def before_usd(self, market: Market, stretch: Stretch) -> Usd:
        """What a night of this load would cost had what ran before gone on."""
        return _exact(self.before.usd(market, self.line.at(stretch.load.values), stretch))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ran:
    """What ran in a night: on what, and the ready replicas of each step (NaN: not known)."""

    way: Way
    replicas: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """One night: its load, what is known of capacity, the market then, with the newest prices, and as it is now."""

    decision: Decision
    proposed: Way
    stretch: Stretch
    capacity: CapacityModel | Unknown
    priced: Market
    now: Market
    wanted: Counts

    @property
    def before_usd(self) -> Usd:
        """The baseline."""
        return self.decision.before_usd(self.now, self.stretch)

    @property
    def before_replicas(self) -> Floats:
        """The replicas of the baseline at the steps of the night."""
        return self.decision.line.at(self.stretch.load.values)

    def steps(self, ran: Ran) -> Steps:
        """The saving of the proposal, step by step from the decision to the night."""
        wanted = self.stretch.wanted(self.decision.market)
        return Steps(
            on_load=self._saving(self.decision.market, wanted),
            at_prices=self._saving(self.priced, wanted),
            with_capacity=self._saving(self.now, self.wanted),
            capacity=self.capacity if isinstance(self.capacity, Unknown) else None,
            tracking=self._tracking(ran),
        )

    def _saving(self, market: Market, wanted: Counts) -> Usd:
        plan = _exact(self.proposed.usd(market, wanted.astype(np.float64), self.stretch))
        return less(self.decision.before_usd(market, self.stretch), plan)

    def as_proposed(self, ran: Ran) -> bool:
        """Whether mode and machine (or service) are the proposed ones."""
        runs, proposed = ran.way.running, self.proposed.running
        return (runs.mode, runs.offer) == (proposed.mode, proposed.offer)

    def following(self, ran: Ran) -> NDArray[np.bool_]:
        """The steps in which the replicas followed the numbers asked for; those not known did not."""
        return followed(ran.replicas, self.wanted, self.now.sizing.startup, self.stretch.load.step)

    def followed_share(self, ran: Ran) -> float:
        """The part of the night in which it ran as proposed."""
        if not self.as_proposed(ran):
            return 0.0
        if ran.way.running.mode is not ServingMode.DEDICATED:
            return 1.0
        return float(self.following(ran)[np.isfinite(ran.replicas)].mean())

    def _tracking(self, ran: Ran) -> float:
        """What the replicas cost less than the numbers asked for, in the steps in which they followed them."""
        if not self.as_proposed(ran) or ran.way.running.mode is not ServingMode.DEDICATED:
            return 0.0
        wanted = self.wanted.astype(np.float64)
        mixed = np.where(self.following(ran), ran.replicas, wanted)
        asked, did = (_exact(ran.way.usd(self.now, replicas, self.stretch)) for replicas in (wanted, mixed))
        tracking = less(asked, did)
        return 0.0 if isinstance(tracking, Unknown) else tracking


def decision_of(taken: Taken) -> Decision | Unknown:
    """What `taken` was decided on, with what ran before scaled to what it was said to cost."""
    seen, capacity = in_its_unit(taken.observation, taken.options)
    current = taken.recommendation.current
    market = market_of(seen, capacity, taken.book, taken.options.modes)
    if isinstance(market, Unknown):
        return market
    if isinstance(seen.load, Unknown):
        return seen.load
    if isinstance(current, Unknown):
        return current
    if isinstance(seen.running, Unknown):
        return seen.running
    history = seen.load.until(seen.observed_at)
    stretch = Stretch.of(recent_of(history, taken.options.replay.window), history, taken.options)
    line = line_of(stretch.load.values, recorded(seen, stretch.load), float(seen.running.replicas))
    replicas = line.at(stretch.load.values)
    before = Way(running=seen.running).scaled_to(current.usd_per_month, market, replicas, stretch)
    return before if isinstance(before, Unknown) else Decision(market=market, stretch=stretch, before=before, line=line)


def scene_of(taken: Taken, night: Night, load: LoadHistory, capacity: CapacityModel | Unknown) -> Scene | Unknown:
    """The night as it is to be judged; Unknown where what ran before cannot be priced, or nothing can."""
    decision = decision_of(taken)
    if isinstance(decision, Unknown):
        return decision
    seen, modes = night.observation, taken.options.modes
    plan = taken.recommendation.plan.proposed
    asked = decision.stretch.wanted(decision.market).astype(np.float64)
    proposed = way_of(plan).scaled_to(plan.usd_per_month, decision.market, asked, decision.stretch)
    if isinstance(proposed, Unknown):
        return proposed
    learned = decision.market.capacity if isinstance(capacity, Unknown) else capacity
    priced = market_of(taken.observation, decision.market.capacity, night.book, modes)
    now = market_of(seen, learned, night.book, modes)
    if isinstance(priced, Unknown) or isinstance(now, Unknown) or isinstance(seen.load, Unknown):
        return Unknown(f"the load of {night.day} is not known")
    stretch = Stretch.of(load, seen.load.until(night.end), taken.options)
    return Scene(
        decision=decision,
        proposed=proposed,
        stretch=stretch,
        capacity=capacity,
        priced=priced,
        now=now,
        wanted=stretch.wanted(now),
    )


def what_ran(night: Night, load: LoadHistory, then: Taken | None) -> Ran | Unknown:
    """What really ran; with `then` what ran when that was taken up, as it would have gone on."""
    if then is not None:
        decision = decision_of(then)
        if isinstance(decision, Unknown):
            return decision
        return Ran(way=decision.before, replicas=decision.line.at(load.values))
    running = night.observation.running
    if isinstance(running, Unknown):
        return running
    ready = recorded(night.observation, load)
    known = float(np.isfinite(ready).mean())
    if running.mode is ServingMode.DEDICATED and known < ENOUGH:
        counted = night.observation.replicas
        why = counted.reason if isinstance(counted, Unknown) else f"they are known for {known:.0%} of {night.day}"
        return Unknown(f"the ready replicas of the night are not known: {why}")
    return Ran(way=Way(running=running), replicas=ready)


def _exact(usd: Usd) -> Usd:
    return usd if isinstance(usd, Unknown) else exact(usd)
