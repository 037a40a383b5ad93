"""Rule files and their unit tests for a fleet: the use case of this part."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from domain.artifact import Artifact
from domain.names import safe_name
from domain.plan import Recommendation
from domain.signals import RuntimeProfile
from domain.workload import Workload
from rules.alerts import of_fleet, of_workload
from rules.document import document
from rules.groups import alert_groups, recording_group
from rules.model import Alert, Subject, subjects_of
from rules.operator import prometheus_rule
from rules.options import DEFAULTS, RuleOptions
from rules.proof import FLEET, Emitted, Proofs, emitted
from rules.proof_files import proof_files
from rules.recording import Watched, history_rules, objective_rules, slow_rules
from rules.specimen import exports_metrics
from rules.testing import unit_tests

HEADER = "Written by `trimtab render rules`: change the settings, not this file."


def render(
    targets: Sequence[tuple[Workload, RuntimeProfile]],
    recommendations: Sequence[Recommendation],
    options: RuleOptions = DEFAULTS,
    proofs: Proofs | None = None,
) -> tuple[Artifact, ...]:
    """Recording rules per runtime, alerts per workload and for the fleet, each alert with its unit tests.

    With `proofs` each alert says what it would have done on real history, and two more files say it of all.
    All files lie in one folder. The order of the arguments does not matter. ValueError for a workload
    without the identity labels of its runtime.
    """
    profiles = {profile.name: profile for _, profile in targets}
    watched = {
        name: {
            (signal, workload.slo.latency_quantile)
            for workload, profile in targets
            if profile.name == name
            for signal in workload.slo.latency_bounds
        }
        for name in profiles
    }
    subjects = subjects_of(targets, recommendations, options)
    alerts = {subject.workload.id: of_workload(subject) for subject in subjects}
    known = proofs or {}
    return (
        *(artifact for name in sorted(profiles) for artifact in _recorded(profiles[name], watched[name], options)),
        *_fleet(of_fleet(options), options, known),
        *(artifact for each in subjects for artifact in _workload(each, alerts[each.workload.id], known)),
        *(() if proofs is None else proof_files({FLEET: of_fleet(options), **alerts}, proofs, options)),
    )


def _recorded(profile: RuntimeProfile, watched: Collection[Watched], options: RuleOptions) -> tuple[Artifact, ...]:
    """The history's series in a file of their own: only they are worth computing for the past."""
    name, by = f"trimtab:{profile.name}", f"of every workload on {profile.name}, by {', '.join(profile.identity)}"
    history = [recording_group(f"{name}:history", options.interval, history_rules(profile))]
    objectives = [
        recording_group(f"{name}:objectives", options.interval, objective_rules(profile, watched)),
        recording_group(f"{name}:slow", options.slow_interval, slow_rules(profile, watched)),
    ]
    recorded, compared = _recorded_files(profile)
    return (
        *_rules(recorded, history, f"History {by}.", options),
        *_rules(compared, objectives, f"What alerts compare, {by}.", options),
    )


def _fleet(alerts: Iterable[Alert], options: RuleOptions, proofs: Proofs) -> tuple[Artifact, ...]:
    written = [emitted(alert, FLEET, proofs, options) for alert in alerts]
    rules, tests = "trimtab-fleet.rules.yml", "trimtab-fleet_test.yml"
    groups = alert_groups("trimtab:fleet", written, {}, options)
    return (
        *_rules(rules, groups, "Alerts on Trimtab's own metrics.", options),
        _file(tests, unit_tests(written, [rules], {}, options), f"Run with `promtool test rules {tests}`."),
    )


def _workload(subject: Subject, alerts: Iterable[Alert], proofs: Proofs) -> tuple[Artifact, ...]:
    workload, options = subject.workload, subject.options
    written: list[Emitted] = [emitted(alert, workload.id, proofs, options) for alert in alerts]
    name = f"workload-{safe_name(workload.id)}"
    rules, tests = f"{name}.rules.yml", f"{name}_test.yml"
    owner = {"workload": workload.id} | ({"team": workload.team} if workload.team else {})
    recording = _recorded_files(subject.profile) if exports_metrics(subject) else ()
    groups = alert_groups(f"trimtab:{name}", written, owner, options)
    return (
        *_rules(rules, groups, f"Alerts on {workload.id}.", options),
        _file(
            tests,
            unit_tests(written, [*recording, rules], owner, options),
            f"Alerts on {workload.id}: run with `promtool test rules {tests}`.",
        ),
    )


def _recorded_files(profile: RuntimeProfile) -> tuple[str, str]:
    name = safe_name(profile.name)
    return f"recorded-{name}.rules.yml", f"objectives-{name}.rules.yml"


def _rules(name: str, groups: list[dict[str, Any]], about: str, options: RuleOptions) -> Iterator[Artifact]:
    """A rule file, and for the operator the same as an object."""
    content = {"groups": [group for group in groups if group["rules"]]}
    yield _file(name, content, about)
    if options.operator is not None:
        yield prometheus_rule(name, content, (HEADER, about), options.operator)


def _file(name: str, content: Mapping[str, Any], about: str) -> Artifact:
    return Artifact(path=PurePosixPath(name), text=document(content, (HEADER, about)))
