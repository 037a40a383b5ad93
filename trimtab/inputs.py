"""Everything that one decision is made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.observation import Observation
from domain.plan import Recommendation
from domain.prices import PriceBook
from optimizer.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The inputs of a decision. Another input is another field here: it is then stored with the rest.

    `previous` is the recommendation that the decision followed on, None where it followed on none.
    """

    observation: Observation
    book: PriceBook
    options: Options
    previous: Recommendation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What one recommendation of a cycle was decided on, beside what is the same for all of them."""

    recommendation: str
    observation: Observation
    previous: Recommendation | None


Remember = Callable[[Sequence[Grounds]], None]
