"""Numbers as a reader sees them: money, shares, counts, ages; nothing here rounds to a false zero."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

from domain.unknown import Unknown

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"


def number(value: float, decimals: int) -> str:
    """With thousands separators and a true minus sign."""
    text = f"{abs(value):,.{decimals}f}"
    negative = value < 0 and any(digit in "123456789" for digit in text)
    return f"{MINUS}{text}" if negative else text


def money(amount: float, currency: str) -> str:
    """$1,234.50; under a cent, two significant digits: $0.0042."""
    size = abs(amount)
    return in_currency(amount, number(size, 2) if size >= 0.01 or size == 0 else small(size, 2), currency)


def unit_money(amount: float, currency: str) -> str:
    """Three significant digits under a tenth, for the price of small things: $0.0315."""
    size = abs(amount)
    return in_currency(amount, number(size, 2) if size >= 0.1 or size == 0 else small(size, 3), currency)


def rounded_money(amount: float, currency: str) -> str:
    """Whole units from 100 on, for headlines and monthly figures."""
    return money(amount, currency) if abs(amount) < 100 else in_currency(amount, number(abs(amount), 0), currency)


def in_currency(amount: float, digits: str, currency: str) -> str:
    """`digits` of an amount with its sign before and its currency where a reader looks for it."""
    sign = MINUS if amount < 0 else ""
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits}{THIN}{currency}"


def small(size: float, digits: int) -> str:
    """A positive number under 1 to so many significant digits, without exponent or trailing zeros."""
    return f"{float(f'{size:.{digits}g}'):.15f}".rstrip("0").rstrip(".")


def signed(amount: float, text: str) -> str:
    """`text` of an amount with a plus where it grew."""
    return f"+{text}" if amount > 0 else text


def percent(share: float, *, plus: bool = False) -> str:
    """12 %, 1.2 %; small shares to two significant digits and 99.9 % never as all: no false 0 or 100."""
    value = 100.0 * share
    size = abs(value)
    if 99 < size < 100:
        text = number(math.copysign(math.floor(size * 10) / 10, value), 1)
    elif size == 0 or size >= 10:
        text = number(value, 0)
    elif size >= 0.1:
        text = number(value, 1)
    else:
        text = (MINUS if value < 0 else "") + small(size, 2)
    return f"{signed(value, text) if plus else text}{THIN}%"


def attainment(share: float) -> str:
    """99.95 %: to three decimals, never rounded up to a target that was missed."""
    return f"{math.floor(100_000 * share + 1e-6) / 1000:g}{THIN}%"


def count(value: float) -> str:
    """1,234; 45.6k; 7.89M: three significant digits from 10,000 on."""
    if value < 1e4:
        return number(value, 0)
    rounded = float(f"{value:.3g}")
    scale, unit = next((scale, unit) for scale, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if rounded >= scale)
    scaled = rounded / scale
    return f"{scaled:.{max(0, 3 - len(str(int(scaled))))}f}{unit}"


def replicas(value: float) -> str:
    """Whole where whole, else one decimal; under a tenth two significant digits."""
    return small(value, 2) if 0 < value < 0.1 else number(value, 0 if value == round(value) else 1)


def days(age: timedelta) -> str:
    """The age of a price, in whole days."""
    return f"{age.days}{THIN}d"


def long_date(day: date) -> str:
    """Tuesday 24 November 2026."""
    return f"{day:%A} {day.day} {day:%B} {day.year}"


def moment(at: datetime) -> str:
    """2026-11-24T02:00:00Z, whatever zone the moment is given in."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def full(value: str | Unknown) -> str:
    """The text, or "not known: <reason>" where there is room for the whole reason."""
    return f"not known: {value.reason}" if isinstance(value, Unknown) else value
