"""The life of a recommendation and the ledger, as the API tells them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from domain.ledger import Gap
from domain.unknown import Unknown
from domain.workload import ServingMode
from tests.fakes.ledger import NIGHT, a_night
from tests.fakes.recommendations import NOON, a_record, an_act
from tests.trimtab.served import PROBLEM, Served
from trimtab.following import Following

HOUR = timedelta(hours=1)


def test_only_the_newest_that_has_not_expired_can_be_decided_on(served: Served) -> None:
    """Whoever comes too late is told what to decide on instead."""
    old, new = an_act(), an_act(at=NOON + HOUR)
    served.client.post(f"/recommendations/{old.id}/accept")
    served.recommendations.keep([a_record(new)])
    served.now = NOON + HOUR
    for word in ("accept", "dismiss"):
        refused = served.client.post(f"/recommendations/{old.id}/{word}")
        assert (refused.status_code, refused.headers["content-type"]) == (409, PROBLEM)
        assert refused.json()["detail"] == f"{old.id} is superseded: decide on {new.id}, the newest"
    served.recommendations.retire(["shop:ranker"])
    assert "its workload is gone" in served.client.post(f"/recommendations/{new.id}/accept").json()["detail"]
    served.now = NOON + 7 * HOUR
    refused = served.client.post(f"/recommendations/{an_act('z').id}/dismiss")
    assert refused.status_code == 409
    assert "is expired: it was valid until 2026-03-02T18:00:00Z" in refused.json()["detail"]


def test_what_is_seen_to_run_is_shown_as_applied(served: Served) -> None:
    since = NOON - HOUR
    state = Following(mode=ServingMode.DEDICATED, offer="m5.large", first="earlier", since=since, last=NOON)
    served.recommendations.keep([replace(a_record(), following=state, applied_at=state.applied_at)])
    body = served.get(f"/recommendations/{an_act().id}")
    assert (body["status"], body["applied_at"], body["decided_at"]) == ("applied", "2026-03-02T11:00:00Z", None)
    assert [item["workload"] for item in served.get("/recommendations", status="applied")["items"]] == ["shop:ranker"]
    assert (
        'trimtab_recommendation_info{state="applied",workload="shop:ranker"} 1.0' in served.client.get("/metrics").text
    )
    accepted = served.client.post(f"/recommendations/{an_act().id}/accept").json()
    assert (accepted["status"], accepted["decided_at"]) == ("applied", "2026-03-02T12:00:00Z")


NOT_KEPT = {"price_age_days": "the recommendation is not kept any more"}


def test_a_promise_tells_how_old_its_prices_were_that_night(served: Served) -> None:
    """Of the first of January: 57 and 58 days before these nights; the sum has the oldest."""
    served.recommendations.keep([a_record()])
    nights = [a_night(NIGHT - timedelta(days=back), recommendation=an_act().id) for back in (3, 4)]
    served.journal.nights.add([*nights, a_night(NIGHT - timedelta(days=3), "z")], NOON)
    body = served.get("/savings")
    assert [(item["workload"], item["price_age_days"]) for item in body["items"]] == [
        ("shop:ranker", (NIGHT - timedelta(days=4) - date(2026, 1, 1)).days),
        ("shop:ranker", (NIGHT - timedelta(days=3) - date(2026, 1, 1)).days),
        ("z", None),
    ]
    assert body["totals"]["price_age_days"] == body["items"][1]["price_age_days"]
    assert body["totals"]["price_age_unknown_nights"] == 1


def some_nights(served: Served) -> None:
    """Three nights of one workload, of which one is not known, and one of another."""
    gone = Unknown("only 60% of the load is known")
    rows = [a_night(NIGHT - timedelta(days=back)) for back in (3, 2, 1)]
    rows[1] = replace(rows[1], realised_usd=gone, ran_usd=gone, gap=gone, missed_share=gone)
    rows.append(replace(a_night(NIGHT - timedelta(days=2), "z"), missed_share=0.002, worse=an_act().reasons[:1]))
    served.journal.nights.add(rows, NOON)


def test_a_night_of_the_ledger_has_everything(served: Served) -> None:
    some_nights(served)
    item = served.get("/savings")["items"][0]
    assert item == {
        "night": "2026-02-27", "workload": "shop:ranker", "recommendation": a_night().recommendation_id,
        "taken_up": {"at": "2026-02-28T12:00:00Z", "how": "accepted"},
        "promised_usd": 6.0, "baseline_usd": 18.0, "ran_usd": 13.0, "realised_usd": 5.0, "gap_usd": -1.0,
        "gap": {"load": -0.5, "price": -0.25, "capacity": 0.0, "not_applied": -0.25, "other": 0.0},
        "followed_share": 0.96875, "requests": 864000.0, "missed_share": 0.0002, "missed_before": 0.0004,
        "would_have_missed": 0.0, "budget": 0.001, "slo_held": True, "worse": [], "price_age_days": None, "unknown": NOT_KEPT,
    }  # fmt: skip


def test_totals_are_of_the_whole_question_and_leave_out_what_is_not_known(served: Served) -> None:
    some_nights(served)
    whole = served.get("/savings", limit=1)
    assert whole["totals"] == {
        "nights": 4, "known_nights": 3, "promised_usd": 18.0, "realised_usd": 15.0, "gap_usd": -3.0,
        "gap": {"load": -1.5, "price": -0.75, "capacity": 0.0, "not_applied": -0.75, "other": 0.0},
        "price_age_days": None, "price_age_unknown_nights": 4,
    }  # fmt: skip
    one = served.get("/savings", workload="z")
    assert (one["totals"]["nights"], [item["slo_held"] for item in one["items"]]) == (1, [False])
    assert one["items"][0]["worse"][0]["code"] == "forecast"
    assert served.get("/savings", **{"from": "2026-02-28", "to": "2026-02-28"})["totals"]["nights"] == 2
    assert served.get("/savings", to="2026-02-20")["totals"]["nights"] == 0


def test_a_night_that_is_not_known_is_null_with_its_reason_and_is_no_zero(served: Served) -> None:
    some_nights(served)
    item = served.get("/savings", workload="shop:ranker")["items"][1]
    assert (item["realised_usd"], item["gap"], item["gap_usd"], item["slo_held"]) == (None,) * 4
    why = "only 60% of the load is known"
    assert item["unknown"] == {"ran_usd": why, "realised_usd": why, "missed_share": why, "gap": why} | NOT_KEPT
    part = replace(
        a_night(NIGHT - timedelta(days=4)),
        gap=Gap(load=1.0, price=Unknown("x"), capacity=0.0, not_applied=0.0, other=-2.0),
    )
    served.journal.nights.add([part], NOON)
    shown = served.get("/savings")["items"][0]
    assert (shown["gap"]["price"], shown["gap_usd"], shown["unknown"]) == (None, -1.0, {"gap.price": "x"} | NOT_KEPT)


def test_pages_of_the_ledger_give_each_night_once(served: Served) -> None:
    some_nights(served)
    seen, cursor = [], None
    while True:
        page = served.get("/savings", limit=1, **({"cursor": cursor} if cursor else {}))
        seen += [(item["night"], item["workload"]) for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) == 4
