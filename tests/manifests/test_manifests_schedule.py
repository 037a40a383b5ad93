"""The schedule that serves alone, as KEDA cron and as AWS scheduled actions: valid, and the same all week."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from domain.names import safe_name
from domain.plan import Act, CalendarStep
from domain.workload import ServingMode
from manifests import ManifestOptions, render
from manifests.schedule import DAYS, cron
from tests.golden_files import assert_golden
from tests.manifests.advice import DIGITS, MONDAY, act

SCHEMA = Path(__file__).resolve().parents[1] / "data" / "keda_scaledobject_v1alpha1.openapi.json"
NAME = safe_name(DIGITS.id)
# From Monday 08:00 for a week: busy days, quiet nights, and a weekend of its own.
WEEK = tuple(
    CalendarStep(at=MONDAY + timedelta(days=day, hours=hour), replicas=replicas)
    for day in range(7)
    for hour, replicas in (((0, 16), (11.75, 9)) if day < 5 else ((0, 6),))
)
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
NAMES = (
    None,
    None,
    None,
    ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
    DAYS,
    None,
)


def planned(schedule: tuple[CalendarStep, ...] = WEEK) -> Act:
    made = act(DIGITS.id, 12)
    return replace(made, plan=replace(made.plan, schedule=schedule))


def files(advice: Act, options: ManifestOptions | None = None) -> dict[str, str]:
    return {str(each.path): each.text for each in render({DIGITS.id: DIGITS}, [advice], options or ManifestOptions())}


def actions(advice: Act, options: ManifestOptions | None = None) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(files(advice, options)[f"aws/{NAME}-scheduled-actions.json"])
    return made


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


def in_force(made: list[dict[str, Any]], minute: int) -> int:
    """What the actions have set at a minute of the week (Sunday 00:00 is 0), by going back to the last that ran."""
    week = 7 * 24 * 60
    ran: list[tuple[int, int]] = []
    for action in made:
        minutes, hours, _, _, days, _ = checked(action["Schedule"])
        for day in range(7) if days in {"*", "?"} else [DAYS.index(each) for each in days.split(",")]:
            at = day * 1440 + int(hours) * 60 + int(minutes)
            ran.append(((minute - at) % week, action["ScalableTargetAction"]["MinCapacity"]))
    return min(ran)[1]


def test_actions_put_the_same_number_in_force_all_week_as_the_schedule() -> None:
    made = actions(planned())
    for minutes in range(0, 7 * 24 * 60, 5):
        at = MONDAY + timedelta(minutes=minutes)
        wanted = [step.replicas for step in WEEK if step.at <= at][-1]
        assert in_force(made, (at.isoweekday() % 7) * 1440 + at.hour * 60 + at.minute) == wanted


def test_each_action_is_an_input_of_put_scheduled_action() -> None:
    """By the API reference: names of fields, what is required, and what a name may hold."""
    made = actions(planned())
    assert len(made) <= 14
    assert len({action["ScheduledActionName"] for action in made}) == len(made)
    for action in made:
        assert set(action) == {
            "ServiceNamespace", "ScheduledActionName", "ResourceId", "ScalableDimension", "Schedule", "Timezone",
            "ScalableTargetAction",
        }  # fmt: skip
        checked(action["Schedule"])
        assert re.fullmatch(r"[^\x00-\x1f\x7f-\x9f:/|]{1,256}", action["ScheduledActionName"])
        assert action["ResourceId"] == "service/vision/digits"
        assert action["ScalableDimension"] == "ecs:service:DesiredCount"
        limits = action["ScalableTargetAction"]
        assert limits["MinCapacity"] == limits["MaxCapacity"] > 0


def test_a_number_that_never_changes_is_set_once_a_day() -> None:
    made = actions(planned((CalendarStep(at=MONDAY, replicas=7),)))
    assert [action["Schedule"] for action in made] == ["cron(0 0 * * ? *)"]
    assert made[0]["ScalableTargetAction"] == {"MinCapacity": 7, "MaxCapacity": 7}
    assert f"keda-schedule/{NAME}.yaml" not in files(planned((CalendarStep(at=MONDAY, replicas=7),)))


def test_times_are_those_of_the_zone_that_is_named() -> None:
    made = actions(planned(), ManifestOptions(timezone="Asia/Kolkata"))
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
    manifest = yaml.safe_load(files(planned())[f"keda-schedule/{NAME}.yaml"])
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(manifest)
    assert {trigger["type"] for trigger in manifest["spec"]["triggers"]} == {"cron"}
    assert manifest["spec"]["minReplicaCount"] == 6
    assert manifest["spec"]["maxReplicaCount"] == 16


def test_without_a_schedule_there_is_neither_file() -> None:
    assert not [path for path in files(planned(())) if path.startswith(("aws/", "keda-schedule/"))]


def test_a_mode_without_replicas_has_no_schedule() -> None:
    made = act(DIGITS.id, 12, mode=ServingMode.SERVERLESS)
    assert list(files(replace(made, plan=replace(made.plan, schedule=WEEK)))) == ["README.md"]


def test_both_files_are_their_golden_files() -> None:
    made = files(planned())
    for path in (f"aws/{NAME}-scheduled-actions.json", f"keda-schedule/{NAME}.yaml"):
        assert_golden(f"manifests/{path}", made[path])
