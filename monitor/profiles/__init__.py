"""How each serving runtime is asked for its signals: one data module a runtime, tabled here.

`RECORDED_WINDOW` and `RECORDED_QUANTILE` are what the recorded series of every profile were computed with.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from domain.signals import RuntimeProfile
from monitor.profiles import trimtab_serving, vllm

RECORDED_WINDOW = timedelta(minutes=5)
RECORDED_QUANTILE = 0.95

PROFILES: Mapping[str, RuntimeProfile] = {profile.name: profile for profile in (trimtab_serving.PROFILE, vllm.PROFILE)}
