"""Every alert has its row in the documentation and its runbook page, and no page is without an alert."""

from __future__ import annotations

import re
from pathlib import Path

from tests.rules.fleet import every_alert
from trimtab.settings.alerting import RulesSettings

DOCS = Path(__file__).resolve().parents[2] / "docs"
TOLD_BY_TRIMTAB = {"TrimtabSource", "TrimtabHeld", "TrimtabExpired", "TrimtabArtifacts", "TrimtabSlower"}
PARTS = [
    "What it means",
    "First three things to do",
    "How to silence",
    "What Trimtab does meanwhile",
    "When it is wrong",
]


def test_every_alert_has_a_runbook_page_and_every_page_an_alert() -> None:
    pages = {page.stem: page.read_text(encoding="utf-8") for page in (DOCS / "runbooks").glob("*.md")}
    severities = {alert.name: alert.severity for alert in every_alert()}
    assert pages.keys() == severities.keys() | TOLD_BY_TRIMTAB
    for name, page in pages.items():
        assert page.startswith(f"# {name}\n")
        assert re.findall(r"^## (.+)$", page, flags=re.MULTILINE) == PARTS, name
        steps = page.partition("## First three things to do")[2].partition("\n## ")[0]
        assert re.findall(r"^(\d)\. ", steps, flags=re.MULTILINE) == ["1", "2", "3"], name
        assert f'amtool silence add --duration=2h --comment="why" alertname={name}' in page
        if name in severities:
            assert f"Severity: {severities[name]}, " in page


def test_every_setting_that_is_named_is_one() -> None:
    named = {
        (page.name, name)
        for page in DOCS.rglob("*.md")
        for name in re.findall(r"`rules\.(\w+)", page.read_text(encoding="utf-8"))
    }
    assert len({name for _, name in named}) > 5
    named.discard(("manifests.md", "external"))  # of the Helm chart of prometheus-adapter
    assert {(page, name) for page, name in named if name not in RulesSettings.model_fields} == set()


def test_the_table_of_alerts_is_whole_and_says_their_severity() -> None:
    text = (DOCS / "rules.md").read_text(encoding="utf-8")
    rows = dict(
        re.findall(r"^\| (Trimtab\w+) \| (\w+) \| .+ \| \[page\]\(runbooks/\1\.md\) \|$", text, flags=re.MULTILINE)
    )
    assert rows == {alert.name: alert.severity for alert in every_alert()}


def test_links_between_runbooks_lead_somewhere() -> None:
    for page in (DOCS / "runbooks").glob("*.md"):
        for target in re.findall(r"\]\((\w+\.md)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"
