"""A day's timetable of serverless instances that are kept warm."""

from __future__ import annotations

from dataclasses import dataclass

HOURS = 24
MOST_STRETCHES = 4  # that are told one by one


@dataclass(frozen=True, slots=True)
class Warm:
    """Instances kept warm in each hour of the day (UTC); all zero is plain serverless.

    They are bought at the tariff's price for that, or where `called_every_s` is given kept by calls.
    """

    counts: tuple[int, ...] = (0,) * HOURS
    called_every_s: float | None = None

    @property
    def kept(self) -> bool:
        return any(self.counts)

    @property
    def mean(self) -> float:
        return sum(self.counts) / HOURS

    def __str__(self) -> str:
        """`1 from 08:00 to 20:00 UTC`, stretch by stretch where there are few."""
        if len(set(self.counts)) == 1:
            how = "" if self.called_every_s is None else f" by calls every {self.called_every_s:g} s"
            return f"{self.counts[0]}{how} at all hours"
        first = next(i for i in range(HOURS) if self.counts[i] != self.counts[i - 1])
        said, begin = [], first
        for step in range(1, HOURS + 1):
            hour = (first + step) % HOURS
            if self.counts[hour] != self.counts[begin] or step == HOURS:
                if self.counts[begin]:
                    said.append(f"{self.counts[begin]} from {begin:02d}:00 to {hour:02d}:00")
                begin = hour
        if len(said) > MOST_STRETCHES:
            return f"{min(self.counts)} to {max(self.counts)} by the hour of the day, {self.mean:.3g} on average"
        return ", ".join(said) + " UTC"
