"""The bundled price book, and a user's own prices over it."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from domain.errors import SettingsError
from domain.prices import Commitment, Price, PriceBook, ServerlessTariff, WarmRates
from trimtab.prices import bundled, overlaid
from trimtab.userprices import load_user_prices


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return bundled()


def test_three_clouds_are_bundled(book: PriceBook) -> None:
    assert {(offer.cloud, offer.region) for offer in book.offers} == {
        ("aws", "us-east-1"),
        ("gcp", "us-central1"),
        ("azure", "eastus"),
    }


def rows_of(name: str) -> list[dict[str, str]]:
    text = (files("trimtab") / "pricebook" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_every_price_names_its_source_and_its_date_or_says_that_it_has_none(book: PriceBook) -> None:
    priced: list[Price | Commitment | ServerlessTariff | WarmRates] = [
        *(offer.on_demand for offer in book.offers),
        *(offer.spot for offer in book.offers if offer.spot),
        *book.commitments,
        *book.tariffs,
        *(tariff.warm for tariff in book.tariffs if tariff.warm),
        *(fee.price for fee in book.fees),
    ]
    assert len(priced) > 3000
    assert all(each.source and (each.as_of or "without a date" in each.source) for each in priced)
    assert {each.evidence for each in priced} <= {"read", "derived", "third_party", "memory"}


def test_what_was_not_read_at_the_source_is_said_with_the_price(book: PriceBook) -> None:
    """Every tariff states its assumptions: starts and keep-alive times are published by none."""
    assert all(tariff.assumptions for tariff in book.tariffs)
    assert all(tariff.warm.assumptions for tariff in book.tariffs if tariff.warm)


def test_a_service_is_known_by_its_name_alone(book: PriceBook) -> None:
    """A plan names the service it is on: no two clouds have one of the same name."""
    assert len({tariff.service for tariff in book.tariffs}) == len({tariff.key[:2] for tariff in book.tariffs})


def test_every_source_is_in_the_table_with_its_licence_and_used() -> None:
    rows = rows_of("sources.csv")
    assert all(row["licence"] and row["evidence"] for row in rows)
    used = {
        row["source"]
        for name in ("commitments", "serverless", "warm", "tasks", "fees")
        for row in rows_of(f"{name}.csv")
    }
    used |= {row[name] for row in rows_of("instances.csv") for name in ("on_demand_source", "spot_source")} - {""}
    assert used == {row["id"] for row in rows}


def test_no_machine_is_listed_twice_and_spot_is_never_above_on_demand(book: PriceBook) -> None:
    assert len({offer.key for offer in book.offers}) == len(book.offers)
    assert all(offer.spot.amount <= offer.on_demand.amount for offer in book.offers if offer.spot)


def test_known_prices_are_read_as_they_stand(book: PriceBook) -> None:
    """g4dn.xlarge: 0.526 USD/h, one T4 with 16 GiB, spot interrupted up to 20 % a month (band 3)."""
    found = next(offer for offer in book.offers if offer.instance_type == "g4dn.xlarge")
    assert found.on_demand.amount == pytest.approx(0.526)
    assert (found.accelerator, found.accelerator_count, found.gpu_memory_gib) == ("T4", 1, 16)
    assert found.interruption_per_month == pytest.approx(0.2)


@pytest.mark.parametrize(
    "instance_type,card",
    [
        ("p2.8xlarge", ("K80", 8, 12)),
        ("p3.2xlarge", ("V100", 1, 16)),
        ("p3.16xlarge", ("V100", 8, 16)),
        ("g2.8xlarge", ("K520", 4, 4)),
        ("g3s.xlarge", ("M60", 1, 8)),
        ("g3.16xlarge", ("M60", 4, 8)),
        ("dl1.24xlarge", ("Gaudi", 8, 32)),
    ],
)
def test_older_machines_have_their_accelerators_too(
    book: PriceBook, instance_type: str, card: tuple[str, int, float]
) -> None:
    found = next(offer for offer in book.offers if offer.instance_type == instance_type)
    assert (found.accelerator, found.accelerator_count, found.gpu_memory_gib) == card


def test_machines_of_devices_that_serve_no_model_are_left_out(book: PriceBook) -> None:
    """Programmable arrays (f1, f2) and video encoders (vt1) would pass for dear machines without any."""
    assert not {offer.instance_type for offer in book.offers if offer.instance_type.startswith(("f1.", "f2.", "vt1."))}


MACHINE = "cloud,region,instance_type,vcpus,memory_gib,on_demand_usd_per_hour"
GOOD = "aws,us-east-1,box,2,8,0.1"


@pytest.mark.parametrize(
    "text,said",
    [
        (
            f"{MACHINE}\n{GOOD}\naws,us-east-1,box,2,8,free\n",
            "prices.csv: line 3: on_demand_usd_per_hour: 'free' is not",
        ),
        (
            f"{MACHINE}\n{GOOD}\n\naws,us-east-1,,2,8,0.1\n",
            "prices.csv: line 4: instance_type: missing; it is required",
        ),
        (
            f"{MACHINE}\n{GOOD}\naws,us-east-1\n",
            "prices.csv: line 3: instance_type: missing; it is required",
        ),
        (
            f"{MACHINE}\n{GOOD},0.2\n",
            "prices.csv: line 2: ['0.2'] is not usable; take out the cells that have no column",
        ),
        (
            f"{MACHINE},usd_per_gib_second\n{GOOD},1\n",
            "line 2: usd_per_gib_second: '1' is not usable; a CSV holds machines only",
        ),
        (
            f"{MACHINE},acelerator\n{GOOD},T4\n",
            "line 2: acelerator: 'T4' is not usable; no such field; did you mean accelerator?",
        ),
        (f"{MACHINE},accelerator_count\n{GOOD},0.25\n", "line 2: accelerator_count: '0.25' is not"),
        (f"{MACHINE},currency\n{GOOD},EUR\n", "line 2: usd_per_unit: missing;"),
    ],
)
def test_a_fault_of_a_csv_names_its_line_field_value_and_fix(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_user_prices(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_part_of_an_accelerator_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(f"{MACHINE},accelerator,accelerator_count\n{GOOD},A10,0.25\n")
    with pytest.raises(SettingsError, match="leave out machines with a part of an accelerator"):
        load_user_prices(path)


def test_containers_are_priced_by_their_size(book: PriceBook) -> None:
    """Fargate: 0.25 processors at 0.04048 and 0.5 GiB at 0.004445 an hour, up to 16 processors and 120 GiB."""
    tasks = {offer.instance_type: offer for offer in book.offers if offer.task}
    assert tasks["fargate-0.25vcpu-0.5gib"].on_demand.amount == pytest.approx(0.25 * 0.04048 + 0.5 * 0.004445)
    assert (max(task.vcpus for task in tasks.values()), max(task.memory_gib for task in tasks.values())) == (16, 120)
    assert all(task.spot is None for task in tasks.values())


def test_a_managed_cluster_costs_a_tenth_of_a_dollar_an_hour(book: PriceBook) -> None:
    assert {fee.service: fee.price.amount for fee in book.fees} == {"eks": 0.1, "gke": 0.1, "aks_uptime_sla": 0.1}


@pytest.mark.parametrize(
    "key,gib,vcpu,gpu",
    [
        (("aws", "lambda"), 4.1667e-06, 0.0, 0.0),
        (("gcp", "cloud_run"), 2.5e-06, 2.5e-06, 0.0),
        (("azure", "container_apps"), 3e-06, 3e-06, 0.0),
        (("runpod", "flex_a100"), 0.0, 0.0, 0.0006),
        (("modal", "modal_a100"), 2.22e-06, 6.55e-06, 0.000694),
    ],
)
def test_rates_of_instances_kept_warm_are_read_as_they_stand(
    book: PriceBook, key: tuple[str, str], gib: float, vcpu: float, gpu: float
) -> None:
    [warm] = [tariff.warm for tariff in book.tariffs if (tariff.cloud, tariff.service) == key]
    assert warm is not None
    assert (warm.usd_per_gib_second, warm.usd_per_vcpu_second, warm.usd_per_gpu_second) == (gib, vcpu, gpu)


@pytest.mark.parametrize(
    "instance_type,architecture,burstable",
    [
        ("m7g.large", "arm64", False),
        ("g4dn.xlarge", "amd64", False),
        ("t4g.small", "arm64", True),
        ("c7i-flex.large", "amd64", True),
        ("Standard_D2ps_v5", "arm64", False),
        ("Standard_B2s", "amd64", True),
        ("t2a-standard-1", "arm64", False),
        ("e2-medium", "amd64", True),
        ("e2-standard-2", "amd64", False),
    ],
)
def test_architecture_and_bursting_follow_the_name(
    book: PriceBook, instance_type: str, architecture: str, burstable: bool
) -> None:
    found = next(offer for offer in book.offers if offer.instance_type == instance_type)
    assert (found.architecture, found.burstable) == (architecture, burstable)


def test_the_age_of_a_price_is_known(book: PriceBook) -> None:
    """Collected on 2026-07-20, so 127 days old on 2026-11-24."""
    found = next(offer for offer in book.offers if offer.cloud == "aws")
    assert found.on_demand.age(date(2026, 11, 24)) == timedelta(days=127)


def test_the_book_is_read_once() -> None:
    assert bundled() is bundled()


def test_a_users_csv_overrides_and_adds(book: PriceBook, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(
        "cloud,region,instance_type,vcpus,memory_gib,on_demand_usd_per_hour,spot_usd_per_hour,as_of\n"
        "aws,us-east-1,c6a.large,2,4,0.05,,2026-11-01\n"
        "own,rack-1,box,64,256,0.9,,\n"
    )
    mine = overlaid(book, load_user_prices(path))
    found = {offer.key: offer for offer in mine.offers}
    assert len(found) == len(book.offers) + 1
    assert found["aws", "us-east-1", "c6a.large"].on_demand.amount == pytest.approx(0.05)
    assert found["own", "rack-1", "box"].on_demand.as_of is None
    assert found["own", "rack-1", "box"].spot is None


def test_a_users_yaml_may_hold_commitments_and_tariffs(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(
        """
commitments: [{cloud: own, name: lease, term_days: 365, discount: 0.4}]
tariffs:
- {cloud: own, service: fn, region: rack-1, usd_per_gib_second: 0.00001, increment_seconds: 0.001, minimum_seconds: 0,
   max_memory_gib: 8, max_duration_seconds: 60, cold_start_seconds: 0.5, keep_alive_seconds: 120,
   warm: {usd_per_gib_second: 0.000004, increment_seconds: 300}}
fees: [{cloud: own, service: control, region: rack-1, usd_per_hour: 0.2, as_of: 2026-11-01}]
"""
    )
    mine = load_user_prices(path)
    assert mine.commitments[0].term == timedelta(days=365)
    assert mine.tariffs[0].keep_alive == timedelta(minutes=2)
    assert mine.tariffs[0].warm is not None
    assert mine.tariffs[0].warm.increment == timedelta(minutes=5)
    assert mine.fees[0].price.amount == pytest.approx(0.2)
    assert overlaid(mine, PriceBook()) == mine


@pytest.mark.parametrize(
    "text,field,fix",
    [
        (
            "offers: [{cloud: a, region: b, instance_type: c, vcpus: 2, memory_gib: 4}]",
            "on_demand_usd_per_hour",
            "required",
        ),
        (
            "offers: [{cloud: a, region: b, instance_type: c, vcpus: 2, memory_gib: 4, on_demand_usd_per_hour: -1}]",
            "on_demand_usd_per_hour",
            "greater than 0",
        ),
        (
            "offers: [{cloud: a, region: b, instance_type: c, vcpus: 2, memory_gib: 4, on_demand_usd_per_hour: 99999}]",
            "on_demand_usd_per_hour",
            "less than or equal to 2000",
        ),
        (
            "offers: [{cloud: a, region: b, instance_type: c, vcpu: 2, memory_gib: 4, vcpus: 2, on_demand_usd_per_hour: 1}]",
            "vcpu",
            "did you mean vcpus?",
        ),
        ("offers: [", "prices", "mend the YAML"),
        ("- 1", "prices.yaml", "valid dictionary"),
    ],
)
def test_a_wrong_price_file_is_refused_in_one_line(tmp_path: Path, text: str, field: str, fix: str) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_user_prices(path)
    assert field in str(caught.value)
    assert fix in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_or_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="readable"):
        load_user_prices(tmp_path / "none.csv")
    (tmp_path / "prices.txt").write_text("")
    with pytest.raises(SettingsError, match=r"name it \.csv"):
        load_user_prices(tmp_path / "prices.txt")
