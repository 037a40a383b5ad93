"""What the HPA makes of our manifests: no recommended step is swallowed by its tolerance."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.workload import Bounds, Workload
from manifests import ManifestOptions, render
from manifests.hpa_rule import Hpa, ignored, proposal
from manifests.ladder import ladder, rounded_query, rung
from tests.manifests.advice import OFFICE, act

LARGE = 120
WORKLOAD = Workload(id="w", runtime="trimtab-serving", bounds=Bounds(min_replicas=1, max_replicas=LARGE))


def manifest(folder: str, replicas: int = 12, *, exact: bool = False) -> dict[str, Any]:
    advice = [act("w", replicas, calendar=OFFICE)]
    artifacts = render({"w": WORKLOAD}, advice, ManifestOptions(exact_tolerance=exact))
    loaded: dict[str, Any] = yaml.safe_load(next(each.text for each in artifacts if each.path.parts[0] == folder))
    return loaded


def keda_hpa(*, exact: bool = False) -> Hpa:
    """The HPA that KEDA makes of our ScaledObject."""
    spec = manifest("keda", exact=exact)["spec"]
    return Hpa(
        minimum=spec["minReplicaCount"],
        maximum=spec["maxReplicaCount"],
        behavior=spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"],
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
    rungs = ladder(1, LARGE)
    assert rungs[:12] == (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15)
    over = [rung(wanted, rungs) / wanted - 1 for wanted in range(1, 83)]  # the top rungs bend to the maximum
    assert over[:9] == [0] * 9
    assert min(over) >= 0
    assert max(over) <= 1 / 9
    assert sum(over) / len(over) < 0.05


@given(st.integers(0, 300), st.integers(0, 300))
def test_between_any_two_rungs_the_hpa_acts(minimum: int, more: int) -> None:
    rungs = ladder(minimum, minimum + more)
    assert rungs[-1] == minimum + more
    for low, high in pairwise(rungs):
        assert not ignored(low, high)
        assert not ignored(high, low)


def test_a_ladder_needs_room() -> None:
    with pytest.raises(ValueError, match="between 5 and 4"):
        ladder(5, 4)


@pytest.mark.usefixtures("prometheus_installed")
def test_the_query_climbs_the_ladder_in_prometheus_itself(tmp_path: Path) -> None:
    query = manifest("keda")["spec"]["triggers"][0]["metadata"]["query"]
    rungs = ladder(9, LARGE)
    wanted = [*range(1, LARGE + 1), 3 * LARGE]
    assert answers(query, wanted, tmp_path) == {each: rung(each, rungs) for each in wanted}


def test_no_recommendation_stays_no_answer() -> None:
    """An absent metric gives an empty answer, an error to KEDA, never a rung."""
    assert "or" not in rounded_query("max(x)", ladder(1, 50)).split()
    assert "vector" not in rounded_query("max(x)", ladder(1, 50))


@settings(max_examples=200)
@given(st.integers(9, LARGE), st.integers(1, LARGE))
def test_every_recommended_step_is_taken_whole(before: int, wanted: int) -> None:
    """From any rung to any number: KEDA's HPA ends on that number's rung, and never under the number."""
    hpa, rungs = keda_hpa(), ladder(9, LARGE)
    start, goal = rung(before, rungs), rung(wanted, rungs)
    assert hpa.settle(start, [goal]) == goal >= wanted


@settings(max_examples=200)
@given(st.integers(9, LARGE), st.integers(9, LARGE))
def test_with_a_tolerance_of_zero_the_step_is_exact(before: int, wanted: int) -> None:
    assert keda_hpa(exact=True).settle(before, [wanted]) == wanted


def test_the_calendar_is_a_floor_that_stands_on_the_ladder_too() -> None:
    triggers = manifest("keda")["spec"]["triggers"]
    floors = {int(each["metadata"]["desiredReplicas"]) for each in triggers if each["type"] == "cron"}
    assert floors == {17}  # 16 in the plan
    assert keda_hpa().settle(9, [11, *floors]) == 17


@given(st.integers(1, LARGE), st.floats(0.0, 3.0))
def test_the_plain_hpa_reaches_the_recommended_number_whatever_cpu_says(current: int, cpu_over_target: float) -> None:
    """`minReplicas` is applied before the tolerance: the floor is reached from any count, at any CPU use."""
    spec = manifest("hpa")["spec"]
    hpa = Hpa(minimum=spec["minReplicas"], maximum=spec["maxReplicas"], behavior=spec["behavior"])
    assert hpa.minimum == 16
    assert hpa.settle(current, [current * cpu_over_target]) >= 16


def test_policies_round_as_the_controller_rounds() -> None:
    """Down by 10 % of 3 is 2 (rounded down), up by 100 % of 3 is 6; the larger change of the policies wins."""
    spec = manifest("hpa")["spec"]
    hpa = Hpa(minimum=1, maximum=50, behavior=spec["behavior"])
    assert hpa.sync(3, [1]) == 2
    assert hpa.sync(40, [1]) == 36
    assert hpa.sync(3, [50]) == 7
    assert hpa.sync(20, [50]) == 40
