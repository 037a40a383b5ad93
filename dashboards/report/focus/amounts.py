"""The arithmetic of a row, in decimals: a cost is exactly its unit price times its quantity."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

GRAIN = Decimal("1e-12")
DIGITS = 60  # so that no product is ever rounded


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity at a unit price."""

    quantity: Decimal
    price: Decimal

    @property
    def cost(self) -> Decimal:
        return product(self.quantity, self.price)


def decimal(value: float) -> Decimal:
    """The number as it is written shortest, to a millionth of a millionth."""
    with localcontext(prec=DIGITS, rounding=ROUND_HALF_EVEN):
        return Decimal(repr(float(value))).quantize(GRAIN).normalize()


def product(one: Decimal, other: Decimal) -> Decimal:
    """Exact, whatever the context of the program."""
    with localcontext(prec=DIGITS):
        return one * other


def added(*values: Decimal) -> Decimal:
    """Exact, whatever the context of the program."""
    with localcontext(prec=DIGITS):
        return sum(values, Decimal(0))


def written(value: Decimal) -> str:
    """Digits alone: no exponent, no separators, no trailing zeros, and no sign of a zero."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text
