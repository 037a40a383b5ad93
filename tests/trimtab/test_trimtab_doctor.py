"""`trimtab doctor` against a real Prometheus in which every input but one has something: found, told, and with its exit code."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from optimizer.load_findings import LEFT_OUT, READY
from tests.openmetrics import document, family, samples
from tests.servers import Prometheus, Reply, Scripted, backfill
from trimtab.__main__ import main
from trimtab.doctor import FAULTS
from trimtab.healthtable import NARROWEST
from trimtab.store.database import open_database
from trimtab.store.journal import CycleNote, Journal

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "trimtab.yaml"
HOUR_S, DAY_S = 3600, 86_400
SCRAPE_S = 60
USERS = 1_300
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Done:
    """How the command ended."""

    code: int
    out: str
    err: str

    def inputs(self, workload: str | None) -> dict[str, Any]:
        return {each["input"]: each for each in json.loads(self.out)["inputs"] if each["workload"] == workload}

    def codes(self, workload: str, name: str = "request_rate") -> dict[str, str]:
        return {finding["code"]: finding["state"] for finding in self.inputs(workload)[name]["findings"]}


Doctor = Callable[..., Done]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    def command(*arguments: object) -> Done:
        capsys.readouterr()
        code = main(["doctor", *map(str, arguments)])
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return command


def requests(model: str, times: Floats, counts: Floats, **other: str) -> str:
    """The counter of a workload that no other shares a target with."""
    labels = {"service": "shop", "model": model, "status": "200", "job": "shop", "instance": model, **other}
    return samples("ai_requests_total", labels, times, counts)


def history(now_s: float) -> str:
    """Three days of requests a minute: one workload in good health, and one for each thing that can be wrong."""
    times = now_s - SCRAPE_S * np.arange(3 * DAY_S // SCRAPE_S, dtype=np.float64)[::-1]
    rate = 120 + 100 * np.sin(2 * np.pi * times / DAY_S)
    grown = np.cumsum(np.round(rate))
    ago = now_s - times
    awake = (ago > 30 * HOUR_S) | (ago < 27 * HOUR_S)  # for the gap
    starts = np.where(ago > 5 * HOUR_S, 0.0, 1.0) + times[0]
    since_start = np.where(ago > 5 * HOUR_S, grown, grown - grown[ago > 5 * HOUR_S][-1])
    other_process = np.where(np.arange(len(times)) % 2, grown, np.round(grown / 3))
    minutes = times[-5:]
    shop = [
        requests("healthy", times, since_start),
        requests("stale", times[ago > 2 * HOUR_S], grown[ago > 2 * HOUR_S]),
        requests("gappy", times[awake], grown[awake]),
        requests("mixed", times, other_process),
        requests("crowded", times, grown),
        *(requests("crowded", minutes, np.arange(5.0), user=f"u{i:04d}") for i in range(USERS)),
    ]
    started = [
        samples("process_start_time_seconds", {"job": "shop", "instance": model}, times, values)
        for model, values in (("healthy", starts), ("mixed", starts * 0 + times[0]))
    ]
    ray = {"model_name": "moved", "engine": "0", "job": "ray", "instance": "r", "finished_reason": "stop"}
    return document(
        family("ai_requests", "counter", shop),
        family("process_start_time_seconds", "gauge", started),
        family("ray_vllm_request_success", "counter", [samples("ray_vllm_request_success_total", ray, times, grown)]),
    )


@pytest.fixture(scope="module")
def prometheus(prometheus_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("doctor")
    text = history(datetime.now(UTC).timestamp())
    with Prometheus(folder, data=backfill(text, folder / "data")) as server:
        yield server


def settings(folder: Path, url: str, models: Mapping[str, str]) -> Path:
    """Workloads of the shop (or by another label and runtime) on boxes that are declared."""
    matches = {
        "trimtab-serving": "{{service: shop, model: {}}}",
        "vllm": "{{model_name: {}}}",
    }
    workloads = "".join(
        f"  - {{id: {model}, runtime: {runtime}, match: {matches[runtime].format(model)}, offer: c6i.large, replicas: 2, "
        "service_time_ms: 200, time_to_ready_s: 60}\n"
        for model, runtime in models.items()
    )
    file = folder / "trimtab.yaml"
    file.write_text(f"prometheus: {{url: '{url}'}}\ndecisions: {{right_size: false}}\nworkloads:\n{workloads}")
    return file


SHOP = dict.fromkeys(("healthy", "stale", "gappy", "mixed", "crowded"), "trimtab-serving")


@pytest.fixture(scope="module")
def examined(prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """One look at all of them, as JSON."""
    file = settings(
        tmp_path_factory.mktemp("settings"), prometheus.url, SHOP | {"moved": "vllm", "healty": "trimtab-serving"}
    )
    with redirect_stdout(io.StringIO()) as out:
        code = main(["doctor", "--config", str(file), "--output", "json"])
    return Done(code, out.getvalue(), "")


@pytest.mark.servers
def test_a_metric_in_good_health_is_fine_though_its_process_was_started_again(examined: Done) -> None:
    load = examined.inputs("healthy")["request_rate"]
    assert (load["state"], load["findings"], load["unknown"]) == ("fine", [], {})
    figures = load["figures"]
    assert figures["age_seconds"] < 120
    assert figures["every_seconds"] == pytest.approx(SCRAPE_S, rel=0.01)
    assert figures["missing"] < 0.01
    assert (figures["resets_per_day"], figures["series"]) == (1, 1)
    assert figures["history_seconds"] == pytest.approx(3 * DAY_S, rel=0.01)
    assert load["expressions"][0] == 'service_model:ai_requests:rate5m{model="healthy",service="shop"}'


@pytest.mark.servers
def test_a_metric_that_has_ended_is_stale(examined: Done) -> None:
    assert examined.codes("stale")["stale"] == "broken"
    age = examined.inputs("stale")["request_rate"]["figures"]["age_seconds"]
    assert age == pytest.approx(2 * HOUR_S, abs=900)
    assert "other_labels" not in examined.codes("stale")


@pytest.mark.servers
def test_a_hole_in_the_history_is_told_with_its_length(examined: Done) -> None:
    assert examined.codes("gappy") == {"gaps": "warning"}
    gap = examined.inputs("gappy")["request_rate"]["figures"]["longest_gap_seconds"]
    assert gap == pytest.approx(3 * HOUR_S, abs=900)


@pytest.mark.servers
def test_two_processes_behind_one_target_are_found_by_their_resets(examined: Done) -> None:
    assert examined.codes("mixed") == {"resets": "warning"}
    assert examined.inputs("mixed")["request_rate"]["figures"]["resets_per_day"] == pytest.approx(720, abs=3)


@pytest.mark.servers
def test_a_label_that_makes_too_many_series_is_named(examined: Done) -> None:
    assert examined.codes("crowded") == {"many_series": "warning"}
    (found,) = examined.inputs("crowded")["request_rate"]["findings"]
    many = f"{USERS + 1:,}"  # no value is one too
    assert f"{many} series, most of them by the label user ({many} values)" in found["detail"]
    assert "label user" in found["fix"]


@pytest.mark.servers
def test_a_metric_under_another_name_is_found(examined: Done) -> None:
    assert examined.codes("moved")["renamed"] == "broken"
    found = examined.inputs("moved")["request_rate"]["findings"][0]
    assert found["detail"].startswith("vllm:request_success_total is not there, ray_vllm_request_success_total is")


@pytest.mark.servers
def test_a_workload_that_is_matched_by_a_slip_is_shown_the_labels_that_there_are(examined: Done) -> None:
    assert examined.codes("healty")["other_labels"] == "broken"
    assert 'service="shop"' in examined.inputs("healty")["request_rate"]["findings"][0]["detail"]


@pytest.mark.servers
def test_an_absent_metric_is_absent_and_never_a_zero(examined: Done) -> None:
    replicas = examined.inputs("healthy")["ready_replicas"]
    assert replicas["state"] == "broken"
    assert replicas["figures"]["series"] is None
    assert replicas["unknown"]["series"]
    assert examined.inputs("healthy")["token_rate"]["state"] == "not_asked"
    assert examined.code == 1


@pytest.mark.servers
def test_the_table_fits_a_terminal_and_says_what_to_mend(
    prometheus: Prometheus, tmp_path: Path, doctor: Doctor
) -> None:
    done = doctor("--config", settings(tmp_path, prometheus.url, {"gappy": "trimtab-serving"}))
    assert max(map(len, done.out.splitlines())) <= NARROWEST
    assert "Prometheus at http://127.0.0.1:" in done.out
    assert "-> see what stopped the scrapes then" in done.out
    assert "broken" in done.out.splitlines()[-1]
    assert "reading the history" in done.err


def test_a_source_that_is_away_is_broken_and_the_rest_is_still_told(tmp_path: Path, doctor: Doctor) -> None:
    done = doctor("--config", settings(tmp_path, "http://127.0.0.1:9", SHOP), "--output", "json")
    assert done.code == 1
    source = done.inputs(None)["source"]
    assert (source["state"], source["findings"][0]["code"]) == ("broken", "away")
    assert source["findings"][0]["fix"] == "see that it runs and that the URL is right"
    assert done.inputs(None)["store"]["state"] == "not_asked"
    assert not done.inputs("healthy")


def test_a_server_that_answers_nonsense_is_broken(tmp_path: Path, doctor: Doctor) -> None:
    with Scripted(lambda _: Reply(body=b"<html>hello</html>")) as server:
        done = doctor("--config", settings(tmp_path, server.url, SHOP), "--output", "json")
    assert done.code == 1
    assert done.inputs(None)["source"]["findings"][0]["code"] == "bad_answer"


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(status=422, body=b'{"status":"error","error":"query processing would load too many samples"}'),
        Reply(hang_up=True),
    ],
)
def test_metrics_that_the_server_does_not_tell_of_are_unknown(refusal: Reply, tmp_path: Path, doctor: Doctor) -> None:
    """A history that can be read is judged, and what only its metrics tell stays unknown."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)

    def answer(asked: Any) -> Reply:
        if "label_replace" in asked.path:
            return refusal
        if "rate5m" not in asked.path:
            return Reply(body=b'{"status":"success","data":{"resultType":"matrix","result":[]}}')
        values = [[(now - timedelta(minutes=5 * i)).timestamp() // 300 * 300, "2"] for i in range(1000)][::-1]
        body = {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}}
        return Reply(body=json.dumps(body).encode())

    with Scripted(answer) as server:
        done = doctor("--config", settings(tmp_path, server.url, {"healthy": "trimtab-serving"}), "--output", "json")
    load = done.inputs("healthy")["request_rate"]
    assert load["state"] == "unknown"
    assert load["figures"]["series"] is None
    assert load["unknown"]["series"].startswith("Prometheus at http://127.0.0.1:")
    assert load["figures"]["history_seconds"] == 1000 * 300


def test_every_finding_is_described() -> None:
    """Each code in the sources that make findings has its row in docs/doctor.md, and no other has."""
    made = (
        (ROOT / "optimizer").glob("*_findings.py"),
        (ROOT / "optimizer").glob("*_checks.py"),
        (ROOT / "trimtab").glob("*health.py"),
    )
    files = [*itertools.chain(*made), ROOT / "optimizer" / "health.py"]
    codes = {code for file in files for code in re.findall(r'code="(\w+)"', file.read_text(encoding="utf-8"))}
    rows = re.findall(r"^\| (`.+?`) \| ", (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    described = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    assert described == codes | READY.keys() | LEFT_OUT.keys() | FAULTS.keys()


def test_the_example_is_examined_on_a_bare_clone_and_is_fit(doctor: Doctor) -> None:
    done = doctor("--config", EXAMPLE, "--output", "json")
    assert done.code == 0
    assert done.codes("reasoner-32b") == {"thin_history": "warning"}
    assert done.inputs("vision:digits")["request_rate"]["state"] == "fine"
    assert done.inputs("vision:digits")["latency"]["state"] == "not_asked"
    assert done.inputs(None)["prices aws/us-east-1"]["figures"] is None


def test_a_recording_of_the_command_line_needs_no_settings(doctor: Doctor) -> None:
    done = doctor("--history", ROOT / "examples" / "traces" / "azfn_bd33.csv.gz")
    assert done.code == 0
    assert "not asked: recorded history has no series to look at" in done.out
    assert "what it runs on is not declared" in done.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--prometheus", "http://127.0.0.1:9", "--history", "a.csv"),
        ("--config", "no-such-file.yaml"),
        ("--prometheus", "nonsense"),
        (),
    ],
)
def test_a_command_line_that_is_wrong_ends_with_2(arguments: tuple[str, ...], doctor: Doctor) -> None:
    done = doctor(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("trimtab: ")


def recorded(folder: Path, more: str = "") -> Path:
    trace = ROOT / "examples" / "traces" / "azfn_bd33.csv.gz"
    file = folder / "trimtab.yaml"
    file.write_text(f"history: {{files: {{a: '{trace}'}}}}\n{more}")
    return file


def test_prices_are_broken_only_where_their_age_stops_proposals(tmp_path: Path, doctor: Doctor) -> None:
    usual = doctor("--config", recorded(tmp_path), "--output", "json")
    assert usual.inputs(None)["prices aws/us-east-1"]["state"] in ("fine", "warning")
    strict = doctor("--config", recorded(tmp_path, "decisions: {max_price_age_days: 1}\n"), "--output", "json")
    assert strict.inputs(None)["prices aws/us-east-1"]["findings"][0]["code"] == "old_prices"
    assert strict.code == 1


def test_a_history_of_spot_availability_that_is_too_old_to_be_trusted_is_told(tmp_path: Path, doctor: Doctor) -> None:
    old = tmp_path / "p3.csv"
    old.write_text("timestamp,value\n2022-01-01T00:00:00Z,4\n2022-01-01T00:10:00Z,4\n2022-01-01T00:20:00Z,3\n")
    file = recorded(tmp_path, f"prices: {{availability: {{aws/us-east-1a/c6i.large: {old}}}}}\n")
    spot = doctor("--config", file, "--output", "json").inputs(None)["spot aws/us-east-1a/c6i.large"]
    assert [finding["code"] for finding in spot["findings"]] == ["old_availability"]


def test_the_store_tells_when_the_last_cycle_ran_and_is_not_made_to_look(tmp_path: Path, doctor: Doctor) -> None:
    file, store = recorded(tmp_path), tmp_path / "trimtab.db"

    def told() -> Any:
        return doctor("--config", file, "--output", "json").inputs(None)["store"]

    assert told()["state"] == "not_asked"
    assert not store.exists()
    database = open_database(f"sqlite:///{store}")
    journal = Journal(database)
    facts: dict[str, Any] = {"duration_s": 1.0, "acts": 0, "holds": 1, "kept": 0}
    now = datetime.now(UTC)
    journal.note_cycle(CycleNote(at=now - timedelta(hours=2), failure=None, **facts))
    assert [finding["code"] for finding in told()["findings"]] == ["no_cycle"]
    journal.note_cycle(CycleNote(at=now, failure="shop: it can not be reached", **facts))
    assert [finding["code"] for finding in told()["findings"]] == ["cycle_failed"]
    journal.note_cycle(CycleNote(at=now, failure=None, **facts))
    assert told()["state"] == "fine"
    database.close()
    store.write_bytes(b"no database")
    assert told()["findings"][0]["code"] == "store"
