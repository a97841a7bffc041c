"""The density of a prior, drawn small."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from domains.prior_density import Curve
from ui.figure_style import COLOURS, colour, faint

_HEIGHT = 150


def prior_figure(heading: str, curves: Sequence[Curve]) -> go.Figure:
    """One curve, or one for each share of a vector; ``heading`` names the axis, with its unit."""
    figure = go.Figure()
    for index, curve in enumerate(curves):
        _add(figure, curve, colour(index), f"share {index}" if len(curves) > 1 else "density")
    logarithmic = any(curve.logarithmic for curve in curves)
    discrete = any(curve.discrete for curve in curves)
    tallest = max((y for curve in curves for y in curve.y), default=1.0)
    figure.update_xaxes(title_text=heading, nticks=6)
    if logarithmic:
        figure.update_xaxes(type="log", tickvals=_decades(curves))
    figure.update_yaxes(
        title_text="probability" if discrete else "density of log" if logarithmic else "density",
        range=[0, 1.08 * tallest],
        showticklabels=discrete,
        nticks=4,
    )
    figure.update_layout(
        height=_HEIGHT, margin={"l": 4, "r": 4, "t": 4, "b": 4}, showlegend=len(curves) > 1, uirevision="kept"
    )
    return figure


def _decades(curves: Sequence[Curve]) -> list[float]:
    """Powers of ten, at most six of them."""
    ends = [math.log10(x) for curve in curves for x in (curve.x[0], curve.x[-1])]
    first, last = math.ceil(min(ends)), math.floor(max(ends))
    return [10.0**power for power in range(first, last + 1, max(1, -(-(last - first) // 5)))]


def _add(figure: go.Figure, curve: Curve, shade: str, name: str) -> None:
    if curve.discrete:
        figure.add_bar(
            x=curve.x, y=curve.y, name=name, marker={"color": shade}, hovertemplate="%{x:.4g}: %{y:.1%}<extra></extra>"
        )
        return
    figure.add_scatter(
        x=curve.x,
        y=curve.y,
        name=name,
        mode="lines",
        line={"color": shade, "width": 2},
        fill="tozeroy" if not figure.data else None,
        fillcolor=faint(COLOURS[0], 0.14),
        hovertemplate="%{x:.4g}<extra></extra>",
    )
