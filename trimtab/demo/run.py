"""The demonstration from start to end: set the stage, let the main job run, show what it recommends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from domain.errors import BadAnswer, UserError
from monitor.profiles import PROFILES
from trimtab.demo.cast import Player, history_lines, history_start_s, players
from trimtab.demo.interrupts import Interrupts
from trimtab.demo.nights import evening_before, look_back, opened, yesterday
from trimtab.demo.processes import Child, Processes, loopback, scratch
from trimtab.demo.stage import Stage, at
from trimtab.demo.traffic import LIVE_WORKLOAD, Traffic
from trimtab.demo.tsdb import backfill, start_prometheus
from trimtab.settings import (
    AlertmanagerSettings,
    ApiSettings,
    EmitSettings,
    HistorySettings,
    PrometheusSettings,
    Settings,
    StoreSettings,
)
from trimtab.settings_file import read_settings
from trimtab.store.journal import Journal
from trimtab.tables import write_bodies
from trimtab.wiring import now
from trimtab.workloads import workload_of

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PATIENCE_S = 180.0
LOOK_S = 0.5
# The live replica's own requests, as Prometheus sees them once it has been scraped twice.
LIVE_RATE = 'sum(rate(ai_requests_total{job="serving",status="200"}[1m])) > 0'
INTERRUPTED = 130
# Of what was recommended two evenings ago: one workload of each runtime, so that a proposal of today is still open.
ACCEPTED = (LIVE_WORKLOAD, "llama-8b")

INTRODUCTION = """\
Real recorded load (examples/traces/SOURCES.md) of workloads that are made up (examples/trimtab.yaml says how each runs
today and what a replica carries). One replica of vision:digits is real; all other replicas, and all latency, are modelled.
"""

Say = Callable[[str], None]


def _print(text: str) -> None:
    """To stdout at once, whoever reads it."""
    print(text, flush=True)  # noqa: T201  the demonstration's output


def run(*, once: bool, embedded: bool, say: Say = _print) -> int:
    """Run the main job on the bundled real history; unless `once`, stay until Ctrl-C. Gives the exit code.

    Raises UserError where the examples or a server are missing, SourceError where one fails.
    """
    config = EXAMPLES / "trimtab.yaml"
    if not config.is_file():
        raise UserError(
            f"{config} is not there: the demonstration runs from a clone of the repository, not from a wheel"
        )
    settings = read_settings(config)
    say(INTRODUCTION)
    shown = False
    try:
        with (
            Interrupts() as interrupts,
            scratch(interrupts) as folder,
            Processes(folder, interrupts) as processes,
            (_recorded if embedded else _served)(Stage.on(folder, processes), settings, say) as scene,
        ):
            _show(scene, say)
            shown = True
            if not once:
                _tell_addresses(scene, say)
                _stay(processes)
    except KeyboardInterrupt:
        say("ended: every server is stopped, every temporary file is gone")
        return 0 if shown else INTERRUPTED
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The stage with `trimtab serve` running on it by `settings` since a moment, and the addresses worth a look, by what they show."""

    stage: Stage
    settings: Settings
    since: datetime
    trimtab: Child
    addresses: Mapping[str, str]


@contextmanager
def _recorded(stage: Stage, settings: Settings, say: Say) -> Iterator[Scene]:
    """The same job on the history files themselves, without Prometheus."""
    say("embedded: the recorded load is read from its files; no Prometheus, no model server, no alerts")
    whole = settings.model_copy(update=_common(stage))
    yield _serving(stage, whole, {})


@contextmanager
def _served(stage: Stage, settings: Settings, say: Say) -> Iterator[Scene]:
    """The whole job: a served model, its history in Prometheus, rules, alerts."""
    cast = players(settings)
    live = next(player for player in cast if player.declared.id == LIVE_WORKLOAD)
    say("starting a model server, the model-quality exporter and Alertmanager")
    waiting = stage.start_model(live.declared.match["service"], live.served.service_s) | stage.start_alertmanager()
    begins_s = float(int(time.time()))
    _start_history(stage, settings, cast, begins_s, say)
    for address, child in waiting.items():
        stage.processes.wait_ready(child, address)
    with Traffic(cast, stage.ports, EXAMPLES / "models" / "digits_heldout.csv.gz", begins_s=begins_s) as traffic:
        whole = settings.model_copy(update=_common(stage) | _sources(stage, settings))
        _look_back(whole, cast, begins_s, say)
        say("asking the model server for real predictions until Prometheus has seen them")
        stage.processes.wait_until(lambda: _seen(stage), "Prometheus has seen no request to the model server")
        say(f"  {traffic.client.sent} predictions so far, {traffic.client.failed} failed; they go on")
        yield _serving(stage, whole, _addresses(stage))


def _serving(stage: Stage, settings: Settings, addresses: Mapping[str, str]) -> Scene:
    return Scene(
        stage=stage, settings=settings, since=now(), trimtab=stage.start_trimtab(settings), addresses=addresses
    )


def _start_history(stage: Stage, settings: Settings, cast: Sequence[Player], end_s: float, say: Say) -> None:
    """Prometheus, with the whole past in it."""
    longest = timedelta(seconds=end_s - history_start_s(cast, end_s))
    say(
        f"back-filling {longest / timedelta(days=1):.0f} days of recorded load of {len(cast)} workloads into Prometheus, "
        "moved so that they end now"
    )
    began = time.monotonic()
    targets = [(workload_of(p.declared), PROFILES[p.declared.runtime]) for p in cast]
    rules = stage.write_rules(settings, targets)
    data = backfill(
        stage.processes,
        history_lines(cast, end_s),
        rules,
        stage.folder,
        start_s=history_start_s(cast, end_s),
        end_s=end_s,
    )
    start_prometheus(stage.processes, stage.prometheus_config(), data, stage.ports.prometheus)
    say(f"  done in {time.monotonic() - began:.0f} s")


def _look_back(settings: Settings, cast: Sequence[Player], now_s: float, say: Say) -> None:
    """The ledger's part: what was recommended to the workloads that were there two evenings ago, and what came of it."""
    end = datetime.fromtimestamp(now_s, UTC)
    then, began = evening_before(end), time.monotonic()
    say(f"deciding as of {then:%Y-%m-%d %H:%M} UTC, on the history up to then, and booking the night since")
    there = {each.declared.id for each in cast if history_start_s([each], now_s) < then.timestamp()}
    past = settings.model_copy(update={"workloads": tuple(each for each in settings.workloads if each.id in there)})
    for line in look_back(past, ACCEPTED, then, end).lines():
        say(f"  {line}")
    say(f"  done in {time.monotonic() - began:.0f} s")


def _seen(stage: Stage) -> bool:
    """Whether Prometheus knows how often the real replica is asked."""
    answer = loopback().get(f"{at(stage.ports.prometheus)}/api/v1/query", params={"query": LIVE_RATE})
    return bool(answer.is_success and answer.json()["data"]["result"])


def _common(stage: Stage) -> dict[str, Any]:
    """Settings of our own process, kept inside the stage's folder."""
    return {
        "api": ApiSettings(port=stage.ports.trimtab),
        "store": StoreSettings(url=f"sqlite:///{stage.folder / 'trimtab.db'}"),
        "emit": EmitSettings(dir=stage.folder / "artifacts"),
    }


def _sources(stage: Stage, settings: Settings) -> dict[str, Any]:
    """Settings that put Prometheus in the place of the files."""
    return {
        "prometheus": PrometheusSettings(url=at(stage.ports.prometheus)),
        "alertmanager": AlertmanagerSettings(url=at(stage.ports.alertmanager)),
        "history": HistorySettings(lookback_days=settings.history.lookback_days, step_s=settings.history.step_s),
    }


def _show(scene: Scene, say: Say) -> None:
    """What the API answers once the first cycle is done."""
    say("forecasting, sizing and pricing")
    began, stage = time.monotonic(), scene.stage
    stage.processes.wait_ready(scene.trimtab, f"{at(stage.ports.trimtab)}/ready", within_s=PATIENCE_S)
    with opened(scene.settings) as program:
        ended = partial(_ended_a_cycle, program.journal, scene.since)
        stage.processes.wait_until(ended, "trimtab serve has ended no cycle", within_s=PATIENCE_S)
        items = _recommendations(scene)
        # No cycle ran that day, so that the night's work finds nothing to catch up.
        program.nightly.write(yesterday(scene.since), now=program.clock())
    say(f"  done in {time.monotonic() - began:.0f} s\n")
    say(write_bodies("table", items))
    say(f"recommendations: {len(items)}")


def _ended_a_cycle(journal: Journal, since: datetime) -> bool:
    """Whether one has ended that began at `since` or later; the store also has the one of two evenings ago."""
    last = journal.last_cycle()
    return last is not None and last.at >= since


def _recommendations(scene: Scene) -> list[dict[str, Any]]:
    """The newest of each workload as the API gives them."""
    answer = loopback().get(f"{at(scene.stage.ports.trimtab)}/recommendations")
    if answer.is_error:
        raise BadAnswer("trimtab serve", f"answered {answer.status_code}: {scene.trimtab.last_words()}", "try again")
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _addresses(stage: Stage) -> dict[str, str]:
    ports = stage.ports
    return {
        "Prometheus": at(ports.prometheus),
        "Alertmanager": at(ports.alertmanager),
        "model server": f"{at(ports.serving)}/metrics",
        "model quality": f"{at(ports.quality)}/metrics",
    }


def _tell_addresses(scene: Scene, say: Say) -> None:
    own = at(scene.stage.ports.trimtab)
    listed = loopback().get(f"{own}/reports").json()["items"]
    reports = {f"report of {report['date']}": f"{own}{report['html']}" for report in listed}
    shown = {"web page": f"{own}/", "API": f"{own}/recommendations", **reports, **scene.addresses}
    shown["rules, dashboards, manifests"] = str(scene.stage.folder / "artifacts")
    say("\nto look at, until Ctrl-C ends it all:")
    for what, where in shown.items():
        say(f"  {what:30}{where}")


def _stay(processes: Processes) -> None:
    """Until Ctrl-C; SourceUnavailable if a server ends before."""
    while True:
        processes.check()
        time.sleep(LOOK_S)
