"""Figures over many runs: distributions, and what was believed beside what held."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from orchestrator.run_statistics import Held
from ui.plots import COLOURS

_PLAIN = "#888888"


def leading_figure(counts: Mapping[str, int]) -> go.Figure:
    """In how many finished runs each law leads."""
    figure = go.Figure()
    figure.add_bar(
        x=list(counts.values()), y=list(counts), orientation="h", marker={"color": COLOURS[0]},
        hovertemplate="%{y}: %{x} runs<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text="finished runs in which it leads")
    figure.update_yaxes(title_text="law", autorange="reversed")
    return _styled(figure, 110 + 26 * len(counts))


def histogram(values: Sequence[float], title: str, *, whole: bool = False) -> go.Figure:
    """How many runs have which value."""
    figure = go.Figure()
    size = {"xbins": {"size": 1}} if whole and max(values) - min(values) < 60 else {"nbinsx": 30}
    figure.add_histogram(x=values, marker={"color": COLOURS[0]}, hovertemplate="%{x}: %{y} runs<extra></extra>", **size)
    figure.update_xaxes(title_text=title)
    figure.update_yaxes(title_text="runs")
    return _styled(figure, 230)


def held_figure(held: Sequence[Held]) -> go.Figure:
    """How probable the leading law was, beside how often it was true: on the line where beliefs are calibrated."""
    figure = go.Figure()
    line = {"color": _PLAIN, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="calibrated", line=line, hoverinfo="skip")
    ends = [entry.interval for entry in held]
    figure.add_scatter(
        x=[entry.believed for entry in held],
        y=[entry.share for entry in held],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [high - entry.share for entry, (_, high) in zip(held, ends, strict=True)],
            "arrayminus": [entry.share - low for entry, (low, _) in zip(held, ends, strict=True)],
        },
        customdata=[[entry.held, entry.count] for entry in held],
        mode="markers",
        name="runs, with 95 % intervals",
        marker={"color": COLOURS[0], "size": 9},
        hovertemplate="believed %{x:.1%}, true in %{customdata[0]} of %{customdata[1]} runs<extra></extra>",
    )
    figure.update_xaxes(title_text="probability of the leading law", range=[-0.03, 1.03])
    figure.update_yaxes(title_text="share of runs in which it is true", range=[-0.03, 1.03])
    return _styled(figure, 320)


def _styled(figure: go.Figure, height: int) -> go.Figure:
    return figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 24, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        bargap=0.05,
        uirevision="kept",
    )
