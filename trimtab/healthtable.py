"""The health of inputs as a table or JSON: what was measured side by side, and beneath it what to mend."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from domain.health import WORSE, Checked, Figures, State
from domain.signals import Signal
from domain.unknown import Unknown
from optimizer.readiness import span
from trimtab.doctor import Examined
from trimtab.moments import moment

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = ("input", "state", "history", "newest", "every", "missing", "longest gap", "resets/d", "series")
NARROWEST = 100
STYLES = {State.FINE: "green", State.WARNING: "yellow", State.BROKEN: "bold red", State.UNKNOWN: "magenta"}
WIDEST_NAME = 30
NOT_KNOWN = "-"
SHARED = "all workloads"
SIGNALS = re.compile("|".join(sorted(Signal, key=len, reverse=True)))
WORDS = {State.NOT_ASKED: "not asked", State.WARNING: "warning"}


def write(output: str, examined: Examined) -> str:
    """In one of the forms, ending with a line break."""
    return _json(examined) if output == "json" else _table(examined)


def _json(examined: Examined) -> str:
    body = {
        "at": moment(examined.at),
        "source": examined.source,
        "inputs": [_body(checked) for checked in examined.inputs],
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def _body(checked: Checked) -> dict[str, Any]:
    """What is not known is null, and `unknown` says why."""
    unknown: dict[str, str] = {}
    return {
        "workload": checked.subject or None,
        "input": checked.input,
        "state": checked.state.value,
        "said": checked.said,
        "figures": None if checked.figures is None else _figures(checked.figures, unknown),
        "findings": [
            {"code": each.code, "state": each.state.value, "detail": each.detail, "fix": each.fix}
            for each in checked.findings
        ],
        "expressions": list(checked.expressions),
        "unknown": unknown,
    }


def _figures(figures: Figures, unknown: dict[str, str]) -> dict[str, float | None]:
    body: dict[str, float | None] = {}
    for name, value in _named(figures).items():
        key = f"{name}_seconds" if name in ("history", "age", "every", "longest_gap") else name
        if isinstance(value, Unknown):
            unknown[key] = value.reason
            body[key] = None
        else:
            body[key] = value.total_seconds() if isinstance(value, timedelta) else value
    return body


def _named(figures: Figures) -> Mapping[str, timedelta | float | Unknown]:
    """The figures by name, in the order of the columns."""
    return {field.name: getattr(figures, field.name) for field in fields(figures)}


def _table(examined: Examined) -> str:
    from rich.console import Console  # noqa: PLC0415

    wide = max(NARROWEST, shutil.get_terminal_size((NARROWEST, 24)).columns)
    printed = io.StringIO()
    screen = Console(file=printed, width=wide, force_terminal=sys.stdout.isatty(), highlight=False)
    for subject, rows in groupby(examined.inputs, key=lambda checked: checked.subject):
        inputs = list(rows)
        screen.print(f"{subject or SHARED}", style="bold", markup=False)
        _print_rows(screen, ((one.input, one.state, *_cells(one.figures)) for one in inputs if one.figures), COLUMNS)
        _print_rows(screen, ((one.input, one.state, one.said) for one in inputs if one.asked and not one.figures))
    _print_rows(screen, ((names, State.NOT_ASKED, why) for names, why in _not_asked(examined.inputs)))
    _print_rows(
        screen, ((where, state, f"{detail}\n-> {fix}\n") for where, state, detail, fix in _to_mend(examined.inputs))
    )
    for line in (*_why_unknown(examined.inputs), _sum(examined.inputs)):
        screen.print(line, markup=False)
    text = "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())
    return re.sub(r"\n{3,}", "\n\n", text)


def _print_rows(screen: Console, rows: Iterable[tuple[str | State, ...]], columns: Sequence[str] = ()) -> None:
    """Rows side by side and an empty line; nothing where there is none. Figures stand to the right, under their heads."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*columns, box=None, show_header=bool(columns), pad_edge=False, padding=(0, 2, 0, 0))
    for column in table.columns[2:]:
        column.justify = "right"
    if not columns:
        table.add_column(max_width=WIDEST_NAME, overflow="fold")
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
    for row in rows:
        table.add_row(
            *(
                Text(WORDS.get(cell, cell.value), style=STYLES.get(cell, "dim"))
                if isinstance(cell, State)
                else Text(cell)
                for cell in row
            )
        )
    if table.row_count:
        screen.print(table)
        screen.print()


def _cells(figures: Figures) -> Iterator[str]:
    for name, value in _named(figures).items():
        if isinstance(value, Unknown):
            yield NOT_KNOWN
        elif isinstance(value, timedelta):
            yield span(value) if value or name != "longest_gap" else "none"
        elif name == "missing":
            yield "none" if value == 0 else "<0.1%" if value < 0.001 else f"{value:.1%}"
        else:
            yield f"{value:,.0f}"


def _not_asked(inputs: Iterable[Checked]) -> Iterator[tuple[str, str]]:
    """What was not asked, together where it is for one reason, and whose."""
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for checked in inputs:
        if not checked.asked:
            reasons.setdefault((checked.subject, SIGNALS.sub("it", checked.said)), {})[checked.input] = None
    whose: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for (subject, why), names in reasons.items():
        whose.setdefault((tuple(names), why), []).append(subject)
    for (together, why), subjects in whose.items():
        yield _where(together, subjects), why


def _to_mend(inputs: Sequence[Checked]) -> Iterator[tuple[str, State, str, str]]:
    """What one deed mends, the worst first: one metric is read for many signals, and one exporter for many workloads."""
    deeds: dict[tuple[str, State, str], tuple[dict[str, None], dict[str, None]]] = {}
    for checked in inputs:
        for finding in checked.findings:
            names, details = deeds.setdefault((checked.subject, finding.state, finding.fix), ({}, {}))
            names[checked.input] = None
            details[finding.detail] = None
    whose: dict[tuple[State, tuple[str, ...], str, str], list[str]] = {}
    for (subject, state, fix), (names, details) in deeds.items():
        whose.setdefault((state, tuple(names), _joined(details), fix), []).append(subject)
    for (state, together, detail, fix), subjects in sorted(whose.items(), key=lambda each: -WORSE.index(each[0][0])):
        yield _where(together, subjects), state, detail, fix


def _where(names: Iterable[str], subjects: Iterable[str]) -> str:
    of = ", ".join(filter(None, subjects))
    return ", ".join(names) + (f"\nof {of}" if of else "")


def _joined(details: Iterable[str]) -> str:
    """Details one after the other, what several begin with said once."""
    rest: dict[str, list[str]] = {}
    for detail in details:
        begin, _, end = detail.partition(": ")
        rest.setdefault(begin, []).append(end)
    return "; ".join(": ".join(filter(None, (begin, ", ".join(filter(None, ends))))) for begin, ends in rest.items())


def _why_unknown(inputs: Iterable[Checked]) -> Iterator[str]:
    """Why a figure is not there; nothing where a finding says it."""
    names: dict[str, dict[str, None]] = {}
    for checked in inputs:
        if checked.figures is None:
            continue
        for column, value in zip(COLUMNS[2:], _named(checked.figures).values(), strict=True):
            if isinstance(value, Unknown) and (value.reason.startswith("not asked") or not checked.findings):
                names.setdefault(value.reason, {})[column] = None
    for reason, columns in names.items():
        yield f"{NOT_KNOWN} {', '.join(columns)}: {reason}"


def _sum(inputs: Sequence[Checked]) -> str:
    counts = Counter(checked.state for checked in inputs)
    said = [f"{counts[state]} {WORDS.get(state, state.value)}" for state in reversed(WORSE) if counts[state]]
    return f"{len(inputs)} inputs: {', '.join(said)}"
