"""A few instances kept by calls: where idle time is not billed, calls now and then keep instances that would else go.

As many calls as instances are made at once, every half of the keep-alive: an instance outlives a call that is lost, and
a keep-alive half as long as the tariff says. A call takes a moment, so that each goes to another instance, and is paid
like a request of that length; where it finds none idle it starts one. Whatever can make a timed request can make them; its
own price is not counted. A service may replace an instance all the same: a timer that called one every ten minutes saw
two replaced in two days (M. Shilkov, mikhail.io, May 2018), and who comes before the next call then starts cold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.load import Floats
from domain.prices import ServerlessTariff
from optimizer.modes.instances import SECOND, Instance, billed_s

CALL_S = 0.1  # long enough for calls made at once to overlap
SHORTEST_S = 10.0  # between calls; where an instance goes sooner, calls are no way to keep it
MOST_CALLED = 4  # instances; of more it is not sure that each is met
REPLACED_EVERY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Calls:
    """Seconds between calls, and the USD of one that finds an idle instance and of one that starts another."""

    every_s: float
    usd: float
    usd_started: float

    @classmethod
    def of(cls, tariff: ServerlessTariff, instance: Instance, cold_s: float) -> Calls | None:
        """None where calls keep nothing or waiting is billed anyway."""
        every_s = tariff.keep_alive / SECOND / 2.0
        if tariff.bills_idle or not tariff.scales_to_zero or every_s < SHORTEST_S:
            return None
        second, fee = instance.usd_per_second, tariff.usd_per_request
        usd = billed_s(tariff, CALL_S) * second + fee
        started = billed_s(tariff, CALL_S + cold_s) * second + fee if tariff.bills_cold_start else usd
        return cls(every_s=every_s, usd=usd, usd_started=started)

    @property
    def replaced_share(self) -> float:
        """The most of all requests that come between an instance being replaced and its next call."""
        return min(1.0, self.every_s / REPLACED_EVERY_S)

    def usd_per_hour(self, counts: Floats, at_work: Floats) -> Floats:
        """For so many instances, of which on average so many are at work when called: another is started for each of those."""
        return np.asarray(3600.0 / self.every_s * (counts * self.usd + at_work * (self.usd_started - self.usd)))
