"""The use case: acts on what is sure, holds on what is not, and sees nothing that comes later."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.load import LoadHistory
from domain.observation import Observation
from domain.plan import Act, Hold, Recommendation
from domain.prices import PriceBook
from domain.unknown import Unknown
from domain.workload import Bounds, Resources, ServingMode, Slo, Workload
from monitor.recorded import read_trace
from optimizer.answer import last_good
from optimizer.modes import ModesOptions
from optimizer.options import Options, ReplayOptions
from optimizer.outlook import outlook_of
from optimizer.proposal import market_of
from optimizer.purchase import PurchaseOptions
from optimizer.recommend import recommend
from optimizer.restdays import is_rest
from optimizer.scaling import decide
from tests.fakes.recommendations import NOON, an_act
from tests.optimizer.cases import (
    BOOK,
    WORKLOAD,
    capacity,
    daily,
    history,
    observation,
    price,
    ready,
    running,
    sparse,
    without,
)
from tests.optimizer.spot_cases import mostly, spot_history
from trimtab.prices import bundled

TRACES = Path(__file__).parents[2] / "examples" / "traces"
QUICK = Options(replay=ReplayOptions(policies=()), sensitivity=False)


def acted(seen: Observation, options: Options = QUICK, book: PriceBook = BOOK) -> Act:
    answer = recommend(seen, book, options, None)
    assert isinstance(answer, Act), answer
    return answer


def held(seen: Observation, options: Options = QUICK, previous: Recommendation | None = None) -> Hold:
    answer = recommend(seen, BOOK, options, previous)
    assert isinstance(answer, Hold), answer
    return answer


def codes(answer: Recommendation) -> list[str]:
    return [reason.code for reason in answer.reasons]


@pytest.fixture(scope="module")
def busy() -> Act:
    """Two weeks that rise and fall each day, on twelve replicas."""
    return acted(observation(daily()), Options())


def test_a_busy_workload_is_dedicated_and_scaled_on_a_schedule(busy: Act) -> None:
    assert busy.plan.proposed.mode is ServingMode.DEDICATED
    assert "scheduled" in codes(busy)
    counts = [step.replicas for step in busy.plan.calendar]
    assert max(counts) >= 2 * min(counts)


def test_days_that_the_source_does_not_have_speak_for_nothing() -> None:
    """Prometheus answers for the whole lookback, with nothing known before its first sample."""
    whole, eight = daily(28), daily(28).values.copy()
    eight[: 20 * 288] = np.nan
    only = replace(WORKLOAD, modes=frozenset({ServingMode.DEDICATED}))
    asked = acted(observation(history(eight), workload=only))
    alone = acted(
        observation(
            replace(whole, start=whole.start + timedelta(days=20), values=whole.values[20 * 288 :]), workload=only
        )
    )
    assert acted(observation(whole, workload=only)).plan.proposed.purchase.reserved > 0
    for found in (asked, alone):
        assert found.plan.proposed.purchase.reserved == 0
        assert any("8.0 days of history are too short" in reason.detail for reason in found.reasons)
        said = next(reason.detail for reason in found.reasons if reason.code == "confidence")
        assert "known load 1.00 x length of history 0.76" in said


def test_a_sparse_workload_goes_serverless() -> None:
    found = acted(observation(sparse(), running=running(1)))
    assert found.plan.proposed.mode is ServingMode.SERVERLESS
    assert found.plan.calendar == ()
    assert not isinstance(found.saving, Unknown)
    assert found.saving.usd_per_month > 0.9 * 0.1 * 730


def test_one_day_of_history_holds() -> None:
    found = held(observation(daily(1)))
    assert codes(found) == ["thin_history"]
    assert found.needs
    assert isinstance(found.last_good, Unknown)


def test_a_held_workload_still_shows_its_bill() -> None:
    found = held(observation(daily(1)))
    assert not isinstance(found.current, Unknown)
    assert found.current.usd_per_month == pytest.approx(12 * 0.1 * 730)


def test_a_source_that_knows_nothing_holds_without_any_number() -> None:
    found = held(observation(Unknown("Prometheus did not answer")))
    assert "Prometheus did not answer" in found.reasons[0].detail
    assert isinstance(found.last_good, Unknown)
    assert isinstance(found.current, Unknown)
    assert asdict(found.evidence).keys() - {"inputs_sha256"} == {
        name for name, section in asdict(found.evidence).items() if section == {}
    }


def test_without_capacity_it_holds_and_says_what_is_needed() -> None:
    found = held(observation(daily(), declared_capacity_rps=Unknown("no capacity is declared")))
    assert codes(found) == ["no_capacity"]
    assert "capacity_rps" in found.needs


def test_a_number_is_handed_on_until_it_expires_and_no_longer(busy: Act) -> None:
    broken = observation(Unknown("Prometheus did not answer"))
    soon = replace(broken, observed_at=busy.valid_until - timedelta(hours=1))
    first = held(soon, previous=busy)
    assert (first.last_good, first.valid_until) == (busy.plan.proposed.replicas, busy.valid_until)
    second = held(replace(soon, observed_at=busy.valid_until - timedelta(minutes=1)), previous=first)
    assert (second.last_good, second.valid_until) == (busy.plan.proposed.replicas, busy.valid_until)
    third = held(replace(soon, observed_at=busy.valid_until), previous=second)
    assert isinstance(third.last_good, Unknown)


def test_a_hold_after_serverless_hands_on_no_number_that_a_controller_could_follow() -> None:
    number, until = last_good(an_act(mode=ServingMode.SERVERLESS), NOON)
    assert isinstance(number, Unknown)
    assert "scales by itself" in number.reason
    assert until is None


def test_what_runs_today_being_unknown_leaves_the_saving_unknown() -> None:
    found = acted(observation(daily(), running=Unknown("no metric tells")))
    assert isinstance(found.current, Unknown)
    assert isinstance(found.saving, Unknown)
    assert found.plan.proposed.usd_per_month > 0


def test_the_same_inputs_give_the_same_answer_to_the_last_bit(busy: Act) -> None:
    assert acted(observation(daily()), Options()) == busy


def test_the_replicas_are_those_of_the_policy_that_replay_runs(busy: Act) -> None:
    """No guardrail changed the number, so it is the last decision of the one scaling function."""
    seen = observation(daily())
    load = daily()
    there = market_of(seen, capacity(1.0), BOOK, ModesOptions())
    assert not isinstance(there, Unknown)
    outlook = outlook_of(load, there, Options())
    assert not isinstance(outlook, Unknown)
    last = int(decide(load, outlook.problem).desired[-1])
    stepped = [reason for reason in busy.reasons if reason.code == "step_down"]
    assert busy.plan.proposed.replicas == (int(stepped[0].after or 0) if stepped else last)
    assert not stepped or stepped[0].before == str(last)


def test_replicas_that_serve_several_at_once_are_late_only_over_their_capacity() -> None:
    """A capacity of 1 request/s that take 8 s each is a batch of 8: one by one they would all be late."""
    batching = observation(
        daily(), service_time_s=8.0, workload=replace(WORKLOAD, slo=Slo(latency=timedelta(seconds=30)))
    )
    there = market_of(batching, capacity(1.0), BOOK, ModesOptions())
    assert not isinstance(there, Unknown)
    outlook = outlook_of(daily(), there, Options())
    assert not isinstance(outlook, Unknown)
    assert outlook.late_scaled.at_most < 0.02


def test_the_week_ahead_knows_the_public_holidays_of_the_workloads_country() -> None:
    """Up to Ascension Day of 2024 (a Thursday), on load that rests on days of rest."""
    start, hours = datetime(2024, 4, 1, tzinfo=UTC), np.arange(38 * 24)
    rest = is_rest(start, timedelta(hours=1), hours, "DE")
    load = LoadHistory(start=start, step=timedelta(hours=1), values=np.where(rest, 2.0, 10.0))
    first_days = []
    for country in (None, "DE"):
        seen = observation(load, workload=replace(WORKLOAD, country=country))
        there = market_of(seen, capacity(1.0), BOOK, ModesOptions())
        assert not isinstance(there, Unknown)
        outlook = outlook_of(load, there, Options())
        assert not isinstance(outlook, Unknown)
        first_days.append(outlook.forecasting.forecast.mean[:24].mean())
    assert first_days[1] < 0.5 * first_days[0]


@pytest.mark.parametrize("cut_days", [5.0, 8.25])
def test_nothing_after_the_moment_of_the_observation_is_seen(cut_days: float) -> None:
    """The future is replaced by something wild, then cut off: the answer stays the same but for its inputs' hash."""
    load = daily()
    at = load.start + timedelta(days=cut_days)
    wild = load.values.copy()
    wild[int(cut_days * 288) :] = np.random.default_rng(9).uniform(0, 500, len(wild) - int(cut_days * 288))
    full_replicas = history(np.full(len(load), 12.0))
    answers = [
        acted(replace(observation(seen, replicas=full_replicas), observed_at=at), Options())
        for seen in (load, replace(load, values=wild), load.until(at))
    ]
    plain = [replace(each, evidence=replace(each.evidence, inputs_sha256="")) for each in answers]
    assert plain[0] == plain[1] == plain[2]


def test_the_saving_is_todays_bill_less_the_plan_and_within_its_range(busy: Act) -> None:
    assert not isinstance(busy.saving, Unknown)
    assert not isinstance(busy.current, Unknown)
    bill, usd = busy.current.usd_per_month, busy.plan.proposed.usd_per_month
    assert bill == pytest.approx(12 * 0.1 * 730)
    assert busy.saving.usd_per_month == pytest.approx(bill - usd)
    assert busy.saving.low <= busy.saving.usd_per_month <= busy.saving.high <= bill
    assert busy.plan.usd_per_month_low <= usd <= busy.plan.usd_per_month_high


def test_the_evidence_is_json_and_every_section_is_there(busy: Act) -> None:
    sections = asdict(busy.evidence)
    text = json.dumps(sections, allow_nan=False)
    assert all(sections[name] for name in sections)
    assert len(text) < 64_000


def test_the_evidence_shows_every_mode_and_each_price_with_its_age(busy: Act) -> None:
    prices: Any = busy.evidence.prices
    assert set(prices["modes"]) == {"serverless", "dedicated", "shared"}
    assert "mode" in prices["rule_of_thumb"]
    assert prices["late_allowed"] == pytest.approx(0.05)
    dedicated, shared = prices["modes"]["dedicated"], prices["modes"]["shared"]
    assert 0.0 < dedicated["late_at_most"] <= prices["late_allowed"]
    assert (dedicated["cold_share"], dedicated["estimate"]) == (None, False)
    assert shared.get("estimate", True) is True
    assert all(used["age_days"] == 32 and used["source"] == "made up" for used in prices["used"])


def test_the_age_of_a_price_from_after_the_history_is_null_with_the_reason() -> None:
    later = tuple(replace(each, on_demand=replace(each.on_demand, as_of=date(2030, 1, 1))) for each in BOOK.offers)
    found = acted(observation(daily()), book=replace(BOOK, offers=later))
    prices: Any = found.evidence.prices
    used = [each for each in prices["used"] if each["as_of"] == "2030-01-01"]
    assert {(each["age_days"], each["age_unknown"].partition(",")[0]) for each in used} == {(None, "of 2030-01-01")}
    assert "old_price" in codes(found)


def test_the_replay_shows_our_policy_beside_the_others_in_dollars_and_misses(busy: Act) -> None:
    replay: Any = busy.evidence.replay
    rows = {row["policy"]: row for row in replay["rows"]}
    assert set(rows) >= {"trimtab", "hpa", "fixed", "perfect"}
    assert rows["perfect"]["usd"] <= rows["trimtab"]["usd"]
    assert rows["trimtab"]["missed_share"] is not None


@pytest.mark.parametrize("days", [28, 21, 12])
def test_a_load_that_is_told_by_the_day_is_decided_on_and_replayed_where_that_tells_anything(days: int) -> None:
    """A week has seven such steps, and eleven are the least to judge a policy on: it is not a fault of the load's."""
    load = history([8.0 + day % 7 for day in range(days)], step=timedelta(days=1))
    options = Options(replay=ReplayOptions(policies=("trimtab", "fixed")))
    replay: Any = acted(observation(load), options).evidence.replay
    if days == 28:
        assert replay["rows"]
    else:
        assert "leaves nothing to score" in replay["not_replayed"]
        assert "rows" not in replay


def test_reasons_follow_the_order_of_the_decision(busy: Act) -> None:
    found = codes(busy)
    order = ["capacity_declared", "time_to_ready_assumed", "load_forecast", "confidence", "mode_chosen", "slo_proved"]
    assert [code for code in found if code in order] == order


def test_bounds_reach_the_plan() -> None:
    alone = without(WORKLOAD, ServingMode.SERVERLESS, ServingMode.SHARED)
    tight = replace(alone, bounds=Bounds(min_replicas=3, max_replicas=5))
    found = recommend(observation(daily(high=4.5), workload=tight), BOOK, QUICK, None)
    assert isinstance(found, Act)
    assert 3 <= found.plan.proposed.replicas <= 5


def test_where_no_mode_holds_the_slo_it_holds_and_names_each_reason() -> None:
    huge = replace(WORKLOAD, resources=Resources(memory_gib=5000.0))
    found = held(observation(daily(), workload=huge))
    assert codes(found)[-1] == "no_mode"
    assert all(str(mode) in found.reasons[-1].detail for mode in ServingMode)


def test_a_load_that_no_start_up_can_follow_is_held_rather_than_risked() -> None:
    """Bursts of a hundredfold at random, an hour to start: the plan would have broken the SLO on its own history."""
    rng = np.random.default_rng(2)
    values = np.where(rng.random(14 * 288) < 0.01, 100.0, 1.0)
    seen = observation(history(values), time_to_ready=ready(timedelta(hours=1)), service_time_s=Unknown("not measured"))
    strict = replace(WORKLOAD, slo=Slo(attainment=0.9999))
    found = recommend(replace(seen, workload=strict), BOOK, QUICK, None)
    assert isinstance(found, Hold) or found.plan.proposed.mean_replicas >= 90


def test_a_named_policy_is_used() -> None:
    found = recommend(observation(daily(high=3)), BOOK, replace(QUICK, policy="rule_of_thumb"), None)
    assert isinstance(found, Act | Hold)
    assert any("rule_of_thumb" in reason.detail or reason.code == "no_mode" for reason in found.reasons)
    with pytest.raises(KeyError, match="tarot"):
        recommend(observation(daily()), BOOK, replace(QUICK, policy="tarot"), None)


def test_each_part_receives_its_own_slice() -> None:
    """Without commitments and spot everything is on demand."""
    plain = replace(QUICK, modes=ModesOptions(purchase=PurchaseOptions(spot=False, max_term=timedelta(0))))
    found = acted(observation(daily()), plain)
    assert found.plan.proposed.purchase.reserved == found.plan.proposed.purchase.spot == 0


def test_spot_is_bought_on_what_was_seen_of_its_availability_and_nothing_later() -> None:
    """Forty days in which four machines were nearly always there; what comes after the decision is not looked at."""
    seen = observation(daily(), workload=without(WORKLOAD, ServingMode.SERVERLESS, ServingMode.SHARED))
    there = mostly(45, machines=4)
    begun = replace(there, start=seen.observed_at - timedelta(days=40))
    gone = np.where(np.arange(len(there)) < 40 * 288, there.values, 0.0)
    box = BOOK.offers[0]
    book = PriceBook(offers=(replace(box, spot=price(0.3 * box.on_demand.amount)),))
    plans = [
        acted(seen, book=replace(book, availability=(spot_history(zone),)))
        for zone in (begun, replace(begun, values=gone))
    ]
    assert plans[0].plan == plans[1].plan
    assert plans[0].plan.proposed.purchase.spot > 0
    assert "40.0 days of availability in us-east-1a" in next(r.detail for r in plans[0].reasons if r.code == "spot")
    nothing = acted(seen, book=replace(book, availability=(spot_history(replace(begun, values=0 * gone)),)))
    assert nothing.plan.proposed.purchase.spot == 0
    assert (
        plans[0].plan.proposed.usd_per_month < nothing.plan.proposed.usd_per_month <= plans[0].plan.usd_per_month_high
    )


def test_an_all_idle_history_is_not_divided_by() -> None:
    found = recommend(observation(history(np.zeros(14 * 288)), running=running(1)), BOOK, QUICK, None)
    assert isinstance(found, Act)
    assert found.plan.proposed.mode is ServingMode.SERVERLESS
    assert found.plan.proposed.usd_per_month == 0.0


def test_gaps_are_not_zeros() -> None:
    """A tenth of the steps lost at random changes the bill by little."""
    values = daily().values.copy()
    values[np.random.default_rng(8).random(len(values)) < 0.1] = np.nan
    values[-3:] = daily().values[-3:]
    whole, gappy = acted(observation(daily())), acted(observation(history(values)))
    assert gappy.plan.proposed.usd_per_month == pytest.approx(whole.plan.proposed.usd_per_month, rel=0.1)


@pytest.mark.parametrize(
    "name,capacity_rps,mode",
    [("azfn_bd33", 4.0, ServingMode.DEDICATED), ("azfn_83c5", 4.0, ServingMode.SERVERLESS)],
)
def test_real_traces_at_real_prices(name: str, capacity_rps: float, mode: ServingMode) -> None:
    load = _recent(read_trace(TRACES / f"{name}.csv.gz").requests)
    workload = Workload(id=name, runtime="trimtab-serving", slo=Slo(attainment=0.995, latency=timedelta(seconds=2)))
    seen = observation(
        load,
        workload=workload,
        declared_capacity_rps=capacity_rps,
        service_time_s=0.15,
        running=running(25, offer="c6a.large"),
    )
    found = acted(seen, QUICK, bundled())
    assert found.plan.proposed.mode is mode
    assert not isinstance(found.saving, Unknown)
    assert found.saving.usd_per_month > 0


def _recent(load: LoadHistory) -> LoadHistory:
    """At most two weeks of five-minute steps."""
    return load.coarser(timedelta(minutes=5)) if load.step < timedelta(minutes=5) else load
