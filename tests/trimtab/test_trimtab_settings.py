"""Settings: what a user writes is taken as it stands, or refused with the way to mend it, all faults at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from domain.errors import SettingsError, UserError
from domain.workload import Bounds, ScaleTarget, ServingMode
from optimizer.options import Options
from optimizer.purchase import PurchaseOptions
from trimtab.__main__ import main
from trimtab.overrides import chosen
from trimtab.rendering import render, rule_options
from trimtab.settings import Settings, resolved
from trimtab.settings_file import parse_settings, read_settings
from trimtab.store.workload_codec import to_workload, workload_body
from trimtab.wiring import build, decision_options
from trimtab.workloads import declared_of, workload_of

ROOT = Path(__file__).resolve().parents[2]


def parsed(text: str, base: Path = Path("/etc/trimtab")) -> Settings:
    return parse_settings(text, name="trimtab.yaml", base=base)


def refusal(text: str) -> list[str]:
    """The lines a user sees."""
    with pytest.raises(UserError) as caught:
        parsed(text)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    "text,line",
    [
        ("prometeus: {url: http://a}", "trimtab.yaml: prometeus: 'prometeus' is not usable; did you mean 'prometheus'?"),
        ("prometheus: {ulr: http://a, url: http://a}", "prometheus.ulr: 'ulr' is not usable; did you mean 'url'?"),
        ("workloads: [{id: a, slo: {atainment: 0.9}}]", "workloads[0].slo.atainment: 'atainment' is not usable; did you mean 'attainment'?"),
        ("zzz: 1", "zzz: 'zzz' is not usable; known here: prometheus, history,"),
        ("prometheus: {}", "prometheus.url: missing; add the key 'url', which is required"),
        ("prometheus: {url: localhost}", "prometheus.url: 'localhost' is not usable; give a URL such as http://"),
        ("history: {lookback_days: -3}", "history.lookback_days: -3 is not usable; give a number greater than 0"),
        ("history: {lookback_days: .inf}", "history.lookback_days: inf is not usable; give a finite number"),
        ("history: {step_s: five}", "history.step_s: 'five' is not usable; give a number"),
        ("api: {port: 70000}", "api.port: 70000 is not usable; give a number of at most 65535"),
        ("api: {port: 80.5}", "api.port: 80.5 is not usable; give a whole number"),
        ("defaults: {slo: {attainment: 1}}", "defaults.slo.attainment: 1 is not usable; give a number less than 1"),
        ("defaults: {modes: []}", "defaults.modes: [] is not usable; give at least 1"),
        ("defaults: {modes: [bare]}", "defaults.modes[0]: 'bare' is not usable; give 'serverless', 'dedicated' or 'shared'"),
        ("defaults: 3", "defaults: 3 is not usable; write a section of keys there"),
        ("workloads: {id: a}", "workloads: {'id': 'a'} is not usable; give a list, each entry beginning with '- '"),
        ("workloads: [{id: a}, {id: a}]", "workloads: 'a' is not usable; give each workload an id of its own"),
        ("workloads: [{id: a, bounds: {min_replicas: 4, max_replicas: 2}}]", "bounds.max_replicas: 2 is not usable; give at least min_replicas (4)"),
        ("defaults: {capacity_rps: 3, capacity_tps: 900}", "defaults.capacity_tps: 900 is not usable; give capacity_rps or capacity_tps, not both"),
        ("defaults: {prompt_token_weight: 0}", "defaults.prompt_token_weight: 0 is not usable; give a number greater than 0"),
        ("workloads: [{id: a, target: {name: x, kind: CronJob}}]", "target.kind: 'CronJob' is not usable; give 'Deployment', 'StatefulSet', 'ReplicaSet' or 'EcsService'"),
        ("workloads: [{id: a, target: {kind: EcsService, name: x, namespace: y}}]", "target.namespace: 'y' is not usable; leave it out: kind EcsService has none"),
        ("workloads: [{id: a, target: {name: x, spot_provider: y}}]", "target.spot_provider: 'y' is not usable; leave it out: kind Deployment has none"),
        ("workloads: [{id: a, target: {kind: EcsService, name: x/y}}]", "target.name: 'x/y' is not usable; give letters, digits, - and _, at most 255"),
        ("workloads: [{id: a, target: {name: X}}]", "target.name: 'X' is not usable; give a name as Kubernetes has them"),
        ("schedule: {cycle: often}", "schedule.cycle: 'often' is not usable; give a cron expression such as '*/5 * * * *'"),
        ("schedule: {timezone: Mars/North}", "schedule.timezone: 'Mars/North' is not usable; give an IANA time zone"),
        ("store: {url: trimtab.db}", "store.url: 'trimtab.db' is not usable; give a SQLAlchemy URL such as sqlite:///"),
        ("a: 1\na: 2", "key 'a' stands twice in line 2"),
        ("a: [1", "write valid YAML there"),
        ("? {a: 1}\n: 2", "write valid YAML there"),
        ("- a", "write a mapping of sections: prometheus, history,"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line_with_field_value_and_fix(text: str, line: str) -> None:
    lines = refusal(text)
    assert len(lines) == 1
    assert lines[0].startswith("trimtab.yaml: ")
    assert line in lines[0]


def test_all_faults_are_told_at_once() -> None:
    lines = refusal("api: {port: x, hots: y}\nhistory: {step_s: 0}\nworkloads: [{match: {a: b}}]")
    assert [line.split(": ")[1] for line in lines] == ["history.step_s", "workloads[0].id", "api.port", "api.hots"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--config: '.*nothing\.yaml' is not usable; name a readable YAML file"):
        read_settings(tmp_path / "nothing.yaml")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="it is not UTF-8 text"):
        read_settings(tmp_path / "bad.yaml")


def test_relative_paths_begin_at_the_settings_file() -> None:
    settings = parsed("history: {files: {a: traces/a.csv, b: /data/b.csv}}\nemit: {dir: ../out}\nprices: {file: p.csv}")
    assert settings.history.files == {"a": Path("/etc/trimtab/traces/a.csv"), "b": Path("/data/b.csv")}
    assert settings.emit.dir == Path("/etc/out")
    assert settings.prices.file == Path("/etc/trimtab/p.csv")
    assert settings.store.url == "sqlite:////etc/trimtab/trimtab.db"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql+psycopg://me@db/trimtab"])
def test_a_store_that_is_no_relative_file_is_left_alone(url: str) -> None:
    assert parsed(f"store: {{url: '{url}'}}").store.url == url


def test_settings_can_not_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parsed("").api.port = 1


def test_a_workload_takes_from_the_defaults_what_it_does_not_say_section_by_section() -> None:
    settings = parsed(
        """
defaults: {capacity_rps: 3, mode: dedicated, cloud: gcp, slo: {attainment: 0.99, latency_ms: 250}, bounds: {min_replicas: 2}}
workloads:
  - {id: "a:b", match: {service: a, model: b, version: 3}, slo: {latency_ms: 900}, capacity_rps: 7, time_to_ready_s: 90,
     modes: [dedicated, shared], target: {name: web, namespace: shop}, mode: null}
"""
    )
    section = resolved(settings.workloads[0], settings.defaults)
    workload, declared = workload_of(section), declared_of(section)
    assert workload.labels == {"service": "a", "model": "b", "version": "3"}
    assert (workload.slo.attainment, workload.slo.latency) == (0.99, timedelta(milliseconds=900))
    assert workload.bounds == Bounds(min_replicas=2)
    assert workload.modes == {ServingMode.DEDICATED, ServingMode.SHARED}
    assert (workload.cloud, workload.target) == ("gcp", ScaleTarget(name="web", namespace="shop"))
    assert (declared.capacity_rps, declared.mode) == (7, ServingMode.DEDICATED)
    assert declared.time_to_ready == timedelta(seconds=90)
    assert declared.service_time is None


def test_a_capacity_of_its_own_stands_alone_in_whatever_unit() -> None:
    settings = parsed(
        "defaults: {capacity_rps: 3}\nworkloads: [{id: a, capacity_tps: 900, prompt_token_weight: 0.2}, {id: b}]"
    )
    of_a, of_b = (declared_of(resolved(section, settings.defaults)) for section in settings.workloads)
    assert (of_a.capacity_rps, of_a.capacity_tps, of_a.prompt_token_weight) == (None, 900, 0.2)
    assert (of_b.capacity_rps, of_b.capacity_tps) == (3, None)
    said = chosen(settings, prometheus=None, files=(), capacity=5.0, keep=False)
    stated = [declared_of(resolved(section, said.defaults)) for section in said.workloads]
    assert [(each.capacity_rps, each.capacity_tps) for each in stated] == [(5, None), (5, None)]


def test_how_machines_are_bought_today_is_a_workloads_own_and_no_more_than_the_whole() -> None:
    settings = parsed(
        "defaults: {purchase: {reserved: 0.8}}\nworkloads: [{id: a, purchase: {spot: 0.5}}, {id: b}, {id: c, purchase: {}}]"
    )
    stated = [declared_of(resolved(section, settings.defaults)) for section in settings.workloads]
    assert [(each.reserved_share, each.spot_share) for each in stated] == [(0, 0.5), (0.8, 0), (0, 0)]
    with pytest.raises(UserError, match=r"purchase\.spot: 0\.4 .*at most what reserved leaves of the whole"):
        parsed("workloads: [{id: a, purchase: {reserved: 0.7, spot: 0.4}}]")


def test_promises_on_tokens_and_statelessness_reach_the_workload() -> None:
    settings = parsed("workloads: [{id: a, stateless: false, slo: {time_to_first_token_ms: 400, inter_token_ms: 50}}]")
    workload = workload_of(resolved(settings.workloads[0], settings.defaults))
    assert workload.stateless is False
    assert (workload.slo.time_to_first_token, workload.slo.inter_token) == (
        timedelta(milliseconds=400),
        timedelta(milliseconds=50),
    )


def test_a_country_reaches_the_workload_and_one_without_holidays_is_refused() -> None:
    settings = parsed("defaults: {country: DE}\nworkloads: [{id: a}, {id: b, country: FR}]")
    named = [workload_of(resolved(section, settings.defaults)) for section in settings.workloads]
    assert [each.country for each in named] == ["DE", "FR"]
    assert [to_workload(workload_body(each)).country for each in named] == ["DE", "FR"]
    with pytest.raises(UserError, match=r"country: 'Atlantis' .*ISO 3166"):
        parsed("workloads: [{id: a, country: Atlantis}]")


def test_the_example_is_right_and_has_every_shape_of_load() -> None:
    settings = read_settings(ROOT / "examples" / "trimtab.yaml")
    assert len(settings.workloads) >= 3
    assert all(path.is_file() for path in settings.history.files.values())


@pytest.mark.parametrize(
    "history,fix",
    [
        ("{step_s: 0.5}", "whole seconds"),
        ("{step_s: 300.5}", "whole seconds"),
        ("{step_s: 300, lookback_days: 0.001}", "shorter than lookback_days"),
    ],
)
def test_a_step_that_prometheus_cannot_be_asked_in_is_refused(history: str, fix: str) -> None:
    with pytest.raises(UserError, match=fix):
        parse_settings(f"history: {history}", name="f", base=Path())


def build_refusal(text: str, base: Path) -> list[str]:
    with pytest.raises(UserError) as caught:
        build(parsed(f"{text}\nprometheus: {{url: 'http://127.0.0.1:9'}}\nstore: {{url: 'sqlite://'}}", base))
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    "text,line",
    [
        ("defaults: {runtime: vlm}", "defaults.runtime: 'vlm' is not usable; did you mean 'vllm'? known here: recorded, "),
        ("workloads: [{id: a, runtime: nope}]", "workloads.a.runtime: 'nope' is not usable; known here: recorded, "),
        ("defaults: {cloud: asw}", "defaults.cloud: 'asw' is not usable; did you mean 'aws'? known here: aws, azure, gcp"),
        ("workloads: [{id: a, cloud: nowhere}]", "workloads.a.cloud: 'nowhere' is not usable; known here: aws, azure, gcp"),
        ("workloads: [{id: chat, anti_affinity: [rankr]}, {id: ranker}]", "workloads.chat.anti_affinity: 'rankr' is not usable; did you mean 'ranker'?"),
        ("objectives: [{workload: zz, budget_usd_per_month: 5}]\nworkloads: [{id: a}]", "objectives.0.workload: 'zz' is not usable; known here: a"),
        ("objectives: [{team: serch}]\nworkloads: [{id: a, team: search}]", "objectives.0.team: 'serch' is not usable; did you mean 'search'?"),
        ("defaults: {bounds: {min_replicas: 5}}\nworkloads: [{id: a, bounds: {max_replicas: 2}}]", "workloads.a, with what the defaults say: bounds.max_replicas: 2 is not usable; give at least min_replicas (5)"),
    ],
)  # fmt: skip
def test_a_name_that_nobody_knows_is_refused(text: str, line: str, tmp_path: Path) -> None:
    lines = build_refusal(text, tmp_path)
    assert len(lines) == 1
    assert lines[0].startswith(line)


@pytest.mark.parametrize(
    "text",
    [
        "defaults: {cloud: runpod, region: wherever, resources: {accelerator: l4}}",
        "defaults: {cloud: gcp}\nworkloads: [{id: a, region: us-central1}]",
        "workloads: [{id: a, offer: lambda}, {id: b, offer: m5.large}, {id: c, offer: cloud_run, mode: serverless}]",
        "objectives: [{workload: a}, {team: search}]\nworkloads: [{id: a, team: search}]",
        "objectives: [{workload: seen-in-metrics}, {team: whose}]",
    ],
)
def test_a_name_that_somebody_knows_or_may_know_later_is_taken(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Services are those of every cloud, as today's bill takes them; without `workloads` the source says who there is."""
    build(parsed(f"{text}\nprometheus: {{url: 'http://127.0.0.1:9'}}\nstore: {{url: 'sqlite://'}}", tmp_path))
    assert not caplog.records


@pytest.mark.parametrize(
    "text, line",
    [
        ("defaults: {region: us-aest-1}", "defaults.region: 'us-aest-1' has no prices, so nothing can be proposed there; did you mean 'us-east-1'? known of aws: us-east-1; "),
        ("workloads: [{id: a, region: eu-mars-1}, {id: b}]", "workloads.a.region: 'eu-mars-1' has no prices"),
        ("workloads: [{id: a, cloud: gcp}, {id: b}]", "workloads.a.region: 'us-east-1' has no prices, so nothing can be proposed there; did you mean 'us-central1'?"),
        ("defaults: {region: eu-mars-1}\nworkloads: [{id: a}, {id: b}]", "defaults.region: 'eu-mars-1' has no prices"),
        ("defaults: {resources: {accelerator: Z9000}}", "defaults.resources.accelerator: 'Z9000' is in no machine that has a price, so nothing can be proposed; "),
        ("workloads: [{id: a, resources: {accelerator: l40}}]", "workloads.a.resources.accelerator: 'l40' is in no machine that has a price, so nothing can be proposed; did you mean 'L4"),
        ("workloads: [{id: a, offer: m99.large, mode: dedicated}]", "workloads.a.offer: 'm99.large' has no price, so neither today's bill nor a saving is known; did you mean 'm"),
        ("workloads: [{id: a, offer: lamda, mode: serverless}]", "workloads.a.offer: 'lamda' has no price, so neither today's bill nor a saving is known; did you mean 'lambda'? `trimtab prices show` lists"),
        ("defaults: {offer: lambda}\nworkloads: [{id: a, mode: dedicated}]", "workloads.a.offer: 'lambda' has no price"),
    ],
)  # fmt: skip
def test_a_name_without_a_price_is_warned_of_and_watched_all_the_same(
    text: str, line: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    build(parsed(f"{text}\nprometheus: {{url: 'http://127.0.0.1:9'}}\nstore: {{url: 'sqlite://'}}", tmp_path))
    (said,) = caplog.messages
    assert said.startswith(line)


def test_all_unknown_names_are_told_at_once_and_a_cloud_of_ones_own_prices_is_known(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(
        "cloud,region,instance_type,vcpus,memory_gib,on_demand_usd_per_hour\nrack,r1,box,8,32,0.2\n"
    )
    lines = build_refusal("defaults: {cloud: rack, runtime: nope}", tmp_path)
    assert [line.split(":")[0] for line in lines] == ["defaults.runtime", "defaults.cloud"]
    lines = build_refusal("defaults: {cloud: rack, runtime: nope}\nprices: {file: own.csv}", tmp_path)
    assert [line.split(":")[0] for line in lines] == ["defaults.runtime"]


@pytest.mark.parametrize("step_s,minutes", [(60, 15), (300, 15), (3600, 180)])
def test_an_input_is_stale_after_three_steps_and_at_least_fifteen_minutes(step_s: int, minutes: int) -> None:
    assert rule_options(parsed(f"history: {{step_s: {step_s}}}")).input_age == timedelta(minutes=minutes)
    recorded = render("rules", parsed(f"history: {{step_s: {step_s}}}"), (), ())
    assert any(f"trimtab_input_age_seconds) > {minutes * 60}\n" in artifact.text for artifact in recorded)


def test_the_bound_of_accuracy_reaches_the_workload_and_survives_the_store() -> None:
    settings = parsed("workloads: [{id: a, slo: {min_accuracy: 0.9}}, {id: b}]")
    a, b = (workload_of(resolved(section, settings.defaults)) for section in settings.workloads)
    assert (a.slo.min_accuracy, b.slo.min_accuracy) == (0.9, None)
    assert [to_workload(workload_body(each)) for each in (a, b)] == [a, b]


def test_what_may_live_together_reaches_the_decision_and_the_workload() -> None:
    settings = parsed(
        "sharing: {max_workloads: 4, max_team_share: 0.5}\n"
        "defaults: {isolation_group: bank}\nworkloads: [{id: a, anti_affinity: [b]}, {id: b}]"
    )
    sharing = decision_options(settings).modes.sharing
    assert (sharing.enabled, sharing.max_workloads, sharing.max_team_share, sharing.max_fleet_share) == (
        True,
        4,
        0.5,
        None,
    )
    a, b = (workload_of(resolved(section, settings.defaults)) for section in settings.workloads)
    assert (a.isolation_group, a.anti_affinity, b.anti_affinity) == ("bank", frozenset("b"), frozenset())
    assert [to_workload(workload_body(each)) for each in (a, b)] == [a, b]


@pytest.mark.parametrize("wrong", ["host_fill: 0", "host_fill: 1.2", "max_workloads: 1", "max_team_share: 0"])
def test_limits_of_sharing_that_mean_nothing_are_refused(wrong: str) -> None:
    assert refusal(f"sharing: {{{wrong}}}")[0].startswith(f"trimtab.yaml: sharing.{wrong.partition(':')[0]}: ")


def test_how_often_is_decided_reaches_the_decision() -> None:
    assert decision_options(parsed("decisions: {interval_s: 300}")).modes.decision_interval == timedelta(minutes=5)
    assert refusal("decisions: {interval_s: 0}")[0].startswith("trimtab.yaml: decisions.interval_s: ")


def test_how_machines_may_be_bought_reaches_the_decision() -> None:
    """And changes nothing where it is not said."""
    settings = parsed(
        "purchase: {max_term_days: 1095, max_upfront_share: 0.5, min_history_days: 60, min_firm_share: 0.8, spot_budget_share: 0.1}\n"
        "decisions: {max_price_age_days: 30}"
    )
    options = decision_options(settings)
    assert options.modes.purchase == PurchaseOptions(
        max_term=timedelta(days=1095),
        max_upfront_share=0.5,
        committing_history=timedelta(days=60),
        firm_share=0.8,
        spot_budget_share=0.1,
    )
    assert options.guardrails.max_price_age == timedelta(days=30)
    assert decision_options(parsed("")) == Options()
    assert not decision_options(parsed("decisions: {kept_by_calls: false}")).modes.calls


@pytest.mark.parametrize(
    "wrong", ["max_term_days: -1", "max_upfront_share: 1.1", "min_history_days: .inf", "min_firm_share: -0.1"]
)
def test_limits_of_purchase_that_mean_nothing_are_refused(wrong: str) -> None:
    assert refusal(f"purchase: {{{wrong}}}")[0].startswith(f"trimtab.yaml: purchase.{wrong.partition(':')[0]}: ")


@pytest.mark.parametrize("decisions,held", [("{}", False), ("{max_price_age_days: 3650}", True)])
def test_prices_of_an_age_that_settings_do_not_allow_hold_what_rests_on_them(
    decisions: str, held: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An undated price is over any age."""
    box = "{cloud: own, region: rack, instance_type: box, vcpus: 2, memory_gib: 8, on_demand_usd_per_hour: 0.1}"
    (tmp_path / "own.yaml").write_text(f"offers: [{box}]\n", encoding="utf-8")
    path = tmp_path / "t.yaml"
    path.write_text(
        f"history: {{files: {{a: {ROOT / 'examples/traces/azfn_bd33.csv.gz'}}}}}\n"
        "defaults: {cloud: own, region: rack, modes: [dedicated], mode: dedicated}\n"
        "workloads: [{id: a, capacity_rps: 4, service_time_ms: 200, time_to_ready_s: 90, replicas: 24, offer: box}]\n"
        f"decisions: {decisions}\nprices: {{file: own.yaml}}\nstore: {{url: 'sqlite:///t.db'}}\n",
        encoding="utf-8",
    )
    assert main(["recommend", "--config", str(path)]) == 0
    assert main(["explain", "a", "--config", str(path)]) == 0
    assert ("price_too_old" in capsys.readouterr().out) is held
