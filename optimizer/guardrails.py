"""What a plan must pass before it is recommended, in order; each leaves a reason with before and after.

A guardrail only narrows the choice. One that cannot raises `Refused`, and a refused plan is a Hold;
so is one at which a guardrail itself fails (fail closed).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from domain.load import STILL_NOW
from domain.observation import Observation
from domain.plan import CalendarStep, Configuration, Plan, Reason
from domain.ports import Guardrail
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.kept import Kept, words
from optimizer.modes import PriceUsed


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailOptions:
    """Limits. `max_step_down` is the share of replicas that one decision may take away.

    Mode, machine and purchase stay as they are where changing them saves less than `min_saving_usd`
    a month or `min_saving_share` of what keeping them would cost. Prices older than `old_price` are named; any older than
    `max_price_age` (if given) refuse the plan, as does a confidence under `min_confidence`. So does a
    plan that on the recent past would have missed more than `proof_tolerance` times the error budget:
    a stretch that short leaves its misses to chance and to pacing, not more.
    """

    max_step_down: float = 0.5
    min_saving_usd: float = 5.0
    min_saving_share: float = 0.05
    old_price: timedelta = timedelta(days=90)
    max_price_age: timedelta | None = None
    min_confidence: float = 0.2
    proof_tolerance: float = 2.0


class Refused(Exception):
    """A plan that must not be recommended; `reason` says why, `needs` what would change that.

    `plan` is what the guardrails before had made of it; None until `guarded` has seen it.
    """

    def __init__(self, reason: Reason, needs: str, plan: Plan | None = None) -> None:
        self.reason, self.needs, self.plan = reason, needs, plan
        super().__init__(reason.detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the guardrails know beside the plan. `kept` is what leaves mode, machine and purchase as today.

    `missed` is what dedicated replicas would have missed of the recent past, `missed_shared` what a place on shared
    hosts would have; None where no such place is proposed.
    """

    options: GuardrailOptions
    current: Configuration | Unknown
    kept: Kept | None
    prices: tuple[PriceUsed, ...]
    confidence: float
    missed: float
    missed_today: float | Unknown
    missed_shared: float | Unknown | None = None


KEPT = "kept_current"
OF_WHAT_IS_REJECTED = frozenset(
    {"reserved", "not_reserved", "spot", "no_spot", "share_of_host", "cold_starts", "kept_warm", "scheduled"}
)
Rail = Callable[[Context, Plan, Observation], Plan]


def guardrails(context: Context) -> tuple[Guardrail, ...]:
    """The guardrails in the order in which they apply."""
    rails: Sequence[Rail] = (bounds, allowed_modes, keep_current, proof, step_down, price_age, confidence)
    return tuple(partial(rail, context) for rail in rails)


def guarded(plan: Plan, observation: Observation, rails: Sequence[Guardrail]) -> Plan:
    """The plan after every guardrail; Refused, with the plan as it was by then, where one refuses it or fails.

    Failing means ValueError, ArithmeticError or LookupError: what arithmetic on bad facts raises.
    """
    for rail in rails:
        try:
            plan = rail(plan, observation)
        except Refused as refusal:
            raise Refused(refusal.reason, refusal.needs, plan) from refusal
        except (ValueError, ArithmeticError, LookupError) as fault:
            reason = Reason(code="guardrail_failed", detail=f"{type(fault).__name__}: {fault}")
            raise Refused(reason, "a report of this fault: a plan is not given out unguarded", plan) from fault
    return plan


def bounds(_: Context, plan: Plan, observation: Observation) -> Plan:
    """Never fewer or more replicas than the workload's bounds; serverless keeps no replicas to bound from below."""
    limits, wanted = observation.workload.bounds, plan.proposed.replicas
    least = 0 if plan.proposed.mode is ServingMode.SERVERLESS else limits.min_replicas
    most = math.inf if limits.max_replicas is None else limits.max_replicas
    held = int(min(max(wanted, least), most))
    calendar = tuple(replace(step, replicas=int(min(max(step.replicas, least), most))) for step in plan.calendar)
    if held == wanted and calendar == plan.calendar:
        return plan
    said = f"replicas stay within {least} and {'no limit' if limits.max_replicas is None else most}"
    return _amended(plan, held, Reason(code="bounds", detail=said, before=str(wanted), after=str(held)), calendar)


def allowed_modes(_: Context, plan: Plan, observation: Observation) -> Plan:
    """Refuses a mode that the workload does not allow."""
    mode, allowed = plan.proposed.mode, observation.workload.modes
    if mode in allowed:
        return plan
    names = ", ".join(sorted(allowed)) or "none"
    reason = Reason(code="mode_not_allowed", detail=f"{mode} is not allowed", before=str(mode), after=names)
    raise Refused(reason, f"allow {mode}, or prices and limits under which {names} can hold the SLO")


def keep_current(context: Context, plan: Plan, _: Observation) -> Plan:
    """Keeps today's mode, machine and purchase where changing them saves too little to be worth it."""
    if context.kept is None or isinstance(context.current, Unknown):
        return plan
    kept = context.kept.plan
    before, after = _way(plan.proposed), _way(kept.proposed)
    if before == after:
        return plan
    gain = kept.proposed.usd_per_month - plan.proposed.usd_per_month
    threshold = worth_changing(kept.proposed.usd_per_month, context.options)
    if gain >= threshold:
        return plan
    reason = Reason(
        code=KEPT,
        detail=f"changing saves {gain:.2f} USD a month, under the {threshold:.2f} that a change is worth",
        before=before,
        after=after,
    )
    said = (each for each in plan.reasons if each.code not in OF_WHAT_IS_REJECTED)
    return replace(kept, reasons=(*said, *kept.reasons, reason))


def keeps_today(plan: Plan) -> bool:
    """Whether it is what runs today that came out of `keep_current`."""
    return any(reason.code == KEPT for reason in plan.reasons)


def worth_changing(usd_per_month: float, options: GuardrailOptions) -> float:
    """What a change has to save a month, of what costs `usd_per_month` as it is."""
    return max(options.min_saving_usd, options.min_saving_share * usd_per_month)


def proof(context: Context, plan: Plan, observation: Observation) -> Plan:
    """Refuses replicas that would have broken the SLO on the workload's own history, unless today's did worse.

    A place on a shared host is proved on the histories of all that would live there.
    """
    missed = context.missed if plan.proposed.mode is ServingMode.DEDICATED else context.missed_shared
    if context.kept is not None and keeps_today(plan) and plan.proposed.mode is ServingMode.DEDICATED:
        missed = context.kept.missed
    if plan.proposed.mode is ServingMode.SERVERLESS or missed is None:
        return plan
    if isinstance(missed, Unknown):
        reason = Reason(code="sharing_not_proved", detail=missed.reason)
        raise Refused(reason, "recent history, at the same time, of all that would share the host")
    worth = observation.workload.slo.usd_per_missed_request
    if worth is not None:
        said = f"on the recent past the plan misses {missed:.3%} of requests, each weighed at {worth:g} USD"
        return replace(plan, reasons=(*plan.reasons, Reason(code="misses_weighed", detail=said)))
    budget, now = observation.workload.slo.budget, context.missed_today
    known = not isinstance(now, Unknown)
    before = f"{now:.3%} missed today" if known else None
    if missed <= budget:
        said = f"on the recent past the plan misses {missed:.3%} of requests, within the budget of {budget:.3%}"
        return replace(plan, reasons=(*plan.reasons, Reason(code="slo_proved", detail=said, before=before)))
    said = f"on the recent past the plan would have missed {missed:.3%} of requests; the budget is {budget:.3%}"
    if missed > context.options.proof_tolerance * budget and (isinstance(now, Unknown) or missed > now):
        reason = Reason(code="slo_not_proved", detail=said, before=before)
        raise Refused(
            reason, "a larger error budget, a faster start-up, or more replicas at all times (`min_replicas`)"
        )
    return replace(plan, reasons=(*plan.reasons, Reason(code="slo_nearly_proved", detail=said, before=before)))


def step_down(context: Context, plan: Plan, observation: Observation) -> Plan:
    """Takes away at most a share of the replicas at once; later decisions go on from there.

    Where nobody knows how many run, there is no step to limit, and that is said.
    """
    now, wanted = _dedicated_now(observation), plan.proposed.replicas
    if plan.proposed.mode is not ServingMode.DEDICATED:
        return plan
    if isinstance(now, Unknown):
        reason = Reason(code="step_unlimited", detail=f"no step down could be limited: {now.reason}")
        return replace(plan, reasons=(*plan.reasons, reason))
    if now is None:
        return plan
    least = math.ceil(now * (1.0 - context.options.max_step_down) - 1e-9)
    most = observation.workload.bounds.max_replicas
    least = least if most is None else min(least, most)
    if wanted >= least:
        return plan
    said = f"at most {context.options.max_step_down:.0%} of {now} replicas go at once"
    reason = Reason(code="step_down", detail=said, before=str(wanted), after=str(least))
    first = tuple(replace(step, replicas=max(step.replicas, least)) for step in plan.calendar[:1])
    return _amended(plan, least, reason, (*first, *plan.calendar[1:]))


def _dedicated_now(observation: Observation) -> int | Unknown | None:
    """Replicas that run now: as declared or, where it is not known what they run on, the newest that were counted.

    None where it runs in another mode: it has no replicas of its own.
    """
    running, counted = observation.running, observation.replicas
    if not isinstance(running, Unknown):
        return running.replicas if running.mode is ServingMode.DEDICATED else None
    if isinstance(counted, Unknown):
        return Unknown(f"it is not known what runs ({running.reason}) or how many ({counted.reason})")
    newest = counted.until(observation.observed_at).newest(STILL_NOW)
    return Unknown(f"no replicas were counted in the last {STILL_NOW}") if newest is None else round(newest)


def price_age(context: Context, plan: Plan, observation: Observation) -> Plan:
    """Names every price that is old, of an unknown age or remembered; refuses the plan where one may be older than allowed."""
    today = observation.observed_at.date()
    prices = context.kept.quote.prices if context.kept is not None and keeps_today(plan) else context.prices
    aged = [(used, used.age(today)) for used in prices]
    options = context.options
    if options.max_price_age is not None:
        for used, age in aged:
            if isinstance(age, Unknown) or age > options.max_price_age:
                reason = Reason(code="price_too_old", detail=_aged(used, age))
                raise Refused(reason, "newer prices: give a price file, or allow a greater age")
    old = [_aged(used, age) for used, age in aged if isinstance(age, Unknown) or age > options.old_price]
    remembered = [f"{used.what}: from memory, not read anywhere" for used in prices if used.evidence == "memory"]
    if not old and not remembered:
        return plan
    said = "; ".join(dict.fromkeys([*old, *remembered]))
    return replace(plan, reasons=(*plan.reasons, Reason(code="old_price", detail=said)))


def confidence(context: Context, plan: Plan, _: Observation) -> Plan:
    """Refuses a plan that too little speaks for."""
    least = context.options.min_confidence
    if context.confidence >= least:
        return plan
    detail = f"confidence is {context.confidence:.2f}; needed: {least:.2f}"
    raise Refused(Reason(code="low_confidence", detail=detail), "more history, or a declared capacity")


def _amended(plan: Plan, replicas: int, reason: Reason, calendar: tuple[CalendarStep, ...]) -> Plan:
    proposed = replace(plan.proposed, replicas=replicas)
    return replace(plan, proposed=proposed, calendar=calendar, reasons=(*plan.reasons, reason))


def _way(way: Configuration) -> str:
    """What a change is a change of; a share of a host is bought with the host, and serverless by its use."""
    said = f"{way.mode} on {way.offer}"
    mixed = way.mode is ServingMode.DEDICATED and way.purchase.reserved + way.purchase.spot > 0
    return f"{said}, {words(way.purchase)}" if mixed else said


def _aged(used: PriceUsed, age: timedelta | Unknown) -> str:
    dated = age.reason if isinstance(age, Unknown) else f"{age.days} days old"
    return f"{used.what}: {dated}" + (f", exchanged at the rate of {used.rate_as_of}" if used.rate_as_of else "")
