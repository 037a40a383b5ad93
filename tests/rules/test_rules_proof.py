"""What a rule says of its own past: in words, beside the rule, and by how loud it may then be."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from domain.unknown import Unknown
from rules import Episode, Proof, Proofs, Reading, RuleOptions, render
from rules.alerts import of_fleet, of_workload
from rules.model import Alert, Subject
from rules.proof import KNOWN, emitted, fingerprint, noise, told
from tests.golden_files import assert_golden
from tests.rules.fleet import DIGITS, LLAMA, OWN, VLLM, accepted, written

END = datetime(2026, 1, 15, 12, tzinfo=UTC)
START = END - timedelta(days=14)
OPTIONS = RuleOptions()


def alert(name: str) -> Alert:
    subject = Subject(workload=DIGITS, profile=OWN, recommendation=None, options=OPTIONS)
    return next(each for each in (*of_workload(subject), *of_fleet(OPTIONS)) if each.name == f"Trimtab{name}")


def episodes(count: int, **labels: str) -> tuple[Episode, ...]:
    """One every five hours, the first for ten minutes, each ten minutes longer than the one before."""
    return tuple(
        Episode(
            start=START + n * timedelta(hours=5),
            end=START + n * timedelta(hours=5) + (n + 1) * timedelta(minutes=10),
            labels=labels,
        )
        for n in range(count)
    )


def proof(name: str, found: tuple[Episode, ...] = (), known: float = 1.0) -> Proof:
    rule = fingerprint(alert(name))
    return Proof(rule=rule, start=START, end=END, known=known, reading=Reading.METRICS, episodes=found)


@pytest.mark.parametrize(
    "count,known,text",
    [
        (0, 1.0, "would not have fired in the 14 days to 2026-01-15 12:00 UTC"),
        (0, 0.5, "would not have fired in the known 50% of the 14 days to 2026-01-15 12:00 UTC"),
        (1, 1.0, "would have fired 1 time in the 14 days to 2026-01-15 12:00 UTC: 2026-01-01 12:00 for 10 min"),
        (0, 0.0654, "would not have fired in the known 22 h of the 14 days to 2026-01-15 12:00 UTC"),
        (
            7,
            1.0,
            (
                "would have fired 7 times in the 14 days to 2026-01-15 12:00 UTC: 2026-01-01 22:00 for 30 min, "
                "2026-01-02 03:00 for 40 min, 2026-01-02 08:00 for 50 min, 2026-01-02 13:00 for 60 min, "
                "2026-01-02 18:00 for 70 min (2 before these)"
            ),
        ),
    ],
)
def test_a_proof_in_words(count: int, known: float, text: str) -> None:
    assert told(proof("LatencyHigh", episodes(count), known)) == text


def test_one_rule_for_many_workloads_names_them() -> None:
    assert told(proof("InputStale", episodes(1, workload="a:b", signal="latency"))).endswith(
        ": latency/a:b 2026-01-01 12:00 for 10 min"
    )
    assert told(Unknown("it is away")) == "not known: it is away"


@pytest.mark.parametrize(
    "name,count,severity,noisy",
    [
        ("LatencyHigh", 2, "critical", None),  # once a week is allowed
        (
            "LatencyHigh",
            3,
            "warning",
            "fires 1.5 times a week, more than the 1 that are allowed a critical alert; lowered to warning",
        ),
        ("ForecastOverCapacity", 6, "warning", None),
        (
            "ForecastOverCapacity",
            7,
            "info",
            "fires 3.5 times a week, more than the 3 that are allowed a warning alert; lowered to info",
        ),
        (
            "ErrorBudgetBurnFast",
            3,
            "critical",
            (
                "fires 1.5 times a week, more than the 1 that are allowed a critical alert; "
                "it stays critical, for each time a promise to users is broken"
            ),
        ),
    ],
)
def test_a_rule_that_fires_too_often_is_marked_and_lowered_unless_users_saw_each_time(
    name: str, count: int, severity: str, noisy: str | None
) -> None:
    found = emitted(alert(name), DIGITS.id, {(DIGITS.id, f"Trimtab{name}"): proof(name, episodes(count))}, OPTIONS)
    assert (found.alert.severity, found.annotations.get("noise")) == (severity, noisy)


def test_a_short_history_counts_as_a_week_and_each_workload_by_itself() -> None:
    one_day = 1 / 14
    assert noise(alert("LatencyHigh"), proof("LatencyHigh", episodes(1), one_day), OPTIONS) is None
    assert noise(alert("LatencyHigh"), proof("LatencyHigh", episodes(2), one_day), OPTIONS) is not None
    many = tuple(each for n in range(9) for each in episodes(2, workload=f"w{n}"))
    assert noise(alert("InputStale"), proof("InputStale", many), OPTIONS) is None
    assert noise(alert("InputStale"), proof("InputStale", episodes(9, workload="w")), OPTIONS) is not None


@given(count=st.integers(0, 40), known=st.floats(0.01, 1.0), bound=st.floats(0.1, 20.0))
def test_a_proof_only_ever_lowers_a_severity(count: int, known: float, bound: float) -> None:
    loudness = ["info", "warning", "critical"]
    options = replace(OPTIONS, most_a_week={"critical": bound, "warning": bound})
    for name in ("LatencyHigh", "ErrorBudgetBurnFast", "ForecastOverCapacity"):
        before = alert(name)
        proofs = {(DIGITS.id, before.name): proof(name, episodes(count), known)}
        after = emitted(before, DIGITS.id, proofs, options)
        assert loudness.index(after.alert.severity) <= loudness.index(before.severity)
        assert (after.alert.severity == before.severity) or "noise" in after.annotations
        assert ("known" in after.annotations["proof"]) == (known < KNOWN)


def test_of_another_rule_a_proof_says_nothing() -> None:
    changed = replace(alert("LatencyHigh"), wait=timedelta(minutes=7))
    found = emitted(changed, DIGITS.id, {(DIGITS.id, changed.name): proof("LatencyHigh", episodes(40))}, OPTIONS)
    assert found.alert.severity == "critical"
    assert found.annotations == {"proof": "not known: the rule has changed since it was replayed"}


def some_proofs() -> Proofs:
    odd = 'q"uo{{ $value }}|\nte'
    return {
        (DIGITS.id, "TrimtabLatencyHigh"): proof("LatencyHigh", episodes(6)),
        (DIGITS.id, "TrimtabErrorRatioHigh"): proof("ErrorRatioHigh"),
        (DIGITS.id, "TrimtabErrorBudgetBurnFast"): proof("ErrorBudgetBurnFast", episodes(3)),
        (DIGITS.id, "TrimtabTelemetryMissing"): Unknown("Prometheus is away"),
        ("", "TrimtabInputStale"): proof("InputStale", episodes(1, workload=odd, signal="latency"), 0.4),
    }


def test_rules_with_proofs_are_their_golden_files_and_still_pass_their_tests(
    tmp_path: Path, prometheus_installed: None
) -> None:
    artifacts = render([(DIGITS, OWN)], (), OPTIONS, some_proofs())
    texts = {artifact.path.name: artifact.text for artifact in artifacts}
    for name in ("proof.md", "proof.json", "workload-vision-digits-3e8e8767.rules.yml"):
        assert_golden(f"rules/proved/{name}", texts[name])
    files = written(artifacts, tmp_path)
    accepted(
        "promtool", "check", "rules", "--lint=all", "--lint-fatal", *(f for f in files if f.name.endswith(".rules.yml"))
    )
    accepted("promtool", "test", "rules", *(f for f in files if f.name.endswith("_test.yml")))


def test_the_same_is_said_to_programs() -> None:
    texts = {each.path.name: each.text for each in render([(DIGITS, OWN), (LLAMA, VLLM)], (), OPTIONS, some_proofs())}
    rows = {(row["workload"], row["alert"]): row for row in json.loads(texts["proof.json"])["alerts"]}
    high = rows[DIGITS.id, "TrimtabLatencyHigh"]
    assert (high["fired"], high["severity"], high["known"], high["unknown"]) == (6, "warning", 1.0, None)
    assert high["episodes"][0] == {"from": "2026-01-01T12:00:00Z", "until": "2026-01-01T12:10:00Z", "labels": {}}
    missing = rows[DIGITS.id, "TrimtabTelemetryMissing"]
    assert (missing["fired"], missing["unknown"]) == (None, "Prometheus is away")
    assert rows[LLAMA.id, "TrimtabLatencyHigh"]["unknown"] == "it was not replayed yet"
    assert rows[None, "TrimtabInputStale"]["known"] == 0.4


def test_without_proofs_rules_say_nothing_of_their_past() -> None:
    for artifact in render([(DIGITS, OWN)], ()):
        assert not artifact.path.name.startswith("proof")
        if artifact.path.name.endswith(".rules.yml"):
            for group in yaml.safe_load(artifact.text)["groups"]:
                assert not any("proof" in rule.get("annotations", {}) for rule in group["rules"])
