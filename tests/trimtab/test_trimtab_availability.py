"""Histories of spot availability from the settings to the recommendation."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.errors import SettingsError, TraceError
from trimtab.__main__ import main
from trimtab.availability import with_availability
from trimtab.prices import bundled
from trimtab.settings_file import parse_settings
from trimtab.wiring import decision_options, price_book

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests" / "data" / "spot_availability.csv"
LOAD = ROOT / "examples" / "traces" / "servegen_large_c48.csv.gz"
LOAD_ENDS = datetime(2024, 1, 15, tzinfo=UTC)


def test_settings_name_files_by_cloud_zone_and_type() -> None:
    text = (
        f"prices: {{availability: {{aws/us-east-1a/p3.2xlarge: {SMALL.name}, gcp/us-central1/c3-highcpu-88: {SMALL}}}}}"
    )
    book = price_book(parse_settings(text, name="t.yaml", base=SMALL.parent))
    first, second = book.availability
    assert (first.cloud, first.zone, first.instance_type) == ("aws", "us-east-1a", "p3.2xlarge")
    assert first.source == "spot_availability.csv, named in prices.availability"
    assert second.zone == "us-central1"
    assert book.offers == bundled().offers


@pytest.mark.parametrize(
    "key,fix",
    [
        ("p3.2xlarge", "write cloud/zone/machine type, such as aws/us-east-1a/p3.2xlarge"),
        ("aws/us-east-1a/", "write cloud/zone/machine type"),
        ("aws/us-east-1a/p3.2xlage", "did you mean 'p3.2xlarge'?"),
        ("aws/mars-1a/p3.2xlarge", "only in aws/us-east-1, azure/eastus, gcp/us-central1"),
    ],
)
def test_a_key_that_names_nothing_is_refused_with_its_fix(key: str, fix: str) -> None:
    with pytest.raises(SettingsError) as caught:
        with_availability(bundled(), {key: SMALL})
    assert str(caught.value).startswith(f"prices.availability: {key!r} is not usable")
    assert fix in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="there is no such file"):
        with_availability(bundled(), {"aws/us-east-1a/p3.2xlarge": tmp_path / "none.csv"})


@pytest.mark.parametrize(
    "word,spot,proof", [("published", True, False), ("proved", True, True), ("never", False, False)]
)
def test_the_word_for_spot_becomes_options(word: str, spot: bool, proof: bool) -> None:
    settings = parse_settings(f"prices: {{spot: {word}, availability_max_age_days: 7}}", name="t.yaml", base=ROOT)
    found = decision_options(settings).modes.purchase
    assert (found.spot, found.spot_needs_proof, found.availability_age) == (spot, proof, timedelta(days=7))


def configured(folder: Path, value: str, *, ends: datetime = LOAD_ENDS) -> Path:
    """A language model on recorded load, and forty days of availability of its machines up to the end of the load."""
    with (folder / "zone.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("timestamp", "value"))
        for i in range(40 * 96):
            there = value if i % 288 > 3 else "0"  # gone for an hour every third day
            rows.writerow(((ends - timedelta(minutes=15) * (40 * 96 - i)).strftime("%Y-%m-%dT%H:%M:%SZ"), there))
    path = folder / "t.yaml"
    path.write_text(
        f"""
history: {{files: {{llama: {LOAD}}}}}
workloads:
- id: llama
  capacity_rps: 0.7
  service_time_ms: 8000
  time_to_ready_s: 300
  replicas: 8
  mode: dedicated
  offer: g5.xlarge
  modes: [dedicated]
  slo: {{attainment: 0.99, latency_ms: 30000}}
  resources: {{cpu_cores: 3.5, memory_gib: 14, model_gib: 16, accelerator: A10G, accelerator_count: 1}}
prices:
  spot: proved
  availability: {{aws/us-east-1a/g5.xlarge: zone.csv}}
store: {{url: "sqlite:///t.db"}}
""",
        encoding="utf-8",
    )
    return path


def recommended(config: Path, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, object], str]:
    """The spot section of the evidence, and the words of the reason about spot."""
    assert main(["recommend", "--config", str(config)]) == 0
    assert main(["explain", "llama", "--config", str(config), "--output", "json"]) == 0
    found = json.loads("{" + capsys.readouterr().out.split("\n{", 1)[1])
    reason = next(each for each in found["reasons"] if each["code"] in {"spot", "no_spot"})
    return found["evidence"]["prices"]["spot"], f"{reason['code']}: {reason['detail']}"


def test_a_history_that_proves_spot_is_used_with_dollars_and_misses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spot, reason = recommended(configured(tmp_path, "4"), capsys)
    assert reason.startswith("spot: ")
    assert "40.0 days of availability in us-east-1a to 2024-01-15" in reason
    assert isinstance(spot["history"], dict)
    assert spot["history"]["zone"] == "us-east-1a"
    assert len(spot["history"]["spot_units"]) == 4
    assert 0 < float(str(spot["missed_share"])) <= 0.25 * 0.01
    assert float(str(spot["usd_per_month"])) < float(str(spot["usd_per_month_without"]))


def test_a_history_that_refuses_spot_or_is_too_old_leaves_on_demand_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spot, reason = recommended(configured(tmp_path, "0"), capsys)
    assert "no_spot: no spot: g5.xlarge: 40.0 days" in reason
    assert "none could ever be had" in reason
    assert (spot["replicas"], spot["missed_share"]) == (0, 0)
    spot, reason = recommended(configured(tmp_path, "4", ends=LOAD_ENDS - timedelta(days=100)), capsys)
    assert "was last seen 100 days before; at most 90 are trusted" in reason
    assert spot["history"] == {"detail": reason.removeprefix("no_spot: no spot: ")}


def test_a_wrong_row_ends_the_command_with_row_and_fix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = configured(tmp_path, "many")
    assert main(["recommend", "--config", str(config)]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "zone.csv, row 6: value 'many' is no number; write a count such as 42" in line
