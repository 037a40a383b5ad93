"""Questions to the API: what is misspelt is refused by its name, and HEAD is answered as GET is."""

from __future__ import annotations

import pytest

from tests.trimtab.served import PROBLEM, Served


@pytest.mark.parametrize(
    "path,said",
    [
        ("/recommendations?worklod=z", "'worklod' is no parameter; did you mean 'workload'? known here: workload, kind,"),
        ("/recommendations?kind=hold&x=1&y=2&x=3", "'x' is no parameter; known here: workload, kind, status, min_saving, sort, limit, cursor; 'y' is"),
        ("/recommendations/none?workload=z", "'workload' is no parameter; known here: none"),
        ("/workloads/shop:ranker/forecast?horizon=3", "'horizon' is no parameter; known here: none"),
        ("/costs?from=2026-03-01", "'from' is no parameter; known here: "),
        ("/savings?since=2026-03-01", "'since' is no parameter; known here: "),
        ("/recommendations?limit=0", "#/query/limit: '0' is not usable; Input should be greater than or equal to 1"),
        ("/savings?from=yesterday", "#/query/from: 'yesterday' is not usable; "),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_with_its_name_and_value(served: Served, path: str, said: str) -> None:
    """A misspelt filter would answer with everything, and pass for what was asked."""
    answer = served.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert said in answer.json()["detail"]


def test_a_misspelt_name_of_who_decides_is_refused_and_nothing_is_decided(served: Served) -> None:
    act = served.get("/recommendations", workload="z")["items"][0]
    answer = served.client.post(f"/recommendations/{act['id']}/accept", params={"bye": "Maria"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert "'bye' is no parameter; did you mean 'by'?" in answer.json()["detail"]
    assert served.get(f"/recommendations/{act['id']}")["status"] == act["status"]


@pytest.mark.parametrize("path", ["/health", "/metrics", "/"])
def test_whoever_probes_or_reads_may_add_to_the_address(served: Served, path: str) -> None:
    assert served.client.get(f"{path}?from=mail").status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/health", "/ready", "/metrics", "/recommendations?limit=1", "/costs", "/nothing"]
)
def test_head_answers_as_get_does_without_the_body(served: Served, path: str) -> None:
    whole, head = served.client.get(path), served.client.head(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert head.headers["x-content-type-options"] == "nosniff"
    if path != "/metrics":  # which counts
        assert head.headers["content-length"] == str(len(whole.content))


def test_head_of_what_is_only_posted_is_not_possible(served: Served) -> None:
    answer = served.client.head("/alerts/webhook")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "POST", b"")
    assert served.client.delete("/recommendations").headers["allow"] == "GET, HEAD"
