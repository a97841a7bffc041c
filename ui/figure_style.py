"""What all figures of the pages have in common: colours, signs, bands, intervals, margins and the legend's place."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from orchestrator.colours import COLOURS

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "x", "star")
GREY = "#888888"  # of what is no law and no agent; seen on white and on dark
CHART: dict[str, Any] = {"displayModeBar": False, "displaylogo": False}  # how Streamlit shows a figure
Values = Sequence[float | None]


def colour(index: int) -> str:
    """The colour of the law, or of whatever else, of this number."""
    return COLOURS[index % len(COLOURS)]


def symbol(index: int) -> str:
    """The sign that goes with the colour, for those who cannot tell colours apart."""
    return SYMBOLS[index % len(SYMBOLS)]


def faint(of: str, opacity: float = 0.18) -> str:
    """The colour as one sees through."""
    red, green, blue = (int(of[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def add_band(
    figure: go.Figure, x: Sequence[Any], low: Values, high: Values, of: str, *, group: str | None = None
) -> None:
    """What lies between two rows of values, in a colour; group: the trace that the legend hides it with."""
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False, "legendgroup": group}
    figure.add_scatter(x=x, y=low, **edge)
    figure.add_scatter(x=x, y=high, fill="tonexty", fillcolor=faint(of), **edge)


def reach(low: Values, middle: Values, high: Values, **drawn: Any) -> dict[str, Any]:
    """The bars from points to the ends of their intervals, which may be open."""
    return {"type": "data", "symmetric": False, "array": _apart(middle, high), "arrayminus": _apart(low, middle),
            **drawn}  # fmt: skip


def _apart(lower: Values, upper: Values) -> list[float | None]:
    return [None if a is None or b is None else b - a for a, b in zip(lower, upper, strict=True)]


def laid_out(figure: go.Figure, height: int, *, legend: bool = False) -> go.Figure:
    """With room for what is written, the legend above, and a zoom that a refresh keeps."""
    figure.update_yaxes(automargin=True)
    return figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30 if legend else 10, "b": 10},
        showlegend=legend,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        uirevision="kept",
    )
