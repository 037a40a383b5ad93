"""What a replica should ask for: by hand-computed cases, and rules that hold whatever was measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.allocation import AllocationBasis
from domain.load import LoadHistory
from domain.observation import Observation, ResourceUse
from domain.plan import Act
from domain.unknown import Unknown
from domain.workload import Resources, ServingMode
from optimizer.allocation import GIB, AllocationOptions, Need, Sized, needed, reasons_of
from optimizer.draft import Ready, draft
from optimizer.options import Options, ReplayOptions
from optimizer.recommend import recommend
from tests.optimizer.cases import BOOK, MONDAY, WORKLOAD, capacity, daily, history, machine, observation

QUARTER = timedelta(minutes=15)
OPTIONS = AllocationOptions()
QUICK = Options(replay=ReplayOptions(policies=()), sensitivity=False)
DAYS = 14
CONFIDENCE = 1 + 1 / DAYS  # of two weeks


def quarters(values: np.ndarray | float, days: int = DAYS) -> LoadHistory:
    return history(np.broadcast_to(values, days * 96).astype(np.float64), step=QUARTER)


def used(
    *,
    cores_idle: float = 0.1,
    cores_each: float = 0.5,
    memory_gib: float = 1.2,
    declared: Resources | None = None,
    each_rps: np.ndarray | None = None,
    **use: Any,
) -> Observation:
    """Two replicas for two weeks, each with 0.2 to 0.9 requests/s, an idle part and core-seconds a request."""
    steps = DAYS * 288
    each = 0.55 + 0.35 * np.sin(2 * np.pi * np.arange(steps) / 288) if each_rps is None else each_rps
    coarse = each.reshape(-1, 3).mean(axis=1)
    cores = cores_idle + cores_each * coarse
    facts = {
        "cpu_cores": history(cores, step=QUARTER),
        "cpu_cores_peak": history(cores, step=QUARTER),
        "memory_bytes": quarters(memory_gib * GIB),
    }
    return observation(
        history(2 * each),
        workload=replace(WORKLOAD, resources=declared or Resources(cpu_cores=2.0, memory_gib=4.0)),
        replicas=history(np.full(steps, 2.0)),
        use=ResourceUse(**(facts | use)),
    )


def need(seen: Observation, capacity_rps: float = 1.0) -> Need:
    return needed(seen, capacity(capacity_rps), OPTIONS)


def sized(found: Sized | Unknown) -> Sized:
    assert isinstance(found, Sized), found
    return found


def test_cores_are_those_at_the_load_that_is_planned_and_a_margin() -> None:
    """0.1 + 0.5 x 2 requests/s = 1.1 cores; x 1.15 x (1 + 1/14) = 1.355, in tenths 1.4."""
    found = sized(need(used(), 2.0).cores)
    assert found.used == pytest.approx(1.1)
    assert found.needed == pytest.approx(1.1 * 1.15 * CONFIDENCE)
    assert found.asked == 1.4


def test_what_was_seen_counts_where_it_is_more_than_the_plan_asks() -> None:
    """A peak of one replica in twenty quarters of an hour is not the 95th percentile; a longer one is."""
    peak = np.full(DAYS * 96, 0.3)
    peak[::10] = 1.5
    found = sized(need(used(cpu_cores_peak=history(peak, step=QUARTER)), 0.5).cores)
    assert found.used == pytest.approx(1.5)


def test_a_busiest_replica_that_is_busier_than_the_mean_needs_as_much_more() -> None:
    """Twice the mean: 2 x (0.1 + 0.5 x 1) = 1.2 cores."""
    seen = used()
    mean = seen.use.cpu_cores
    assert isinstance(mean, LoadHistory)
    uneven = replace(seen, use=replace(seen.use, cpu_cores_peak=history(2 * mean.values, step=QUARTER)))
    assert sized(need(uneven).cores).used == pytest.approx(1.2)


def test_memory_is_by_the_most_ever_held_not_by_its_mean() -> None:
    """One quarter of an hour at 2.5 GiB among two weeks at 1: x 1.15 x (1 + 1/14) = 3.08, in quarters of a GiB 3.25."""
    held = np.full(DAYS * 96, 1.0)
    held[700] = 2.5
    found = sized(need(used(memory_bytes=history(held * GIB, step=QUARTER))).memory_gib)
    assert found.used == 2.5
    assert found.asked == 3.25


def test_after_a_kill_more_is_asked_than_was_not_enough() -> None:
    """4 GiB were declared and not enough: x 1.25."""
    killed = np.zeros(DAYS * 96)
    killed[500] = 1.0
    found = need(used(out_of_memory=history(killed, step=QUARTER)))
    assert sized(found.memory_gib).asked == 5.0
    assert found.raised
    assert "want of memory" in sized(found.memory_gib).detail


@pytest.mark.parametrize("held, asked", [(3.5, 4.0), (3.9, 5.0), (3.2, 4.0), (2.0, 2.5)])
def test_memory_is_raised_where_it_is_nearly_gone_and_lowered_where_it_is_worth_it(held: float, asked: float) -> None:
    """Of 4 GiB: under 5 % left raises (3.9 x 1.232 = 4.8); less than 10 % to gain changes nothing (3.2 -> 3.94)."""
    assert sized(need(used(memory_gib=held)).memory_gib).asked == asked


def test_cores_that_are_all_used_stay_and_are_raised_only_where_more_was_used() -> None:
    """Capacity was learned with what is there: headroom alone is no reason for more."""
    assert sized(need(used(cores_each=1.9, cores_idle=0.0)).cores).asked == 2.0
    assert sized(need(used(cores_each=2.1, cores_idle=0.0)).cores).asked == 2.6


def test_nothing_is_asked_below_the_floors() -> None:
    found = need(used(cores_idle=0.01, cores_each=0.01, memory_gib=0.05))
    assert (sized(found.cores).asked, sized(found.memory_gib).asked) == (0.5, 1.0)


def test_a_declared_amount_under_the_floor_is_left_where_it_is_enough() -> None:
    found = need(
        used(cores_idle=0.01, cores_each=0.01, memory_gib=0.05, declared=Resources(cpu_cores=0.2, memory_gib=0.5))
    )
    assert (found.resources.cpu_cores, found.resources.memory_gib) == (0.2, 0.5)


def test_a_load_that_nobody_saw_is_not_guessed_from_use_that_load_does_not_explain() -> None:
    noise = history(np.random.default_rng(1).uniform(0.2, 0.9, DAYS * 96), step=QUARTER)
    found = need(used(cpu_cores=noise, cpu_cores_peak=noise), 5.0)
    assert isinstance(found.cores, Unknown)
    assert found.resources.cpu_cores == 2.0
    assert "load explains only" in found.cores.reason
    assert isinstance(need(used(cpu_cores=noise, cpu_cores_peak=noise), 0.9).cores, Sized)


def test_what_is_not_measured_stays_as_declared_and_says_so() -> None:
    gone = Unknown("holds no cpu_cores")
    found = need(used(cpu_cores=gone, cpu_cores_peak=gone, memory_bytes=Unknown("holds no memory_bytes")))
    assert found.resources == found.declared
    assert not found.measured
    (reason,) = reasons_of(found)
    assert reason.code == "allocation_declared"
    assert reason.detail == "as declared: what replicas use is not known (holds no cpu_cores)"


def test_what_is_measured_in_part_is_told_in_part() -> None:
    gone = Unknown("holds no cpu_cores")
    cpu, memory = reasons_of(need(used(cpu_cores=gone, cpu_cores_peak=gone)))
    assert (cpu.code, cpu.detail) == ("allocation_declared", "processors as declared: holds no cpu_cores")
    assert (memory.code, memory.after) == ("allocation_memory", "1.5 GiB")


def test_a_few_steps_are_no_measurement() -> None:
    few = np.full(DAYS * 96, np.nan)
    few[-10:] = GIB
    found = need(used(memory_bytes=history(few, step=QUARTER))).memory_gib
    assert isinstance(found, Unknown)
    assert "needed: 24" in found.reason


def test_a_day_is_trusted_half_as_far_as_it_reaches() -> None:
    """1 GiB seen for a day: x 1.15 x 2 = 2.3."""
    day = np.full(DAYS * 96, np.nan)
    day[-96:] = GIB
    assert sized(need(used(memory_bytes=history(day, step=QUARTER))).memory_gib).needed == pytest.approx(2.3)


def test_what_comes_after_the_observation_is_not_seen() -> None:
    held = np.full(DAYS * 96, GIB)
    held[-96:] = 9 * GIB
    later = used(memory_bytes=history(held, step=QUARTER))
    early = replace(later, observed_at=MONDAY + timedelta(days=DAYS - 1))
    assert sized(need(early).memory_gib).used == 1.0


def test_accelerators_are_reported_and_left_as_declared() -> None:
    busy, held = quarters(0.4), quarters(18.0 * GIB)
    gpu = Resources(cpu_cores=4.0, memory_gib=16.0, model_gib=14.0, accelerator="A10G", accelerator_count=1)
    found = need(used(declared=gpu, accelerator_busy=busy, accelerator_memory_bytes=held))
    assert found.accelerator == {"busy": pytest.approx(0.4), "memory_gib": 18.0}
    assert (found.resources.accelerator, found.resources.accelerator_count) == ("A10G", 1)
    assert found.resources.model_gib == 14.0
    assert need(used()).accelerator == {"busy": None, "memory_gib": None}


amounts = st.floats(0.01, 20.0)


@given(idle=st.floats(0, 4), each=amounts, held=amounts, planned=st.floats(0.1, 3.0), cores=amounts)
def test_floors_hold_and_what_is_used_is_covered(
    idle: float, each: float, held: float, planned: float, cores: float
) -> None:
    declared = Resources(cpu_cores=cores, memory_gib=2 * cores)
    found = need(used(cores_idle=idle, cores_each=each, memory_gib=held, declared=declared), planned)
    asked, cpu, memory = found.resources, sized(found.cores), sized(found.memory_gib)
    assert asked.cpu_cores >= min(declared.cpu_cores, OPTIONS.min_cores)
    assert asked.memory_gib >= min(declared.memory_gib, OPTIONS.min_memory_gib)
    assert asked.cpu_cores >= cpu.used - 1e-9
    assert asked.memory_gib >= memory.used * 1.04
    if asked.memory_gib < declared.memory_gib:
        assert asked.memory_gib >= memory.needed - 1e-9


@given(held=amounts, more=st.floats(1.0, 3.0), gib=amounts)
def test_whoever_holds_more_is_not_asked_for_less(held: float, more: float, gib: float) -> None:
    declared = Resources(cpu_cores=2.0, memory_gib=gib)
    less, much = (sized(need(used(memory_gib=each, declared=declared)).memory_gib) for each in (held, held * more))
    assert much.asked >= less.asked


@given(each=amounts, more=st.floats(1.0, 3.0), cores=amounts)
def test_whoever_works_more_is_not_asked_for_fewer_cores(each: float, more: float, cores: float) -> None:
    declared = Resources(cpu_cores=cores, memory_gib=4.0)
    less, much = (sized(need(used(cores_each=one, declared=declared)).cores) for one in (each, each * more))
    assert much.asked >= less.asked


# --- in a recommendation


DEDICATED = replace(WORKLOAD, modes=frozenset({ServingMode.DEDICATED}))


def decided(use: ResourceUse) -> Act:
    """A month of load on twelve boxes; a replica is declared at 1 core and 2 GiB and carries 1 request/s."""
    seen = observation(daily(28), workload=DEDICATED, replicas=history(np.full(28 * 288, 12.0)), use=use)
    answer = recommend(seen, BOOK, QUICK, None)
    assert isinstance(answer, Act), answer
    return answer


def measured(cores: float, gib: float) -> ResourceUse:
    load = daily(28).coarser(QUARTER).values / 12.0
    cpu = history(cores * load, step=QUARTER)
    return ResourceUse(
        cpu_cores=cpu, cpu_cores_peak=cpu, memory_bytes=history(np.full(28 * 96, gib * GIB), step=QUARTER)
    )


def test_measured_resources_are_priced_where_they_are_cheaper() -> None:
    as_declared, less = decided(ResourceUse()), decided(measured(0.3, 0.7))
    allocation = less.plan.allocation
    assert allocation is not None
    assert (allocation.basis, allocation.priced) == (AllocationBasis.MEASURED, True)
    assert (allocation.cpu_request_cores, allocation.memory_request_gib) == (0.5, 1.0)
    assert (allocation.cpu_limit_cores, allocation.memory_limit_gib) == (None, 1.0)
    assert less.plan.proposed.usd_per_month < 0.7 * as_declared.plan.proposed.usd_per_month
    assert not isinstance(allocation.usd_per_month, Unknown)
    assert not isinstance(allocation.declared_usd_per_month, Unknown)
    assert allocation.usd_per_month < allocation.declared_usd_per_month
    reasons = {reason.code: reason for reason in less.reasons}
    assert (reasons["allocation_cpu"].before, reasons["allocation_cpu"].after) == ("1 cores", "0.5 cores")
    assert (reasons["allocation_memory"].before, reasons["allocation_memory"].after) == ("2 GiB", "1 GiB")
    sized = reasons["right_sized"]
    assert "replicas of 0.5 cores and 1 GiB, as measured, are planned with: dedicated on" in sized.detail
    assert sized.before is not None
    assert sized.after is not None
    assert "USD a month" in sized.before
    assert sized.after in sized.detail


def test_today_is_billed_for_what_it_asks_for_not_for_what_it_could() -> None:
    """The saving of smaller replicas is real only against the machines that are paid today."""
    as_declared, less = decided(ResourceUse()), decided(measured(0.3, 0.7))
    assert less.current == as_declared.current


def test_a_tenant_takes_what_was_measured_even_where_alone_it_would_not_pay() -> None:
    """The smallest box is needed for the cores anyway; on a host with others a GiB less is a GiB for them."""
    small = Resources(cpu_cores=1.6, memory_gib=6.0, model_gib=0.3)
    seen = used(memory_gib=0.3, declared=small)
    offers = (machine("box", 0.1), machine("huge", 1.6, vcpus=32.0, memory_gib=128.0))
    found = draft(replace(seen, declared_capacity_rps=2.0), replace(BOOK, offers=offers, tariffs=()), QUICK, None).found
    assert isinstance(found, Ready), found
    assert "not_right_sized" in [reason.code for reason in found.grounds]
    assert not isinstance(found.tenancy, Unknown), found.tenancy
    assert found.tenancy.tenant.need[1].max() == found.allocation.memory_request_gib == 1.0


def test_too_little_that_is_declared_makes_the_plan_dearer_and_says_why() -> None:
    as_declared, more = decided(ResourceUse()), decided(measured(1.6, 1.0))
    allocation = more.plan.allocation
    assert allocation is not None
    assert allocation.priced
    assert allocation.cpu_request_cores > 1.0
    assert more.plan.proposed.usd_per_month > as_declared.plan.proposed.usd_per_month


def test_what_fits_no_machine_is_told_and_not_priced() -> None:
    found = decided(measured(0.5, 400.0))
    allocation = found.plan.allocation
    assert allocation is not None
    assert not allocation.priced
    assert allocation.memory_request_gib > 400.0
    assert isinstance(allocation.usd_per_month, Unknown)
    (told,) = (reason.detail for reason in found.reasons if reason.code == "not_right_sized")
    assert "as measured, fit nowhere (" in told


def test_without_any_measurement_the_allocation_is_the_declared_one() -> None:
    allocation = decided(ResourceUse()).plan.allocation
    assert allocation is not None
    assert (allocation.basis, allocation.priced) == (AllocationBasis.DECLARED, False)
    assert (allocation.cpu_request_cores, allocation.memory_request_gib) == (1.0, 2.0)
    assert allocation.usd_per_month == allocation.declared_usd_per_month


def test_the_evidence_has_what_was_measured_and_both_prices() -> None:
    told: Any = decided(measured(0.3, 0.7)).evidence.allocation
    assert told["memory_gib"]["used"] == pytest.approx(0.7)
    assert told["sized_plan"]["usd_per_month"] < told["declared_plan"]["usd_per_month"]
    assert told["priced"] is True
    assert told["accelerator"] == {"kind": None, "count": 0, "busy": None, "memory_gib": None}


SPOT_BOOK = replace(
    BOOK,
    offers=(machine("box", 0.1, spot=replace(BOOK.offers[0].on_demand, amount=0.03), interruption_per_month=0.05),),
)


@pytest.mark.parametrize("stateless, eligible", [(None, True), (True, True), (False, False)])
def test_what_is_declared_to_hold_state_is_kept_off_spot(stateless: bool | None, eligible: bool) -> None:
    seen = observation(daily(28), workload=replace(DEDICATED, stateless=stateless))
    answer = recommend(seen, SPOT_BOOK, QUICK, None)
    assert isinstance(answer, Act)
    assert answer.plan.allocation is not None
    assert answer.plan.allocation.spot_eligible is eligible
    assert (answer.plan.proposed.purchase.spot > 0) is eligible
    spot: Any = answer.evidence.allocation["spot"]
    if stateless is False:
        assert "not to be stateless" in spot["detail"]
    else:
        assert "ready 270 s after it is gone" in spot["detail"]
