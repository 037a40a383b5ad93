"""Commands as a person runs them: result on stdout, progress on stderr, exit codes 0, 1, 2."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain.workload import ScaleTarget
from monitor.recorded import read_trace
from optimizer.replay import POLICIES
from tests.conftest import require
from tests.fakes.recommendations import NOON, a_record, a_workload, an_act
from trimtab.__main__ import main
from trimtab.settings_file import read_settings
from trimtab.store.database import open_database
from trimtab.store.journal import Journal
from trimtab.store.recommendations import Recommendations
from trimtab.tables import write

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT / "examples" / "traces"
SMOOTH, ONE_DAY = TRACES / "servegen_small_c36.csv.gz", TRACES / "servegen_r1_all.csv.gz"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: object) -> Done:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return command


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two workloads of the example's kinds, small enough for a test: one to act on, one too young."""
    folder = tmp_path_factory.mktemp("settings")
    body: dict[str, Any] = {
        "history": {"files": {"chat": str(SMOOTH), "young": str(ONE_DAY)}},
        "defaults": {"mode": "dedicated", "offer": "m5.large", "slo": {"attainment": 0.99}},
        "workloads": [
            {"id": "chat", "match": {"service": "chat", "model": "m"}, "capacity_rps": 2, "replicas": 12,
             "service_time_ms": 300, "time_to_ready_s": 60, "target": {"name": "chat"}},
            {"id": "young", "match": {"service": "young", "model": "m"}, "capacity_rps": 2, "replicas": 9},
        ],
        "store": {"url": "sqlite:///state/trimtab.db"},
    }  # fmt: skip
    file = folder / "trimtab.yaml"
    file.write_text(yaml.safe_dump(body), encoding="utf-8")
    return file


def test_help_answers_within_half_a_second() -> None:
    """The best of five, for the machine may be busy with something else; that is what a start costs."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "trimtab", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        took.append(time.perf_counter() - began)
    for command in ("demo", "recommend", "serve", "replay", "backtest", "render", "report", "explain"):
        assert command in done.stdout
    assert min(took) <= 0.5


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from trimtab.cli.app import app; print(','.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.strip().split(","))
    heavy = {"numpy", "pandas", "scipy", "statsmodels", "numba", "sqlalchemy", "fastapi", "pydantic", "matplotlib",
             "apscheduler", "httpx", "requests", "yaml", "jinja2", "prometheus_client", "joblib"}  # fmt: skip
    assert loaded & heavy == set()


def test_recommend_writes_json_on_stdout_and_progress_on_stderr(run: Run, config: Path) -> None:
    done = run("recommend", "--config", config, "--output", "json")
    assert done.code == 0, done.err
    chat, young = json.loads(done.out)
    assert (chat["workload"], chat["kind"], young["kind"]) == ("chat", "act", "hold")
    assert chat["saving_usd_per_month"] <= chat["current"]["usd_per_month"]
    assert chat["saving_low"] <= chat["saving_usd_per_month"] <= chat["saving_high"]
    assert young["replicas"] is None
    assert "needed: 2 d" in young["reasons"][0]["detail"]
    assert "reading the history of 2 workloads" in done.err


@pytest.mark.parametrize("output", ["table", "csv", "markdown"])
def test_recommend_has_four_forms(run: Run, output: str) -> None:
    done = run("recommend", "--history", ONE_DAY, "--capacity", "2", "--output", output)
    assert done.code == 0, done.err
    assert "servegen_r1_all" in done.out
    assert "hold" in done.out
    if output == "csv":
        (row,) = csv.DictReader(io.StringIO(done.out))
        assert (row["kind"], row["proposed_replicas"], row["saving_usd_per_month"]) == ("hold", "", "")
    if output == "markdown":
        table, total = done.out.split("\n\n")
        assert len({line.count("|") for line in table.splitlines()}) == 1
        assert total == "all together: not known as it runs (known for 0 of 1)\n"


def test_several_files_may_follow_history(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.csv.gz"
    other.write_bytes(ONE_DAY.read_bytes())
    done = run("recommend", "--history", ONE_DAY, other, "--capacity", "2", "--output", "json")
    assert done.code == 0, done.err
    assert {body["workload"] for body in json.loads(done.out)} == {"servegen_r1_all", "other"}


def test_a_scan_of_its_own_choosing_is_kept_nowhere(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("recommend", "--history", ONE_DAY, "--capacity", "2").code == 0
    assert list(tmp_path.iterdir()) == []


def test_recommendations_are_explained_and_recomputed_bit_for_bit(run: Run, config: Path) -> None:
    run("recommend", "--config", config)
    done = run("explain", "chat", "--recompute", "--config", config)
    assert done.code == 0, done.err
    assert "give the same answer, bit for bit" in done.err
    assert "scoreboard" in done.out
    body = json.loads(run("explain", "young", "--output", "json", "--config", config).out)
    assert run("explain", body["id"], "--config", config).out.startswith("young: hold (open)")
    unknown = run("explain", "nobody", "--config", config)
    assert unknown.code == 2
    assert "ID: 'nobody' is not usable; the store knows" in unknown.err


def test_replay_compares_policies_and_writes_every_decision(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "decisions.csv"
    done = run("replay", "--trace", SMOOTH, "--capacity", "1.3", "--attainment", "0.99", "--min-replicas", "2",
               "--replica-usd-per-hour", "0.5", "--output", "json", "--decisions", out)  # fmt: skip
    assert done.code == 0, done.err
    body = json.loads(done.out)
    rows = {row["policy"]: row for row in body["policies"]}
    assert {"trimtab", "hpa", "week", "fixed", "perfect", "threshold"} <= rows.keys()
    assert "recorded" not in rows
    assert rows["trimtab"]["usd"] == pytest.approx(rows["trimtab"]["replica_hours"] * 0.5)
    history = read_trace(SMOOTH).requests
    decisions = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["timestamp"] for row in decisions] == [
        (history.start + i * history.step).strftime("%Y-%m-%dT%H:%M:%SZ") for i in range(len(history))
    ]
    assert all(int(row["desired_replicas"]) >= 2 for row in decisions)


def test_a_replay_decides_no_oftener_than_it_is_told(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "decisions.csv"
    done = run("replay", "--trace", SMOOTH, "--capacity", "1.3", "--policy", "trimtab", "--decision-interval", "3600",
               "--decisions", out)  # fmt: skip
    assert done.code == 0, done.err
    wanted = [int(row["desired_replicas"]) for row in csv.DictReader(out.read_text().splitlines())]
    every = timedelta(hours=1) // read_trace(SMOOTH).requests.step
    changes = [at + 1 for at, (now, then) in enumerate(itertools.pairwise(wanted)) if now != then]
    assert len(changes) > 20
    assert {(at + 1) % every for at in changes} == {0}
    assert "--decision-interval: 0.5 is not usable; give seconds from 1 to 3600" in run(
        "replay", "--trace", SMOOTH, "--capacity", "1.3", "--decision-interval", "0.5"
    ).err  # fmt: skip


def test_a_replay_without_a_price_prints_the_one_it_uses_and_its_source(run: Run) -> None:
    done = run("replay", "--trace", SMOOTH, "--capacity", "1.3", "--policy", "fixed", "--policy", "perfect")
    assert done.code == 0, done.err
    assert "m5.large" in done.out
    assert "source: " in done.out
    assert "hpa" not in done.out.splitlines()[3]


def test_a_replay_takes_from_settings_what_is_left_out(run: Run, config: Path) -> None:
    done = run("replay", "--config", config, "--policy", "fixed", "--output", "json", "--attainment", "0.95")
    body = json.loads(done.out)
    assert (body["capacity_rps"], body["startup_s"], body["attainment"]) == (2.0, 60.0, 0.95)
    assert "m5.large" in body["price"]


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_chart_is_drawn(run: Run, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"chart.{suffix}"
    done = run("replay", "--trace", SMOOTH, "--capacity", "1.3", "--policy", "trimtab", "--chart", out)
    assert done.code == 0, done.err
    assert out.read_bytes()[:5] in (b"\x89PNG\r", b"<?xml")
    assert list(tmp_path.iterdir()) == [out]


def test_the_policies_that_were_asked_for_are_drawn(run: Run, tmp_path: Path) -> None:
    """Whichever they are; of all together those that tell most."""
    out = tmp_path / "chart.svg"
    few = ("--policy", "fixed", "--policy", "threshold", "--policy", "perfect")
    for asked, drawn in ((few, {"fixed", "threshold", "perfect"}), ((), {"trimtab", "schedule", "hpa", "week"})):
        done = run("replay", "--trace", SMOOTH, "--capacity", "1.3", *asked, "--chart", out)
        assert done.code == 0, done.err
        named = set(re.findall(r"<!-- (\w+) -->", out.read_text(encoding="utf-8")))
        assert named & set(POLICIES) == drawn


def test_backtest_writes_what_scorers_read(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "backtest.csv"
    done = run("backtest", "--trace", SMOOTH, "--folds", "2", "--out", out)
    assert done.code == 0, done.err
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert list(rows[0]) == ["origin", "timestamp", "mean", "p50", "p90", "p95", "p99", "model"]
    assert len(rows) == 48
    origin, first = (datetime.fromisoformat(rows[0][name]) for name in ("origin", "timestamp"))
    assert first == origin + timedelta(minutes=10)
    assert (first.minute, first.tzinfo) == (0, UTC)
    assert all(float(row["p50"]) <= float(row["p99"]) for row in rows)
    assert all(math.isfinite(float(row["mean"])) for row in rows)


def test_a_backtest_knows_the_public_holidays_of_the_country_that_is_named(run: Run, tmp_path: Path) -> None:
    """Ascension Day of 2024 in Germany, after weeks whose holidays were quiet: half of a working day is too much."""
    start, rest = datetime(2024, 3, 26, tzinfo=UTC), {"2024-03-29", "2024-04-01", "2024-05-01", "2024-05-09"}
    hours = [start + timedelta(hours=i) for i in range(24 * 46)]
    quiet = [at.weekday() >= 5 or f"{at:%Y-%m-%d}" in rest for at in hours]
    rows = [f"{at:%Y-%m-%dT%H:%M:%SZ},{3600 if still else 36000}" for at, still in zip(hours, quiet, strict=True)]
    trace, out = tmp_path / "load.csv", tmp_path / "out.csv"
    trace.write_text("\n".join(["timestamp,requests", *rows]), encoding="utf-8")
    means = []
    for named in ((), ("--country", "DE")):
        done = run("backtest", "--trace", trace, *named, "--folds", "2", "--out", out)
        assert done.code == 0, done.err
        found = [row for row in csv.DictReader(out.read_text().splitlines()) if row["timestamp"][:10] == "2024-05-09"]
        means.append(sum(float(row["mean"]) for row in found) / len(found))
    assert means[1] < 0.5 * means[0]
    done = run("backtest", "--trace", trace, "--country", "Atlantis", "--out", out)
    assert done.code == 2
    assert "--country: 'Atlantis' is not usable" in done.err


@pytest.mark.parametrize(
    "kind,wanted",
    [
        ("rules", {"*.rules.yml", "*_test.yml", "proof.md", "proof.json"}),
        ("alertmanager", {"alertmanager.yml", "*.tmpl"}),
        ("prometheus", {"prometheus.yml"}),
        ("dashboards", {"*.json", "provisioning/*.yml"}),
        ("manifests", {"hpa/chat.yaml"}),
    ],
)
def test_render_writes_each_kind_and_names_the_files(
    run: Run, config: Path, tmp_path: Path, kind: str, wanted: set[str]
) -> None:
    done = run("render", kind, "--config", config, "--out", tmp_path / kind)
    assert done.code == 0, done.err
    assert all(list((tmp_path / kind).glob(pattern)) for pattern in wanted)
    assert all(Path(line).is_file() for line in done.out.splitlines())
    if kind == "alertmanager":
        assert {path.suffix for path in (tmp_path / kind).iterdir()} == {".yml", ".tmpl"}


@pytest.mark.parametrize("folder", [".", "rules"])
def test_prometheus_loads_the_rules_that_are_rendered_as_documented(
    run: Run, config: Path, tmp_path: Path, folder: str
) -> None:
    """All in one folder, or the rules in one of their own, as `trimtab serve` writes them."""
    require("promtool")
    assert run("render", "rules", "--config", config, "--out", tmp_path / folder).code == 0
    assert run("render", "prometheus", "--config", config, "--out", tmp_path).code == 0
    written = len(list((tmp_path / folder).glob("*.rules.yml")))
    checked = subprocess.run(
        ["promtool", "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert written > 3
    assert f"{written} rule files found" in checked.stdout


def test_forms_of_manifests_are_chosen_on_the_command_line(run: Run, config: Path, tmp_path: Path) -> None:
    done = run("render", "manifests", "--config", config, "--out", tmp_path, "--form", "helm", "--form", "hpa")
    assert done.code == 0, done.err
    assert {path.name for path in tmp_path.iterdir()} == {"hpa", "helm", "README.md"}
    refused = run("render", "rules", "--config", config, "--out", tmp_path, "--form", "helm")
    assert (refused.code, refused.out) == (2, "")
    assert "--form: 'helm' is not usable; leave it out: rules have no forms" in refused.err
    unknown = run("render", "manifests", "--config", config, "--out", tmp_path, "--form", "helmet")
    assert unknown.code == 2
    assert "--form: 'helmet' is not usable; give 'hpa', 'keda'" in unknown.err


def test_what_has_expired_is_not_rendered_and_is_named(run: Run, config: Path, tmp_path: Path) -> None:
    """A manifest made of a number that no longer stands would be applied like any other."""
    body = yaml.safe_load(config.read_text(encoding="utf-8")) | {"store": {"url": f"sqlite:///{tmp_path / 'x.db'}"}}
    file = tmp_path / "trimtab.yaml"
    file.write_text(yaml.safe_dump(body), encoding="utf-8")
    database = open_database(read_settings(file).store.url)
    now = datetime.now(UTC)
    both = {"new": now, "old": now - timedelta(days=1)}
    Recommendations(database).keep([a_record(an_act(name, at)) for name, at in both.items()])
    Journal(database).keep_workloads([replace(a_workload(name), target=ScaleTarget(name=name)) for name in both])
    database.close()
    done = run("render", "manifests", "--config", file, "--out", tmp_path / "out")
    assert (done.code, [path.name for path in (tmp_path / "out" / "hpa").iterdir()]) == (0, ["new.yaml"])
    assert "left out: old, which expired" in done.err
    assert "cycle" not in done.err


def test_a_report_is_written_in_every_form(run: Run, config: Path, tmp_path: Path) -> None:
    done = run("report", "--config", config, "--out", tmp_path / "reports")
    assert done.code == 0, done.err
    day = (datetime.now(UTC) - timedelta(days=1)).date()
    kinds = {"html", "csv", "focus.csv", "focus.json"}
    if "no PDF was written: WeasyPrint finds no Pango" not in done.err:
        kinds.add("pdf")
        assert (tmp_path / "reports" / f"trimtab-report-{day}.pdf").read_bytes().startswith(b"%PDF")
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {
        f"trimtab-report-{day}.{kind}" for kind in kinds
    }


def test_the_example_names_what_every_command_needs() -> None:
    """The example itself is run whole by the demonstration; here, that nothing in it is left to be found out."""
    settings = read_settings(ROOT / "examples" / "trimtab.yaml")
    assert all(workload.capacity_rps for workload in settings.workloads)
    assert {workload.id for workload in settings.workloads} == set(settings.history.files)


def test_no_text_of_the_csv_is_a_formula_and_figures_stay_figures() -> None:
    text = write("csv", [a_record(an_act("=cmd()", saving=-5.0))], NOON)
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["workload"] == "'=cmd()"
    assert float(row["saving_usd_per_month"]) == -5.0
