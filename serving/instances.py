"""The registry of services: instances that report themselves, and are forgotten when they stop doing so.

In memory and bounded. Prometheus can discover what is registered (`http_sd_configs`), and so can clients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from serving.errors import NotFound, Unavailable

MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One instance of a service, alive until `expires_at_s` of the registry's clock."""

    name: str
    url: str
    expires_at_s: float


class Instances:
    """Registered instances, told apart by name and URL; `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], Instance] = {}

    def register(self, name: str, url: str, ttl_s: float) -> bool:
        """Register or renew; whether it is new. Unavailable when `MOST` others are alive."""
        self._forget_expired()
        new = (name, url) not in self._known
        if new and len(self._known) >= MOST:
            raise Unavailable(f"{MOST} instances are registered, which is all there is room for")
        self._known[name, url] = Instance(name=name, url=url, expires_at_s=self._clock() + ttl_s)
        return new

    def remove(self, name: str, url: str) -> None:
        """Forget an instance; NotFound if it is not registered."""
        self._forget_expired()
        if self._known.pop((name, url), None) is None:
            raise NotFound(f"service {name!r} has no instance at {url!r}")

    def alive(self) -> tuple[Instance, ...]:
        """All that reported themselves in time, by name and URL."""
        self._forget_expired()
        return tuple(self._known[key] for key in sorted(self._known))

    def left_s(self, instance: Instance) -> float:
        """Seconds until it is forgotten."""
        return instance.expires_at_s - self._clock()

    def _forget_expired(self) -> None:
        now = self._clock()
        self._known = {key: one for key, one in self._known.items() if one.expires_at_s > now}
