"""The API: the shapes of INTERFACES, problems for every error, pages that lose nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.unknown import Unknown
from domain.workload import ServingMode
from rules import Episode, Proof, Proofs, Reading
from tests.fakes.recommendations import NOON, a_hold, a_record, an_act, an_alert
from tests.trimtab.served import PROBLEM, Served, serving
from trimtab.api.paging import write_cursor
from trimtab.bookkeeping import events_of
from trimtab.present import OF_A_PROPOSAL, recommendation_body
from trimtab.records import Held, Status
from trimtab.store.journal import CostSample, CycleNote, StoredReport

HOUR = timedelta(hours=1)


def test_a_recommendation_has_everything_that_was_promised(served: Served) -> None:
    body = served.get(f"/recommendations/{an_act().id}")
    assert body["id"] == an_act().id
    assert (body["workload"], body["kind"], body["status"]) == ("shop:ranker", "act", "open")
    assert (body["created_at"], body["valid_until"]) == ("2026-03-02T12:00:00Z", "2026-03-02T18:00:00Z")
    assert body["current"] == {
        "replicas": 8, "mean_replicas": 8.0, "mode": "dedicated", "offer": "m5.large", "usd_per_month": 560.64,
        "machines": 8, "replicas_per_machine": 1, "purchase": {"reserved": 0.0, "on_demand": 8.0, "spot": 0.0},
    }  # fmt: skip
    assert (body["proposed"]["replicas"], body["proposed"]["usd_per_month"], body["replicas"]) == (5, 350.4, 5)
    assert (body["saving_usd_per_month"], body["saving_low"], body["confidence"]) == (210.24, 105.12, 0.9)
    assert body["saving_high"] == pytest.approx(231.264)
    assert body["reasons"][2] == {"code": "step_down", "detail": "at most half at once", "before": "3", "after": "5"}
    topics = {
        "forecast", "backtest", "replay", "capacity", "prices", "break_even", "allocation", "anomalies", "sharing",
    }  # fmt: skip
    assert body["evidence"].keys() == topics | {"inputs_sha256"}
    assert body["price_age_days"] == 60
    assert body["unknown"] == {"allocation": "the version that decided did not say what a replica should ask for"}


def test_what_is_not_known_is_null_with_its_reason(served: Served) -> None:
    hold = served.get(f"/recommendations/{a_hold().id}")
    assert (hold["replicas"], hold["current"], hold["proposed"], hold["saving_usd_per_month"]) == (None,) * 4
    assert hold["unknown"]["replicas"] == "there was no recommendation before"
    assert hold["needs"] == "more history of the load"
    act = served.get("/recommendations", workload="org/llama 3:ü")["items"][0]
    assert act["saving_usd_per_month"] is None
    assert act["unknown"]["saving_usd_per_month"] == "what runs today is not known"
    figures = (*OF_A_PROPOSAL, "replicas", "current", "price_age_days")
    for body in (hold, act):
        assert {name for name in figures if body[name] is None} == body["unknown"].keys() & set(figures)


def test_replicas_without_machines_of_their_own_have_no_number_of_machines() -> None:
    body = recommendation_body(a_record(an_act(mode=ServingMode.SHARED)), NOON)
    assert (body["proposed"]["replicas"], body["proposed"]["machines"]) == (5, None)
    assert body["unknown"]["proposed.machines"] == "its hosts are shared with other workloads"


def test_every_time_has_the_form_of_the_others() -> None:
    """Also those that the evidence keeps in another, and those in a sentence."""
    told: Any = {"load": {"now": {"unknown": "thin"}, "episode": {"at": NOON.isoformat(), "score": 2.5}}}
    placement = {"declined_until": NOON.isoformat(), "seats": [], "why": "dismissed"}
    evidence = replace(an_act().evidence, anomalies=told, sharing={"placement": placement})
    record = a_record(replace(an_act(), evidence=evidence))
    body = recommendation_body(record, NOON + 7 * HOUR)
    assert body["evidence"]["anomalies"]["load"]["episode"]["at"] == "2026-03-02T12:00:00Z"
    assert body["evidence"]["sharing"]["placement"]["declined_until"] == "2026-03-02T12:00:00Z"
    assert body["unknown"]["replicas"] == "the last recommendation was valid until 2026-03-02T18:00:00Z"
    [told_of] = [event for event in events_of([record], {}, NOON + 7 * HOUR) if event.key.startswith("expired")]
    assert told_of.detail == "The last one was valid until 2026-03-02T18:00:00Z."
    dismissed = replace(record, decision=Status.DISMISSED, decided_at=NOON)
    assert (
        recommendation_body(dismissed, NOON)["unknown"]["replicas"]
        == "the proposal was dismissed at 2026-03-02T12:00:00Z"
    )
    assert "+00:00" not in json.dumps(body)


def test_the_list_is_filtered_and_sorted(served: Served) -> None:
    def names(**parameters: Any) -> list[str]:
        return [item["workload"] for item in served.get("/recommendations", **parameters)["items"]]

    assert names()[:2] == ["shop:ranker", "z"]
    assert names(sort="workload") == ["org/llama 3:ü", "shop:ranker", "shop:young", "z"]
    assert names(kind="hold") == ["shop:young"]
    assert names(min_saving=10) == ["shop:ranker"]
    assert names(status="expired") == []
    served.now = NOON + 7 * HOUR
    assert len(names(status="expired")) == 4


@pytest.mark.parametrize("sort", ["workload", "created_at", "saving_usd_per_month"])
def test_pages_give_each_item_once(served: Served, sort: str) -> None:
    seen, cursor = [], None
    while True:
        page = served.get("/recommendations", sort=f"-{sort}", limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [item["workload"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == 4
    assert set(seen) == {"z", "shop:young", "shop:ranker", "org/llama 3:ü"}
    if sort == "workload":
        assert seen == ["z", "shop:young", "shop:ranker", "org/llama 3:ü"]


@pytest.mark.parametrize(
    "sort,value", [("created_at", "noon"), ("created_at", 1), ("saving_usd_per_month", "x"), ("workload", [1])]
)
def test_a_cursor_with_a_made_up_place_is_refused(served: Served, sort: str, value: object) -> None:
    cursor = write_cursor((value, "id"), None, None, None, None, sort)
    answer = served.client.get("/recommendations", params={"sort": sort, "cursor": str(cursor)})
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)


@pytest.mark.parametrize(
    "cursor", ["nonsense", "AAAA", "W10", "bnVsbA", "ü", "eyJhIjoxfQ", "W1siYSJdLCAxLCAyXQ"]
)  # not base64, no JSON, [], null, no ASCII, an object, a list as its mark
@pytest.mark.parametrize("path", ["/recommendations", "/workloads", "/costs", "/savings", "/reports"])
def test_a_cursor_that_was_never_given_out_is_refused(served: Served, path: str, cursor: str) -> None:
    answer = served.client.get(path, params={"cursor": cursor})
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert "cursor" in answer.json()["detail"]


def test_a_body_of_any_size_is_not_read(served: Served) -> None:
    answer = served.client.post(
        "/alerts/webhook", content=b"[" * 5_000_000, headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)


def test_a_cursor_belongs_to_its_question(served: Served) -> None:
    cursor = served.get("/recommendations", limit=1)["next"]
    answer = served.client.get("/recommendations", params={"limit": 1, "cursor": cursor, "kind": "act"})
    assert answer.status_code == 422
    assert "another question" in answer.json()["detail"]


@pytest.mark.parametrize(
    "method,path,status",
    [
        ("GET", "/nothing", 404),
        ("GET", "/recommendations/none", 404),
        ("GET", "/workloads/none", 404),
        ("GET", "/workloads/shop:young/forecast", 404),
        ("GET", "/workloads/shop:young/replay", 404),
        ("GET", "/reports/2026-01-01", 404),
        ("GET", "/reports/2026-01-01.csv", 404),
        ("GET", "/reports/yesterday", 422),
        ("GET", "/recommendations?limit=0", 422),
        ("GET", "/recommendations?kind=both", 422),
        ("GET", "/recommendations?min_saving=nan", 422),
        ("GET", "/costs?since=2026-03-02&until=2026-03-01", 422),
        ("GET", "/savings?from=2026-03-02&to=2026-03-01", 422),
        ("GET", "/savings?from=yesterday", 422),
        ("DELETE", "/recommendations", 405),
        ("POST", "/recommendations/none/accept", 404),
        ("POST", "/alerts/webhook", 422),
    ],
)
def test_every_error_is_a_problem(served: Served, method: str, path: str, status: int) -> None:
    answer = served.client.request(method, path)
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert (body["status"], body["instance"]) == (status, path.partition("?")[0])
    assert body["title"]
    assert body["detail"]
    assert status != 405 or "GET" in answer.headers["allow"]


def test_accepting_and_dismissing_are_remembered(served: Served) -> None:
    act = an_act().id
    assert served.client.post(f"/recommendations/{act}/accept").json()["status"] == "accepted"
    assert served.get(f"/recommendations/{act}")["status"] == "accepted"
    assert served.client.post(f"/recommendations/{act}/dismiss").json()["status"] == "dismissed"
    assert served.client.post(f"/recommendations/{a_hold().id}/accept").status_code == 409
    served.now = NOON + 7 * HOUR
    refused = served.client.post(f"/recommendations/{act}/accept")
    assert refused.status_code == 409
    assert "expired" in refused.json()["detail"]


def test_who_accepts_or_dismisses_may_give_a_name(served: Served) -> None:
    act = an_act().id
    accepted = served.client.post(f"/recommendations/{act}/accept", params={"by": "Maria"}).json()
    assert (accepted["status"], accepted["decided_by"]) == ("accepted", "Maria")
    again = served.client.post(f"/recommendations/{act}/accept", params={"by": "Tom"}).json()
    assert again["decided_by"] == "Maria", "said again it is no new decision"
    dismissed = served.client.post(f"/recommendations/{act}/dismiss").json()
    assert (dismissed["status"], dismissed["decided_by"]) == ("dismissed", None)
    assert served.client.post(f"/recommendations/{act}/accept", params={"by": ""}).status_code == 422


def test_the_last_good_is_shown_held_with_its_age(served: Served) -> None:
    served.recommendations.hold(["shop:ranker"], Held(since=NOON + HOUR, reason="Prometheus: refused"))
    served.now = NOON + 2 * HOUR
    body = served.get("/recommendations", workload="shop:ranker")["items"][0]
    assert (body["status"], body["age_seconds"], body["replicas"]) == ("held", 7200, 5)
    assert body["held"] == {"since": "2026-03-02T13:00:00Z", "reason": "Prometheus: refused"}


def test_workloads_are_listed_even_those_that_are_gone(served: Served) -> None:
    page = served.get("/workloads", limit=3)
    assert [item["id"] for item in page["items"]] == ["org/llama 3:ü", "shop:ranker", "shop:young"]
    assert page["items"][1]["team"] == "shop"
    assert page["items"][1]["input_age_seconds"] == {"request_rate": 60.0}
    assert page["items"][2]["runtime"] is None
    assert served.get("/workloads", limit=3, cursor=page["next"])["items"][0]["id"] == "z"


@pytest.mark.parametrize("name", ["shop:ranker", "org/llama 3:ü"])
def test_a_workload_is_found_by_any_name(served: Served, name: str) -> None:
    assert served.get(f"/workloads/{name}")["id"] == name
    forecast = served.get(f"/workloads/{name}/forecast")
    assert (forecast["workload"], forecast["forecast"]["model"]) == (name, "combined")
    assert forecast["backtest"]["scoreboard"][0]["mae"] == 1.5
    replay = served.get(f"/workloads/{name}/replay")
    assert (replay["workload"], replay["replay"]["rows"][0]["usd"]) == (name, 3.5)


def test_costs_of_days_and_what_is_not_known(served: Served) -> None:
    day = NOON.date()
    sample = CostSample(workload="a", current_usd_per_hour=2.0, proposed_usd_per_hour=Unknown("held"))
    served.journal.add_costs(day, [sample])
    served.journal.add_costs(day - timedelta(days=1), [sample])
    first = served.get("/costs", limit=1)
    assert first["items"][0] == {
        "day": "2026-03-01", "workload": "a", "usd": 48.0, "proposed_usd": None, "covered": None,
        "unknown": {"proposed_usd": "no cycle of that day knew it", "covered": "no cycle of that day is remembered"},
    }  # fmt: skip
    assert served.get("/costs", limit=1, cursor=first["next"])["items"][0]["day"] == "2026-03-02"
    assert len(served.get("/costs", since="2026-03-02")["items"]) == 1
    assert served.get("/costs", since="0001-01-01", until="0001-01-05")["items"] == []
    assert served.get("/costs", until="0001-01-05")["items"] == []


def test_reports_are_listed_and_shown(served: Served) -> None:
    for n in (1, 2, 3):
        report = StoredReport(
            day=date(2026, 3, n), generated_at=NOON, files={"html": f"<p>{n}</p>", "csv": f"n\n{n}\n"}
        )
        served.journal.keep_report(report)
    page = served.get("/reports", limit=2)
    assert [item["date"] for item in page["items"]] == ["2026-03-03", "2026-03-02"]
    assert [item["date"] for item in served.get("/reports", limit=2, cursor=page["next"])["items"]] == ["2026-03-01"]
    html = served.client.get(page["items"][0]["html"])
    assert (html.text, html.headers["content-type"]) == ("<p>3</p>", "text/html; charset=utf-8")
    assert "default-src 'none'" in html.headers["content-security-policy"]
    assert served.client.get(page["items"][0]["csv"]).text == "n\n3\n"


def test_alertmanagers_webhook_is_taken_in_and_shown(served: Served) -> None:
    alert = {
        "status": "firing", "labels": {"alertname": "TrimtabInputStale"}, "annotations": {"summary": "s"}, "fingerprint": "abc",
        "startsAt": "2026-03-02T11:58:00.5Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "",
    }  # fmt: skip
    payload = {"version": "4", "status": "firing", "receiver": "trimtab", "alerts": [alert], "groupKey": "{}"}
    assert served.client.post("/alerts/webhook", json=payload).json() == {"received": 1}
    payload["alerts"] = [alert | {"status": "resolved", "endsAt": "2026-03-02T11:59:00Z"}]
    served.client.post("/alerts/webhook", json=payload)
    (shown,) = served.get("/alerts")["items"]
    assert (shown["status"], shown["alert"]) == ("resolved", "TrimtabInputStale")
    assert (shown["starts_at"], shown["ends_at"]) == ("2026-03-02T11:58:00Z", "2026-03-02T11:59:00Z")
    assert served.client.post("/alerts/webhook", json=payload | {"alerts": [alert] * 10_001}).status_code == 422


def test_alerts_stand_beside_the_recommendation_of_their_workload(served: Served) -> None:
    item = served.get("/recommendations")["items"][0]
    served.journal.keep_alerts([an_alert(str(n), NOON, workload=item["workload"], alertname="A") for n in range(7)])
    served.journal.keep_alerts([an_alert("other", workload="another", alertname="B")])
    for body in (served.get(f"/recommendations/{item['id']}"), served.get("/recommendations")["items"][0]):
        assert [alert["alert"] for alert in body["alerts"]] == ["A"] * 5
        assert body["alerts"][0] | {"severity": None} == {
            "alert": "A", "severity": None, "status": "firing", "starts_at": "2026-03-02T12:00:00Z", "ends_at": None,
            "summary": "Requests are failing.", "description": None,
        }  # fmt: skip
    assert "Alert for 0 s: Requests are failing." in served.client.get("/").text


def test_proofs_of_rules_are_listed_page_by_page(served: Served) -> None:
    episode = Episode(start=NOON - HOUR, end=NOON, labels={})
    proof = Proof(rule="r", start=NOON - 48 * HOUR, end=NOON, known=1.0, reading=Reading.RECORDED, episodes=(episode,))
    proofs: Proofs = {("", "TrimtabDown"): Unknown("away"), ("a:b", "TrimtabLatencyHigh"): proof}
    served.proofs.keep(proofs, at=NOON, only=frozenset(proofs))
    first = served.get("/alerts/proofs", limit=1)
    (second,) = served.get("/alerts/proofs", limit=1, cursor=first["next"])["items"]
    assert (first["items"][0]["workload"], first["items"][0]["unknown"]) == (None, "away")
    assert (second["fired"], second["known"], second["rests_on"]) == (1, 1.0, "recorded")
    assert second["episodes"] == [{"from": "2026-03-02T11:00:00Z", "until": "2026-03-02T12:00:00Z", "labels": {}}]
    assert served.get("/alerts/proofs", workload="a:b")["items"] == [second]


def test_probes_wait_for_the_first_cycle(tmp_path: Path) -> None:
    with serving(tmp_path / "empty.db") as fresh:
        assert fresh.get("/health") == {"status": "alive"}
        for path in ("/ready", "/startup"):
            answer = fresh.client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
            assert answer.headers["retry-after"] == "5"
        fresh.journal.note_cycle(CycleNote(at=NOON, duration_s=1, acts=0, holds=0, kept=0, failure="gone"))
        assert fresh.get("/ready") == {"status": "ready"}
        assert "There are no recommendations yet" in fresh.client.get("/").text


def test_a_store_that_fails_is_a_503_and_a_fault_of_ours_a_500_that_gives_nothing_away(tmp_path: Path) -> None:
    with serving(tmp_path / "trimtab.db") as broken:
        broken.recommendations._database.close()
        for file in tmp_path.glob("trimtab.db*"):
            file.unlink()
        (tmp_path / "trimtab.db").mkdir()
        answer = broken.client.get("/recommendations")
        assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
        assert "store" in answer.json()["detail"]
        assert broken.get("/health") == {"status": "alive"}

        @broken.app.get("/broken")
        def fault() -> None:
            raise ZeroDivisionError("secret")

        answer = broken.client.get("/broken")
        assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
        assert "secret" not in answer.text


def test_the_openapi_document_names_every_route_and_its_problems(served: Served) -> None:
    document = served.get("/openapi.json")
    routes = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    for wanted in [
        ("GET", "/recommendations"), ("GET", "/recommendations/{recommendation_id}"), ("GET", "/workloads"),
        ("POST", "/recommendations/{recommendation_id}/accept"), ("POST", "/recommendations/{recommendation_id}/dismiss"),
        ("GET", "/workloads/{workload_id}"), ("GET", "/workloads/{workload_id}/forecast"), ("GET", "/costs"), ("GET", "/savings"),
        ("GET", "/workloads/{workload_id}/replay"),
        ("GET", "/reports"), ("GET", "/reports/{day}"), ("GET", "/reports/{day}.csv"), ("POST", "/alerts/webhook"),
        ("GET", "/health"), ("GET", "/ready"), ("GET", "/startup"), ("GET", "/metrics"), ("GET", "/"),
    ]:  # fmt: skip
        assert wanted in routes
    for methods in document["paths"].values():
        for operation in methods.values():
            for status in ("405", "422", "500", "503"):
                assert PROBLEM in operation["responses"][status]["content"]


@given(st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_question_is_answered_as_the_document_says(served: Served, data: st.DataObject) -> None:
    paths = ["/recommendations", "/workloads", "/costs", "/savings", "/reports", "/alerts", "/alerts/proofs"]
    path = data.draw(st.sampled_from(paths))
    text = st.text(max_size=8)
    document = served.client.get("/openapi.json").json()
    names = [each["name"] for each in document["paths"][path]["get"].get("parameters", ())] + ["misspelt"]
    parameters = data.draw(st.dictionaries(st.sampled_from(names), text | st.integers().map(str), max_size=3))
    answer = served.client.get(path, params=parameters)
    described = document["paths"][path]["get"]["responses"][str(answer.status_code)]["content"]
    media = answer.headers["content-type"].split(";")[0]
    schema = described[media]["schema"] | {"components": document["components"]}
    jsonschema.validate(json.loads(answer.text), schema)
