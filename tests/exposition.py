"""What a server shows on /metrics, as the history that scraping it would leave behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from prometheus_client.parser import text_string_to_metric_families

from tests.openmetrics import labelled

CUMULATIVE = re.compile(r"_(total|bucket|count|sum)$")
# The rows of one series as (name, labels, value); counters are told by their suffix, as people do.
Change = Callable[[str, dict[str, str]], str | None]


def names_and_labels(text: str) -> dict[str, set[str]]:
    """Every sample name of an exposition with the labels it carries."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def scraped(
    text: str,
    times: Iterable[float],
    *,
    job: str = "models",
    instance: str = "10.0.0.1:8080",
    rename: Change | None = None,
) -> str:
    """OpenMetrics text (without `# EOF`) of an exposition scraped at `times`: counters grow by the shown value a scrape.

    `rename` may give a sample another name, or None to leave it out.
    """
    moments = list(times)
    lines = []
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name if rename is None else rename(sample.name, sample.labels)
            if name is not None:
                head = labelled(name, {**sample.labels, "job": job, "instance": instance})
                grows = CUMULATIVE.search(sample.name)
                lines += [
                    f"{head} {sample.value * (i if grows else 1):.12g} {moment:.0f}\n"
                    for i, moment in enumerate(moments)
                ]
    return "".join(lines)
