"""What people read: messages as a real Alertmanager writes them, to Slack, a pager and by e-mail."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rules import AlertmanagerOptions, Email, PagerDuty, Receiver, Slack, alertmanager
from tests.golden_files import assert_golden
from tests.rules.fleet import written
from tests.servers import Alertmanager, Reply, Scripted, wait_until
from tests.smtp import MailServer

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("alertmanager_installed")]
SECOND = timedelta(seconds=1)
FAILING = {
    "labels": {"alertname": "TrimtabErrorBudgetBurnFast", "severity": "critical", "category": "errors", "workload": "vision:digits"},
    "annotations": {
        "summary": "The error budget is being spent too fast.",
        "description": "vision:digits: 12% of requests failed over 1h or 6h; 0.1% may fail, and at this pace the budget of 30 days will not last.",
        "runbook_url": "https://docs.example/runbooks/TrimtabErrorBudgetBurnFast.md",
        "proof": "would have fired 2 times in the 14 days to 2026-01-05 12:00 UTC",
    },
    "generatorURL": "http://prometheus.example/graph?g0.expr=x",
}  # fmt: skip


def proposal(workload: str, usd: int) -> dict[str, Any]:
    return {
        "labels": {"alertname": "TrimtabRecommendation", "severity": "info", "category": "recommendation", "workload": workload, "event": f"recommendation:{workload}"},
        "annotations": {"summary": "A change would save money.", "description": f"{workload}: ${usd} a month less (<low> to <high>): 3 x m5.large on spot in place of 8."},
        "generatorURL": f"http://trimtab.example/#{workload}",
    }  # fmt: skip


class Stage:
    """An Alertmanager that tells a Slack, a pager and a mail server, all of them on loopback."""

    def __init__(self, folder: Path, slack: Scripted, mail: MailServer) -> None:
        self.slack, self.mail = slack, mail
        (folder / "slack").write_text(f"{slack.url}/hook", encoding="utf-8")
        receivers = (
            Receiver(way=Slack(api_url_file=str(folder / "slack"), channel="#ml")),
            Receiver(
                way=Email(to="ml@example.org", sender="us@example.org", smarthost=mail.address, require_tls=False)
            ),
        )
        options = AlertmanagerOptions(
            webhook_url=f"{slack.url}/webhook",
            receivers=receivers,
            group_wait=SECOND,
            critical_group_wait=SECOND,
            group_interval=SECOND,
            digest_interval=SECOND,
        )
        config, messages = alertmanager(options)
        self.server = Alertmanager(folder / "alertmanager", config.text)
        written([messages], folder / "alertmanager")

    def post(self, *alerts: dict[str, Any]) -> None:
        request = urllib.request.Request(
            f"{self.server.url}/api/v2/alerts",
            data=json.dumps(alerts).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200

    def slacked(self, count: int) -> list[Any]:
        """The attachments of the first messages to Slack."""

        def posts() -> list[Any]:
            return [json.loads(each.body)["attachments"][0] for each in list(self.slack.asked) if each.path == "/hook"]

        wait_until(lambda: len(posts()) >= count, within_s=20, what=f"{count} messages to Slack")
        return posts()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Scripted(lambda _: Reply(body=b"ok")) as slack, MailServer() as mail:
        made = Stage(tmp_path, slack, mail)
        with made.server:
            yield made


def test_an_alert_is_a_short_message_with_number_reason_and_links(stage: Stage) -> None:
    stage.post(FAILING)
    (message,) = stage.slacked(1)
    wait_until(lambda: bool(stage.mail.mails), within_s=20, what="an e-mail")
    stage.post(FAILING | {"endsAt": "2020-01-01T00:00:00Z", "startsAt": "2019-01-01T00:00:00Z"})
    _, over = stage.slacked(2)
    (mail,) = stage.mail.mails[:1]
    texts = {
        part.get_content_type(): part.get_content().replace("\r\n", "\n")
        for part in mail.walk()
        if not part.is_multipart()
    }
    shown = [
        *(
            f"Slack {name}: {each[name]}"
            for each in (message, over)
            for name in ("title", "title_link", "text", "color")
        ),
        f"Mail subject: {mail['Subject']}",
        f"Mail text: {texts['text/plain']}",
        f"Mail page: {texts['text/html']}",
    ]
    assert_golden("rules/messages/alert.txt", "\n".join(shown))
    assert len(message["text"]) < 400


def test_a_digest_names_each_and_stays_short(stage: Stage) -> None:
    """Ten proposals are told one by one, of more the number; nothing of a label is taken for HTML."""
    stage.post(*(proposal(f"shop:m{n:02}", 100 + n) for n in range(12)))
    message = next(each for each in stage.slacked(1) if "12 in all" in each["text"])
    wait_until(lambda: bool(stage.mail.mails), within_s=20, what="an e-mail")
    assert message["title"] == "[info] A change would save money."
    assert message["text"].count("a month less") == 10
    assert "shop:m00: $100 a month less (<low> to <high>)" in message["text"]
    html = stage.mail.mails[-1].get_body(("html",))
    assert html is not None
    assert "(&lt;low&gt; to &lt;high&gt;)" in html.get_content()


def test_a_pager_is_given_the_title_and_the_severity(tmp_path: Path) -> None:
    """PagerDuty's own address cannot be reached from here: what is sent there is in the configuration."""
    options = AlertmanagerOptions(receivers=[Receiver(way=PagerDuty(routing_key_file="/k"))])
    text = alertmanager(options)[0].text
    assert "description: '{{ template \"trimtab.title\" . }}'" in text
    assert "severity: '{{ or .CommonLabels.severity `error` }}'" in text
