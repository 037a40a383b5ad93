"""Each guardrail over a constant plan, their order, and that they fail closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.observation import Observation
from domain.plan import CalendarStep, Configuration, Plan
from domain.unknown import Unknown
from domain.workload import Bounds, PurchaseMix, ServingMode
from optimizer.guardrails import Context, GuardrailOptions, Refused, guarded, guardrails
from optimizer.kept import Kept
from optimizer.modes import PriceUsed, Quote
from tests.optimizer.cases import MONDAY, WORKLOAD, daily, history, observation, running, without

FRESH = PriceUsed(what="box on demand", usd=0.1, unit="machine-hour", source="made up", as_of="2026-10-01")


def configuration(replicas: int = 6, usd: float = 100.0, mode: ServingMode = ServingMode.DEDICATED) -> Configuration:
    return Configuration(
        replicas=replicas,
        mean_replicas=float(replicas),
        mode=mode,
        purchase=PurchaseMix(on_demand=float(replicas)),
        offer="box",
        usd_per_month=usd,
    )


def plan(replicas: int = 6, usd: float = 100.0, mode: ServingMode = ServingMode.DEDICATED) -> Plan:
    return Plan(
        proposed=configuration(replicas, usd, mode),
        usd_per_month_low=usd * 0.9,
        usd_per_month_high=usd * 1.2,
        calendar=(CalendarStep(at=MONDAY, replicas=replicas), CalendarStep(at=MONDAY + timedelta(hours=9), replicas=9)),
    )


def kept(as_it_is: Plan, missed: float = 0.0) -> Kept:
    way = as_it_is.proposed
    quote = Quote(
        mode=way.mode,
        offer=way.offer,
        usd_per_month=way.usd_per_month,
        mean_replicas=way.mean_replicas,
        purchase=way.purchase,
        prices=(FRESH,),
    )
    return Kept(plan=as_it_is, quote=quote, without_spot_usd=way.usd_per_month, missed=missed)


def context(**other: Any) -> Context:
    facts: dict[str, Any] = {
        "options": GuardrailOptions(),
        "current": configuration(8, 200.0),
        "kept": None,
        "prices": (FRESH,),
        "confidence": 0.9,
        "missed": 0.0,
        "missed_today": 0.0,
    }
    return Context(**(facts | other))


SEEN = observation(daily(), running=running(8))


def passed(before: Plan, given_context: Context | None = None, seen: Observation = SEEN) -> Plan:
    return guarded(before, seen, guardrails(given_context or context()))


def codes(after: Plan) -> list[str]:
    return [reason.code for reason in after.reasons]


def test_a_sound_plan_passes_unchanged_and_proved() -> None:
    after = passed(plan())
    assert after.proposed == plan().proposed
    assert codes(after) == ["slo_proved"]


def test_bounds_hold_the_number_and_the_calendar_and_say_what_was_wanted() -> None:
    seen = replace(SEEN, workload=replace(WORKLOAD, bounds=Bounds(min_replicas=2, max_replicas=5)))
    after = passed(plan(6), seen=seen)
    assert after.proposed.replicas == 5
    assert [step.replicas for step in after.calendar] == [5, 5]
    reason = after.reasons[0]
    assert (reason.code, reason.before, reason.after) == ("bounds", "6", "5")


def test_serverless_may_rest_at_nothing() -> None:
    assert passed(plan(0, mode=ServingMode.SERVERLESS)).proposed.replicas == 0


def test_a_mode_that_is_not_allowed_is_refused() -> None:
    seen = replace(SEEN, workload=without(WORKLOAD, ServingMode.SHARED))
    with pytest.raises(Refused) as refusal:
        passed(plan(mode=ServingMode.SHARED), seen=seen)
    assert refusal.value.reason.code == "mode_not_allowed"
    assert "allow shared" in refusal.value.needs


def test_one_decision_takes_away_at_most_half() -> None:
    after = passed(plan(1))
    assert after.proposed.replicas == 4
    assert after.calendar[0].replicas == 4
    assert (after.reasons[-1].code, after.reasons[-1].before, after.reasons[-1].after) == ("step_down", "1", "4")


def test_the_step_is_limited_too_where_only_a_metric_tells_how_many_run() -> None:
    """Nobody declared what it runs on: the replicas that were counted last still bound the first step."""
    counted = history(np.array([40.0] * 10 + [np.nan]))
    seen = replace(SEEN, observed_at=counted.end, running=Unknown("no offer is declared"), replicas=counted)
    assert passed(plan(3), seen=seen).proposed.replicas == 20
    long_ago = history(np.array([40.0] + [np.nan] * 100))
    assert passed(plan(3), seen=replace(seen, observed_at=long_ago.end, replicas=long_ago)).proposed.replicas == 3


def test_where_nobody_knows_how_many_run_the_step_is_not_limited_and_that_is_said() -> None:
    seen = replace(SEEN, running=Unknown("no offer is declared"), replicas=Unknown("not counted"))
    after = passed(plan(3), seen=seen)
    assert after.proposed.replicas == 3
    assert after.reasons[-1].code == "step_unlimited"
    assert "no offer is declared" in after.reasons[-1].detail
    assert "not counted" in after.reasons[-1].detail
    assert "step_unlimited" not in codes(passed(plan(0, mode=ServingMode.SERVERLESS), seen=seen))


def test_a_step_up_is_never_held_back() -> None:
    assert passed(plan(80)).proposed.replicas == 80


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 10), st.none() | st.integers(10, 50))
def test_replicas_stay_within_bounds_whatever_is_wanted(wanted: int, now: int, least: int, most: int | None) -> None:
    """A step down that is held back is still no more than the maximum."""
    workload = replace(WORKLOAD, bounds=Bounds(min_replicas=least, max_replicas=most))
    after = passed(plan(wanted), seen=replace(SEEN, workload=workload, running=running(now)))
    assert least <= after.proposed.replicas
    assert most is None or after.proposed.replicas <= most


def test_a_small_gain_keeps_todays_mode_and_machine() -> None:
    other = replace(plan(6), proposed=replace(plan(6).proposed, offer="big"))
    after = passed(other, context(kept=kept(plan(7, usd=104.0))))
    assert (after.proposed.offer, after.proposed.usd_per_month) == ("box", 104.0)
    assert after.reasons[0].code == "kept_current"
    assert (after.reasons[0].before, after.reasons[0].after) == ("dedicated on big", "dedicated on box")


def test_a_gain_worth_it_changes_them() -> None:
    other = replace(plan(6), proposed=replace(plan(6).proposed, offer="big"))
    assert passed(other, context(kept=kept(plan(7, usd=150.0)))).proposed.offer == "big"


def test_a_small_gain_keeps_how_the_machines_of_today_are_bought() -> None:
    spot = replace(plan(6), proposed=replace(plan(6).proposed, purchase=PurchaseMix(on_demand=3.0, spot=3.0)))
    after = passed(spot, context(kept=kept(plan(6, usd=104.0))))
    assert after.proposed.purchase == PurchaseMix(on_demand=6.0)
    assert (after.reasons[0].before, after.reasons[0].after) == (
        "dedicated on box, 50% on demand, 50% spot",
        "dedicated on box",
    )
    assert passed(spot, context(kept=kept(plan(6, usd=150.0)))).proposed.purchase.spot == 3.0


def test_without_knowing_today_nothing_is_kept() -> None:
    other = replace(plan(6), proposed=replace(plan(6).proposed, offer="big"))
    unknown = context(kept=kept(plan(7, usd=101.0)), current=Unknown("not declared"))
    assert passed(other, unknown).proposed.offer == "big"


def test_a_plan_that_would_have_broken_the_slo_is_refused() -> None:
    """The budget is 1 %; twice that is over what a short stretch leaves to chance."""
    with pytest.raises(Refused) as refusal:
        passed(plan(), context(missed=0.021))
    assert refusal.value.reason.code == "slo_not_proved"
    assert refusal.value.reason.before == "0.000% missed today"


def test_it_passes_where_today_is_worse_or_the_budget_is_nearly_held() -> None:
    assert "slo_nearly_proved" in codes(passed(plan(), context(missed=0.03, missed_today=0.05)))
    assert "slo_nearly_proved" in codes(passed(plan(), context(missed=0.015)))


def test_where_today_is_unknown_an_unproved_plan_is_refused() -> None:
    with pytest.raises(Refused):
        passed(plan(), context(missed=0.03, missed_today=Unknown("no replicas recorded")))


def test_old_and_undated_prices_are_named() -> None:
    old = replace(FRESH, what="fn: an instance", as_of="2024-07-01")
    after = passed(plan(), context(prices=(FRESH, old, replace(FRESH, what="mine", as_of=None))))
    said = next(reason.detail for reason in after.reasons if reason.code == "old_price")
    assert said == "fn: an instance: 854 days old; mine: of an unknown date"


def test_a_price_from_after_a_recorded_history_is_named_and_refused_where_young_ones_are_required() -> None:
    """Its age is not known: it is not 0."""
    later = replace(FRESH, as_of="2030-01-01")
    said = next(
        reason.detail for reason in passed(plan(), context(prices=(later,))).reasons if reason.code == "old_price"
    )
    assert said.startswith("box on demand: of 2030-01-01, after 20")
    strict = GuardrailOptions(max_price_age=timedelta(days=9999))
    with pytest.raises(Refused) as refusal:
        passed(plan(), context(prices=(later,), options=strict))
    assert refusal.value.reason.code == "price_too_old"


def test_prices_may_be_required_to_be_young() -> None:
    strict = GuardrailOptions(max_price_age=timedelta(days=10))
    with pytest.raises(Refused) as refusal:
        passed(plan(), context(options=strict))
    assert refusal.value.reason.code == "price_too_old"


def test_too_little_confidence_holds() -> None:
    with pytest.raises(Refused) as refusal:
        passed(plan(), context(confidence=0.1))
    assert refusal.value.reason.code == "low_confidence"


def test_a_guardrail_that_fails_refuses_the_plan() -> None:
    """Fail closed: an unparsable date in a price is no reason to let the plan through."""
    broken = context(prices=(replace(FRESH, as_of="yesterday"),))
    with pytest.raises(Refused) as refusal:
        passed(plan(), broken)
    assert refusal.value.reason.code == "guardrail_failed"


def test_reasons_stand_in_the_order_in_which_they_applied() -> None:
    seen = replace(SEEN, workload=replace(WORKLOAD, bounds=Bounds(min_replicas=2, max_replicas=50)), running=running(8))
    old = replace(FRESH, as_of="2024-07-01")
    assert codes(passed(plan(1), context(prices=(old,)), seen)) == ["bounds", "slo_proved", "step_down", "old_price"]
