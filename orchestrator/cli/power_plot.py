"""A power report's curves as one page that needs nothing else. Reads the report as plain data."""

from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from orchestrator.cli.power_text import score_name
from orchestrator.colours import COLOURS
from orchestrator.errors import RequestError

_COLUMNS = 3
_HEIGHT = 300  # of one panel, pixels
Report = dict[str, Any]
Panel = tuple[str, str, str]  # title, kind ("spread" or "share"), path of the curve within a policy


def write(report: Report, path: Path) -> None:
    """Write the page; RequestError where it cannot be written."""
    try:
        figure(report).write_html(path, include_plotlyjs=True, full_html=True)
    except OSError as error:
        raise RequestError(f"--plot {path}: it cannot be written ({error.strerror}); choose another place") from None


def figure(report: Report) -> go.Figure:
    """One panel a quantity, one colour a policy; bands are most worlds (10–90 %), of shares the 95 % interval."""
    panels = list(_panels(report))
    rows = -(-len(panels) // _COLUMNS)
    drawn = make_subplots(
        rows, min(_COLUMNS, len(panels)), subplot_titles=[title for title, _, _ in panels],
        vertical_spacing=0.35 / rows, horizontal_spacing=0.07,
    )  # fmt: skip
    for number, (_, kind, path) in enumerate(panels):
        place = {"row": number // _COLUMNS + 1, "col": number % _COLUMNS + 1}
        for index, policy in enumerate(report["policies"]):
            _add(drawn, report["budgets"], _curve(policy, kind, path), _style(policy, index, first=number == 0), place)
        if path.startswith("width:"):
            drawn.update_yaxes(type="log", **place)
        else:
            drawn.update_yaxes(rangemode="tozero", **place)
    drawn.update_xaxes(title_text="budget spent" if report["unequal"] else "experiments done")
    drawn.update_layout(
        title=f"{report['title']}<br><sup>{report['domain']}, {report['runs']} simulated worlds; lines: means (widths: "
        "medians; shares: of all worlds), bands: 10–90 % of the worlds (shares and errors: 95 % interval)</sup>",
        height=_HEIGHT * rows + 140,
        margin={"t": 120},
        legend={"orientation": "h", "yanchor": "top", "y": -0.12 / rows},
        hovermode="x unified",
        template="plotly_white",
    )
    return drawn


def _panels(report: Report) -> list[Panel]:
    first = report["policies"][0]
    panels: list[Panel] = []
    if report["laws"] > 1:
        panels.append(("probability of the true law", "spread", "probability"))
        panels.append(("worlds in which the true law leads", "share", "found"))
    panels.append(("information gained, nats", "spread", "information"))
    if first["score"]:
        panels.append((score_name(report), "spread", "score"))
    for need in first["needs"]:
        if need["target"]["kind"] == "law":
            title = f"worlds with P(true law) ≥ {need['target']['limit']:g}"
            panels.append((title, "share", "needs:0"))
    for parameter in first["parameters"]:
        unit = f", {parameter['unit']}" if parameter["unit"] else ""
        panels.append((f"{parameter['name']}: width of the 90 % interval{unit}", "width", f"width:{parameter['name']}"))
        panels.append((f"{parameter['name']}: error ÷ prior's sd", "error", f"error:{parameter['name']}"))
    return panels


def _curve(policy: Report, kind: str, path: str) -> tuple[list[Any], list[Any], list[Any]]:
    """The line and the band's ends."""
    what, _, name = path.partition(":")
    if kind in ("width", "error"):
        entry = next(parameter for parameter in policy["parameters"] if parameter["name"] == name)
        if kind == "width":
            return entry["width"]["median"], entry["width"]["low"], entry["width"]["high"]
        pairs = list(zip(entry["error"], entry["error_se"], strict=True))
        low, high = ([None if None in pair else pair[0] + sign * 1.96 * pair[1] for pair in pairs] for sign in (-1, 1))
        return entry["error"], low, high
    found = policy["needs"][int(name)]["reached"] if what == "needs" else policy[what]
    return (found["share"] if kind == "share" else found["mean"]), found["low"], found["high"]


def _style(policy: Report, index: int, *, first: bool) -> Report:
    colour = COLOURS[index % len(COLOURS)]
    return {"name": policy["policy"], "legendgroup": policy["policy"], "showlegend": first, "line": {"color": colour}}


def _add(
    drawn: go.Figure, budgets: list[float], curve: tuple[list[Any], list[Any], list[Any]], style: Report, place: Report
) -> None:
    """A line over its band."""
    line, low, high = curve
    colour = style["line"]["color"]
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    edge = {"x": budgets, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    group = {"legendgroup": style["legendgroup"]}
    drawn.add_scatter(y=low, **edge, **group, **place)
    drawn.add_scatter(y=high, fill="tonexty", fillcolor=f"rgba({red},{green},{blue},0.15)", **edge, **group, **place)
    drawn.add_scatter(x=budgets, y=line, mode="lines+markers", marker={"size": 4}, **style, **place)
