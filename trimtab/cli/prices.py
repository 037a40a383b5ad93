"""`trimtab prices show`, `check` and `import`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import SettingsError
from trimtab.cli.options import Config, load_settings, say

if TYPE_CHECKING:
    from domain.prices import PriceBook


class Output(StrEnum):
    """How the result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Kind(StrEnum):
    """What is priced."""

    MACHINES = "machines"
    TASKS = "tasks"
    SERVERLESS = "serverless"
    COMMITMENTS = "commitments"
    FEES = "fees"


class Format(StrEnum):
    """Whose price list is read."""

    OPENCOST = "opencost"
    SKYPILOT = "skypilot"


prices = typer.Typer(
    help="Show the prices that decisions use, ask about them, make price files of other tools' lists.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@prices.command("show")
def show(
    *,
    cloud: Annotated[str | None, typer.Option("--cloud", help="Only this cloud.", show_default="all")] = None,
    region: Annotated[
        str | None, typer.Option("--region", help="Only this region, and what is sold in any.", show_default="all")
    ] = None,
    accelerator: Annotated[
        str | None, typer.Option("--accelerator", help="Only with this accelerator.", show_default="all")
    ] = None,
    kind: Annotated[Kind | None, typer.Option("--kind", help="Only what is of this kind.", show_default="all")] = None,
    config: Config = None,
    output: Annotated[Output, typer.Option("--output", help="Form of the result.")] = Output.TABLE,
) -> None:
    """Show the price book: amounts in USD, their age, source and kind of evidence.

    With a settings file that names a price file, the user's prices stand over the bundled ones.
    """
    settings = load_settings(config)
    from trimtab.pricetable import Filter, rows_of, write  # noqa: PLC0415
    from trimtab.wiring import now, price_book  # noqa: PLC0415

    chosen = Filter(cloud=cloud, region=region, accelerator=accelerator, kind=kind.value if kind else None)
    rows = rows_of(price_book(settings), chosen, now().date())
    if not rows:
        raise SettingsError("prices show", _asked(chosen), "nothing in the price book is of that kind; ask for less")
    sys.stdout.write(write(output.value, rows))


def _asked(chosen: object) -> str:
    from dataclasses import asdict  # noqa: PLC0415

    return ", ".join(f"{name} {value}" for name, value in asdict(chosen).items() if value)  # type: ignore[call-overload]


@prices.command("check")
def check(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="A price file; else that of the settings, else the bundled book.", show_default=False
        ),
    ] = None,
    config: Config = None,
) -> None:
    """Ask about prices: far from what they replace or their neighbours, listed twice, without accelerator, old or undated.

    Questions are no faults: the exit code is 0, and 2 only for a file that is wrong.
    """
    file = load_settings(config).prices.file if file is None else file
    from trimtab.pricechecks import questions  # noqa: PLC0415
    from trimtab.prices import bundled  # noqa: PLC0415
    from trimtab.wiring import now  # noqa: PLC0415

    book = bundled() if file is None else _of_file(file)
    asked = questions(book, today=now().date(), among=None if file is None else bundled())
    for question in asked:
        typer.echo(f"{question.kind}: {question}")
    count = len(book.offers) + len(book.commitments) + len(book.tariffs) + len(book.fees)
    of = "the bundled book" if file is None else file.name
    say(f"{of}: {len(asked)} question{'s' * (len(asked) != 1)} about {count:,} entr{'y' if count == 1 else 'ies'}")


def _of_file(file: Path) -> PriceBook:
    from trimtab.userprices import load_user_prices  # noqa: PLC0415

    return load_user_prices(file)


@prices.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list to read.")],
    *,
    form: Annotated[Format, typer.Option("--format", help="Whose list it is.")],
    out: Annotated[Path, typer.Option("--out", metavar="OUT.csv", help="Price file to write.")],
    cloud: Annotated[str, typer.Option("--cloud", help="Cloud whose prices these are; neither list says.")],
    region: Annotated[str | None, typer.Option("--region", help="Only this region.", show_default="all")] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Where the figures are from.", show_default="the file's name")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="DAY",
            help="Day they were true; else that of each row, else unknown.",
            show_default=False,
        ),
    ] = None,
    currency: Annotated[str, typer.Option("--currency", help="Currency of the list.")] = "USD",
    usd_per_unit: Annotated[
        float | None, typer.Option("--usd-per-unit", help="What one unit of it is worth in USD.", show_default=False)
    ] = None,
    rate_as_of: Annotated[
        str | None, typer.Option("--rate-as-of", metavar="DAY", help="Day of that rate.", show_default=False)
    ] = None,
) -> None:
    """Make a price file of an OpenCost pricing CSV or a SkyPilot catalogue.

    What is taken is checked like any price file. Rows that cannot be used are written beside it
    (OUT.left-out.csv), each with its line and the reason, and summed up on stderr.
    """
    from trimtab.imports.convert import Labels, convert  # noqa: PLC0415
    from trimtab.pricechecks import clouds_of, like_cloud  # noqa: PLC0415
    from trimtab.prices import bundled  # noqa: PLC0415

    labels = Labels(
        source=source or file.name,
        as_of=as_of,
        currency=currency,
        usd_per_unit=usd_per_unit,
        rate_as_of=rate_as_of,
    )
    done = convert(form.value, file, out, cloud=cloud, region=region, labels=labels)
    near = like_cloud(cloud, clouds_of(bundled()))
    if near is not None:
        say(f"--cloud: {cloud} is a cloud of its own in the file that was written; did you mean {near}?")
    say(done.summary())
    typer.echo(out)
