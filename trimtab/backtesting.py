"""What `trimtab backtest` does: asks the optimizer for forecasts from the past and writes them as CSV."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from domain.errors import SettingsError
from domain.load import LoadHistory
from optimizer.rolling import Backtest, Row, backtest, rows
from trimtab.files import write_file
from trimtab.moments import TIMES, moment

UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is forecast, and from where."""

    horizon: timedelta
    step: timedelta
    every: timedelta
    folds: int | None
    model: str | None
    country: str | None = None


def write_backtest(history: LoadHistory, question: Question, out: Path) -> list[str]:
    """Write the file; returns what a person should know. SettingsError for a question that does not fit the trace."""
    result = _asked(history, question)
    if not result.folds:
        why = result.held[0].reason if result.held else "the trace is too short for an origin"
        raise SettingsError("--trace", f"{len(history)} steps", f"nothing could be forecast: {why}")
    write_file(out, _csv(rows(result)), option="--out")
    held = [f"held at {moment(one.origin)}: {one.reason}" for one in result.held]
    return [*held, f"wrote {out}: {len(result.folds)} origin{'' if len(result.folds) == 1 else 's'}"]


def _asked(history: LoadHistory, question: Question) -> Backtest:
    try:
        return backtest(
            history,
            horizon=question.horizon,
            step=question.step,
            every=question.every,
            folds=question.folds,
            model=question.model,
            country=question.country,
        )
    except ValueError as fault:
        text = str(fault)
        option = next((name for name in ("horizon", "every", "step", "country") if text.startswith(name)), "model")
        raise SettingsError(f"--{option}", _written(getattr(question, option)), text) from None


def _written(value: object) -> object:
    """A duration as the command line has it (7m), anything else as it is."""
    if not isinstance(value, timedelta):
        return value
    seconds = value.total_seconds()
    size, unit = next((one for one in UNITS if seconds % one[0] == 0), UNITS[-1])
    return f"{seconds / size:g}{unit}"


def _csv(lines: Iterable[Row]) -> str:
    """The columns of the back-test file are the fields of a row, in their order."""
    import pandas as pd  # noqa: PLC0415  most of a second that only this command should pay

    table = pd.DataFrame([asdict(line) for line in lines])
    return str(table.to_csv(index=False, float_format="%.9g", date_format=TIMES, lineterminator="\n"))
