"""Questions about prices: far from what they replace and their neighbours, of a like cloud or a day to come, dearer on spot, listed twice, without an accelerator, deep, old or undated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from domain.prices import ClusterFee, Exchange, InstanceOffer, Price, PriceBook, WarmRates
from tests.optimizer.cases import AS_OF, BOOK, YEAR, machine, price, tariff
from trimtab.pricechecks import OLD, questions
from trimtab.prices import bundled

ASKED_ON = date(2026, 11, 20)


def kinds(book: PriceBook, among: PriceBook | None = None, today: date = ASKED_ON) -> list[str]:
    return sorted(question.kind for question in questions(book, today=today, among=among))


def sized(name: str, usd: float, vcpus: float = 2.0, gib: float = 8.0, **other: object) -> InstanceOffer:
    return machine(name, usd, vcpus=vcpus, memory_gib=gib, **other)


USUAL = PriceBook(offers=tuple(sized(f"usual-{i}", 0.1 + i / 100) for i in range(4)))


@pytest.mark.parametrize("usd,asked", [(0.1, False), (1.1, False), (1.16, True), (0.0113, True), (0.0117, False)])
def test_ten_times_the_median_of_its_neighbours_or_a_tenth_of_it_is_questioned(usd: float, asked: bool) -> None:
    """Neighbours at 0.10 to 0.13 an hour, 0.115 in the middle, all of two processors."""
    found = questions(PriceBook(offers=(sized("mine", usd),)), today=ASKED_ON, among=USUAL)
    assert [question.kind for question in found] == ["far"] * asked
    if asked:
        assert "the median 0.0575 of 4 machines of like size in aws; is the unit right?" in str(found[0])


def test_neighbours_are_of_like_size_per_processor_and_gib() -> None:
    """A machine with 40 times the memory per processor is no neighbour of these, nor one of 100 processors."""
    large = PriceBook(offers=(sized("memory", 4.0, gib=320.0), sized("many", 400.0, vcpus=100.0, gib=400.0)))
    assert kinds(large, USUAL) == []


def test_neighbours_have_the_same_accelerator_and_count_for_one_of_it() -> None:
    cards = [
        sized(f"l4-{n}", 0.8 * n, vcpus=4.0 * n, accelerator="L4", accelerator_count=n, gpu_memory_gib=24.0)
        for n in (1, 2, 4)
    ]
    eight = sized("l4-8", 6.4, vcpus=96.0, accelerator="L4", accelerator_count=8, gpu_memory_gib=24.0)
    assert kinds(PriceBook(offers=(eight,)), PriceBook(offers=tuple(cards))) == []
    assert kinds(PriceBook(offers=(replace(eight, on_demand=price(64.0)),)), PriceBook(offers=tuple(cards))) == ["far"]


def test_a_cloud_with_few_machines_is_compared_with_all_clouds() -> None:
    own = PriceBook(offers=(sized("box", 1.2, cloud="own", region="rack-1"),))
    [found] = questions(own, today=ASKED_ON, among=USUAL)
    assert "machines of like size in all clouds" in str(found)


def test_few_neighbours_ask_nothing() -> None:
    assert kinds(PriceBook(offers=(sized("mine", 9.0),)), PriceBook(offers=USUAL.offers[:2])) == []


def test_a_serverless_rate_is_compared_by_the_instance_second() -> None:
    usual = PriceBook(tariffs=tuple(tariff(service=f"fn-{i}") for i in range(3)))
    per_hour = tariff(service="mine", usd_per_gib_second=2e-5 * 3600)
    [found] = questions(PriceBook(tariffs=(per_hour,)), today=ASKED_ON, among=usual)
    assert (found.kind, found.entry) == ("far", "aws mine us-east-1")
    assert "3.6e+03 times" in found.detail


def test_spot_above_on_demand_twice_the_same_and_a_discount_that_leaves_little_are_questioned() -> None:
    odd = sized("odd", 0.1, spot=price(0.2))
    book = PriceBook(offers=(odd, odd), commitments=(replace(YEAR, discount=0.9),))
    assert kinds(book) == ["deep", "spot", "spot", "twice"]


def test_what_is_old_or_has_no_date_is_questioned_once_for_a_source() -> None:
    fresh = PriceBook(offers=(sized("a", 0.1), sized("b", 0.1)))
    assert kinds(fresh, today=AS_OF + OLD) == []
    assert kinds(fresh, today=AS_OF + OLD + timedelta(days=1)) == ["old"]
    undated = PriceBook(
        offers=tuple(replace(each, on_demand=replace(each.on_demand, as_of=None)) for each in fresh.offers)
    )
    [found] = questions(undated, today=ASKED_ON)
    assert (found.kind, str(found)) == ("undated", "made up: 2 prices of an unknown date")


def test_an_old_exchange_rate_is_questioned() -> None:
    rate = Exchange(currency="EUR", usd_per_unit=1.1, as_of=date(2026, 1, 1), source="a bank")
    euros = Price(amount=0.1, source="list", as_of=ASKED_ON, exchange=rate)
    assert kinds(PriceBook(offers=(sized("a", 0.1, on_demand=euros),))) == ["old"]


@pytest.mark.parametrize("usd,asked", [(0.0765, False), (0.7, False), (0.765, True), (0.00765, True)])
def test_a_price_ten_times_the_one_that_it_replaces_is_questioned_whatever_its_neighbours_cost(
    usd: float, asked: bool
) -> None:
    """Its neighbours are dear: 0.765 is within ten times their median."""
    dear = PriceBook(offers=(sized("c6a.large", 0.0765), *(sized(f"dear-{i}", 0.3) for i in range(4))))
    found = questions(PriceBook(offers=(sized("c6a.large", usd),)), today=ASKED_ON, among=dear)
    assert [each.kind for each in found] == ["far"] * asked
    assert all("the 0.0765 that it replaces; is the unit right?" in each.detail for each in found)


def test_spot_requests_rates_and_fees_are_compared_with_those_that_they_replace() -> None:
    warm = WarmRates(
        usd_per_gib_second=4e-6, usd_per_vcpu_second=0.0, usd_per_gpu_second=0.0, serving_usd_per_gib_second=9e-6,
        serving_usd_per_vcpu_second=0.0, serving_usd_per_gpu_second=0.0, increment=timedelta(seconds=1), source="list",
        as_of=AS_OF,
    )  # fmt: skip
    cluster = ClusterFee(cloud="aws", service="eks", region="us-east-1", price=price(0.1))
    known = PriceBook(
        offers=(sized("box", 0.1, spot=price(0.03)),),
        tariffs=(tariff(warm=warm, usd_per_request=2e-7),),
        fees=(cluster,),
    )
    slips = (
        replace(known, offers=(sized("box", 0.1, spot=price(0.003)),)),
        replace(known, tariffs=(replace(known.tariffs[0], usd_per_request=2e-4),)),
        replace(known, tariffs=(replace(known.tariffs[0], warm=replace(warm, serving_usd_per_gib_second=0.5)),)),
        replace(known, fees=(replace(cluster, price=price(100.0)),)),
    )
    assert [kinds(book, known, AS_OF) for book in slips] == [["far"]] * 4
    assert kinds(known, known, AS_OF) == []


def test_requests_warm_seconds_and_fees_that_replace_nothing_are_compared_with_others() -> None:
    """Against the bundled book: a request at a thousandth of a dollar, an hour of a cluster at 20."""
    new = tariff(service="fn-new", usd_per_request=1e-3)
    fee = ClusterFee(cloud="own", service="plane", region="rack-1", price=price(20.0))
    assert kinds(PriceBook(tariffs=(new,)), bundled(), AS_OF) == ["far"]
    assert kinds(PriceBook(fees=(fee,)), bundled(), AS_OF) == ["far"]


@pytest.mark.parametrize("cloud,meant", [("AWS", "aws"), ("awz", "aws"), ("gce", "gcp"), ("own", None), ("aws", None)])
def test_a_cloud_that_may_be_a_slip_for_a_known_one_is_questioned(cloud: str, meant: str | None) -> None:
    found = questions(PriceBook(offers=(sized("box", 0.1, cloud=cloud),)), today=AS_OF, among=bundled())
    assert [(each.kind, each.entry) for each in found] == [("cloud", cloud)] * (meant is not None)
    assert all(each.detail == f"1 entry of a cloud of its own; is it {meant}?" for each in found)


def test_a_price_or_rate_of_a_day_that_has_not_come_is_questioned() -> None:
    tomorrow = PriceBook(offers=(sized("a", 0.1),))
    assert kinds(tomorrow, today=AS_OF - timedelta(days=1)) == ["future"]
    rate = Exchange(currency="EUR", usd_per_unit=1.1, as_of=date(2030, 1, 1), source="a bank")
    euros = Price(amount=0.1, source="list", as_of=ASKED_ON, exchange=rate)
    assert kinds(PriceBook(offers=(sized("a", 0.1, on_demand=euros),))) == ["future"]


@pytest.mark.parametrize(
    "cloud,name,card,asked",
    [
        ("aws", "p3.2xlarge", {}, True),
        ("aws", "m6g.large", {}, False),
        ("gcp", "g2-standard-4", {}, True),
        ("gcp", "g1-small", {}, False),
        ("azure", "Standard_NC6s_v3", {}, True),
        ("own", "p3.2xlarge", {}, False),
        ("aws", "p3.2xlarge", {"accelerator": "V100"}, True),
        ("aws", "p3.2xlarge", {"accelerator": "V100", "accelerator_count": 1}, True),
        ("aws", "p3.2xlarge", {"accelerator": "V100", "accelerator_count": 1, "gpu_memory_gib": 16.0}, False),
    ],
)
def test_a_machine_of_an_accelerated_family_without_a_whole_accelerator_is_questioned(
    cloud: str, name: str, card: dict[str, Any], asked: bool
) -> None:
    assert kinds(PriceBook(offers=(sized(name, 0.1, cloud=cloud, **card),))) == ["family"] * asked


def test_no_price_of_the_bundled_book_is_far_listed_twice_or_without_its_accelerator() -> None:
    """What it is asked about is age alone, and the two sources that have no date."""
    asked = questions(bundled(), today=ASKED_ON)
    assert {question.kind for question in asked} <= {"old", "undated"}
    assert sum(question.kind == "undated" for question in asked) == 2
    assert not questions(BOOK, today=AS_OF)
