"""What a user may set about the dashboards; the defaults suit a Grafana beside the Prometheus it reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardOptions:
    """Where Grafana finds Prometheus and the dashboard files, and how often new samples come.

    `dashboards_path` is the folder, as Grafana sees it, that the rendered JSON files are put into.
    `scrape_interval` is the shortest step that Grafana asks for. Of an input older than `stale` the alert tells, on one
    older than `too_old` nothing is decided. With `budgets` (any is set) they are drawn, against the pace `budget_ahead`
    of their alert.
    """

    prometheus_url: str = "http://127.0.0.1:9090"
    dashboards_path: str = "/var/lib/grafana/dashboards/trimtab"
    folder: str = "Trimtab"
    scrape_interval: timedelta = timedelta(seconds=15)
    stale: timedelta = timedelta(minutes=15)
    too_old: timedelta = timedelta(minutes=30)
    budgets: bool = False
    budget_ahead: float = 1.1


DEFAULTS = DashboardOptions()
