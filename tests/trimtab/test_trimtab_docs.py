"""The reference pages say what the code says; `UPDATE_GOLDEN=1 pytest` rewrites them."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from tests.golden_files import assert_golden
from tests.trimtab.reference import cli_markdown, settings_markdown
from trimtab import budgetmetrics, selfmetrics
from trimtab.api.deps import Deps
from trimtab.app import create_app
from trimtab.store.database import open_database
from trimtab.store.journal import Journal
from trimtab.store.proofs import ProofStore
from trimtab.store.recommendations import Recommendations
from trimtab.wiring import now

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_command_and_option_is_described() -> None:
    assert_golden("../../docs/cli.md", cli_markdown())


def test_every_setting_is_described() -> None:
    assert_golden("../../docs/settings.md", settings_markdown())


def test_every_route_and_metric_is_described() -> None:
    database = open_database("sqlite://")
    app = create_app(
        Deps(
            recommendations=Recommendations(database),
            journal=Journal(database),
            proofs=ProofStore(database),
            clock=now,
            registry=CollectorRegistry(),
        )
    )
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in text, f"docs/api.md does not describe {method.upper()} {path}"
    for name, value in (vars(selfmetrics) | vars(budgetmetrics)).items():
        if name.isupper() and isinstance(value, str):
            assert f"`{value}" in text or not value.startswith("trimtab_"), f"docs/api.md does not describe {value}"
    database.close()
