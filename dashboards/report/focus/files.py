"""The file of charges and the metadata beside it, as texts."""

from __future__ import annotations

import csv
import io
import json

from dashboards.report.charges import LeftOut
from dashboards.report.focus.columns import COLUMNS, FOCUS_VERSION, TYPES
from dashboards.report.focus.rows import Scene, rows
from dashboards.report.model import NightlyReport
from dashboards.report.words import moment

SCHEMA_ID = "trimtab-focus-1"


def focus_csv(report: NightlyReport) -> str:
    """FOCUS 1.2, one line a charge; an empty cell is null. The day and its months are those of UTC."""
    scene = Scene(day=report.date, currency=report.currency, account=report.billing_account)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row.get(name, "") for name in COLUMNS] for row in rows(report.charges, scene))
    return out.getvalue()


def focus_metadata(report: NightlyReport) -> str:
    """FOCUS metadata (data generator, schema, where the data is) and, as `x_`, whose charges are not known."""
    body = {
        "DataGenerator": "Trimtab",
        "Schema": {
            "SchemaId": SCHEMA_ID,
            "FocusVersion": FOCUS_VERSION,
            "CreationDate": moment(report.generated_at),
            "ColumnDefinition": [{"ColumnName": name, "DataType": TYPES[name].upper()} for name in COLUMNS],
        },
        "Export": {"SchemaId": SCHEMA_ID, "data_location": f"trimtab-report-{report.date.isoformat()}.focus.csv"},
        "x_CostBasis": "estimated: prices times quantities, not invoice lines",
        "x_LeftOut": [left_out(each) for each in report.left_out],
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def left_out(each: LeftOut) -> dict[str, str]:
    """A workload without rows, and why."""
    return {"Workload": each.workload, "Reason": each.reason}
