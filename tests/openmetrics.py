"""OpenMetrics text with times, for back-filling a real Prometheus with history that a test knows exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Labels = Mapping[str, str]


def labelled(name: str, labels: Labels) -> str:
    """A series as the text format writes it, label values escaped."""
    pairs = ",".join(
        '{}="{}"'.format(key, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
        for key, value in labels.items()
    )
    return f"{name}{{{pairs}}}"


def samples(name: str, labels: Labels, times: Iterable[float], values: Iterable[float]) -> str:
    """One series, in the order of time."""
    head = labelled(name, labels)
    return "".join(f"{head} {value:.12g} {moment:.0f}\n" for moment, value in zip(times, values, strict=True))


def family(name: str, kind: str, series: Sequence[str]) -> str:
    """A metric family of `samples`; a counter's samples are named with `_total`, its family without."""
    return f"# TYPE {name} {kind}\n{''.join(series)}"


def document(*families: str) -> str:
    """The whole text."""
    return "".join(families) + "# EOF\n"
