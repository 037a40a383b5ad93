"""The inputs of a decision come back from the store bit for bit, what was changed there is found out, and little is kept."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from domain.errors import StoreError
from domain.load import LoadHistory
from domain.plan import Recommendation
from domain.prices import SpotHistory
from domain.workload import Bounds, ScaleTarget, Slo
from optimizer.fingerprint import fingerprint
from optimizer.options import Options, ReplayOptions
from tests.fakes.recommendations import NOON, a_record, an_act
from tests.optimizer.cases import BOOK, MONDAY, WORKLOAD, daily, observation
from trimtab.inputs import Inputs
from trimtab.records import Status
from trimtab.store.codec import encode
from trimtab.store.database import Database
from trimtab.store.input_codec import Encoder, decode
from trimtab.store.inputs import InputStore
from trimtab.store.recommendations import Recommendations
from trimtab.store.tables import InputRow, PieceRow
from trimtab.wiring import decide_on

STEP = timedelta(minutes=5)
ID = "one"


def some_inputs(load: LoadHistory | None = None, previous: Recommendation | None = None) -> Inputs:
    load = daily(5) if load is None else load
    seen = observation(
        load, latency=replace(load, values=load.values / 7), replicas=replace(load, values=load.values // 1)
    )
    options = Options(sensitivity=False, replay=ReplayOptions(policies=()))
    return Inputs(observation=seen, book=BOOK, options=options, previous=previous)


def shown(inputs: Inputs) -> str:
    return fingerprint(inputs.observation, inputs.book, inputs.options, inputs.previous)


def again(inputs: Inputs) -> Inputs:
    encoded = Encoder().encode(inputs)
    return decode(encoded.text.data, [piece.data for piece in encoded.pieces], inputs.previous)


@pytest.fixture
def store(database: Database) -> InputStore:
    return InputStore(database)


def test_they_come_back_as_they_went_in() -> None:
    inputs = some_inputs()
    back = again(inputs)
    assert shown(back) == shown(inputs)
    assert (back.book, back.options) == (inputs.book, inputs.options)
    assert back.observation.workload == inputs.observation.workload


@given(
    values=st.lists(st.floats(width=64, allow_nan=True, allow_infinity=True), max_size=60),
    start=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)),  # noqa: DTZ001  hypothesis wants naive bounds
    step=st.sampled_from([60, 300, 420, 3600, 25_200, 86_400, 200_000]),
)
def test_any_history_comes_back_to_the_last_bit_however_midnights_cut_it(
    values: list[float], start: datetime, step: int
) -> None:
    load = LoadHistory(
        start=start.replace(tzinfo=UTC), step=timedelta(seconds=step), values=np.array(values, dtype=np.float64)
    )
    inputs = replace(some_inputs(), observation=observation(load))
    back = again(inputs).observation.load
    assert isinstance(back, LoadHistory)
    assert (back.start, back.step, back.values.tobytes()) == (load.start, load.step, load.values.tobytes())


@pytest.mark.parametrize(
    "facts",
    [
        {
            "workload": replace(
                WORKLOAD, labels={"b": "1", "a": "ü\n"}, target=ScaleTarget(name="x"), bounds=Bounds(max_replicas=9)
            )
        },
        {"workload": replace(WORKLOAD, slo=Slo(usd_per_missed_request=0.1), modes=frozenset())},
        {"service_time_s": 0.1 + 0.2, "declared_capacity_rps": 1e-300},
    ],
)
def test_every_fact_comes_back(facts: dict[str, Any]) -> None:
    inputs = replace(some_inputs(), observation=replace(some_inputs().observation, **facts))
    assert again(inputs).observation.workload == inputs.observation.workload
    assert shown(again(inputs)) == shown(inputs)


def test_a_price_book_that_holds_histories_comes_back_from_whatever_decision() -> None:
    """It is encoded once, and has its place behind other pieces each time."""
    spot = SpotHistory(
        cloud="aws", zone="us-east-1a", instance_type="box", available=daily(3), source="availability.csv"
    )
    encoder, book = Encoder(), replace(BOOK, availability=(spot,))
    for days in (2, 9, 4):
        inputs = replace(some_inputs(daily(days)), book=book)
        encoded = encoder.encode(inputs)
        back = decode(encoded.text.data, [piece.data for piece in encoded.pieces], None)
        assert shown(back) == shown(inputs)
        [history] = back.book.availability
        assert history.available.values.tobytes() == spot.available.values.tobytes()


def test_whole_days_are_the_same_pieces_in_the_next_decision() -> None:
    load, moved = daily(5), daily(6)
    later = LoadHistory(start=load.start + STEP, step=STEP, values=moved.values[1 : len(load) + 1])
    first, second = (Encoder().encode(some_inputs(each)).pieces for each in (load, later))
    shared = {piece.sha256 for piece in first} & {piece.sha256 for piece in second}
    assert len(shared) >= 4 * 3 + 1, "four whole days of three signals, and the prices"


def test_what_has_no_form_is_refused_by_name(store: InputStore) -> None:
    odd = replace(some_inputs(), options=replace(Options(), policy=object()))  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="inputs of one cannot be stored: object"):
        store.keep({ID: odd})


def decided(database: Database, at_end: LoadHistory) -> Recommendation:
    """A decision that is kept, with the inputs it was made on."""
    inputs = some_inputs(at_end)
    made = decide_on(inputs)
    Recommendations(database).keep([a_record(made)])
    InputStore(database).keep({made.id: inputs})
    return made


def test_a_decision_is_made_again_bit_for_bit_also_the_one_after_it(database: Database, store: InputStore) -> None:
    load = daily(5)
    made = decided(database, load)
    kept = store.of(made.id)
    assert kept is not None
    assert encode(decide_on(kept.inputs)) == encode(made)

    following = some_inputs(replace(load, start=load.start + STEP), previous=made)
    then = decide_on(following)
    store.keep({then.id: following})
    found = store.of(then.id)
    assert found is not None
    assert found.inputs.previous == made
    assert encode(decide_on(found.inputs)) == encode(then)


def change(database: Database, what: Callable[[Any], object]) -> None:
    with database.session() as session:
        what(session)


def other_load(session: Any) -> None:
    """The first piece is a day of load: somebody doubles it, and mends nothing else."""
    row = session.scalars(select(PieceRow).order_by(PieceRow.id)).first()
    row.data = zlib.compress((np.frombuffer(zlib.decompress(row.data)) * 2).tobytes())


@pytest.mark.parametrize(
    "what,said",
    [
        (other_load, "its hash differs"),
        (lambda session: session.execute(delete(PieceRow).where(PieceRow.id == 2)), "piece 2 of stored inputs is gone"),
        (lambda session: session.execute(update(PieceRow).values(data=b"nothing")), "cannot be unpacked"),
        (lambda session: session.execute(update(InputRow).values(body=b"nothing")), "cannot be unpacked"),
        (lambda session: session.execute(update(InputRow).values(body=zlib.compress(b"\xff{}"))), "cannot be read"),
        (
            lambda session: session.execute(update(InputRow).values(body=zlib.compress(b'{"other": 1}'))),
            "cannot be read",
        ),
        (lambda session: session.execute(update(InputRow).values(form=99)), "stored in form 99"),
        (
            lambda session: session.execute(update(InputRow).values(previous="gone")),
            "recommendation gone, which was before",
        ),
    ],
)
def test_what_was_changed_in_the_store_is_found_out(
    database: Database, store: InputStore, what: Callable[[Any], object], said: str
) -> None:
    store.keep({ID: some_inputs()})
    change(database, what)
    with pytest.raises(StoreError, match=said):
        store.of(ID)


def test_inputs_that_were_never_kept_are_none(store: InputStore) -> None:
    assert store.of(ID) is None


def cycle(database: Database, at: datetime, load: LoadHistory) -> str:
    """A cycle that keeps a recommendation and its inputs, and prunes."""
    kept, store = Recommendations(database), InputStore(database)
    before = kept.newest_of("shop:ranker")
    act = an_act(at=at)
    kept.keep([a_record(act)])
    store.keep({act.id: some_inputs(load, None if before is None else before.recommendation)})
    store.prune()
    kept.prune(at)
    return act.id


def window(n: int) -> LoadHistory:
    """Four days that end n steps after Friday."""
    return LoadHistory(start=MONDAY + n * STEP, step=STEP, values=daily(5).values[n : n + 4 * 288])


def test_only_what_stands_or_was_decided_on_keeps_its_inputs(database: Database, store: InputStore) -> None:
    names = [cycle(database, NOON + n * STEP, window(n)) for n in range(3)]
    assert [store.of(name) is not None for name in names] == [False, False, True]
    Recommendations(database).decide(names[2], Status.ACCEPTED, NOON + 2 * STEP)
    names += [cycle(database, NOON + n * STEP, window(n)) for n in range(3, 40)]
    assert [name for name in names if store.of(name) is not None] == [names[2], names[-1]]
    assert Recommendations(database).find(names[1]) is not None, "the one before it is an input of it"
    assert Recommendations(database).find(names[0]) is None


def test_pieces_that_nothing_rests_on_are_forgotten_and_the_shared_ones_kept_once(
    database: Database, store: InputStore
) -> None:
    cycle(database, NOON, window(0))
    once = store.size()
    for n in range(1, 30):
        cycle(database, NOON + n * STEP, window(n))
    many = store.size()
    assert (once.recommendations, many.recommendations) == (1, 1)
    assert many.piece_bytes < 1.1 * once.piece_bytes
