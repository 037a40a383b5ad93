"""How the prices are that the workloads of a fleet are decided on: there, dated, and young enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from domain.health import Checked, Finding, State
from domain.prices import PriceBook, SpotHistory, age_on
from domain.unknown import Unknown
from domain.workload import Workload
from trimtab.pricechecks import OLD
from trimtab.settings import Settings

RENEW = "name newer ones in `prices.file` (`trimtab prices import` makes such a file of other tools' lists)"


def price_checks(book: PriceBook, workloads: Sequence[Workload], settings: Settings, today: date) -> Iterator[Checked]:
    """The prices of each cloud and region that a workload is in, and each history of spot availability."""
    most = settings.decisions.max_price_age_days
    for cloud, region in dict.fromkeys((workload.cloud, workload.region) for workload in workloads):
        yield _place(book, cloud, region, None if most is None else timedelta(days=most), today)
    for history in book.availability:
        yield _availability(history, settings.prices.availability_max_age_days, today)


def _place(book: PriceBook, cloud: str, region: str, most: timedelta | None, today: date) -> Checked:
    ages = list(_ages(book, cloud, region, today))
    known = [age for age in ages if not isinstance(age, Unknown)]
    undated, old = len(ages) - len(known), sum(age > OLD for age in known)
    said = f"{len(ages):,} prices" + (f", the oldest {max(known).days} days old" if known else "")
    said += f", {old:,} over {OLD.days}" if old else ""
    said += f", {undated:,} of no known age" if undated else ""
    return Checked(
        subject="",
        input=f"prices {cloud}/{region}",
        said=said,
        findings=tuple(_of_ages(said, max(known, default=None), undated, most)),
    )


def _of_ages(said: str, oldest: timedelta | None, undated: int, most: timedelta | None) -> Iterator[Finding]:
    if oldest is None and not undated:
        yield Finding(
            code="no_price", state=State.WARNING, detail="no price is known there", fix="give prices in `prices.file`"
        )
    elif most is not None and (undated or (oldest is not None and oldest > most)):
        fix = f"{RENEW}; or raise decisions.max_price_age_days ({most.days})"
        yield Finding(code="old_prices", state=State.BROKEN, detail=f"{said}: nothing is proposed on such", fix=fix)
    elif oldest is not None and oldest > OLD:
        yield Finding(code="old_prices", state=State.WARNING, detail=said, fix=RENEW)


def _ages(book: PriceBook, cloud: str, region: str, today: date) -> Iterator[timedelta | Unknown]:
    for offer in book.offers:
        if (offer.cloud, offer.region) == (cloud, region):
            yield from (price.age(today) for price in (offer.on_demand, offer.spot) if price is not None)
    for tariff in book.tariffs:
        if (tariff.cloud, tariff.region) == (cloud, region):
            yield age_on(today, tariff.as_of, None if tariff.exchange is None else tariff.exchange.as_of)


def _availability(history: SpotHistory, most_days: float, today: date) -> Checked:
    age = today - history.available.end.date()
    said = f"ends {history.available.end:%Y-%m-%d}, {history.available.coverage:.0%} of it known"
    finding = Finding(
        code="old_availability",
        state=State.WARNING,
        detail=f"{said}; over {most_days:g} days old it is not trusted",
        fix="record newer availability, or raise prices.availability_max_age_days",
    )
    return Checked(
        subject="",
        input=f"spot {history.cloud}/{history.zone}/{history.instance_type}",
        said=said,
        findings=(finding,) if age > timedelta(days=most_days) else (),
    )
