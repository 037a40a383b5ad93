"""What a user may set, in sections; each part of the program receives only its own section.

Every model is frozen and refuses unknown keys. The text of each `description` is also the text of
`docs/settings.md`. Reading a file and explaining what is wrong in it is `trimtab.settings_file`.
"""

from __future__ import annotations

import math
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from domain.workload import ServingMode
from trimtab.cron import trigger_of


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base", Path())
    return (Path(base) / path.expanduser()).resolve()


def _http_url(url: str) -> str:
    if not url.startswith(("http://", "https://")) or not url.split("://", 1)[1].strip("/"):
        raise ValueError("give a URL such as http://127.0.0.1:9090")
    return url.rstrip("/")


def _store_url(url: str, info: ValidationInfo) -> str:
    """SQLite by default; a relative database file stands beside the settings file."""
    prefix = "sqlite:///"
    if not url.startswith(prefix):
        if "://" not in url:
            raise ValueError("give a SQLAlchemy URL such as sqlite:///trimtab.db")
        return url
    file = url.removeprefix(prefix)
    return url if file in ("", ":memory:") else prefix + str(_beside_the_file(Path(file), info))


def _text(value: object) -> object:
    """A label may be written as a number in YAML (version: 3); Prometheus only has text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


BesideFile = Annotated[Path, AfterValidator(_beside_the_file)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
StoreUrl = Annotated[str, AfterValidator(_store_url)]
Text = Annotated[str, Field(min_length=1), BeforeValidator(_text)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A part of the settings: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PrometheusSettings(Section):
    """The Prometheus (or a server that speaks its API) that knows the workloads."""

    url: HttpUrl = Field(description="Address of the server, for example http://127.0.0.1:9090.")
    timeout_s: Positive = Field(default=60.0, description="Seconds after which one query is given up.")
    concurrency: int = Field(default=4, ge=1, le=32, description="Queries under way at the same time.")


class HistorySettings(Section):
    """How much load history is used, and files to read it from in place of Prometheus."""

    files: dict[str, BesideFile] = Field(
        default_factory=dict,
        description="Recorded history: workload id to trace file (CSV or CSV.gz with `timestamp` and `requests`).",
    )
    lookback_days: Positive = Field(default=28.0, description="Days of history that are read.")
    step_s: Positive = Field(default=300.0, description="Width in seconds of one step of the history from Prometheus.")

    @field_validator("step_s")
    @classmethod
    def _whole_seconds(cls, value: float, info: ValidationInfo) -> float:
        if value % 1:
            raise ValueError("give whole seconds, as Prometheus is asked in them")
        if value > info.data.get("lookback_days", math.inf) * 86400:
            raise ValueError("give a step that is shorter than lookback_days")
        return value


class SloSettings(Section):
    """The promise to the users of a workload."""

    attainment: Share = Field(default=0.999, description="Share of requests answered without error and in time.")
    latency_quantile: Share = Field(default=0.95, description="The quantile of latency that is watched.")
    latency_ms: Positive = Field(default=500.0, description="Milliseconds within which that quantile has to lie.")
    usd_per_missed_request: Positive | None = Field(
        default=None,
        description="Dollars that a missed request costs; where given, replicas are weighed against it and not "
        "against the attainment, which then only serves alerts and reports.",
    )
    min_accuracy: Share | None = Field(
        default=None, description="Accuracy of the model under which an alert fires; without it, that of the rules."
    )


class ResourceSettings(Section):
    """What one replica asks for."""

    cpu_cores: Positive = Field(default=1.0, description="CPU cores of one replica.")
    memory_gib: Positive = Field(default=2.0, description="Memory of the whole process in GiB.")
    model_gib: Positive = Field(default=0.5, description="Memory of the model's weights alone in GiB.")
    accelerator: Text | None = Field(
        default=None, description="Kind of accelerator, as the price book names it, such as T4."
    )
    accelerator_count: int = Field(default=0, ge=0, description="Accelerators of one replica.")
    architecture: Literal["amd64", "arm64"] = Field(default="amd64", description="What the image runs on.")


class BoundSettings(Section):
    """Limits that no recommendation crosses."""

    min_replicas: int = Field(default=1, ge=0, description="Replicas always kept.")
    max_replicas: int | None = Field(default=None, ge=1, description="Replicas never exceeded.")

    @field_validator("max_replicas")
    @classmethod
    def _not_below_the_minimum(cls, value: int | None, info: ValidationInfo) -> int | None:
        least = info.data.get("min_replicas", 0)
        if value is not None and value < least:
            raise ValueError(f"give at least min_replicas ({least})")
        return value


class TargetSettings(Section):
    """The Kubernetes object that rendered manifests point at."""

    name: Text = Field(description="Name of the object.")
    namespace: Text = Field(default="default", description="Its namespace.")
    kind: Literal["Deployment", "StatefulSet", "ReplicaSet"] = Field(default="Deployment", description="Its kind.")


class WorkloadDefaults(Section):
    """What holds for every workload that does not say otherwise."""

    runtime: Text = Field(default="trimtab-serving", description="Runtime profile: trimtab-serving or vllm.")
    slo: SloSettings = Field(default_factory=SloSettings, description="The promise to its users.")
    resources: ResourceSettings = Field(default_factory=ResourceSettings, description="What one replica asks for.")
    bounds: BoundSettings = Field(default_factory=BoundSettings, description="Limits on replicas.")
    modes: frozenset[ServingMode] = Field(
        default=frozenset(ServingMode),
        min_length=1,
        description="Serving modes that are allowed: serverless, dedicated, shared.",
    )
    cloud: Text = Field(default="aws", description="Cloud whose prices apply: aws, gcp or azure.")
    region: Text = Field(default="us-east-1", description="Region whose prices apply.")
    isolation_group: Text | None = Field(default=None, description="Only workloads of one group may share a host.")
    team: Text | None = Field(default=None, description="Who pays, for reports.")
    capacity_rps: Positive | None = Field(
        default=None,
        description="Requests/s that one replica carries within its SLO; without it, it is learned from history.",
    )
    time_to_ready_s: Positive | None = Field(
        default=None,
        description="Seconds from wanting a replica until it answers; without it, it is measured or assumed.",
    )
    service_time_ms: Positive | None = Field(
        default=None, description="Milliseconds of work in one request; without it, it is measured."
    )
    replicas: int | None = Field(default=None, ge=0, description="Replicas that run today, where no metric says.")
    mode: ServingMode | None = Field(default=None, description="Serving mode of today, where no metric says.")
    offer: Text | None = Field(
        default=None, description="Instance type or serverless service of today, as the price book names it."
    )


class WorkloadSettings(WorkloadDefaults):
    """One model or service; what it leaves out is taken from `defaults`."""

    id: Text = Field(
        description="Its name everywhere: identity label values joined by `:`, or a name of `history.files`."
    )
    match: dict[str, Text] = Field(
        default_factory=dict, description="Labels that select its series in Prometheus, such as service and model."
    )
    target: TargetSettings | None = Field(default=None, description="The Kubernetes object that scales it.")


class DecisionSettings(Section):
    """How decisions are made; the defaults suit most."""

    policy: Literal["least_cost", "rule_of_thumb"] = Field(
        default="least_cost", description="Policy: least_cost, or rule_of_thumb to compare with."
    )
    valid_hours: Positive = Field(default=6.0, description="Hours a recommendation stands when it cannot be renewed.")
    horizon_days: Positive = Field(default=7.0, description="Days that are forecast.")
    replay_days: Positive = Field(default=7.0, description="Days of recent history on which plans are costed.")
    min_history_days: Positive = Field(default=2.0, description="Days of history without which nothing is proposed.")
    max_input_age_minutes: Positive = Field(default=30.0, description="Age of the newest sample that is still now.")
    min_coverage: Share = Field(default=0.7, description="Share of recent history that has to be known.")
    max_step_down: Share = Field(default=0.5, description="Share of the replicas that one decision may take away.")
    min_saving_usd: float = Field(default=5.0, ge=0, description="USD a month under which nothing is moved.")
    min_saving_share: float = Field(
        default=0.05, ge=0, lt=1, description="Share of the bill under which nothing is moved."
    )
    min_confidence: float = Field(default=0.2, ge=0, lt=1, description="Confidence under which it is held.")
    processes: int | None = Field(
        default=None, ge=1, description="Processes that decide; by default one a core, at most 4."
    )


class ScheduleSettings(Section):
    """When the program works by itself, as five-field cron expressions."""

    cycle: Text = Field(default="*/5 * * * *", description="When recommendations are renewed.")
    report: Text = Field(default="10 0 * * *", description="When the report of the day before is written.")
    timezone: Text = Field(
        default="UTC", description="IANA time zone of both expressions; a report's day is one of UTC."
    )

    @field_validator("cycle", "report")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        try:
            trigger_of(value, UTC)
        except ValueError as fault:
            raise ValueError(f"give a cron expression such as '*/5 * * * *' ({fault})") from None
        return value

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("give an IANA time zone such as Europe/Berlin") from None
        return value

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.timezone)


class StoreSettings(Section):
    """Where recommendations, costs and reports are kept."""

    url: StoreUrl = Field(
        default="sqlite:///trimtab.db",
        validate_default=True,
        description="SQLAlchemy URL; a relative SQLite file stands beside the settings file.",
    )


class EmitSettings(Section):
    """Where each cycle writes rules, dashboards and manifests."""

    dir: BesideFile | None = Field(
        default=None,
        description="Folder that is kept up to date: what is no longer rendered is removed, if Trimtab wrote it. Without it nothing is written.",
    )


class AlertmanagerSettings(Section):
    """Where events are sent."""

    url: HttpUrl | None = Field(
        default=None, description="Address of an Alertmanager (API v2); without it events are only logged."
    )
    timeout_s: Positive = Field(
        default=5.0, description="Seconds after which sending is given up until the next cycle."
    )


class ScrapeSettings(Section):
    """What a rendered prometheus.yml scrapes, as host:port."""

    serving: tuple[Text, ...] = Field(default=("127.0.0.1:8080",), description="Model servers.")
    quality: tuple[Text, ...] = Field(default=("127.0.0.1:8090",), description="Model-quality exporters.")
    node_exporters: tuple[Text, ...] = Field(default=(), description="Node exporters.")
    kubernetes: bool = Field(default=False, description="Also pods with the usual prometheus.io annotations.")


class PriceSettings(Section):
    """What things cost, beyond the bundled price lists."""

    file: BesideFile | None = Field(
        default=None, description="CSV or YAML file of your own prices, which win over the bundled ones."
    )


class ApiSettings(Section):
    """Where the API and the web page listen."""

    host: Text = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")


class Settings(Section):
    """Everything that can be set."""

    prometheus: PrometheusSettings | None = Field(default=None, description="Where metrics are asked.")
    history: HistorySettings = Field(default_factory=HistorySettings, description="How much history, or files of it.")
    defaults: WorkloadDefaults = Field(default_factory=WorkloadDefaults, description="What holds for every workload.")
    workloads: tuple[WorkloadSettings, ...] = Field(
        default=(), description="The workloads; without any, those that Prometheus or the history files show."
    )
    decisions: DecisionSettings = Field(default_factory=DecisionSettings, description="How decisions are made.")
    schedule: ScheduleSettings = Field(default_factory=ScheduleSettings, description="When work is done.")
    store: StoreSettings = Field(default_factory=StoreSettings, description="Where results are kept.")
    emit: EmitSettings = Field(default_factory=EmitSettings, description="Where artifacts are written.")
    alertmanager: AlertmanagerSettings = Field(
        default_factory=AlertmanagerSettings, description="Where events are sent."
    )
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


def resolved(workload: WorkloadSettings, defaults: WorkloadDefaults) -> WorkloadSettings:
    """The workload with every field it does not set itself taken from the defaults, section by section."""
    return WorkloadSettings.model_validate(_over(_written(defaults), _written(workload)))


def _written(section: Section) -> dict[str, Any]:
    return section.model_dump(exclude_unset=True, exclude_none=True)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`; labels (`match`) are the workload's own and never mixed."""
    both = {key for key in below.keys() & above.keys() if isinstance(below[key], dict) and key != "match"}
    return below | above | {key: _over(below[key], above[key]) for key in both}
