"""The commands, put together; imports nothing heavy, so that `--help` answers at once."""

from __future__ import annotations

import typer

from trimtab.cli import backtest, demo, doctor, explain, recommend, render, replay, report, serve
from trimtab.cli.naming import Naming
from trimtab.cli.prices import prices

EPILOG = "Exit codes: 0 fine, holds included; 1 a source is unreachable, answers wrongly or has no data; 2 the command line or a file is wrong."

app = typer.Typer(
    name="trimtab",
    cls=Naming,
    help="How many replicas, which serving mode and which purchase mix hold each model's SLO at the least cost.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("recommend")(recommend.recommend)
app.command("serve")(serve.serve)
app.command("replay")(replay.replay)
app.command("backtest")(backtest.backtest)
app.command("render")(render.render)
app.command("report")(report.report)
app.command("doctor")(doctor.doctor)
app.command("explain")(explain.explain)
app.add_typer(prices, name="prices")
