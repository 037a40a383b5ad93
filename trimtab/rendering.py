"""From settings and recommendations to artifacts: which renderer gets what."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import dashboards
import manifests
import rules
from domain.artifact import Artifact
from domain.errors import SettingsError
from domain.plan import Recommendation
from domain.signals import RuntimeProfile
from domain.workload import Workload
from monitor.profiles import PROFILES
from trimtab.files import write_artifacts
from trimtab.notify import without_credentials
from trimtab.records import Record, Status
from trimtab.settings import ReceiverSettings, Settings

log = logging.getLogger(__name__)

KINDS = ("rules", "alertmanager", "prometheus", "dashboards", "manifests")


def render(
    kind: str,
    settings: Settings,
    workloads: Sequence[Workload],
    recommendations: Sequence[Recommendation],
    proofs: rules.Proofs | None = None,
) -> tuple[Artifact, ...]:
    """The artifacts of one of `KINDS`; SettingsError for a workload that cannot be rendered.

    `proofs` go beside the rules; None where rules are not to be proved.
    """
    renderers: Mapping[str, Callable[[], tuple[Artifact, ...]]] = {
        "rules": lambda: rules.render(_targets(workloads), recommendations, rule_options(settings), proofs),
        "alertmanager": lambda: rules.alertmanager(alertmanager_options(settings)),
        "prometheus": lambda: rules.prometheus_config(
            rules.PrometheusOptions(
                serving=settings.scrape.serving,
                quality=settings.scrape.quality,
                trimtab=(_address(settings),),
                node_exporters=settings.scrape.node_exporters,
                kube_state_metrics=settings.scrape.kube_state_metrics,
                alertmanagers=(_plain(settings.alertmanager.url),),
                kubernetes=settings.scrape.kubernetes,
            )
        ),
        "dashboards": lambda: dashboards.render(_targets(workloads), dashboard_options(settings)),
        "manifests": lambda: manifests.render(
            {each.id: each for each in workloads}, recommendations, manifest_options(settings)
        ),
    }
    try:
        return tuple(renderers[kind]())
    except ValueError as fault:
        raise SettingsError(
            f"render {kind}", str(fault), "mend that workload in the settings (match, runtime, target)"
        ) from fault


def rule_options(settings: Settings) -> rules.RuleOptions:
    """The settings as the options of rules: an input is stale after three steps of the history that it is read in."""
    usual, section = rules.RuleOptions(), settings.rules
    return replace(
        usual,
        runbook_base_url=section.runbook_base_url,
        interval=timedelta(seconds=section.interval_s),
        min_requests=section.min_requests,
        error_ratio=section.error_ratio,
        min_accuracy=section.min_accuracy,
        max_drift=section.max_drift,
        input_age=max(usual.input_age, 3 * timedelta(seconds=settings.history.step_s)),
        expiring=timedelta(minutes=section.expiring_minutes),
        budgets=any(each.budget_usd_per_month for each in settings.objectives),
        budget_ahead=section.budget_ahead,
        cost_factor=section.cost_factor,
        cost_floor_usd_per_hour=section.cost_floor_usd_per_hour,
        operator=rules.OperatorOptions(namespace=section.namespace, labels=section.labels)
        if section.form == "crd"
        else None,
        most_a_week={"critical": section.most_critical_a_week, "warning": section.most_warnings_a_week},
    )


def alertmanager_options(settings: Settings) -> rules.AlertmanagerOptions:
    """Trimtab's own webhook, and the receivers of the settings."""
    return rules.AlertmanagerOptions(
        webhook_url=f"{settings.api.base_url or f'http://{_address(settings)}'}/alerts/webhook",
        receivers=tuple(
            rules.Receiver(way=_way(each), severities=each.severities, teams=each.teams)
            for each in settings.alertmanager.receivers
        ),
    )


def _way(section: ReceiverSettings) -> rules.Email | rules.Slack | rules.PagerDuty | rules.MsTeams | rules.Webhook:
    if section.email is not None:
        return rules.Email(**section.email.model_dump())
    if section.slack is not None:
        return rules.Slack(**section.slack.model_dump())
    if section.pagerduty is not None:
        return rules.PagerDuty(**section.pagerduty.model_dump())
    if section.msteams is not None:
        return rules.MsTeams(**section.msteams.model_dump())
    assert section.webhook is not None  # noqa: S101  the section has exactly one of them
    return rules.Webhook(**section.webhook.model_dump())


def questions(settings: Settings, workloads: Sequence[Workload], records: Sequence[Record]) -> Sequence[rules.Question]:
    """The alerts that are rendered for the same arguments, to be replayed; none where rules are not to be proved."""
    if not settings.rules.proof_days:
        return ()
    return rules.questions(_targets(workloads), to_render("rules", records), rule_options(settings))


def emit(
    settings: Settings, proofs: Callable[[], rules.Proofs], workloads: Sequence[Workload], records: Sequence[Record]
) -> None:
    """What changes with the recommendations, in one folder a kind; our files that are no longer rendered go."""
    if settings.emit.dir is None:
        return
    proved = proofs() if settings.rules.proof_days else None
    for kind in ("rules", "dashboards", "manifests"):
        artifacts = render(kind, settings, workloads, to_render(kind, records), proved)
        write_artifacts(settings.emit.dir / kind, artifacts, clean=True, option="emit.dir")


def to_render(kind: str, records: Sequence[Record]) -> list[Recommendation]:
    """What a kind of artifact rests on: manifests on no proposal that a person has dismissed, for they are applied."""
    applied = kind == "manifests"
    return [r.recommendation for r in records if not (applied and r.decision is Status.DISMISSED)]


def _targets(workloads: Sequence[Workload]) -> list[tuple[Workload, RuntimeProfile]]:
    """Workloads that a profile can ask Prometheus about; a recording without labels has no metrics."""
    targets = []
    for workload in workloads:
        profile = PROFILES.get(workload.runtime)
        if profile is None or not set(profile.identity) <= workload.labels.keys():
            log.warning(
                "%s: no runtime profile and labels (`runtime`, `match`), so nothing asks for its metrics", workload.id
            )
        else:
            targets.append((workload, profile))
    return targets


def _address(settings: Settings) -> str:
    return f"{settings.api.host}:{settings.api.port}"


def _plain(url: str | None) -> str:
    return "http://127.0.0.1:9093" if url is None else without_credentials(url)


def dashboard_options(settings: Settings) -> dashboards.DashboardOptions:
    """The settings of Grafana as the options of dashboards, and the bounds that decisions and alerts keep to."""
    section, own, alerts = settings.emit.grafana, settings.prometheus, rule_options(settings)
    usual = dashboards.DashboardOptions().prometheus_url if own is None else own.url
    return dashboards.DashboardOptions(
        prometheus_url=without_credentials(section.prometheus_url or usual),
        dashboards_path=section.dashboards_path,
        folder=section.folder,
        scrape_interval=timedelta(seconds=section.scrape_interval_s),
        stale=alerts.input_age,
        too_old=timedelta(minutes=settings.decisions.max_input_age_minutes),
        budgets=alerts.budgets,
        budget_ahead=alerts.budget_ahead,
    )


def manifest_options(settings: Settings) -> manifests.ManifestOptions:
    """The settings of the cluster as the options of manifests."""
    section, forms = settings.emit.cluster, settings.emit.manifests
    return manifests.ManifestOptions(
        forms=None if forms is None else frozenset(map(manifests.Form, forms)),
        prometheus_url=_seen_from_a_cluster(settings),
        timezone=section.timezone,
        exact_tolerance=section.exact_tolerance,
        cpu_utilization=section.cpu_utilization,
        polling=timedelta(seconds=section.polling_s),
        scale_down_window=timedelta(seconds=section.scale_down_window_s),
        failures_before_fallback=section.failures_before_fallback,
        headroom=section.headroom,
    )


def _seen_from_a_cluster(settings: Settings) -> str | None:
    """The Prometheus that KEDA asks; None where all that is known is an address of this very machine."""
    if settings.emit.cluster.prometheus_url is not None:
        return without_credentials(settings.emit.cluster.prometheus_url)
    if settings.prometheus is None:
        return None
    host = urlsplit(settings.prometheus.url).hostname or ""
    here = host == "localhost" or host.startswith("127.") or host == "::1"
    return None if here else without_credentials(settings.prometheus.url)
