"""Every mode priced by hand, refused with its reason, and where the answer changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.prices import HOURS_PER_MONTH, PriceBook
from domain.unknown import Unknown
from domain.workload import Resources, ServingMode, Slo
from optimizer.breakeven import BreakEven, break_even, sensitivity
from optimizer.demand import Demand, Sizing, Spread
from optimizer.machines import MachineOptions, holds
from optimizer.margin import Late
from optimizer.modes import Infeasible, Market, ModesOptions, Quote, at_least, cheapest, quote, quotes, repriced
from optimizer.modes.serverless import billed
from optimizer.policies import POLICIES, least_cost, rule_of_thumb, serving_alone
from optimizer.purchase import PurchaseOptions
from tests.optimizer.cases import BOOK, WORKLOAD, YEAR, demand, history, machine, market, price, tariff, without

SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600
ON_DEMAND = ModesOptions(purchase=PurchaseOptions(spot=False, max_term=timedelta(0)))
GPU = Resources(cpu_cores=3, memory_gib=12, model_gib=16, accelerator="l4", accelerator_count=1)
L4 = machine("l4box", 0.8, vcpus=4.0, memory_gib=16.0, accelerator="L4", accelerator_count=1, gpu_memory_gib=24.0)


def priced(there: Market, wanted: Demand, mode: ServingMode) -> Quote:
    answer = quote(there, wanted, mode)
    assert isinstance(answer, Quote), answer
    return answer


def refused(there: Market, wanted: Demand, mode: ServingMode) -> str:
    answer = quote(there, wanted, mode)
    assert isinstance(answer, Infeasible), answer
    return answer.reason


def test_dedicated_is_whole_machines_over_time() -> None:
    """A box holds one replica of 1 core (1.8 allocatable), a big one seven: 4 and 6 replicas on one big box."""
    found = priced(market(options=ON_DEMAND), demand([4, 6]), ServingMode.DEDICATED)
    assert found.offer == "big"
    assert found.usd_per_month == pytest.approx(0.36 * HOURS_PER_MONTH)
    assert found.mean_replicas == 5
    small = priced(market(options=ON_DEMAND), demand([1, 2]), ServingMode.DEDICATED)
    assert small.offer == "box"
    assert small.usd_per_month == pytest.approx(0.1 * 1.5 * HOURS_PER_MONTH)


def test_the_purchase_mix_adds_up_to_the_replicas() -> None:
    found = priced(market(), demand([4, 4, 4, 8]), ServingMode.DEDICATED)
    assert found.purchase.replicas >= found.mean_replicas
    assert found.purchase.reserved > 0
    assert {used.what for used in found.prices} >= {f"{found.offer} on demand", f"{found.offer} 1yr"}


def test_serverless_is_requests_times_time_and_memory_and_the_fee() -> None:
    """0.5 s on 2 GiB at 0.00002 and a fee of 0.000001: 0.000021 a request, and none is cold at 1 request/s."""
    found = priced(market(), demand([1]), ServingMode.SERVERLESS)
    assert found.usd_per_month == pytest.approx(2.1e-5 * SECONDS_PER_MONTH, rel=1e-3)
    assert found.mean_replicas == pytest.approx(0.5)


def test_durations_are_rounded_up_to_the_increment_and_the_minimum() -> None:
    coarse = replace(BOOK, tariffs=(tariff(increment=timedelta(seconds=1), minimum=timedelta(seconds=3)),))
    found = priced(market(coarse), demand([1]), ServingMode.SERVERLESS)
    assert found.usd_per_month == pytest.approx((3 * 4e-5 + 1e-6) * SECONDS_PER_MONTH, rel=1e-3)


def test_memory_is_bought_for_the_processors_it_brings() -> None:
    buys = replace(BOOK, tariffs=(tariff(gib_per_vcpu=4.0),))
    found = priced(market(buys), demand([1]), ServingMode.SERVERLESS)
    assert found.usd_per_month == pytest.approx((0.5 * 8e-5 + 1e-6) * SECONDS_PER_MONTH, rel=1e-3)


def test_idle_time_and_cold_starts_are_billed_where_the_service_bills_them() -> None:
    """Hourly requests: each keeps an instance for five minutes and pays 1.1 s of start."""
    arrivals = history(np.tile([1.0 / 300.0] + [0.0] * 11, 168))
    wanted = demand([1], rate_rps=1 / 3600, arrivals=arrivals)
    patient = replace(WORKLOAD, slo=Slo(latency=timedelta(seconds=5)))
    plain = priced(market(workload=patient), wanted, ServingMode.SERVERLESS).usd_per_month
    keeps = market(replace(BOOK, tariffs=(tariff(bills_idle=True, bills_cold_start=True),)), patient)
    found = priced(keeps, wanted, ServingMode.SERVERLESS).usd_per_month
    starts = 1.1 * 4e-5 / 3600 * SECONDS_PER_MONTH
    idle = 300 / 3600 * 4e-5 * SECONDS_PER_MONTH
    assert found == pytest.approx(plain + starts + idle, rel=0.02)


def test_shared_is_the_share_at_the_peak() -> None:
    """A peak of 1.5 replicas: cores 1.5/7.2, memory 2 x 2/28.8 of the big host, filled to 75 %."""
    found = priced(market(options=ON_DEMAND), replace(demand([1, 2]), peak_rps=1.5), ServingMode.SHARED)
    assert found.offer == "big"
    assert found.usd_per_month == pytest.approx(1.5 / 7.2 / 0.75 * 0.36 * HOURS_PER_MONTH)


def test_a_memory_bound_model_shares_by_memory() -> None:
    heavy = replace(WORKLOAD, resources=Resources(cpu_cores=0.5, memory_gib=8.0))
    found = priced(market(workload=heavy, options=ON_DEMAND), replace(demand([1]), peak_rps=0.1), ServingMode.SHARED)
    assert found.usd_per_month == pytest.approx(8 / 28.8 / 0.75 * 0.36 * HOURS_PER_MONTH)


@pytest.mark.parametrize(
    "other,why",
    [
        ({"service_time_s": Unknown("nothing was measured")}, "nothing was measured"),
        ({"service_time_s": 3.0}, "over the SLO of 2 s"),
        ({"workload": replace(WORKLOAD, resources=Resources(memory_gib=12.0))}, "at most 10 are offered"),
        ({"workload": replace(WORKLOAD, resources=GPU)}, "with l4"),
        ({"workload": replace(WORKLOAD, resources=Resources(architecture="arm64"))}, "needs arm64"),
        ({"workload": without(WORKLOAD, ServingMode.SERVERLESS)}, "not among the modes"),
        ({"book": replace(BOOK, tariffs=(tariff(max_vcpus=0.5),))}, "at most 0.5 are offered"),
        ({"book": replace(BOOK, tariffs=(tariff(max_duration=timedelta(seconds=0.1)),))}, "at most 0.1 are allowed"),
    ],
)
def test_serverless_says_why_it_cannot_serve(other: dict[str, object], why: str) -> None:
    assert why in refused(market(**other), demand([1]), ServingMode.SERVERLESS)  # type: ignore[arg-type]


def test_cold_starts_over_the_slo_are_refused_with_their_share() -> None:
    """Hourly requests are all cold and take 1.6 s; the SLO allows 1 s."""
    arrivals = history(np.tile([1.0 / 300.0] + [0.0] * 11, 168))
    wanted = demand([1], rate_rps=1 / 3600, arrivals=arrivals)
    quick = replace(WORKLOAD, slo=Slo(latency=timedelta(seconds=1)))
    assert "would start cold and take 1.6 s" in refused(market(workload=quick), wanted, ServingMode.SERVERLESS)


def test_a_promised_first_token_is_broken_by_a_cold_start_too() -> None:
    """A whole answer may take 30 s, its first token 0.5 s; a cold start alone takes 1.1 s."""
    arrivals = history(np.tile([1.0 / 300.0] + [0.0] * 11, 168))
    wanted = demand([1], rate_rps=1 / 3600, arrivals=arrivals)
    streamed = replace(WORKLOAD, slo=Slo(latency=timedelta(seconds=30), time_to_first_token=timedelta(seconds=0.5)))
    reason = refused(market(workload=streamed), wanted, ServingMode.SERVERLESS)
    assert "wait 1.1 s for a first token, over the 0.5 s" in reason
    assert priced(market(), wanted, ServingMode.SERVERLESS).cold_share == pytest.approx(
        1.0, abs=0.1
    )  # 2 s hold a cold start


def test_a_machine_must_have_the_accelerator_and_its_memory() -> None:
    book = PriceBook(offers=(machine(), L4))
    served = market(book, replace(WORKLOAD, resources=GPU), options=ON_DEMAND)
    assert priced(served, demand([2]), ServingMode.DEDICATED).offer == "l4box"
    large = market(book, replace(WORKLOAD, resources=replace(GPU, model_gib=30.0)))
    assert "30 GiB" in refused(large, demand([1]), ServingMode.DEDICATED)


def test_nothing_is_bought_for_an_accelerator_that_is_not_needed() -> None:
    assert holds(L4, WORKLOAD.resources, MachineOptions()) == 0


def test_burstable_machines_are_left_out_unless_allowed() -> None:
    burst = machine("t3.large", 0.01, burstable=True)
    assert holds(burst, WORKLOAD.resources, MachineOptions()) == 0
    assert holds(burst, WORKLOAD.resources, MachineOptions(burstable=True)) == 1


def test_a_group_may_share_among_itself_and_a_large_workload_with_nobody() -> None:
    """Who is of the group is for the fleet to see (`test_sharing_rules`); the price of a share is the same."""
    isolated = market(workload=replace(WORKLOAD, isolation_group="bank"))
    assert priced(isolated, demand([1]), ServingMode.SHARED) == priced(market(), demand([1]), ServingMode.SHARED)
    assert "more than the 50% that may be shared" in refused(market(), demand([30]), ServingMode.SHARED)


def test_another_region_has_other_prices() -> None:
    elsewhere = replace(WORKLOAD, cloud="gcp", region="us-central1")
    assert "gcp us-central1" in refused(market(workload=elsewhere), demand([1]), ServingMode.DEDICATED)
    assert "gcp us-central1" in refused(market(workload=elsewhere), demand([1]), ServingMode.SERVERLESS)


def test_a_bill_is_known_even_where_the_slo_is_not_held() -> None:
    slow = market(service_time_s=3.0)
    assert billed(slow, demand([1]), "fn") == pytest.approx((3 * 4e-5 + 1e-6) * SECONDS_PER_MONTH, rel=1e-3)
    assert isinstance(billed(slow, demand([1]), "other"), Unknown)


def test_todays_serverless_bill_is_that_of_its_own_region() -> None:
    elsewhere = tariff(region="eu-west-1", usd_per_gib_second=9.0)
    both = replace(BOOK, tariffs=(elsewhere, *BOOK.tariffs))
    assert billed(market(both), demand([1]), "fn") == billed(market(), demand([1]), "fn")


def test_a_decision_keeps_its_machine_and_terms_on_other_demand() -> None:
    chosen = priced(market(), demand([4, 6]), ServingMode.DEDICATED)
    later = repriced(market(), chosen, demand([1]))
    assert isinstance(later, Quote)
    assert (later.offer, later.terms) == (chosen.offer, chosen.terms)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=20), st.floats(1.01, 4))
def test_dedicated_costs_more_when_machines_do(replicas: list[int], factor: float) -> None:
    dearer = replace(
        BOOK, offers=tuple(replace(each, on_demand=price(each.on_demand.amount * factor)) for each in BOOK.offers)
    )
    wanted = demand([float(n) for n in replicas])
    now = priced(market(), wanted, ServingMode.DEDICATED).usd_per_month
    then = priced(market(dearer), wanted, ServingMode.DEDICATED).usd_per_month
    assert then == pytest.approx(now * factor)


def scaled(scale: float) -> Demand:
    """Half a request a second times `scale`, one replica for each request/s, dedicated machines."""
    return demand([float(np.ceil(0.5 * scale))], rate_rps=0.5 * scale, arrivals=history(np.full(288, 0.5 * scale)))


def test_the_break_even_rate_is_where_both_cost_the_same() -> None:
    """One box, 0.1 an hour, is worth 0.1/3600/0.000021 = 1.323 requests/s; it carries 10 here."""
    there = market(replace(BOOK, offers=(machine(),)), without(WORKLOAD, ServingMode.SHARED), options=ON_DEMAND)

    def carried(scale: float) -> Demand:
        one = Spread.of(np.array([max(1.0, np.ceil(0.05 * scale))]))
        return replace(scaled(scale), replicas=one, base=one)

    found = break_even(there, carried, quotes(there, carried(1.0)))
    assert isinstance(found, BreakEven)
    assert (found.below, found.above) == (ServingMode.SERVERLESS, ServingMode.DEDICATED)
    assert found.rate_rps == pytest.approx(0.1 / 3600 / 2.1e-5, rel=0.02)


@given(
    scale=st.floats(1e-3, 1e3),
    machines=st.floats(0.01, 100.0),
    most=st.sampled_from([None, 1, 100]),
    kept=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_what_is_not_priced_could_not_have_been_taken(
    scale: float, machines: float, most: int | None, kept: bool
) -> None:
    """The least that serverless may cost is no more than its quote, and the choice is the one among all quotes."""
    asked = scaled(scale)
    there = market(replace(BOOK, offers=(machine(usd=0.1 * machines),)), options=replace(ON_DEMAND, calls=kept))
    there = replace(there, sizing=replace(there.sizing, max_replicas=most))
    answers = quotes(there, asked)
    serverless = answers[ServingMode.SERVERLESS]
    if isinstance(serverless, Quote):
        assert at_least(there, asked, ServingMode.SERVERLESS) <= serverless.usd_per_month
    assert least_cost(there, asked) == least_cost(there, asked, answers)
    assert least_cost(there, asked) == cheapest(serving_alone(answers))


def test_with_one_mode_left_no_rate_divides() -> None:
    alone = market(workload=without(WORKLOAD, ServingMode.SHARED, ServingMode.SERVERLESS))
    assert isinstance(break_even(alone, scaled, quotes(alone, scaled(1.0))), Unknown)


def test_the_break_even_is_between_the_modes_that_decide_whatever_sharing_is_estimated_at() -> None:
    """Sharing would be second here; the rate is that between serverless and dedicated all the same."""
    there, alone = market(options=ON_DEMAND), market(workload=without(WORKLOAD, ServingMode.SHARED), options=ON_DEMAND)
    shared, dedicated = (priced(there, scaled(1.0), mode) for mode in (ServingMode.SHARED, ServingMode.DEDICATED))
    assert shared.usd_per_month < dedicated.usd_per_month
    found = break_even(there, scaled, quotes(there, scaled(1.0)))
    assert isinstance(found, BreakEven)
    assert (found.below, found.above) == (ServingMode.SERVERLESS, ServingMode.DEDICATED)
    assert found == break_even(alone, scaled, quotes(alone, scaled(1.0)))


def test_sensitivity_names_what_would_be_chosen_in_each_case() -> None:
    lines = sensitivity(market(), scaled)
    assert {line["what"] for line in lines} == {
        "load", "machine prices", "serverless prices", "cold start", "model and memory size",
    }  # fmt: skip
    assert all(line["mode"] in {"serverless", "dedicated"} and line["estimate"] is False for line in lines)


def test_sensitivity_calls_sharing_an_estimate_where_nothing_else_is_allowed() -> None:
    alone = market(workload=without(WORKLOAD, ServingMode.SERVERLESS, ServingMode.DEDICATED))
    first = sensitivity(alone, scaled)[0]
    assert (first["mode"], first["estimate"]) == ("shared", True)


def test_sensitivity_has_every_refusal_where_nothing_holds() -> None:
    """Not only that of the first mode."""
    nowhere = market(replace(BOOK, offers=(), tariffs=()))
    for line in sensitivity(nowhere, scaled):
        assert line["mode"] is None
        assert all(f"{mode}: " in str(line["why"]) for mode in ServingMode)


def test_sensitivity_to_serverless_prices_counts_every_meter() -> None:
    alone = market(workload=without(WORKLOAD, ServingMode.SHARED, ServingMode.DEDICATED))
    now = priced(alone, scaled(1.0), ServingMode.SERVERLESS).usd_per_month
    found = {
        line["change"]: line["usd_per_month"]
        for line in sensitivity(alone, scaled)
        if line["what"] == "serverless prices"
    }
    assert found == {"x0.5": pytest.approx(now / 2), "x2": pytest.approx(now * 2)}


def test_least_cost_is_never_beaten_by_the_rule_of_thumb() -> None:
    for rate, model in ((0.0005, 0.3), (0.5, 0.3), (0.5, 2.0), (5.0, 2.0)):
        sized = replace(WORKLOAD, resources=replace(WORKLOAD.resources, model_gib=model))
        wanted = demand([max(1.0, np.ceil(rate))], rate_rps=rate, arrivals=history(np.full(288, rate)))
        best, rule = least_cost(market(workload=sized), wanted), rule_of_thumb(market(workload=sized), wanted)
        assert isinstance(best, Quote)
        assert (
            isinstance(rule, Infeasible)
            or rule.mean_replicas < wanted.replicas.mean
            or (best.usd_per_month <= rule.usd_per_month + 1e-9)
        )


def test_the_rule_of_thumb_follows_its_thresholds() -> None:
    few = demand([1], rate_rps=4.9 / 3600)
    assert rule_of_thumb(market(), few).mode is ServingMode.SERVERLESS
    assert rule_of_thumb(market(), demand([1])).mode is ServingMode.SHARED
    large = replace(WORKLOAD, resources=replace(WORKLOAD.resources, model_gib=1.0))
    book = replace(BOOK, offers=(*BOOK.offers, machine("roomy", 0.13, memory_gib=16.0)))
    found = rule_of_thumb(market(book, large, options=ON_DEMAND), demand([9]))
    assert isinstance(found, Quote)
    assert (found.mode, found.offer, found.mean_replicas) == (ServingMode.DEDICATED, "roomy", 2.0)


def test_the_rule_of_thumb_says_when_its_two_replicas_carry_too_little() -> None:
    large = replace(WORKLOAD, resources=replace(WORKLOAD.resources, model_gib=1.0))
    found = rule_of_thumb(market(workload=large), demand([9], rate_rps=8.0))
    assert isinstance(found, Quote)
    assert found.short_of == "2 replicas would miss 75.0% of requests, over the budget of 1.000%"


def test_a_mode_that_its_bounds_keep_too_small_is_taken_last() -> None:
    """Eight requests/s on at most five replicas: serverless, though dearer; dedicated only where nothing else is."""
    sizing = Sizing(capacity_rps=1.0, startup=timedelta(minutes=5), min_replicas=1, max_replicas=5)
    wanted = demand([5], rate_rps=8.0)
    bounded = market(sizing=sizing)
    assert priced(bounded, wanted, ServingMode.DEDICATED).usd_per_month < (
        priced(bounded, wanted, ServingMode.SERVERLESS).usd_per_month
    )
    assert least_cost(bounded, wanted).mode is ServingMode.SERVERLESS
    alone = market(workload=without(WORKLOAD, ServingMode.SHARED, ServingMode.SERVERLESS), sizing=sizing)
    left = least_cost(alone, wanted)
    assert isinstance(left, Quote)
    assert left.short_of is not None
    late = least_cost(alone, replace(wanted, late_scaled=Late(0.4)))
    assert isinstance(late, Quote)
    assert late.short_of is not None


def test_replicas_whose_answers_may_come_too_late_are_refused_with_the_share() -> None:
    """More than 5 % late refuses a p95; where a miss has a price it was weighed."""
    late = replace(demand([1]), late_scaled=Late(0.06), late_on_share=Late(0.07))
    for mode, share in ((ServingMode.DEDICATED, "6.0%"), (ServingMode.SHARED, "7.0%")):
        refused = quote(market(), late, mode)
        assert isinstance(refused, Infeasible)
        assert f"up to {share} of requests may come" in refused.reason
        priced_misses = replace(WORKLOAD, slo=replace(WORKLOAD.slo, usd_per_missed_request=0.1))
        assert isinstance(quote(market(workload=priced_misses), late, mode), Quote)


def test_every_quote_says_how_much_may_be_late_and_only_serverless_what_starts_cold() -> None:
    wanted = replace(demand([1]), late_scaled=Late(0.03), late_on_share=Late(0.02))
    found = {mode: priced(market(), wanted, mode) for mode in ServingMode}
    assert (found[ServingMode.DEDICATED].late_at_most, found[ServingMode.SHARED].late_at_most) == (0.03, 0.02)
    assert {mode for mode, answer in found.items() if answer.cold_share is not None} == {ServingMode.SERVERLESS}


def test_policies_are_a_table() -> None:
    assert set(POLICIES) == {"least_cost", "rule_of_thumb"}


def test_where_nothing_holds_the_slo_every_mode_says_why() -> None:
    nowhere = market(replace(BOOK, offers=(), tariffs=()))
    answer = least_cost(nowhere, demand([1]))
    assert isinstance(answer, Infeasible)
    assert all(str(mode) in answer.reason for mode in ServingMode)
    assert isinstance(cheapest(quotes(nowhere, demand([1]))), Infeasible)


def test_reserving_needs_the_commitment_of_the_same_cloud() -> None:
    foreign = replace(BOOK, commitments=(replace(YEAR, cloud="gcp"),))
    assert priced(market(foreign), demand([4]), ServingMode.DEDICATED).purchase.reserved == 0
