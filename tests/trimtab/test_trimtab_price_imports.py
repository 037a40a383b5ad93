"""Price lists of other tools as price files of ours, whole files compared, and every row accounted for."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from domain.errors import SettingsError
from tests.golden_files import assert_golden
from trimtab.imports.convert import Labels, convert
from trimtab.imports.result import Imported
from trimtab.userprices import load_user_prices

DATA = Path(__file__).resolve().parents[1] / "data" / "prices"
LABELS = Labels(source="a list", as_of="2026-10-01")


def imported(
    form: str, name: str, out: Path, *, cloud: str = "aws", region: str | None = None, labels: Labels = LABELS
) -> Imported:
    return convert(form, DATA / name, out, cloud=cloud, region=region, labels=labels)


@pytest.mark.parametrize(
    "form,name,cloud,region",
    [
        ("opencost", "opencost.csv", "aws", "us-east-1"),
        ("skypilot", "skypilot_aws.csv", "aws", "us-east-1"),
        ("skypilot", "skypilot_gcp.csv", "gcp", None),
    ],
)
def test_a_list_becomes_a_price_file_and_says_what_it_left_out(
    tmp_path: Path, form: str, name: str, cloud: str, region: str | None
) -> None:
    out = tmp_path / "mine.csv"
    done = imported(form, name, out, cloud=cloud, region=region)
    stem = name.removesuffix(".csv")
    assert_golden(f"prices/{stem}.csv", out.read_text(encoding="utf-8"))
    assert_golden(f"prices/{stem}.left-out.csv", (tmp_path / "mine.left-out.csv").read_text(encoding="utf-8"))
    assert_golden(f"prices/{stem}.summary.txt", done.summary() + "\n")
    assert len(load_user_prices(out).offers) == len(done.machines)


def test_every_row_is_taken_folded_left_out_or_of_another_region(tmp_path: Path) -> None:
    """13 rows: 5 types in us-east-1 of 7 rows (two of them in two zones), 5 left out, 1 of another region."""
    done = imported("skypilot", "skypilot_aws.csv", tmp_path / "mine.csv", region="us-east-1")
    text = (DATA / "skypilot_aws.csv").read_text(encoding="utf-8")
    rows = len(list(csv.reader(text.splitlines()))) - 1
    folded = 2
    assert len(done.machines) + folded + len(done.left_out) + done.outside == rows


def test_zones_are_folded_into_the_dearest_and_a_zone_without_spot_leaves_none(tmp_path: Path) -> None:
    imported("skypilot", "skypilot_aws.csv", tmp_path / "mine.csv", region="us-east-1")
    found = {offer.instance_type: offer for offer in load_user_prices(tmp_path / "mine.csv").offers}
    assert found["m5.large"].spot is not None
    assert found["m5.large"].spot.amount == 0.044
    assert found["m7g.large"].spot is None
    assert found["m7g.large"].architecture == "arm64"
    assert (found["p4de.24xlarge"].accelerator, found["p4de.24xlarge"].gpu_memory_gib) == ("A100", 80.0)


def test_a_zone_that_does_not_say_its_accelerator_takes_it_from_another_and_its_dearer_spot_counts(
    tmp_path: Path,
) -> None:
    """A type that the price book does not know: nothing but the other zone has its GiB."""
    info = "\"{'Gpus': [{'Name': 'V100', 'Count': 1.0, 'MemoryInfo': {'SizeInMiB': 16384}}]}\""
    (tmp_path / "vms.csv").write_text(
        "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region,GpuInfo,SpotPrice,AvailabilityZone\n"
        "new.large,,,,,3.06,east,,1.0,east-b\n"
        f"new.large,V100,1.0,8.0,61.0,3.06,east,{info},0.9,east-a\n"
    )
    out = tmp_path / "mine.csv"
    done = convert("skypilot", tmp_path / "vms.csv", out, cloud="own", region=None, labels=LABELS)
    [offer] = load_user_prices(out).offers
    assert done.left_out == ()
    assert (offer.accelerator, offer.accelerator_count, offer.gpu_memory_gib) == ("V100", 1, 16.0)
    assert offer.spot is not None
    assert offer.spot.amount == 1.0


@pytest.mark.parametrize("given,day", [(None, date(2026, 10, 1)), ("2026-11-05", date(2026, 11, 5))])
def test_an_opencost_row_has_its_own_day_and_says_how_its_price_was_taken(
    tmp_path: Path, given: str | None, day: date
) -> None:
    imported(
        "opencost",
        "opencost.csv",
        tmp_path / "mine.csv",
        region="us-east-1",
        labels=Labels(source="a list", as_of=given),
    )
    found = {offer.instance_type: offer.on_demand for offer in load_user_prices(tmp_path / "mine.csv").offers}
    assert found["m5.large"].source == "a list (one price, taken for on demand)"
    assert found["c6a.large"].source == "a list (one price, taken for on demand, the dearest of several)"
    assert found["m5.large"].as_of == day


def test_a_list_in_another_currency_keeps_its_amounts_and_its_rate(tmp_path: Path) -> None:
    labels = Labels(source="a list", as_of="2026-10-01", currency="EUR", usd_per_unit=1.1, rate_as_of="2026-11-01")
    imported("opencost", "opencost.csv", tmp_path / "mine.csv", region="us-east-1", labels=labels)
    text = (tmp_path / "mine.csv").read_text(encoding="utf-8")
    assert "usd_per_hour" not in text
    found = {offer.instance_type: offer for offer in load_user_prices(tmp_path / "mine.csv").offers}
    assert found["m5.large"].on_demand.amount == pytest.approx(0.081 * 1.1)
    assert str(found["m5.large"].on_demand.exchange).startswith("EUR at 1.1 USD of 2026-11-01")


@pytest.mark.parametrize(
    "options,field,fix",
    [
        ({"labels": Labels(source="x", as_of="lately")}, "--as-of", "give a day"),
        ({"labels": Labels(source="x", currency="EUR")}, "--currency", "give --usd-per-unit and --rate-as-of too"),
        ({"labels": Labels(source="x", usd_per_unit=1.1)}, "--usd-per-unit", "name the --currency"),
        (
            {"labels": Labels(source="x", currency="EUR", usd_per_unit=1.0, rate_as_of="x")},
            "--rate-as-of",
            "give a day",
        ),
        ({"region": "mars-1", "cloud": "azure"}, "FILE", "no row of it can be used"),
        ({"form": "skypilot"}, "opencost.csv", "a SkyPilot list has a column"),
        ({"name": "skypilot_aws.csv"}, "skypilot_aws.csv", "an OpenCost list has a column"),
        ({"name": "nowhere.csv"}, "FILE", "give a readable CSV file"),
    ],
)
def test_what_cannot_be_imported_is_refused_and_nothing_is_written(
    tmp_path: Path, options: dict[str, object], field: str, fix: str
) -> None:
    given = {"form": "opencost", "name": "opencost.csv", "out": tmp_path / "mine.csv", **options}
    with pytest.raises(SettingsError) as caught:
        imported(**given)  # type: ignore[arg-type]
    assert field in str(caught.value)
    assert fix in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_only_a_csv_file_is_written(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"name a \.csv file"):
        imported("opencost", "opencost.csv", tmp_path / "mine.yaml")
