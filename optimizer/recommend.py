"""The use case: one workload's facts in, one recommendation out, with its reasons and its evidence."""

from __future__ import annotations

from domain.observation import Observation
from domain.plan import Recommendation
from domain.prices import PriceBook
from optimizer.draft import draft
from optimizer.options import Options
from optimizer.placement import Placement
from optimizer.settle import settle


def recommend(
    observation: Observation,
    book: PriceBook,
    options: Options,
    previous: Recommendation | None,
    placement: Placement | None = None,
    /,
) -> Recommendation:
    """Act on a plan, or hold and say why; "now" is `observation.observed_at`, and nothing later is seen.

    `placement` is what the fleet decided about shared hosts (`optimizer.fleet`); without one it stays by itself.
    The same inputs give the same answer, to the last bit. ValueError for signals that do not share a
    grid, KeyError for an unknown `options.policy`.
    """
    return settle(draft(observation, book, options, previous), observation, options, previous, placement)
