"""Everything that can be set, in one model."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from trimtab.settings.alerting import RulesSettings
from trimtab.settings.decisions import DecisionSettings, PriceSettings
from trimtab.settings.emitting import EmitSettings
from trimtab.settings.objectives import ObjectiveSettings
from trimtab.settings.purchase import PurchaseSettings
from trimtab.settings.receivers import AlertmanagerSettings
from trimtab.settings.running import ApiSettings, ReportSettings, ScheduleSettings, StoreSettings
from trimtab.settings.section import Section
from trimtab.settings.sharing import SharingSettings
from trimtab.settings.sources import HistorySettings, PrometheusSettings, ScrapeSettings
from trimtab.settings.workload import WorkloadDefaults, WorkloadSettings


class Settings(Section):
    """Everything that can be set."""

    prometheus: PrometheusSettings | None = Field(default=None, description="Where metrics are asked.")
    history: HistorySettings = Field(default_factory=HistorySettings, description="How much history, or files of it.")
    defaults: WorkloadDefaults = Field(default_factory=WorkloadDefaults, description="What holds for every workload.")
    workloads: tuple[WorkloadSettings, ...] = Field(
        default=(), description="The workloads; without any, those that Prometheus or the history files show."
    )
    objectives: tuple[ObjectiveSettings, ...] = Field(
        default=(), description="What workloads and teams may spend and have to hold."
    )
    decisions: DecisionSettings = Field(default_factory=DecisionSettings, description="How decisions are made.")
    purchase: PurchaseSettings = Field(default_factory=PurchaseSettings, description="How machines may be bought.")
    sharing: SharingSettings = Field(default_factory=SharingSettings, description="What may live together on one host.")
    schedule: ScheduleSettings = Field(default_factory=ScheduleSettings, description="When work is done.")
    report: ReportSettings = Field(default_factory=ReportSettings, description="What the nightly report says.")
    store: StoreSettings = Field(default_factory=StoreSettings, description="Where results are kept.")
    emit: EmitSettings = Field(default_factory=EmitSettings, description="Where artifacts are written.")
    alertmanager: AlertmanagerSettings = Field(
        default_factory=AlertmanagerSettings, description="Where events are sent."
    )
    rules: RulesSettings = Field(default_factory=RulesSettings, description="When alert rules fire.")
    scrape: ScrapeSettings = Field(default_factory=ScrapeSettings, description="What a rendered Prometheus scrapes.")
    prices: PriceSettings = Field(default_factory=PriceSettings, description="What things cost.")
    api: ApiSettings = Field(default_factory=ApiSettings, description="Where the API listens.")

    @field_validator("workloads")
    @classmethod
    def _named_once(cls, value: tuple[WorkloadSettings, ...]) -> tuple[WorkloadSettings, ...]:
        names = [workload.id for workload in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError("named_twice", "give each workload an id of its own", {"value": ", ".join(twice)})
        return value

    @field_validator("objectives")
    @classmethod
    def _one_of_each(cls, value: tuple[ObjectiveSettings, ...]) -> tuple[ObjectiveSettings, ...]:
        whose = [": ".join(*each.labels.items()) for each in value]
        twice = sorted({name for name in whose if whose.count(name) > 1})
        if twice:
            raise PydanticCustomError("named_twice", "give each one objective", {"value": ", ".join(twice)})
        return value
