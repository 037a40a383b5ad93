"""The page: whole, escaped, loading nothing, and fitting a desktop and a phone."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from domain.ledger import Gap, LedgerNight
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.guardrails import GuardrailOptions
from optimizer.ledger import worse
from tests.fakes.ledger import NIGHT, a_night
from tests.fakes.recommendations import NOON, a_hold, a_record, an_act
from tests.golden_files import assert_golden
from trimtab.records import Held, Record, Status
from trimtab.web.outcomes import outcomes_of
from trimtab.web.page import render_page
from trimtab.web.view import page_of, span

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
MINUTE = timedelta(minutes=1)


def some_records() -> list[Record]:
    """Every kind there is: act, serverless, unknown saving, hold, held, and names that are traps, one accepted."""
    held = replace(a_record(an_act("shop:held")), held=Held(since=NOON + MINUTE, reason="Prometheus: refused"))
    trap = an_act('<script>alert("x")</script>:a-very-long-name-without-any-place-to-break-it-in-two', saving=12.5)
    return [
        a_record(),
        a_record(an_act("shop:tagger", mode=ServingMode.SERVERLESS)),
        a_record(an_act("shop:unknown", saving=None)),
        a_record(a_hold()),
        held,
        replace(a_record(trap), decision=Status.ACCEPTED, decided_at=NOON, decided_by="<b>Maria</b> & Tom"),
    ]


def some_nights() -> list[LedgerNight]:
    """One that kept most of its promise, one that made things worse, one of which nothing is known yet."""
    before = [NIGHT - timedelta(days=back) for back in (3, 2, 1)]
    gone = Unknown("only 60% of the load of 2026-03-01 is known")
    good = [a_night(night) for night in before]
    good[-1] = replace(good[-1], realised_usd=gone, ran_usd=gone, gap=gone)
    bad = [
        replace(
            a_night(night, "shop:worse", "b" * 16),
            ran_usd=20.0,
            realised_usd=-2.0,
            gap=Gap(load=-1.0, price=-0.25, capacity=-6.0, not_applied=-0.75, other=0.0),
            missed_share=0.004,
            worse=worse([replace(a_night(night), ran_usd=20.0, missed_share=0.004)], GuardrailOptions()),
        )
        for night in before
    ]
    trap = "a-very-long-name-without-any-place-to-break-it-in-two:which-is-of-no-use-to-anybody"
    young = replace(
        a_night(before[-1], trap, "c" * 16), taken_up="applied", realised_usd=gone, gap=gone, missed_share=gone
    )
    return [*good, *bad, young]


def page(records: list[Record], failure: str | None = None) -> str:
    shown = page_of(records, last_cycle=NOON, failure=failure, now=NOON + 7 * MINUTE, nights=some_nights())
    return render_page(shown)


def test_the_page_is_as_it_was_read_and_approved() -> None:
    text = page(some_records(), failure="shop:held: Prometheus http://127.0.0.1:9090: refused")
    assert_golden("web/recommendations.html", re.sub(r"(?s)<style>.*?</style>", "<style></style>", text))


def test_it_loads_nothing_and_runs_nothing() -> None:
    text = page(some_records())
    assert re.findall(r"(?:src|href)=\"(?!/|data:,)", text) == []
    assert re.search(r"url\(|@import|<script", text) is None


def test_what_has_expired_or_was_dismissed_is_in_no_sum() -> None:
    dismissed = replace(a_record(an_act("shop:no")), decision=Status.DISMISSED)
    shown = page_of([a_record(), dismissed], last_cycle=None, failure=None, now=NOON)
    assert (shown.acts, shown.holds, shown.saving) == (1, 1, "$210")
    later = page_of([a_record(), dismissed], last_cycle=None, failure=None, now=NOON + 24 * 60 * MINUTE)
    assert (later.acts, later.cost, later.saving) == (0, "not known", "none yet")


def test_the_largest_saving_comes_first_and_holds_last() -> None:
    lines = page_of(some_records(), last_cycle=None, failure=None, now=NOON).lines
    assert [line.saving for line in lines] == ["$210", "$210", "$210", "$12.50", None, None]
    assert lines[-1].workload == "shop:young"


def test_what_came_of_it_is_said_per_recommendation_and_what_is_not_known_is_in_no_sum() -> None:
    bad, good, young = outcomes_of(some_nights(), NOON)
    assert (good.promised, good.realised, good.nights) == ("$182", "$152", "2 of 3 nights known")
    assert good.why == ("the load differed: \N{MINUS SIGN}$15.21 a month",)
    assert good.unknown == "only 60% of the load of 2026-03-01 is known"
    assert (bad.short, bad.broken, bad.realised) == (True, True, "\N{MINUS SIGN}$60.83")
    assert bad.why[0] == "a replica carries or needs something else: \N{MINUS SIGN}$182 a month"
    assert bad.worse[0].startswith("2.00 USD dearer over the last night")
    assert (young.realised, young.missed, young.since) == (None, "not known", "applied 2 d ago")


@pytest.mark.parametrize(
    "seconds,said", [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 d"), (-5, "0 s")]
)
def test_ages_are_said_in_their_largest_unit(seconds: int, said: str) -> None:
    assert span(timedelta(seconds=seconds)) == said


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing = "chromium is not installed: apt-get install --no-install-recommends chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 390, 800, 1280, 1920])
def test_nothing_is_wider_than_the_window(browser: Browser, tmp_path: Path, width: int) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(some_records(), failure="x" * 300), encoding="utf-8")
    shown = browser.new_page(viewport={"width": width, "height": 900})
    complaints: list[str] = []
    shown.on("console", lambda message: complaints.append(message.text))
    shown.on("dialog", lambda dialog: complaints.append(dialog.message))
    shown.goto(file.as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert shown.locator("tbody tr").count() == 6 + 3
    assert complaints == []
    shown.close()
