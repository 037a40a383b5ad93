"""Bad input: one clear line that names the thing and the way to mend it, the right exit code, no traceback."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers import Asked, Reply, Scripted, free_port
from trimtab.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
ONE_DAY = ROOT / "examples" / "traces" / "servegen_r1_all.csv.gz"

Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """Runs a command that must fail with `code`; returns the lines that begin with the program's name, the fault."""

    def command(code: int, *arguments: object) -> str:
        assert main([str(argument) for argument in arguments]) == code
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "Traceback" not in captured.err
        faults = [line for line in captured.err.splitlines() if line.startswith("trimtab: ")]
        assert len(faults) >= 1
        return "\n".join(faults)

    return command


def ok(data: object) -> Reply:
    return Reply(body=json.dumps({"status": "success", "data": data}).encode())


NOTHING = {"resultType": "matrix", "result": []}


@pytest.mark.parametrize("url", ["localhost:9090", "prometheus", "", "ftp://x", "http://"])
def test_a_url_that_is_none(refused: Refused, url: str) -> None:
    line = refused(2, "recommend", "--prometheus", url, "--config", ROOT / "examples" / "trimtab.yaml") if url else ""
    assert not url or "--prometheus" in line
    assert not url or "http://127.0.0.1:9090" in line


def test_a_prometheus_that_is_not_there(refused: Refused) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    line = refused(1, "recommend", "--prometheus", url)
    assert url in line
    assert len(line.splitlines()) == 1


def error_page(_: Asked) -> Reply:
    return Reply(status=500, body=b"<html>oops</html>", headers={"Content-Type": "text/html"})


def refusal(_: Asked) -> Reply:
    return Reply(status=400, body=b'{"status":"error","errorType":"bad_data","error":"no such function"}')


def garbage(_: Asked) -> Reply:
    return Reply(body=b"\x00\xff not json")


def other_json(_: Asked) -> Reply:
    return Reply(body=b'[{"hello": "world"}]')


def wrong_shape(_: Asked) -> Reply:
    return ok({"resultType": "matrix", "result": [{"metric": {}, "values": "many"}]})


def hang_up(_: Asked) -> Reply:
    return Reply(hang_up=True)


def nothing(_: Asked) -> Reply:
    return ok(NOTHING)


@pytest.mark.parametrize("script", [error_page, refusal, garbage, other_json, wrong_shape, hang_up, nothing])
def test_a_prometheus_that_answers_errors_garbage_or_nothing(
    refused: Refused, script: Callable[[Asked], Reply]
) -> None:
    with Scripted(script) as server:
        line = refused(1, "recommend", "--prometheus", server.url)
    assert server.url in line
    assert len(line.splitlines()) == 1


TRACES = {
    "empty": ("", "the file is empty"),
    "header only": ("timestamp,requests\n", "0 rows"),
    "no column": ("time,count\n2026-01-01T00:00:00Z,1\n", "no column 'timestamp'"),
    "disorder": ("timestamp,requests\n2026-01-01T00:01:00Z,1\n2026-01-01T00:00:00Z,1\n", "row 3"),
    "duplicate": ("timestamp,requests\n2026-01-01T00:00:00Z,1\n2026-01-01T00:00:00Z,1\n", "row 3"),
    "nan": ("timestamp,requests\n2026-01-01T00:00:00Z,1\n2026-01-01T00:01:00Z,NaN\n", "row 3"),
    "negative": ("timestamp,requests\n2026-01-01T00:00:00Z,1\n2026-01-01T00:01:00Z,-4\n", "'-4' is not a count"),
    "text": ("timestamp,requests\n2026-01-01T00:00:00Z,many\n", "'many'"),
    "off the grid": (
        "timestamp,requests\n2026-01-01T00:00Z,1\n2026-01-01T00:01Z,1\n2026-01-01T00:02Z,1\n2026-01-01T00:03:31Z,1\n", "row 5"
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", TRACES)
@pytest.mark.parametrize("command", ["recommend --history", "replay --trace", "backtest --out {tmp}/o.csv --trace"])
def test_a_trace_that_is_wrong(refused: Refused, tmp_path: Path, fault: str, command: str) -> None:
    text, named = TRACES[fault]
    trace = tmp_path / "load.csv"
    trace.write_text(text)
    words = command.format(tmp=tmp_path).split()
    capacity = [] if words[0] == "backtest" else ["--capacity", "2"]
    line = refused(2, *words, trace, *capacity)
    assert str(trace) in line
    assert named in line
    assert list(tmp_path.iterdir()) == [trace]


def test_a_trace_that_is_not_there(refused: Refused) -> None:
    assert "there is no such file" in refused(2, "recommend", "--history", "/nowhere/a.csv", "--capacity", "1")


def test_history_without_a_capacity_says_so(refused: Refused) -> None:
    line = refused(2, "recommend", "--history", ONE_DAY)
    assert "capacity of servegen_r1_all" in line
    assert "--capacity RPS" in line


SETTINGS = {
    "unknown field": ("prometeus: {url: http://127.0.0.1:9}", "did you mean 'prometheus'?"),
    "wrong type": ("prometheus: {url: 'http://127.0.0.1:9', timeout_s: soon}", "prometheus.timeout_s: 'soon'"),
    "wrong value": ("prometheus: {url: 'http://127.0.0.1:9'}\napi: {port: -1}", "api.port: -1"),
    "no YAML": ("prometheus: [", "write valid YAML"),
    "no source": ("api: {port: 8000}", "set prometheus.url or history.files"),
    "no such trace": ("history: {files: {a: nothing.csv}}", "nothing.csv: there is no such file"),
    "unknown policy": (
        f"history: {{files: {{a: {ONE_DAY}}}}}\ndecisions: {{policy: best}}",
        "decisions.policy: 'best'",
    ),
    "no such prices": (f"history: {{files: {{a: {ONE_DAY}}}}}\nprices: {{file: mine.csv}}", "mine.csv"),
}


@pytest.mark.parametrize("fault", SETTINGS)
@pytest.mark.parametrize("command", ["recommend", "serve", "report --out o", "render rules --out o", "explain x"])
def test_settings_that_are_wrong(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    text, named = SETTINGS[fault]
    file = tmp_path / "trimtab.yaml"
    file.write_text(text)
    line = refused(2, *command.split(), "--config", file)
    assert named in line
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    "arguments,named",
    [
        ("recommend --prometheus http://127.0.0.1:9 --history a.csv", "give either --prometheus or --history"),
        ("recommend", "give --prometheus URL or --history FILE"),
        ("recommend --history {trace} --capacity 0", "--capacity: 0.0 is not usable; give a positive number"),
        ("serve", "--config: missing; name a settings file"),
        ("replay", "--trace: missing; name a trace file"),
        ("replay --trace {trace}", "--capacity: missing; give the requests/s"),
        ("replay --trace {trace} --capacity 2", "--warmup-days: 7.0 is not usable"),
        ("replay --trace {trace} --capacity 2 --warmup-days 2", "11 steps are the least: give at most 0.9"),
        ("replay --trace {trace} --capacity 2 --warmup-days 0.1 --policy best", "unknown policy 'best'"),
        ("replay --trace {trace} --capacity -2", "--capacity: -2.0 is not usable; give a positive number of requests/s"),
        ("replay --trace {trace} --capacity nan", "--capacity: nan is not usable"),
        ("replay --trace {trace} --capacity 1e-300", "--capacity: 1e-300 is not usable; mind its unit: the load's peak of"),
        ("replay --trace {trace} --capacity 2 --attainment 99.9", "--attainment: 99.9 is not usable; give a share above 0 and"),
        ("replay --trace {trace} --capacity 2 --attainment nan", "--attainment: nan is not usable"),
        ("replay --trace {trace} --capacity 2 --startup -5", "--startup: -5.0 is not usable; give a number from 0 to 86400"),
        ("replay --trace {trace} --capacity 2 --startup nan", "--startup: nan is not usable"),
        ("replay --trace {trace} --capacity 2 --startup 1e20", "--startup: 1e+20 is not usable"),
        ("replay --trace {trace} --capacity 2 --warmup-days inf", "--warmup-days: inf is not usable; give a number from 0 to 3660"),
        ("replay --trace {trace} --capacity 2 --warmup-days 1e12", "--warmup-days: 1000000000000.0 is not usable"),
        ("replay --trace {trace} --capacity 2 --min-replicas 99999999999999999999", "--min-replicas: 99999999999999999999 is not"),
        ("replay --trace {trace} --capacity 2 --min-replicas -1", "--min-replicas: -1 is not usable; give a whole number from 0"),
        ("replay --trace {trace} --capacity 2 --max-replicas 0", "--max-replicas: 0 is not usable; give a whole number from 1"),
        ("replay --trace {trace} --capacity 2 --min-replicas 5 --max-replicas 4", "--min-replicas: 5 is not usable; give at most --max-replicas (4)"),
        ("replay --trace {trace} --capacity 2 --replica-usd-per-hour 0", "--replica-usd-per-hour: 0.0"),
        ("replay --trace {trace} --capacity 2 --usd-per-missed-request inf", "--usd-per-missed-request: inf"),
        ("replay --trace {trace} --capacity 2 --policy recorded", "--policy: 'recorded' is not usable; add the column replicas"),
        ("replay --trace {trace} --capacity 2 --warmup-days 0.1 --policy hpa --decisions {tmp}/d.csv", "add --policy trimtab"),
        ("replay --trace {trace} --capacity 2 --chart {tmp}/c.gif", "c.gif' is not usable; end the name in .png, .svg, .pdf"),
        ("backtest --trace {trace} --out {tmp}/o.csv --horizon soon", "--horizon: 'soon' is not usable; give a duration"),
        ("backtest --trace {trace} --out {tmp}/o.csv --horizon 999999999999999d", "--horizon: '999999999999999d' is not usable"),
        ("backtest --trace {trace} --out {tmp}/o.csv --step 90s", "--step: '90s' is not usable; step must be a multiple of the"),
        ("backtest --trace {trace} --out {tmp}/o.csv --every 7m", "--every: '7m' is not usable; every must be a positive multiple"),
        ("replay --trace {trace} --capacity 2 --workload nosuch", "--workload: 'nosuch' is not usable; leave it out"),
        ("replay --trace {trace} --config {config} --workload nosuch", "--workload: 'nosuch' is not usable; the workloads of"),
        ("replay --config {config} --workload nosuch", "--workload: 'nosuch' is not usable; history.files of the settings has"),
        ("serve --config {config} --host 999.1.1.1", "api.host: '999.1.1.1' is not usable; give a --host that this machine has"),
        ("backtest --trace {trace} --out {tmp}/o.csv --model best", "--model: 'best'"),
        ("report --config {config} --out {tmp}/o --date tomorrow", "--date: 'tomorrow' is not usable; give a day as"),
        ("report --config {config} --out {tmp}/o --date 2999-01-01", "give a day that has begun"),
        ("report --config {config} --out {tmp}/o --date 0001-01-01", "'0001-01-01' is not usable; give a day from 1970-01-01 on"),
    ],
)  # fmt: skip
def test_options_that_are_wrong(refused: Refused, tmp_path: Path, arguments: str, named: str) -> None:
    places = {"trace": ONE_DAY, "tmp": tmp_path, "config": ROOT / "examples" / "trimtab.yaml"}
    assert named in refused(2, *arguments.format(**places).split())
    assert list(tmp_path.iterdir()) == []


OVERWRITING = {
    "the trace": ("replay --trace {own} --capacity 2 --decisions {own}", "--decisions", "--trace reads"),
    "the trace, told otherwise": ("backtest --trace {own} --out {tmp}/x/../load.csv", "--out", "--trace reads"),
    "a link to the trace": ("backtest --trace {own} --out {tmp}/link.csv", "--out", "--trace reads"),
    "a recording": ("replay --config {config} --decisions {own}", "--decisions", "history.files.load reads"),
    "another recording": ("backtest --config {config} --out {tmp}/b.csv", "--out", "history.files.b reads"),
    "the settings": ("backtest --config {config} --out {config}", "--out", "--config reads"),
    "the prices": ("backtest --config {config} --out {tmp}/prices.csv", "--out", "prices.file reads"),
    "the store": ("backtest --config {config} --out {tmp}/trimtab.db", "--out", "store.url reads"),
    "a picture as trace": ("replay --trace {tmp}/p.svg --capacity 2 --chart {tmp}/p.svg", "--chart", "--trace reads"),
    "two outputs": ("replay --trace {own} --capacity 2 --chart {tmp}/c.svg --curve {tmp}/c.svg", "--curve", "--chart writes"),
    "a price list": ("prices import {own} --format opencost --cloud aws --out {own}", "--out", "FILE reads"),
    "a price list beside": ("prices import {tmp}/b.left-out.csv --format opencost --cloud aws --out {tmp}/b.csv", "--out, the rows left out of it", "FILE reads"),
    "a folder": ("backtest --trace {own} --out {tmp}/x", "--out", "a folder stands there"),
}  # fmt: skip


@pytest.mark.parametrize("place", OVERWRITING)
def test_no_output_replaces_what_is_read_or_another_output(refused: Refused, tmp_path: Path, place: str) -> None:
    """A recording of years would be gone: it is refused before anything is read or written."""
    own, config = tmp_path / "load.csv", tmp_path / "trimtab.yaml"
    own.write_bytes(gzip.decompress(ONE_DAY.read_bytes()))
    (tmp_path / "x").mkdir()
    (tmp_path / "link.csv").symlink_to(own)
    for name in ("b.csv", "p.svg", "prices.csv", "b.left-out.csv", "trimtab.db"):
        (tmp_path / name).write_text(name)
    config.write_text(
        "history: {files: {load: load.csv, b: b.csv}}\ndefaults: {capacity_rps: 2}\nprices: {file: prices.csv}\n"
    )
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    arguments, option, doing = OVERWRITING[place]
    line = refused(2, *arguments.format(own=own, tmp=tmp_path, config=config).split())
    assert f"{option}: " in line
    assert doing in line
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_bounds_on_replicas_that_contradict_those_of_the_settings(refused: Refused, tmp_path: Path) -> None:
    config, bounds = tmp_path / "trimtab.yaml", "{min_replicas: 2, max_replicas: 3}"
    config.write_text(
        f"history: {{files: {{a: {ONE_DAY}}}}}\nworkloads: [{{id: a, capacity_rps: 2, bounds: {bounds}}}]"
    )
    line = refused(2, "replay", "--config", config, "--min-replicas", 4)
    assert "--min-replicas: 4 is not usable; give at most bounds.max_replicas of the settings (3)" in line
    line = refused(2, "replay", "--config", config, "--max-replicas", 1)
    assert "--max-replicas: 1 is not usable; give at least bounds.min_replicas of the settings (2)" in line


SLIPS = {
    "decisions.valid_hours": 1e12,
    "decisions.min_history_days": 1e12,
    "decisions.max_input_age_minutes": 1e15,
    "decisions.replay_days": 1e12,
    "decisions.horizon_days": 1e6,
    "prices.availability_max_age_days": 1e12,
    "history.lookback_days": 1e9,
    "history.step_s": 1e9,
    "rules.expiring_minutes": 1e15,
    "alertmanager.timeout_s": 1e15,
    "defaults.time_to_ready_s": 1e15,
    "defaults.service_time_ms": 1e20,
    "defaults.replicas": 10**20,
    "defaults.slo.latency_ms": 1e20,
    "defaults.bounds.min_replicas": 10**20,
    "defaults.bounds.max_replicas": 10**20,
    "defaults.slo.usd_per_missed_request": 1e308,
    "decisions.processes": 10**9,
    "emit.cluster.headroom": 1e300,
    "emit.cluster.polling_s": 10**20,
    "emit.cluster.failures_before_fallback": 10**20,
    "rules.min_requests": 10**40,
}


@pytest.mark.parametrize("key", SLIPS)
def test_a_number_that_can_only_be_a_slip_is_refused_by_its_key(refused: Refused, tmp_path: Path, key: str) -> None:
    body: dict[str, Any] = {"history": {"files": {"a": str(ONE_DAY)}}}
    *sections, field = key.split(".")
    inner = body
    for section in sections:
        inner = inner.setdefault(section, {})
    inner[field] = SLIPS[key]
    file = tmp_path / "trimtab.yaml"
    file.write_text(yaml.safe_dump(body))
    line = refused(2, "recommend", "--config", file)
    assert f"{key}: " in line
    assert "give a number of at most" in line
    assert list(tmp_path.iterdir()) == [file]


def test_a_load_of_a_million_millions_is_held_with_its_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Not a MemoryError: what is said is what the load asks for, and what the numbers have to be in."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = (f"{start + i * timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ},{10**15 + i % 7}" for i in range(200))
    trace = tmp_path / "load.csv"
    trace.write_text("timestamp,requests\n" + "\n".join(rows) + "\n")
    assert main(["recommend", "--history", str(trace), "--capacity", "0.5", "--output", "json"]) == 0
    (body,) = json.loads(capsys.readouterr().out)
    assert (body["kind"], body["reasons"][0]["code"]) == ("hold", "no_capacity")
    assert "at most 1,000,000 are reckoned with" in body["reasons"][0]["detail"]
    assert main(["replay", "--trace", str(trace), "--capacity", "0.5", "--warmup-days", "1"]) == 2
    assert "--capacity: 0.5 is not usable; mind its unit" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments,named",
    [
        ("replay --capacity many", "'--capacity': 'many' is not usable"),
        ("replay --min-replicas 2.5", "'--min-replicas': '2.5' is not usable"),
        ("serve --port 99999", "'--port': '99999' is not usable"),
        ("recommend --output xml", "'xml' is not one of 'table', 'json', 'csv', 'markdown'"),
        ("prices show --kind cars", "'cars' is not one of 'machines'"),
    ],
)
def test_what_does_not_parse_is_quoted(arguments: str, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments.split()) == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", ["nothing", "recommend --nothing", "replay --capacity many", "render pictures --out o", "recommend --output xml"]
)  # fmt: skip
def test_usage_errors_end_with_2(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments.split()) == 2
    captured = capsys.readouterr()
    assert "Error" in captured.err
    assert "Traceback" not in captured.err


def test_a_folder_that_can_not_be_written_is_named_and_nothing_is_half_written(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("a file stands here")
    config = tmp_path / "trimtab.yaml"
    config.write_text(f"history: {{files: {{a: {ONE_DAY}}}}}")
    line = refused(2, "render", "prometheus", "--config", config, "--out", tmp_path / "out")
    assert f"--out: '{tmp_path / 'out'}' is not usable; name one that can be written" in line


def test_a_port_that_is_taken_is_named(refused: Refused, tmp_path: Path) -> None:
    config = tmp_path / "trimtab.yaml"
    config.write_text(f"history: {{files: {{a: {ONE_DAY}}}}}")
    with Scripted(nothing) as server:
        port = server.url.rpartition(":")[2]
        line = refused(2, "serve", "--config", config, "--port", port)
    assert f"127.0.0.1:{port}" in line
    assert "give a free --port" in line
