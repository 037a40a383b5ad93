"""A store to read from: what it holds, or after one cycle where it holds nothing."""

from __future__ import annotations

from trimtab.cli.options import say
from trimtab.records import Record
from trimtab.wiring import Program


def filled(program: Program) -> tuple[Record, ...]:
    """The newest records; an empty store is filled by one cycle. Raises what kept the cycle from its source."""
    records = program.recommendations.newest()
    if records:
        return records
    say("the store is empty: running one cycle first")
    outcome = program.cycle.run(now=program.clock())
    if "" in outcome.problems:
        raise outcome.problems[""]
    return outcome.records
