"""Names made for other systems."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from domain.names import safe_name

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def test_a_name_that_is_fine_stays() -> None:
    assert safe_name("digits-2") == "digits-2"


def test_a_changed_name_says_which_id_it_came_from() -> None:
    assert safe_name("vision:digits") == "vision-digits-3e8e8767"


@given(st.text())
def test_every_name_is_a_dns_label_with_room_for_a_prefix(text: str) -> None:
    name = safe_name(text)
    assert LABEL.fullmatch(name)
    assert len(name) <= 53


@given(st.text(), st.text())
def test_two_ids_never_share_a_name(one: str, other: str) -> None:
    assert (safe_name(one) == safe_name(other)) == (one == other)


def test_an_id_that_looks_like_a_made_name_does_not_meet_it() -> None:
    assert safe_name(safe_name("vision:digits")) != safe_name("vision:digits")


def test_case_and_punctuation_alone_make_another_name() -> None:
    assert len({safe_name(text) for text in ("a-b", "A-b", "a_b", "a.b", "a b", "-a-b")}) == 6
