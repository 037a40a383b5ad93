"""Recording rules, alerts with their unit tests, and the configurations of Prometheus and Alertmanager, as text."""

from rules.asking import Reading
from rules.options import OperatorOptions, RuleOptions
from rules.proof import About, Episode, Proof, Proofs
from rules.proof_files import proof_body
from rules.receivers import Email, MsTeams, PagerDuty, Receiver, Slack, Webhook
from rules.render import render
from rules.replay import ENOUGH, Question, Way, answered, questions
from rules.routing import AlertmanagerOptions, alertmanager
from rules.scraping import PrometheusOptions, prometheus_config

__all__ = [
    "ENOUGH",
    "About",
    "AlertmanagerOptions",
    "Email",
    "Episode",
    "MsTeams",
    "OperatorOptions",
    "PagerDuty",
    "PrometheusOptions",
    "Proof",
    "Proofs",
    "Question",
    "Reading",
    "Receiver",
    "RuleOptions",
    "Slack",
    "Way",
    "Webhook",
    "alertmanager",
    "answered",
    "prometheus_config",
    "proof_body",
    "questions",
    "render",
]
