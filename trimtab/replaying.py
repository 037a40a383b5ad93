"""What `trimtab replay` does: asks the optimizer, and writes the answer as table, JSON, CSV and chart."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from dashboards.report.words import percent, rounded_money
from domain.errors import SettingsError
from domain.load import LoadHistory
from domain.prices import InstanceOffer
from domain.unknown import Unknown
from domain.workload import ServingMode
from monitor.recorded import Trace
from optimizer.calendar import CalendarOptions
from optimizer.prospect import Prospect, prospect
from optimizer.prospect import as_json as prospect_json
from optimizer.replay import POLICIES, ReplayReport, ReplayRow, longest_warmup, unscored
from optimizer.replay import replay as replay_policies
from optimizer.scaling import Decisions, ScalingProblem, decide, past_reckoning
from optimizer.scaling.explain import predictors_json
from trimtab.files import write_file
from trimtab.moments import TIMES, moment
from trimtab.prices import bundled
from trimtab.settings import WorkloadSettings

OURS = "trimtab"
DAY = timedelta(days=1)
MILLIDAY = DAY / 1000
WIDE = 150  # columns of the table
DEFAULT_OFFER = "m5.large"  # a common small machine; only the ratio of policies matters where no price is given


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is replayed, and how it is counted."""

    capacity_rps: float
    startup: timedelta
    attainment: float
    min_replicas: int
    max_replicas: int | None
    decision_interval: timedelta
    warmup: timedelta
    policies: tuple[str, ...]
    usd_per_missed_request: float | None = None

    def problem(self, paid: Paid) -> ScalingProblem:
        """What the policy is asked, where a replica costs `paid`."""
        worth = self.usd_per_missed_request
        return ScalingProblem(
            capacity_rps=self.capacity_rps,
            startup=self.startup,
            attainment=self.attainment,
            min_replicas=self.min_replicas,
            max_replicas=self.max_replicas,
            decision_interval=self.decision_interval,
            learning=self.warmup,
            replica_hours_per_miss=None if worth is None else worth / paid.usd_per_hour,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """Price of one replica, and where it is from."""

    usd_per_hour: float
    detail: str


def price_of(given: float | None, section: WorkloadSettings | None, today: date) -> Paid:
    """The price that was given, that of the workload's machine, or that of a default one, with its age `today`."""
    if given is not None:
        return Paid(usd_per_hour=given, detail=f"a replica costs {given:g} USD an hour (--replica-usd-per-hour)")
    name, region = (section.offer, section.region) if section and section.offer else (DEFAULT_OFFER, "us-east-1")
    offer = next((one for one in bundled().offers if one.instance_type == name and one.region == region), None)
    if offer is None:
        raise SettingsError(
            "--replica-usd-per-hour", None, f"give a price: the price book has none for {name} in {region}"
        )
    return Paid(usd_per_hour=offer.on_demand.amount, detail=_said(offer, today, assumed=section is None))


def _said(offer: InstanceOffer, today: date, *, assumed: bool) -> str:
    price, age = offer.on_demand, offer.on_demand.age(today)
    dated = f", {age.reason}" if isinstance(age, Unknown) else f", {price.as_of}, {age.days} days old"
    why = "assumed: no price was given, " if assumed else ""
    return (
        f"a replica costs {price.amount:g} USD an hour ({why}{offer.instance_type}, {offer.cloud} {offer.region}, "
        f"on demand; source: {price.source}{dated})"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A replay, our decisions in it (None where ours was not asked for), and what they say of the time ahead."""

    report: ReplayReport
    decisions: Decisions | None
    ahead: Prospect


def run(trace: Trace, question: Question, paid: Paid) -> Done:
    """The replay; SettingsError for a policy that there is none of, or a warm-up that leaves nothing.

    SettingsError too for recorded replicas of a file that has none, and a capacity that makes a slip of the load's peak.
    """
    history, problem, policies = trace.requests, question.problem(paid), question.policies or POLICIES
    if "recorded" in question.policies and trace.replicas is None:
        raise SettingsError("--policy", "recorded", f"add the column replicas to {trace.path.name}, which has none")
    why = past_reckoning(history, problem.capacity_rps)
    if why is not None:
        raise SettingsError("--capacity", question.capacity_rps, f"mind its unit: {why}")
    _need_scored(history, question.warmup)
    decisions = decide(history, problem) if OURS in policies else None
    try:
        report = replay_policies(
            history,
            problem,
            warmup=question.warmup,
            usd_per_replica_hour=paid.usd_per_hour,
            recorded_replicas=None if trace.replicas is None else trace.replicas.values,
            policies=policies,
            decided=decisions,
        )
    except ValueError as fault:
        raise SettingsError("--policy", ", ".join(question.policies), str(fault)) from None
    if decisions is None:
        return Done(report=report, decisions=None, ahead=Prospect())
    first = len(history) - len(report.load_rps)
    ahead = prospect(
        history, problem, decisions, first=first, usd_per_replica_hour=paid.usd_per_hour, options=CalendarOptions()
    )
    return Done(report=report, decisions=decisions, ahead=ahead)


def _need_scored(history: LoadHistory, warmup: timedelta) -> None:
    """SettingsError for a warm-up that leaves nothing, with the longest that would do, rounded down."""
    why = unscored(history, warmup)
    if why is not None:
        longest = longest_warmup(history)
        fix = "replay a longer trace" if longest is None else f"give at most {longest // MILLIDAY / 1000:g}"
        raise SettingsError("--warmup-days", warmup / DAY, f"{why}: {fix}")


def decisions_csv(trace: Trace, done: Done, out: Path) -> None:
    """One row for every step of the grid: the number wanted at the END of it, having seen nothing later."""
    if done.decisions is None:
        raise SettingsError("--decisions", str(out), f"ask for --policy {OURS}, whose decisions these are")
    history, desired = trace.requests, done.decisions.desired
    import pandas as pd  # noqa: PLC0415  most of a second that only this file should pay

    times = pd.date_range(history.start, periods=len(desired), freq=history.step, name="timestamp")
    wanted = pd.Series(desired, index=times, name="desired_replicas")
    write_file(out, str(wanted.to_csv(date_format=TIMES, lineterminator="\n")), option="--decisions")


def to_json(done: Done, question: Question, paid: Paid) -> str:
    """The whole answer but for the series."""
    report = done.report
    body: dict[str, object] = {
        "start": moment(report.start),
        "step_s": report.step.total_seconds(),
        "steps": len(report.load_rps),
        "known_steps": known_steps(report),
        "requests": report.requests,
        "capacity_rps": report.capacity_rps,
        "startup_s": report.startup.total_seconds(),
        "attainment": question.attainment,
        "budget": report.budget,
        "usd_per_missed_request": question.usd_per_missed_request,
        "min_replicas": question.min_replicas,
        "max_replicas": question.max_replicas,
        "usd_per_replica_hour": paid.usd_per_hour,
        "price": paid.detail,
        "policies": [asdict(row) for row in report.rows],
        **_last(done),
        **prospect_json(done.ahead),
    }
    return json.dumps(body, indent=2, allow_nan=False) + "\n"


def _last(done: Done) -> dict[str, object]:
    """Why our last number is what it is: who said what, then each constraint in order; absent where nothing of ours was asked."""
    if done.decisions is None:
        return {}
    why = done.decisions.explanation
    reasons = [asdict(reason) for reason in why.reasons]
    return {"decision": {"replicas": why.replicas, "predictors": predictors_json(why), "reasons": reasons}}


def table(done: Done, question: Question, paid: Paid) -> str:
    """The policies as a table, with what it was reckoned on beneath."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    printed = io.StringIO()
    screen = Console(width=WIDE, highlight=False, file=printed)
    grid = Table(
        "policy",
        "mean replicas",
        "replica-hours",
        "USD",
        "missed requests",
        "missed",
        "SLO",
        "cost against tuned best",
        "how",
    )
    for column in grid.columns[1:8]:
        column.justify = "right"
    for row in done.report.rows:
        grid.add_row(*_cells(row, done.report.budget))
    screen.print(grid)
    return printed.getvalue() + _footnote(done.report, question, paid) + _ahead(done.ahead)


def _ahead(ahead: Prospect) -> str:
    """What can be promised, and the price at which the policy weighs a miss now."""
    lines = [f"{reason.code}: {reason.detail}" for reason in ahead.reasons(ServingMode.DEDICATED)]
    if ahead.curve is not None and ahead.promise is not None:
        lines.append(
            f"a miss is weighed at {ahead.curve.usd_per_missed_request_now:.3g} USD now, quantile "
            f"{ahead.curve.quantile_now:.5f} (set by the error budget)"
        )
    if ahead.week is not None:
        lines.append(f"schedule for the coming week: {ahead.week.detail}")
    return "".join(f"{line}\n" for line in lines)


def _cells(row: ReplayRow, budget: float) -> tuple[str, ...]:
    def shown(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    return (
        row.policy,
        shown(row.mean_replicas, ",.2f"),
        shown(row.replica_hours, ",.0f"),
        "-" if row.usd is None else rounded_money(row.usd, "USD"),
        shown(row.missed_requests, ",.0f"),
        _missed(row, budget),
        {True: "met", False: "missed", None: "-"}[row.slo_met],
        shown(row.at_budget if row.slo_met else None, ".3f"),
        row.detail,
    )


def _missed(row: ReplayRow, budget: float) -> str:
    """The missed share; with more digits where it is over the budget and would read like it."""
    if row.missed_share is None:
        return "-"
    text = percent(row.missed_share)
    return f"{100.0 * row.missed_share:.4g} %" if not row.slo_met and text == percent(budget) else text


def _footnote(done: ReplayReport, question: Question, paid: Paid) -> str:
    steps, known = len(done.load_rps), known_steps(done)
    gaps = "" if known == steps else f", of which {known * done.step / DAY:.3g} are known and counted,"
    return (
        f"{done.requests:,.0f} requests in {steps * done.step / DAY:.3g} days{gaps} from {moment(done.start)}, after "
        f"{question.warmup / DAY:g} days of warm-up; one replica carries {done.capacity_rps:g} requests/s and is ready "
        f"after {done.startup.total_seconds():g} s; at most {percent(done.budget)} may be missed\n{_limit(question)}{paid.detail}\n"
        "cost against tuned best: cost over that of the cheapest of HPA, last week's peak and a fixed number, tuned in hindsight "
        "to miss exactly the budget; under 1 is better; shown where the SLO is met\n"
    )


def known_steps(report: ReplayReport) -> int:
    """Steps of the scored time in which the load is known; the others cost and miss nothing."""
    return int(np.isfinite(report.load_rps).sum())


def _limit(question: Question) -> str:
    """The most replicas that may run, where there is a limit, and whom it binds."""
    if question.max_replicas is None:
        return ""
    return f"replicas are at most {question.max_replicas}, whichever policy decides; what ran is as recorded\n"


def chart_of(done: Done, out: Path) -> None:
    """Load and replicas above, misses below; the suffix of `out` chooses the format."""
    from trimtab.replay_chart import draw  # noqa: PLC0415  matplotlib takes a second to load

    draw(done.report, out)


def curve_of(done: Done, out: Path) -> None:
    """Dollars against misses; the suffix of `out` chooses the format. SettingsError where there is no curve."""
    from trimtab.curve_chart import draw  # noqa: PLC0415  matplotlib takes a second to load

    if done.ahead.curve is None:
        raise SettingsError("--curve", str(out), f"leave it out, there is none: {done.ahead.no_curve}")
    draw(done.report, done.ahead.curve, out)
