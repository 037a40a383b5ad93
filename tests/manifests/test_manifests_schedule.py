"""The week at AWS and in KEDA cron: valid, and the same number in force at every time as the plan has."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from domain.names import safe_name
from domain.plan import Act, CalendarStep
from domain.workload import ServingMode, Workload
from manifests import ManifestOptions, render
from manifests.aws_cron import DAYS, cron
from tests.manifests.advice import DIGITS, ECS, MONDAY, OFFICE, WEEK, act, bought, planned
from tests.manifests.validators import aws_accepts, keda_accepts, plain, terraform_accepts

NAME = safe_name(ECS.id)
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
NAMES = (
    None,
    None,
    None,
    ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
    DAYS,
    None,
)
ALL_WEEK = (CalendarStep(at=MONDAY, replicas=7),)


def files(workload: Workload, advice: Act, options: ManifestOptions | None = None) -> dict[str, str]:
    return {
        str(each.path): each.text for each in render({workload.id: workload}, [advice], options or ManifestOptions())
    }


def actions(advice: Act, options: ManifestOptions | None = None) -> list[dict[str, Any]]:
    """The inputs of `put-scheduled-action` that the script gives, as a shell reads them."""
    script = files(ECS, advice, options)[f"ecs/{NAME}-schedule.sh"]
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
    commands = [shlex.split(line) for line in script.splitlines() if line.startswith("aws ")]
    assert {tuple(command[:4]) for command in commands} == {
        ("aws", "application-autoscaling", "put-scheduled-action", "--cli-input-json")
    }
    return [json.loads(command[4]) for command in commands]


def floors(advice: Act) -> list[tuple[str, int]]:
    """Schedule and least capacity of each scheduled action of the Terraform."""
    found = [
        (plain(body["schedule"]), body["scalable_target_action"][0]["min_capacity"])
        for kind, _, body in terraform_accepts(files(ECS, advice)[f"terraform/{NAME}.tf"])
        if kind == "aws_appautoscaling_scheduled_action"
    ]
    assert found
    return found


def checked(schedule: str) -> tuple[str, ...]:
    """The fields of `cron(...)`, or the moment of `at(...)`; AssertionError for what AWS does not document."""
    once = re.fullmatch(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", schedule)
    if once:
        datetime.strptime(once[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
        return (once[1],)
    fields = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", schedule)
    assert fields, f"{schedule} has not six fields"
    for place, field in enumerate(fields.groups()):
        for part in field.split(","):
            _checked_part(place, part)
    assert (fields[3] == "?") != (fields[5] == "?"), "exactly one of day of month and day of week is ?"
    return fields.groups()


def _checked_part(place: int, part: str) -> None:
    if part == "*" or (part == "?" and place in {2, 4}):
        return
    low, high = RANGES[place]
    names = NAMES[place]
    for end in re.fullmatch(r"([A-Z0-9]+)(?:-([A-Z0-9]+))?(?:/\d+)?", part).groups():  # type: ignore[union-attr]
        if end is not None and not (names and end in names):
            assert low <= int(end) <= high, f"{part} is not within {low} to {high}"


def in_force(changes: Sequence[tuple[str, int]], minute: int) -> int:
    """What is set at a minute of the week (Sunday 00:00 is 0), by going back to the last change that ran."""
    week = 7 * 24 * 60
    ran: list[tuple[int, int]] = []
    for schedule, number in changes:
        minutes, hours, _, _, days, _ = checked(schedule)
        for day in range(7) if days in {"*", "?"} else [DAYS.index(each) for each in days.split(",")]:
            at = day * 1440 + int(hours) * 60 + int(minutes)
            ran.append(((minute - at) % week, number))
    return min(ran)[1]


def same_all_week(changes: Sequence[tuple[str, int]], steps: Sequence[CalendarStep]) -> None:
    for minutes in range(0, 7 * 24 * 60, 5):
        at = steps[0].at + timedelta(minutes=minutes)
        wanted = [step.replicas for step in steps if step.at <= at][-1]
        assert in_force(changes, (at.isoweekday() % 7) * 1440 + at.hour * 60 + at.minute) == wanted


def test_actions_put_the_same_number_in_force_all_week_as_the_schedule() -> None:
    made = actions(planned(act(ECS.id, 12)))
    same_all_week([(each["Schedule"], each["ScalableTargetAction"]["MinCapacity"]) for each in made], WEEK)


def test_the_floor_of_the_terraform_is_the_schedule_or_else_the_calendar_all_week() -> None:
    same_all_week(floors(planned(act(ECS.id, 12, calendar=OFFICE))), WEEK)
    same_all_week(floors(act(ECS.id, 12, calendar=OFFICE)), OFFICE)


def test_each_action_is_an_input_of_put_scheduled_action() -> None:
    """By AWS's own model of the call; a name holds nothing that a path is made of."""
    made = actions(planned(act(ECS.id, 12)))
    assert 0 < len(made) <= 14
    assert len({action["ScheduledActionName"] for action in made}) == len(made)
    for action in made:
        aws_accepts("application-autoscaling", "PutScheduledAction", action)
        checked(action["Schedule"])
        assert re.fullmatch(r"[^\x00-\x1f\x7f-\x9f:/|]{1,256}", action["ScheduledActionName"])
        assert action["ResourceId"] == "service/inference/digits"
        assert action["ScalableDimension"] == "ecs:service:DesiredCount"
        limits = action["ScalableTargetAction"]
        assert limits["MinCapacity"] == limits["MaxCapacity"] > 0


def test_a_number_that_never_changes_is_set_once_a_day() -> None:
    advice = planned(act(ECS.id, 12), ALL_WEEK)
    made = actions(advice)
    assert [action["Schedule"] for action in made] == ["cron(0 0 * * ? *)"]
    assert made[0]["ScalableTargetAction"] == {"MinCapacity": 7, "MaxCapacity": 7}
    (terraform,) = [text for path, text in files(ECS, advice).items() if path.endswith(".tf")]
    assert "scheduled_action" not in terraform
    assert "lifecycle" not in terraform
    in_kubernetes = files(DIGITS, planned(act(DIGITS.id, 12), ALL_WEEK))
    assert not [path for path in in_kubernetes if path.startswith("keda-schedule/")]
    assert "no keda-schedule: the schedule is 7 replicas all week" in in_kubernetes["README.md"]


def test_times_are_those_of_the_zone_that_is_named() -> None:
    made = actions(planned(act(ECS.id, 12)), ManifestOptions(timezone="Asia/Kolkata"))
    assert {action["Timezone"] for action in made} == {"Asia/Kolkata"}
    assert any(action["Schedule"].startswith("cron(30 13 ? *") for action in made)  # 08:00 UTC


@pytest.mark.parametrize(
    "schedule",
    ["cron(0 8 * * 2 *)", "cron(0 24 ? * MON *)", "cron(0 8 ? * 0 *)", "cron(0 8 ? * MON)", "at(2026-02-30T00:00:00)"],
)
def test_the_check_itself_refuses_what_aws_does(schedule: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        checked(schedule)


def test_the_check_itself_takes_what_aws_documents() -> None:
    for schedule in (
        "cron(30 6 ? * MON *)",
        "cron(0/5 8-17 ? * MON-FRI *)",
        "at(2026-11-01T22:00:00)",
        cron(450, [0, 6]),
    ):
        checked(schedule)


def test_the_keda_schedule_has_cron_triggers_alone_and_is_valid() -> None:
    made = files(DIGITS, planned(act(DIGITS.id, 12)))
    manifest = yaml.safe_load(made[f"keda-schedule/{safe_name(DIGITS.id)}.yaml"])
    keda_accepts(manifest)
    assert {trigger["type"] for trigger in manifest["spec"]["triggers"]} == {"cron"}
    assert manifest["spec"]["minReplicaCount"] == 6
    assert manifest["spec"]["maxReplicaCount"] == 16


def test_without_a_schedule_there_is_none() -> None:
    assert not [path for path in files(DIGITS, act(DIGITS.id, 12)) if path.startswith("keda-schedule/")]
    assert not [path for path in files(ECS, bought(act(ECS.id, 12), on_demand=12)) if path.endswith(".sh")]


def test_a_mode_without_replicas_has_no_schedule() -> None:
    assert list(files(ECS, planned(act(ECS.id, 12, mode=ServingMode.SERVERLESS)))) == ["README.md"]
