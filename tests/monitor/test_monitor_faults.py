"""A source that is dead, slow, confused or lying is an error in one line, soon, and never a zero."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from domain.errors import BadAnswer, NoData, SettingsError, SourceError, SourceUnavailable
from domain.signals import Signal
from domain.workload import Workload
from monitor.client import Patience
from monitor.prometheus import PrometheusSource
from tests.openmetrics import document, family, samples
from tests.servers import Asked, Prometheus, Reply, Scripted, backfill, free_port

pytestmark = pytest.mark.servers

START = datetime(2025, 3, 3, tzinfo=UTC)
FIVE = timedelta(minutes=5)
WORKLOAD = Workload(id="s:m", runtime="trimtab-serving", labels={"service": "s", "model": "m"})
HASTY = Patience(connect=timedelta(seconds=0.3), answer=timedelta(seconds=0.8), pause=timedelta(seconds=0.1))


def ask(url: str, signal: Signal = Signal.REQUEST_RATE, **options: object) -> list[float]:
    source = PrometheusSource(url, **({"patience": HASTY} | options))  # type: ignore[arg-type]  # options of one test
    asked = source.load(WORKLOAD, signal, start=START, end=START + 3 * FIVE, step=FIVE)
    return [float(value) for value in asked.values]


def matrix(*series: tuple[dict[str, str], list[tuple[float, str]]], **more: object) -> bytes:
    result = [{"metric": labels, "values": values} for labels, values in series]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}, **more}).encode()


def at(step: int) -> float:
    return (START + step * FIVE).timestamp()


def refusal(url: str, patience: Patience = HASTY) -> tuple[SourceError, float]:
    """The error and how long it took; always one line that names the URL."""
    began = time.monotonic()
    with pytest.raises(SourceError) as caught:
        ask(url, patience=patience)
    assert url in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.fix
    return caught.value, time.monotonic() - began


def test_a_dead_port_is_unavailable_within_three_seconds() -> None:
    error, took = refusal(f"http://127.0.0.1:{free_port()}", patience=Patience())
    assert isinstance(error, SourceUnavailable)
    assert "can not be reached (Connection refused)" in str(error)
    assert took < 3.5  # two more tries, the last after 2 s


def test_a_host_that_does_not_exist_is_unavailable() -> None:
    error, _ = refusal("http://no-such-host.invalid:9090")
    assert isinstance(error, SourceUnavailable)


@pytest.mark.skipif(sys.platform != "linux", reason="fills a listener's queue as only Linux counts it")
def test_a_host_that_takes_no_connection_is_unavailable() -> None:
    """A listener whose queue is full, as behind a firewall that drops packets."""
    with socket.socket() as listener, socket.socket() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting.connect(listener.getsockname())
        error, took = refusal(f"http://127.0.0.1:{listener.getsockname()[1]}")
    assert isinstance(error, SourceUnavailable)
    assert "took no connection within 0.3 s" in str(error)
    assert took < 3


def test_silence_is_unavailable_after_one_time_out() -> None:
    with Scripted(lambda _: Reply(after_s=30)) as server:
        error, took = refusal(server.url)
        assert len(server.asked) == 1
    assert isinstance(error, SourceUnavailable)
    assert "gave no answer within 0.8 s" in str(error)
    assert took < 2


def test_a_connection_that_breaks_off_is_unavailable() -> None:
    with Scripted(lambda _: Reply(hang_up=True)) as server:
        error, _ = refusal(server.url)
    assert isinstance(error, SourceUnavailable)


GARBAGE: dict[str, tuple[Reply, str]] = {
    "a web page": (
        Reply(body=b"<html><body>Sign in</body></html>", headers={"Content-Type": "text/html"}),
        "something that is no JSON",
    ),
    "nothing": (Reply(body=b""), "something that is no JSON"),
    "half an answer": (Reply(body=matrix(({}, [(at(1), "1")]))[:-9]), "something that is no JSON"),
    "noise": (Reply(body=b"\x00\xff\xfe\x80" * 9), "something that is no JSON"),
    "another JSON": (Reply(body=b'{"hello": "world"}'), "JSON that is no query result"),
    "a list": (Reply(body=b"[1, 2]"), "JSON that is no query result"),
    "null": (Reply(body=b'{"status": "success", "data": null}'), "JSON that is no query result"),
    "a vector": (Reply(body=b'{"data": {"result": [{"metric": {}, "value": [1, "2"]}]}}'), "JSON that is no matrix"),
    "words for numbers": (Reply(body=matrix(({}, [(at(1), "many")]))), "JSON that is no matrix"),
    "other times": (Reply(body=matrix(({}, [(at(99), "1")]))), "for other times than were asked for"),
    "a refusal": (Reply(status=400, body=b'{"error": "invalid parameter \\"query\\""}'), "answered 400 (invalid parameter"),
    "too much": (Reply(status=422, body=b'{"error": "query processing would load too many samples"}'), "ask for less"),
    "no entry": (Reply(status=401, body=b"Unauthorized"), "give credentials"),
    "another server": (Reply(status=404, body=b"404 page\nnot found"), "answered 404 (404 page not found)"),
    "a fault": (Reply(status=500, body=b"Internal"), "answered 500 (Internal)"),
}  # fmt: skip


@pytest.mark.parametrize("case", GARBAGE)
def test_an_answer_that_is_none_is_a_bad_answer_and_is_not_asked_for_again(case: str) -> None:
    reply, complaint = GARBAGE[case]
    with Scripted(lambda _: reply) as server:
        error, took = refusal(server.url)
        assert len(server.asked) == 1
    assert isinstance(error, BadAnswer)
    assert complaint in str(error)
    assert took < 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_is_asked_again_and_then_unavailable(status: int) -> None:
    with Scripted(lambda _: Reply(status=status, body=b"busy", headers={"Retry-After": "3600"})) as server:
        error, took = refusal(server.url)
        assert len(server.asked) == 3
    assert isinstance(error, SourceUnavailable)
    assert took < 2


def scripted(*replies: Reply) -> Callable[[Asked], Reply]:
    """One reply after the other, the last again and again."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def test_a_server_that_was_only_starting_answers_on_the_second_try() -> None:
    good = Reply(body=matrix(({}, [(at(1), "1"), (at(2), "2"), (at(3), "3")])))
    with Scripted(scripted(Reply(status=503), good)) as server:
        assert ask(server.url) == [1.0, 2.0, 3.0]


def test_what_is_no_finite_number_is_missing() -> None:
    body = matrix(({}, [(at(1), "NaN"), (at(2), "+Inf"), (at(3), "0.5")]))
    with Scripted(lambda _: Reply(body=body)) as server:
        np.testing.assert_array_equal(ask(server.url), [np.nan, np.nan, 0.5])


def test_a_warning_of_the_server_is_handed_on() -> None:
    body = matrix(({}, [(at(1), "1"), (at(2), "2"), (at(3), "3")]), warnings=["remote read: timed out"])
    heard: list[str] = []
    with Scripted(lambda _: Reply(body=body)) as server:
        assert ask(server.url, Signal.LATENCY, on_warning=heard.append) == [1.0, 2.0, 3.0]
        assert heard == [f"Prometheus at {server.url} warns: remote read: timed out"]


def test_a_request_rate_that_may_be_partial_is_refused_but_a_remark_on_the_expression_is_none() -> None:
    """A store that is away hides a part of the load; taken for all of it, replicas would be cut."""
    points: tuple[dict[str, str], list[tuple[float, str]]] = ({}, [(at(1), "1"), (at(2), "2"), (at(3), "3")])
    body = matrix(points, warnings=["No StoreAPIs matched for this query\nat all"])
    with Scripted(lambda _: Reply(body=body)) as server:
        error, _ = refusal(server.url)
        assert isinstance(error, BadAnswer)
        assert "may be partial (No StoreAPIs matched for this query at all)" in str(error)
    for said in ({"warnings": ["PromQL info: metric might not be a counter"]}, {"infos": ["x"]}, {"warnings": None}):
        with Scripted(scripted(Reply(body=matrix(points, **said)))) as server:
            assert ask(server.url) == [1.0, 2.0, 3.0]


def test_compression_is_declined_and_given_headers_are_sent() -> None:
    body = matrix(({}, [(at(1), "1"), (at(2), "2"), (at(3), "3")]))
    with Scripted(lambda _: Reply(body=body)) as server:
        ask(server.url, headers={"Authorization": "Bearer t"})
        assert server.asked[0].headers["Accept-Encoding"] == "identity"
        assert server.asked[0].headers["Authorization"] == "Bearer t"


@pytest.mark.parametrize(
    "url", ["localhost:9090", "", "prometheus", "ftp://host/", "http://", "http://h:99999", "http://[::1", "http://h:x"]
)
def test_a_url_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(SettingsError, match="write it as http://host:9090"):
        PrometheusSource(url)


def test_credentials_in_a_url_are_never_repeated() -> None:
    with pytest.raises(SourceUnavailable) as caught:
        ask(f"http://user:secret@127.0.0.1:{free_port()}/")
    assert "secret" not in str(caught.value)


def test_credentials_in_a_url_are_sent() -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Reply:
        asked.append(request)
        return Reply(status=401)

    with Scripted(answer) as server, pytest.raises(BadAnswer, match="give credentials that it accepts") as caught:
        ask(server.url.replace("://", "://user:secret@"))
    assert "secret" not in str(caught.value)
    headers = {name.lower(): value for name, value in asked[0].headers.items()}
    assert headers["authorization"] == "Basic dXNlcjpzZWNyZXQ="


@pytest.mark.parametrize(
    "body,said",
    [
        ({"errorType": "timeout", "error": "query timed out in expression evaluation"}, "ask for less history at a time"),
        ({"errorType": "execution", "error": "store-gateway is gone"}, "see the log of the server"),
        ({"error": "no\nluck"}, "see the log of the server"),
    ],
)  # fmt: skip
def test_an_error_that_comes_as_success_keeps_the_servers_own_words(body: dict[str, str], said: str) -> None:
    def answer(_: Asked) -> Reply:
        return Reply(body=json.dumps({"status": "error", **body}).encode())

    with Scripted(answer) as server:
        error, _ = refusal(server.url)
    assert isinstance(error, BadAnswer)
    assert " ".join(body["error"].split()) in str(error)
    assert said in error.fix


def test_a_label_that_looks_misspelt_is_asked_about() -> None:
    with Scripted(lambda _: Reply(body=matrix())) as server, pytest.raises(NoData) as caught:
        PrometheusSource(server.url).load(
            Workload(id="s:m", runtime="trimtab-serving", labels={"service": "s", "modle": "m", "namespace": "shop"}),
            Signal.REQUEST_RATE,
            start=START,
            end=START + 3 * FIVE,
            step=FIVE,
        )
    assert caught.value.fix.startswith("mend the label 'modle' (did you mean 'model'?) in its `match`; or see that it")
    assert "namespace" not in caught.value.fix


def test_a_restart_is_recovered_from_without_help(prometheus_installed: None, tmp_path: Path) -> None:
    counter = samples(
        "ai_requests_total",
        {"service": "s", "model": "m"},
        START.timestamp() + 60.0 * np.arange(60),
        60.0 * np.arange(60),
    )
    data = backfill(document(family("ai_requests", "counter", [counter])), tmp_path / "data")
    with Prometheus(tmp_path / "server", data=data) as server:
        source = PrometheusSource(server.url)

        def load() -> list[float]:
            asked = source.load(WORKLOAD, Signal.REQUEST_RATE, start=START, end=START + 6 * FIVE, step=FIVE)
            return [round(float(value), 9) for value in asked.values]

        assert load() == [1.0] * 6
        server.kill()
        with pytest.raises(SourceUnavailable):
            load()
        server.start()
        assert load() == [1.0] * 6
