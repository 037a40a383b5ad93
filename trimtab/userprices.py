"""A user's own prices, checked field by field: a CSV of machine types, or YAML with everything.

YAML has the lists `offers`, `commitments` and `tariffs`; the CSV has the columns of an offer. Durations
are in seconds (`increment_seconds`), terms in days. Unknown fields are refused, and so are prices that
no cloud has: not positive, or over 2,000 USD an hour.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import SettingsError
from domain.prices import Commitment, InstanceOffer, Price, PriceBook, ServerlessTariff

Hourly = Annotated[float, Field(gt=0, le=2000)]
Rate = Annotated[float, Field(gt=0, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Offer(_Strict):
    """One machine type; `source` says where the user's figure is from."""

    cloud: str
    region: str
    instance_type: str
    vcpus: Positive
    memory_gib: Positive
    accelerator: str | None = None
    accelerator_count: Annotated[int, Field(ge=0)] = 0
    gpu_memory_gib: NotNegative = 0.0
    on_demand_usd_per_hour: Hourly
    spot_usd_per_hour: Hourly | None = None
    interruption_per_month: Share | None = None
    architecture: Literal["amd64", "arm64"] = "amd64"
    burstable: bool = False
    currency: Literal["USD"] = "USD"
    source: str = "user's price file"
    as_of: date | None = None

    def offer(self) -> InstanceOffer:
        return InstanceOffer(
            cloud=self.cloud,
            region=self.region,
            instance_type=self.instance_type,
            vcpus=self.vcpus,
            memory_gib=self.memory_gib,
            accelerator=self.accelerator,
            accelerator_count=self.accelerator_count,
            gpu_memory_gib=self.gpu_memory_gib,
            on_demand=Price(amount=self.on_demand_usd_per_hour, source=self.source, as_of=self.as_of),
            spot=None
            if self.spot_usd_per_hour is None
            else Price(amount=self.spot_usd_per_hour, source=self.source, as_of=self.as_of),
            interruption_per_month=self.interruption_per_month,
            architecture=self.architecture,
            burstable=self.burstable,
        )


class Promise(_Strict):
    """One commitment; `discount` is a fraction of on-demand."""

    cloud: str
    name: str
    term_days: Annotated[int, Field(gt=0)]
    discount: Share
    upfront_share: Share = 0.0
    source: str = "user's price file"
    as_of: date | None = None

    def commitment(self) -> Commitment:
        facts = self.model_dump(exclude={"term_days"})
        return Commitment(term=timedelta(days=self.term_days), **facts)


class Tariff(_Strict):
    """One serverless service; meters that it does not have are left out."""

    cloud: str
    service: str
    region: str
    usd_per_gib_second: Rate | None = None
    usd_per_vcpu_second: Rate | None = None
    usd_per_gpu_second: Rate | None = None
    usd_per_request: Share = 0.0
    increment_seconds: Positive
    minimum_seconds: NotNegative
    max_memory_gib: Positive
    max_duration_seconds: Positive
    accelerator: str | None = None
    gpu_memory_gib: NotNegative = 0.0
    cold_start_seconds: NotNegative
    keep_alive_seconds: NotNegative
    scales_to_zero: bool = True
    architecture: Literal["amd64", "arm64"] = "amd64"
    min_vcpus: NotNegative = 0.0
    max_vcpus: Positive | None = None
    min_memory_gib: NotNegative = 0.0
    gib_per_vcpu: Positive | None = None
    bills_idle: bool = False
    bills_cold_start: bool = False
    assumptions: str = ""
    source: str = "user's price file"
    as_of: date | None = None

    def tariff(self) -> ServerlessTariff:
        timed = ("increment", "minimum", "max_duration", "cold_start", "keep_alive")
        facts = self.model_dump(exclude={f"{name}_seconds" for name in timed})
        spans: dict[str, Any] = {name: timedelta(seconds=getattr(self, f"{name}_seconds")) for name in timed}
        return ServerlessTariff(**facts, **spans)


class PriceFile(_Strict):
    """A whole file of a user's prices."""

    offers: Sequence[Offer] = ()
    commitments: Sequence[Promise] = ()
    tariffs: Sequence[Tariff] = ()

    def book(self) -> PriceBook:
        return PriceBook(
            offers=tuple(each.offer() for each in self.offers),
            commitments=tuple(each.commitment() for each in self.commitments),
            tariffs=tuple(each.tariff() for each in self.tariffs),
        )


def load_user_prices(path: Path) -> PriceBook:
    """The book that a user's CSV or YAML file states. Raises SettingsError naming field, value and fix."""
    content = _read(path)
    try:
        return PriceFile.model_validate(content).book()
    except ValidationError as error:
        raise _explained(path, error) from error


def _read(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("prices", str(path), f"give a readable CSV or YAML file ({error})") from error
    if path.suffix == ".csv":
        rows = csv.DictReader(text.splitlines())
        return {"offers": [{name: value for name, value in row.items() if value != ""} for row in rows]}
    if path.suffix not in {".yaml", ".yml"}:
        raise SettingsError("prices", str(path), "name it .csv, .yaml or .yml, so that its format is known")
    try:
        return yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SettingsError("prices", str(path), f"mend the YAML: {' '.join(str(error).split())}") from error


def _explained(path: Path, error: ValidationError) -> SettingsError:
    """The first fault as one line; an unknown field is shown with the nearest known one."""
    first = error.errors()[0]
    where = f"{path.name}: " + ".".join(str(part) for part in first["loc"])
    fix = first["msg"][0].lower() + first["msg"][1:]
    if first["type"] == "extra_forbidden":
        known = {*Offer.model_fields, *Promise.model_fields, *Tariff.model_fields, *PriceFile.model_fields}
        near = get_close_matches(str(first["loc"][-1]), known, n=1)
        fix = f"no such field; did you mean {near[0]}?" if near else "no such field; take it out"
    return SettingsError(where, first["input"], fix)
