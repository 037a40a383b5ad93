"""The nightly cost report: a page to read (HTML) and the same figures to compute with (CSV)."""

from __future__ import annotations

from dashboards.report.model import DayCost, NightlyReport, PriceSource, Shortfall, WorkloadRow

__all__ = ["DayCost", "NightlyReport", "PriceSource", "Shortfall", "WorkloadRow"]
