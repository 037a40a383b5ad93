"""How decisions are made and what they are priced with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trimtab.settings.section import BesideFile, Days, Hours, Minutes, Section, Share, Span, Text

Ahead = Annotated[float, Field(gt=0, le=62, allow_inf_nan=False)]  # days: a forecast of more than two months is none


class DecisionSettings(Section):
    """How decisions are made; the defaults suit most."""

    policy: Literal["least_cost", "rule_of_thumb"] = Field(
        default="least_cost", description="Policy: least_cost, or rule_of_thumb to compare with."
    )
    interval_s: float = Field(
        default=60.0,
        ge=1,
        le=3600,
        description="Seconds after which the scaling policy decides again, and never sooner.",
    )
    valid_hours: Hours = Field(default=6.0, description="Hours a recommendation stands when it cannot be renewed.")
    horizon_days: Ahead = Field(default=7.0, description="Days that are forecast.")
    replay_days: Span = Field(default=7.0, description="Days of recent history on which plans are costed.")
    min_history_days: Span = Field(default=2.0, description="Days of history without which nothing is proposed.")
    max_input_age_minutes: Minutes = Field(default=30.0, description="Age of the newest sample that is still now.")
    min_coverage: Share = Field(default=0.7, description="Share of recent history that has to be known.")
    max_step_down: Share = Field(default=0.5, description="Share of the replicas that one decision may take away.")
    min_saving_usd: float = Field(
        default=5.0, ge=0, allow_inf_nan=False, description="USD a month under which nothing is moved."
    )
    min_saving_share: float = Field(
        default=0.05, ge=0, lt=1, description="Share of the bill under which nothing is moved."
    )
    min_confidence: float = Field(default=0.2, ge=0, lt=1, description="Confidence under which it is held.")
    max_price_age_days: Days | None = Field(
        default=None,
        description="Age of a price over which nothing that rests on it is proposed; an undated price is over any. By default "
        "old prices are only named.",
    )
    right_size: bool = Field(
        default=True,
        description="Measure what replicas use, and plan with it where that is safer or cheaper than what is declared.",
    )
    other_clouds: tuple[Text, ...] = Field(
        default=(),
        description="Serverless providers that may be used beside a workload's own cloud: runpod, modal, replicate.",
    )
    kept_by_calls: bool = Field(
        default=True,
        description="Where idle serverless instances are not billed, up to four may be kept by calls, which are made every half "
        "of the time that an idle one lives.",
    )
    container_tasks: bool = Field(
        default=False, description="Price dedicated replicas on containers sold by their size (Fargate) too."
    )
    processes: int | None = Field(
        default=None, ge=1, le=1_024, description="Processes that decide; by default one a core, at most 4."
    )


class PriceSettings(Section):
    """What things cost, beyond the bundled price lists."""

    file: BesideFile | None = Field(
        default=None, description="CSV or YAML file of your own prices, which win over the bundled ones."
    )
    spot: Literal["published", "proved", "never"] = Field(
        default="published",
        description="Spot machines are recommended on published interruption rates where no history of their availability "
        "is known (published), only where such a history speaks for them (proved), or never.",
    )
    availability: dict[str, BesideFile] = Field(
        default_factory=dict,
        description="How many spot machines could be had: cloud/zone/machine type to file (CSV or CSV.gz with `timestamp` "
        "and `value`), such as `aws/us-east-1a/p3.2xlarge: p3.csv.gz`; a whole region may stand for the zone.",
    )
    availability_max_age_days: Span = Field(
        default=90.0,
        description="Days before the decision at which such a history may end; older ones are not trusted.",
    )
