"""`trimtab prices` as a person runs it: result on stdout, progress and questions, exit codes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from trimtab.__main__ import main

DATA = Path(__file__).resolve().parents[1] / "data" / "prices"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["prices", *(str(argument) for argument in arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings with a price file of one machine, paid in euros, dear and undated."""
    (tmp_path / "mine.csv").write_text(
        "cloud,region,instance_type,vcpus,memory_gib,on_demand_per_hour,currency,usd_per_unit,rate_as_of\n"
        "aws,us-east-1,own.large,2,8,2.0,EUR,1.1,2026-11-01\n"
    )
    path = tmp_path / "trimtab.yaml"
    path.write_text(f"prices: {{file: {tmp_path / 'mine.csv'}}}\n")
    return path


def test_show_filters_by_cloud_region_accelerator_and_kind(run: Run) -> None:
    code, out, _ = run("show", "--cloud", "aws", "--accelerator", "t4", "--kind", "machines", "--output", "json")
    rows = json.loads(out)
    assert code == 0
    assert rows.keys() == {"machines"}
    assert {(row["cloud"], row["accelerator"]) for row in rows["machines"]} == {("aws", "T4")}
    one = next(row for row in rows["machines"] if row["name"] == "g4dn.xlarge")
    assert (one["on_demand_usd_per_hour"], one["evidence"], one["as_of"]) == (0.526, "read", "2026-07-20")
    assert one["source"].startswith("aws/karpenter-provider-aws")
    assert one["age_days"] > 0


def test_show_prints_a_table_with_its_sources_under_it(run: Run) -> None:
    code, out, _ = run("show", "--cloud", "runpod")
    assert code == 0
    assert "serverless (9)" in out
    assert "flex_a100" in out
    assert "days old" in out
    assert out.rstrip().splitlines()[-1].startswith("  docs.runpod.io/serverless/endpoints")


def test_show_writes_one_csv_of_all_kinds(run: Run) -> None:
    _, out, _ = run("show", "--region", "us-central1", "--output", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["kind"] for row in rows} == {"machines", "serverless", "fees", "commitments"}
    assert {row["region"] for row in rows} == {"us-central1", "any", ""}
    assert all(row["source"] for row in rows)


def test_show_puts_a_users_prices_over_the_bundled_ones_and_names_the_rate(run: Run, config: Path) -> None:
    _, out, _ = run("show", "--config", config, "--cloud", "aws", "--kind", "machines", "--output", "json")
    own = next(row for row in json.loads(out)["machines"] if row["name"] == "own.large")
    assert own["on_demand_usd_per_hour"] == pytest.approx(2.2)
    assert own["exchange"].startswith("EUR at 1.1 USD of 2026-11-01")
    assert own["age_days"] is None


def test_show_of_nothing_is_a_fault(run: Run) -> None:
    code, out, err = run("show", "--cloud", "mars")
    assert (code, out) == (2, "")
    assert "cloud mars" in err


def test_check_asks_about_the_bundled_book_and_ends_well(run: Run) -> None:
    code, out, err = run("check")
    assert code == 0
    assert "days old" in out
    assert "of an unknown date" in out
    assert err.startswith("the bundled book: ")
    assert "questions about 2," in err


def test_check_asks_about_a_file_and_ends_well(run: Run, config: Path) -> None:
    code, out, err = run("check", config.parent / "mine.csv")
    assert code == 0
    assert out.startswith("far: aws us-east-1 own.large: on-demand USD an hour for one processor 1.1, ")
    assert "undated: user's price file: 1 price of an unknown date" in out
    assert err.strip() == "mine.csv: 2 questions about 1 entry"


def test_check_without_a_file_asks_about_the_one_that_the_settings_name(run: Run, config: Path) -> None:
    code, out, err = run("check", "--config", config)
    assert code == 0
    assert out.startswith("far: aws us-east-1 own.large")
    assert err.strip() == "mine.csv: 2 questions about 1 entry"


def test_check_of_a_wrong_file_is_a_fault(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text("cloud,region\naws,us-east-1\n")
    code, out, err = run("check", path)
    assert (code, out) == (2, "")
    assert "instance_type" in err


def test_import_writes_the_file_and_says_what_was_left_out(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "mine.csv"
    code, printed, err = run(
        "import", DATA / "opencost.csv", "--format", "opencost", "--cloud", "aws", "--region", "us-east-1", "--out", out
    )
    assert (code, printed.strip()) == (0, str(out))
    assert "4 machine types taken" in err
    assert "1 row left out: prices a volume" in err
    assert run("check", out)[0] == 0


@pytest.mark.parametrize("cloud,meant", [("awz", "aws"), ("aws", None), ("hetzner", None)])
def test_import_asks_whether_a_cloud_of_almost_a_known_name_is_that_one(
    run: Run, tmp_path: Path, cloud: str, meant: str | None
) -> None:
    out = tmp_path / "mine.csv"
    code, _, err = run("import", DATA / "skypilot_aws.csv", "--format", "skypilot", "--cloud", cloud, "--out", out)
    assert (code, out.exists()) == (0, True)
    assert ("did you mean" in err) is (meant is not None)
    if meant is not None:
        assert f"--cloud: {cloud} is a cloud of its own in the file that was written; did you mean {meant}?" in err


def test_import_without_a_cloud_is_a_fault_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "mine.csv"
    code, _, err = run("import", DATA / "opencost.csv", "--format", "opencost", "--out", out)
    assert code == 2
    assert "--cloud" in err
    assert not out.exists()
