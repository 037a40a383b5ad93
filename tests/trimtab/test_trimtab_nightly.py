"""The nightly report from the store and the source: facts where there are any, reasons where there are none."""

from __future__ import annotations

import csv
import io
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import dashboards.report
from dashboards.report.aims import Range, Realised, Share
from dashboards.report.model import NightlyReport, PriceSource, WorkloadRow
from domain.errors import NoData
from domain.load import LoadHistory
from domain.plan import Evidence, Json
from domain.ports import Event
from domain.signals import Signal
from domain.unknown import Unknown
from domain.workload import Workload
from tests.fakes.ledger import a_night
from tests.fakes.recommendations import NOON, a_hold, a_record, a_workload, an_act, an_evidence
from trimtab.nightly import Nightly
from trimtab.objectives import Objectives
from trimtab.prices import bundled
from trimtab.settings import ObjectiveSettings
from trimtab.store.database import open_database
from trimtab.store.days import DayStore
from trimtab.store.journal import Alert, CostSample, CycleNote, Journal
from trimtab.store.recommendations import Recommendations

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TODAY = NOON.date()


class Source:
    """Two requests a second, 1 % of them failing, from 6 replicas; `known` hours of the day."""

    known = 24

    def __call__(self, _workload: Workload, signal: Signal, start: datetime, end: datetime) -> LoadHistory:
        values = {Signal.REQUEST_RATE: 2.0, Signal.ERROR_RATIO: 0.01, Signal.READY_REPLICAS: 6.0}
        if signal not in values:
            raise NoData("a fake source", f"holds no {signal.value}", "nothing to mend")
        assert end - start == DAY
        hours = np.full(24, values[signal])
        hours[self.known :] = np.nan
        return LoadHistory(start=start, step=HOUR, values=hours)


@pytest.fixture
def nightly(tmp_path: Path) -> Iterator[Nightly]:
    database = open_database(f"sqlite:///{tmp_path / 'trimtab.db'}")
    made = Nightly(
        recommendations=Recommendations(database),
        journal=Journal(database),
        objectives=Objectives(settings=(), journal=Journal(database), days=DayStore(database)),
        day_load=Source(),
        book=bundled(),
        render=dashboards.report.render,
        paper=lambda _report: Unknown("no paper in this test"),
        base_url="http://127.0.0.1:8000",
        keep_nights=400,
    )
    used: list[Json] = [
        {"what": "m5.large", "source": "a list", "as_of": "2026-01-01"},
        {"what": "x", "source": "mine", "as_of": None},
    ]
    evidence: Evidence = replace(an_evidence(), prices={"used": used})
    made.recommendations.keep([a_record(replace(an_act(), evidence=evidence)), a_record(a_hold())])
    made.journal.keep_workloads([a_workload("shop:ranker")])
    yield made
    database.close()


def costs(nightly: Nightly, day: date, usd_per_hour: float) -> None:
    sample = CostSample(workload="shop:ranker", current_usd_per_hour=usd_per_hour, proposed_usd_per_hour=0.5)
    nightly.journal.add_costs(day, [sample])


def test_a_row_holds_the_facts_of_the_day(nightly: Nightly) -> None:
    costs(nightly, TODAY - DAY, 1.0)
    costs(nightly, TODAY, 1.5)
    report = nightly.gather(TODAY, now=NOON + DAY)
    row = next(row for row in report.rows if row.workload == "shop:ranker")
    assert (row.cost, row.previous_cost, row.replicas) == (36.0, 24.0, 6.0)
    assert row.proposed_cost == pytest.approx(350.4 * 24 / 730)
    assert row.requests == 172_800.0
    assert row.failed_share == pytest.approx(0.01)
    assert row.idle_share == pytest.approx(1 - 2 / (6 * 4))
    assert row.price_age == TODAY - date(2026, 1, 1)
    assert row.reasons[0].code == "mode_chosen"
    assert report.price_sources == (
        PriceSource(name="a list", as_of=date(2026, 1, 1)),
        PriceSource(name="mine", as_of=None),
    )
    assert [each.cost for each in report.trend[-2:]] == [24.0, 36.0]
    assert isinstance(report.trend[0].cost, Unknown)


def test_what_is_not_known_is_said_and_never_zero(nightly: Nightly) -> None:
    report = nightly.gather(TODAY, now=NOON + DAY)
    held = next(row for row in report.rows if row.workload == "shop:young")
    for value in (held.cost, held.proposed_cost, held.saving, held.requests, held.replicas, held.price_age):
        assert isinstance(value, Unknown)
    assert held.needs == "more history of the load"
    assert "no cycle looked at 2 of 2 workloads" in report.shortfalls[0].reason


def note(nightly: Nightly, at: datetime) -> None:
    nightly.journal.note_cycle(CycleNote(at=at, duration_s=1.0, acts=1, holds=0, kept=0, failure=None))


def test_a_cost_that_rests_on_a_part_of_the_day_is_said_to(nightly: Nightly) -> None:
    """One cycle at 23:55 is not a day."""
    start = datetime.combine(TODAY, datetime.min.time(), UTC)
    for day in (TODAY, TODAY + DAY):
        costs(nightly, day, 1.5)
    note(nightly, start + timedelta(hours=23, minutes=55))
    report = nightly.gather(TODAY, now=NOON + DAY)
    assert any("saw only a part of 2026-03-02 (of some workload 4%)" in each.reason for each in report.shortfalls)
    for hour in range(24):
        note(nightly, start + DAY + hour * HOUR)
    for _ in range(23):
        costs(nightly, TODAY + DAY, 1.5)
    whole = nightly.gather(TODAY + DAY, now=NOON + 2 * DAY)
    assert not any("part of" in each.reason for each in whole.shortfalls)


def test_a_day_at_which_nobody_looked_is_not_billed_and_one_long_before_is_not_told_of(nightly: Nightly) -> None:
    """The decisions are of `NOON`: a week before is taken to have been alike, what lies before that is not known."""
    week = TODAY - 7 * DAY
    report = nightly.gather(week, now=NOON + DAY)
    row = next(row for row in report.rows if row.workload == "shop:ranker")
    assert row.cost == pytest.approx(0.768 * 24)
    assert row.covered == 0.0
    assert report.charges == ()
    assert {each.reason for each in report.left_out} == {"no cycle looked at it on that day"}
    with pytest.raises(NoData, match=f"knows nothing of {week - DAY}: the first look is of {TODAY}"):
        nightly.gather(week - DAY, now=NOON + DAY)
    costs(nightly, week - DAY, 1.0)  # known all the same: costs are kept for longer than decisions
    assert nightly.gather(week - DAY, now=NOON + DAY).charges


def test_a_day_with_a_large_gap_has_no_total(nightly: Nightly) -> None:
    source = Source()
    source.known = 20
    report = replace(nightly, day_load=source).gather(TODAY, now=NOON + DAY)
    row = next(row for row in report.rows if row.workload == "shop:ranker")
    assert row.requests == Unknown("only 83% of the day's load is known")
    assert isinstance(row.idle_share, Unknown)
    assert isinstance(row.failed_share, Unknown)


def test_what_expired_before_the_day_is_proposed_no_more(nightly: Nightly) -> None:
    """The source has been away for days: the old recommendation saves nothing on a day on which it did not stand."""
    row = next(row for row in nightly.gather(TODAY + 3 * DAY, now=NOON + 4 * DAY).rows if row.workload == "shop:ranker")
    assert row.kind == "hold"
    for value in (row.saving, row.proposed_cost, row.proposed_mode, row.proposed_replicas):
        assert value == Unknown("the last recommendation was valid until 2026-03-02 18:00 UTC")
    assert row.needs is not None


def test_idle_hours_have_no_failures_and_hide_none(nightly: Nightly) -> None:
    class Sparse(Source):
        def __call__(self, workload: Workload, signal: Signal, start: datetime, end: datetime) -> LoadHistory:
            seen = super().__call__(workload, signal, start, end)
            values = np.array(seen.values)
            values[4:] = {Signal.REQUEST_RATE: 0.0, Signal.ERROR_RATIO: np.nan}.get(signal, 6.0)
            return LoadHistory(start=start, step=HOUR, values=values)

    rows = replace(nightly, day_load=Sparse()).gather(TODAY, now=NOON + DAY).rows
    assert next(row for row in rows if row.workload == "shop:ranker").failed_share == pytest.approx(0.01)


def test_a_workload_that_is_gone_has_no_budget_of_nothing(nightly: Nightly) -> None:
    gone = next(row for row in nightly.gather(TODAY, now=NOON + DAY).rows if row.workload == "shop:young")
    assert gone.error_budget == Unknown("the workload is gone")
    assert "NaN" not in "".join(artifact.text for artifact in nightly.write(TODAY, now=NOON + DAY).texts)


def test_missed_nights_are_caught_up_once(nightly: Nightly) -> None:
    for back in (1, 2, 3):
        costs(nightly, TODAY - back * DAY, 1.0)
    costs(nightly, TODAY, 1.0)
    assert nightly.catch_up(now=NOON) == (TODAY - 3 * DAY, TODAY - 2 * DAY, TODAY - DAY)
    assert nightly.catch_up(now=NOON + HOUR) == ()
    assert nightly.catch_up(now=NOON + DAY) == (TODAY,)
    stored = nightly.journal.report(TODAY - DAY)
    assert stored is not None
    assert stored.files["html"].startswith("<!doctype html>")
    rows = list(csv.DictReader(io.StringIO(stored.files["csv"])))
    assert {row["workload"] for row in rows} >= {"shop:ranker", "shop:young"}


def test_only_the_last_nights_stay_stored_and_what_they_were_made_of_stays(nightly: Nightly) -> None:
    """What was forgotten is not written again, and what was asked for beyond the bound goes with the next night."""
    short = replace(nightly, keep_nights=2)
    for back in (1, 2, 3, 4):
        costs(nightly, TODAY - back * DAY, 1.0)
    nightly.journal.nights.add([a_night(TODAY - 4 * DAY)], NOON)
    nightly.catch_up(now=NOON - DAY)
    assert short.catch_up(now=NOON) == (TODAY - DAY,)
    kept = [day for day, _ in nightly.journal.report_days(None, 10)]
    assert kept == [TODAY - DAY, TODAY - 2 * DAY]
    short.write(TODAY - 4 * DAY, now=NOON)
    assert short.catch_up(now=NOON + HOUR) == ()
    assert [day for day, _ in nightly.journal.report_days(None, 10)] == kept
    assert len(nightly.journal.costs(TODAY - 4 * DAY, TODAY)) == 4
    assert len(nightly.journal.nights.between(TODAY - 4 * DAY, TODAY)) == 1


def test_a_night_is_one_of_utc(nightly: Nightly) -> None:
    costs(nightly, TODAY, 1.0)
    assert nightly.catch_up(now=datetime(2026, 3, 2, 23, 59, tzinfo=UTC)) == ()
    assert nightly.catch_up(now=datetime(2026, 3, 3, 0, 1, tzinfo=UTC)) == (TODAY,)


def ranker(report: NightlyReport) -> WorkloadRow:
    return next(row for row in report.rows if row.workload == "shop:ranker")


class Slow(Source):
    """The same, and 3 % of the requests over the latency SLO."""

    def __call__(self, workload: Workload, signal: Signal, start: datetime, end: datetime) -> LoadHistory:
        if signal is Signal.SLOW_RATIO:
            return LoadHistory(start=start, step=HOUR, values=np.full(24, 0.03))
        return super().__call__(workload, signal, start, end)


def test_requests_over_the_slo_are_missed_too_where_they_are_counted(nightly: Nightly) -> None:
    """At least the larger share: whether a failed one was slow too nobody tells."""
    assert ranker(replace(nightly, day_load=Slow()).gather(TODAY, now=NOON + DAY)).missed_share == pytest.approx(0.03)
    unknown = ranker(nightly.gather(TODAY, now=NOON + DAY)).missed_share
    assert isinstance(unknown, Unknown)
    assert unknown.reason.startswith(
        "requests over 500 ms are not counted (a histogram needs a bucket that ends there)"
    )


def test_charges_add_up_to_the_costs_of_those_that_have_any(nightly: Nightly) -> None:
    costs(nightly, TODAY, 1.5)
    report = nightly.gather(TODAY, now=NOON + DAY)
    assert sum(each.quantity * each.unit_price for each in report.charges) == pytest.approx(36.0)
    assert {each.workload for each in report.charges} == {"shop:ranker"}
    assert [each.workload for each in report.left_out] == ["shop:young"]


def test_the_month_and_its_objectives_rest_on_reported_days(nightly: Nightly) -> None:
    """The attainment of a month is that of the days whose reports were written; nothing after the day is looked at."""
    for back in range(5):
        costs(nightly, TODAY - back * DAY, 1.5)
    costs(nightly, TODAY + DAY, 1000.0)
    aims = replace(
        nightly.objectives, settings=[ObjectiveSettings(workload="shop:ranker", budget_usd_per_month=1000, owner="jo")]
    )
    report = replace(nightly, day_load=Slow(), objectives=aims).gather(TODAY, now=NOON + 3 * DAY)
    (line,) = report.objectives
    assert report.month is not None
    assert (line.budget, line.owner, line.spent_whole) == (1000.0, "jo", True)
    assert line.spent == pytest.approx(72.0, abs=0.01)  # 1 and 2 March
    assert isinstance(line.attained, Share)
    assert line.attained.share == pytest.approx(0.97)
    assert (line.attained.known, line.attained.of) == (1, 1)
    assert isinstance(line.forecast, Range)
    assert line.forecast.amount == pytest.approx(31 * 36.0)
    assert report.month.forecast == line.forecast


def test_what_came_of_savings_is_told_of_the_day_and_the_month(nightly: Nightly) -> None:
    assert nightly.gather(TODAY, now=NOON + DAY).realised_month == Realised(promised=0.0, realised=0.0, known=0, of=0)
    one = replace(a_night(night=TODAY), promised_usd=8.0, realised_usd=6.0)
    nightly.journal.nights.add([one, replace(one, night=TODAY - DAY), replace(one, night=TODAY + DAY)], NOON)
    report = nightly.gather(TODAY, now=NOON + DAY)
    assert report.realised_day == Realised(promised=8.0, realised=6.0, known=1, of=1)
    assert report.realised_month == Realised(promised=16.0, realised=12.0, known=2, of=2)


def test_alerts_that_fired_on_the_day_are_told_and_news_is_none(nightly: Nightly) -> None:
    start = datetime.combine(TODAY, datetime.min.time(), UTC)
    never = nightly.gather(TODAY, now=NOON + DAY)
    assert never.alerts == ()
    assert never.alerts_lack is not None
    assert "has not told of any alert yet" in never.alerts_lack.reason

    def told(name: str, severity: str, begun: datetime, over: datetime | None) -> Alert:
        return Alert(
            fingerprint=name,
            status="firing" if over is None else "resolved",
            starts_at=begun,
            ends_at=over,
            received_at=begun,
            labels={"alertname": name, "severity": severity, "workload": "shop:ranker"},
            annotations={"summary": "it is slow"},
        )

    nightly.journal.keep_alerts(
        [
            told("Slow", "warning", start - HOUR, start + HOUR),
            told("Burning", "critical", start + 2 * HOUR, None),
            told("Yesterday", "critical", start - 3 * HOUR, start - HOUR),
            replace(told("OfTeam", "warning", start + HOUR, None), labels={"alertname": "OfTeam", "team": "shop"}),
            told("Tomorrow", "critical", start + DAY, None),
            told("News", "info", start, None),
        ]
    )
    report = nightly.gather(TODAY, now=NOON + DAY)
    alerts = report.alerts
    assert report.alerts_lack is None
    assert [(each.name, each.ends_at is None) for each in alerts] == [
        ("Burning", True),
        ("Slow", False),
        ("OfTeam", True),
    ]
    assert [(each.workload, each.team) for each in alerts[1:]] == [("shop:ranker", None), (None, "shop")]


def test_what_was_seen_by_ourselves_is_an_alert_of_the_day_unless_it_was_told_too(nightly: Nightly) -> None:
    """One over within the day, one that goes on, one over before it, news, and one of which Alertmanager tells as well."""
    start = datetime.combine(TODAY, datetime.min.time(), UTC)
    events = nightly.journal.events
    for key, severity, since, over in (
        ("load_anomaly:shop:ranker", "warning", start + HOUR, start + 3 * HOUR),
        ("source", "critical", start - HOUR, None),
        ("spend_anomaly:shop:tagger", "warning", start - 5 * HOUR, start - HOUR),
        ("recommendation:shop:tagger", "info", start, start + HOUR),
        ("made_worse:shop:ranker", "warning", start, start + HOUR),
    ):
        events.begin(Event(key=key, severity=severity, summary="s", detail=f"of {key}", at=since))
        if over is not None:
            events.end(key, over)
    labels = {"alertname": "TrimtabMadeWorse", "severity": "warning", "workload": "shop:ranker"}
    told = Alert(
        fingerprint="f",
        status="firing",
        starts_at=start,
        ends_at=None,
        received_at=start,
        labels=labels,
        annotations={"summary": "worse"},
    )
    nightly.journal.keep_alerts([told])
    assert [
        (each.name, each.workload, each.ends_at, each.summary) for each in nightly.gather(TODAY, now=NOON + DAY).alerts
    ] == [
        ("TrimtabSource", None, None, "of source"),
        ("TrimtabMadeWorse", "shop:ranker", None, "worse"),
        ("TrimtabLoadAnomaly", "shop:ranker", start + 3 * HOUR, "of load_anomaly:shop:ranker"),
    ]
    nightly.journal.prune(start + 31 * DAY)
    assert [episode.ended_at for episode in events.between(start, start + DAY)] == [None]


def test_tokens_are_counted_where_the_runtime_tells_of_them(nightly: Nightly) -> None:
    class Talking(Source):
        def __call__(self, workload: Workload, signal: Signal, start: datetime, end: datetime) -> LoadHistory:
            if signal in (Signal.TOKEN_RATE, Signal.PROMPT_TOKEN_RATE):
                return LoadHistory(start=start, step=HOUR, values=np.full(24, 50.0))
            return super().__call__(workload, signal, start, end)

    assert ranker(nightly.gather(TODAY, now=NOON + DAY)).tokens is None
    counted = replace(nightly, day_load=Talking(), counts_tokens=frozenset({"trimtab-serving"}))
    assert ranker(counted.gather(TODAY, now=NOON + DAY)).tokens == 2 * 50 * 86_400
    silent = replace(nightly, counts_tokens=frozenset({"trimtab-serving"}))
    assert isinstance(ranker(silent.gather(TODAY, now=NOON + DAY)).tokens, Unknown)


def test_every_form_of_the_report_is_stored(nightly: Nightly) -> None:
    nightly.write(TODAY, now=NOON + DAY)
    without = nightly.journal.report(TODAY)
    replace(nightly, paper=lambda _report: b"%PDF-1.7 \xff").write(TODAY, now=NOON + DAY)
    whole = nightly.journal.report(TODAY)
    assert without is not None
    assert whole is not None
    assert set(without.files) == {"html", "csv", "focus.csv", "focus.json"}
    assert b64decode(whole.files["pdf"]) == b"%PDF-1.7 \xff"
