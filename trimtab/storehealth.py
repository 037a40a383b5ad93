"""How the store is: whether it opens, and when the last cycle ran."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from domain.errors import StoreError
from domain.health import Checked, Finding, State
from optimizer.readiness import span
from trimtab.cron import longest_gap
from trimtab.outputs import SQLITE
from trimtab.settings import Settings
from trimtab.store.database import open_database
from trimtab.store.journal import CycleNote, Journal

CYCLES_MISSED = 3


def store_check(settings: Settings, now: datetime) -> Checked:
    """The store of the settings; one that is not there yet is not made. SettingsError for a URL that is none."""
    url = settings.store.url
    if url in ("sqlite://", f"{SQLITE}:memory:"):
        return _not_asked("nothing is kept: the source is that of the command line, or no settings file is given")
    if url.startswith(SQLITE) and not Path(url.removeprefix(SQLITE)).exists():
        return _not_asked("there is none yet: no cycle has run")
    try:
        database = open_database(url)
        try:
            last = Journal(database).last_cycle()
        finally:
            database.close()
    except StoreError as fault:
        finding = Finding(
            code="store", state=State.BROKEN, detail=str(fault), fix="see store.url, and that it may be written"
        )
        return Checked(subject="", input="store", said=str(fault), findings=(finding,))
    return _not_asked("no cycle has run yet") if last is None else _of_last(last, settings, now)


def _not_asked(why: str) -> Checked:
    return Checked(subject="", input="store", said=why, asked=False)


def _of_last(last: CycleNote, settings: Settings, now: datetime) -> Checked:
    age, due = now - last.at, longest_gap(settings.schedule.cycle, settings.schedule.zone, last.at)
    said = f"the last cycle ran {span(age)} ago, one is due every {span(due)}"
    findings = []
    if age > CYCLES_MISSED * due:
        fix = "see that `trimtab serve` runs; nothing to mend where only `trimtab recommend` is used"
        findings.append(Finding(code="no_cycle", state=State.WARNING, detail=said, fix=fix))
    if last.failure is not None:
        findings.append(
            Finding(
                code="cycle_failed",
                state=State.WARNING,
                detail=f"the last cycle had trouble: {last.failure}",
                fix="mend what it names",
            )
        )
    return Checked(subject="", input="store", said=said, findings=tuple(findings))
