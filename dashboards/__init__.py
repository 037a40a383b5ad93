"""Grafana dashboards and the nightly report: facts in, texts out."""

from dashboards.options import DashboardOptions
from dashboards.render import render

__all__ = ["DashboardOptions", "render"]
