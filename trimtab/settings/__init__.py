"""What a user may set, in sections; each part of the program receives only its own section.

Every model is frozen and refuses unknown keys. The text of each `description` is also the text of
`docs/settings.md`. Reading a file and explaining what is wrong in it is `trimtab.settings_file`.
"""

from trimtab.settings.alerting import RulesSettings
from trimtab.settings.decisions import DecisionSettings, PriceSettings
from trimtab.settings.emitting import ClusterSettings, EmitSettings, GrafanaSettings
from trimtab.settings.objectives import ObjectiveSettings
from trimtab.settings.purchase import PurchaseSettings
from trimtab.settings.receivers import AlertmanagerSettings, ReceiverSettings
from trimtab.settings.running import ApiSettings, ReportSettings, ScheduleSettings, StoreSettings
from trimtab.settings.section import Section
from trimtab.settings.sharing import SharingSettings
from trimtab.settings.sources import HistorySettings, PrometheusSettings, ScrapeSettings
from trimtab.settings.whole import Settings
from trimtab.settings.workload import (
    BoundSettings,
    ResourceSettings,
    SloSettings,
    TargetSettings,
    WorkloadDefaults,
    WorkloadSettings,
    resolved,
)

__all__ = [
    "AlertmanagerSettings",
    "ApiSettings",
    "BoundSettings",
    "ClusterSettings",
    "DecisionSettings",
    "EmitSettings",
    "GrafanaSettings",
    "HistorySettings",
    "ObjectiveSettings",
    "PriceSettings",
    "PrometheusSettings",
    "PurchaseSettings",
    "ReceiverSettings",
    "ReportSettings",
    "ResourceSettings",
    "RulesSettings",
    "ScheduleSettings",
    "ScrapeSettings",
    "Section",
    "Settings",
    "SharingSettings",
    "SloSettings",
    "StoreSettings",
    "TargetSettings",
    "WorkloadDefaults",
    "WorkloadSettings",
    "resolved",
]
