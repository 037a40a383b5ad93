"""Renders Grafana dashboards with their provisioning, and the nightly cost report."""
