"""What runs today, bought as it is declared to be: kept where a change saves too little, and told of with its own figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, cast

import numpy as np
import pytest

from domain.load import LoadHistory
from domain.observation import RunningState
from domain.plan import Act, Configuration, Hold
from domain.prices import Price
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode
from optimizer.guardrails import GuardrailOptions
from optimizer.recommend import recommend
from tests.optimizer.cases import BOOK, WORKLOAD, daily, machine, observation, price, running
from tests.optimizer.test_recommend import QUICK, acted, codes

ONLY_DEDICATED = replace(WORKLOAD, modes=frozenset({ServingMode.DEDICATED}))


def bought(found: Act, replicas: int | None = None) -> RunningState:
    """What runs once the plan was followed and its purchase declared."""
    plan = found.plan.proposed
    count = round(plan.mean_replicas) if replicas is None else replicas
    each = count / plan.purchase.replicas
    mix = PurchaseMix(
        reserved=plan.purchase.reserved * each, on_demand=plan.purchase.on_demand * each, spot=plan.purchase.spot * each
    )
    return RunningState(replicas=count, mode=plan.mode, offer=plan.offer, purchase=mix)


@pytest.mark.parametrize("days", [14, 28])
def test_following_a_purchase_ends_its_proposal(days: int) -> None:
    """Spot on two weeks of history, reserved machines and spot on four."""
    book = replace(BOOK, offers=(machine("box", 0.1, spot=price(0.03), interruption_per_month=0.05),))
    seen = observation(daily(days), workload=ONLY_DEDICATED)
    first = acted(seen, book=book)
    assert first.plan.proposed.purchase.spot > 0
    assert isinstance(seen.load, LoadHistory)
    mean, steps = first.plan.proposed.mean_replicas, np.arange(len(seen.load))
    ready = replace(seen.load, values=np.floor((steps + 1) * mean) - np.floor(steps * mean))
    applied = replace(seen, running=bought(first), replicas=ready)
    after = acted(applied, book=book)
    assert isinstance(after.current, Configuration)
    assert after.current.usd_per_month == pytest.approx(first.plan.proposed.usd_per_month, rel=0.05)
    assert not isinstance(after.saving, Unknown)
    assert abs(after.saving.usd_per_month) < 0.05 * after.current.usd_per_month
    assert after.plan.usd_per_month_high > after.plan.proposed.usd_per_month


def test_what_is_kept_is_told_with_its_own_prices_and_reasons() -> None:
    """On boxes today, which small ones at half the price do not replace: too little is saved by them."""
    small = replace(machine("small", 0.02, spot=price(0.01), interruption_per_month=0.01), on_demand=old_price(0.02))
    book = replace(BOOK, offers=(machine("box", 0.1, spot=price(0.09)), small))
    options = replace(QUICK, guardrails=GuardrailOptions(min_saving_usd=1e6))
    runs = replace(running(7), purchase=PurchaseMix(reserved=3.5, on_demand=3.5))
    found = acted(observation(daily(14), workload=ONLY_DEDICATED, running=runs), options, book)
    plan, said, prices = found.plan, codes(found), cast("dict[str, Any]", found.evidence.prices)
    assert prices["modes"]["dedicated"]["offer"] == "small"
    assert (plan.proposed.offer, plan.proposed.purchase.spot) == ("box", 0)
    assert plan.proposed.purchase.reserved == pytest.approx(plan.proposed.mean_replicas / 2)
    assert {used["what"] for used in prices["used"]} == {"box on demand", "box 1yr"}
    assert prices["spot"]["replicas"] == 0
    assert prices["spot"]["usd_per_month"] == prices["spot"]["usd_per_month_without"]
    assert plan.allocation is not None
    assert plan.allocation.usd_per_month == prices["spot"]["usd_per_month"]
    assert not plan.allocation.spot_eligible, "nothing is published on interruptions of the box"
    assert cast("dict[str, Any]", found.evidence.allocation["spot"])["eligible"] is False
    assert not {"spot", "no_spot", "reserved", "not_reserved", "old_price"} & set(said)
    assert said.count("scheduled") == said.count("kept_current") == said.count("bought_as_today") == 1


def test_a_hold_that_refuses_what_is_kept_tells_of_that_too() -> None:
    """Not of the small ones, which were turned down before."""
    book = replace(BOOK, offers=(machine("box", 0.1, spot=price(0.09)), machine("small", 0.02, spot=price(0.01))))
    options = replace(QUICK, guardrails=GuardrailOptions(min_saving_usd=1e6, min_confidence=1.0))
    held = recommend(observation(daily(14), workload=ONLY_DEDICATED, running=running(7)), book, options, None)
    assert isinstance(held, Hold)
    said = [reason.code for reason in held.reasons]
    assert (said.count("kept_current"), said[-1]) == (1, "low_confidence")
    assert not {"spot", "no_spot"} & set(said)
    prices = cast("dict[str, Any]", held.evidence.prices)
    assert {used["what"] for used in prices["used"]} == {"box on demand"}
    assert prices["spot"]["replicas"] == 0


def old_price(usd: float) -> Price:
    return replace(price(usd), as_of=date(2020, 1, 1))


def test_more_on_spot_than_may_be_is_not_kept() -> None:
    """What is cheap today may not hold the SLO: the plan then is dearer, and says so."""
    book = replace(BOOK, offers=(machine("box", 0.1, spot=price(0.03), interruption_per_month=0.05),))
    runs = replace(running(7), purchase=PurchaseMix(spot=7.0))
    found = acted(observation(daily(14), workload=ONLY_DEDICATED, running=runs), book=book)
    assert "kept_current" not in codes(found)
    assert found.plan.proposed.purchase.spot < 0.5 * found.plan.proposed.purchase.replicas
    assert not isinstance(found.saving, Unknown)
    assert found.saving.usd_per_month < 0
