"""Metrics of our own: the promised names, and nothing where nothing is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from domain.unknown import Unknown
from domain.workload import ServingMode
from rules import names
from tests.fakes.ledger import a_night
from tests.fakes.recommendations import NOON, a_hold, a_record, an_act, an_evidence
from trimtab import selfmetrics
from trimtab.records import Held, Status
from trimtab.store.database import open_database
from trimtab.store.journal import CycleNote, Journal
from trimtab.store.recommendations import Recommendations

HOUR = timedelta(hours=1)


class Metered:
    """A registry over a store, at a moment that a test sets."""

    def __init__(self, file: Path) -> None:
        self.database = open_database(f"sqlite:///{file}")
        self.recommendations, self.journal = Recommendations(self.database), Journal(self.database)
        self.now = NOON
        self.registry: CollectorRegistry = selfmetrics.registry_of(self.recommendations, self.journal, lambda: self.now)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def families(self) -> set[str]:
        return {sample.name for family in self.registry.collect() for sample in family.samples}


@pytest.fixture
def metered(tmp_path: Path) -> Iterator[Metered]:
    made = Metered(tmp_path / "trimtab.db")
    made.recommendations.keep([a_record(), a_record(a_hold())])
    made.journal.note_cycle(CycleNote(at=NOON, duration_s=2.5, acts=1, holds=1, kept=0, failure=None))
    yield made
    made.database.close()


def test_what_is_recommended_is_shown(metered: Metered) -> None:
    assert metered.value("trimtab_recommended_replicas", workload="shop:ranker") == 5
    assert metered.value("trimtab_saving_usd_per_month", workload="shop:ranker") == 210.24
    assert metered.value("trimtab_cost_usd_per_hour", workload="shop:ranker", state="current") == pytest.approx(0.768)
    assert metered.value("trimtab_cost_usd_per_hour", workload="shop:ranker", state="proposed") == pytest.approx(0.48)
    assert metered.value("trimtab_capacity_rps", workload="shop:ranker") == 4
    assert metered.value("trimtab_recommendation_info", workload="shop:ranker", state="act") == 1
    assert metered.value("trimtab_cycle_duration_seconds") == 2.5
    assert metered.value("trimtab_cycle_failures_total") == 0


def test_a_hold_for_want_of_data_has_no_number_at_all(metered: Metered) -> None:
    assert metered.value("trimtab_recommendation_info", workload="shop:young", state="hold") == 1
    for name in ("trimtab_recommended_replicas", "trimtab_saving_usd_per_month", "trimtab_capacity_rps"):
        assert metered.value(name, workload="shop:young") is None
    assert metered.value("trimtab_cost_usd_per_hour", workload="shop:young", state="current") is None


def test_a_serverless_plan_gives_a_follower_nothing_to_follow(metered: Metered) -> None:
    metered.recommendations.keep([a_record(an_act(at=NOON + HOUR, mode=ServingMode.SERVERLESS))])
    assert metered.value("trimtab_recommended_replicas", workload="shop:ranker") is None


def test_a_dismissed_proposal_gives_a_follower_nothing_to_follow_also_once_renewed(metered: Metered) -> None:
    metered.recommendations.decide(an_act().id, Status.DISMISSED, NOON)
    assert metered.value("trimtab_recommended_replicas", workload="shop:ranker") is None
    metered.recommendations.keep([a_record(an_act(at=NOON + HOUR))])
    assert metered.value("trimtab_recommended_replicas", workload="shop:ranker") is None
    assert metered.value("trimtab_recommendation_info", workload="shop:ranker", state="dismissed") == 1


def test_the_last_good_figure_stays_until_it_expires_and_is_then_absent(metered: Metered) -> None:
    metered.recommendations.hold(["shop:ranker"], Held(since=NOON, reason="gone"))
    metered.now = NOON + 5 * HOUR
    assert metered.value("trimtab_recommended_replicas", workload="shop:ranker") == 5
    assert metered.value("trimtab_recommendation_info", workload="shop:ranker", state="held") == 1
    metered.now = NOON + 6 * HOUR
    assert metered.value("trimtab_recommended_replicas", workload="shop:ranker") is None
    assert metered.value("trimtab_recommendation_info", workload="shop:ranker", state="expired") == 1
    assert "trimtab_forecast_load" not in metered.families()


def test_the_age_of_prices_is_shown_where_it_is_known_and_until_it_expires(metered: Metered) -> None:
    assert metered.value("trimtab_price_age_seconds", workload="shop:ranker") == 60 * 86400
    assert metered.value("trimtab_price_age_seconds", workload="shop:young") is None
    metered.now = NOON + 6 * HOUR
    assert metered.value("trimtab_price_age_seconds", workload="shop:ranker") is None


def test_the_age_of_inputs_grows_while_nothing_comes(metered: Metered) -> None:
    metered.now = NOON + HOUR
    assert metered.value("trimtab_input_age_seconds", workload="shop:ranker", signal="request_rate") == 3660


@pytest.mark.parametrize(
    "hours,horizon,quantile,load",
    [
        (0, "lead", "0.5", 0.0),
        (0, "24h", "0.5", 23.0),
        (0, "24h", "0.99", 46.0),
        (0, "24h", "plan", 23.0 + 23.0 * 0.25 / 0.49),
        (3, "lead", "0.99", 6.0),
    ],
)
def test_the_forecast_is_the_highest_load_from_now_to_the_horizon(
    metered: Metered, hours: int, horizon: str, quantile: str, load: float
) -> None:
    metered.now = NOON + hours * HOUR
    shown = metered.value("trimtab_forecast_load", workload="shop:ranker", quantile=quantile, horizon=horizon)
    assert shown == pytest.approx(load)


def test_late_in_a_step_the_lead_reaches_into_the_next(metered: Metered) -> None:
    metered.now = NOON + timedelta(minutes=58)
    shown = metered.value("trimtab_forecast_load", workload="shop:ranker", quantile="0.5", horizon="lead")
    assert shown == 1.0


def test_a_step_that_was_not_forecast_moves_no_other(metered: Metered) -> None:
    evidence = replace(an_evidence(), forecast={"step_s": 3600.0, "quantiles_rps": {"p50": [None, 7.0, 3.0]}})
    metered.recommendations.keep([a_record(replace(an_act(at=NOON), evidence=evidence))])
    for hours, load in ((0, None), (1, 7.0), (2, 3.0)):
        metered.now = NOON + hours * HOUR
        value = metered.value("trimtab_forecast_load", workload="shop:ranker", quantile="0.5", horizon="lead")
        assert value == load


def test_failures_are_counted(metered: Metered) -> None:
    metered.journal.note_cycle(CycleNote(at=NOON, duration_s=1, acts=0, holds=0, kept=2, failure="source: gone"))
    assert metered.value("trimtab_cycle_failures_total") == 1


def test_what_came_of_it_is_shown_for_what_was_taken_up_and_absent_for_all_else(metered: Metered) -> None:
    names = ("trimtab_promised_saving_usd_per_month", "trimtab_realised_saving_usd_per_month", "trimtab_made_worse")
    assert not {*names, "trimtab_ledger_night_timestamp_seconds"} & metered.families()
    yesterday = NOON.date() - timedelta(days=1)
    bad = replace(a_night(yesterday), worse=an_act().reasons[:1])
    gone = replace(a_night(yesterday, "shop:gone"), realised_usd=Unknown("gone"), gap=Unknown("gone"))
    metered.journal.nights.add([bad, gone], NOON)
    values = [metered.value(name, workload="shop:ranker") for name in names]
    assert values == [pytest.approx(6 * 730 / 24), pytest.approx(5 * 730 / 24), 1.0]
    midnight = metered.value("trimtab_ledger_night_timestamp_seconds", workload="shop:ranker")
    assert midnight == NOON.replace(hour=0).timestamp()
    assert [metered.value(name, workload="shop:gone") for name in names] == [None] * 3, "what is not known is not 0"
    metered.journal.nights.add([a_night(NOON.date())], NOON)
    metered.now = NOON + 24 * HOUR
    assert metered.value("trimtab_made_worse", workload="shop:ranker") == 0.0


def test_the_rules_ask_for_the_names_that_are_exported() -> None:
    exported = {value for name, value in vars(selfmetrics).items() if name.isupper() and isinstance(value, str)}
    asked = {names.CAPACITY_RPS, names.COST, names.FORECAST_LOAD, names.INPUT_AGE, names.CYCLE_FAILURES}
    asked |= {names.VALID_UNTIL, names.LOAD_ANOMALY, names.LOAD_EXCESS, names.SPEND_ANOMALY, names.SPEND_EXCESS}
    assert asked <= exported | {f"{name}_total" for name in exported}
