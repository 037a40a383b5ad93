"""The shape of the house: who may import what, and that what was promised is really used."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("dashboards", "domain", "manifests", "monitor", "optimizer", "rules", "serving", "trimtab")
BESIDE = {"benchmarks", "deploy", "docs", "examples", "tests"}

# Third-party libraries each part may use: a new one is a decision, made here.
ALLOWED: dict[str, set[str]] = {
    "domain": {"numpy"},
    "monitor": {"fastapi", "numpy", "pandas", "prometheus_api_client", "prometheus_client", "pydantic", "requests", "starlette", "urllib3", "uvicorn", "yaml"},
    "optimizer": {"holidays", "joblib", "numba", "numpy", "pandas", "scipy", "statsmodels", "threadpoolctl"},
    "rules": {"yaml"},
    "dashboards": {"grafana_foundation_sdk", "jinja2", "matplotlib", "weasyprint", "yaml"},
    "manifests": {"yaml"},
    "serving": {"fastapi", "numpy", "onnxruntime", "prometheus_client", "pydantic", "starlette", "uvicorn"},
    "trimtab": {
        "apscheduler", "click", "fastapi", "httpx", "jinja2", "joblib", "matplotlib", "numpy", "pandas", "prometheus_client",
        "pydantic", "pydantic_core", "rich", "sqlalchemy", "starlette", "typer", "uvicorn", "yaml",
    },
}  # fmt: skip

OWNERS_PACKAGES = {
    "prometheus_client": "monitor serving trimtab",
    "prometheus_api_client": "monitor",
    "scipy": "optimizer",
    "pandas": "monitor optimizer trimtab",
    "statsmodels": "optimizer",
    "fastapi": "serving trimtab",
    "apscheduler": "trimtab",
}


def tracked(pattern: str) -> list[Path]:
    """Files git knows, or would know, below the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


@cache
def imported_names(path: Path) -> frozenset[str]:
    """Top-level names of everything a file imports, wherever in it."""
    return frozenset(_imported(ast.parse(path.read_text(encoding="utf-8"))))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_uses_only_the_libraries_it_is_allowed(part: str) -> None:
    graph = grimp.build_graph(*PARTS, include_external_packages=True, cache_dir=None)
    used = {
        imported.split(".")[0]
        for module in graph.modules
        if module == part or module.startswith(f"{part}.")
        for imported in graph.find_modules_directly_imported_by(module)
    }
    foreign = used - set(sys.stdlib_module_names) - set(PARTS)
    assert foreign <= ALLOWED[part], f"{part} imports {sorted(foreign - ALLOWED[part])}"


def test_every_top_level_folder_has_a_place() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in tracked("*") if len(path.relative_to(ROOT).parts) > 1}
    assert {name for name in folders if not name.startswith(".")} <= set(PARTS) | BESIDE


@pytest.mark.parametrize("package", sorted(OWNERS_PACKAGES))
def test_the_given_packages_are_used_by_shipped_code(package: str) -> None:
    users = {part for part in PARTS for path in (ROOT / part).rglob("*.py") if package in imported_names(path)}
    assert users & set(OWNERS_PACKAGES[package].split()), f"nothing that ships imports {package}"


def test_the_tests_use_pytest() -> None:
    assert any("pytest" in imported_names(path) for path in (ROOT / "tests").rglob("test_*.py"))


def test_no_other_distribution_owns_our_names() -> None:
    owners = packages_distributions()
    assert {name: set(owners.get(name, ["trimtab"])) for name in PARTS} == {name: {"trimtab"} for name in PARTS}


def test_no_file_is_over_400_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): n
        for path in tracked("*.py")
        if (n := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_nothing_names_a_machine_or_a_registry() -> None:
    traces_of_a_machine = re.compile(
        r"/(?:work|root)/[a-z.]|files\.pythonhosted\.org|pypi\.org|deb\.debian\.org|registry\.npmjs"
    )
    text = {".py", ".md", ".toml", ".lock", ".yaml", ".yml", ".json", ".sh", ".txt", ".csv", ".html", ".svg", ""}
    guilty = {
        str(path.relative_to(ROOT))
        for path in tracked("*")
        if path.suffix in text
        and path != Path(__file__)
        and traces_of_a_machine.search(path.read_text(encoding="utf-8", errors="replace"))
    }
    assert guilty == set()
