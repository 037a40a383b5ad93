"""`trimtab report`."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import Annotated

import typer

from domain.errors import SettingsError
from domain.unknown import Unknown
from trimtab.cli.options import Config, OutFolder, need_settings, say

EARLIEST = date(1970, 1, 1)  # no time in a history or a metric is older


def report(
    out: OutFolder,
    config: Config = None,
    day: Annotated[
        str | None,
        typer.Option("--date", metavar="YYYY-MM-DD", help="Day of the report (UTC).", show_default="yesterday"),
    ] = None,
) -> None:
    """Write the nightly report of a day as HTML, PDF, CSV and FOCUS 1.2."""
    settings = need_settings(config)
    chosen = None if day is None else _day(day)
    from trimtab.cli.fill import filled  # noqa: PLC0415
    from trimtab.files import write_artifacts, write_file  # noqa: PLC0415
    from trimtab.wiring import build  # noqa: PLC0415

    program = build(settings, progress=say)
    now = program.clock()
    today = now.astimezone(UTC).date()
    chosen = chosen or today - timedelta(days=1)
    if chosen > today:
        raise SettingsError("--date", str(chosen), f"give a day that has begun (today is {today})")
    filled(program)
    program.ledger.catch_up(now=now)
    report = program.nightly.write(chosen, now=now)
    written = write_artifacts(out, report.texts, option="--out")
    paths = [*written.changed, *written.unchanged]
    if isinstance(report.pdf, Unknown):
        say(f"no PDF was written: {report.pdf.reason}")
    else:
        paths.append(out / f"trimtab-report-{chosen}.pdf")
        write_file(paths[-1], report.pdf, option="--out")
    for path in sorted(paths):
        typer.echo(path)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise SettingsError("--date", text, "give a day as YYYY-MM-DD") from None
    if day < EARLIEST:
        raise SettingsError("--date", text, f"give a day from {EARLIEST} on")
    return day
