"""Work of a language model in "usual requests": tokens, weighted, over those of the mean request.

A request to a language model may hold ten tokens or ten thousand, so requests/s say little of its load. Weighted
tokens/s do: generated + weight * prompt. Divided by the mean weighted tokens of a request they are requests/s again, of
requests as they usually are, so that forecast, capacity, prices and metrics keep their one unit; over the whole history
they are as many as the requests that came. What was not served yet is not counted in tokens: the growth of the queue is
added, each waiting request as a usual one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from domain.load import Floats, LoadHistory
from domain.observation import Observation, TokenRates
from domain.unknown import Unknown
from optimizer.capacity.fits import isotonic
from optimizer.capacity.options import CapacityOptions
from optimizer.capacity.pairs import OVERLOADED, Pairs, bounds_of, pairs_of, queue_growth
from optimizer.pairing import on_grid_of

SURE = 3.0  # standard errors over days by which another weight has to be better than the default


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualRequest:
    """The unit: `tokens` weighted tokens a request, a prompt token counted as `weight` of a generated one.

    `basis` is declared, learned or default; `detail` says why. `counted` is the share of the load's steps whose tokens
    are known; in the others each request counts as usual.
    """

    tokens: float
    weight: float
    basis: str
    detail: str
    counted: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """An observation whose load is in `unit`; in plain requests, and why, where `unit` is Unknown."""

    observation: Observation
    unit: UsualRequest | Unknown


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Counted:
    """Tokens/s, requests/s that came and requests/s by which the queue grew, per step; NaN where unknown."""

    prompt: Floats
    generated: Floats
    came: Floats
    growth: Floats

    @property
    def served(self) -> Floats:
        """Requests/s that were answered, of those that came."""
        return np.maximum(self.came - np.nan_to_num(self.growth), 0.0)

    def usual(self, weight: float) -> tuple[Floats, float]:
        """The load in usual requests/s (plain requests/s where no tokens are known), and tokens in one of them."""
        weighted = self.generated + weight * self.prompt
        both = np.isfinite(weighted) & np.isfinite(self.came)
        growth = np.nan_to_num(self.growth)
        each = float(weighted[both].sum() / self.served[both].sum())
        return np.where(both, np.maximum(weighted / each + growth, 0.0), self.came), each


def in_usual_requests(observation: Observation, options: CapacityOptions) -> Work:
    """The observation with its load in usual requests/s, where tokens are counted; as it is elsewhere."""
    tokens, load = observation.tokens, observation.load
    if isinstance(tokens, Unknown):
        return Work(observation=observation, unit=Unknown(f"tokens: {tokens.reason}"))
    if isinstance(load, Unknown):
        return Work(observation=observation, unit=Unknown(f"load: {load.reason}"))
    seen = replace(observation, load=load.until(observation.observed_at))
    counted = _counted(seen, tokens, options)
    if isinstance(counted, Unknown):
        return Work(observation=observation, unit=counted)
    weight, basis, detail = _weight(seen, tokens, counted, options)
    usual, each = counted.usual(weight)
    known = np.isfinite(counted.came)
    share = float((known & np.isfinite(counted.generated + counted.prompt)).sum() / max(1, known.sum()))
    unit = UsualRequest(tokens=each, weight=weight, basis=basis, detail=detail, counted=share)
    return Work(observation=_loaded(seen, usual), unit=unit)


def _loaded(observation: Observation, values: Floats) -> Observation:
    """The observation with another load on the same grid."""
    load = observation.load
    assert isinstance(load, LoadHistory)  # noqa: S101  the values were made from it
    return replace(observation, load=LoadHistory(start=load.start, step=load.step, values=values))


def _counted(observation: Observation, tokens: TokenRates, options: CapacityOptions) -> _Counted | Unknown:
    load = observation.load
    assert isinstance(load, LoadHistory)  # noqa: S101  the caller looked
    if isinstance(tokens.generated, Unknown):
        return Unknown(f"generated tokens: {tokens.generated.reason}")
    if isinstance(tokens.prompt, Unknown):
        return Unknown(f"prompt tokens: {tokens.prompt.reason}")
    found = _Counted(
        prompt=on_grid_of(load, tokens.prompt),
        generated=on_grid_of(load, tokens.generated),
        came=load.values,
        growth=queue_growth(load, observation.waiting),
    )
    known = np.isfinite(load.values)
    both = known & np.isfinite(found.prompt + found.generated)
    if both.sum() < max(1.0, options.tokens.least_known * known.sum()):
        return Unknown(f"tokens are counted in {int(both.sum())} of {int(known.sum())} steps with a load")
    if not (found.generated[both].sum() > 0 and found.served[both].sum() > 0):
        return Unknown("no token was generated, or no request was served")
    return found


def _weight(
    observation: Observation, tokens: TokenRates, counted: _Counted, options: CapacityOptions
) -> tuple[float, str, str]:
    """The weight of a prompt token, where it comes from, and why."""
    if tokens.declared_weight is not None:
        return tokens.declared_weight, "declared", "declared in the settings"
    default = options.tokens.default_weight
    spread = np.geomspace(options.tokens.lightest, options.tokens.heaviest, options.tokens.tried)
    tried = np.unique(np.append(spread, default))
    errors = []
    for weight in tried:
        found = _errors(_loaded(observation, counted.usual(float(weight))[0]), options)
        if isinstance(found, Unknown):
            return default, "default", f"it cannot be learned: {found.reason}"
        errors.append(found)
    by_weight = np.array(errors)
    best, usual = int(np.argmin(by_weight.mean(axis=1))), int(np.flatnonzero(tried == default)[0])
    gain, off = by_weight[usual] - by_weight[best], float(by_weight[usual].mean())
    doubt = float(gain.std(ddof=1)) / len(gain) ** 0.5 if len(gain) > 1 else np.inf
    if gain.mean() <= max(SURE * doubt, options.tokens.least_gain * off):
        return default, "default", "the history does not tell prompt from generated tokens apart"
    return (
        float(tried[best]),
        "learned",
        f"it explains latency on days left out by {gain.mean() / off:.0%} better than {default:g} does",
    )


def _errors(observation: Observation, options: CapacityOptions) -> Floats | Unknown:
    """How badly the load explains each latency that is promised, day by day."""
    errors = []
    for bound in bounds_of(observation):
        pairs = pairs_of(observation, bound, options)
        if isinstance(pairs, Unknown):
            return pairs
        errors.append(group_errors(pairs, bound.slo_s, options))
    return np.concatenate(errors)


def group_errors(pairs: Pairs, slo_s: float, options: CapacityOptions) -> Floats:
    """For each day, the mean absolute error of log latency of a staircase through days without it."""
    groups = pairs.groups
    names, most = np.unique(groups), OVERLOADED * slo_s
    off = np.zeros(len(pairs))
    for first in range(min(options.folds, len(names))):
        out = np.isin(groups, names[first :: options.folds])
        fit = isotonic(pairs.rows(~out), slo_s, options)
        said = np.full(int(out.sum()), most) if fit is None else np.minimum(fit.at(pairs.load_rps[out]), most)
        off[out] = np.abs(np.log(said / np.minimum(pairs.latency_s[out], most)))
    found: Floats = np.array([off[groups == name].mean() for name in names])
    return found
