"""Prices that a user states in another currency: turned into USD at a rate that the file itself declares.

An entry (or, in YAML, the section `currency` for all entries that say nothing of it) has `currency`,
`usd_per_unit`, `rate_as_of` and perhaps `rate_source`. Its amounts then stand under names without `usd_`:
`on_demand_per_hour`, `per_gib_second`. A name that says USD next to another currency is refused,
as is an amount without a currency: nothing is converted that was not said to be.
"""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from domain.errors import SettingsError

EXCHANGE = "exchange"  # where the rate goes in a checked entry
RATE = ("currency", "usd_per_unit", "rate_as_of", "rate_source")
PRICED = ("offers", "tariffs", "fees")
MONEY = {
    name.replace("usd_", ""): name
    for name in (
        "on_demand_usd_per_hour", "spot_usd_per_hour", "usd_per_hour", "usd_per_gib_second", "usd_per_vcpu_second",
        "usd_per_gpu_second", "usd_per_request", "serving_usd_per_gib_second", "serving_usd_per_vcpu_second",
        "serving_usd_per_gpu_second",
    )
}  # fmt: skip


def in_usd(content: Any, file: str) -> Any:
    """`content` of a price file with every amount in USD; anything else that is wrong is left to be found later.

    Raises SettingsError naming entry, field, value and fix.
    """
    if not isinstance(content, dict):
        return content
    whole = _rate(content.get("currency"), f"{file}: currency")
    done = {name: value for name, value in content.items() if name != "currency"}
    for name in PRICED:
        entries = content.get(name)
        if isinstance(entries, list):
            done[name] = [_entry(entry, whole, f"{file}: {name}.{i}") for i, entry in enumerate(entries)]
    return done


def _rate(section: Any, where: str) -> dict[str, Any]:
    """The fields of the file's own currency, by the names that entries use."""
    if section is None:
        return {}
    known = {"code": "currency", "usd_per_unit": "usd_per_unit", "as_of": "rate_as_of", "source": "rate_source"}
    if not isinstance(section, dict) or not set(section) <= set(known):
        raise SettingsError(where, section, "give code, usd_per_unit, as_of and source")
    return {known[name]: value for name, value in section.items()}


def _entry(entry: Any, whole: dict[str, Any], where: str) -> Any:
    if not isinstance(entry, dict):
        return entry
    if EXCHANGE in entry:
        raise SettingsError(
            f"{where}.{EXCHANGE}", entry[EXCHANGE], "no such field; give currency, usd_per_unit, rate_as_of"
        )
    said = ({} if "currency" in entry else whole) | {name: entry[name] for name in RATE if name in entry}
    rest = {name: value for name, value in entry.items() if name not in RATE}
    if said.get("currency", "USD") == "USD":
        if set(said) - {"currency"}:
            raise SettingsError(f"{where}.currency", said.get("currency"), "name the currency that usd_per_unit is for")
        return _refuse_nameless(rest, where)
    exchange = _exchange(said, where)
    return _converted(rest, exchange, where) | {EXCHANGE: exchange}


def _refuse_nameless(entry: dict[str, Any], where: str) -> dict[str, Any]:
    for name, in_dollars in MONEY.items():
        if name in entry:
            fix = f"say in which currency: give currency, usd_per_unit and rate_as_of, or write {in_dollars}"
            raise SettingsError(f"{where}.{name}", entry[name], fix)
    return entry


def _exchange(said: dict[str, Any], where: str) -> dict[str, Any]:
    code = said["currency"]
    if not (isinstance(code, str) and len(code) == 3 and code.isalpha() and code.isupper()):
        raise SettingsError(f"{where}.currency", code, "give a code of three letters such as EUR")
    for name in ("usd_per_unit", "rate_as_of"):
        if name not in said:
            raise SettingsError(f"{where}.{name}", None, f"give what one {code} is worth and the day of that rate")
    return {
        "currency": code,
        "usd_per_unit": _number(said["usd_per_unit"], f"{where}.usd_per_unit"),
        "as_of": _day(said["rate_as_of"], f"{where}.rate_as_of"),
        "source": str(said.get("rate_source", "declared in the price file")),
    }


def _converted(entry: dict[str, Any], exchange: dict[str, Any], where: str) -> dict[str, Any]:
    """Amounts times the rate, under the names that say USD; of nested sections too."""
    done: dict[str, Any] = {}
    for name, value in entry.items():
        if name in MONEY.values():
            neutral, code = name.replace("usd_", ""), exchange["currency"]
            raise SettingsError(f"{where}.{name}", value, f"its name says USD; with currency {code} write {neutral}")
        if name in MONEY:
            done[MONEY[name]] = _number(value, f"{where}.{name}") * exchange["usd_per_unit"]
        else:
            done[name] = _converted(value, exchange, f"{where}.{name}") if isinstance(value, dict) else value
    return done


def _number(value: Any, where: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise SettingsError(where, value, "give a number that is not negative")
    return number


def _day(value: Any, where: str) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        raise SettingsError(where, value, "give a day such as 2026-11-01") from None
