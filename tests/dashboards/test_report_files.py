"""The report as the files people get."""

from __future__ import annotations

import csv
import io
import re
import time
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest

from dashboards.report import NightlyReport, render
from dashboards.report.spreadsheet import COLUMNS, KNOWABLE, plain
from domain.unknown import Unknown
from tests.dashboards.nights import NASTY, fleet_night, held, scheduled, small_night, to_serverless, unseen
from tests.golden_files import assert_golden


def page_of(report: NightlyReport) -> str:
    """The HTML."""
    return render(report)[0].text


def lines_of(report: NightlyReport) -> dict[str, dict[str, str]]:
    """The CSV's rows by workload."""
    return {line["workload"]: line for line in csv.DictReader(io.StringIO(render(report)[1].text))}


class Text(HTMLParser):
    """The words of a page, its tags and the addresses it names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def __str__(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_the_page_is_exactly_this() -> None:
    assert_golden("dashboards/report.html", page_of(small_night()))


def test_the_spreadsheet_is_exactly_this() -> None:
    assert_golden("dashboards/report.csv", render(small_night())[1].text)


def test_the_files_are_named_by_date() -> None:
    assert [str(a.path) for a in render(small_night())] == [
        "trimtab-report-2026-03-17.html",
        "trimtab-report-2026-03-17.csv",
        "trimtab-report-2026-03-17.focus.csv",
        "trimtab-report-2026-03-17.focus.json",
    ]


def test_the_page_fetches_nothing() -> None:
    text = Text(page_of(small_night()))
    assert {"script", "img", "iframe", "object"} & set(text.tags) == set()
    assert {a for a in text.addresses if not a.startswith("http://127.0.0.1:8000/#")} == {"data:,"}
    assert "http://127.0.0.1:8000/#vision%3Adigits" in text.addresses  # what a person can read, not the API's JSON
    assert "@import" not in page_of(small_night())
    assert "url(" not in page_of(small_night())


def test_names_from_outside_are_text_and_never_markup() -> None:
    row = replace(held(), team="<script>alert(1)</script>", needs="a & b </td>")
    page = page_of(replace(small_night(), rows=(row,)))
    text = Text(page)
    assert "script" not in text.tags
    assert "<b onload" not in page
    assert NASTY in str(text)
    assert "<script>alert(1)</script>" in str(text)
    assert "a & b </td>" in str(text)


def test_what_is_not_known_says_so_and_why() -> None:
    text = str(Text(page_of(replace(small_night(), rows=(unseen(), held())))))
    assert "Not known: missed share: the runtime exports no latency" in text
    assert (
        "cost, change, cost per 1,000 requests, cost per million tokens: no price for p9x.large in eu-north-1" in text
    )
    assert "not known: of no workload it is known how many requests it missed" in text
    lone = str(Text(page_of(replace(small_night(), rows=(held(),)))))
    assert "not known: the cost of none of the 1 workloads is known" in lone
    assert "$0.00" not in lone


def test_a_proposal_whose_saving_is_not_known_says_so() -> None:
    row = replace(scheduled(), saving=Unknown("what runs today could not be seen"))
    text = str(Text(page_of(replace(small_night(), rows=(row,)))))
    assert "not known: what runs today could not be seen" in text


def test_failures_are_a_lower_bound_of_what_was_missed() -> None:
    assert "≥\N{NARROW NO-BREAK SPACE}0.03\N{NARROW NO-BREAK SPACE}%" in page_of(replace(small_night(), rows=(held(),)))


def test_a_partial_night_names_the_part() -> None:
    text = str(Text(page_of(small_night())))
    assert "This report is partial. Requests of asr:whisper: Prometheus did not answer" in text
    assert "partial" not in str(Text(page_of(replace(small_night(), shortfalls=()))))


def test_a_night_without_workloads_is_a_page_too() -> None:
    empty = replace(small_night(), rows=(), trend=(), shortfalls=(), price_sources=())
    assert "No workload was seen on this day." in str(Text(page_of(empty)))
    assert lines_of(empty) == {}


def test_reasons_and_needs_of_holds_are_told() -> None:
    text = str(Text(page_of(small_night())))
    assert "9 of the 14 days needed have been seen. 5 more days of history" in text
    assert "(dedicated → serverless)" in text


def test_links_are_left_out_where_the_address_is_not_known() -> None:
    assert "<a " not in page_of(replace(small_night(), base_url=None))


def test_every_workload_is_a_row_with_the_same_columns() -> None:
    lines = lines_of(small_night())
    assert len(lines) == 4
    assert all(list(line) == list(COLUMNS) for line in lines.values())
    assert {line["generated_at"] for line in lines.values()} == {"2026-03-18T02:00:05Z"}


@pytest.mark.parametrize("row", [scheduled(), to_serverless(), held(), unseen()], ids=lambda row: row.recommendation_id)
def test_a_cell_is_empty_exactly_where_a_reason_stands(row: object) -> None:
    for line in lines_of(replace(small_night(), rows=(row,))).values():  # type: ignore[arg-type]
        for name in KNOWABLE:
            assert (line[name] == "") == (line[f"{name}_reason"] != ""), name


def test_moments_are_told_in_utc_and_the_zone_of_the_day_is_named() -> None:
    berlin = replace(
        small_night(), generated_at=datetime(2026, 3, 18, 3, tzinfo=ZoneInfo("Europe/Berlin")), timezone="Europe/Berlin"
    )
    text = str(Text(page_of(berlin)))
    assert "from midnight to midnight in Europe/Berlin" in text
    assert "Made at 2026-03-18T02:00:00Z." in text
    assert {(line["timezone"], line["generated_at"]) for line in lines_of(berlin).values()} == {
        ("Europe/Berlin", "2026-03-18T02:00:00Z")
    }


def test_the_spreadsheet_holds_the_figures_unrounded() -> None:
    line = lines_of(small_night())["vision:digits"]
    assert (line["cost"], line["cost_change"], line["missed_share"]) == ("151.49", "3.29", "0.00042")
    assert float(line["cost_per_1k_requests"]) == pytest.approx(151.49 / (4_812_330 * 0.9998) * 1000, rel=1e-9)


@pytest.mark.parametrize("value, text", [(1e16, "10000000000000000"), (1.5e-7, "0.00000015"), (-0.0, "0"), (0.1 + 0.2, "0.3"), (100.0, "100")])  # fmt: skip
def test_numbers_have_no_exponent(value: float, text: str) -> None:
    assert plain(value) == text


def test_no_name_is_taken_for_a_formula() -> None:
    row = replace(held(), workload='=HYPERLINK("x")', needs="+1")
    (line,) = lines_of(replace(small_night(), rows=(row,))).values()
    assert (line["workload"], line["needs"]) == ('\'=HYPERLINK("x")', "'+1")


def test_a_thousand_workloads_are_quick_and_small() -> None:
    report = fleet_night(1000)
    started = time.perf_counter()
    page, spreadsheet, *_ = render(report)
    assert time.perf_counter() - started < 20
    assert len(page.text.encode()) < 2_000_000
    assert len(list(csv.DictReader(io.StringIO(spreadsheet.text)))) == 1000
    assert page.text.count('class="spark"') == 750


def test_the_same_night_gives_the_same_bytes() -> None:
    assert render(small_night()) == render(small_night())
