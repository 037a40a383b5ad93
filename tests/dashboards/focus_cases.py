"""Charges of every kind, for the FOCUS file."""

from __future__ import annotations

from dataclasses import replace

from dashboards.report.charges import Charge, LeftOut
from dashboards.report.model import NightlyReport
from domain.unknown import Unknown
from domain.workload import ScaleTarget, ServingMode
from tests.dashboards.nights import small_night


def dedicated() -> Charge:
    """Machines of its own on demand, with a Kubernetes object, mostly idle."""
    return Charge(
        workload="vision:digits",
        team="perception",
        model="digits",
        target=ScaleTarget(name="digits", namespace="vision"),
        mode=ServingMode.DEDICATED,
        purchase="on_demand",
        cloud="aws",
        region="us-east-1",
        sku="m5.large",
        quantity=240.5,
        unit="Hours",
        unit_price=0.096,
        on_demand_price=0.096,
        idle_share=0.61,
        covered=1.0,
        details={"InstanceType": "m5.large", "CoreCount": 2.0},
    )


def every_kind() -> tuple[Charge, ...]:
    """On demand, spot, reserved, serverless and a share of a host."""
    one = dedicated()
    return (
        one,
        replace(one, purchase="spot", unit_price=0.0321, quantity=100.123456789),
        replace(one, purchase="reserved", unit_price=0.06528, commitment="1yr_no_upfront", quantity=48.0),
        replace(
            one,
            workload="search:rerank",
            team=None,
            target=None,
            mode=ServingMode.SERVERLESS,
            purchase="serverless",
            sku="lambda",
            quantity=1.204,
            unit="1000 Requests",
            unit_price=0.0581395348837,
            on_demand_price=0.0581395348837,
            idle_share=Unknown("serverless pays for none that is idle"),
            details={},
        ),
        replace(
            one,
            workload="chat:small",
            team="assistants",
            mode=ServingMode.SHARED,
            cloud="gcp",
            region="us-central1",
            sku="n2-standard-8",
            quantity=3.3,
            idle_share=Unknown("its capacity is not known"),
            covered=Unknown("no cycle of that day is remembered"),
        ),
    )


def charged_night() -> NightlyReport:
    """The small night with charges of every kind."""
    left_out = (LeftOut(workload="asr:whisper", reason="Prometheus did not answer"),)
    return replace(small_night(), charges=every_kind(), left_out=left_out)
