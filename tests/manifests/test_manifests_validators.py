"""Every file of every form is read by what it is for."""

from __future__ import annotations

import pytest

from domain.artifact import Artifact
from domain.plan import Recommendation
from manifests import Form, ManifestOptions, render
from tests.manifests.advice import DIGITS, ECS, ODD, OFFICE, act, bought, planned
from tests.manifests.validators import manifest_is_accepted

WORKLOADS = {each.id: each for each in (DIGITS, ODD, ECS)}
ADVICE: list[Recommendation] = [
    planned(act(DIGITS.id, 12, calendar=OFFICE)),
    act(ODD.id, 3),
    bought(planned(act(ECS.id, 12, calendar=OFFICE)), reserved=4, on_demand=3.1, spot=4.9),
]
FILES = [
    each for each in render(WORKLOADS, ADVICE, ManifestOptions(forms=frozenset(Form))) if each.path.name != "README.md"
]


def test_every_form_has_files() -> None:
    assert {each.path.parts[0] for each in FILES} == {form.value for form in Form}


@pytest.mark.parametrize("artifact", FILES, ids=lambda artifact: str(artifact.path))
def test_every_file_passes_its_validator(artifact: Artifact) -> None:
    manifest_is_accepted(artifact.path, artifact.text)
