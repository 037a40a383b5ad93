"""The pace of a budget: what of it may be spent by now. One home for the alert that watches it and the panel that draws it."""

from __future__ import annotations

ELAPSED = "((day_of_month() - 1) * 24 + hour()) / (days_in_month() * 24)"
LEAST = 0.1  # the first tenth of a month is too short to call a pace


def allowed(ahead: float) -> str:
    """PromQL: the share (0..1) of a monthly budget above which its spend is `ahead` times too fast, or all is gone (UTC)."""
    return f"clamp({ahead:.6g} * {ELAPSED}, {LEAST * ahead:.6g}, 1)"
