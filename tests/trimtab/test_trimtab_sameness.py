"""A decision of an earlier version, made again: what that version did not know is told from what was changed in the store."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import pytest
from sqlalchemy import update

from domain.errors import BadAnswer
from domain.plan import Recommendation
from optimizer.fingerprint import Fields, fingerprint
from optimizer.options import Options, ReplayOptions
from optimizer.placement import Placement
from tests.optimizer.cases import BOOK, daily, observation
from trimtab.inputs import Inputs
from trimtab.sameness import compared
from trimtab.store.database import Database
from trimtab.store.input_codec import Encoder, lacking
from trimtab.store.inputs import InputStore, Kept
from trimtab.store.tables import InputRow
from trimtab.wiring import decide_on

LATER: Fields = frozenset({("Workload", "country"), ("Options", "sensitivity")})  # pretend that these came later
INPUTS = Inputs(
    observation=observation(daily(5)), book=BOOK, options=Options(replay=ReplayOptions(policies=())), previous=None
)
Edit = Callable[[dict[str, Any]], object]


def forgetting(body: dict[str, Any]) -> None:
    """The stored text as a version wrote it that did not know the later fields."""
    del body["observation"]["workload"]["country"]
    del body["options"]["sensitivity"]


def by_the_version_before(inputs: Inputs = INPUTS) -> Recommendation:
    """The decision with the hash of what that version knew."""
    made = decide_on(inputs)
    digest = fingerprint(inputs.observation, inputs.book, inputs.options, inputs.previous, without=LATER)
    if inputs.placement is not None:
        digest = fingerprint(digest, inputs.placement)
    return replace(made, evidence=replace(made.evidence, inputs_sha256=digest))


def stored(database: Database, *edits: Edit, inputs: Inputs = INPUTS) -> Kept:
    store = InputStore(database)
    store.keep({"one": inputs})
    with database.session() as session:
        row = session.get_one(InputRow, "one")
        body = json.loads(zlib.decompress(row.body))
        for edit in edits:
            edit(body)
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        session.execute(update(InputRow).values(body=zlib.compress(text.encode()), version="0.0.9"))
    kept = store.of("one")
    assert kept is not None
    return kept


def test_the_same_answer_on_what_that_version_knew_is_shown(database: Database) -> None:
    for inputs in (INPUTS, replace(INPUTS, placement=Placement(why="nobody to live with"))):
        kept = stored(database, forgetting, inputs=inputs)
        assert kept.unknown_then == LATER
        said = compared(by_the_version_before(inputs), decide_on(kept.inputs), kept)
        assert said.startswith(
            "recomputed: version 0.0.9, which decided, did not know Options.sensitivity, Workload.country;"
        )
        assert said.endswith("and give the same answer")


def test_where_the_answer_is_another_it_is_said_what_differs_and_that_nothing_was_changed(database: Database) -> None:
    kept, old = stored(database, forgetting), by_the_version_before()
    other = replace(old, valid_until=old.valid_until + timedelta(hours=1))
    with pytest.raises(BadAnswer) as told:
        compared(other, decide_on(kept.inputs), kept)
    for part in (
        "did not know Options.sensitivity, Workload.country",
        f"this version ({version('trimtab')}) answers otherwise",
        "nothing was changed in the store",
        "what differs: valid_until",
    ):
        assert part in str(told.value)


def test_what_was_changed_beside_that_is_found_out(database: Database) -> None:
    def changed(body: dict[str, Any]) -> None:
        body["observation"]["declared_capacity_rps"] = 4.5

    kept = stored(database, forgetting, changed)
    with pytest.raises(BadAnswer, match=r"the store was changed by something else, beside that version 0\.0\.9"):
        compared(by_the_version_before(), decide_on(kept.inputs), kept)
    kept = stored(database, changed)
    with pytest.raises(BadAnswer, match=r"are not those of .*; the store was changed by something else$"):
        compared(decide_on(INPUTS), decide_on(kept.inputs), kept)


def test_another_version_that_decides_otherwise_is_no_fault(database: Database) -> None:
    kept, made = stored(database), decide_on(INPUTS)
    other = replace(made, valid_until=made.valid_until + timedelta(hours=1))
    with pytest.raises(BadAnswer, match=r"version 0\.0\.9 decided, .* run that version .*; what differs: valid_until"):
        compared(other, made, kept)


def test_a_field_that_prices_had_not_then_is_found_in_their_own_text() -> None:
    encoded = Encoder().encode(INPUTS)
    pieces = [piece.data for piece in encoded.pieces]
    assert lacking(encoded.text.data, pieces) == frozenset()
    place = json.loads(encoded.text.data)["book"]["$piece"]
    book = json.loads(pieces[place])
    for offer in book["offers"]:
        del offer["spot"]
    pieces[place] = json.dumps(book).encode()
    assert lacking(encoded.text.data, pieces) == {("InstanceOffer", "spot")}
    without = frozenset({("InstanceOffer", "spot")})
    assert fingerprint(BOOK, without=without) != fingerprint(BOOK)
    assert fingerprint(replace(BOOK, offers=()), without=without) == fingerprint(replace(BOOK, offers=()))
