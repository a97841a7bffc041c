"""Figures over many runs: distributions, and what was believed beside what held."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from orchestrator.run_statistics import Held
from ui.figure_style import COLOURS, GREY, laid_out, reach


def leading_figure(counts: Mapping[str, int]) -> go.Figure:
    """In how many finished runs each law leads."""
    figure = go.Figure()
    figure.add_bar(
        x=list(counts.values()), y=list(counts), orientation="h", marker={"color": COLOURS[0]},
        hovertemplate="%{y}: %{x} runs<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text="finished runs in which it leads")
    figure.update_yaxes(title_text="law", autorange="reversed")
    return laid_out(figure, 110 + 26 * len(counts))


def histogram(values: Sequence[float], title: str, *, whole: bool = False) -> go.Figure:
    """How many runs have which value."""
    figure = go.Figure()
    size = {"xbins": {"size": 1}} if whole and max(values) - min(values) < 60 else {"nbinsx": 30}
    figure.add_histogram(x=values, marker={"color": COLOURS[0]}, hovertemplate="%{x}: %{y} runs<extra></extra>", **size)
    figure.update_xaxes(title_text=title)
    figure.update_yaxes(title_text="runs")
    return laid_out(figure, 230).update_layout(bargap=0.05)


def held_figure(held: Sequence[Held]) -> go.Figure:
    """How probable the leading law was, beside how often it was true: on the line where beliefs are calibrated."""
    figure = go.Figure()
    line = {"color": GREY, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="calibrated", line=line, hoverinfo="skip")
    ends = [entry.interval for entry in held]
    figure.add_scatter(
        x=[entry.believed for entry in held],
        y=[entry.share for entry in held],
        error_y=reach([low for low, _ in ends], [entry.share for entry in held], [high for _, high in ends]),
        customdata=[[entry.held, entry.count] for entry in held],
        mode="markers",
        name="runs, with 95 % intervals",
        marker={"color": COLOURS[0], "size": 9},
        hovertemplate="believed %{x:.1%}, true in %{customdata[0]} of %{customdata[1]} runs<extra></extra>",
    )
    figure.update_xaxes(title_text="probability of the leading law", range=[-0.03, 1.03])
    figure.update_yaxes(title_text="share of runs in which it is true", range=[-0.03, 1.03])
    return laid_out(figure, 320, legend=True)
