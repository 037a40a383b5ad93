"""Asks Prometheus and recorded files, and answers in domain words."""
