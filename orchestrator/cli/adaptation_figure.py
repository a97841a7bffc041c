"""The picture of a report on adaptation: curves of progress, and performance profiles. Reads it as plain data."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from orchestrator.colours import COLOURS

_DASHES = ("solid", "dash", "dashdot")  # where there are more policies than colours
_KNOWN = {"random": ("#8a8a8a", "dot"), "expected-information-gain": ("#222222", "dash")}  # what others are beside
_MANY = 5  # policies, above which bands are fainter
_COLUMNS = 3
_HEIGHT = 320  # of one panel, pixels
Report = dict[str, Any]


def adaptation_figure(report: Report) -> go.Figure:
    """One panel a group, then one a level of shift; one colour a policy; bands are 95 % intervals at each point."""
    groups = report["groups"]
    shifts = [shift for shift in report["shifts"] if shift["agents"]]
    titles = [f"{g['domain']}<br><sup>{g['shift']}</sup>" for g in groups]
    titles += [f"share of runs above a score<br><sup>{shift['shift']}</sup>" for shift in shifts]
    rows = -(-len(titles) // _COLUMNS)
    figure = make_subplots(
        rows, min(_COLUMNS, len(titles)), subplot_titles=titles, vertical_spacing=0.4 / rows, horizontal_spacing=0.07
    )
    styles = _styles(groups)
    for index, group in enumerate(groups):
        _progress(figure, group, styles, _place(index))
    for index, shift in enumerate(shifts, len(groups)):
        _profiles(figure, shift, styles, _place(index))
    scored = "; score: 0 as random" if shifts else ""
    figure.update_layout(
        title=f"Progress: 0 before any experiment, 1 as greedy at twice the budget{scored}<br>"
        "<sup>lines: interquartile means of runs, shares of runs; bands: 95 % at each point</sup>",
        height=_HEIGHT * rows + 160,
        margin={"t": 130},
        legend={"orientation": "h", "yanchor": "top", "y": -0.18 / rows},
        template="plotly_white",
    )
    return figure


def _place(index: int) -> dict[str, int]:
    return {"row": index // _COLUMNS + 1, "col": index % _COLUMNS + 1}


def _styles(groups: Sequence[Report]) -> dict[str, Report]:
    """A colour a policy, dashes where colours are used up; the legend names each once, by its first curve."""
    names = [agent["summary"]["policy"] for agent in groups[0]["agents"]]
    looks = ((colour, dash) for dash in _DASHES for colour in COLOURS)
    opacity = 0.15 if len(names) <= _MANY else 0.06
    styles = {}
    for name in names:
        colour, dash = _KNOWN.get(name) or next(looks)
        line = {"color": colour, "dash": dash}
        styles[name] = {"name": name, "legendgroup": name, "line": line, "opacity": opacity}
    return styles


def _progress(figure: go.Figure, group: Report, styles: dict[str, Report], place: dict[str, int]) -> None:
    for agent in group["agents"]:
        points = {end: [at[end] for at in agent["curve"]] for end in ("value", "low", "high")}
        style = styles[agent["summary"]["policy"]]
        first = place == _place(0)
        _band(figure, group["budgets"], points, {**style, "showlegend": first, "mode": "lines+markers"}, place)
    figure.add_hline(y=1, line={"color": "#999", "dash": "dot"}, **place)
    figure.update_xaxes(title_text="cost" if group["unequal"] else "experiments", **place)
    figure.update_yaxes(title_text="progress", **place)


def _profiles(figure: go.Figure, shift: Report, styles: dict[str, Report], place: dict[str, int]) -> None:
    for agent in shift["agents"]:
        profile = agent["profile"]
        points = {"value": profile["share"], "low": profile["low"], "high": profile["high"]}
        style = {**styles[agent["policy"]], "showlegend": False, "mode": "lines"}
        _band(figure, profile["threshold"], points, style, place)
    figure.update_xaxes(title_text="score", **place)
    figure.update_yaxes(title_text="share of runs", range=[0, 1.02], **place)


def _band(
    figure: go.Figure, x: Sequence[float], points: dict[str, list[Any]], style: Report, place: dict[str, int]
) -> None:
    """A line over its band."""
    colour, opacity = style["line"]["color"], style.pop("opacity")
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    edge = {"x": x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    edge["legendgroup"] = style["legendgroup"]
    figure.add_scatter(y=points["low"], **edge, **place)
    figure.add_scatter(
        y=points["high"], fill="tonexty", fillcolor=f"rgba({red},{green},{blue},{opacity})", **edge, **place
    )
    figure.add_scatter(x=x, y=points["value"], marker={"size": 4}, **style, **place)
