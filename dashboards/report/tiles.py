"""A headline figure, and how a figure says what it covers."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.report.view import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A headline figure with what it rests on."""

    title: str
    figure: Text
    note: str
    broken: bool = False


def covering(known: int, of: int, what: str = "workloads") -> str:
    """Says when a figure does not cover everything."""
    return "" if known == of else f" ({known:,} of {of:,} {what})"


def plural(number: int, noun: str) -> str:
    """1 workload, 2 workloads."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
