"""Recording rules, alerts with their unit tests, and the configurations of Prometheus and Alertmanager, as text."""

from rules.options import RuleOptions
from rules.render import render
from rules.routing import AlertmanagerOptions, alertmanager
from rules.scraping import PrometheusOptions, prometheus_config

__all__ = ["AlertmanagerOptions", "PrometheusOptions", "RuleOptions", "alertmanager", "prometheus_config", "render"]
