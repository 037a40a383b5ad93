"""Rolling-origin back-test: the forecast as it would have been made on past days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.load import Forecast, LoadHistory
from domain.unknown import Unknown
from optimizer.folds import DAYS_BACK, FOLDS, Memory
from optimizer.forecast import LEVELS, forecast
from optimizer.grid import means_before, working_step

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOOKBACK = timedelta(days=DAYS_BACK + FOLDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An origin from which nothing could be said, and why."""

    origin: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One forecast of the back-test; `origin` is the start of the last trace interval it saw."""

    origin: datetime
    forecast: Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """All folds, oldest first, and the origins that had to be held."""

    folds: tuple[Fold, ...]
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the back-test file; rates in requests/s, averaged over the step from `timestamp` on.

    `mean` is the forecast of that average with the least absolute error, so it is `p50` again: the
    errors of a back-test are absolute ones.
    """

    origin: datetime
    timestamp: datetime
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    model: str


def origins(history: LoadHistory, *, step: timedelta, every: timedelta, folds: int | None = None) -> list[datetime]:
    """The moments at which forecasts are made: whole steps, from the midpoint of the trace on.

    The first is the last whole step at or before the midpoint at which an interval had ended, then
    every `every`, as long as an interval begins at or after it; with `folds` only the last so many.
    """
    if every <= timedelta(0) or every % step:
        raise ValueError(f"every must be a positive multiple of the step of {step.total_seconds():g} s")
    middle = history.start + (history.end - history.start) / 2
    first = middle - (middle - EPOCH) % step
    if first < history.start + history.step:
        return []
    count = max(0, (history.end - history.step - first) // every + 1)
    moments = [first + i * every for i in range(count)]
    return moments if folds is None else moments[len(moments) - min(folds, len(moments)) :]


def backtest(
    history: LoadHistory,
    *,
    horizon: timedelta = timedelta(hours=24),
    step: timedelta = timedelta(hours=1),
    every: timedelta = timedelta(hours=24),
    folds: int | None = None,
    model: str | None = None,
    country: str | None = None,
) -> Backtest:
    """Forecasts from every origin, each from the intervals that had ended by then and nothing later.

    `step` must be a whole multiple of the trace's own. Gaps stay gaps. `country` adds its public holidays, as
    in `forecast`. ValueError for a horizon or step that do not fit each other or the day.
    """
    why = _unfit(step)
    if why is not None:
        raise ValueError(f"step must divide an hour or a day: {why}")
    if step % history.step:
        raise ValueError(f"step must be a multiple of the trace's own {history.step_s:g} s")
    if horizon < step or horizon % step:
        raise ValueError(f"horizon must be a whole number of steps of {step.total_seconds():g} s")
    done: list[Fold] = []
    held: list[Held] = []
    memory: Memory | None = None
    for moment in origins(history, step=step, every=every, folds=folds):
        last_seen = history.until(moment).end - history.step
        seen = seen_at(history, moment, step)
        answer = forecast(seen, steps=horizon // step, levels=LEVELS, model=model, country=country, memory=memory)
        if isinstance(answer, Unknown):
            held.append(Held(origin=last_seen, reason=answer.reason))
        else:
            memory = answer.memory
            done.append(Fold(origin=last_seen, forecast=answer.forecast))
    return Backtest(folds=tuple(done), held=tuple(held))


def _unfit(step: timedelta) -> str | None:
    """Why nothing can be forecast in such steps; None where it can."""
    fits = working_step(step)
    return fits.reason if isinstance(fits, Unknown) else None


def seen_at(history: LoadHistory, moment: datetime, step: timedelta) -> LoadHistory:
    """What a forecast made at `moment` may know: means over the whole steps before it, twelve weeks at most."""
    values = means_before(history, moment, step)[-(LOOKBACK // step) :]
    return LoadHistory(start=moment - len(values) * step, step=step, values=values)


def rows(result: Backtest) -> Iterator[Row]:
    """The lines of the back-test file, in order."""
    for fold in result.folds:
        made = fold.forecast
        for i in range(len(made.mean)):
            p50, p90, p95, p99 = (float(value) for value in made.quantiles[:, i])
            yield Row(
                origin=fold.origin,
                timestamp=made.origin + i * made.step,
                mean=p50,
                p50=p50,
                p90=p90,
                p95=p95,
                p99=p99,
                model=made.model,
            )
