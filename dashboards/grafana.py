"""Our values into Grafana's JSON, through the models of grafana-foundation-sdk (Grafana 11.6).

The SDK leaves panels without ids and without a place when one is given as (0, 0); both are set here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as drawn
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as asked

from dashboards import names
from dashboards.spec import GRID, Annotation, Board, Kind, Link, Panel, Query, Section, Variable

SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
# Names of a panel's queries, as Grafana gives them: A to Z, then AA, AB, ...
LETTERS = tuple("".join(each) for length in (1, 2) for each in product(ascii_uppercase, repeat=length))
# From a line of the fleet's table: that workload, the same data source, the same hours.
WORKLOAD_LINK = {
    "title": "Show this workload",
    "url": "/d/${__data.fields.dashboard}?var-workload=${__value.text:percentencode}"
    "&var-datasource=${datasource}&${__url_time_range}",
    "targetBlank": False,
}
AnyPanel = stat.Panel | table.Panel | timeseries.Panel


def to_json(board: Board) -> str:
    """The dashboard as file provisioning and the import page take it: keys sorted, two spaces, newline at the end."""
    document = json.loads(JSONEncoder().encode(built(board)))
    for entry, annotation in zip(document["annotations"]["list"], board.annotations, strict=True):
        entry["titleFormat"] = annotation.title  # Prometheus' own field, which the SDK does not model
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def built(board: Board) -> model.Dashboard:
    """The SDK's model of the whole dashboard."""
    builder = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags(list(board.tags))
        .readonly()
        .timezone("browser")
        .time(board.start, "now")
        .refresh("1m")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .with_variable(
            dashboard.DatasourceVariable("datasource")
            .label("Data source")
            .description("The Prometheus that holds the metrics of models and of Trimtab.")
            .type("prometheus")
        )
    )
    for variable in board.variables:
        builder.with_variable(chosen(variable))
    for link in board.links:
        builder.link(linked(link))
    for annotation in board.annotations:
        builder.annotation(marked(annotation))
    whole = builder.build()
    whole.panels = list(placed(board.sections))
    return whole


def placed(sections: tuple[Section, ...]) -> Iterator[model.Panel | model.RowPanel]:
    """Every section's heading and panels, numbered from 1, from the top left to the bottom right."""
    number, y = 0, 0
    for section in sections:
        number += 1
        row = dashboard.Row(section.title).id(number).build()
        row.grid_pos = model.GridPos(x=0, y=y, w=GRID, h=1)
        yield row
        y += 1
        x = tallest = 0
        for panel in section.panels:
            if x + panel.width > GRID:
                x, y, tallest = 0, y + tallest, 0
            number += 1
            drawn_panel = panel_of(panel).id(number).build()
            drawn_panel.grid_pos = model.GridPos(x=x, y=y, w=panel.width, h=panel.height)
            yield drawn_panel
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest


def panel_of(panel: Panel) -> AnyPanel:
    """A panel of its kind with what all kinds share."""
    match panel.kind:
        case Kind.STAT:
            builder: AnyPanel = stat_panel(panel)
        case Kind.TABLE:
            builder = table_panel(panel)
        case Kind.TIMESERIES:
            builder = timeseries_panel(panel)
    builder.title(panel.title).description(panel.description).unit(panel.unit).datasource(SOURCE)
    builder.no_value("no data").thresholds(
        dashboard.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=step.value, color=step.colour) for step in panel.thresholds])
    )
    if panel.decimals is not None:
        builder.decimals(panel.decimals)
    for query, letter in zip(panel.queries, LETTERS, strict=False):
        builder.with_target(target(query, letter, tabular=panel.kind is Kind.TABLE))
    return builder


def target(query: Query, letter: str, *, tabular: bool) -> prometheus.Dataquery:
    """One query; a table's answer comes as a table of this moment."""
    built_target = prometheus.Dataquery().expr(query.expr).ref_id(letter).datasource(SOURCE)
    if query.legend and not tabular:
        built_target.legend_format(query.legend)
    if tabular:
        built_target.format(asked.PromQueryFormat.TABLE)
    return built_target.instant() if query.instant else built_target.range()


def stat_panel(panel: Panel) -> stat.Panel:
    """The last value, large; "no data" where there is none, never 0."""
    several = "{{" in panel.queries[0].legend
    mode = drawn.BigValueTextMode.VALUE_AND_NAME if several else drawn.BigValueTextMode.VALUE
    return (
        stat.Panel()
        .graph_mode(drawn.BigValueGraphMode.NONE)
        .color_mode(drawn.BigValueColorMode.VALUE)
        .text_mode(drawn.BigValueTextMode.NAME if panel.named else mode)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )


def timeseries_panel(panel: Panel) -> timeseries.Panel:
    """Lines; a gap stays a gap."""
    style = drawn.GraphThresholdsStyleMode.DASHED if panel.line else drawn.GraphThresholdsStyleMode.OFF
    builder = (
        timeseries.Panel()
        .line_width(1)
        .fill_opacity(8)
        .span_nulls(False)
        .show_points(drawn.VisibilityMode.NEVER)
        .line_interpolation(drawn.LineInterpolation.STEP_AFTER if panel.steps else drawn.LineInterpolation.LINEAR)
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(drawn.LegendDisplayMode.LIST)
            .placement(drawn.LegendPlacement.BOTTOM)
            .calcs([])
        )
        .tooltip(common.VizTooltipOptions().mode(drawn.TooltipDisplayMode.MULTI).sort(drawn.SortOrder.DESCENDING))
    )
    return builder if panel.least is None else builder.axis_soft_min(panel.least)


def table_panel(panel: Panel) -> table.Panel:
    """A line a workload: the first query gives state and dashboard as labels, each other one a column."""
    columns = {f"Value #{letter}": query.legend for letter, query in zip(LETTERS[1:], panel.queries[1:], strict=False)}
    shown = ["workload", "state", *columns]
    builder = (
        table.Panel()
        .show_header(True)
        .filterable(True)
        .with_transformation(transformation("joinByField", byField="workload", mode="outer"))
        .with_transformation(transformation("filterFieldsByName", include={"names": [*shown, "dashboard"]}))
        .with_transformation(
            transformation(
                "organize",
                excludeByName={},
                indexByName={name: position for position, name in enumerate(shown)},
                renameByName={"workload": "Workload", "state": "State", **columns},
            )
        )
        .override_by_name("dashboard", [model.DynamicConfigValue(id_val="custom.hidden", value=True)])
        .override_by_name("Workload", [model.DynamicConfigValue(id_val="links", value=[WORKLOAD_LINK])])
    )
    for title, unit in panel.column_units.items():
        builder.override_by_name(title, [model.DynamicConfigValue(id_val="unit", value=unit)])
    return builder


def transformation(name: str, **options: object) -> model.DataTransformerConfig:
    """A step between the answers and the table."""
    return model.DataTransformerConfig(id_val=name, options=options)


def chosen(variable: Variable) -> dashboard.QueryVariable:
    """A variable filled from Prometheus; asked again as the time range changes."""
    hide = model.VariableHide.HIDE_VARIABLE if variable.hidden else model.VariableHide.DONT_HIDE
    return (
        dashboard.QueryVariable(variable.name)
        .label(variable.label)
        .description(variable.description)
        .datasource(SOURCE)
        .query(variable.query)
        .regex(variable.regex)
        .hide(hide)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(False)
        .include_all(False)
    )


def linked(link: Link) -> dashboard.DashboardLink:
    """To one dashboard, or a menu of those that carry a tag; the time range goes along."""
    builder = dashboard.DashboardLink(link.title).keep_time(True).include_vars(False).target_blank(False)
    if link.uid is not None:
        return builder.type(model.DashboardLinkType.LINK).url(f"/d/{link.uid}?var-datasource=${{datasource}}")
    return builder.type(model.DashboardLinkType.DASHBOARDS).tags([link.tag or names.TAG]).as_dropdown(True)


def marked(annotation: Annotation) -> dashboard.AnnotationQuery:
    """A Prometheus annotation: a mark where the expression has a value."""
    return (
        dashboard.AnnotationQuery()
        .name(annotation.name)
        .datasource(SOURCE)
        .enable(True)
        .hide(False)
        .icon_color(annotation.colour)
        .expr(annotation.expr)
    )
