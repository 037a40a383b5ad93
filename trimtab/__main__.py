"""`trimtab` and `python -m trimtab`: runs a command, and turns our errors into one line and an exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from domain.errors import TrimtabError, UserError
from trimtab.cli.app import app

WRONG_SOURCE, WRONG_INPUT = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; never a traceback for an error that was raised on purpose."""
    _quiet()
    try:
        app(args=None if arguments is None else list(arguments), prog_name="trimtab", standalone_mode=True)
    except TrimtabError as fault:
        for line in str(fault).splitlines():
            sys.stderr.write(f"trimtab: {line}\n")
        return WRONG_INPUT if isinstance(fault, UserError) else WRONG_SOURCE
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone (`trimtab recommend | head`)
        return 0
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    return 0


def _quiet() -> None:
    """What fails is told once, as the command's own error; only what wiring and rendering warn of is shown beside it.

    `trimtab serve` sets up a whole log of its own.
    """
    shown = logging.StreamHandler()
    shown.addFilter(lambda record: record.name in ("trimtab.wiring", "trimtab.rendering"))
    logging.basicConfig(level=logging.WARNING, format="trimtab: %(message)s", handlers=[shown], force=True)


if __name__ == "__main__":
    sys.exit(main())
