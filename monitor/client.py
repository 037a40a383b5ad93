"""prometheus-api-client, fenced in so that what it leaves open can not reach us.

| the library | here |
|---|---|
| asks for any number of points at once (the server refuses over 11,000) | pieces that share no edge, joined again |
| waits for ever; retries a dead port for 6 s | time-outs; few, short retries of what may pass by itself |
| accepts gzip, which costs more than the query | identity |
| takes naive times as local, rounds fractions | aware whole seconds, or ValueError |
| gives text values and drops the server's warnings | floats on an even grid; warnings are handed on |
| two families of exceptions, and KeyError for odd answers | SourceUnavailable or BadAnswer, in one line |
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import requests
from numpy.typing import NDArray
from prometheus_api_client.exceptions import PrometheusApiClientException
from prometheus_api_client.prometheus_connect import PrometheusConnect
from urllib3.util import Retry

from domain.errors import BadAnswer, SettingsError, SourceUnavailable
from domain.load import Floats

MOST_POINTS = 10_000  # the server's limit is 11,000 a series
REMARK = "PromQL info"  # about the expression, and in older servers among the warnings: nothing is missing
PASSES_BY_ITSELF = (429, 502, 503, 504)
HEAD_BYTES = 200  # of an answer: its status stands there, before the data

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for a connection and for an answer, and before a second further try (the first is at once)."""

    connect: timedelta = timedelta(seconds=2)
    answer: timedelta = timedelta(seconds=30)
    pause: timedelta = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """The moments at which a range query is evaluated: `count` of them from `first` on."""

    first: datetime
    step: timedelta
    count: int

    def piece(self, begin: int, end: int) -> Points:
        """The points with index in [begin, end)."""
        return Points(first=self.first + begin * self.step, step=self.step, count=end - begin)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """One series on the points that were asked for; `present` tells a NaN that was answered from no sample."""

    labels: Mapping[str, str]
    values: Floats
    present: NDArray[np.bool_]


class Client:
    """Asks one Prometheus. Safe to use from several threads.

    `url` may carry credentials; they are never repeated in a message. `on_warning` receives what the server warns of
    (an answer may then be incomplete), but for remarks on the expression (`PromQL info`). Raises SettingsError for a URL that is none.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        patience: Patience | None = None,
        on_warning: Callable[[str], None] | None = None,
        most_points: int = MOST_POINTS,
    ) -> None:
        self._most_points = most_points
        self.patience = patience or Patience()
        self.name = f"Prometheus at {_shown(url)}"
        self._on_warning = on_warning or _log.warning
        self._warned = threading.local()  # what the server warned of in this thread's last answer
        session = requests.Session()
        session.hooks["response"].append(self._inspect)
        self._connection = PrometheusConnect(
            url=url.rstrip("/"),
            headers={"Accept-Encoding": "identity", **(headers or {})},
            session=session,
            # Handed on as it is to requests, which takes a pair; the library's hint says int.
            timeout=(self.patience.connect.total_seconds(), self.patience.answer.total_seconds()),  # type: ignore[arg-type]
            retry=_retries(self.patience.pause),
        )

    def over(self, query: str, points: Points, *, whole: bool = False) -> list[Series]:
        """Every series of a range query, on all points. Raises SourceUnavailable or BadAnswer.

        With `whole` an answer that the server warns of is a BadAnswer: a store behind it may be missing.
        """
        joined: dict[frozenset[tuple[str, str]], Series] = {}
        for begin in range(0, points.count, self._most_points):
            end = min(begin + self._most_points, points.count)
            piece = points.piece(begin, end)
            result = self._range(query, piece)
            if whole and self._warned.of:
                raise BadAnswer(
                    self.name,
                    f"gave an answer to {query!r} that may be partial ({' '.join(self._warned.of[0].split())[:200]})",
                    "see that every store behind it answers",
                )
            for labels, at, values in self._decoded(query, result, piece):
                series = joined.setdefault(frozenset(labels.items()), _missing(labels, points.count))
                series.values[begin + at] = values
                series.present[begin + at] = True
        return list(joined.values())

    def now(self, query: str, moment: datetime) -> list[Series]:
        """Every series of an instant query at `moment`, each with one value."""
        return self.over(query, Points(first=moment, step=timedelta(seconds=1), count=1))

    def _range(self, query: str, piece: Points) -> Any:
        """The raw matrix of one piece."""
        if piece.first.tzinfo is None or piece.first.microsecond or piece.step % timedelta(seconds=1):
            raise ValueError(f"a query needs aware times in whole seconds, not {piece.first} every {piece.step}")
        limit = f"{self.patience.answer.total_seconds():g}s"
        return self._asked(
            query,
            lambda: self._connection.custom_query_range(
                query,
                start_time=piece.first,
                end_time=piece.first + (piece.count - 1) * piece.step,
                step=f"{piece.step.total_seconds():.0f}",
                params={"timeout": limit},
            ),
        )

    def _asked(self, query: str, ask: Callable[[], Any]) -> Any:
        """What `ask` gives, with every way of failing told in our words."""
        try:
            return ask()
        except requests.exceptions.JSONDecodeError as error:
            raise self._bad(f"answered {query!r} with something that is no JSON") from error
        except requests.ConnectTimeout as error:
            waited = f"{self.patience.connect.total_seconds():g} s"
            raise SourceUnavailable(
                self.name, f"took no connection within {waited}", "see that the host is right and no firewall between"
            ) from error
        except requests.Timeout as error:
            waited = f"{self.patience.answer.total_seconds():g} s"
            raise SourceUnavailable(
                self.name, f"gave no answer within {waited}", "see that it is well, or ask for less history"
            ) from error
        except (requests.TooManyRedirects, requests.exceptions.ContentDecodingError) as error:
            raise self._bad(f"could not be understood ({type(error).__name__})") from error
        except requests.RequestException as error:
            raise SourceUnavailable(
                self.name, f"can not be reached ({_cause(error)})", "see that it runs and that the URL is right"
            ) from error
        except (PrometheusApiClientException, KeyError, TypeError) as error:
            raise self._bad(f"answered {query!r} with JSON that is no query result") from error

    def _decoded(
        self, query: str, result: Any, points: Points
    ) -> list[tuple[dict[str, str], NDArray[np.intp], Floats]]:
        """Labels, indices of points and values of each series; NaN for what is no finite number."""
        step_s, first_s = points.step.total_seconds(), points.first.timestamp()
        try:
            decoded = []
            for series in result:
                times = np.array([moment for moment, _ in series["values"]], dtype=np.float64)
                values = np.array([float(text) for _, text in series["values"]])
                at = np.rint((times - first_s) / step_s).astype(np.intp)
                if len(at) and (at.min() < 0 or at.max() >= points.count):
                    raise self._bad(f"answered {query!r} for other times than were asked for")
                values[~np.isfinite(values)] = np.nan
                decoded.append((dict(series["metric"]), at, values))
        except (KeyError, TypeError, ValueError) as error:
            raise self._bad(f"answered {query!r} with JSON that is no matrix") from error
        return decoded

    def _inspect(self, response: requests.Response, *_: object, **__: object) -> None:
        """Sees each answer before the library does, which keeps neither the server's complaint nor its warnings."""
        if response.status_code in PASSES_BY_ITSELF:
            raise SourceUnavailable(
                self.name, f"answered {response.status_code} ({_complaint(response)})", "wait until it is ready"
            )
        if response.status_code >= 400:
            fix = FIXES.get(response.status_code, "see that the URL is that of a Prometheus")
            raise BadAnswer(self.name, f"answered {response.status_code} ({_complaint(response)})", fix)
        if b'"error"' in response.content[:HEAD_BYTES] and _told(response).get("status") == "error":
            raise BadAnswer(self.name, f"answered with an error ({_complaint(response)})", _fix_of(_told(response)))
        said = _told(response).get("warnings") or () if b'"warnings"' in response.content else ()
        self._warned.of = [str(warning) for warning in said if not str(warning).startswith(REMARK)]
        for warning in self._warned.of:
            self._on_warning(f"{self.name} warns: {warning}")

    def _bad(self, problem: str) -> BadAnswer:
        return BadAnswer(self.name, problem, "see that the URL is that of a Prometheus")


FIXES = {
    400: "this expression is not understood; compare the server's version with the documentation",
    401: "give credentials that it accepts",
    403: "give credentials that may query",
    422: "ask for less history at a time, or raise the server's query limits",
}


def _fix_of(told: Mapping[str, Any]) -> str:
    """What to do about an error that came with status 200, as some proxies send it."""
    kind, said = str(told.get("errorType", "")), str(told.get("error", ""))
    if "timeout" in kind or "timed out" in said:
        return "ask for less history at a time (history.lookback_days), or raise the server's time-out of queries"
    return "see the log of the server, or of what stands before it"


def _retries(pause: timedelta) -> Retry:
    """A refused connection or a busy server gets two more tries, at once and after `pause`; nothing else is worth one.

    Not a time-out: the server is still working on the first try. Not Retry-After: it may name an hour.
    """
    return Retry(
        total=2,
        connect=2,
        read=False,
        other=0,
        status=2,
        backoff_factor=pause.total_seconds() / 2,  # doubled before the second retry
        status_forcelist=PASSES_BY_ITSELF,
        raise_on_status=False,
        respect_retry_after_header=False,
    )


def _shown(url: str) -> str:
    """The URL without credentials; SettingsError if it is none."""
    plain = url.rpartition("@")[2]
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port beyond 65535, half an IPv6 address
        usable = False
    if not usable:
        raise SettingsError("prometheus", plain, "write it as http://host:9090")
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")


def _missing(labels: Mapping[str, str], count: int) -> Series:
    return Series(labels=labels, values=np.full(count, np.nan), present=np.zeros(count, dtype=np.bool_))


def _told(response: requests.Response) -> Mapping[str, Any]:
    """The answer's JSON object; empty where it is none."""
    try:
        told = json.loads(response.content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _complaint(response: requests.Response) -> str:
    """What the server says is wrong, in a line."""
    said = str(_told(response).get("error") or response.text or response.reason)
    return " ".join(said.split())[:200]


def _cause(error: requests.RequestException) -> str:
    """The system's word for what happened, out of three layers of wrapping."""
    found = re.search(r"\[Errno -?\d+\] ([^\"')]+)", str(error))
    return found.group(1) if found else type(error).__name__
