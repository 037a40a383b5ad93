"""Whole rendered files, compared with checked-in ones.

`UPDATE_GOLDEN=1 pytest tests` rewrites every golden file that is asked for; the difference is then
read in version control, never trusted.
"""

from __future__ import annotations

import os
from difflib import unified_diff
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent / "golden"
UPDATE = "UPDATE_GOLDEN"


def assert_golden(relative_path: str, text: str) -> None:
    """`text` is exactly the file `tests/golden/<relative_path>`; with UPDATE_GOLDEN=1 it is made so."""
    golden = GOLDEN / relative_path
    if os.environ.get(UPDATE) == "1":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert golden.is_file(), f"no golden file {golden}: write it with {UPDATE}=1 and read it before committing"
    expected = golden.read_text(encoding="utf-8")
    difference = unified_diff(expected.splitlines(), text.splitlines(), "golden", "rendered", lineterm="")
    assert text == expected, f"{relative_path} differs ({UPDATE}=1 rewrites it):\n" + "\n".join(difference)
