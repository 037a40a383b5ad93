"""The store: nothing is lost on the way in and out, and what fails is a StoreError."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from domain.errors import SettingsError, StoreError
from domain.plan import (
    Act,
    CalendarStep,
    Configuration,
    Evidence,
    Hold,
    Plan,
    Reason,
    Saving,
)
from domain.ports import Event
from domain.unknown import Unknown
from domain.workload import Bounds, PurchaseMix, Resources, ScaleTarget, ServingMode, Slo, Workload
from tests.fakes.recommendations import NOON, a_hold, a_record, a_workload, an_act, an_alert
from trimtab.records import Held, Status
from trimtab.store.codec import decode, encode
from trimtab.store.database import Database, open_database
from trimtab.store.journal import MOST_ALERTS, CostSample, CycleNote, Journal, StoredReport
from trimtab.store.recommendations import Recommendations, Search
from trimtab.store.tables import CostRow
from trimtab.store.workload_codec import to_workload, workload_body

HOUR = timedelta(hours=1)

texts = st.text(max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
moments = st.datetimes(timezones=st.just(UTC), min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1))  # noqa: DTZ001  hypothesis wants naive bounds
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
topics = st.dictionaries(texts, json, max_size=3)
unknowns = st.builds(Unknown, texts)
reasons = st.lists(
    st.builds(Reason, code=texts, detail=texts, before=st.none() | texts, after=st.none() | texts), max_size=3
).map(tuple)
mixes = st.builds(PurchaseMix, reserved=numbers, on_demand=numbers, spot=numbers)
configurations = st.builds(
    Configuration,
    replicas=st.integers(0, 10_000),
    mean_replicas=numbers,
    mode=st.sampled_from(ServingMode),
    purchase=mixes,
    offer=texts,
    usd_per_month=numbers,
)
evidences = st.builds(
    Evidence, inputs_sha256=texts, forecast=topics, backtest=topics, replay=topics, capacity=topics, prices=topics,
    break_even=topics,
)  # fmt: skip
plans = st.builds(
    Plan,
    proposed=configurations,
    usd_per_month_low=numbers,
    usd_per_month_high=numbers,
    calendar=st.lists(st.builds(CalendarStep, at=moments, replicas=st.integers(0, 99)), max_size=3).map(tuple),
    reasons=reasons,
)
common: dict[str, Any] = {
    "id": texts, "workload": texts, "created_at": moments, "valid_until": moments, "current": configurations | unknowns,
    "reasons": reasons, "evidence": evidences,
}  # fmt: skip
acts = st.builds(
    Act,
    **common,
    plan=plans,
    saving=st.builds(Saving, usd_per_month=numbers, low=numbers, high=numbers) | unknowns,
    confidence=numbers,
    kind=st.just("act"),
)
holds = st.builds(Hold, **common, last_good=st.integers(0, 99) | unknowns, needs=texts, kind=st.just("hold"))
workloads = st.builds(
    Workload,
    id=texts,
    runtime=texts,
    labels=st.dictionaries(texts, texts, max_size=3),
    slo=st.builds(Slo, attainment=st.floats(0.5, 0.9999), latency=st.integers(1, 10**6).map(lambda ms: timedelta(milliseconds=ms))),
    resources=st.builds(Resources, cpu_cores=numbers, memory_gib=numbers, accelerator=st.none() | texts),
    bounds=st.builds(Bounds, max_replicas=st.none() | st.integers(1, 99)),
    modes=st.frozensets(st.sampled_from(ServingMode)),
    team=st.none() | texts,
    target=st.none() | st.builds(ScaleTarget, name=texts, namespace=texts, kind=texts, container=st.none() | texts, spot_provider=st.none() | texts),
)  # fmt: skip


@given(acts | holds)
def test_a_recommendation_comes_back_as_it_went_in(recommendation: Act | Hold) -> None:
    assert decode(encode(recommendation)) == recommendation


@given(workloads)
def test_a_workload_comes_back_as_it_went_in(workload: Workload) -> None:
    assert to_workload(workload_body(workload)) == workload


def test_evidence_with_a_nan_is_refused() -> None:
    act = replace(an_act(), evidence=Evidence(inputs_sha256="", forecast={"mean_rps": [float("nan")]}))
    with pytest.raises(StoreError, match="cannot be written as JSON"):
        encode(act)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"kind": "act"}', "null"])
def test_a_body_that_is_none_is_a_store_error(text: str) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        decode(text)


@pytest.fixture
def kept(database: Database) -> Recommendations:
    return Recommendations(database)


@pytest.fixture
def journal(database: Database) -> Journal:
    return Journal(database)


def names(found: tuple[Any, ...]) -> list[str]:
    return [record.recommendation.workload for record in found]


def test_the_newest_supersedes_and_the_old_one_stays_to_be_seen(kept: Recommendations) -> None:
    old, new = an_act(), an_act(at=NOON + HOUR)
    kept.keep([a_record(old)])
    kept.keep([a_record(new)])
    assert [record.recommendation for record in kept.newest()] == [new]
    found = kept.find(old.id)
    assert found is not None
    assert found.status(NOON + HOUR) is Status.SUPERSEDED
    assert kept.before(a_record(new)) == replace(found, latest=False)


def test_records_come_back_whole(kept: Recommendations) -> None:
    held = Held(since=NOON, reason="gone")
    record = replace(a_record(), decision=Status.ACCEPTED, decided_at=NOON, decided_by="Maria", held=held)
    kept.keep([record])
    assert kept.newest() == (record,)


def test_a_hold_of_the_source_keeps_the_moment_it_began(kept: Recommendations) -> None:
    kept.keep([a_record()])
    kept.hold(["shop:ranker"], Held(since=NOON + HOUR, reason="refused"))
    kept.hold(["shop:ranker"], Held(since=NOON + 2 * HOUR, reason="timed out"))
    (record,) = kept.newest()
    assert record.held == Held(since=NOON + HOUR, reason="timed out")
    assert record.status(NOON + 2 * HOUR) is Status.HELD
    assert record.replicas(NOON + 2 * HOUR) == 5


def test_what_has_expired_has_no_number(kept: Recommendations) -> None:
    kept.keep([a_record()])
    (record,) = kept.newest()
    assert record.status(NOON + 6 * HOUR) is Status.EXPIRED
    assert isinstance(record.replicas(NOON + 6 * HOUR), Unknown)


def test_a_serverless_plan_has_no_number_to_follow() -> None:
    assert isinstance(a_record(an_act(mode=ServingMode.SERVERLESS)).replicas(NOON), Unknown)


@pytest.mark.parametrize(
    "search,expected",
    [
        (Search(), ["b", "a", "c"]),
        (Search(sort="workload", descending=False), ["a", "b", "c"]),
        (Search(kind="hold"), ["c"]),
        (Search(min_saving=150), ["b"]),
        (Search(workload="a"), ["a"]),
        (Search(status=Status.OPEN), ["b", "a", "c"]),
        (Search(status=Status.EXPIRED), []),
        (Search(status=Status.SUPERSEDED), ["a"]),
    ],
)
def test_search_filters_and_sorts(kept: Recommendations, search: Search, expected: list[str]) -> None:
    kept.keep([a_record(an_act("a", NOON - HOUR, saving=50))])
    kept.keep([a_record(an_act("a", saving=100)), a_record(an_act("b", saving=200)), a_record(a_hold("c"))])
    assert names(kept.search(search, NOON).records) == expected


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", ["created_at", "workload", "saving_usd_per_month"])
def test_pages_give_each_record_once_even_where_all_sort_alike(
    kept: Recommendations, sort: Any, descending: bool
) -> None:
    kept.keep([a_record(an_act(f"w{n}", saving=None if n % 2 else 7.0)) for n in range(7)])
    search, seen = Search(sort=sort, descending=descending, limit=2), []
    while True:
        page = kept.search(search, NOON)
        seen += names(page.records)
        if page.next is None:
            break
        search = replace(search, after=page.next)
    assert sorted(seen) == [f"w{n}" for n in range(7)]
    assert seen == names(kept.search(Search(sort=sort, descending=descending), NOON).records)


@pytest.mark.parametrize("now", [NOON, NOON + 6 * HOUR])
def test_the_status_in_a_search_is_the_status_of_the_record(kept: Recommendations, now: datetime) -> None:
    kept.keep([a_record(an_act("old", NOON - HOUR)), a_record(an_act("done", NOON - HOUR))])
    done = kept.newest_of("done")
    assert done is not None
    kept.decide(done.recommendation.id, Status.DISMISSED, NOON)
    kept.keep([a_record(an_act(name)) for name in ("old", "done", "held", "taken")])
    kept.hold(["held"], Held(since=NOON, reason="gone"))
    taken = kept.newest_of("taken")
    assert taken is not None
    kept.decide(taken.recommendation.id, Status.ACCEPTED, NOON)
    for status in Status:
        found = kept.search(Search(status=status), now).records
        assert all(record.status(now) is status for record in found)
    everything = [record for status in Status for record in kept.search(Search(status=status), now).records]
    assert len(everything) == 6


def test_pruning_keeps_the_last_of_a_day_and_everything_decided(kept: Recommendations) -> None:
    for hour in range(12):
        kept.keep([a_record(an_act(at=NOON - timedelta(days=1) + hour * HOUR))])
    accepted = kept.search(Search(sort="created_at", descending=False, status=Status.SUPERSEDED), NOON).records[0]
    kept.decide(accepted.recommendation.id, Status.ACCEPTED, NOON)
    kept.keep([a_record(an_act(at=NOON))])
    kept.prune(NOON)
    left = kept.search(Search(status=Status.SUPERSEDED, sort="created_at"), NOON).records
    assert [record.recommendation.created_at for record in left] == [NOON - 13 * HOUR]
    assert kept.find(accepted.recommendation.id) is not None
    assert len(kept.newest()) == 1


def test_costs_are_means_of_the_day_and_unknown_is_not_zero(journal: Journal) -> None:
    day = date(2026, 3, 2)
    for current in (1.0, 3.0, Unknown("gone")):
        journal.add_costs(day, [CostSample(workload="a", current_usd_per_hour=current, proposed_usd_per_hour=0.5)])
    journal.add_costs(
        day,
        [CostSample(workload="b", current_usd_per_hour=Unknown("not declared"), proposed_usd_per_hour=Unknown("held"))],
    )
    a, b = journal.costs(day, day)
    assert (a.usd, a.proposed_usd) == (48.0, 12.0)
    assert b.usd == Unknown("not declared")
    assert isinstance(b.proposed_usd, Unknown)


def test_days_without_report_are_found_oldest_first(journal: Journal) -> None:
    days = [date(2026, 3, n) for n in (1, 2, 3, 4)]
    for day in days:
        journal.add_costs(day, [CostSample(workload="a", current_usd_per_hour=1.0, proposed_usd_per_hour=1.0)])
    report = StoredReport(day=days[1], generated_at=NOON + 24 * HOUR, files={"html": "<p>", "csv": "a"})
    journal.keep_report(report)
    assert journal.days_without_report(days[0], days[3]) == (days[0], days[2])
    assert journal.days_without_report(days[1], days[3]) == (days[2],)
    assert journal.report(days[1]) == report
    assert journal.report_days(None, 10) == ((days[1], NOON + 24 * HOUR),)


def test_cycles_events_alerts_and_workloads_are_remembered(journal: Journal) -> None:
    note = CycleNote(at=NOON, duration_s=1.5, acts=1, holds=2, kept=3, failure="source: gone")
    event = Event(key="source", severity="warning", summary="s", detail="d", at=NOON)
    alert = an_alert(a="b")
    journal.note_cycle(note)
    journal.events.begin(event)
    journal.keep_alerts([alert])
    journal.keep_workloads([a_workload("a:b"), a_workload("c:d")])
    journal.keep_workloads([a_workload("c:d")])
    assert (journal.last_cycle(), journal.cycle_failures()) == (note, 1)
    assert journal.events.going_on() == (event,)
    assert journal.alerts() == (alert,)
    assert journal.workloads() == (a_workload("c:d"),)
    journal.events.end("source", NOON + HOUR)
    assert journal.events.going_on() == ()


def test_two_programs_may_use_one_store(store_url: str) -> None:
    first, second = open_database(store_url), open_database(store_url)
    Recommendations(first).keep([a_record()])
    assert len(Recommendations(second).newest()) == 1
    first.close()
    second.close()


def test_a_report_written_while_its_day_went_on_is_written_again(journal: Journal) -> None:
    day = NOON.date()
    journal.add_costs(day, [CostSample(workload="a", current_usd_per_hour=1.0, proposed_usd_per_hour=0.5)])
    journal.keep_report(StoredReport(day=day, generated_at=NOON, files={}))
    assert journal.days_without_report(day, day + timedelta(days=1)) == (day,)
    journal.keep_report(StoredReport(day=day, generated_at=NOON + 13 * HOUR, files={}))
    assert journal.days_without_report(day, day + timedelta(days=1)) == ()


@pytest.mark.parametrize("in_memory", [True, False])
def test_threads_that_write_at_once_lose_nothing(store_url: str, in_memory: bool) -> None:
    database = open_database("sqlite://" if in_memory else store_url)
    journal, kept = Journal(database), Recommendations(database)
    kept.keep([a_record()])

    def write(_: int) -> None:
        samples = [CostSample(workload=name, current_usd_per_hour=1.0, proposed_usd_per_hour=0.5) for name in "abc"]
        journal.add_costs(NOON.date(), samples)
        kept.hold(["shop:ranker"], Held(since=NOON, reason="away"))
        assert len(kept.newest()) == 1

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(40)))
    with database.session() as session:
        assert {row.current_cycles for row in session.scalars(select(CostRow))} == {40}
    database.close()


def test_a_password_in_a_store_url_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as wrong:
        open_database("nonsense://me:secret@db/trimtab")
    assert "secret" not in str(wrong.value)


def test_a_store_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "trimtab.db").write_text("this is no database, but it is long enough to look at" * 30)
    with pytest.raises(StoreError, match=r"file is not a database; see that store\.url names a SQLite file of Trimtab"):
        open_database(f"sqlite:///{tmp_path / 'trimtab.db'}")


@pytest.mark.parametrize("url", ["nonsense://x", "sqlite+nothing:///a.db"])
def test_a_store_url_that_is_none_names_the_fix(url: str) -> None:
    with pytest.raises(SettingsError, match=r"store\.url: .* give a URL such as sqlite:///trimtab\.db"):
        open_database(url)


def test_a_store_in_a_place_that_can_not_be_written_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"store\.url"):
        open_database(f"sqlite:///{tmp_path / 'file' / 'trimtab.db'}")


def test_cycles_and_alerts_are_bounded_by_age_and_the_count_of_failures_goes_on(journal: Journal) -> None:
    for days, failure in ((63, "gone"), (63, None), (1, "gone"), (0, None)):
        at = NOON - timedelta(days=days)
        journal.note_cycle(CycleNote(at=at, duration_s=1, acts=1, holds=0, kept=0, failure=failure))
    journal.keep_alerts([an_alert("old", NOON - timedelta(days=31)), an_alert("new")])
    for _ in range(2):
        journal.prune(NOON)
        assert journal.cycle_failures() == 2  # a counter that falls would be taken for a restart
    assert [each.fingerprint for each in journal.alerts()] == ["new"]
    last = journal.last_cycle()
    assert last is not None
    assert last.at == NOON


def test_no_more_than_a_number_of_alerts_and_cycles_is_kept(journal: Journal) -> None:
    for minute in range(5):
        at = NOON + timedelta(minutes=minute)
        journal.note_cycle(CycleNote(at=at, duration_s=1, acts=1, holds=0, kept=0, failure="gone"))
        journal.prune(NOON, most_cycles=3)
    journal.add_costs(NOON.date(), [CostSample(workload="a", current_usd_per_hour=1.0, proposed_usd_per_hour=1.0)])
    [cost] = journal.costs(NOON.date(), NOON.date())
    assert cost.covered == pytest.approx(1 / 24 * 1 / 3)
    assert journal.cycle_failures() == 5
    journal.keep_alerts([an_alert(str(n), NOON + timedelta(seconds=n)) for n in range(MOST_ALERTS + 5)])
    found = journal.alerts(limit=5000)
    assert (len(found), found[-1].fingerprint) == (MOST_ALERTS, "5")


def test_what_was_in_force_is_the_newest_then_or_the_first_after(database: Database) -> None:
    """Of a workload that is gone there is none."""
    kept = Recommendations(database)
    for at in (NOON, NOON + 2 * HOUR):
        kept.keep([a_record(an_act("old", at))])
    kept.keep([a_record(an_act("new", NOON + 3 * HOUR)), a_record(an_act("gone", NOON))])
    kept.retire(["gone"])

    def chosen(at: datetime) -> dict[str, datetime]:
        return {each.recommendation.workload: each.recommendation.created_at for each in kept.in_force(at)}

    assert chosen(NOON + HOUR) == {"old": NOON, "new": NOON + 3 * HOUR}
    assert chosen(NOON + 2 * HOUR) == {"old": NOON + 2 * HOUR, "new": NOON + 3 * HOUR}
    assert chosen(NOON - HOUR) == {"old": NOON, "new": NOON + 3 * HOUR}
