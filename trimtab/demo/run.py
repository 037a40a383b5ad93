"""The demonstration from start to end: set the stage, let the main job run, show what it recommends."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from domain.errors import BadAnswer, UserError
from monitor.profiles import PROFILES
from trimtab.cli.tables import _table as table
from trimtab.demo.cast import Player, history_lines, history_start_s, players
from trimtab.demo.processes import Child, Processes
from trimtab.demo.stage import Ports, Stage, at
from trimtab.demo.traffic import LIVE_WORKLOAD, Addresses, Traffic
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
from trimtab.workloads import workload_of

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PATIENCE_S = 180.0
LIVE_S = 20.0

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
    with tempfile.TemporaryDirectory(prefix="trimtab-demo-") as name, Processes(Path(name)) as processes:
        stage = Stage(folder=Path(name), ports=Ports.free(), processes=processes)
        play = _recorded if embedded else _served
        with play(stage, settings, say) as trimtab:
            found = _recommendations(stage, trimtab, say)
            say(table(found))
            say(f"recommendations: {len(found)}")
            if not once:
                _addresses(stage, say, embedded=embedded)
                _until_interrupted(trimtab)
    return 0


@contextmanager
def _recorded(stage: Stage, settings: Settings, say: Say) -> Iterator[Child]:
    """The same job on the history files themselves, without Prometheus."""
    say("embedded: the history is read from examples/traces; no Prometheus, no model server, no alerts")
    yield stage.start_trimtab(settings.model_copy(update=_common(stage)))


@contextmanager
def _served(stage: Stage, settings: Settings, say: Say) -> Iterator[Child]:
    """The whole job: a served model, its history in Prometheus, rules, alerts."""
    cast = players(settings)
    targets = [(workload_of(player.declared), PROFILES[player.declared.runtime]) for player in cast]
    live = next(player for player in cast if player.declared.id == LIVE_WORKLOAD)
    say("starting a model server, the quality exporter and Alertmanager")
    serving, quality = stage.start_model(live.declared.match["service"], live.served.service_s)
    alerting = stage.start_alertmanager()
    rules = stage.write_rules(targets)
    begins_s = float(int(time.time()))
    _start_history(stage, cast, rules, begins_s, say)
    for child, port, path in (
        (serving, stage.ports.serving, "ready"),
        (quality, stage.ports.quality, "ready"),
        (alerting, stage.ports.alertmanager, "-/ready"),
    ):
        stage.processes.wait_ready(child, f"{at(port)}/{path}")
    addresses = Addresses(
        serving=at(stage.ports.serving), quality=at(stage.ports.quality), replayed_port=stage.ports.replayed
    )
    with Traffic(cast, addresses, EXAMPLES / "models" / "digits_heldout.csv.gz", begins_s=begins_s) as traffic:
        say(f"asking the model server for {LIVE_S:.0f} s, so that live samples join the history")
        time.sleep(LIVE_S)
        say(f"{traffic.client.sent} real predictions, {traffic.client.failed} failed")
        yield stage.start_trimtab(settings.model_copy(update=_common(stage) | _sources(stage, settings)))


def _start_history(stage: Stage, cast: Sequence[Player], rules: Sequence[Path], end_s: float, say: Say) -> None:
    """Prometheus, with the whole past in it."""
    longest = timedelta(seconds=end_s - history_start_s(cast, end_s))
    say(f"back-filling {longest / timedelta(days=1):.1f} days of history of {len(cast)} workloads into Prometheus")
    began = time.monotonic()
    data = backfill(
        stage.processes,
        history_lines(cast, end_s),
        rules,
        stage.folder,
        start_s=history_start_s(cast, end_s),
        end_s=end_s,
    )
    start_prometheus(stage.processes, stage.prometheus_config(), data, stage.ports.prometheus)
    say(f"Prometheus holds it after {time.monotonic() - began:.0f} s")


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


def _recommendations(stage: Stage, trimtab: Child, say: Say) -> list[dict[str, Any]]:
    """What the API answers once the first cycle is done."""
    say("forecasting, sizing and pricing")
    stage.processes.wait_ready(trimtab, f"{at(stage.ports.trimtab)}/ready", within_s=PATIENCE_S)
    answer = httpx.get(f"{at(stage.ports.trimtab)}/recommendations", timeout=30.0)
    if answer.is_error:
        raise BadAnswer("trimtab serve", f"answered {answer.status_code}", f"read {trimtab.log}")
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _addresses(stage: Stage, say: Say, *, embedded: bool) -> None:
    ports = stage.ports
    say(f"web page and API    {at(ports.trimtab)}/  ({at(ports.trimtab)}/recommendations)")
    if not embedded:
        say(f"Prometheus          {at(ports.prometheus)}")
        say(f"Alertmanager        {at(ports.alertmanager)}")
        say(f"model server        {at(ports.serving)}/metrics")
        say(f"model quality       {at(ports.quality)}/metrics")
    say(f"written artifacts   {stage.folder / 'artifacts'}")
    say("Ctrl-C ends it all")


def _until_interrupted(trimtab: Child) -> None:
    try:
        trimtab.process.wait()
    except KeyboardInterrupt:
        return
    raise BadAnswer("trimtab serve", f"ended: {trimtab.last_words()}", f"read {trimtab.log}")
