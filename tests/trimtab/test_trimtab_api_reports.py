"""Every form of a report, and how far objectives have come, over HTTP."""

from __future__ import annotations

from base64 import b64encode
from datetime import date

from domain.unknown import Unknown
from tests.asgi_server import AsgiServer
from tests.fakes.recommendations import NOON
from tests.trimtab.served import Served
from trimtab.api.deps import Deps
from trimtab.app import create_app
from trimtab.month import Outlook, Spend
from trimtab.objectives import Progress
from trimtab.selfmetrics import registry_of
from trimtab.settings import ObjectiveSettings
from trimtab.store.journal import StoredReport

FILES = {
    "html": "<p>1</p>",
    "csv": "a\n1\n",
    "focus.csv": "BilledCost\n1\n",
    "focus.json": "{}\n",
    "pdf": b64encode(b"%PDF-1.7 \xff").decode(),
}


def test_a_report_is_served_in_every_form(served: Served) -> None:
    served.journal.keep_report(StoredReport(day=date(2026, 3, 1), generated_at=NOON, files=FILES))
    (item,) = served.get("/reports")["items"]
    kinds = {"focus": "text/csv; charset=utf-8", "focus_metadata": "application/json", "pdf": "application/pdf"}
    for name, kind in kinds.items():
        answer = served.client.get(item[name])
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert served.client.get(item["focus"]).text == "BilledCost\n1\n"
    assert served.client.get(item["pdf"]).content == b"%PDF-1.7 \xff"


def test_a_form_that_was_not_written_is_told_with_the_remedy(served: Served) -> None:
    """Reports of the version before have a page and a spreadsheet alone."""
    old = {name: FILES[name] for name in ("html", "csv")}
    served.journal.keep_report(StoredReport(day=date(2026, 3, 1), generated_at=NOON, files=old))
    answer = served.client.get("/reports/2026-03-01.pdf")
    assert answer.status_code == 404
    assert answer.json()["detail"] == (
        "the report of 2026-03-01 was written without pdf: `trimtab report --date 2026-03-01` writes it"
    )


def test_objectives_are_told_with_their_month(served: Served) -> None:
    assert served.get("/objectives") == {"items": [], "next": None}
    known = Progress(
        objective=ObjectiveSettings(
            team="vision", goal="less", owner="jo", stakeholders=("finance",), budget_usd_per_month=500
        ),
        month=date(2026, 3, 1),
        workloads=2,
        spend=Spend(usd=100.0, known=19, of=20),
        forecast=Outlook(usd=310.0, low=300.0, high=330.0, known=2, of=2),
        budget_left=400.0,
        attained=Unknown("no day of the month has been reported yet"),
        target=0.999,
        review_due=False,
    )
    app = create_app(
        Deps(
            recommendations=served.recommendations,
            journal=served.journal,
            proofs=served.proofs,
            clock=served.clock,
            registry=registry_of(served.recommendations, served.journal, served.clock),
            progress=lambda _now: (known,),
        )
    )
    with AsgiServer(app) as server:
        (item,) = server.client.get("/objectives").json()["items"]
    assert item == {
        "workload": None,
        "team": "vision",
        "goal": "less",
        "owner": "jo",
        "stakeholders": ["finance"],
        "month": "2026-03",
        "workloads": 2,
        "budget_usd_per_month": 500.0,
        "spend": {"usd": 100.0, "known_days": 19, "days": 20},
        "forecast": {"usd": 310.0, "low": 300.0, "high": 330.0, "known_workloads": 2, "workloads": 2},
        "budget_left_usd": 400.0,
        "target": 0.999,
        "attained": None,
        "review_on": None,
        "review_due": False,
        "unknown": {"attained": "no day of the month has been reported yet"},
    }
