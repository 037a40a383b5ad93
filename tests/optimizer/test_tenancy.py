"""A workload as a tenant: what it needs by the hour, and why it may be none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from domain.load import LoadHistory
from domain.unknown import Unknown
from domain.workload import Bounds, Resources, ServingMode, Workload
from optimizer.draft import Ready, draft
from optimizer.guardrails import worth_changing
from optimizer.modes import ModesOptions
from optimizer.options import Options, ReplayOptions
from optimizer.sharing.hosts import largest_share, needed
from optimizer.sharing.options import SharingOptions
from optimizer.tenancy import HOUR, Tenancy, hourly
from tests.optimizer.cases import BOOK, WORKLOAD, daily, observation, running, without

PRICES = replace(BOOK, tariffs=())
OPTIONS = Options(replay=ReplayOptions(policies=()), sensitivity=False)
SMALL = daily(14, low=0.05, high=0.6)


def test_a_copy_takes_all_its_accelerators_and_a_host_is_as_full_as_what_it_lacks_most() -> None:
    """Three copies with half of that at work: cores and accelerators by the work, memory by whole copies; none, no accelerators."""
    size = Resources(cpu_cores=2, memory_gib=4, model_gib=10, accelerator="A100", accelerator_count=2)
    assert needed(size, 1.5, 3.0).tolist() == [3.0, 12.0, 3.0, 30.0]
    alone = needed(replace(size, accelerator=None), np.array([1.5, 0.5]), np.array([3, 1]))
    assert alone.tolist() == [[3.0, 1.0], [12.0, 4.0], [0.0, 0.0], [0.0, 0.0]]
    assert largest_share(alone[:, 0], np.array([6.0, 48.0, 0.0, 0.0])) == 0.5


def tenancy(load: LoadHistory = SMALL, workload: Workload = WORKLOAD, **other: Any) -> Tenancy | Unknown:
    sharing = other.pop("sharing", SharingOptions())
    options = replace(OPTIONS, modes=ModesOptions(sharing=sharing))
    found = draft(observation(load, workload=workload, running=running(1), **other), PRICES, options, None).found
    assert isinstance(found, Ready), found
    return found.tenancy


def known(answer: Tenancy | Unknown) -> Tenancy:
    assert not isinstance(answer, Unknown), answer
    return answer


def test_it_needs_cores_as_its_load_comes_and_memory_all_the_time() -> None:
    """A week of hours; the load peaks at noon, and one copy of the model is held throughout."""
    need = known(tenancy()).tenant.need
    assert need.shape == (4, 7 * 24)
    by_hour = need[0].reshape(7, 24).mean(axis=0)
    assert by_hour[12] > 3 * by_hour[0]
    assert set(need[1].tolist()) == {WORKLOAD.resources.memory_gib}
    assert (need[2:] == 0).all(), "no accelerator is asked for"


@pytest.mark.parametrize("minutes", [7, 25, 60, 90])
def test_each_hour_needs_what_the_highest_step_in_it_does_whatever_the_step(minutes: int) -> None:
    """A step that lies in two hours counts in both; one that is longer than an hour in all of its hours."""
    step, values = timedelta(minutes=minutes), np.random.default_rng(minutes).random(40)
    expected = [
        max((value for i, value in enumerate(values) if i * step < (hour + 1) * HOUR and (i + 1) * step > hour * HOUR), default=0.0)
        for hour in range(24)
    ]  # fmt: skip
    assert hourly(values, step, 24).tolist() == expected


def test_bursts_at_no_time_of_day_lift_the_floor_of_every_hour() -> None:
    """One step in a hundred comes at twenty times the rest: no clock foretells it, and the budget is a hundredth."""
    random, steps = np.random.default_rng(1), 14 * 288
    bursts = np.where(random.random(steps) < 0.01, 0.6, 0.03)
    need = known(tenancy(replace(SMALL, values=bursts))).tenant.need[0]
    assert need.min() > 0.3


def test_it_pays_what_it_costs_alone_less_what_a_change_is_worth_and_once_there_no_more_than_alone() -> None:
    tenant = known(tenancy()).tenant
    assert tenant.alone_usd == pytest.approx(73.0)
    assert tenant.most_usd == pytest.approx(73.0 - worth_changing(73.0, OPTIONS.guardrails))
    assert tenant.stays_usd == pytest.approx(tenant.most_usd), "it runs on a host of its own, and gives that up for it"


def test_who_keeps_two_replicas_lives_on_two_hosts() -> None:
    two = replace(WORKLOAD, bounds=Bounds(min_replicas=2))
    tenant = known(tenancy(workload=two)).tenant
    one = known(tenancy()).tenant
    assert tenant.parts == 2
    assert tenant.need[0] == pytest.approx(one.need[0] / 2)
    assert tenant.need[1].min() == WORKLOAD.resources.memory_gib, "each part holds a copy"


def test_a_group_lives_in_a_pool_of_its_own() -> None:
    grouped = known(tenancy(workload=replace(WORKLOAD, isolation_group="bank"))).tenant.pool
    plain = known(tenancy()).tenant.pool
    assert (grouped.isolation_group, plain.isolation_group) == ("bank", "")
    assert grouped != plain


@pytest.mark.parametrize(
    "workload, sharing, why",
    [
        (WORKLOAD, SharingOptions(enabled=False), "sharing is switched off"),
        (without(WORKLOAD, ServingMode.SHARED), SharingOptions(), "shared"),
        (replace(WORKLOAD, resources=Resources(cpu_cores=1.0, memory_gib=14.0)), SharingOptions(), "more than the 50%"),
    ],
)
def test_why_it_is_no_tenant_is_said(workload: Workload, sharing: SharingOptions, why: str) -> None:
    answer = tenancy(workload=workload, sharing=sharing)
    assert isinstance(answer, Unknown)
    assert why in answer.reason


def test_what_costs_next_to_nothing_alone_is_not_worth_sharing_for() -> None:
    cheap = replace(
        PRICES, offers=tuple(replace(each, on_demand=replace(each.on_demand, amount=0.005)) for each in PRICES.offers)
    )
    found = draft(observation(SMALL, running=running(1)), cheap, OPTIONS, None).found
    assert isinstance(found, Ready)
    assert isinstance(found.tenancy, Unknown)
    assert "is not worth sharing for" in found.tenancy.reason


def test_nothing_later_is_seen() -> None:
    """The same facts with another future give the same tenant to the last bit."""
    origin = SMALL.start + timedelta(days=10)
    changed = SMALL.values.copy()
    changed[10 * 288 :] *= 7.0
    one, other = (known(tenancy(load, observed_at=origin)).tenant for load in (SMALL, replace(SMALL, values=changed)))
    assert (one.need == other.need).all()
    assert one.most_usd == other.most_usd
