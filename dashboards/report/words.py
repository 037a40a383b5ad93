"""Numbers as a reader sees them: money, shares, counts, ages; nothing here rounds to a false zero."""

from __future__ import annotations

from datetime import date, datetime, timedelta

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
    text = number(size, 2) if size >= 0.01 or size == 0 else f"{float(f'{size:.2g}'):.10f}".rstrip("0")
    sign = MINUS if amount < 0 and any(digit in "123456789" for digit in text) else ""
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{text}" if symbol else f"{sign}{text}{THIN}{currency}"


def rounded_money(amount: float, currency: str) -> str:
    """Whole units from 100 on, for headlines and monthly figures."""
    if abs(amount) < 100:
        return money(amount, currency)
    text = f"{abs(amount):,.0f}"
    symbol = SYMBOLS.get(currency)
    shown = f"{symbol}{text}" if symbol else f"{text}{THIN}{currency}"
    return f"{MINUS}{shown}" if amount < 0 else shown


def signed(amount: float, text: str) -> str:
    """`text` of an amount with a plus where it grew."""
    return f"+{text}" if amount > 0 else text


def percent(share: float, *, plus: bool = False) -> str:
    """12.3 %, and small shares to two significant digits, so that 0.0004 is not shown as none."""
    value = 100.0 * share
    size = abs(value)
    if size == 0 or size >= 10:
        text = number(value, 0)
    elif size >= 0.1:
        text = number(value, 1)
    else:
        text = (MINUS if value < 0 else "") + f"{float(f'{size:.2g}'):.10f}".rstrip("0")
    return f"{signed(value, text) if plus else text}{THIN}%"


def count(value: float) -> str:
    """1,234; 45.6k; 7.89M: three significant digits from 10,000 on."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= limit:
            scaled = value / (1e3 if unit == "k" else limit)
            return f"{scaled:.{max(0, 3 - len(str(int(scaled))))}f}{unit}"
    return number(value, 0)


def replicas(value: float) -> str:
    """Whole where whole, else one decimal."""
    return number(value, 0 if value == round(value) else 1)


def days(age: timedelta) -> str:
    """The age of a price, in whole days."""
    return f"{age.days}{THIN}d"


def long_date(day: date) -> str:
    """Tuesday 24 November 2026."""
    return f"{day:%A} {day.day} {day:%B} {day.year}"


def moment(at: datetime) -> str:
    """2026-11-24T02:00:00Z."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def full(value: str | Unknown) -> str:
    """The text, or "not known: <reason>" where there is room for the whole reason."""
    return f"not known: {value.reason}" if isinstance(value, Unknown) else value
