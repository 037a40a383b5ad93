"""Past origins: what would have been forecast on each, so that it can be judged and learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from domain.load import Floats
from optimizer.band_ideas import LEFT_OUT_BANDS, left_out_bands, past_error_bands
from optimizer.bands import at_levels
from optimizer.blending import band_losses, blend, bound, trust
from optimizer.forecasters import CANDIDATES, NAIVE, SIMPLER
from optimizer.grid import DAY, Grid
from optimizer.past import Past, before
from optimizer.weighing import combine, losses, recent_losses, weights

DAYS_BACK = 56
FOLDS = 28
FOLDS_KEPT = 28
LEAST_DAYS = 2  # of history before a fold: with less, a fold says little about what comes now
QUARTERS = 4  # of a day: the last one before an origin says whether the level has just shifted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """A forecast made at `origin`: of each candidate, of the combination, and every band.

    `paths` is (candidates, steps a day), NaN where a candidate had nothing to say, and `bands` (bands,
    levels, steps a day), of the first day; `path` is the combination, (days, steps a day).
    """

    origin: datetime
    paths: Floats
    path: Floats
    bands: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Memory:
    """Past folds of one workload, newest first: given back, tomorrow's forecast costs one origin only.

    `basis` names all that must be the same for the folds to be of use.
    """

    basis: tuple[object, ...]
    folds: tuple[Fold, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Folds:
    """The forecast from now and from past origins, newest first, with what came (`actual`).

    `now_bands` is (bands, levels, days, steps a day); `actual` (past folds, steps a day), NaN where
    unknown; `weight` (candidates, parts of the day) is what the candidates weigh now.
    """

    now: Fold
    now_bands: Floats
    past: tuple[Fold, ...]
    actual: Floats
    weight: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked besides the history: days ahead, one `model` or None for all, the calendar."""

    days: int
    model: str | None
    country: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _ToldThen:
    """What was told at past origins of the day after each, and what came; newest first.

    `ages` in days; `told` (folds, 1 + candidates, steps a day), first the combination; `came` (folds, steps a day).
    """

    ages: Sequence[int]
    told: Floats
    came: Floats


def make_folds(grid: Grid, question: Question, memory: Memory | None) -> Folds:
    """The forecast from the end of the grid, and those from earlier days, from memory where it has them."""
    usable = memory.folds if memory and _fits(memory, grid, question) else ()
    remembered = {age: fold for fold in usable if (age := _age(grid, fold)) is not None}
    ages = sorted(set(_ages(grid)) | set(remembered))
    missing = [0, *(age for age in ages if age not in remembered)]
    past = _before(grid, [_origin(grid, age) for age in missing], question, question.days)
    paths = dict(zip(missing, np.moveaxis(_paths(past), 1, 0), strict=True))
    actual = np.array([_came(grid, age) for age in ages]).reshape(len(ages), grid.per_day)
    first_days = [remembered[age].paths if age in remembered else paths[age][:, 0] for age in ages]
    loss = losses(np.stack([paths[0][:, 0], *first_days], axis=1)[:, 1:], actual)
    recent = _recent(grid, missing, question)
    weight = {age: _weigh(loss[:, _over(ages, age)], recent[age], question.model) for age in missing}
    stand_in = dict(zip(missing, _stand_in(past), strict=True))
    path = {age: _known(combine(paths[age], weight[age]), stand_in[age]) for age in missing}
    combined = [remembered[age].path if age in remembered else path[age] for age in ages]
    told = [_told(one[0], own, question) for one, own in zip(combined, first_days, strict=True)]
    told_then = np.array(told).reshape(len(ages), 1 + len(CANDIDATES), grid.per_day)
    now = {age: _known(_told(path[age], paths[age], question), path[age]) for age in missing}
    spread = _bands(past, now, _ToldThen(ages=ages, told=told_then, came=actual), floor=1e-9 * _largest(grid))
    made = {
        age: Fold(
            origin=grid.end - age * DAY,
            paths=np.ascontiguousarray(paths[age][:, 0]),
            path=path[age],
            bands=np.ascontiguousarray(spread[age][:, :, 0]),
        )
        for age in missing
    }
    return Folds(
        now=made[0],
        now_bands=spread[0],
        past=tuple(remembered.get(age) or made[age] for age in ages),
        actual=actual,
        weight=weight[0],
    )


def remember(folds: Folds, step: timedelta, question: Question) -> Memory:
    """What to give back with the next question."""
    return Memory(basis=basis(step, question), folds=(folds.now, *folds.past)[:FOLDS_KEPT])


def basis(step: timedelta, question: Question) -> tuple[object, ...]:
    """All that must be the same for folds to be comparable."""
    return (step, tuple(CANDIDATES), question.model, question.country)


def quantile_rows(folds: Folds, quantile: float) -> Floats:
    """The quantiles now, at `bands.LEVELS`: (levels, days, steps a day), wider on days further ahead."""
    rows = blend(folds.now_bands, trust(_losses(folds, quantile), LEFT_OUT_BANDS), folds.now.path)
    widening = _widening(folds)[None, :, None]
    return np.asarray(folds.now.path + (rows - folds.now.path) * widening)


def past_bounds(folds: Folds, quantile: float) -> Floats:
    """The combination's quantile on each past fold, as it would have been given then: (folds, steps a day)."""
    if not folds.past:
        return np.empty(folds.actual.shape)
    loss = _losses(folds, quantile)
    bounds = at_levels(np.moveaxis(_past_bands(folds), 2, 0), (quantile,))[0]
    made = [
        bound(bounds[:, place], trust(loss[:, place + 1 :], LEFT_OUT_BANDS), fold.path[0], quantile)
        for place, fold in enumerate(folds.past)
    ]
    return np.array(made)


def _losses(folds: Folds, quantile: float) -> Floats:
    """Pinball losses of the bands on the past folds: (bands, folds)."""
    if not folds.past:
        return np.empty((len(folds.now_bands), 0))
    return band_losses(_past_bands(folds), folds.actual, quantile)


def _past_bands(folds: Folds) -> Floats:
    """(bands, folds, levels, steps a day)."""
    return np.stack([fold.bands for fold in folds.past], axis=1)


def _fits(memory: Memory, grid: Grid, question: Question) -> bool:
    """Whether the folds answer the same question, and none was made now or later."""
    same = memory.basis == basis(grid.step, question)
    return same and all(fold.origin < grid.end for fold in memory.folds)


def _ages(grid: Grid) -> list[int]:
    """The past origins to judge by, in days: those with enough history of their own before them."""
    size, per_day = len(grid.values), grid.per_day
    least = LEAST_DAYS if size > (LEAST_DAYS + 1) * per_day else 1
    known = np.cumsum(np.isfinite(grid.values))
    return [
        age
        for age in range(1, FOLDS + 1)
        if (origin := size - age * per_day) >= least * per_day and known[origin - 1] >= per_day / 2
    ]


def _age(grid: Grid, fold: Fold) -> int | None:
    """Whole days between the fold's origin and now; None if it is no whole number of at least one."""
    age, rest = divmod(grid.end - fold.origin, DAY)
    return age if age >= 1 and not rest and age * grid.per_day <= len(grid.values) else None


def _paths(past: Past) -> Floats:
    """Every candidate's path (candidates, origins, days, steps a day), NaN where one has nothing to say."""
    return np.stack([candidate(past) for candidate in CANDIDATES.values()])


def _stand_in(past: Past) -> Floats:
    """The path where nothing is said by a candidate of some weight: (origins, days, steps a day), all known."""
    known = np.isfinite(past.values)
    overall = np.where(known, past.values, 0.0).sum(axis=(1, 2)) / np.maximum(known.sum(axis=(1, 2)), 1)
    path: Floats = np.broadcast_to(overall[:, None, None], past.rest_ahead.shape)
    for simpler in reversed(SIMPLER):
        path = _known(simpler(past), path)
    return path


def _known(path: Floats, stand_in: Floats) -> Floats:
    return np.where(np.isfinite(path), path, stand_in)


def _came(grid: Grid, age: int) -> Floats:
    """What came in the day after the origin `age` days ago."""
    return grid.values[_origin(grid, age) : _origin(grid, age) + grid.per_day]


def _weigh(loss: Floats, recent: Floats, model: str | None) -> Floats:
    """Weights at an origin, from the folds that were over by then and the last quarter of a day before it."""
    if model is not None:
        only = np.array([name == model for name in CANDIDATES], dtype=np.float64)
        return np.repeat(only[:, None], loss.shape[2], axis=1)
    names = list(CANDIDATES)
    return weights(loss, tuple(names.index(name) for name in NAIVE), recent)


def _recent(grid: Grid, ages: Sequence[int], question: Question) -> dict[int, Floats]:
    """At each age, each candidate's loss on the quarter of a day before it, had it been asked a quarter ago.

    NaN where less than a whole day was known then, or a day has no quarters of whole steps.
    """
    steps, rest = divmod(grid.per_day, QUARTERS)
    recent = {age: np.full(len(CANDIDATES), np.nan) for age in ages}
    origins = {age: origin for age in ages if (origin := _origin(grid, age) - steps) >= grid.per_day}
    if origins and not rest and question.model is None:
        told = _paths(_before(grid, list(origins.values()), question, 1))
        for place, (age, origin) in enumerate(origins.items()):
            recent[age] = recent_losses(told[:, place, 0, :steps], grid.values[origin : origin + steps])
    return recent


def _before(grid: Grid, origins: list[int], question: Question, days_ahead: int) -> Past:
    return before(grid, origins, days_back=DAYS_BACK, days_ahead=days_ahead, country=question.country)


def _origin(grid: Grid, age: int) -> int:
    """The place in the grid of the origin `age` days ago: values before it were known then."""
    return len(grid.values) - age * grid.per_day


def _told(path: Floats, paths: Floats, question: Question) -> Floats:
    """The combination and after it each candidate, or the one `model` in place of each: (1 + candidates, ...)."""
    own = paths if question.model is None else np.broadcast_to(path, paths.shape)
    return np.concatenate([path[None], own])


def _bands(past: Past, now: Mapping[int, Floats], before_now: _ToldThen, *, floor: float) -> dict[int, Floats]:
    """All bands at each age, (bands, levels, days, steps a day), around what is told then (1 + candidates, days, steps a day)."""
    left_out = left_out_bands(past, np.stack([told[0] for told in now.values()]), floor)
    made = {}
    for place, (age, told) in enumerate(now.items()):
        over = _over(before_now.ages, age)
        own = left_out[:, place]
        missed = past_error_bands(told, before_now.told[over], before_now.came[over], floor, own.mean(axis=0))
        made[age] = np.concatenate([own, missed])
    return made


def _over(ages: Sequence[int], age: int) -> list[int]:
    """The places of the folds whose day was over `age` days ago."""
    return [place for place, other in enumerate(ages) if other > age]


def _largest(grid: Grid) -> float:
    return max(float(np.nanmax(np.abs(grid.values))), 1e-12)


def _widening(folds: Folds) -> Floats:
    """How much larger errors are on each day ahead than on the first, from past folds; 1 to 3, never falling.

    Where fewer than three folds can tell, a tenth more for each day.
    """
    days = len(folds.now.path)
    factors = np.ones(days)
    for day in range(1, days):
        pairs = [
            (np.abs(came_later - fold.path[day]), np.abs(came - fold.path[0]))
            for place, (fold, came) in enumerate(zip(folds.past, folds.actual, strict=True))
            if day < len(fold.path) and (came_later := _later(folds, place, day)) is not None
        ]
        later = np.array([pair[0] for pair in pairs])
        first = np.array([pair[1] for pair in pairs])
        if len(pairs) >= 3 and np.isfinite(later).any() and np.nansum(first) > 0:
            factors[day] = np.nanmean(later) / np.nanmean(first)
        else:
            factors[day] = factors[day - 1] + 0.1
    return np.asarray(np.clip(np.maximum.accumulate(factors), 1.0, 3.0))


def _later(folds: Folds, place: int, day: int) -> Floats | None:
    """What came on the `day`-th day after a past fold's origin: the first day of a newer fold."""
    wanted = folds.past[place].origin + day * DAY
    for newer in range(place - 1, -1, -1):
        if folds.past[newer].origin == wanted:
            return np.asarray(folds.actual[newer])
    return None
