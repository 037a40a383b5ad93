"""Alert rules: when they fire, what they are proved on, and the form they are written in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trimtab.settings.section import Minutes, Positive, Section, Share, Text


class RulesSettings(Section):
    """The bounds of alert rules, the history they are replayed on, and the form they are written in."""

    runbook_base_url: Text = Field(
        default="docs/runbooks", description="Where the pages of docs/runbooks are published; `runbook_url` begins so."
    )
    interval_s: float = Field(default=30.0, ge=1, le=120, description="Seconds between two evaluations of a rule.")
    min_requests: int = Field(
        default=20,
        ge=1,
        le=1_000_000_000,
        description="Requests in a window below which no ratio or quantile of it is believed.",
    )
    error_ratio: Share = Field(default=0.05, description="Share of failed requests over five minutes that is too high.")
    min_accuracy: Share = Field(
        default=0.85, description="Accuracy of a model that is too low, where its SLO has none."
    )
    max_drift: Positive = Field(default=0.25, description="Population stability index above which a model has drifted.")
    expiring_minutes: Minutes = Field(
        default=30.0, description="Minutes before its end at which a recommendation that is not renewed is told."
    )
    cost_factor: float = Field(
        default=1.2, ge=1, allow_inf_nan=False, description="What runs costs too much at this multiple of its plan."
    )
    cost_floor_usd_per_hour: float = Field(
        default=0.1, ge=0, allow_inf_nan=False, description="USD an hour over the plan that are not worth an alert."
    )
    budget_ahead: float = Field(
        default=1.1,
        ge=1,
        allow_inf_nan=False,
        description="A budget is spent too fast at this multiple of what the elapsed part of the month allows.",
    )
    proof_days: float = Field(
        default=14.0,
        ge=0,
        le=90,
        description="Days of history over which each rule is replayed, to say how often it would have fired; 0 does not.",
    )
    most_critical_a_week: Positive = Field(
        default=1.0, description="Episodes a week above which a critical rule is marked as noise and lowered."
    )
    most_warnings_a_week: Positive = Field(default=3.0, description="The same for a rule of severity warning.")
    form: Literal["plain", "crd"] = Field(
        default="plain", description="crd: also as PrometheusRule objects, for the Prometheus operator."
    )
    namespace: Text | None = Field(default=None, description="Namespace of the PrometheusRule objects.")
    labels: dict[str, Text] = Field(
        default_factory=dict,
        description="Labels of the PrometheusRule objects, such as those that the operator's ruleSelector wants.",
    )
