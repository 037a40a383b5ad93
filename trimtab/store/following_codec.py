"""What is followed to JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.plan import CalendarStep
from domain.workload import ServingMode
from trimtab.following import Following

MOMENTS = ("since", "last", "lost")


def following_body(following: Following) -> dict[str, Any]:
    """As JSON; moments as ISO 8601."""
    moments = {name: getattr(following, name) for name in MOMENTS}
    return {
        "mode": following.mode.value,
        "offer": following.offer,
        "wanted": [[step.at.isoformat(), step.replicas] for step in following.wanted],
        "first": following.first,
        **{name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
    }


def to_following(body: Mapping[str, Any]) -> Following:
    """What `following_body` wrote."""
    moments = {name: None if body[name] is None else datetime.fromisoformat(body[name]) for name in MOMENTS}
    return Following(
        mode=ServingMode(body["mode"]),
        offer=body["offer"],
        wanted=tuple(CalendarStep(at=datetime.fromisoformat(at), replicas=count) for at, count in body["wanted"]),
        first=body["first"],
        **moments,
    )
