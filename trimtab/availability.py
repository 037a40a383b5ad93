"""Histories of spot availability that the settings name, checked against the price book and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from domain.errors import SettingsError
from domain.prices import InstanceOffer, PriceBook, SpotHistory
from monitor.availability_file import read_availability

FIELD = "prices.availability"


def with_availability(book: PriceBook, files: Mapping[str, Path]) -> PriceBook:
    """`book` with these histories; keys are cloud/zone/machine type, where a whole region may stand for a zone.

    SettingsError for a key that names nothing in the book, TraceError for a file that is wrong.
    """
    histories = tuple(_history(book, key, path) for key, path in files.items())
    return replace(book, availability=(*book.availability, *histories))


def _history(book: PriceBook, key: str, path: Path) -> SpotHistory:
    parts = key.split("/")
    if len(parts) != 3 or not all(parts):
        raise SettingsError(FIELD, key, "write cloud/zone/machine type, such as aws/us-east-1a/p3.2xlarge")
    cloud, zone, instance_type = parts
    history = SpotHistory(
        cloud=cloud,
        zone=zone,
        instance_type=instance_type,
        available=read_availability(path),
        source=f"{path.name}, named in {FIELD}",
    )
    offers = [offer for offer in book.offers if history.lies_in(offer.cloud, offer.region)]
    if not any(offer.instance_type == instance_type for offer in offers):
        raise SettingsError(FIELD, key, _fix(book, offers, history))
    return history


def _fix(book: PriceBook, offers: list[InstanceOffer], history: SpotHistory) -> str:
    """What to write instead: the nearest type where the zone is known, else the regions that are."""
    if not offers:
        regions = ", ".join(sorted({f"{offer.cloud}/{offer.region}" for offer in book.offers}))
        return f"no prices are known there, only in {regions}; give its prices in `prices.file`"
    near = get_close_matches(history.instance_type, {offer.instance_type for offer in offers}, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}no such machine type has a price there; give one in `prices.file`"
