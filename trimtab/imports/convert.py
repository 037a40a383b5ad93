"""From a foreign price list to a price file of ours: read, checked as a user's file is, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from domain.artifact import Artifact
from domain.errors import SettingsError
from domain.prices import InstanceOffer
from trimtab.files import write_artifacts
from trimtab.imports import opencost, skypilot
from trimtab.imports.result import Imported, left_out_file, price_file
from trimtab.outputs import refuse_to_overwrite
from trimtab.prices import bundled
from trimtab.userprices import load_user_prices

FORMATS: Mapping[str, Callable[..., Imported]] = {"opencost": opencost.read, "skypilot": skypilot.read}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What the list does not say of itself: source, date, currency and the rate it is exchanged at."""

    source: str
    as_of: str | None = None
    currency: str = "USD"
    usd_per_unit: float | None = None
    rate_as_of: str | None = None

    @property
    def rate(self) -> dict[str, str]:
        """The columns of a currency, none for USD; SettingsError where they do not go together."""
        if self.currency == "USD":
            if self.usd_per_unit is not None or self.rate_as_of is not None:
                raise SettingsError("--usd-per-unit", self.usd_per_unit, "name the --currency that it is for")
            return {}
        if self.usd_per_unit is None or self.rate_as_of is None:
            raise SettingsError("--currency", self.currency, "give --usd-per-unit and --rate-as-of too")
        return {
            "currency": self.currency,
            "usd_per_unit": f"{self.usd_per_unit:g}",
            "rate_as_of": _day("--rate-as-of", self.rate_as_of),
        }


def convert(form: str, file: Path, out: Path, *, cloud: str, region: str | None, labels: Labels) -> Imported:
    """Write `out`, and beside it the rows that were left out. SettingsError for a file that is wrong, or of which nothing is left."""
    if out.suffix != ".csv":
        raise SettingsError("--out", str(out), "name a .csv file")
    beside = f"{out.stem}.left-out.csv"
    refuse_to_overwrite({"--out": out, "--out, the rows left out of it": out.with_name(beside)}, {"FILE": file})
    rate, as_of = labels.rate, "" if labels.as_of is None else _day("--as-of", labels.as_of)
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsError("FILE", str(file), f"give a readable CSV file ({fault})") from fault
    done = FORMATS[form](lines, cloud=cloud, region=region, sizes=_size, file=file.name)
    if not done.machines:
        raise SettingsError("FILE", str(file), f"no row of it can be used; {done.summary().replace(chr(10), '; ')}")
    text = price_file(done.machines, source=labels.source, as_of=as_of, rate=rate)
    _check(text, out.name)
    write_artifacts(
        out.parent,
        [
            Artifact(path=PurePosixPath(out.name), text=text),
            Artifact(path=PurePosixPath(beside), text=left_out_file(done.left_out)),
        ],
        option="--out",
    )
    return done


def _check(text: str, name: str) -> None:
    """The file as `prices.file` would read it; SettingsError naming the row if it would not."""
    with TemporaryDirectory() as folder:
        made = Path(folder) / name
        made.write_text(text, encoding="utf-8")
        load_user_prices(made)


def _day(option: str, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise SettingsError(option, text, "give a day such as 2026-11-01") from None


@cache
def _by_type() -> Mapping[tuple[str, str], InstanceOffer]:
    return {(offer.cloud, offer.instance_type): offer for offer in bundled().offers if not offer.task}


def _size(cloud: str, instance_type: str) -> InstanceOffer | None:
    """A machine of that type in any region of the bundled book: sizes do not depend on the region."""
    return _by_type().get((cloud, instance_type))
