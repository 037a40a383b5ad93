"""`trimtab replay` of gaps, silence and options given twice: each figure says what it stands on."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trimtab.__main__ import main

Run = Callable[..., tuple[int, str, str]]
Traced = Callable[..., Path]
HOURS = 24 * 10


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def traced(tmp_path: Path) -> Traced:
    def write(requests: int, without: Collection[int] = ()) -> Path:
        start, path = datetime(2024, 1, 1, tzinfo=UTC), tmp_path / "load.csv"
        hours = (start + timedelta(hours=i) for i in range(HOURS) if i not in without)
        path.write_text("\n".join(["timestamp,requests", *(f"{at:%Y-%m-%dT%H:%M:%SZ},{requests}" for at in hours)]))
        return path

    return write


def test_hours_of_which_nothing_is_known_are_not_counted_and_that_is_said(run: Run, traced: Traced) -> None:
    asked = ("replay", "--trace", traced(7200, range(200, 224)), "--capacity", "1", "--policy", "fixed")
    body = json.loads(run(*asked, "--output", "json")[1])
    assert (body["steps"], body["known_steps"]) == (72, 48)
    assert body["policies"][0]["replica_hours"] == 2 * 48
    assert "345,600 requests in 3 days, of which 2 are known and counted, from" in run(*asked)[1]
    whole = run("replay", "--trace", traced(7200), "--capacity", "1", "--policy", "fixed")[1]
    assert "518,400 requests in 3 days from" in whole


def test_ten_known_hours_prove_nothing(run: Run, traced: Traced) -> None:
    code, out, err = run("replay", "--trace", traced(7200, range(168, HOURS - 10)), "--capacity", "1")
    assert (code, out) == (2, "")
    assert (
        "leaves nothing to score of 10 days, 7.42 of them known, of which 11 steps are the least: give at most 6.958"
        in err
    )


def test_silence_promises_nothing_and_says_so(run: Run, traced: Traced, tmp_path: Path) -> None:
    asked = ("replay", "--trace", traced(0), "--capacity", "1", "--policy", "trimtab")
    why = "no request came in the time that is scored"
    assert f"slo_unknown: what can be promised at what cost is not known: {why}" in run(*asked)[1]
    assert json.loads(run(*asked, "--output", "json")[1])["curve_unknown"] == why
    code, _, err = run(*asked, "--curve", tmp_path / "curve.png")
    assert code == 2
    assert f"leave it out, there is none: {why}" in err


def test_a_policy_named_twice_has_one_row(run: Run, traced: Traced) -> None:
    asked = ("--policy", "perfect", "--policy", "fixed", "--policy", "perfect")
    _, out, _ = run("replay", "--trace", traced(7200), "--capacity", "1", *asked, "--output", "json")
    assert [row["policy"] for row in json.loads(out)["policies"]] == ["perfect", "fixed"]
