"""What a workload or a team has set itself: what it may cost, what it has to hold, who answers for it and when that is looked at."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from trimtab.settings.section import Positive, Section, Share, Text


class ObjectiveSettings(Section):
    """The objective of one workload or of all workloads of a team."""

    workload: Text | None = Field(default=None, description="Id of the workload; either this or `team`.")
    team: Text | None = Field(default=None, description="Team whose workloads are counted together.")
    goal: Text | None = Field(default=None, description="What is to be reached, in a sentence, for the report.")
    owner: Text | None = Field(default=None, description="Who answers for it.")
    stakeholders: tuple[Text, ...] = Field(default=(), description="Who else is to know.")
    budget_usd_per_month: Positive | None = Field(
        default=None, description="USD that may be spent in a calendar month (UTC); an alert watches it."
    )
    attainment: Share | None = Field(
        default=None,
        description="Share of the month's requests to be answered without error and in time; of a workload that of its SLO where it is left out.",
    )
    review_on: date | None = Field(
        default=None,
        description="Day (YYYY-MM-DD) on which it is to be looked at again; from then on it is shown as due.",
    )

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.workload is None) == (self.team is None):
            raise ValueError("give either workload or team")
        return self

    @property
    def labels(self) -> dict[str, str]:
        """Whose it is, as the labels of its metrics."""
        return {"workload": self.workload} if self.workload is not None else {"team": str(self.team)}
