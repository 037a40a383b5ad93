"""Everything Trimtab raises on purpose, and what each means for the caller.

TrimtabError
├── UserError             the command line or a file the user wrote is wrong        (exit 2)
│   ├── SettingsError     a settings file or option: names field, value and fix
│   └── TraceError        a recorded history file: names file, row and fix
├── SourceError           a source of facts failed us                               (exit 1)
│   ├── SourceUnavailable it could not be reached, or did not answer in time
│   ├── BadAnswer         it answered, but not with what was asked for
│   └── NoData            it answered properly and has nothing
└── StoreError            our own memory could not be read or written               (exit 1)

A broken *subject* (thin history, stale input) is a value, `Hold`; only a broken *program or
input* is an exception.
"""

from __future__ import annotations


class TrimtabError(Exception):
    """Root of all errors raised on purpose; `str()` is one line fit to show a user."""


class UserError(TrimtabError):
    """What the user gave is wrong; the message names the thing, its value and the way to mend it."""


class SettingsError(UserError):
    """A settings file or an option is wrong; a `value` of None is one that was not given."""

    def __init__(self, field: str, value: object, fix: str) -> None:
        self.field, self.value, self.fix = field, value, fix
        wrong = "missing" if value is None else f"{value!r} is not usable"
        super().__init__(f"{field}: {wrong}; {fix}")


class TraceError(UserError):
    """A recorded history file is wrong."""

    def __init__(self, where: str, problem: str, fix: str) -> None:
        self.where, self.problem, self.fix = where, problem, fix
        super().__init__(f"{where}: {problem}; {fix}")


class SourceError(TrimtabError):
    """A source of facts failed; never to be read as zero."""

    def __init__(self, source: str, problem: str, fix: str) -> None:
        self.source, self.problem, self.fix = source, problem, fix
        super().__init__(f"{source}: {problem}; {fix}")


class SourceUnavailable(SourceError):
    """The source could not be reached or did not answer in time."""


class BadAnswer(SourceError):
    """The source answered with an error or with something that is not an answer."""


class NoData(SourceError):
    """The source answered properly and holds nothing of what was asked."""


class StoreError(TrimtabError):
    """Our own store could not be read or written."""
