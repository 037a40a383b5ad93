"""The month on the page: forecasts against budgets, what savings came to, alerts, sums by team and model; and on paper."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from dashboards.report import NightlyReport, figures, overview, pdf, words
from dashboards.report.aims import MonthLine, Range, Realised, Share
from dashboards.report.month import ALERTS_SHOWN, aim, alerts, month_tile, over, realised_tile
from dashboards.report.page import html
from dashboards.report.paper import LINES_ON_PAPER, inked
from dashboards.report.words import MINUS
from domain.unknown import Unknown
from tests.dashboards.nights import DAY, fleet_night, held, scheduled, small_night, to_serverless, unseen
from tests.dashboards.nights import alerts as some_alerts


def line(spent: float | Unknown, forecast: float, budget: float | None) -> MonthLine:
    return MonthLine(
        whose="team a",
        spent=spent,
        spent_whole=True,
        forecast=Range(amount=forecast, low=forecast, high=forecast),
        budget=budget,
    )


def test_a_budget_is_broken_by_what_is_spent_or_by_what_is_forecast() -> None:
    assert over(line(90.0, 101.0, 100.0))
    assert over(line(101.0, 99.0, 100.0))
    assert over(line(90.0, 99.0, 100.0)) is False
    assert over(line(Unknown("no day is known"), 99.0, 100.0)) is False
    assert over(line(90.0, 101.0, None)) is None


def test_a_budget_of_which_too_little_is_known_is_not_called_kept() -> None:
    """What is spent already is enough to call it broken; a forecast that leaves workloads out is enough for that alone."""
    blind = replace(line(90.0, 0.0, 100.0), forecast=Unknown("too few days"))
    assert over(blind) is None
    assert over(replace(blind, spent=101.0)) is True
    partly = Range(amount=99.0, low=90.0, high=110.0, known=2, of=3)
    assert over(replace(blind, forecast=partly)) is None
    assert over(replace(blind, forecast=replace(partly, amount=101.0))) is True
    kept = line(90.0, 99.0, 100.0)
    for objectives, words_of_it in (
        ((blind,), "Whether 1 budget will be exceeded is not known"),
        ((blind, kept, replace(blind, spent=101.0)), "1 of 2 budgets will be exceeded, of 1 more it is not known"),
        ((kept,), "0 of 1 budget will be exceeded"),
    ):
        for month in (line(200.0, 300.0, None), replace(blind, budget=None)):
            (tile,) = month_tile(replace(small_night(), month=month, objectives=objectives))
            assert tile.note.endswith(f". {words_of_it}")
            assert tile.broken == (len(objectives) == 3)


def test_a_share_held_says_of_how_many_days_it_is_known() -> None:
    of_all = replace(line(1.0, 1.0, 1.0), attained=Share(share=0.99871, known=24, of=24), target=0.999)
    assert (aim(of_all, DAY, "USD").attained, aim(of_all, DAY, "USD").below) == (f"99.871{words.THIN}%", True)
    of_one = replace(of_all, attained=Share(share=0.99871, known=1, of=24))
    assert aim(of_one, DAY, "USD").attained == f"99.871{words.THIN}% (1 of 24 days of workloads)"


def test_owner_and_stakeholders_stand_with_the_objective() -> None:
    objective = replace(line(1.0, 1.0, 1.0), goal="Half", owner="jo", stakeholders=("finance", "sre"))
    assert aim(objective, DAY, "USD").about == "Half. Owner: jo. Stakeholders: finance, sre"


def test_a_day_without_alerts_says_so_and_why_there_may_have_been_some() -> None:
    quiet = html(replace(small_night(), alerts=()))
    assert "<p>None.</p>" in quiet
    assert "There may have been others" not in quiet
    unheard = html(replace(small_night(), alerts_lack=Unknown("nobody told")))
    assert "There may have been others: nobody told." in unheard
    assert some_alerts()[0].summary in unheard


def test_an_alert_is_a_workloads_a_teams_or_the_fleets() -> None:
    of_workload, of_team = some_alerts()
    lines = (of_workload, of_team, replace(of_team, team=None))
    shown, _ = alerts(replace(small_night(), alerts=lines))
    assert [each.about for each in shown] == ["search:rerank", "team perception", "the fleet"]


def test_bars_share_one_scale_on_which_the_budget_is_marked() -> None:
    made = aim(line(50.0, 200.0, 100.0), DAY, "USD")
    assert (made.spent_width, made.ahead_width, made.mark) == (25.0, 100.0, 50.0)
    without = aim(line(50.0, 200.0, None), DAY, "USD")
    assert (without.spent_width, without.mark, without.budget) == (None, None, None)


def test_a_review_is_due_from_its_day_on() -> None:
    assert aim(replace(line(1.0, 1.0, 1.0), review_on=DAY), DAY, "USD").due
    assert not aim(replace(line(1.0, 1.0, 1.0), review_on=date(2027, 1, 1)), DAY, "USD").due


@pytest.mark.parametrize(
    "month, figure, note",
    [
        (Realised(promised=0.0, realised=0.0, known=0, of=0), "none", "Nothing that was proposed has been taken up"),
        (
            Realised(promised=8.0, realised=-2.0, known=1, of=1),
            f"{MINUS}$2.00",
            f"$8.00 was promised of it. On the day {MINUS}$2.00",
        ),
    ],
)
def test_what_savings_came_to_is_never_a_zero_for_want_of_any(month: Realised, figure: str, note: str) -> None:
    (tile,) = realised_tile(replace(small_night(), realised_month=month, realised_day=month))
    assert (tile.figure, tile.note) == (figure, note)
    unknown = Realised(promised=0.0, realised=0.0, known=0, of=3)
    (tile,) = realised_tile(replace(small_night(), realised_month=unknown, realised_day=unknown))
    assert tile.figure == Unknown("the outcome of none of 3 nights is known")
    assert not list(realised_tile(replace(small_night(), realised_month=None)))


def test_many_alerts_are_counted_and_the_first_are_shown() -> None:
    shown, more = alerts(replace(small_night(), alerts=some_alerts() * 15))
    assert (len(shown), more) == (ALERTS_SHOWN, 30 - ALERTS_SHOWN)


def test_unit_costs_of_a_group_are_its_cost_over_its_requests() -> None:
    """Not the mean of the workloads' own figures; and they say of how many workloads they are."""
    rows = [scheduled(), to_serverless(), unseen()]
    cost, known = figures.unit_cost(rows)  # type: ignore[misc]
    assert cost == pytest.approx(1000 * (151.49 + 25.248) / (4_812_330 * 0.9998 + 1_204))
    assert known == 2
    assert figures.unit_cost([held()]) == Unknown("it is known of no workload")
    assert figures.idle_share([scheduled(), held()]) == (0.61, 1)


def test_tokens_have_a_price_only_where_there_are_any() -> None:
    talking = replace(scheduled(), tokens=50_000_000.0)
    assert figures.cost_per_1m_tokens(talking) == pytest.approx(151.49 / 50)
    assert figures.cost_per_1m_tokens(scheduled()) is None
    assert figures.cost_per_1m_tokens(replace(talking, tokens=0.0)) == Unknown("no token was read or generated")
    assert figures.token_cost([talking, scheduled(), held()]) == (1e6 * 151.49 / 50_000_000.0, 1)
    assert "per M tokens" in html(replace(small_night(), rows=(talking,)))


def test_models_are_summed_where_several_workloads_serve_one() -> None:
    assert [each.name for each in overview.models(small_night())] == ["digits", "rerank", "llama-8b"]
    assert overview.models(replace(small_night(), rows=(scheduled(), to_serverless()))) == []


def test_the_page_on_paper_is_short_and_says_what_it_leaves_out() -> None:
    page = html(fleet_night(200), most_lines=LINES_ON_PAPER)
    assert page.count('class="tag ') == LINES_ON_PAPER
    assert f"Tables end after {LINES_ON_PAPER} lines: the HTML page and the CSV have all 200 workloads." in page
    assert "Tables end" not in html(fleet_night(200))


def test_the_day_of_the_report_has_its_colour_on_paper_too() -> None:
    (bar,) = re.findall(r'<rect class="now last"[^>]*>', inked(html(small_night())))
    assert 'fill="#0d6e6e"' in bar


def test_how_to_read_it_stands_on_one_sheet() -> None:
    """Three workloads end so low on their sheet that it would break over two."""
    if isinstance(pdf(small_night()), Unknown):
        pytest.skip("without Pango nothing is laid out")
    from weasyprint import HTML  # noqa: PLC0415  it takes seconds, and cannot be imported without Pango

    page = inked(html(fleet_night(3), most_lines=LINES_ON_PAPER))
    page = page.replace("<h2>How to read this", '<h2 id="first">How to read this')
    page = page.replace('<p class="note">Made at', '<p id="last" class="note">Made at')
    sheets = [sheet.anchors.keys() & {"first", "last"} for sheet in HTML(string=page).render().pages]
    assert [found for found in sheets if found] == [{"first", "last"}]


def test_it_is_a_pdf_of_the_page_and_names_from_outside_stay_text() -> None:
    night: NightlyReport = replace(small_night(), rows=(replace(scheduled(), workload='<path class="now">'),))
    made = pdf(night)
    if isinstance(made, Unknown):
        assert "install libpango" in made.reason
        pytest.skip(made.reason)
    assert made.startswith(b"%PDF")
    assert "&lt;path class=&#34;now&#34;&gt;" in inked(html(night))


@pytest.mark.parametrize("share, text", [(0.9995, "99.95"), (0.99994999, "99.994"), (1.0, "100"), (0.0, "0"), (0.999, "99.9")])  # fmt: skip
def test_a_target_that_was_missed_is_never_rounded_up_to_it(share: float, text: str) -> None:
    assert words.attainment(share) == f"{text}{words.THIN}%"
