"""Which region a zone of spot availability lies in."""

from __future__ import annotations

import pytest

from tests.optimizer.spot_cases import mostly, spot_history


@pytest.mark.parametrize(
    "zone,region,inside",
    [
        ("us-east-1a", "us-east-1", True),
        ("us-east-1", "us-east-1", True),
        ("us-central1-b", "us-central1", True),
        ("us-east-1-bos-1a", "us-east-1", True),
        ("eastus-1", "eastus", True),
        ("eastus2", "eastus", False),
        ("us-east-2a", "us-east-1", False),
        ("us-east-1", "us-east-1a", False),
    ],
)
def test_a_zone_lies_in_its_region(zone: str, region: str, inside: bool) -> None:
    history = spot_history(mostly(1), zone=zone)
    assert history.lies_in("aws", region) is inside
    assert not history.lies_in("gcp", region)
