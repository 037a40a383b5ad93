"""Receivers in the settings: what is refused and how it is told, and that no secret can be written down."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from domain.artifact import Artifact
from tests.rules.fleet import accepted, written
from trimtab.rendering import render
from trimtab.settings_file import SettingsFaults, parse_settings

EVERY_WAY = """
api: {public_url: https://trimtab.example}
alertmanager:
  receivers:
    - {severities: [critical], pagerduty: {routing_key_file: /secrets/pagerduty}}
    - {slack: {api_url_file: /secrets/slack, channel: "#ml"}, teams: [vision]}
    - {webhook: {url: "https://hook.example/in", bearer_token_file: /secrets/token}}
    - email: {to: ml@example.org, sender: us@example.org, smarthost: "mail.example.org:587", username: us, password_file: /secrets/smtp}
"""


def rendered(text: str) -> tuple[Artifact, ...]:
    return render("alertmanager", parse_settings(text, name="test", base=Path()), (), ())


def refusal(text: str) -> str:
    with pytest.raises(SettingsFaults) as fault:
        rendered(text)
    return str(fault.value)


def test_every_way_of_telling_is_rendered_and_read(tmp_path: Path, alertmanager_installed: None) -> None:
    config, _ = artifacts = rendered(EVERY_WAY)
    accepted("amtool", "check-config", written(artifacts, tmp_path)[0])
    receivers = {each["name"]: each for each in yaml.safe_load(config.text)["receivers"]}
    assert receivers.pop("trimtab-report")["email_configs"][0]["send_resolved"] is False
    assert set(receivers) == {
        f"trimtab-{each}{of}" for each in ("critical", "warning", "info") for of in ("", "-vision")
    }
    assert receivers["trimtab-warning"]["webhook_configs"][0]["url"] == "https://trimtab.example/alerts/webhook"
    assert "pagerduty_configs" in receivers["trimtab-critical"]
    assert "slack_configs" not in receivers["trimtab-critical"]
    assert "slack_configs" in receivers["trimtab-critical-vision"]


@pytest.mark.parametrize(
    "receiver,said",
    [
        ("{slack: {api_url_file: /s}, webhook: {url: 'http://h/'}}", "give exactly one of email, slack"),
        ("{severities: [critical]}", "give exactly one of email, slack"),
        ("{slack: {api_url: 'https://hooks.slack/secret'}}", "api_url"),
        ("{webhook: {url: 'https://me:pass@h/'}}", "give a URL without credentials"),
        ("{severities: [loud], slack: {api_url_file: /s}}", "severities"),
        ("{msteams: {webhook_url_file: /s}}", "Alertmanager 0.25 does not know msteams"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_fix(receiver: str, said: str) -> None:
    text = refusal(f"alertmanager: {{receivers: [{receiver}]}}")
    assert "alertmanager.receivers" in text
    assert said in text


def test_a_secret_in_place_of_its_file_is_not_repeated() -> None:
    assert "hunter2" not in refusal(
        "alertmanager: {receivers: [{email: {to: a@b, sender: c@d, smarthost: m, password: hunter2}}]}"
    )
    assert "hunter2" not in refusal("alertmanager: {receivers: [{webhook: {url: 'https://me:hunter2@h/'}}]}")


def test_teams_channels_need_an_alertmanager_that_knows_them() -> None:
    teams = "receivers: [{msteams: {webhook_url_file: /secrets/teams}}]"
    config, _ = rendered(f"alertmanager: {{version: '0.28', {teams}}}")
    assert "msteamsv2_configs" in config.text
    assert "give a version such as 0.28" in refusal("alertmanager: {version: newest}")
