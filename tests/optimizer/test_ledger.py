"""A night's row: what was promised, what came of it and why, from the observations of two moments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from domain.ledger import Gap, LedgerNight
from domain.load import Floats, LoadHistory
from domain.observation import Observation
from domain.plan import Act
from domain.prices import PriceBook
from domain.unknown import Unknown
from domain.workload import ServingMode, Slo
from optimizer.ledger import Night, Taken, book
from optimizer.ledger.scene import decision_of
from optimizer.ledger.ways import Stretch
from optimizer.recommend import recommend
from tests.optimizer.cases import MONDAY, WORKLOAD, machine, price, running
from tests.optimizer.ledger_cases import BOOK, DAY, DAYS, DEDICATED, OPTIONS, PER_DAY, periodic, seen

HOURS_SHARE = 24 / 730


def taken(before: Observation) -> Taken:
    act = recommend(before, BOOK, OPTIONS, None)
    assert isinstance(act, Act), act
    return Taken(
        recommendation=act, observation=before, book=BOOK, options=OPTIONS, at=before.observed_at, how="accepted"
    )


@pytest.fixture(scope="module")
def rightsized() -> Taken:
    """From twelve static replicas to what the load needs."""
    return taken(seen(periodic(DAYS)))


def wanted(it: Taken, load: LoadHistory) -> Floats:
    """What the policy wants step by step on this load."""
    decision = decision_of(it)
    assert not isinstance(decision, Unknown)
    stretch = Stretch.of(load, load, it.options)
    return stretch.wanted(decision.market).astype(np.float64)


def night(load: LoadHistory, replicas: Floats | float = 12.0, prices: PriceBook = BOOK, **facts: Any) -> Night:
    """The last day of `load`."""
    return Night(day=(load.end - DAY).date(), observation=seen(load, replicas, **facts), book=prices)


def gap(row: LedgerNight) -> Gap:
    assert isinstance(row.gap, Gap), row.gap
    return row.gap


def usd(amount: float | Unknown) -> float:
    assert not isinstance(amount, Unknown), amount
    return amount


def changed(load: LoadHistory, factor: float) -> LoadHistory:
    """The load with its last day times `factor`."""
    values = np.array(load.values)
    values[-PER_DAY:] *= factor
    return replace(load, values=values)


def test_where_nothing_changed_and_it_was_applied_what_was_promised_came(rightsized: Taken) -> None:
    load = periodic(DAYS + 1)
    row = book(rightsized, night(load, wanted(rightsized, load)))
    assert isinstance(rightsized.recommendation, Act)
    promised = rightsized.recommendation.saving
    assert not isinstance(promised, Unknown)
    assert usd(row.promised_usd) == pytest.approx(promised.usd_per_month * HOURS_SHARE, abs=1e-6)
    assert usd(row.baseline_usd) == pytest.approx(12 * 0.1 * 24), "twelve replicas on a box each"
    assert usd(row.realised_usd) == pytest.approx(usd(row.promised_usd), rel=0.05)
    assert (row.followed_share, gap(row).price, gap(row).capacity) == (1.0, 0.0, 0.0)
    assert gap(row).not_applied == pytest.approx(0, abs=1e-5)
    assert row.worse == ()


def test_what_was_not_applied_realises_nothing_and_says_so(rightsized: Taken) -> None:
    row = book(rightsized, night(periodic(DAYS + 1), 12.0))
    assert row.realised_usd == 0.0
    assert row.followed_share == 0.0
    assert usd(gap(row).not_applied) == pytest.approx(-usd(row.promised_usd), rel=0.05)
    assert gap(row).usd == -usd(row.promised_usd)


def test_what_was_applied_for_half_the_night_is_partly_not_applied(rightsized: Taken) -> None:
    load = periodic(DAYS + 1)
    replicas = wanted(rightsized, load)
    replicas[-PER_DAY // 2 :] = 30.0
    row = book(rightsized, night(load, replicas))
    assert usd(row.followed_share) == pytest.approx(0.5, abs=0.1)
    assert usd(gap(row).not_applied) < -1.0
    assert abs(gap(row).other) < 0.2


def test_a_change_of_purchase_is_booked_once_it_is_declared() -> None:
    """The same box and the same replicas, half of them on spot from now on."""
    spot = replace(BOOK, offers=(machine("box", 0.1, spot=price(0.03), interruption_per_month=0.05),))
    act = recommend(seen(periodic(DAYS)), spot, OPTIONS, None)
    assert isinstance(act, Act)
    it = Taken(
        recommendation=act,
        observation=seen(periodic(DAYS)),
        book=spot,
        options=OPTIONS,
        at=act.created_at,
        how="accepted",
    )
    load, mix = periodic(DAYS + 1), act.plan.proposed.purchase
    assert mix.spot > 0
    declared = book(it, night(load, wanted(it, load), spot, running=replace(running(12), purchase=mix)))
    assert usd(declared.realised_usd) == pytest.approx(usd(declared.promised_usd), rel=0.05)
    unsaid = book(it, night(load, wanted(it, load), spot))
    assert usd(unsaid.realised_usd) < usd(declared.realised_usd) - 1.0


@pytest.mark.parametrize("runs", [running(12, offer="big"), running(12, ServingMode.SHARED)])
def test_another_machine_or_mode_is_not_applied_at_all(rightsized: Taken, runs: Any) -> None:
    load = periodic(DAYS + 1)
    row = book(rightsized, night(load, wanted(rightsized, load), running=runs))
    assert row.followed_share == 0.0
    assert gap(row).other == 0.0


def test_dearer_prices_are_a_gap_of_their_own(rightsized: Taken) -> None:
    load = periodic(DAYS + 1)
    twice = replace(BOOK, offers=(machine("box", 0.2), *BOOK.offers[1:]))
    same = book(rightsized, night(load, wanted(rightsized, load)))
    row = book(rightsized, night(load, wanted(rightsized, load), twice))
    assert usd(row.baseline_usd) == pytest.approx(2 * usd(same.baseline_usd))
    assert gap(row).load == gap(same).load
    assert usd(gap(row).price) == pytest.approx(usd(row.promised_usd) + usd(gap(row).load), abs=1e-5)
    assert gap(row).capacity == 0.0


def test_more_load_takes_from_the_saving_of_what_follows_it(rightsized: Taken) -> None:
    load = changed(periodic(DAYS + 1), 1.5)
    row = book(rightsized, night(load, wanted(rightsized, load)))
    assert usd(gap(row).load) < -0.5
    assert (gap(row).price, gap(row).capacity) == (0.0, 0.0)
    assert usd(row.baseline_usd) == pytest.approx(12 * 0.1 * 24), "static replicas cost what they cost"
    assert row.requests == pytest.approx(1.5 * 6 * 86400)


def test_a_replica_that_carries_less_is_a_gap_of_capacity(rightsized: Taken) -> None:
    load = periodic(DAYS + 1)
    slower = replace(rightsized, observation=replace(rightsized.observation, declared_capacity_rps=0.5))
    row = book(rightsized, night(load, wanted(slower, load), declared_capacity_rps=0.5))
    assert usd(gap(row).capacity) < -2.0
    assert row.followed_share == 1.0
    assert gap(row).price == 0.0


def test_a_capacity_that_is_not_known_any_more_is_said_and_its_dollars_are_in_other(rightsized: Taken) -> None:
    load = periodic(DAYS + 1)
    row = book(
        rightsized, night(load, wanted(rightsized, load), declared_capacity_rps=Unknown("no capacity is declared"))
    )
    assert isinstance(gap(row).capacity, Unknown)
    assert gap(row).usd == usd(row.realised_usd) - usd(row.promised_usd)


def test_what_followed_the_load_before_is_priced_as_if_it_went_on_following_it() -> None:
    """Before there was one replica for every half request/s: with more load there would have been more of them."""
    load = periodic(DAYS)
    before = taken(seen(load, np.ceil(2 * load.values)))
    grown = changed(periodic(DAYS + 1), 1.5)
    row, same = (book(before, night(each, 12.0)) for each in (grown, periodic(DAYS + 1)))
    assert usd(row.baseline_usd) == pytest.approx(1.5 * usd(same.baseline_usd), rel=0.05)


def test_serverless_is_priced_by_the_requests_of_the_night() -> None:
    runs = running(0, ServingMode.SERVERLESS, "fn")
    load = periodic(DAYS)
    before = taken(replace(seen(load, running=runs, workload=WORKLOAD), replicas=Unknown("no replicas")))
    assert isinstance(before.recommendation, Act)
    twice = changed(periodic(DAYS + 1), 2.0)
    rows = [
        book(before, night(each, running=running(0, ServingMode.SERVERLESS, "fn"), workload=WORKLOAD))
        for each in (twice, periodic(DAYS + 1))
    ]
    assert usd(rows[0].baseline_usd) == pytest.approx(2 * usd(rows[1].baseline_usd), rel=1e-3)
    assert [row.realised_usd for row in rows] == [0.0, 0.0]
    assert isinstance(rows[0].would_have_missed, Unknown)


def hours_unknown(load: LoadHistory) -> LoadHistory:
    values = np.array(load.values)
    values[-12:] = np.nan
    return replace(load, values=values)


LOAD = periodic(DAYS + 1)


@pytest.mark.parametrize(
    "facts,why",
    [
        ({"load": hours_unknown(LOAD)}, "only 88% of the load of 2026-10-15 is known"),
        ({"load": Unknown("Prometheus: no series")}, "no series"),
        ({"observed_at": MONDAY + 20 * DAY}, "is a recording: nothing was measured"),
        ({"replicas": Unknown("no such metric")}, "ready replicas of the night are not known: no such metric"),
        ({"replicas": hours_unknown(replace(LOAD, values=LOAD.values * 0 + 12))}, "known for 88% of 2026-10-15"),
        ({"running": Unknown("`offer` is not declared")}, "`offer` is not declared"),
        ({"running": running(12, offer="unheard of")}, "unheard of is not in the price book"),
    ],
)
def test_what_is_not_known_of_a_night_is_said_and_never_booked_as_nothing(
    rightsized: Taken, facts: dict[str, Any], why: str
) -> None:
    base = night(LOAD)
    row = book(rightsized, replace(base, observation=replace(base.observation, **facts)))
    assert isinstance(row.realised_usd, Unknown)
    assert why in row.realised_usd.reason
    assert row.gap == row.ran_usd == row.followed_share == row.realised_usd
    assert row.worse == ()
    assert usd(row.promised_usd) > 0


def test_a_baseline_that_was_never_known_makes_every_night_unknown(rightsized: Taken) -> None:
    nobody = replace(rightsized.recommendation, current=Unknown("not declared"), saving=Unknown("not declared"))
    row = book(replace(rightsized, recommendation=nobody), night(periodic(DAYS + 1)))
    assert row.promised_usd == row.realised_usd == row.gap == Unknown("not declared")
    assert usd(row.requests) > 0


def test_a_proposal_that_has_no_price_any_more_leaves_the_outcome_known(rightsized: Taken) -> None:
    other = replace(rightsized, recommendation=proposing(rightsized.recommendation, "gone"), book=with_offer("gone"))
    row = book(other, night(periodic(DAYS + 1)))
    assert row.realised_usd == 0.0
    assert isinstance(gap(row).price, Unknown)
    assert isinstance(gap(row).not_applied, Unknown)
    assert gap(row).usd == usd(row.realised_usd) - usd(row.promised_usd)


def proposing(act: Act, offer: str) -> Act:
    return replace(act, plan=replace(act.plan, proposed=replace(act.plan.proposed, offer=offer)))


def with_offer(name: str) -> PriceBook:
    return replace(BOOK, offers=(machine(name, 0.1), *BOOK.offers))


def test_what_was_taken_up_next_divides_the_saving_without_a_rest(rightsized: Taken) -> None:
    """The first saves what ran before it over what ran before the second; the second that over what ran."""
    load = periodic(DAYS + 2)
    following = replace(load, values=load.values[: (DAYS + 1) * PER_DAY])
    second = taken(seen(following, wanted(rightsized, following) + 2))
    last = night(load, wanted(rightsized, load))
    one, two = book(rightsized, last, then=second), book(second, last)
    assert usd(one.realised_usd) > 0
    assert usd(two.realised_usd) > 0
    assert one.ran_usd == two.baseline_usd
    assert usd(one.realised_usd) + usd(two.realised_usd) == usd(one.baseline_usd) - usd(two.ran_usd)
    assert one.worse == ()


def test_nothing_after_the_night_is_looked_at(rightsized: Taken) -> None:
    longer = periodic(DAYS + 3)
    other = changed(longer, 9.0)
    ends = MONDAY + (DAYS + 1) * DAY
    rows = [
        book(
            rightsized, replace(night(each), day=(ends - DAY).date(), observation=replace(seen(each), observed_at=ends))
        )
        for each in (longer, other)
    ]
    assert rows[0] == rows[1]
    assert usd(rows[0].requests) == pytest.approx(6 * 86400)


def always(load: LoadHistory, value: float) -> LoadHistory:
    return replace(load, values=np.full(len(load), value))


def test_misses_of_the_night_stand_beside_the_dollars(rightsized: Taken) -> None:
    load = periodic(DAYS + 1)
    failing = replace(load, values=np.full(len(load), 0.02))
    faultless = replace(rightsized.observation, errors=always(periodic(DAYS), 0.0))
    before = replace(rightsized, observation=faultless)
    row = book(before, night(load, wanted(rightsized, load), errors=failing))
    assert row.missed_share == pytest.approx(0.02)
    assert row.missed_before == 0.0
    assert [reason.code for reason in row.worse] == ["slo_broken"]
    assert "2.000%" in row.worse[0].detail
    late = book(before, night(load, wanted(rightsized, load), latency=always(load, 9.0)))
    assert late.missed_share == pytest.approx(0.05), "at least 5 % were slower than the p95"


def test_misses_are_reckoned_where_nothing_measures_them(rightsized: Taken) -> None:
    row = book(rightsized, night(periodic(DAYS + 1), 8.0))
    assert 0.0 < usd(row.missed_share) < 0.1
    assert row.missed_before == 0.0
    measured = book(rightsized, night(periodic(DAYS + 1), 8.0, errors=always(periodic(DAYS + 1), 0.0)))
    assert measured.missed_share == 0.0
    assert isinstance(measured.missed_before, Unknown), "it was reckoned then, and is measured now"


def test_where_misses_have_a_price_no_share_of_them_is_promised(rightsized: Taken) -> None:
    priced = replace(DEDICATED, slo=Slo(attainment=0.99, latency=timedelta(seconds=2), usd_per_missed_request=0.001))
    before = replace(rightsized, observation=replace(rightsized.observation, workload=priced))
    row = book(before, night(periodic(DAYS + 1), 3.0))
    assert isinstance(row.missed_before, Unknown)
    assert "slo_broken" not in [reason.code for reason in row.worse]


def test_dearer_than_before_is_said_but_not_where_that_would_have_missed_the_load(rightsized: Taken) -> None:
    few = taken(seen(periodic(DAYS, 0.5), 8.0))
    calm, surge = periodic(DAYS + 1, 0.5), changed(periodic(DAYS + 1, 0.5), 4.0)
    dear = book(few, night(calm, 0 * wanted(few, calm) + 8, running=running(8, offer="big")))
    assert dear.worse == (), "another machine runs: the proposal is not to blame"
    numbers = wanted(few, surge)
    grown = book(few, night(surge, numbers))
    assert usd(grown.realised_usd) < 0
    assert usd(grown.would_have_missed) > grown.budget
    assert "dearer" not in [reason.code for reason in grown.worse]


def test_on_the_load_of_the_decision_what_ran_before_costs_what_it_was_said_to(rightsized: Taken) -> None:
    decision = decision_of(rightsized)
    assert not isinstance(decision, Unknown)
    said = rightsized.recommendation.current
    assert not isinstance(said, Unknown)
    again = decision.before_usd(decision.market, decision.stretch)
    assert usd(again) == pytest.approx(said.usd_per_month * HOURS_SHARE, abs=1e-5)
