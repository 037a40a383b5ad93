"""Model quality: are the answers still right, and do the inputs still look like those of before."""

from __future__ import annotations

from dashboards import names
from dashboards.around import WINDOW, links, marks
from dashboards.spec import Board, Panel, Query, Section, Step
from dashboards.stats import MOST, stat, worse_below

MODEL = "{{service}}:{{model}}"
BY_MODEL = "by (service, model)"


def quality(min_accuracy: float | None) -> Board:
    """One dashboard over all models that the quality exporter is told of; the line is the strictest bound of any SLO."""
    return Board(
        uid=names.QUALITY_UID,
        title="Trimtab / Model quality",
        description="What the model-quality exporter measures: accuracy on labelled answers, drift of predictions, and whether it gets what it needs to tell.",
        sections=(
            Section(title="At a glance", panels=glance(worse_below(min_accuracy))),
            Section(title="Are they right", panels=rightness(min_accuracy)),
            Section(title="What the exporter is told", panels=told()),
        ),
        links=links(names.QUALITY_UID),
        annotations=marks(),
        tags=(names.TAG,),
    )


def glance(bounds: tuple[Step, ...]) -> tuple[Panel, ...]:
    """Six numbers."""
    return (
        stat("Models watched", "Models whose predictions the exporter is told of.", "short",
             f"count(count {BY_MODEL} ({names.PAIRS}))"),
        stat("Least accuracy", "Share of right answers of the model that is right least often.", "percentunit",
             f"min({names.ACCURACY})", thresholds=bounds),
        stat("Most drift", "Population stability index of the model whose predictions moved most; above 0.25 they are taken to have changed.",
             "short", f"max({names.DRIFT})", thresholds=drifts()),
        stat("Labelled answers", "Answers with a label that the least of all accuracies rests on.", "short", f"min({names.PAIRS})"),
        stat("Oldest label", "Time since a label last came, of the model that waits longest. Accuracy is as old.", "s",
             f"time() - min({names.LAST_LABEL})"),
        stat("Waiting for a label", "Predictions whose label has not come.", "short", f"sum({names.PENDING})"),
    )  # fmt: skip


def drifts() -> tuple[Step, ...]:
    """0.1 is some, 0.25 much: the usual reading of a population stability index, and where the rules alert."""
    return Step(value=None, colour="green"), Step(value=0.1, colour="orange"), Step(value=0.25, colour="red")


def rightness(min_accuracy: float | None) -> tuple[Panel, ...]:
    """The worst, by model."""
    return (
        Panel(
            title="Accuracy by model",
            description=f"Share of labelled predictions that were right, of the {MOST} models where it is least. A line is the strictest bound of any SLO.",
            unit="percentunit",
            queries=(Query(expr=f"bottomk({MOST}, min {BY_MODEL} ({names.ACCURACY}))", legend=MODEL),),
            thresholds=worse_below(min_accuracy),
            line=min_accuracy is not None,
            least=None,
        ),
        Panel(
            title="Drift by model",
            description=f"Population stability index of the newest predictions against the first, of the {MOST} models where it is highest.",
            unit="short",
            decimals=2,
            queries=(Query(expr=f"topk({MOST}, max {BY_MODEL} ({names.DRIFT}))", legend=MODEL),),
            thresholds=drifts(),
            line=True,
        ),
    )


def told() -> tuple[Panel, ...]:
    """Predictions, labels, and what is lost between them."""
    return (
        Panel(
            title="Predictions told",
            description="Predictions a second that the exporter is told of.",
            unit="reqps",
            queries=(Query(expr=f"topk({MOST}, sum {BY_MODEL} (rate({names.PREDICTIONS}[{WINDOW}])))", legend=MODEL),),
            width=8,
        ),
        Panel(
            title="Labels that count",
            description="Answers with a label that each accuracy rests on; with few it is not told at all.",
            unit="short",
            queries=(Query(expr=f"bottomk({MOST}, min {BY_MODEL} ({names.PAIRS}))", legend=MODEL),),
            width=8,
        ),
        Panel(
            title="Lost between prediction and label",
            description="Predictions forgotten before their label came, and labels that came for no waiting prediction, a second. Lost labels bias the accuracy.",
            unit="short",
            queries=(
                Query(expr=f"sum(rate({names.DROPPED}[{WINDOW}]))", legend="forgotten predictions"),
                Query(expr=f"sum(rate({names.UNMATCHED}[{WINDOW}]))", legend="labels without prediction"),
            ),
            width=8,
        ),
    )
