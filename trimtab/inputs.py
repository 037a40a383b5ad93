"""Everything that one decision is made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.observation import Observation
from domain.plan import Recommendation
from domain.prices import PriceBook
from optimizer.options import Options
from optimizer.placement import Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The inputs of a decision. Another input is another field here: it is then stored with the rest.

    `previous` is the recommendation that the decision followed on, None where it followed on none. `placement` is all
    that the fleet handed to it: where it lives, as the plan for all workloads has it.
    """

    observation: Observation
    book: PriceBook
    options: Options
    previous: Recommendation | None
    placement: Placement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What one recommendation of a cycle was decided on, beside what is the same for all of them."""

    recommendation: str
    observation: Observation
    previous: Recommendation | None
    placement: Placement | None

    def inputs(self, book: PriceBook, options: Options) -> Inputs:
        """The whole of it."""
        return Inputs(
            observation=self.observation, book=book, options=options, previous=self.previous, placement=self.placement
        )


Remember = Callable[[Sequence[Grounds]], None]
