"""Renders Prometheus recording and alert rules, their tests, and the Alertmanager configuration."""
