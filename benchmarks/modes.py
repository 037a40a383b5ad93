"""How much dearer the chosen serving mode turned out than the cheapest that would have held the SLO.

Every trace with requests x 3 models x 3 latencies x 3 clouds. The mode is chosen from the first half of the trace
alone; then every way of serving is simulated on the second half, request by request, and billed by the rules of its
tariff. Beside it stands `rule_of_thumb`. The assumptions are printed under the table. Traces that cannot be
used are named and skipped.

    python benchmarks/modes.py [--traces DIR] [--at SHARE] [--jobs N] [--json OUT] [--markdown OUT]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median

from joblib import Parallel, delayed

from benchmarks.measure import ROOT, csv_files, write_json
from benchmarks.mode_cases import ASSUMPTIONS, OPTIONS, QUESTIONS, REGIONS, Halves, Question
from benchmarks.mode_truth import CONVENTIONS, Judged, Outcome, way_of
from domain.errors import TraceError
from domain.unknown import Unknown
from domain.workload import ServingMode
from monitor.recorded import name_of, read_trace
from optimizer.forecast import Forecasting, forecast
from optimizer.modes import Infeasible, Quote, cheapest, quotes
from optimizer.outlook import outlook_of
from optimizer.policies import least_cost, rule_of_thumb
from trimtab.prices import bundled


@dataclass(frozen=True, slots=True)
class Choice:
    """One way of serving as it turned out; all None where nothing was chosen ("hold").

    `way` is its name, `usd_per_month` what it cost and `late` the share of requests over the latency SLO.
    """

    way: str | None
    usd_per_month: float | None = None
    late: float | None = None
    held: bool | None = None

    def regret(self, least: float | None) -> float:
        """What was paid too much, as a share of what was paid; 1 for a choice that missed the SLO, or none where there was one."""
        if self.way is None:
            return 0.0 if least is None else 1.0
        if not self.held or least is None or not self.usd_per_month:
            return 0.0 if self.held else 1.0
        return max(0.0, 1.0 - least / self.usd_per_month)


@dataclass(frozen=True, slots=True)
class Case:
    """A question asked of a trace, what was chosen, what the rule of thumb chose, and the cheapest way in hindsight.

    `alone` is what is proposed while no place on a shared host is decided (`least_cost`), `best_alone` the cheapest but sharing.
    """

    trace: str
    model: str
    times_service: int
    cloud: str
    quoted_usd_per_month: float | None
    chosen: Choice
    rule: Choice
    best: Choice
    alone: Choice
    best_alone: Choice

    @property
    def regret(self) -> float:
        return self.chosen.regret(self.best.usd_per_month)

    @property
    def rule_regret(self) -> float:
        return self.rule.regret(self.best.usd_per_month)

    @property
    def alone_regret(self) -> float:
        return self.alone.regret(self.best_alone.usd_per_month)


def cases_of(path: Path, at: float) -> list[Case] | str:
    """All questions asked of one trace, or why they cannot be."""
    try:
        load = read_trace(path).requests
    except TraceError as fault:
        return str(fault)
    halves = Halves.of(load, at)
    if not halves.usable:
        return "no requests are known in one of its halves"
    ahead = OPTIONS.forecast
    steps = max(1, ahead.horizon // halves.seen.step)
    made = forecast(halves.seen, steps=steps, levels=ahead.levels, quantile=ahead.quantile)
    if isinstance(made, Unknown):
        return f"its first half cannot be forecast: {made.reason}"
    judged = Judged.of(halves)
    return [case for question in QUESTIONS for case in _asked(name_of(path), question, judged, made)]


def _asked(trace: str, question: Question, judged: Judged, made: Forecasting) -> Iterator[Case]:
    """One question in every cloud."""
    seen, book = judged.halves.seen, bundled()
    markets = {cloud: question.market(cloud, seen, book) for cloud in REGIONS}
    outlook = outlook_of(seen, markets["aws"], OPTIONS, made)  # of the load alone: the clouds share it
    if isinstance(outlook, Unknown):
        raise SystemExit(f"{trace}: {outlook.reason}")
    demand = outlook.demand()
    answers = {cloud: quotes(market, demand) for cloud, market in markets.items()}
    outcomes = judged.outcomes(question, outlook.problem, markets, demand)
    for cloud, market in markets.items():
        ways, ours = outcomes[cloud], cheapest(answers[cloud])
        yield Case(
            trace=trace,
            model=question.model.name,
            times_service=question.times_service,
            cloud=cloud,
            quoted_usd_per_month=ours.usd_per_month if isinstance(ours, Quote) else None,
            chosen=_turned_out(ours, ways),
            rule=_turned_out(rule_of_thumb(market, demand), ways, two=True),
            best=_best(ways),
            alone=_turned_out(least_cost(market, demand, answers[cloud]), ways),
            best_alone=_best({way: done for way, done in ways.items() if not way.startswith("shared|")}),
        )


def _turned_out(answer: Quote | Infeasible, ways: Mapping[str, Outcome], *, two: bool = False) -> Choice:
    """What became of an answer; `two`: its dedicated replicas are always two."""
    if isinstance(answer, Infeasible):
        return Choice(None)
    kind = "two" if two and answer.mode is ServingMode.DEDICATED else str(answer.mode)
    way = way_of(answer.offer, answer.warm) if answer.mode is ServingMode.SERVERLESS else f"{kind}|{answer.offer}"
    done = ways.get(way)
    return Choice(way, held=False) if done is None else Choice(way, done.usd_per_month, done.late, done.held)


def _best(ways: Mapping[str, Outcome]) -> Choice:
    """The cheapest that held the SLO; two fixed replicas are the rule's and compete with nothing."""
    held = [(done.usd_per_month, way) for way, done in ways.items() if done.held and not way.startswith("two|")]
    if not held:
        return Choice(None)
    usd, way = min(held)
    return Choice(way, usd, ways[way].late, held=True)


def summary(done: Sequence[Case]) -> dict[str, float | int | None]:
    """The figures of some cases. Regret is a share of what was paid; `over_cheapest` is the same as a share of the cheapest."""
    served = [case for case in done if case.chosen.held and case.best.usd_per_month is not None]
    by_rule = [case for case in done if case.rule.held and case.best.usd_per_month is not None]
    paid = sum(case.chosen.usd_per_month or 0.0 for case in served)
    least = sum(case.best.usd_per_month or 0.0 for case in served)
    return {
        "cases": len(done),
        "regret_mean": fmean(case.regret for case in done),
        "regret_median": median(case.regret for case in done),
        "infeasible": sum(case.chosen.held is False for case in done),
        "held_off_wrongly": sum(case.chosen.way is None and case.best.way is not None for case in done),
        "held_off_rightly": sum(case.chosen.way is None and case.best.way is None for case in done),
        "alone_regret_mean": fmean(case.alone_regret for case in done),
        "alone_regret_median": median(case.alone_regret for case in done),
        "alone_infeasible": sum(case.alone.held is False for case in done),
        "alone_held_off_wrongly": sum(case.alone.way is None and case.best_alone.way is not None for case in done),
        "cheapest_chosen": sum(case.regret <= 1e-9 for case in done),
        "over_cheapest_median": _or_none(median, [_over(case.chosen, case.best) for case in served]),
        "over_cheapest_in_usd": paid / least - 1.0 if least > 0 else None,
        "rule_regret_mean": fmean(case.rule_regret for case in done),
        "rule_regret_median": median(case.rule_regret for case in done),
        "rule_regret_mean_where_it_held": _or_none(fmean, [case.rule_regret for case in by_rule]),
        "regret_mean_where_the_rule_held": _or_none(fmean, [case.regret for case in by_rule]),
        "rule_infeasible": sum(case.rule.held is False for case in done),
        "rule_held_off_wrongly": sum(case.rule.way is None and case.best.way is not None for case in done),
    }


def _or_none(figure: Callable[[Sequence[float]], float], values: Sequence[float]) -> float | None:
    return figure(values) if values else None


def _over(chosen: Choice, best: Choice) -> float:
    return (chosen.usd_per_month or 0.0) / best.usd_per_month - 1.0 if best.usd_per_month else 0.0


HEADER = (
    "| {} | cases | cheapest chosen | mean regret | median | infeasible | held off wrongly | rule: mean regret | infeasible | held off wrongly |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


def table(what: str, groups: Mapping[str, Sequence[Case]]) -> list[str]:
    """One line for each group of cases."""
    lines = [HEADER[0].format(what), HEADER[1]]
    for name, group in groups.items():
        all_of = summary(group)
        lines.append(
            f"| {name} | {len(group)} | {all_of['cheapest_chosen']} | {all_of['regret_mean']:.1%} | {all_of['regret_median']:.1%} | "
            f"{all_of['infeasible']} | {all_of['held_off_wrongly']} | {all_of['rule_regret_mean']:.1%} | "
            f"{all_of['rule_infeasible']} | {all_of['rule_held_off_wrongly']} |"
        )
    return lines


def grouped(done: Sequence[Case], key: Callable[[Case], str]) -> dict[str, list[Case]]:
    """The cases by what `key` says, in the order of first sight."""
    found: dict[str, list[Case]] = {}
    for case in done:
        found.setdefault(key(case), []).append(case)
    return found


def kind_of(way: str | None) -> str:
    """The mode of a way of serving, serverless with instances kept warm, or kept by calls, apart; "none" for none."""
    if way is None:
        return "none"
    mode, _, rest = way.partition("|")
    if " by calls " in rest:
        return "serverless, kept by calls"
    return "serverless, kept warm" if mode == "serverless" and not rest.endswith("|plain") else mode


def report(done: Sequence[Case]) -> list[str]:
    """Tables by trace, by model and latency, and by cheapest mode, and what the figures assume."""
    lines = table("trace", grouped(done, lambda case: case.trace) | {"**all**": list(done)})
    lines += ["", *table("model, latency SLO", grouped(done, lambda case: f"{case.model}, {case.times_service} x"))]
    lines += ["", *table("cheapest in hindsight", grouped(done, lambda case: kind_of(case.best.way)))]
    return [*lines, "", ASSUMPTIONS + CONVENTIONS]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path, default=ROOT / "examples" / "traces")
    parser.add_argument("--at", type=float, default=0.5, help="the share of each trace that a decision sees")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    paths = sorted(csv_files(options.traces), key=lambda path: -path.stat().st_size)
    found = Parallel(n_jobs=options.jobs)(delayed(cases_of)(path, options.at) for path in paths)
    answers = sorted(zip((name_of(path) for path in paths), found, strict=True), key=lambda pair: pair[0])
    skipped = {name: answer for name, answer in answers if isinstance(answer, str)}
    for name, why in skipped.items():
        print(f"skipped {name}: {why}")
    done = [case for _, answer in answers if not isinstance(answer, str) for case in answer]
    if not done:
        raise SystemExit(f"{options.traces}: no trace with requests")
    lines = report(done)
    print("\n".join(lines))
    for name, value in summary(done).items():
        print(f"{name}: {value}")
    if options.markdown is not None:
        options.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = [
        asdict(case) | {"regret": case.regret, "rule_regret": case.rule_regret, "alone_regret": case.alone_regret}
        for case in done
    ]
    write_json(
        options.json,
        {
            **summary(done),
            "by_family": {
                name: summary(group) for name, group in grouped(done, lambda case: case.trace.split("_")[0]).items()
            },
            "assumptions": ASSUMPTIONS + CONVENTIONS,
            "skipped": skipped,
            "cases_by_trace": rows,
        },
    )


if __name__ == "__main__":
    main()
