"""The ledger's arithmetic: what a night came to against what was promised, why, and whether it got worse."""

from optimizer.ledger.facts import Night, Taken
from optimizer.ledger.night import book, unbookable
from optimizer.ledger.worse import worse

__all__ = ["Night", "Taken", "book", "unbookable", "worse"]
