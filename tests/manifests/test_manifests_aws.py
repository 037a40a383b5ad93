"""Terraform and the AWS command line, for an ECS service: what they take, and the purchase mix as a strategy."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.names import safe_name
from domain.plan import Act
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ScaleTarget, Workload
from manifests import render
from manifests.hcl import Block, Reference, written
from manifests.providers import strategy
from tests.manifests.advice import ECS, OFFICE, act, bought, planned
from tests.manifests.validators import aws_accepts, local_strategy, terraform_accepts, terraform_fmt

NAME = safe_name(ECS.id)
TARGET = ECS.target or ScaleTarget(name="none")
MIXED = bought(planned(act(ECS.id, 12, calendar=OFFICE)), reserved=4, on_demand=3.1, spot=4.9)
amounts = st.floats(0, 40).map(lambda amount: round(amount, 2))


def text_of(advice: Act, ending: str, workload: Workload = ECS) -> str:
    (found,) = [each.text for each in render({workload.id: workload}, [advice]) if str(each.path).endswith(ending)]
    return found


def test_terraform_is_written_as_terraform_writes_it() -> None:
    for advice in (MIXED, bought(act(ECS.id, 3), on_demand=3), act(ECS.id, 3)):
        text = text_of(advice, ".tf")
        assert terraform_fmt(text) == text


def test_every_resource_gives_its_provider_what_it_takes() -> None:
    kinds = [kind for kind, _, _ in terraform_accepts(text_of(MIXED, ".tf"))]
    assert kinds[:2] == ["aws_appautoscaling_target", "aws_appautoscaling_policy"]
    assert set(kinds[2:]) == {"aws_appautoscaling_scheduled_action"}
    (target,) = [body for kind, _, body in terraform_accepts(text_of(MIXED, ".tf")) if kind == kinds[0]]
    assert (target["min_capacity"], target["max_capacity"]) == (16, 40)


def test_the_check_of_the_provider_checks() -> None:
    text = text_of(MIXED, ".tf")
    for wrong in (
        text.replace("max_capacity       =", "most_capacity      ="),
        text.replace('  scalable_dimension = "ecs:service:DesiredCount"\n', "", 1),
        text.replace("max_capacity       = 40", 'max_capacity       = "many"'),
    ):
        assert wrong != text
        with pytest.raises(AssertionError):
            terraform_accepts(wrong)


def test_terraform_leaves_the_floor_to_the_schedule() -> None:
    """The scheduled actions move it: without this each apply would set it back."""
    assert "ignore_changes = [min_capacity]" in text_of(MIXED, ".tf")
    assert "lifecycle" not in text_of(bought(act(ECS.id, 3), on_demand=3), ".tf")


def test_both_forms_have_the_strategy_of_the_purchase_mix() -> None:
    expected = [("FARGATE", 4, 39), ("FARGATE_SPOT", 0, 61)]
    local = local_strategy(text_of(MIXED, ".tf"))
    assert [(each["capacity_provider"], each["base"], each["weight"]) for each in local] == expected
    body = yaml.safe_load(text_of(MIXED, f"ecs/{NAME}.yaml"))
    aws_accepts("ecs", "UpdateService", body)
    items = body["capacityProviderStrategy"]
    assert [(each["capacityProvider"], each["base"], each["weight"]) for each in items] == expected
    assert (body["cluster"], body["service"], body["forceNewDeployment"]) == ("inference", "digits", True)


@pytest.mark.parametrize(
    "reserved,on_demand,spot,expected",
    [
        (0, 5, 0, [("FARGATE", 0, 1)]),
        (3, 0, 0, [("FARGATE", 3, 1)]),
        (0, 0, 5, [("FARGATE_SPOT", 0, 1)]),
        (2, 0, 5, [("FARGATE", 2, 0), ("FARGATE_SPOT", 0, 1)]),
        (2.4, 1.6, 1, [("FARGATE", 3, 1), ("FARGATE_SPOT", 0, 1)]),
        (0, 2, 1, [("FARGATE", 0, 67), ("FARGATE_SPOT", 0, 33)]),
        (0, 5, 0.01, [("FARGATE", 0, 1)]),
    ],
)
def test_a_mix_in_base_and_weights(
    reserved: float, on_demand: float, spot: float, expected: list[tuple[str, int, int]]
) -> None:
    found = strategy(PurchaseMix(reserved=reserved, on_demand=on_demand, spot=spot), TARGET)
    assert not isinstance(found, Unknown)
    assert [(each.provider, each.base, each.weight) for each in found] == expected


@given(amounts, amounts, amounts, st.integers(1, 200))
def test_no_task_count_has_more_spot_than_the_mix_where_it_runs_as_many_as_planned(
    reserved: float, on_demand: float, spot: float, tasks: int
) -> None:
    """Of the tasks above the base, spot has at most its share of the mix above the base; the base is never spot."""
    mix = PurchaseMix(reserved=reserved, on_demand=on_demand, spot=spot)
    assume(mix.replicas > 0)
    found = strategy(mix, TARGET)
    assert not isinstance(found, Unknown)
    assert sum(each.weight for each in found) > 0
    assert [each.provider for each in found if each.base] in ([], ["FARGATE"])
    weights = {each.provider: each.weight for each in found}
    above = max(0.0, reserved + on_demand - sum(each.base for each in found)) + spot
    share = weights.get("FARGATE_SPOT", 0) / sum(weights.values())
    assert share * tasks <= tasks * (spot / above if above else 0.0) + 1e-6


@pytest.mark.parametrize(
    "target,advice,why",
    [
        (replace(TARGET, on_demand_provider=None), MIXED, "no capacity provider of on-demand machines"),
        (replace(TARGET, spot_provider=None), MIXED, "no capacity provider of spot machines"),
        (TARGET, bought(act(ECS.id, 3)), "the plan buys no machines"),
    ],
)
def test_a_strategy_that_nobody_named_providers_for_is_not_invented(target: ScaleTarget, advice: Act, why: str) -> None:
    """The Terraform says so in its place; the input of the command line is not written."""
    workload = replace(ECS, target=target)
    made = {str(each.path): each.text for each in render({workload.id: workload}, [advice])}
    assert f"# No capacity-provider strategy: {why}" in made[f"terraform/{NAME}.tf"].replace("the settings name ", "")
    assert f"ecs/{NAME}.yaml" not in made
    if advice is not MIXED:
        assert why in made["README.md"]


def test_blocks_and_texts_of_terraform_are_written_so_that_nothing_in_them_is_a_template() -> None:
    inner = Block(kind="inner", attributes={"list": ["a", 1], "of": [{"x": 1, "y": Reference("a.b")}]})
    text = written([Block(kind="outer", labels=("l",), attributes={"text": 'q"${x}%{y}\n'}, blocks=(inner, inner))])
    assert terraform_fmt(text) == text
    assert r'text = "q\"$${x}%%{y}\n"' in text


def test_the_way_back_sets_todays_count() -> None:
    for ending in (".tf", "-schedule.sh"):
        assert "aws ecs update-service --cluster inference --service digits --desired-count 20" in text_of(
            MIXED, ending
        )
