"""The shapes of the answers, for the OpenAPI document; unknown figures are null and `unknown` says why."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class PurchaseBody(BaseModel):
    """Mean replicas held in each way of buying."""

    reserved: float
    on_demand: float
    spot: float


class ConfigurationBody(BaseModel):
    """A way of running a workload and its price."""

    replicas: int
    mean_replicas: float
    mode: str
    purchase: PurchaseBody
    offer: str
    usd_per_month: float
    replicas_per_machine: int | None = Field(
        description="How many replicas one machine of its own holds; null where it has none of its own."
    )
    machines: int | None = Field(description="Machines for the replicas, each paid for whole; null as above.")


class ProposalBody(ConfigurationBody):
    """What is proposed, with the range its price may fall in."""

    usd_per_month_low: float
    usd_per_month_high: float


class ReasonBody(BaseModel):
    """One step of the explanation."""

    code: str
    detail: str
    before: str | None
    after: str | None


class HeldBody(BaseModel):
    """Since when and why a recommendation could not be renewed."""

    since: str
    reason: str


class CalendarBody(BaseModel):
    """From `at` on, at least `replicas`."""

    at: str
    replicas: int


class ToldBody(BaseModel):
    """One time that an alert fired, as Alertmanager last told of it; `ends_at` is null while it fires."""

    alert: str
    severity: str | None
    status: str
    starts_at: str
    ends_at: str | None
    summary: str | None
    description: str | None


class AllocationBody(BaseModel):
    """What one replica should ask for; no CPU limit is null."""

    basis: Literal["measured", "declared"]
    cpu_request_cores: float
    cpu_limit_cores: float | None
    memory_request_gib: float
    memory_limit_gib: float
    accelerator: str | None
    accelerator_count: int
    spot_eligible: bool
    priced: bool = Field(description="Whether the proposal is priced with it, and not with what is declared.")
    usd_per_month: float | None
    declared_usd_per_month: float | None
    detail: str


class RecommendationBody(BaseModel):
    """A recommendation with its status and its whole evidence."""

    id: str
    workload: str
    kind: Literal["act", "hold"]
    created_at: str
    valid_until: str
    observed_at: str = Field(description="Of when the facts are; before created_at for recorded history.")
    status: Literal["open", "accepted", "dismissed", "applied", "held", "expired", "superseded"]
    decided_at: str | None = Field(description="When a person accepted or dismissed it, or one that it renews.")
    decided_by: str | None = Field(description="Who that was, if they gave a name.")
    applied_at: str | None = Field(description="Since when what runs follows it, as seen in metrics.")
    age_seconds: int
    held: HeldBody | None
    replicas: int | None = Field(description="The number to follow now; null when there is none.")
    current: ConfigurationBody | None
    price_age_days: int | None = Field(description="Age of the oldest price or exchange rate that was used.")
    proposed: ProposalBody | None
    saving_usd_per_month: float | None
    saving_low: float | None
    saving_high: float | None
    confidence: float | None
    needs: str | None
    calendar: list[CalendarBody] = Field(description="The floor under the number that follows the load.")
    schedule: list[CalendarBody] = Field(description="What would serve the week alone, without a controller.")
    allocation: AllocationBody | None = Field(description="Requests and limits of one replica; null on a hold.")
    reasons: list[ReasonBody]
    evidence: dict[str, Any]
    alerts: list[ToldBody] = Field(description="Alerts on its workload, the latest told first; at most 5.")
    unknown: dict[str, str]


class RecommendationPage(BaseModel):
    """A page; `next` is the cursor of the following one, null at the end."""

    items: list[RecommendationBody]
    next: str | None


class WorkloadBody(BaseModel):
    """A workload, its promise and needs, and what is recommended for it."""

    id: str
    runtime: str | None
    labels: dict[str, str]
    slo: dict[str, float] | None
    resources: dict[str, Any] | None
    bounds: dict[str, Any] | None
    modes: list[str]
    cloud: str | None
    region: str | None
    isolation_group: str | None
    anti_affinity: list[str]
    team: str | None
    target: dict[str, Any] | None
    stateless: bool | None
    country: str | None
    input_age_seconds: dict[str, float]
    recommendation: str | None = Field(description="Id of its newest recommendation.")
    status: str | None


class WorkloadPage(BaseModel):
    """A page of workloads."""

    items: list[WorkloadBody]
    next: str | None


class ForecastBody(BaseModel):
    """What the newest recommendation expects of the load, and how the forecasters did on this history."""

    workload: str
    recommendation: str
    created_at: str
    forecast: dict[str, Any]
    backtest: dict[str, Any]


class ReplayBody(BaseModel):
    """The policies replayed on this workload's own recent history, side by side, as the newest recommendation saw it."""

    workload: str
    recommendation: str
    created_at: str
    replay: dict[str, Any]


class CostBody(BaseModel):
    """What a workload cost on a day (UTC), and would have cost as proposed."""

    day: date
    workload: str
    usd: float | None
    proposed_usd: float | None
    covered: float | None = Field(
        description="How much of the day was seen: share of its hours with a cycle, times that of cycles that knew it."
    )
    unknown: dict[str, str]


class FleetBody(BaseModel):
    """What all workloads cost a month as the newest recommendations see it: bill = plan + saving.

    A shared host is in it once, for its tenants pay shares that add up to its bill.
    """

    workloads: int
    bill_usd_per_month: float | None = Field(description="As it runs, where that is known; null where it nowhere is.")
    billed_workloads: int
    plan_usd_per_month: float | None = Field(description="The bill, if every proposal were followed.")
    saving_usd_per_month: float | None
    saving_low: float | None
    saving_high: float | None
    saving_workloads: int = Field(description="Proposals of which the saving is known.")
    price_age_days: int | None = Field(description="Age of the oldest price or exchange rate in these sums.")
    price_age_unknown_workloads: int = Field(description="Workloads in them whose prices are of no known age.")
    shared_hosts: int
    shared_hosts_usd_per_month: float


class CostPage(BaseModel):
    """A page of costs, and what the whole fleet costs now."""

    items: list[CostBody]
    fleet: FleetBody
    next: str | None


class GapBody(BaseModel):
    """The gap by its reasons, in USD; what is known and `other` are the whole gap."""

    load: float | None
    price: float | None
    capacity: float | None
    not_applied: float | None
    other: float


class TakenUpBody(BaseModel):
    """When a recommendation was taken up: accepted by a person, or seen to be followed."""

    at: str
    how: Literal["accepted", "applied"]


class NightBody(BaseModel):
    """One night (UTC) of one recommendation that was taken up; amounts in USD of that night."""

    night: date
    workload: str
    recommendation: str
    taken_up: TakenUpBody
    promised_usd: float | None
    baseline_usd: float | None = Field(description="What would have been paid had what ran before gone on.")
    ran_usd: float | None = Field(description="What was paid for what ran.")
    realised_usd: float | None = Field(description="The baseline less what was paid.")
    gap_usd: float | None = Field(description="Realised less promised.")
    gap: GapBody | None
    followed_share: float | None = Field(description="Part of the night in which it ran as proposed.")
    requests: float | None
    missed_share: float | None = Field(description="Of the requests, at least: failed, or late.")
    missed_before: float | None = Field(description="The same of the stretch that was decided on.")
    would_have_missed: float | None = Field(description="What the baseline would have missed of this night's load.")
    budget: float = Field(description="Share of requests that the SLO lets be missed.")
    slo_held: bool | None
    price_age_days: int | None = Field(
        description="Age in that night of the oldest price that the promise was made of."
    )
    worse: list[ReasonBody] = Field(description="In what it made things worse over the last week of nights.")
    unknown: dict[str, str]


class SavingsTotals(BaseModel):
    """Sums over the nights of which promise and outcome are known; the others are counted only."""

    nights: int
    known_nights: int
    promised_usd: float
    realised_usd: float
    gap_usd: float
    gap: GapBody
    price_age_days: int | None = Field(description="The greatest such age among the nights.")
    price_age_unknown_nights: int


class SavingsPage(BaseModel):
    """A page of the ledger, with the totals of the whole question."""

    items: list[NightBody]
    totals: SavingsTotals
    next: str | None


class ReportLink(BaseModel):
    """Where the report of a day is."""

    date: date
    generated_at: str
    html: str
    csv: str
    focus: str
    focus_metadata: str
    pdf: str


class ReportPage(BaseModel):
    """A page of reports."""

    items: list[ReportLink]
    next: str | None


class AlertBody(ToldBody):
    """The same with everything Alertmanager said."""

    fingerprint: str
    received_at: str
    labels: dict[str, str]
    annotations: dict[str, str]


class AlertList(BaseModel):
    """The alerts told last."""

    items: list[AlertBody]
    next: str | None = None


class EpisodeBody(BaseModel):
    """One time that an alert would have fired; `labels` tell the workload where one rule is for all."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str = Field(alias="from")
    until: str
    labels: dict[str, str]


class ProofBody(BaseModel):
    """An alert rule replayed on real history."""

    model_config = ConfigDict(populate_by_name=True)

    workload: str | None = Field(description="Null for a rule of the fleet.")
    alert: str
    told: str = Field(description="The proof as a sentence.")
    from_: str | None = Field(alias="from")
    until: str | None
    known: float | None = Field(description="Share of that time in which the alert could be judged.")
    rests_on: str | None = Field(description="Series that were asked: recorded, history or metrics.")
    fired: int | None
    episodes: list[EpisodeBody] | None
    unknown: str | None = Field(description="Why it is not known.")


class ProofPage(BaseModel):
    """A page of proofs."""

    items: list[ProofBody]
    next: str | None


class Received(BaseModel):
    """How many alerts were taken in."""

    received: int


class State(BaseModel):
    """Whether a probe is content."""

    status: str
