"""The FOCUS file under the FinOps Foundation's own validator, in an environment of its own (Python 3.12 or newer).

The validator ends with 0 whatever it finds, so its `Total:` line is read. One rule has to fail, for another contradicts it:
InvoiceId-C-005-C wants an invoice where InvoiceId-C-004-C wants none.

    python benchmarks/focus.py [--file F.focus.csv] [--json OUT]

Without a file, one with every kind of row is made. Ends with 1 where any other rule fails, 2 where no Python 3.12 is there.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks.measure import ROOT, write_json
from dashboards.report.charges import Charge
from dashboards.report.focus import focus_csv
from dashboards.report.model import NightlyReport
from domain.unknown import Unknown
from domain.workload import ScaleTarget, ServingMode

HOME = ROOT / "build" / "focus_validator"
PACKAGES = ("focus-validator==2.2.1", "pyarrow<20")
RULES = "1.2.0.1"
CONTRADICTED = {"InvoiceId-C-005-C"}
# What the data knows of; capacity reservations and negotiated prices it does not, and the bundled rules on commitments ask a
# status of exactly the rows that have none.
CRITERIA = (
    "ACCOUNT_NAMING", "AVAILABILITY_ZONE", "MULTIPLE_PRICING_CATEGORIES", "MULTIPLE_SUB_ACCOUNT_TYPES",
    "MULTIPLE_BILLING_ACCOUNT_TYPES", "NEGOTIATED_PRICING", "PUBLIC_PRICE_LIST", "USAGE_MEASUREMENT", "UNIT_PRICING", "SUB_ACCOUNT",
    "BILLING_BASED_ON_PROVISIONED_RESOURCES", "RESOURCE_TYPE_ASSIGNMENT", "PRICING_BILLING_CURRENCY_DIFFERENCES", "REGION", "TAGGING",
)  # fmt: skip
TOTAL = re.compile(r"Total: (\d+) \| Pass: (\d+) \| Fail: (\d+) \| Skipped: (\d+)")
FAILED = re.compile(r"^\S+ (\S+): FAIL\b", re.MULTILINE)


def charges() -> Iterator[Charge]:
    """On demand, spot, reserved, serverless by request and by hour, and a share of a host, with idle parts and without."""
    hours = {"on_demand": 0.096, "spot": 0.0337, "reserved": 0.06528}
    for way, price in hours.items():
        yield Charge(
            workload="vision:digits", team="perception", model="digits", target=ScaleTarget(name="digits", namespace="vision"),
            mode=ServingMode.DEDICATED, purchase=way, cloud="aws", region="us-east-1", sku="m5.large", quantity=96.25, unit="Hours",  # type: ignore[arg-type]
            unit_price=price, on_demand_price=0.096, idle_share=0.61, covered=1.0,
            commitment="1yr_no_upfront" if way == "reserved" else None, details={"CoreCount": 2.0, "InstanceType": "m5.large"},
        )  # fmt: skip
    for unit, quantity in (("1000 Requests", 1.204), ("Hours", 24.0)):
        yield Charge(
            workload=f"search:{quantity}", team=None, model=None, target=None, mode=ServingMode.SERVERLESS, purchase="serverless",
            cloud="gcp", region="us-central1", sku="cloud_run", quantity=quantity, unit=unit, unit_price=0.0581, on_demand_price=0.0581,  # type: ignore[arg-type]
            idle_share=Unknown("serverless"), covered=Unknown("no cycle is remembered"),
        )  # fmt: skip
    yield Charge(
        workload="chat:small", team="assistants", model="llama", target=None, mode=ServingMode.SHARED, purchase="on_demand",
        cloud="azure", region="eastus", sku="Standard_D8s_v5", quantity=3.3, unit="Hours", unit_price=0.384, on_demand_price=0.384,
        idle_share=Unknown("its capacity is not known"), covered=0.5,
    )  # fmt: skip


def sample() -> str:
    """A file with every kind of row."""
    at = datetime(2026, 3, 18, tzinfo=UTC)
    return focus_csv(
        NightlyReport(date=date(2026, 3, 17), generated_at=at, rows=(), alerts=(), charges=tuple(charges()))
    )


def validator() -> Path:
    """The validator's own interpreter, its environment made on first use; ends with 2 where none can be made."""
    python = HOME / "bin" / "python"
    if not python.exists():
        newer = next(filter(None, map(usable, ("python3.12", "python3.13", "python3"))), None)
        if newer is None:
            print(
                "no Python 3.12 answers: the validator needs one (under pyenv, set PYENV_VERSION to one)",
                file=sys.stderr,
            )
            raise SystemExit(2)
        print(f"installing {', '.join(PACKAGES)} into {HOME}", file=sys.stderr)
        subprocess.run([newer, "-m", "venv", HOME], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def usable(name: str) -> str | None:
    """The interpreter's path, if it runs here and is new enough (pyenv has shims of versions that are switched off)."""
    if shutil.which(name) is None:
        return None
    tell = "import sys; print(sys.executable if (3, 12) <= sys.version_info < (3, 13) else '')"
    done = subprocess.run([name, "-c", tell], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None if done.returncode == 0 else None


def validated(file: Path) -> str:
    """All that the validator says of a file. It opens its own tables relative to where it is run."""
    python = validator()
    where = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"], capture_output=True, text=True, check=True
    ).stdout.strip()
    command = [
        str(HOME / "bin" / "focus-validator"), "--data-file", str(file.resolve()), "--validate-version", RULES, "--block-download",
        "--applicability-criteria", ",".join(f"{name}_SUPPORTED" for name in CRITERIA),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False, env=dict(os.environ))
    return done.stdout + done.stderr


def main() -> None:
    """Validate and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, help="a FOCUS file; by default one with every kind of row")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = options.file or Path(folder) / "sample.focus.csv"
        if options.file is None:
            file.write_text(sample(), encoding="utf-8")
        said = validated(file)
    total = TOTAL.search(said)
    if total is None:
        raise SystemExit(f"the validator gave no total:\n{said[-2000:]}")
    rules, passed, failed, skipped = map(int, total.groups())
    names = sorted(set(FAILED.findall(said)))
    print("| rules | pass | fail | skipped | failed |\n|---:|---:|---:|---:|---|")
    print(f"| {rules} | {passed} | {failed} | {skipped} | {', '.join(names) or 'none'} |")
    figures = {"rules": rules, "pass": passed, "fail": failed, "skipped": skipped, "failed": names}
    write_json(options.json, figures)
    if set(names) - CONTRADICTED or failed != len(names):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
