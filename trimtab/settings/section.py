"""What every section of the settings is made of: a frozen model that refuses unknown keys, and the kinds of values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from domain.workload import MOST_REPLICAS


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


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("give an IANA time zone such as Europe/Berlin") from None
    return name


def _text(value: object) -> object:
    """A label may be written as a number in YAML (version: 3); Prometheus only has text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


BesideFile = Annotated[Path, AfterValidator(_beside_the_file)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
StoreUrl = Annotated[str, AfterValidator(_store_url)]
Text = Annotated[str, Field(min_length=1), BeforeValidator(_text)]
Zone = Annotated[Text, AfterValidator(_zone)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Days = Annotated[float, Field(ge=0, le=36_500)]
# Lengths of time that are no slip of the unit, and that every date can be moved by.
Span = Annotated[float, Field(gt=0, le=3_660, allow_inf_nan=False)]  # days: ten years
Hours = Annotated[float, Field(gt=0, le=8_784, allow_inf_nan=False)]  # a year
Minutes = Annotated[float, Field(gt=0, le=527_040, allow_inf_nan=False)]  # a year
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]  # a day
Milliseconds = Annotated[float, Field(gt=0, le=86_400_000, allow_inf_nan=False)]  # a day
Dollars = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Replicas = Annotated[int, Field(ge=0, le=MOST_REPLICAS)]
Share = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A part of the settings: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
