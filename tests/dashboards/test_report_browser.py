"""The page in a real Chromium: a desktop, a phone and paper."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from dashboards.report import NightlyReport, render
from tests.dashboards.nights import fleet_night, small_night

pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as the system's package installs it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing = "chromium is not installed: apt-get install --no-install-recommends chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


def saved(report: NightlyReport, folder: Path) -> str:
    """The page's address as a file."""
    file = folder / "report.html"
    file.write_text(render(report)[0].text, encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("width", [360, 390, 768, 1024, 1280, 1920])
@pytest.mark.parametrize("report", [small_night(), fleet_night(40)], ids=["small", "fleet"])
def test_nothing_is_wider_than_the_window(browser: Browser, tmp_path: Path, report: NightlyReport, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(saved(report, tmp_path))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert complaints == []
    page.close()


def test_a_phone_names_every_figure(browser: Browser, tmp_path: Path) -> None:
    """Where the table's head is hidden, each cell carries its column's name."""
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(saved(small_night(), tmp_path))
    names = page.evaluate(
        """() => [...document.querySelectorAll('.workloads tbody tr:first-child td')]
            .map(cell => getComputedStyle(cell, '::before').content.replaceAll('"', ''))"""
    )
    assert names == [
        "Decision", "Mode", "Replicas", "Requests", "Missed", "Idle", "Cost", "Change", "Per 1,000 requests",
        "A day as proposed", "Saving a month",
    ]  # fmt: skip
    page.close()


def test_every_drawing_has_words_for_who_cannot_see_it(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto(saved(small_night(), tmp_path))
    silent = page.evaluate(
        """() => [...document.querySelectorAll('svg')]
            .filter(drawing => !drawing.getAttribute('aria-label') && drawing.getAttribute('aria-hidden') !== 'true').length"""
    )
    assert silent == 0
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.lang") == "en"
    page.close()


def test_the_names_of_workloads_are_shown_as_they_are(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto(saved(small_night(), tmp_path))
    assert page.locator("b[onload]").count() == 0
    assert page.get_by_text('chat:<b onload="x">"quoted" & é世界').count() >= 2
    page.close()


def test_it_fits_on_paper(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page(viewport={"width": 1032, "height": 700})
    page.emulate_media(media="print")
    page.goto(saved(small_night(), tmp_path))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    page.close()
