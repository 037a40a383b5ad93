"""Each thing that can be wrong with an input is found, told with figures and a fix, and not found where it is not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.capacity import ReadyBasis
from domain.health import Asked, Checked, MetricSeen, State
from domain.load import LoadHistory
from domain.observation import Observation, ResourceUse, TokenRates
from domain.signals import Signal
from domain.unknown import Unknown
from domain.workload import Bounds, Resources, ServingMode
from optimizer.fact_checks import fact_checks
from optimizer.gaps import Gaps, gaps_of
from optimizer.health import HealthLimits, check_up
from optimizer.metric_findings import MetricLimits
from optimizer.readiness import Readiness
from tests.optimizer import cases

MINUTE = timedelta(minutes=1)
LIMITS = HealthLimits(readiness=Readiness(), stale=15 * MINUTE, metrics=MetricLimits())
NOTHING = Unknown("holds nothing of it")
LOAD = cases.daily(3)


def metric(name: str = "ai_requests_total", **other: Any) -> MetricSeen:
    """A counter in good health: fresh, every 15 s, six series on two targets of which one was started again."""
    facts: dict[str, Any] = {
        "name": name,
        "recorded": False,
        "counter": True,
        "series": 6,
        "age": timedelta(seconds=9),
        "every": timedelta(seconds=15),
        "resets_per_day": 1.0,
        "restarts_per_day": 1.0,
        "targets": 2,
    }
    return MetricSeen(**(facts | other))


def gone(name: str = "ai_requests_total", **other: Any) -> MetricSeen:
    nothing = dict.fromkeys(("age", "every", "resets_per_day", "restarts_per_day", "targets"), NOTHING)
    return metric(name, **(nothing | {"series": 0} | other))


def rows(
    *metrics: MetricSeen, signal: Signal = Signal.REQUEST_RATE, load: LoadHistory | Unknown = LOAD, **other: Any
) -> dict[str, Checked]:
    """The check-up of a workload of which `metrics` are asked for one signal."""
    asked = {signal: Asked(signal=signal, expressions=("rate(x)",), metrics=metrics)}
    return {row.input: row for row in check_up(cases.observation(load, **other), asked, LIMITS)}


def row(*metrics: MetricSeen, signal: Signal = Signal.REQUEST_RATE, **other: Any) -> Checked:
    return rows(*metrics, signal=signal, **other)[signal.value]


def codes(checked: Checked) -> dict[str, State]:
    return {finding.code: finding.state for finding in checked.findings}


def holes(*missing: slice) -> LoadHistory:
    values = np.array(LOAD.values)
    for each in missing:
        values[each] = np.nan
    return cases.history(values)


def test_an_input_in_good_health_is_fine_and_told_in_figures() -> None:
    checked = row(metric())
    assert (checked.state, checked.findings, checked.said) == (State.FINE, (), "nothing found")
    figures = checked.figures
    assert figures is not None
    assert (figures.age, figures.every) == (timedelta(seconds=9), timedelta(seconds=15))
    assert (figures.missing, figures.longest_gap, figures.history) == (0.0, timedelta(0), timedelta(days=3))
    assert (figures.resets_per_day, figures.series) == (1.0, 6)


@pytest.mark.parametrize("age, state", [(10, State.FINE), (20, State.WARNING), (35, State.BROKEN)])
def test_age_is_a_warning_from_where_alerts_tell_of_it_and_broken_from_where_decisions_are_held(
    age: int, state: State
) -> None:
    ended = holes(slice(-int(age // 5), None))
    assert codes(row(metric(age=age * MINUTE), load=ended)).get("stale", State.FINE) is state
    assert codes(row(metric(age=age * MINUTE), signal=Signal.LATENCY, latency=LOAD)).get("stale", State.FINE) is state


def test_a_metric_that_lags_while_another_is_read_in_its_place_is_a_warning() -> None:
    checked = row(metric(), metric("kube_deployment_status_replicas_ready", counter=False, age=40 * MINUTE))
    assert codes(checked)["stale"] is State.WARNING
    assert checked.figures is not None
    assert checked.figures.age == 40 * MINUTE


def test_a_metric_that_has_gone_is_as_old_as_the_newest_step_that_is_known() -> None:
    checked = row(gone(), load=holes(slice(-24, None)))
    assert codes(checked) == {"stale": State.BROKEN, "absent": State.BROKEN}
    assert checked.findings[0].detail.startswith("the newest sample is 2 h old")


def test_a_metric_that_has_gone_is_no_fault_while_a_recorded_series_of_it_is_fresh() -> None:
    recorded = metric("service_model:ai_requests:rate5m", recorded=True, counter=False)
    assert row(recorded, gone()).state is State.FINE


def test_scrapes_that_were_missed_are_told_before_the_input_is_stale() -> None:
    assert codes(row(metric(age=timedelta(seconds=61)))) == {"late": State.WARNING}
    assert row(metric(age=timedelta(seconds=59))).state is State.FINE


def test_a_metric_that_is_scraped_too_seldom_for_a_rate_is_told_with_the_interval_that_suffices() -> None:
    checked = row(metric(every=2 * MINUTE))
    assert codes(checked) == {"seldom_scraped": State.WARNING}
    assert "every 75 s" in checked.findings[0].fix
    assert "history.step_s to 480" in checked.findings[0].fix
    assert row(metric(every=timedelta(seconds=75))).state is State.FINE
    assert row(metric(every=2 * MINUTE, counter=False)).state is State.FINE  # no rate is taken of a gauge


def test_gaps_are_told_with_their_share_and_the_longest() -> None:
    checked = row(metric(), load=holes(slice(100, 112), slice(200, 230)))
    assert codes(checked) == {"gaps": State.WARNING}
    assert checked.findings[0].detail == "4.9% of its steps are missing, the longest 2.5 h from 2026-10-05 16:40 UTC"


def test_a_short_gap_is_a_figure_and_no_finding() -> None:
    checked = row(metric(), load=holes(slice(100, 103)))
    assert checked.state is State.FINE
    assert checked.figures is not None
    assert checked.figures.longest_gap == 15 * MINUTE


def test_what_was_never_seen_before_the_first_sample_is_no_gap() -> None:
    found = gaps_of(holes(slice(0, 200), slice(300, 310), slice(-5, None)))
    assert isinstance(found, Gaps)
    assert (found.within, found.longest) == ((864 - 205) * 5 * MINUTE, 50 * MINUTE)
    assert isinstance(gaps_of(cases.history([np.nan] * 9)), Unknown)


@given(
    st.lists(st.sampled_from([np.nan, 0.0, 1.0]), min_size=1, max_size=60),
    st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_gaps_never_come_to_more_than_what_was_looked_at(values: list[float], busy: list[bool]) -> None:
    found = gaps_of(cases.history(values), np.array(busy[: len(values)]))
    assert isinstance(found, Unknown) == (not np.isfinite(values).any())
    if isinstance(found, Gaps):
        assert 0.0 <= found.share <= 1.0
        assert timedelta(0) <= found.longest < found.within
        assert (found.share == 0.0) == (found.longest == timedelta(0))


def test_a_history_that_decisions_are_held_on_is_found_as_they_find_it() -> None:
    assert codes(row(metric(), load=cases.daily(1))) == {"thin_history": State.WARNING}
    half = codes(row(metric(), load=holes(*(slice(i, i + 6) for i in range(0, 850, 12)))))
    assert half == {"gaps": State.WARNING, "gappy_history": State.BROKEN}
    ended = codes(row(metric(), load=holes(slice(-12, None))))
    assert ended == {"stale_input": State.BROKEN}  # its metrics are fresh, and yet the expression has no value


def test_an_outage_that_trains_no_forecast_is_told_and_is_no_fault() -> None:
    values = np.array(cases.daily(14).values)
    values[288 * 10 + 140 : 288 * 10 + 152] = 0.0
    checked = row(metric(), load=cases.history(values))
    assert codes(checked) == {"outage": State.FINE}
    assert checked.state is State.FINE


def test_counters_that_begin_anew_more_often_than_their_process_are_two_that_take_turns() -> None:
    checked = row(metric(resets_per_day=900.0))
    assert codes(checked) == {"resets": State.WARNING}
    assert "began anew 900 times in a day on 2 targets, with 1 starts" in checked.findings[0].detail
    assert row(metric(resets_per_day=5.0, restarts_per_day=4.0)).state is State.FINE


def test_processes_that_end_all_the_time_are_told_as_such() -> None:
    assert codes(row(metric(resets_per_day=60.0, restarts_per_day=60.0))) == {"restarts": State.WARNING}


def test_resets_without_known_restarts_are_judged_alone_and_unknown_resets_not_at_all() -> None:
    assert codes(row(metric(resets_per_day=9.0, restarts_per_day=NOTHING))) == {"resets": State.WARNING}
    assert row(metric(resets_per_day=3.0, restarts_per_day=NOTHING)).state is State.FINE
    unknown = row(metric(resets_per_day=NOTHING))
    assert unknown.state is State.FINE
    assert unknown.figures is not None
    assert unknown.figures.resets_per_day == NOTHING  # and not 0


def test_too_many_series_are_told_with_the_label_that_makes_them() -> None:
    checked = row(metric(series=1_300, split_by={"le": 1_400, "user": 1_250, "instance": 2}))
    assert codes(checked) == {"many_series": State.WARNING}
    assert "by the label user (1,250 values): 10 million samples" in checked.findings[0].detail
    assert row(metric(series=1_200)).state is State.FINE


def test_a_metric_with_another_name_now_is_told_with_the_rule_that_writes_the_old_one() -> None:
    checked = row(gone("vllm:request_success_total", near=("ray_vllm_request_success_total",)), load=NOTHING)
    assert codes(checked) == {"renamed": State.BROKEN}
    assert "regex: 'ray_vllm_request_success_total'" in checked.findings[0].fix
    assert "replacement: 'vllm:request_success_total'" in checked.findings[0].fix
    since = row(gone(near=("shop_ai_requests_total",)), load=holes(slice(-200, None)))
    assert codes(since) == {"stale": State.BROKEN, "renamed": State.BROKEN}


def test_a_name_that_is_asked_in_two_forms_is_not_there_only_where_both_are_not() -> None:
    of_a_pipeline = metric("vllm_request_success_total")
    assert row(gone("vllm:request_success_total"), of_a_pipeline).state is State.FINE
    assert "no_value" in codes(row(gone("vllm:request_success_total"), of_a_pipeline, load=NOTHING))


def test_a_metric_with_other_labels_is_told_with_them_only_where_it_never_had_the_right_ones() -> None:
    other = gone(elsewhere=('{model="b",service="shop"}',))
    assert codes(row(other, load=NOTHING)) == {"other_labels": State.BROKEN}
    assert "other_labels" not in codes(row(other, load=holes(slice(-24, None))))


def test_an_optional_signal_that_is_absent_is_a_warning() -> None:
    assert codes(row(gone(counter=False), signal=Signal.IN_FLIGHT, waiting=NOTHING)) == {"absent": State.WARNING}
    assert codes(row(gone(), signal=Signal.LATENCY, latency=NOTHING)) == {"absent": State.BROKEN}


def test_replicas_that_are_not_there_are_broken_but_of_what_may_be_at_zero() -> None:
    def state(**other: Any) -> State:
        return row(gone("ai_ready", counter=False), signal=Signal.READY_REPLICAS, replicas=NOTHING, **other).state

    assert state() is State.BROKEN
    assert state(workload=replace(cases.WORKLOAD, bounds=Bounds(min_replicas=0))) is State.WARNING
    assert state(running=cases.running(0, mode=ServingMode.SERVERLESS)) is State.WARNING


def test_a_latency_is_judged_on_the_steps_in_which_requests_came() -> None:
    quiet = np.array(LOAD.values)
    quiet[100:400] = 0.0
    latency = np.where(quiet > 0, 0.2, np.nan)
    known = cases.history(latency)
    assert row(metric(), signal=Signal.LATENCY, load=cases.history(quiet), latency=known).state is State.FINE
    latency[500:560] = np.nan
    holed = row(metric(), signal=Signal.LATENCY, load=cases.history(quiet), latency=cases.history(latency))
    assert codes(holed) == {"gaps": State.WARNING}


def test_a_latency_without_any_request_is_unknown_and_not_broken() -> None:
    idle = row(metric(), signal=Signal.LATENCY, load=cases.history([0.0] * 864), latency=NOTHING)
    assert codes(idle) == {"idle": State.UNKNOWN}
    assert idle.state is State.UNKNOWN
    unseen = row(metric(), signal=Signal.LATENCY, load=NOTHING, latency=NOTHING)
    assert codes(unseen) == {"no_value": State.BROKEN}  # whether requests came is not known either


def test_what_the_server_does_not_tell_of_a_metric_is_unknown() -> None:
    refused: dict[str, Any] = dict.fromkeys(
        ("series", "age", "every", "resets_per_day", "restarts_per_day", "targets"), NOTHING
    )
    checked = row(metric("ai_requests_total", **refused))
    assert codes(checked) == {"not_told": State.UNKNOWN}
    assert checked.figures is not None
    assert checked.figures.series == NOTHING


def test_metrics_of_which_nothing_could_be_asked_leave_the_input_unknown_and_not_fine() -> None:
    asked = {Signal.REQUEST_RATE: Asked(signal=Signal.REQUEST_RATE, expressions=("rate(x)",), metrics=NOTHING)}
    (load,) = (one for one in check_up(cases.observation(LOAD), asked, LIMITS) if one.input == "request_rate")
    assert codes(load) == {"not_told": State.UNKNOWN}
    assert load.figures is not None
    assert load.figures.age == timedelta(0)  # the history was read all the same


def test_series_do_not_count_where_the_recording_rules_are_read_in_their_place() -> None:
    recorded = metric("service_model:ai_requests:rate5m", recorded=True, counter=False, series=1)
    assert row(recorded, metric(series=5_000)).state is State.FINE


def test_what_nobody_exports_or_wants_is_not_asked_and_never_fine() -> None:
    found = rows(metric(), use=ResourceUse(accelerator_busy=NOTHING))
    for name in ("latency", "error_ratio", "cpu_cores", "token_rate"):
        assert found[name].state is State.NOT_ASKED
        assert not found[name].findings
    assert found["cpu_cores"].said == "it was not asked for"


def test_accelerators_are_asked_after_only_where_some_are_declared() -> None:
    def busy(count: int) -> State:
        resources = Resources(accelerator="T4" if count else None, accelerator_count=count)
        workload = replace(cases.WORKLOAD, resources=resources)
        absent = gone("DCGM_FI_DEV_GPU_UTIL", counter=False)
        return row(
            absent, signal=Signal.ACCELERATOR_BUSY, workload=workload, use=ResourceUse(accelerator_busy=NOTHING)
        ).state

    assert (busy(0), busy(1)) == (State.NOT_ASKED, State.WARNING)


def test_of_a_recording_nothing_is_said_that_only_metrics_tell() -> None:
    checked = {one.input: one for one in check_up(cases.observation(LOAD), None, LIMITS)}
    load = checked["request_rate"]
    assert load.state is State.FINE
    assert load.figures is not None
    assert load.figures.age == timedelta(0)
    for figure in (load.figures.every, load.figures.resets_per_day, load.figures.series):
        assert isinstance(figure, Unknown)
        assert figure.reason.startswith("not asked")
    assert checked["latency"].state is State.NOT_ASKED


def test_an_unknown_load_of_a_recording_is_broken() -> None:
    (load,) = (one for one in check_up(cases.observation(NOTHING), None, LIMITS) if one.input == "request_rate")
    assert codes(load) == {"no_value": State.BROKEN}


def test_tokens_are_judged_like_any_signal() -> None:
    tokens = TokenRates(prompt=NOTHING, generated=LOAD)
    assert row(metric(), signal=Signal.TOKEN_RATE, tokens=tokens).state is State.FINE
    assert codes(row(gone(), signal=Signal.PROMPT_TOKEN_RATE, tokens=tokens)) == {"absent": State.WARNING}


def test_what_is_assumed_or_not_known_of_a_workload_is_a_warning_and_what_is_declared_is_fine() -> None:
    def states(observation: Observation) -> dict[str, State]:
        return {checked.input: checked.state for checked in fact_checks(observation)}

    assumed = cases.observation(LOAD, service_time_s=NOTHING, running=NOTHING)
    assert set(states(assumed).values()) == {State.WARNING}
    declared = cases.observation(LOAD, time_to_ready=replace(cases.ready(), basis=ReadyBasis.DECLARED))
    assert set(states(declared).values()) == {State.FINE}
