"""A user's own prices, checked field by field: a CSV of machine types, or YAML with everything.

YAML has the lists `offers`, `commitments`, `tariffs` and `fees`; the CSV has the columns of an offer. Durations
are in seconds (`increment_seconds`), terms in days. Unknown fields are refused, and so are prices that
no cloud has: not positive, or over 2,000 USD an hour. Other currencies: `trimtab.usercurrency`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import SettingsError
from domain.prices import ClusterFee, Commitment, Exchange, InstanceOffer, Price, PriceBook, ServerlessTariff, WarmRates
from trimtab.usercurrency import EXCHANGE, in_usd

Hourly = Annotated[float, Field(gt=0, le=2000)]
Rate = Annotated[float, Field(gt=0, le=1)]
FreeRate = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
SOURCE = "user's price file"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Exchanged(_Strict):
    """The declared rate at which an entry was turned into USD."""

    currency: str
    usd_per_unit: Positive
    as_of: date
    source: str

    def rate(self) -> Exchange:
        return Exchange(**dict(self))


class Stated(_Strict):
    """An entry that says where the user's figure is from and when it was true."""

    source: str = SOURCE
    as_of: date | None = None
    evidence: Literal["stated", "read", "derived", "third_party", "memory"] = "stated"
    exchange: Exchanged | None = None

    def price(self, amount: float) -> Price:
        return Price(
            amount=amount,
            source=self.source,
            as_of=self.as_of,
            evidence=self.evidence,
            exchange=self.rate(),
        )

    def rate(self) -> Exchange | None:
        return None if self.exchange is None else self.exchange.rate()


class Offer(Stated):
    """One machine type, or (`task`) a container sold by its size."""

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
    task: bool = False

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
            on_demand=self.price(self.on_demand_usd_per_hour),
            spot=None if self.spot_usd_per_hour is None else self.price(self.spot_usd_per_hour),
            interruption_per_month=self.interruption_per_month,
            architecture=self.architecture,
            burstable=self.burstable,
            task=self.task,
        )


class Promise(_Strict):
    """One commitment; `discount` is a fraction of on-demand."""

    cloud: str
    name: str
    term_days: Annotated[int, Field(gt=0)]
    discount: Share
    upfront_share: Share = 0.0
    source: str = SOURCE
    as_of: date | None = None

    def commitment(self) -> Commitment:
        facts = self.model_dump(exclude={"term_days"})
        return Commitment(term=timedelta(days=self.term_days), **facts)


class KeptWarm(_Strict):
    """What an instance kept warm on purpose costs, and what serving adds to it; meters that it does not have are left out."""

    usd_per_gib_second: FreeRate = 0.0
    usd_per_vcpu_second: FreeRate = 0.0
    usd_per_gpu_second: FreeRate = 0.0
    serving_usd_per_gib_second: FreeRate = 0.0
    serving_usd_per_vcpu_second: FreeRate = 0.0
    serving_usd_per_gpu_second: FreeRate = 0.0
    increment_seconds: Positive = 1.0
    assumptions: str = ""

    def rates(self, of: Tariff) -> WarmRates:
        facts = self.model_dump(exclude={"increment_seconds"})
        increment = timedelta(seconds=self.increment_seconds)
        return WarmRates(increment=increment, source=of.source, as_of=of.as_of, evidence=of.evidence, **facts)


class Tariff(Stated):
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
    warm: KeptWarm | None = None
    assumptions: str = ""

    def tariff(self) -> ServerlessTariff:
        timed = ("increment", "minimum", "max_duration", "cold_start", "keep_alive")
        facts = self.model_dump(exclude={"warm", "exchange", *(f"{name}_seconds" for name in timed)})
        spans: dict[str, Any] = {name: timedelta(seconds=getattr(self, f"{name}_seconds")) for name in timed}
        warm = None if self.warm is None else self.warm.rates(self)
        return ServerlessTariff(**facts, **spans, warm=warm, exchange=self.rate())


class Fee(Stated):
    """What a managed cluster costs by the hour."""

    cloud: str
    service: str
    region: str
    usd_per_hour: Hourly

    def fee(self) -> ClusterFee:
        return ClusterFee(
            cloud=self.cloud, service=self.service, region=self.region, price=self.price(self.usd_per_hour)
        )


class PriceFile(_Strict):
    """A whole file of a user's prices."""

    offers: Sequence[Offer] = ()
    commitments: Sequence[Promise] = ()
    tariffs: Sequence[Tariff] = ()
    fees: Sequence[Fee] = ()

    def book(self) -> PriceBook:
        return PriceBook(
            offers=tuple(each.offer() for each in self.offers),
            commitments=tuple(each.commitment() for each in self.commitments),
            tariffs=tuple(each.tariff() for each in self.tariffs),
            fees=tuple(each.fee() for each in self.fees),
        )


def load_user_prices(path: Path) -> PriceBook:
    """The book that a user's CSV or YAML file states. Raises SettingsError naming line or entry, field, value and fix.

    What is listed twice is there twice; `trimtab.pricechecks` asks about it.
    """
    content, lines = _read(path)
    try:
        return PriceFile.model_validate(in_usd(content, path.name)).book()
    except ValidationError as error:
        fault = _explained(path.name, error, machines_only=bool(lines))
        raise SettingsError(_placed(fault.field, lines), fault.value, fault.fix) from error
    except SettingsError as fault:
        raise SettingsError(_placed(fault.field, lines), fault.value, fault.fix) from fault


def _read(path: Path) -> tuple[Any, Sequence[int]]:
    """The content, and of a CSV the line of each offer."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("prices", str(path), f"give a readable CSV or YAML file ({error})") from error
    if path.suffix == ".csv":
        return _rows(text, path.name)
    if path.suffix not in {".yaml", ".yml"}:
        raise SettingsError("prices", str(path), "name it .csv, .yaml or .yml, so that its format is known")
    try:
        return yaml.safe_load(text) or {}, ()
    except yaml.YAMLError as error:
        raise SettingsError("prices", str(path), f"mend the YAML: {' '.join(str(error).split())}") from error


def _rows(text: str, name: str) -> tuple[Any, Sequence[int]]:
    reader = csv.DictReader(text.splitlines())
    rows, lines = [], []
    for row in reader:
        beyond = row.pop(None, None)  # where csv puts what has no column
        if beyond:
            raise SettingsError(f"{name}: line {reader.line_num}", beyond, "take out the cells that have no column")
        rows.append({column: cell for column, cell in row.items() if cell})
        lines.append(reader.line_num)
    return {"offers": rows}, lines


def _placed(field: str, lines: Sequence[int]) -> str:
    """The field with the line of the CSV in the place of the number of the offer."""
    return (
        re.sub(r"\boffers\.(\d+)\.?", lambda found: f"line {lines[int(found[1])]}: ", field, count=1)
        if lines
        else field
    )


def _explained(name: str, error: ValidationError, *, machines_only: bool) -> SettingsError:
    """One fault as one line, a field that does not exist before any other; it is shown with the nearest known one."""
    faults = error.errors()
    first = next((each for each in faults if each["type"] == "extra_forbidden"), faults[0])
    path = [str(part) for part in first["loc"]]
    where, field = f"{name}: {'.'.join(path)}", path[-1] if path else ""
    if first["type"] == "extra_forbidden":
        return SettingsError(where, first["input"], _no_such(field, machines_only=machines_only))
    if first["type"] == "missing":
        return SettingsError(where, None, "it is required; give it")
    fix = first["msg"][0].lower() + first["msg"][1:]
    if field == "accelerator_count":
        fix += "; leave out machines with a part of an accelerator: a capacity measured on a whole one says nothing about it"
    return SettingsError(where, first["input"], fix)


def _no_such(field: str, *, machines_only: bool) -> str:
    elsewhere: tuple[type[BaseModel], ...] = (Promise, Tariff, KeptWarm, Fee, PriceFile)
    others = {known for model in elsewhere for known in model.model_fields}
    if machines_only and field in others:
        return "a CSV holds machines only; write what else you pay into a YAML file"
    known = ({*Offer.model_fields} if machines_only else {*Offer.model_fields, *others}) - {EXCHANGE}
    near = get_close_matches(field, known, n=1)
    return f"no such field; did you mean {near[0]}?" if near else "no such field; take it out"
