"""Who is told of alerts, for a rendered Alertmanager configuration. A secret is always named by its file."""

from __future__ import annotations

import re
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from trimtab.settings.section import HttpUrl, Seconds, Section, Text

MSTEAMS_SINCE = (0, 28)
WAYS = ("email", "slack", "pagerduty", "msteams", "webhook")


class EmailSettings(Section):
    """An e-mail."""

    to: Text = Field(description="Addresses, separated by commas.")
    sender: Text = Field(description="Address it comes from.")
    smarthost: Text = Field(description="Mail server, as host:port.")
    username: Text | None = Field(default=None, description="Name to log in with.")
    password_file: Text | None = Field(default=None, description="File, on Alertmanager's machine, of the password.")
    require_tls: bool = Field(default=True, description="Whether the mail server has to speak TLS.")


class SlackSettings(Section):
    """A message to a Slack channel."""

    api_url_file: Text = Field(description="File, on Alertmanager's machine, of the incoming webhook's URL.")
    channel: Text | None = Field(default=None, description="Channel, where the webhook may choose.")


class PagerDutySettings(Section):
    """A PagerDuty incident."""

    routing_key_file: Text = Field(description="File, on Alertmanager's machine, of the Events API v2 routing key.")


class MsTeamsSettings(Section):
    """A message to a Microsoft Teams channel, through a workflow that takes webhooks."""

    webhook_url_file: Text = Field(description="File, on Alertmanager's machine, of the workflow's URL.")


class WebhookSettings(Section):
    """Alertmanager's own JSON, posted to an address."""

    url: HttpUrl = Field(description="Address; without credentials, for it is written into the configuration.")
    bearer_token_file: Text | None = Field(
        default=None, description="File, on Alertmanager's machine, of a bearer token to send along."
    )

    @field_validator("url")
    @classmethod
    def _without_credentials(cls, value: str) -> str:
        if "@" in urlsplit(value).netloc:
            raise PydanticCustomError(
                "with_credentials",
                "give a URL without credentials, and bearer_token_file for a token",
                {"value": f"***@{urlsplit(value).netloc.rpartition('@')[2]}"},
            )
        return value


class ReceiverSettings(Section):
    """One receiver: exactly one way of telling."""

    severities: tuple[Literal["critical", "warning", "info"], ...] = Field(
        default=("critical", "warning", "info"), min_length=1, description="Severities it hears of."
    )
    teams: tuple[Text, ...] = Field(
        default=(), description="It hears only of alerts that carry one of these teams; of all where none is named."
    )
    email: EmailSettings | None = Field(default=None, description="By e-mail.")
    slack: SlackSettings | None = Field(default=None, description="In Slack.")
    pagerduty: PagerDutySettings | None = Field(default=None, description="By PagerDuty.")
    msteams: MsTeamsSettings | None = Field(
        default=None, description="In Microsoft Teams; needs Alertmanager 0.28 or newer."
    )
    webhook: WebhookSettings | None = Field(default=None, description="By a webhook.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [name for name in WAYS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(WAYS)}")
        return self


class AlertmanagerSettings(Section):
    """Where events are sent, and whom a rendered alertmanager.yml tells."""

    url: HttpUrl | None = Field(
        default=None, description="Address of an Alertmanager (API v2); without it events are only logged."
    )
    timeout_s: Seconds = Field(default=5.0, description="Seconds after which sending is given up until the next cycle.")
    version: Text = Field(
        default="0.25", description="Version of the Alertmanager that reads a rendered alertmanager.yml."
    )
    receivers: tuple[ReceiverSettings, ...] = Field(
        default=(), description="Who is told of alerts, besides Trimtab itself."
    )

    @field_validator("version")
    @classmethod
    def _is_version(cls, value: str) -> str:
        if re.fullmatch(r"\d+\.\d+(\.\d+)?", value) is None:
            raise ValueError("give a version such as 0.28")
        return value

    @field_validator("receivers")
    @classmethod
    def _known_to_it(cls, value: tuple[ReceiverSettings, ...], info: ValidationInfo) -> tuple[ReceiverSettings, ...]:
        version = str(info.data.get("version", "0.25"))
        if any(each.msteams for each in value) and tuple(map(int, version.split(".")[:2])) < MSTEAMS_SINCE:
            raise ValueError(
                f"Alertmanager {version} does not know msteams: set alertmanager.version to 0.28 or newer where it is, "
                "or give the webhook of an adapter"
            )
        return value
