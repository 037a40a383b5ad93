"""Booking one night of one recommendation that was taken up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import numpy as np

from domain.capacity import CapacityModel
from domain.ledger import LedgerNight, TakenUp, exact
from domain.load import LoadHistory
from domain.plan import Act
from domain.prices import HOURS_PER_MONTH
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.cost import missed_today
from optimizer.ledger.facts import Night, Taken, in_its_unit
from optimizer.ledger.gap import gap_of, less
from optimizer.ledger.misses import Missed, missed_of
from optimizer.ledger.scene import Ran, Scene, scene_of, what_ran
from optimizer.ledger.ways import HOURS_A_NIGHT
from optimizer.ledger.worse import worse
from optimizer.outlook import recent_of


def book(taken: Taken, night: Night, *, then: Taken | None = None, earlier: Sequence[LedgerNight] = ()) -> LedgerNight:
    """The row of `taken` for this night.

    `then` is what was taken up next on the same workload: what ran before that is what `taken` is measured on, so
    that together they save no dollar twice and lose none. `earlier` are the rows of `taken` for the nights before.
    ValueError for signals that do not share a grid.
    """
    load = night.load()
    if isinstance(load, Unknown):
        return _nothing_known(taken, night, load)
    came = float(np.nanmean(load.values)) * len(load) * load.step_s
    seen, capacity = in_its_unit(night.observation, taken.options)
    night = replace(night, observation=seen)
    load = night.load()
    if isinstance(load, Unknown):
        return _nothing_known(taken, night, load)
    row = replace(_nothing_known(taken, night, Unknown("it could not be priced")), requests=came)
    row = _with_misses(row, taken, night, load, capacity)
    scene = scene_of(taken, night, load, capacity)
    if isinstance(scene, Unknown):
        return _unpriced(row, scene)
    ran = what_ran(night, load, then)
    row = replace(row, baseline_usd=scene.before_usd, would_have_missed=_would_have_missed(scene))
    row = _unpriced(row, ran) if isinstance(ran, Unknown) else _priced(row, scene, ran)
    # What was replaced since is no longer to blame for anything.
    return row if then is not None else replace(row, worse=worse((*earlier, row), taken.options.guardrails))


def unbookable(act: Act, night: date, *, at: datetime, how: TakenUp, budget: float, why: Unknown) -> LedgerNight:
    """The row of a night of which nothing is known but what was promised, and `why`."""
    saving = act.saving
    promised = saving if isinstance(saving, Unknown) else exact(saving.usd_per_month * HOURS_A_NIGHT / HOURS_PER_MONTH)
    return LedgerNight(
        night=night,
        workload=act.workload,
        recommendation_id=act.id,
        taken_up_at=at,
        taken_up=how,
        promised_usd=promised,
        baseline_usd=why,
        ran_usd=why,
        realised_usd=why,
        gap=why,
        followed_share=why,
        requests=why,
        missed_share=why,
        missed_before=why,
        would_have_missed=why,
        budget=budget,
    )


def _nothing_known(taken: Taken, night: Night, why: Unknown) -> LedgerNight:
    budget = night.observation.workload.slo.budget
    return unbookable(taken.recommendation, night.day, at=taken.at, how=taken.how, budget=budget, why=why)


def _unpriced(row: LedgerNight, why: Unknown) -> LedgerNight:
    """The row of a night of which what ran, or what would have, has no price."""
    baseline = why if isinstance(row.baseline_usd, Unknown) else row.baseline_usd
    return replace(row, baseline_usd=baseline, ran_usd=why, realised_usd=why, gap=why, followed_share=why)


def _priced(row: LedgerNight, scene: Scene, ran: Ran) -> LedgerNight:
    cost = ran.way.usd(scene.now, ran.replicas, scene.stretch)
    ran_usd = cost if isinstance(cost, Unknown) else exact(cost)
    realised, promised = less(row.baseline_usd, ran_usd), row.promised_usd
    if isinstance(realised, Unknown):
        return _unpriced(row, realised)
    row = replace(row, ran_usd=ran_usd, realised_usd=realised, followed_share=scene.followed_share(ran))
    if isinstance(promised, Unknown):
        return replace(row, gap=promised)
    return replace(row, gap=gap_of(promised, scene.steps(ran), realised))


def _would_have_missed(scene: Scene) -> float | Unknown:
    if scene.decision.before.running.mode is not ServingMode.DEDICATED:
        return Unknown("what ran before had no replicas of its own")
    return missed_today(scene.stretch.load.values, scene.before_replicas, scene.now.capacity.rate_rps)


def _with_misses(
    row: LedgerNight, taken: Taken, night: Night, load: LoadHistory, capacity: CapacityModel | Unknown
) -> LedgerNight:
    """The row with the night's misses, and those of the stretch that was decided on."""
    missed = missed_of(night.observation, load, _rate(capacity))
    return replace(
        row,
        missed_share=missed if isinstance(missed, Unknown) else missed.share,
        missed_before=missed if isinstance(missed, Unknown) else _missed_before(taken, missed),
    )


def _missed_before(taken: Taken, missed: Missed) -> float | Unknown:
    seen, capacity = in_its_unit(taken.observation, taken.options)
    if seen.workload.slo.usd_per_missed_request is not None:
        return Unknown("misses have a price: no share of them is promised")
    if isinstance(seen.load, Unknown):
        return seen.load
    recent = recent_of(seen.load.until(seen.observed_at), taken.options.replay.window)
    before = missed_of(seen, recent, _rate(capacity))
    if isinstance(before, Unknown):
        return before
    return before.share if before.measured == missed.measured else Unknown("it was not judged by the same signals then")


def _rate(capacity: CapacityModel | Unknown) -> float | Unknown:
    return capacity if isinstance(capacity, Unknown) else capacity.rate_rps
