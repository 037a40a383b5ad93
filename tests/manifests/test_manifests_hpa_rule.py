"""What the HPA makes of our manifests: no recommended step is swallowed by its tolerance."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.workload import Bounds, Workload
from manifests import ManifestOptions, render
from manifests.ladder import ignored, ladder
from tests.manifests.advice import OFFICE, act, configuration
from tests.manifests.controller import SYNC_S, Controller, proposal

LARGE = 120
WORKLOAD = Workload(id="w", runtime="trimtab-serving", bounds=Bounds(min_replicas=1, max_replicas=LARGE))


def manifest(folder: str, replicas: int = 12, *, exact: bool = False) -> dict[str, Any]:
    advice = [act("w", replicas, calendar=OFFICE)]
    artifacts = render({"w": WORKLOAD}, advice, ManifestOptions(exact_tolerance=exact))
    loaded: dict[str, Any] = yaml.safe_load(next(each.text for each in artifacts if each.path.parts[0] == folder))
    return loaded


def keda_hpa(replicas: int, *, exact: bool = False) -> Controller:
    """The HPA that KEDA makes of our ScaledObject, rendered while `replicas` ran."""
    return of_scaled_object(manifest("keda", exact=exact), replicas)


def of_scaled_object(scaled: dict[str, Any], replicas: int) -> Controller:
    spec = scaled["spec"]
    return Controller(
        minimum=spec["minReplicaCount"],
        maximum=spec["maxReplicaCount"],
        behavior=spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"],
        replicas=replicas,
    )


def plain_hpa(replicas: int) -> Controller:
    """The HPA of the folder `hpa`."""
    spec = manifest("hpa")["spec"]
    return Controller(
        minimum=spec["minReplicas"], maximum=spec["maxReplicas"], behavior=spec["behavior"], replicas=replicas
    )


def answers(query: str, recommended: list[int], folder: Path) -> dict[int, float]:
    """What Prometheus' own engine answers to the manifest's query while each number is recommended, a minute each."""
    series = {"series": 'trimtab_recommended_replicas{workload="w"}', "values": " ".join(map(str, recommended))}
    tests = [
        {"expr": query, "eval_time": f"{minute}m", "exp_samples": [{"labels": "{}", "value": -1}]}
        for minute in range(len(recommended))
    ]
    file = folder / "query.yml"
    document = {"tests": [{"interval": "1m", "input_series": [series], "promql_expr_test": tests}]}
    file.write_text(yaml.safe_dump(document, width=100_000), encoding="utf-8")
    said = subprocess.run(
        ["promtool", "test", "rules", str(file)], check=False, capture_output=True, text=True, timeout=60
    )
    got = [
        float(line.rsplit("E", 1)[0].split()[-1].strip('"') if line.rstrip().endswith("E") else line.split()[-1])
        for line in said.stderr.splitlines()
        if line.strip().startswith("got:")
    ]
    assert len(got) == len(recommended), said.stderr
    return dict(zip(recommended, got, strict=True))


@pytest.mark.parametrize(
    "current,value,swallowed",
    [(9, 8, False), (10, 9, True), (11, 12, True), (20, 21, True), (9, 10, False), (10, 12, False), (0, 1, False)],
)
def test_the_rule_swallows_what_the_controller_swallows(current: int, value: int, swallowed: bool) -> None:
    assert ignored(current, value) is swallowed
    assert proposal(current, value) == (current if swallowed else value)


def test_a_plain_count_would_be_swallowed() -> None:
    """Why there is a ladder: most single steps above ten do nothing, and the SLO pays for it."""
    lost = [current for current in range(1, LARGE) if proposal(current, current + 1) == current]
    assert lost == list(range(10, LARGE))


def test_the_ladder_costs_at_most_a_ninth_and_nothing_below_ten() -> None:
    counts = ladder(1, LARGE)
    assert counts.rungs[:12] == (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15)
    over = [counts.rung(wanted) / wanted - 1 for wanted in range(1, 104)]  # the top rungs bend to the maximum
    assert over[:9] == [0] * 9
    assert min(over) >= 0
    assert max(over) <= 1 / 9
    assert sum(over) / len(over) < 0.05


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 700))
def test_from_any_rung_and_from_what_runs_the_hpa_acts_on_any_other(minimum: int, more: int, running: int) -> None:
    """What the HPA is asked for is never within its tolerance, and its bounds bring it to the rung that is meant."""
    maximum = minimum + more
    counts = ladder(minimum, maximum, through=running)
    assert counts.rungs == tuple(sorted({*counts.rungs}))
    assert (counts.rungs[0], counts.rungs[-1]) == (minimum, maximum)
    for before in {*counts.rungs} | ({running} if minimum <= running <= maximum else set()):
        for rung, value in zip(counts.rungs, counts.values, strict=True):
            if rung != before:
                assert min(max(proposal(before, value), minimum), maximum) == rung


def test_a_ladder_needs_room() -> None:
    with pytest.raises(ValueError, match="between 5 and 4"):
        ladder(5, 4)


@pytest.mark.usefixtures("prometheus_installed")
@pytest.mark.parametrize(
    "minimum,maximum,running", [(9, LARGE, 20), (1, 12, None), (20, 40, 21), (9, 40, 39), (7, 7, 7)]
)
def test_the_query_climbs_the_ladder_in_prometheus_itself(
    minimum: int, maximum: int, running: int | None, tmp_path: Path
) -> None:
    """Below the least and above the most the HPA's own bounds see to it, so any value beyond the end will do."""
    counts = ladder(minimum, maximum, through=running)
    wanted = [*range(1, maximum + 1), 3 * maximum]
    found = answers(counts.query('max(trimtab_recommended_replicas{workload="w"})'), wanted, tmp_path)
    for each in wanted:
        assert min(max(found[each], minimum), maximum) == counts.rung(each)
        if counts.rungs[0] < each <= maximum:
            assert found[each] == counts.value(each)


def test_the_manifest_asks_for_that_ladder() -> None:
    query = manifest("keda")["spec"]["triggers"][0]["metadata"]["query"]
    assert query == ladder(9, LARGE, through=20).query('max(trimtab_recommended_replicas{workload="w"})')


def test_no_recommendation_stays_no_answer() -> None:
    """An absent metric gives an empty answer, an error to KEDA, never a rung."""
    for query in (ladder(1, 50).query("max(x)"), ladder(20, 40, through=21).query("max(x)")):
        assert "or" not in query.split()
        assert "vector" not in query
        assert all("max(x)" in term for term in query.split(" + "))


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, LARGE),
    st.integers(0, LARGE),
    st.integers(1, LARGE),
    st.lists(st.tuples(st.integers(1, 2 * LARGE), st.integers(1, 30)), min_size=1, max_size=12),
)
def test_no_recommended_step_of_any_sequence_is_swallowed(
    minimum: int, more: int, running: int, steps: list[tuple[int, int]]
) -> None:
    """At every sync at least what is recommended, and exactly its rung once the window to step down has passed.

    From whatever runs when the manifest is applied, through any sequence of numbers, each standing for some syncs.
    """
    workload = Workload(id="w", runtime="x", bounds=Bounds(min_replicas=minimum, max_replicas=minimum + more))
    advice = act("w", minimum, current=configuration(running))
    (artifact,) = [each for each in render({"w": workload}, [advice]) if each.path.parts[0] == "keda"]
    hpa = of_scaled_object(yaml.safe_load(artifact.text), running)
    counts = ladder(minimum, minimum + more, through=running)
    if not minimum <= running <= minimum + more:
        hpa.sync(counts.value(steps[0][0]))  # into the bounds first
    for wanted, syncs in steps:
        reached = [hpa.sync(counts.value(wanted)) for _ in range(syncs)]
        assert min(reached) >= min(wanted, minimum + more)
        if syncs > 300 // SYNC_S + 1:
            assert reached[-1] == counts.rung(wanted)


@settings(max_examples=40, deadline=None)
@given(st.integers(9, LARGE), st.integers(9, LARGE))
def test_with_a_tolerance_of_zero_the_step_is_exact(before: int, wanted: int) -> None:
    assert keda_hpa(before, exact=True).settle(wanted) == wanted


def test_the_calendar_is_a_floor_that_stands_on_the_ladder_too() -> None:
    triggers = manifest("keda")["spec"]["triggers"]
    floors = {int(each["metadata"]["desiredReplicas"]) for each in triggers if each["type"] == "cron"}
    assert floors == {17}  # 16 in the plan
    assert keda_hpa(9).settle(11, *floors) == 17


@settings(max_examples=40, deadline=None)
@given(st.integers(1, LARGE), st.floats(0.0, 3.0))
def test_the_plain_hpa_reaches_the_recommended_number_whatever_cpu_says(current: int, cpu_over_target: float) -> None:
    """`minReplicas` is applied before the tolerance: the floor is reached from any count, at any CPU use."""
    hpa = plain_hpa(current)
    assert hpa.minimum == 16
    assert hpa.settle(current * cpu_over_target) >= 16


def test_policies_round_as_the_controller_rounds() -> None:
    """Down by 10 % of 3 is 2 (rounded down), up by 100 % of 3 is 6; the larger change of the policies wins."""
    behavior = manifest("hpa")["spec"]["behavior"]

    def after(replicas: int, value: int) -> int:
        return Controller(minimum=1, maximum=50, behavior=behavior, replicas=replicas).sync(value)

    assert [after(3, 1), after(40, 1), after(3, 50), after(20, 50)] == [2, 36, 7, 40]
