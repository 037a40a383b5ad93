"""Load of a language model in usual requests: tokens weighted as the history shows, and the unit kept honest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.made_up import language_model
from domain.capacity import CapacityBasis, CapacityModel
from domain.load import LoadHistory
from domain.observation import Observation, TokenRates
from domain.plan import Act
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.capacity import (
    CapacityOptions,
    TokenOptions,
    UsualRequest,
    Work,
    in_usual_requests,
    reasons_of,
    studied,
    study_json,
)
from optimizer.options import Options, ReplayOptions
from optimizer.recommend import recommend
from tests.optimizer.cases import BOOK, FIVE_MINUTES, WORKLOAD, history, observation, running

OPTIONS = CapacityOptions(resamples=4)
DEDICATED = frozenset({ServingMode.DEDICATED})


def work(seen: Observation) -> Work:
    return in_usual_requests(seen, OPTIONS)


def unit(seen: Observation) -> UsualRequest:
    found = work(seen).unit
    assert isinstance(found, UsualRequest), found
    return found


@pytest.mark.parametrize("weight", [0.05, 0.15, 1.0])
def test_the_weight_of_a_prompt_token_is_recovered(weight: float) -> None:
    for seed in range(2):
        found = unit(language_model(weight, seed)[0])
        assert found.basis == "learned"
        assert found.weight == pytest.approx(weight, rel=0.35)  # tried weights lie 21 % apart


@pytest.mark.parametrize("weight", [0.05, 0.15, 1.0])
def test_the_capacity_in_tokens_is_that_of_the_model(weight: float) -> None:
    seen, truth_tps = language_model(weight)
    done = work(replace(seen, tokens=replace(known_tokens(seen), declared_weight=weight)))
    found = studied(done, OPTIONS).capacity
    assert isinstance(found, CapacityModel)
    assert isinstance(done.unit, UsualRequest)
    assert found.basis is CapacityBasis.LEARNED
    assert found.rate_rps * done.unit.tokens == pytest.approx(truth_tps, rel=0.05)


def test_tokens_explain_what_requests_do_not() -> None:
    """With prompts that vary fivefold, requests/s scatter around the curve; tokens/s lie on it."""
    seen, _ = language_model(0.5, mixed=0.8)
    with_tokens = studied(work(seen), OPTIONS).learned.fits[0].error
    without = studied(work(replace(seen, tokens=Unknown("none"))), OPTIONS).learned.fits[0].error
    assert with_tokens < 0.5 * without


def test_where_prompt_and_answer_always_go_together_the_default_is_taken() -> None:
    seen, _ = language_model(0.4, mixed=0.0)
    tokens = known_tokens(seen)
    assert isinstance(tokens.generated, LoadHistory)
    tied = replace(seen, tokens=replace(tokens, prompt=history(4.0 * tokens.generated.values)))
    found = unit(tied)
    assert (found.weight, found.basis) == (TokenOptions().default_weight, "default")
    assert "apart" in found.detail


def known_tokens(seen: Observation) -> TokenRates:
    assert isinstance(seen.tokens, TokenRates)
    return seen.tokens


def test_a_declared_weight_wins() -> None:
    seen, _ = language_model(0.15)
    found = unit(replace(seen, tokens=replace(known_tokens(seen), declared_weight=0.7)))
    assert (found.weight, found.basis) == (0.7, "declared")


@given(weight=st.floats(0.01, 3.0), known=st.floats(0.6, 1.0))
def test_usual_requests_are_as_many_as_those_that_came(weight: float, known: float) -> None:
    """Whatever the weight: the unit is a mean, so that its sum over the history is kept; steps without tokens count too."""
    seen, _ = language_model(0.3, days=2)
    tokens = known_tokens(seen)
    assert isinstance(tokens.prompt, LoadHistory)
    assert isinstance(seen.load, LoadHistory)
    gone = tokens.prompt.values.copy()
    gone[: int((1 - known) * len(gone))] = np.nan
    done = work(replace(seen, tokens=replace(tokens, prompt=history(gone), declared_weight=weight)))
    assert isinstance(done.observation.load, LoadHistory)
    assert isinstance(done.unit, UsualRequest)
    assert float(done.observation.load.values.sum()) == pytest.approx(float(seen.load.values.sum()))
    assert done.unit.counted == pytest.approx(known, abs=0.01)


def test_a_waiting_request_counts_as_a_usual_one() -> None:
    """Served are 100 tokens/s, one request; three more a second join the queue."""
    steps = 600
    waiting = 3.0 * FIVE_MINUTES.total_seconds() * np.maximum(0, np.arange(steps) - 500)
    growing = np.arange(steps) > 500
    seen = observation(
        history(np.where(growing, 4.0, 1.0)),
        tokens=TokenRates(prompt=history(np.zeros(steps)), generated=history(np.full(steps, 100.0))),
        waiting=history(waiting),
    )
    done = work(seen)
    assert isinstance(done.observation.load, LoadHistory)
    assert isinstance(done.unit, UsualRequest)
    assert done.unit.tokens == pytest.approx(100.0)
    assert done.observation.load.values[-1] == pytest.approx(4.0)


def test_a_capacity_declared_in_tokens_is_one_in_usual_requests() -> None:
    seen, _ = language_model(0.15)
    declared = replace(known_tokens(seen), declared_capacity_tps=2000.0, declared_weight=0.25)
    done = work(replace(seen, tokens=declared))
    found = studied(done, OPTIONS).capacity
    assert isinstance(found, CapacityModel)
    assert isinstance(done.unit, UsualRequest)
    assert found.basis is CapacityBasis.DECLARED
    assert found.rate_rps == pytest.approx(2000.0 / done.unit.tokens)
    assert "2000 tokens/s" in found.detail


def test_one_declared_in_tokens_that_nobody_counts_is_unknown() -> None:
    seen, _ = language_model(0.15)
    gone = Unknown("exports no token_rate")
    tokens = TokenRates(prompt=gone, generated=gone, declared_capacity_tps=2000.0)
    found = studied(work(replace(seen, tokens=tokens, latency=Unknown("none"))), OPTIONS).capacity
    assert isinstance(found, Unknown)
    assert "tokens/s" in found.reason
    assert "exports no token_rate" in found.reason


@pytest.mark.parametrize("missing", ["prompt", "generated"])
def test_without_both_kinds_of_tokens_load_stays_in_requests(missing: str) -> None:
    seen, _ = language_model(0.15)
    gone: Any = {missing: Unknown("not scraped")}
    done = work(replace(seen, tokens=replace(known_tokens(seen), **gone)))
    assert isinstance(done.unit, Unknown)
    assert "not scraped" in done.unit.reason
    assert done.observation.load is seen.load


def test_tokens_counted_too_rarely_are_no_measure() -> None:
    seen, _ = language_model(0.15)
    tokens = known_tokens(seen)
    assert isinstance(tokens.prompt, LoadHistory)
    rare = tokens.prompt.values.copy()
    rare[: len(rare) * 2 // 3] = np.nan
    found = work(replace(seen, tokens=replace(tokens, prompt=history(rare)))).unit
    assert isinstance(found, Unknown)
    assert "of 2880 steps" in found.reason


def test_what_comes_after_the_observation_moves_neither_weight_nor_unit() -> None:
    seen, _ = language_model(0.15)
    early = replace(seen, observed_at=seen.observed_at - timedelta(days=3))
    tokens = known_tokens(seen)
    assert isinstance(tokens.generated, LoadHistory)
    wild = tokens.generated.values.copy()
    wild[-3 * 288 :] *= 50.0
    altered = replace(early, tokens=replace(tokens, generated=history(wild)))
    assert work(altered).unit == work(early).unit


def test_tokens_stand_beside_requests_in_reasons_and_evidence() -> None:
    seen, _ = language_model(0.15)
    done = work(seen)
    found = studied(done, OPTIONS)
    told: Any = study_json(found)["tokens"]
    assert isinstance(found.capacity, CapacityModel)
    assert told["rate_tps"] == pytest.approx(found.capacity.rate_rps * told["tokens_per_request"])
    assert told["prompt_weight_basis"] == "learned"
    said = next(reason.detail for reason in reasons_of(found, OPTIONS) if reason.code == "capacity_in_tokens")
    assert f"{told['rate_tps']:.4g} tokens/s for one replica" in said


def test_a_latency_that_never_moves_teaches_no_weight() -> None:
    """A quantile inside one wide bucket is the same number all day."""
    seen, _ = language_model(0.15, days=4)
    assert isinstance(seen.latency, LoadHistory)
    flat = history(np.full(len(seen.latency), 0.4))
    assert unit(replace(seen, latency=flat)).basis == "default"


def test_requests_that_become_heavier_ask_for_more_replicas() -> None:
    """As many requests as ever, but for two days with three times the tokens: only tokens/s see the load."""
    steps = 14 * 288
    requests, heavy = np.full(steps, 4.0), np.where(np.arange(steps) >= 12 * 288, 3.0, 1.0)
    tokens = TokenRates(
        prompt=history(requests * 400.0 * heavy), generated=history(requests * 100.0 * heavy), declared_weight=0.25
    )
    dedicated = replace(WORKLOAD, modes=DEDICATED)
    seen = observation(history(requests), tokens=tokens, workload=dedicated, running=running(4))
    counted, uncounted = (acted(each) for each in (seen, replace(seen, tokens=Unknown("not scraped"))))
    assert counted.plan.proposed.replicas >= 2 * uncounted.plan.proposed.replicas
    told: Any = counted.evidence.capacity["tokens"]
    assert told["tokens_per_request"] == pytest.approx(200.0 * heavy.mean())
    assert "capacity_in_tokens" in {reason.code for reason in counted.reasons}
    assert uncounted.evidence.capacity["no_tokens"] == "tokens: not scraped"


def acted(seen: Observation) -> Act:
    answer = recommend(seen, BOOK, Options(replay=ReplayOptions(policies=()), sensitivity=False), None)
    assert isinstance(answer, Act), answer
    return answer
