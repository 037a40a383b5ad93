"""`trimtab replay` says what attainment costs, what can be promised, and draws it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trimtab.__main__ import main

TRACES = Path(__file__).resolve().parents[2] / "examples" / "traces"
SMOOTH, SPIKY = TRACES / "servegen_small_c36.csv.gz", TRACES / "elb_requests.csv.gz"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in ("replay", *arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def answered(run: Run, *arguments: object) -> dict[str, Any]:
    code, out, _ = run(*arguments, "--output", "json")
    assert code == 0
    body: dict[str, Any] = json.loads(out)
    return body


def test_the_curve_the_promise_and_the_schedule_are_in_the_answer(run: Run) -> None:
    body = answered(run, "--trace", SMOOTH, "--capacity", "1.3", "--policy", "trimtab", "--policy", "schedule")
    assert 2 <= len(body["curve"]["points"]) <= 12
    live = body["curve"]["live"]
    ours, alone = body["policies"]
    assert (ours["policy"], alone["policy"]) == ("trimtab", "schedule")
    assert live["usd"] == pytest.approx(ours["usd"], rel=1e-5)
    assert body["curve"]["chosen"]["set_by"] == "error budget"
    assert body["promise"]["reachable"]
    assert body["promise"]["usd_per_month_wanted"] > 0
    assert alone["slo_met"]
    assert body["schedule"]["steps"]


def test_what_cannot_be_promised_is_said_in_the_table(run: Run) -> None:
    code, out, _ = run("--trace", SPIKY, "--capacity", "0.021", "--policy", "trimtab", "--attainment", "0.9999")
    assert code == 0
    assert "slo_unreachable: do not promise 99.99 %" in out
    assert "USD a month" in out


def test_dollars_per_missed_request_take_the_attainments_place(run: Run) -> None:
    asked = ("--trace", SMOOTH, "--capacity", "1.3", "--policy", "trimtab", "--replica-usd-per-hour", "0.1")
    cheap = answered(run, *asked, "--usd-per-missed-request", "0.00003")
    dear = answered(run, *asked, "--usd-per-missed-request", "0.01")
    assert "promise" not in cheap
    assert cheap["usd_per_missed_request"] == 0.00003
    assert cheap["curve"]["chosen"]["set_by"] == "usd_per_missed_request"
    # newsvendor: a replica-hour of missed load is 1.3 * 3600 requests
    assert cheap["curve"]["chosen"]["quantile"] == pytest.approx(1 - 0.1 / (0.00003 * 1.3 * 3600))
    assert cheap["curve"]["live"]["usd"] < dear["curve"]["live"]["usd"]
    assert cheap["curve"]["live"]["missed_share"] > dear["curve"]["live"]["missed_share"]


def test_a_worthless_miss_is_refused(run: Run) -> None:
    code, out, err = run("--trace", SMOOTH, "--capacity", "1.3", "--usd-per-missed-request", "0")
    assert (code, out) == (2, "")
    assert "--usd-per-missed-request" in err


def test_settings_may_give_the_price_of_a_miss(run: Run, tmp_path: Path) -> None:
    settings = tmp_path / "trimtab.yaml"
    settings.write_text(
        f"history: {{files: {{chat: '{SMOOTH}'}}}}\n"
        "defaults: {slo: {usd_per_missed_request: 0.0001}}\n"
        "workloads: [{id: chat, capacity_rps: 1.3}]\n",
        encoding="utf-8",
    )
    body = answered(run, "--config", settings, "--policy", "trimtab")
    assert body["usd_per_missed_request"] == 0.0001


def test_the_curve_is_drawn(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "pictures" / "curve.svg"
    code, _, _ = run("--trace", SMOOTH, "--capacity", "1.3", "--policy", "trimtab", "--policy", "fixed", "--curve", out)
    assert code == 0
    drawn = out.read_text(encoding="utf-8")
    assert drawn.startswith("<?xml")
    assert "What attainment costs" in drawn


def test_a_policy_far_dearer_than_the_curve_is_named_beside_it(run: Run, tmp_path: Path) -> None:
    """Drawn in its place it would press the curve flat."""
    trace, out = tmp_path / "ran.csv", tmp_path / "curve.svg"
    header, *rows = gzip.decompress(SMOOTH.read_bytes()).decode().splitlines()
    trace.write_text("\n".join([f"{header},replicas", *(f"{row},100" for row in rows)]), encoding="utf-8")
    asked = ("--policy", "trimtab", "--policy", "recorded", "--replica-usd-per-hour", "1")
    assert run("--trace", trace, "--capacity", "1.3", *asked, "--curve", out)[0] == 0
    assert "<!-- recorded: $16,183, 0" in out.read_text(encoding="utf-8")


def test_a_curve_of_nothing_is_refused(run: Run, tmp_path: Path) -> None:
    code, _, err = run("--trace", SMOOTH, "--capacity", "1.3", "--policy", "fixed", "--curve", tmp_path / "a.png")
    assert code == 2
    assert "--policy trimtab" in err
    code, _, err = run("--trace", SMOOTH, "--capacity", "1.3", "--policy", "trimtab", "--curve", tmp_path / "a.doc")
    assert code == 2
    assert "--curve" in err


def test_who_foresaw_the_last_number_and_what_bounded_it_are_in_the_answer(run: Run) -> None:
    decision = answered(run, "--trace", SMOOTH, "--capacity", "1.3", "--policy", "trimtab")["decision"]
    weights = [each["weight"] for each in decision["predictors"]]
    assert sum(weights) == pytest.approx(1.0, abs=1e-4)
    assert weights == sorted(weights, reverse=True)
    steps = [reason["code"] for reason in decision["reasons"]]
    assert steps == ["forecast", "price", "mixture", "present_load", "min_replicas"]
    assert f"{decision['predictors'][0]['predictor']} {weights[0]:.0%}" in decision["reasons"][2]["detail"]
    assert int(decision["reasons"][-1]["after"]) == decision["replicas"]
    assert "decision" not in answered(run, "--trace", SMOOTH, "--capacity", "1.3", "--policy", "fixed")


def test_a_share_just_over_the_budget_does_not_read_like_it(run: Run, tmp_path: Path) -> None:
    trace = tmp_path / "over.csv"
    rows = [f"2024-01-{1 + i // 24:02d}T{i % 24:02d}:00:00Z,3603.64,1" for i in range(240)]
    trace.write_text("\n".join(["timestamp,requests,replicas", *rows]), encoding="utf-8")
    code, out, _ = run("--trace", trace, "--capacity", "1", "--policy", "recorded")
    assert code == 0
    assert "0.101 % \u2502 missed" in out
