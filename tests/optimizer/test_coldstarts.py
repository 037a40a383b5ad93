"""Cold starts and idle instances, against a simulation of every single request."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.coldstarts import cold_share, cold_share_at, idle_share


def simulated_cold_share(rate_rps: float, service_s: float, keep_alive_s: float, requests: int) -> float:
    """Poisson arrivals, each to the first instance of a fixed order that is warm and free, else a new one."""
    rng = np.random.default_rng(7)
    moments = np.cumsum(rng.exponential(1.0 / rate_rps, requests))
    free_at: list[float] = []
    cold = 0
    for now in moments.tolist():
        for n, since in enumerate(free_at):
            if since <= now <= since + keep_alive_s:
                free_at[n] = now + service_s
                break
        else:
            cold += 1
            gone = next((n for n, since in enumerate(free_at) if now > since + keep_alive_s), len(free_at))
            free_at[gone : gone + 1] = [now + service_s]
    return cold / requests


@pytest.mark.parametrize(
    "rate_rps,service_s,keep_alive_s",
    [
        (0.001, 0.5, 300.0),
        (0.005, 0.5, 300.0),
        (0.02, 5.0, 300.0),
        (0.2, 5.0, 60.0),
        (2.0, 2.0, 300.0),
        (5.0, 1.0, 30.0),
    ],
)
def test_the_share_at_a_steady_rate_is_that_of_a_simulation(
    rate_rps: float, service_s: float, keep_alive_s: float
) -> None:
    """Within a third of the simulated share, or a twentieth of a percent of requests."""
    found = float(cold_share_at(np.array([rate_rps]), service_s, keep_alive_s)[0])
    truth = simulated_cold_share(rate_rps, service_s, keep_alive_s, 40_000)
    assert found == pytest.approx(truth, rel=0.34, abs=5e-4)


def test_the_share_falls_with_the_rate() -> None:
    shares = cold_share_at(np.geomspace(1e-6, 100.0, 9), 0.5, 300.0)
    assert shares[0] == pytest.approx(1.0, abs=0.01)
    assert shares[-1] < 1e-3
    assert (np.diff(shares) <= 1e-3).all()


def test_one_request_after_each_long_pause_is_cold() -> None:
    """A request each hour, kept warm for five minutes: all cold."""
    rates = np.tile([1.0 / 300.0] + [0.0] * 11, 24)
    assert cold_share(rates, 300.0, 0.5, 300.0) == pytest.approx(1.0, abs=0.1)


def test_a_burst_after_a_pause_has_one_cold_start() -> None:
    """300 requests in five minutes after an hour without: one of 300 and the odd overlap."""
    rates = np.tile([1.0] + [0.0] * 12, 24)
    assert 1 / 300 * 0.9 <= cold_share(rates, 300.0, 0.1, 600.0) <= 0.01


def test_an_unknown_step_is_not_a_pause() -> None:
    known = np.tile([1.0] + [0.0] * 12, 24)
    unknown = np.tile([1.0] + [np.nan] * 12, 24)
    assert cold_share(unknown, 300.0, 0.1, 600.0) < cold_share(known, 300.0, 0.1, 600.0) / 3


def test_without_requests_nothing_is_cold() -> None:
    assert cold_share(np.zeros(10), 300.0, 0.5, 300.0) == 0.0


def test_idle_time_is_what_the_keep_alive_adds() -> None:
    """A request each hour keeps an instance for five of sixty minutes; a busy one always has one waiting."""
    hourly = np.tile([1.0 / 300.0] + [0.0] * 11, 100)
    assert idle_share(hourly, 300.0, 300.0) == pytest.approx(300 / 3600, rel=0.01)
    assert idle_share(np.full(100, 5.0), 300.0, 300.0) == pytest.approx(1.0, abs=0.01)
    assert idle_share(np.full(3, np.nan), 300.0, 300.0) == 0.0
