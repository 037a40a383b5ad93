"""Puts the parts together: the only file that names concrete classes of the parts.

`build` makes a whole program from settings; `replay` and `backtest` need none and use the parts
through the functions at the end.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import dashboards
import dashboards.report
from domain.errors import SettingsError
from domain.load import LoadHistory
from domain.observation import Declared, Observation
from domain.plan import Recommendation
from domain.ports import HistorySource, Notifier
from domain.prices import PriceBook
from domain.signals import Signal
from domain.unknown import Unknown
from domain.workload import Workload
from monitor.client import Patience
from monitor.observe import observe
from monitor.profiles import PROFILES
from monitor.prometheus import PrometheusSource
from monitor.recorded import RECORDED_RUNTIME, RecordedSource
from optimizer.guardrails import GuardrailOptions
from optimizer.machines import MachineOptions
from optimizer.modes import ModesOptions
from optimizer.options import ForecastOptions, Options, ReplayOptions
from optimizer.placement import Placement
from optimizer.purchase import PurchaseOptions
from optimizer.readiness import Readiness
from optimizer.recommend import recommend
from optimizer.sharing.options import SharingOptions
from optimizer.unthreaded import on_one_thread
from trimtab import pricechecks
from trimtab.anomalies import Bounds, anomalies
from trimtab.availability import with_availability
from trimtab.cron import longest_gap
from trimtab.cycle import Cycle
from trimtab.fleet import ConfiguredFleet, Look
from trimtab.inputs import Grounds, Inputs
from trimtab.joint import Joint
from trimtab.ledger import Bookkeeper
from trimtab.names import names_without_prices, refuse_unknown_names
from trimtab.nightly import DayLoad, Nightly
from trimtab.notify import AlertmanagerNotifier, log_event
from trimtab.objectives import Objectives
from trimtab.prices import bundled, overlaid
from trimtab.proving import Ask, Prover
from trimtab.records import Record, Status
from trimtab.rendering import emit, questions
from trimtab.settings import DecisionSettings, HistorySettings, PriceSettings, PurchaseSettings, Settings
from trimtab.store.database import Database, open_database
from trimtab.store.days import DayStore
from trimtab.store.inputs import InputStore
from trimtab.store.journal import Journal
from trimtab.store.proofs import ProofStore
from trimtab.store.recommendations import Recommendations
from trimtab.userprices import load_user_prices

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
MOST_PROCESSES = 4
ALERT_LIVES = timedelta(minutes=15)
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Everything, put together."""

    settings: Settings
    clock: Clock
    database: Database
    recommendations: Recommendations
    journal: Journal
    inputs: InputStore
    book: PriceBook
    options: Options
    fleet: ConfiguredFleet
    cycle: Cycle
    ledger: Bookkeeper
    objectives: Objectives
    nightly: Nightly
    prover: Prover

    def inputs_on(
        self, observation: Observation, previous: Recommendation | None, placement: Placement | None
    ) -> Inputs:
        """The inputs of a decision on these facts, as the settings are."""
        return Inputs(
            observation=observation, book=self.book, options=self.options, previous=previous, placement=placement
        )


def now() -> datetime:
    """The clock of a real run, in whole seconds: what is shown is what was used."""
    return datetime.now(UTC).replace(microsecond=0)


def build(settings: Settings, *, clock: Clock = now, progress: Callable[[str], None] = log.info) -> Program:
    """A whole program; SettingsError or TraceError for what the user wrote, StoreError for the store."""
    book, fleet, day_load = gathering(settings, clock=clock)
    options = decision_options(settings)
    joint = Joint(book=book, options=options, processes=_processes(settings.decisions))
    database = open_database(settings.store.url)
    recommendations, journal, proofs = Recommendations(database), Journal(database), ProofStore(database)
    inputs = InputStore(database)
    objectives = Objectives(settings=settings.objectives, journal=journal, days=DayStore(database))
    cycle = Cycle(
        fleet=fleet,
        decide_all=joint.all,
        recommendations=recommendations,
        journal=journal,
        remember=partial(_remember, inputs, book, options),
        emit=partial(emit, settings, proofs.all),
        notify=_notifier(settings, clock),
        strange=partial(
            anomalies,
            bounds=Bounds(requests=settings.rules.min_requests, usd_per_hour=settings.rules.cost_floor_usd_per_hour),
        ),
        unseen=objectives.unseen,
        stopwatch=time.monotonic,
        concurrency=1 if settings.prometheus is None else settings.prometheus.concurrency,
        progress=progress,
    )
    ledger = Bookkeeper(
        recommendations=recommendations,
        journal=journal,
        inputs=inputs,
        observe=fleet.observe,
        book=book,
        noise=options.guardrails,
    )
    nightly = Nightly(
        recommendations=recommendations,
        journal=journal,
        objectives=objectives,
        day_load=day_load,
        book=book,
        render=dashboards.report.render,
        paper=dashboards.report.pdf,
        base_url=settings.api.base_url,
        counts_tokens=frozenset(name for name, each in PROFILES.items() if Signal.TOKEN_RATE in each.expressions),
        billing_account=settings.report.billing_account,
        keep_nights=settings.report.keep_nights,
        threads=1 if settings.prometheus is None else settings.prometheus.concurrency,
    )
    prover = Prover(
        ask=_asked(fleet.source),
        questions=lambda at: questions(settings, journal.workloads(), _standing(recommendations, at)),
        store=proofs,
        window=timedelta(days=settings.rules.proof_days),
        threads=1 if settings.prometheus is None else settings.prometheus.concurrency,
    )
    return Program(
        settings=settings,
        clock=clock,
        database=database,
        recommendations=recommendations,
        journal=journal,
        inputs=inputs,
        book=book,
        options=options,
        fleet=fleet,
        cycle=cycle,
        ledger=ledger,
        objectives=objectives,
        nightly=nightly,
        prover=prover,
    )


def gathering(settings: Settings, *, clock: Clock = now) -> tuple[PriceBook, ConfiguredFleet, DayLoad]:
    """What decisions are made from, without a store; SettingsError or TraceError for what the user wrote."""
    book = price_book(settings)
    refuse_unknown_names(settings, (*PROFILES, RECORDED_RUNTIME), book)
    for line in names_without_prices(settings, book):
        log.warning("%s", line)
    return book, *_source(settings, clock)


def price_book(settings: Settings) -> PriceBook:
    """The bundled prices under the user's own, with the histories of spot availability."""
    book = bundled() if settings.prices.file is None else overlaid(bundled(), own_prices(settings.prices.file))
    return with_availability(book, settings.prices.availability) if settings.prices.availability else book


def own_prices(file: Path) -> PriceBook:
    """The user's own prices; what is odd about them is asked aloud, and they are used."""
    own = load_user_prices(file)
    for question in pricechecks.questions(own, today=now().date(), among=bundled()):
        log.warning("%s: %s", file.name, question)
    return own


def decision_options(settings: Settings) -> Options:
    """The settings of decisions, prices, purchase and sharing as the optimizer's options."""
    section, oldest = settings.decisions, settings.decisions.max_price_age_days
    return Options(
        policy=section.policy,
        valid_for=timedelta(hours=section.valid_hours),
        readiness=Readiness(
            min_history=timedelta(days=section.min_history_days),
            max_age=timedelta(minutes=section.max_input_age_minutes),
            min_coverage=section.min_coverage,
        ),
        forecast=ForecastOptions(horizon=timedelta(days=section.horizon_days)),
        guardrails=GuardrailOptions(
            max_step_down=section.max_step_down,
            min_saving_usd=section.min_saving_usd,
            min_saving_share=section.min_saving_share,
            max_price_age=None if oldest is None else timedelta(days=oldest),
            min_confidence=section.min_confidence,
        ),
        replay=ReplayOptions(window=timedelta(days=section.replay_days)),
        modes=ModesOptions(
            decision_interval=timedelta(seconds=section.interval_s),
            machines=MachineOptions(tasks=section.container_tasks),
            other_clouds=tuple(section.other_clouds),
            calls=section.kept_by_calls,
            purchase=_purchase_options(settings.purchase, settings.prices),
            sharing=SharingOptions(**settings.sharing.model_dump()),
        ),
    )


def _purchase_options(section: PurchaseSettings, prices: PriceSettings) -> PurchaseOptions:
    return PurchaseOptions(
        max_term=timedelta(days=section.max_term_days),
        max_upfront_share=section.max_upfront_share,
        committing_history=timedelta(days=section.min_history_days),
        spot=prices.spot != "never",
        spot_needs_proof=prices.spot == "proved",
        firm_share=section.min_firm_share,
        spot_budget_share=section.spot_budget_share,
        availability_age=timedelta(days=prices.availability_max_age_days),
    )


def _source(settings: Settings, clock: Clock) -> tuple[ConfiguredFleet, DayLoad]:
    if settings.history.files:
        return _recorded(settings, clock)
    if settings.prometheus is None:
        raise SettingsError(
            "prometheus.url", None, "give --prometheus URL or --history FILE, or set prometheus.url or history.files"
        )
    return _prometheus(settings)


def _prometheus(settings: Settings) -> tuple[ConfiguredFleet, DayLoad]:
    asked = settings.prometheus
    assert asked is not None  # noqa: S101  the caller looked
    patience = Patience(answer=timedelta(seconds=asked.timeout_s))
    source = PrometheusSource(asked.url, patience=patience, on_warning=log.warning)
    lookback, step = timedelta(days=settings.history.lookback_days), timedelta(seconds=settings.history.step_s)
    fleet = ConfiguredFleet(
        source=source,
        sections=settings.workloads,
        defaults=settings.defaults,
        observe_one=partial(_observe, source, settings.decisions.right_size),
        look=lambda _workload, at: Look(at=at, lookback=lookback, step=step),
        only_named=True,
    )

    def day_load(workload: Workload, signal: Signal, start: datetime, end: datetime) -> LoadHistory:
        return source.load(workload, signal, start=start, end=end, step=step)

    return fleet, day_load


def _recorded(settings: Settings, clock: Clock) -> tuple[ConfiguredFleet, DayLoad]:
    """Recorded history: each workload is looked at as of the end of its own file."""
    source = RecordedSource(settings.history.files)
    for name in settings.history.files:
        source.trace(name)  # a file that is wrong is told now, not in the first cycle

    def look(workload: Workload, at: datetime) -> Look:
        if workload.id not in settings.history.files:
            return Look(at=at, lookback=DAY, step=timedelta(seconds=settings.history.step_s))
        return look_at_recording(source.trace(workload.id).requests, settings.history)

    def day_load(workload: Workload, signal: Signal, start: datetime, end: datetime) -> LoadHistory:
        """The recording moved by whole days, so that its last whole day is yesterday."""
        seen = look(workload, start)
        shift = (clock() - seen.at) // DAY * DAY
        return source.load(workload, signal, start=start - shift, end=end - shift, step=seen.step)

    fleet = ConfiguredFleet(
        source=source,
        sections=settings.workloads,
        defaults=settings.defaults,
        observe_one=partial(_observe, source, settings.decisions.right_size),
        look=look,
        only_named=False,
    )
    return fleet, day_load


def look_at_recording(recorded: LoadHistory, section: HistorySettings) -> Look:
    """The end of a recording, in the least multiple of its own step that is not finer than asked for."""
    multiple = max(1, -(-timedelta(seconds=section.step_s) // recorded.step))
    step = multiple * recorded.step
    lookback = min(timedelta(days=section.lookback_days), recorded.end - recorded.start)
    return Look(at=recorded.end, lookback=max(step, lookback // step * step), step=step)


def _observe(
    source: PrometheusSource | RecordedSource, right_size: bool, workload: Workload, look: Look, declared: Declared
) -> Observation:
    return observe(
        source, workload, at=look.at, lookback=look.lookback, step=look.step, declared=declared, resources=right_size
    )


def decide_on(inputs: Inputs) -> Recommendation:
    """The decision on exactly these inputs."""
    with on_one_thread():
        return recommend(inputs.observation, inputs.book, inputs.options, inputs.previous, inputs.placement)


def _remember(store: InputStore, book: PriceBook, options: Options, grounds: Sequence[Grounds]) -> None:
    store.keep({each.recommendation: each.inputs(book, options) for each in grounds})
    store.prune()


def _notifier(settings: Settings, clock: Clock) -> Notifier:
    section = settings.alertmanager
    if section.url is None:
        return log_event
    # Told again each cycle: an alert has to live until the one after the next, or it would end and begin all the time.
    between = longest_gap(settings.schedule.cycle, settings.schedule.zone, clock())
    return AlertmanagerNotifier(
        url=section.url,
        clock=clock,
        base_url=settings.api.base_url,
        runbook_base_url=settings.rules.runbook_base_url,
        alive_for=max(ALERT_LIVES, 3 * between),
        timeout_s=section.timeout_s,
    )


def _asked(source: HistorySource) -> Ask | Unknown:
    """How rules are replayed on the source; a recording has load alone, and no expression can be asked of it."""
    if isinstance(source, PrometheusSource):
        return source.moments
    return Unknown("a recorded file has load alone: a rule can only be replayed on a Prometheus (prometheus.url)")


def _standing(recommendations: Recommendations, at: datetime) -> list[Record]:
    return [record for record in recommendations.newest() if record.status(at) is not Status.EXPIRED]


def _processes(section: DecisionSettings) -> int:
    return section.processes or min(MOST_PROCESSES, os.cpu_count() or 1)
