"""When the program works, where it keeps things, and where it listens."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from trimtab.cron import trigger_of
from trimtab.settings.section import HttpUrl, Section, StoreUrl, Text, Zone


class ScheduleSettings(Section):
    """When the program works by itself, as five-field cron expressions."""

    cycle: Text = Field(default="*/5 * * * *", description="When recommendations are renewed.")
    report: Text = Field(default="10 0 * * *", description="When the report of the day before is written.")
    proof: Text = Field(
        default="*/15 * * * *",
        description="When alert rules without a fresh proof are replayed; a proof stands for a day.",
    )
    timezone: Zone = Field(
        default="UTC", description="IANA time zone of these expressions; a report's day is one of UTC."
    )

    @field_validator("cycle", "report", "proof")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        try:
            trigger_of(value, UTC)
        except ValueError as fault:
            raise ValueError(f"give a cron expression such as '*/5 * * * *' ({fault})") from None
        return value

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.timezone)


class ReportSettings(Section):
    """What the nightly report and its FOCUS file say of who pays, and for how long they are kept."""

    billing_account: Text | None = Field(
        default=None, description="Account that the cloud bills, as BillingAccountId of the FOCUS file names it."
    )
    keep_nights: int = Field(
        default=400,
        ge=1,
        description="Nights whose reports stay in the store; costs, the ledger and files that were written elsewhere stay all the same.",
    )


class StoreSettings(Section):
    """Where recommendations, costs and reports are kept."""

    url: StoreUrl = Field(
        default="sqlite:///trimtab.db",
        validate_default=True,
        description="SQLAlchemy URL of a SQLite file (a relative one stands beside the settings file), or of a PostgreSQL: "
        "`postgresql+psycopg://user@host/trimtab`, with `pip install 'trimtab[postgresql]'`.",
    )


class ApiSettings(Section):
    """Where the API and the web page listen."""

    host: Text = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: HttpUrl | None = Field(
        default=None,
        description="Address under which people reach it; links in notifications and reports begin so. By default host and port.",
    )

    @property
    def base_url(self) -> str | None:
        """What links begin with; None where the port is not known before it is taken."""
        if self.public_url is not None:
            return self.public_url
        return f"http://{self.host}:{self.port}" if self.port else None
