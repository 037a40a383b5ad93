"""The exporter over HTTP: what is known is shown, what is not is absent, and memory is bounded."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from monitor.quality.__main__ import main
from tests.monitor_quality.conftest import AT_NOON, Export
from tests.servers import program


def test_accuracy_is_absent_until_there_is_enough_and_then_the_share_of_the_newest(export: Export) -> None:
    exporter = export(pairs=4, least_pairs=3)
    exporter.predict(*[(f"p{i}", i) for i in range(10)])
    assert exporter.tell(("p0", 0), ("p1", "1")).json() == {"joined": 2, "unmatched": []}
    assert exporter.value("ai_model_accuracy") is None
    assert exporter.value("ai_model_labelled_pairs") == 2
    exporter.tell(("p2", 7))
    assert exporter.value("ai_model_accuracy") == pytest.approx(2 / 3)
    exporter.tell(("p3", 7), ("p4", 7), ("p5", 7))
    assert exporter.value("ai_model_accuracy") == 0, "a real zero, of the newest four"
    assert exporter.value("ai_model_labelled_pairs") == 4
    assert exporter.value("ai_model_last_label_timestamp_seconds") == AT_NOON.timestamp()


def test_drift_is_absent_until_both_windows_are_full(export: Export) -> None:
    exporter = export(reference=20, current=20)
    exporter.predict(*[(f"r{i}", i % 2) for i in range(20)])
    exporter.predict(*[(f"c{i}", i % 2) for i in range(19)])
    assert exporter.value("ai_model_drift") is None
    assert exporter.http.get("/quality").json()["models"][0]["drift"] == {
        "unknown": "39 predictions, 40 are needed",
    }
    exporter.predict(("c19", 1))
    assert exporter.value("ai_model_drift") == 0
    exporter.predict(*[(f"d{i}", 0) for i in range(20)])
    drift = exporter.value("ai_model_drift")
    assert drift is not None
    assert drift > 0.25


def test_scores_and_features_drift_too_and_the_largest_is_shown(export: Export) -> None:
    exporter = export(reference=30, current=30)
    for i in range(60):
        feature = [i % 10, 0.0 if i < 30 else 1.0]
        exporter.predict((f"p{i}", "a"), score=(i % 10) / 10, features=feature)
    shown = exporter.http.get("/quality").json()["models"][0]["drift"]
    assert set(shown) == {"class", "score", "feature_0", "feature_1"}
    assert (shown["class"], shown["score"], shown["feature_0"]) == (0, 0, 0)
    assert exporter.value("ai_model_drift") == pytest.approx(shown["feature_1"])
    assert shown["feature_1"] > 1


def test_a_label_for_nothing_is_told_counted_and_can_be_sent_again(export: Export) -> None:
    exporter = export()
    assert exporter.tell(("early", 1)).json() == {"joined": 0, "unmatched": ["early"]}
    assert exporter.value("ai_quality_unmatched_labels_total", None) == 1
    exporter.predict(("early", 1))
    assert exporter.tell(("early", 1)).json() == {"joined": 1, "unmatched": []}
    assert exporter.tell(("early", 1)).json() == {"joined": 0, "unmatched": ["early"]}, "a label counts once"
    assert exporter.value("ai_model_labelled_pairs") == 1


def test_a_prediction_that_waits_is_not_taken_twice(export: Export) -> None:
    exporter = export()
    assert exporter.predict(("p", 1)).json() == {"accepted": 1, "already_waiting": []}
    assert exporter.predict(("p", 2), ("q", 2), ("q", 2)).json() == {"accepted": 1, "already_waiting": ["p", "q"]}
    assert exporter.value("ai_quality_predictions_total") == 2


def test_beyond_its_room_the_oldest_prediction_goes_and_is_counted(export: Export) -> None:
    exporter = export(pending=3)
    exporter.predict(*[(f"p{i}", 1) for i in range(5)])
    assert exporter.value("ai_quality_pending_predictions", None) == 3
    assert exporter.value("ai_quality_dropped_predictions_total") == 2
    assert exporter.tell(("p0", 1), ("p1", 1), ("p2", 1)).json() == {"joined": 1, "unmatched": ["p0", "p1"]}


def test_models_are_kept_apart_and_their_number_is_bounded(export: Export) -> None:
    exporter = export(workloads=2, least_pairs=1)
    exporter.predict(("a", 1))
    exporter.predict(("b", 1), model="faces")
    exporter.tell(("a", 1), ("b", 2))
    assert (exporter.value("ai_model_accuracy"), exporter.value("ai_model_accuracy", "faces")) == (1, 0)
    refused = exporter.predict(("c", 1), model="third")
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith("2 models are all there is room for; forget one")
    assert exporter.http.delete("/quality/vision/faces").status_code == 204
    assert exporter.value("ai_model_accuracy", "faces") is None
    assert exporter.predict(("c", 1), model="third").status_code == 200
    assert exporter.http.delete("/quality/vision/faces").status_code == 404


def test_a_forgotten_model_begins_anew(export: Export) -> None:
    exporter = export(reference=2, current=2)
    exporter.predict(("a", 1), ("b", 1))
    exporter.http.delete("/quality/vision/digits")
    assert exporter.tell(("a", 1)).json()["unmatched"] == ["a"]
    exporter.predict(("c", 2), ("d", 2), ("e", 2), ("f", 2))
    assert exporter.value("ai_model_drift") == 0


GOOD = {"id": "p", "service": "vision", "model": "digits", "label": 1}


@pytest.mark.parametrize(
    "path,body,told",
    [
        ("/predictions", [], "#: List should have at least 1 item"),
        ("/predictions", {}, "#: Input should be a valid list"),
        ("/predictions", [GOOD, {**GOOD, "id": ""}], "#/1/id: String should have at least 1 character"),
        ("/predictions", [{**GOOD, "label": 1.5}], "#/0/label"),
        ("/predictions", [{**GOOD, "label": None}], "#/0/label"),
        ("/predictions", [{**GOOD, "score": "high"}], "#/0/score"),
        ("/predictions", [{**GOOD, "features": ["a"]}], "#/0/features/0"),
        ("/predictions", [{**GOOD, "features": [1.0] * 129}], "#/0/features: List should have at most 128"),
        ("/predictions", [{**GOOD, "truth": 1}], "#/0/truth: Extra inputs are not permitted"),
        ("/predictions", [{"id": "p"}], "#/0/model: Field required"),
        (
            "/predictions",
            [{**GOOD, "features": [1.0]}, {**GOOD, "id": "q", "features": [1.0, 2.0]}],
            "prediction 'q': 2 features, this model's others have 1",
        ),
        ("/labels", [{"id": "p"}], "#/0/label"),
        ("/labels", [], "#: List should have at least 1 item"),
    ],
)
def test_bad_input_is_a_problem_that_names_it_and_nothing_of_it_is_taken(
    export: Export, path: str, body: Any, told: str
) -> None:
    exporter = export()
    answer = exporter.http.post(path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert told in answer.json()["detail"]
    assert answer.json()["status"] == 400
    assert exporter.value("ai_quality_pending_predictions", None) == 0
    assert exporter.value("ai_quality_predictions_total") is None


@pytest.mark.parametrize("body", [b"", b"{", b"[NaN]", b'[{"id": "a", "score": NaN}]', b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_a_problem(export: Export, body: bytes) -> None:
    answer = export().http.post("/predictions", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_what_is_too_large_or_not_there_is_a_problem(export: Export) -> None:
    http = export().http
    too_large = http.post("/labels", content=b" " * (16 * 1024 * 1024 + 1))
    absent = http.get("/nothing")
    assert (too_large.status_code, too_large.headers["content-type"]) == (413, "application/problem+json")
    assert (absent.status_code, absent.headers["content-type"]) == (404, "application/problem+json")


def test_prometheus_own_linter_has_no_complaint(export: Export, prometheus_installed: None) -> None:
    exporter = export(pairs=2, least_pairs=1, reference=1, current=1)
    exporter.predict(("a", 1), ("b", 1))
    exporter.tell(("a", 1))
    shown = exporter.http.get("/metrics").text
    for name in ("ai_model_accuracy", "ai_model_drift", "ai_model_labelled_pairs"):
        assert f'{name}{{model="digits",service="vision"}} ' in shown
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"], input=shown, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_an_exporter_without_data_shows_no_figure_and_is_healthy(export: Export) -> None:
    http = export().http
    assert [http.get(path).status_code for path in ("/health", "/ready")] == [200, 200]
    shown = http.get("/metrics").text
    assert "ai_model_accuracy{" not in shown
    assert "ai_model_drift{" not in shown
    assert "process_resident_memory_bytes" in shown


@pytest.mark.parametrize(
    "flags,told",
    [
        (["--pairs=0"], "pairs: 0 is too small; give at least 1"),
        (["--pairs=10"], "least_pairs: 50 is above pairs; give at most 10"),
        (["--reference=x"], "argument --reference: invalid int value: 'x'"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(
    flags: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(flags)
    except SystemExit as ended:  # how argparse ends a program
        code = int(str(ended.code))
    assert code == 2
    assert told in capsys.readouterr().err.splitlines()[-1]
