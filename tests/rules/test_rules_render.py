"""Rule files: whole texts, read by promtool, each alert proved to fire and to keep quiet."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from domain.recorded import QUANTILE, WINDOW
from domain.signals import RuntimeProfile, Signal
from domain.workload import Bounds, ScaleTarget, ServingMode, Slo, Workload
from monitor.profiles import PROFILES, RECORDED_QUANTILE, RECORDED_WINDOW
from rules import RuleOptions, render
from tests.golden_files import assert_golden
from tests.rules.fleet import (
    DIGITS,
    EVERYTHING,
    FLEET,
    LLAMA,
    ODD,
    ODD_NAME,
    OWN,
    VLLM,
    accepted,
    every_alert,
    held_while,
    run,
    with_bounds,
    written,
)

pytestmark = pytest.mark.usefixtures("prometheus_installed")
COMMON_SERIES = {
    "service_model:ai_requests:rate5m",
    "service_model:ai_request_errors:ratio_rate5m",
    "service_model:ai_request_duration_seconds:p95_rate5m",
    "service_model:ai_replicas_ready:count",
}


def rules_of(folder_or_text: str) -> list[dict[str, str]]:
    return [rule for group in yaml.safe_load(folder_or_text)["groups"] for rule in group["rules"]]


def alert_names(workload: Workload, profile: RuntimeProfile = OWN, **more: ServingMode) -> set[str]:
    recommendations = [held_while(mode, workload) for mode in more.values()]
    artifacts = render([(workload, profile)], recommendations)
    return {
        rule["alert"]
        for artifact in artifacts
        if artifact.path.name.startswith("workload-") and artifact.path.name.endswith(".rules.yml")
        for rule in rules_of(artifact.text)
    }


def test_every_file_is_its_golden_file() -> None:
    for artifact in render(FLEET, (), EVERYTHING):
        assert_golden(f"rules/{artifact.path}", artifact.text)


def test_promtool_reads_every_rule_and_finds_no_fault(tmp_path: Path) -> None:
    files = [path for path in written(render(FLEET, (), EVERYTHING), tmp_path) if path.name.endswith(".rules.yml")]
    accepted("promtool", "check", "rules", "--lint=all", "--lint-fatal", *files)


def test_every_generated_unit_test_passes(tmp_path: Path) -> None:
    files = [path for path in written(render(FLEET, (), EVERYTHING), tmp_path) if path.name.endswith("_test.yml")]
    assert len(files) == len(FLEET) + 1
    accepted("promtool", "test", "rules", *files)


def test_every_alert_is_tested_to_fire_to_keep_quiet_and_on_low_traffic() -> None:
    """Every alert there is: one that no rendered test fires, or that none keeps quiet, fails here."""
    tested: set[str] = set()
    for artifact in render(FLEET, (), EVERYTHING):
        if not artifact.path.name.endswith("_test.yml"):
            continue
        tests: dict[str, list[bool]] = {}
        for test in yaml.safe_load(artifact.text)["tests"]:
            case = test["alert_rule_test"][0]
            tests.setdefault(case["alertname"], []).append(bool(case["exp_alerts"]))
        assert all(True in fires and False in fires for fires in tests.values())
        tested |= tests.keys()
        if artifact.path.name.startswith("workload-"):
            quiet = [test["name"] for test in yaml.safe_load(artifact.text)["tests"] if "low traffic" in test["name"]]
            burns = 3 if LLAMA.id in artifact.text else 1  # requests, and of a language model first tokens and tokens
            assert len(quiet) == 2 * (burns + 1) + 3  # each pace of each promise; latency, errors, telemetry
    assert tested == {alert.name for alert in every_alert()}


@pytest.mark.parametrize(
    "alert,sound,broken",
    [
        ("LatencyHigh", r"\* 300 >= 20", "* 300 >= 0"),  # no traffic floor
        ("LatencyHigh", r"\} > 0\.5", "} > 50"),  # never fires
        ("LatencyHigh", r"\} > 0\.5", "} > 0.05"),  # always fires
        ("ErrorRatioHigh", r"\* 300 >= 20", "* 300 >= 0"),
        ("ErrorBudgetBurnFast", r"> 0\.0144", "> 0.0004"),  # a burn rate of nothing
        ("ErrorBudgetBurnSlow", r">= (334|1000)", ">= 0"),
        ("AccuracyLow", r">= 100$", ">= 0"),  # accuracy without labels
        ("TelemetryMissing", r"absent\((.*?)\) == 1", r"\1 < 0"),  # silence unheard
        ("TelemetryMissing", r"for: 10m", "for: 1h"),  # too late
        ("ForecastOverCapacity", r"> max", "< max"),  # the wrong way round
        ("LatencyBudgetBurnFast", r"(p28_rate.*) > 0\.5", r"\1 > 0.05"),  # always fires
        ("LatencyBudgetBurnFast", r">= 20", ">= 0"),
        ("LatencyBudgetBurnSlow", r"p85_rate1d(.*) > 0\.5", r"p85_rate1d\1 > 50"),  # never fires
        ("AtMaximum", r">= \(", "> ("),  # as if one more were allowed
        ("AtMaximum", r"> \(vector.*$", "> 0"),  # at the maximum, whether it suffices or not
        ("DriftHigh", r"> 0\.25", "> 0.1"),
    ],
)
def test_a_broken_rule_fails_its_unit_tests(tmp_path: Path, alert: str, sound: str, broken: str) -> None:
    """The generated tests prove something: each of these faults is found by them."""
    bounded = replace(DIGITS, bounds=Bounds(max_replicas=6))
    files = [path for path in written(render([(bounded, OWN)], ()), tmp_path) if path.name.startswith("workload-")]
    rules, tests = sorted(files)
    text, changes = re.subn(sound, broken, rules.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert changes
    rules.write_text(text, encoding="utf-8")
    proofs = yaml.safe_load(tests.read_text(encoding="utf-8"))
    proofs["tests"] = [test for test in proofs["tests"] if test["name"].startswith(f"Trimtab{alert} ")]
    tests.write_text(yaml.safe_dump(proofs), encoding="utf-8")
    assert run("promtool", "test", "rules", tests).returncode == 1


def test_recorded_series_are_exactly_those_the_profile_names_with_its_own_expressions() -> None:
    """What is recorded is what the profile asks, and nothing else is in the file that a back-fill would compute."""
    assert (QUANTILE, WINDOW) == (RECORDED_QUANTILE, RECORDED_WINDOW)
    for profile in PROFILES.values():
        workload = Workload(id="w", runtime=profile.name, labels=dict.fromkeys(profile.identity, "x"))
        text = next(a.text for a in render([(workload, profile)], ()) if a.path.name.startswith("recorded-"))
        assert {rule["record"]: rule["expr"] for rule in rules_of(text)} == {
            name: profile.query(signal, {}) for signal, name in profile.recorded.items()
        }


def test_the_series_of_our_own_server_have_the_promised_names() -> None:
    assert set(OWN.recorded.values()) == COMMON_SERIES


def test_recorded_series_of_raw_samples_are_right(tmp_path: Path) -> None:
    """Two replicas, one failing a tenth, and an error-free model: rate, ratio and quantile over both replicas."""
    written(render([(DIGITS, OWN)], ()), tmp_path)
    where = 'endpoint="/predict",job="serving",model="digits",service="vision"'
    buckets = {"0.1": 540, "0.5": 570, "+Inf": 600}
    samples = [
        (f'ai_requests_total{{{where},instance="a",status="200"}}', 540),
        (f'ai_requests_total{{{where},instance="a",status="503"}}', 60),
        (f'ai_requests_total{{{where},instance="b",status="200"}}', 600),
        (f'ai_requests_total{{{where.replace("digits", "calm")},instance="a",status="200"}}', 60),
        *(
            (f'ai_request_duration_seconds_bucket{{{where},instance="{instance}",le="{le}"}}', count)
            for instance in "ab"
            for le, count in buckets.items()
        ),
    ]
    expected: dict[str, dict[str, float]] = {
        "service_model:ai_requests:rate5m": {"digits": 20, "calm": 1},
        "service_model:ai_request_errors:ratio_rate5m": {"digits": 0.05, "calm": 0},
        "service_model:ai_request_duration_seconds:p95_rate5m": {"digits": 0.5},
    }
    (tmp_path / "raw_test.yml").write_text(
        yaml.safe_dump(
            {
                "rule_files": ["recorded-trimtab-serving.rules.yml"],
                "evaluation_interval": "1m",
                "tests": [
                    {
                        "interval": "1m",
                        "input_series": [{"series": name, "values": f"0+{step}x10"} for name, step in samples],
                        "promql_expr_test": [
                            {
                                "expr": name,
                                "eval_time": "10m",
                                "exp_samples": [
                                    {"labels": f'{name}{{service="vision",model="{model}"}}', "value": value}
                                    for model, value in values.items()
                                ],
                            }
                            for name, values in expected.items()
                        ],
                    }
                ],
            }
        ),
        encoding="utf-8",
    )
    accepted("promtool", "test", "rules", tmp_path / "raw_test.yml")


def test_a_budget_is_held_against_the_part_of_the_month_that_is_over(tmp_path: Path) -> None:
    """Half-way through January 55 % of a budget may be spent: 54 % is quiet, 56 % fires, and so does more than all.

    Whichever pod of Trimtab tells it, it is the same alert.
    """
    alert = 'ALERTS{alertname="TrimtabCostOverBudget",team="ml",pod="",alertstate="firing"}'
    written(render((), (), EVERYTHING), tmp_path)
    for at, spent, fires in (("15d12h", 540, 0), ("15d12h", 560, 1), ("30d12h", 1001, 1), ("30d12h", 999, 0)):
        series = {"trimtab_spend_month_to_date_usd": spent, "trimtab_budget_usd_per_month": 1000}
        content = {
            "rule_files": ["trimtab-fleet.rules.yml"],
            "evaluation_interval": "6h",
            "tests": [
                {
                    "interval": "1h",
                    "input_series": [
                        {"series": f'{name}{{team="ml",pod="trimtab-0"}}', "values": f"{usd}x744"}
                        for name, usd in series.items()
                    ],
                    "promql_expr_test": [
                        {
                            "expr": f"count({alert}) or vector(0)",
                            "eval_time": at,
                            "exp_samples": [{"labels": "{}", "value": fires}],
                        }
                    ],
                }
            ],
        }
        (tmp_path / "budget_test.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
        accepted("promtool", "test", "rules", tmp_path / "budget_test.yml")


def test_order_of_the_arguments_does_not_matter() -> None:
    assert render(FLEET, ()) == render(tuple(reversed(FLEET)), ())


def test_a_name_with_quotes_unicode_newlines_and_templates_survives() -> None:
    """The label that Prometheus attaches is the workload's id, character by character.

    That it really does, its templates run, is what `test_every_generated_unit_test_passes` has promtool say.
    """
    tests = next(a.text for a in render([(ODD, OWN)], ()) if a.path.match("workload-*_test.yml"))
    fired = [
        case["exp_alerts"][0]["exp_labels"]
        for test in yaml.safe_load(tests)["tests"]
        if (case := test["alert_rule_test"][0])["exp_alerts"]
    ]
    assert fired
    assert all(labels["workload"] == ODD_NAME and labels["team"] == "{{team}}" for labels in fired)


def test_alerts_follow_the_workloads_own_objectives() -> None:
    strict = replace(DIGITS, slo=Slo(attainment=0.9999, latency=timedelta(milliseconds=80), min_accuracy=0.97))
    text = "\n".join(artifact.text for artifact in render([(strict, OWN)], ()))
    assert "> 0.08\n" in text
    assert "< 0.97\n" in text
    assert "> 0.00144\n" in text


def test_a_burn_rate_that_no_ratio_can_reach_is_not_emitted() -> None:
    """At 90 % the fast window would have to see 144 % of requests fail; the next window still can fire."""
    loose = replace(DIGITS, slo=Slo(attainment=0.9))
    hopeless = replace(DIGITS, slo=Slo(attainment=0.01))
    burn = next(
        rule["expr"]
        for artifact in render([(loose, OWN)], ())
        if artifact.path.name.endswith(".rules.yml") and artifact.path.name.startswith("workload-")
        for rule in rules_of(artifact.text)
        if rule["alert"] == "TrimtabErrorBudgetBurnFast"
    )
    assert "rate1h" not in burn
    assert "rate6h" in burn
    assert "TrimtabErrorBudgetBurnFast" not in alert_names(hopeless)


def test_silence_of_a_workload_that_may_be_at_zero_is_no_alert() -> None:
    assert "TrimtabTelemetryMissing" in alert_names(DIGITS)
    assert "TrimtabTelemetryMissing" in alert_names(DIGITS, mode=ServingMode.DEDICATED)
    assert "TrimtabTelemetryMissing" not in alert_names(DIGITS, mode=ServingMode.SERVERLESS)
    assert "TrimtabTelemetryMissing" not in alert_names(with_bounds(DIGITS, Bounds(min_replicas=0)))


def test_a_signal_that_a_runtime_lacks_brings_no_alert() -> None:
    mute = replace(OWN, expressions={Signal.REQUEST_RATE: OWN.expressions[Signal.REQUEST_RATE]})
    assert alert_names(DIGITS, mute) == {"TrimtabTelemetryMissing"}


def test_a_workload_without_its_identity_labels_is_refused() -> None:
    nameless = Workload(id="w", runtime=OWN.name, labels={"service": "s"})
    with pytest.raises(ValueError, match="'w' has no label 'model'"):
        render([(nameless, OWN)], ())


def test_settings_reach_the_rules() -> None:
    options = RuleOptions(runbook_base_url="https://docs.example/run/", error_ratio=0.2, min_requests=7)
    text = "\n".join(artifact.text for artifact in render([(DIGITS, OWN)], (), options))
    assert "https://docs.example/run/TrimtabErrorRatioHigh.md" in text
    assert "> 0.2\n" in text
    assert "* 300 >= 7\n" in text


def test_every_alert_says_what_a_reader_needs() -> None:
    for artifact in render(FLEET, ()):
        if not artifact.path.name.endswith(".rules.yml"):
            continue
        for rule in yaml.safe_load(artifact.text)["groups"][0]["rules"]:
            if "alert" not in rule:
                continue
            assert re.fullmatch(r"Trimtab[A-Z][A-Za-z]+", rule["alert"])
            assert rule["labels"]["severity"] in {"critical", "warning", "info"}
            assert re.fullmatch(r"[A-Z][^{]*\.", rule["annotations"]["summary"])
            assert "{{" not in str({name: rule["labels"][name] for name in ("severity", "category")})
            assert rule["annotations"]["description"]


def test_another_quantile_of_latency_is_recorded_and_alerted_on() -> None:
    texts = {artifact.path.name: artifact.text for artifact in render([(LLAMA, VLLM)], ())}
    recorded = {rule["record"]: rule["expr"] for rule in rules_of(texts["objectives-vllm.rules.yml"])}
    name = VLLM.recorded[Signal.LATENCY].replace("p95", "p90")
    buckets = "model_name_le:vllm_e2e_request_latency_seconds_bucket:rate5m"
    assert recorded[name] == f"histogram_quantile(0.9, {buckets})"
    assert recorded[buckets] == VLLM.bucket_rates(Signal.LATENCY, {})
    alert = rules_of(next(text for file, text in texts.items() if file.startswith("workload-")))[0]
    assert alert["expr"].startswith(f'{name}{{model_name="meta/llama"}} > 8')


def test_an_ecs_service_has_no_autoscaler_of_kubernetes() -> None:
    """What it may have at most is what the settings allow."""
    service = replace(LLAMA, target=ScaleTarget(kind="EcsService", name="llama"))
    texts = [each.text for each in render([(service, VLLM)], ()) if each.path.name.endswith(".rules.yml")]
    assert any("vector(6)" in text for text in texts)
    assert not any("kube_horizontalpodautoscaler" in text for text in texts)
