"""How machines may be bought: what may be promised for, and how much of them may be spot."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trimtab.settings.section import Days, Section

Part = Annotated[float, Field(ge=0, le=1)]


class PurchaseSettings(Section):
    """Which commitments may be proposed, and how much may be bought on spot."""

    max_term_days: Days = Field(default=365.0, description="Longest commitment that may be proposed; 0 proposes none.")
    max_upfront_share: Part = Field(
        default=0.0, description="Share of a commitment that may have to be paid in advance; 1 allows all of it."
    )
    min_history_days: Days = Field(
        default=28.0,
        description="Days of history without which nothing is reserved; more than `history.lookback_days` reserve nothing.",
    )
    min_firm_share: Part = Field(
        default=0.5, description="Share of the machines that stays reserved or on demand; 1 buys nothing on spot."
    )
    spot_budget_share: Part = Field(
        default=0.25, description="Share of the error budget that losses of spot machines may use up."
    )
