"""What each law predicts before any experiment, drawn as bands over the range of one design."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.figure_style import Values, colour, faint, laid_out, reach

_ACROSS = 4
_ROW_HEIGHT = 270
_WIDE, _INNER = "90 % of outcomes", "50 % of outcomes"


@dataclass(frozen=True)
class _Panel:
    """One law's place in a figure: the points of the axis, its colour, and whether it is the one that legends name."""

    figure: go.Figure
    place: dict[str, int]
    at: Sequence[Any]
    colour: str
    legend: bool

    def add(self, y: Values, name: str, **drawn: Any) -> None:
        """A trace; those of one name are one entry of the legend."""
        self.figure.add_scatter(x=self.at, y=y, name=name, legendgroup=name, **{"showlegend": self.legend, **drawn},
                                **self.place)  # fmt: skip


def prediction_figure(
    result: Mapping[str, Any], entry: str, *, axis: str, outcome: str, logarithmic: bool, words: bool
) -> go.Figure:
    """One panel a law for one number that comes back; all share their axes.

    axis, outcome: their titles with units; words: the axis is of options, not numbers.
    """
    laws = result["laws"]
    across = min(len(laws), _ACROSS)
    rows = -(-len(laws) // across)
    figure = make_subplots(
        rows, across, shared_yaxes=True, subplot_titles=[law["law"] for law in laws], horizontal_spacing=0.03,
        vertical_spacing=min(0.16, 0.5 / rows),
    )  # fmt: skip
    for index, law in enumerate(laws):
        place = {"row": index // across + 1, "col": index % across + 1}
        panel = _Panel(figure, place, result["at"], colour(index), index == 0)
        shown = law["outcomes"][entry]
        if "shares" in shown:
            _add_shares(panel, shown["shares"])
        else:
            (_add_reaches if words else _add_bands)(panel, shown["bands"])
        figure.update_xaxes(title_text=axis, **place)
    shares = "shares" in laws[0]["outcomes"][entry]
    figure.update_xaxes(type="category" if words else "log" if logarithmic else "linear")
    if logarithmic and result["at"][-1] >= 100 * result["at"][0]:
        figure.update_xaxes(dtick=1)  # one a decade
    figure.update_yaxes(title_text=f"share of {outcome}" if shares else outcome, col=1)
    figure.update_yaxes(range=[-0.03, 1.03] if shares else None)
    laid_out(figure, _ROW_HEIGHT * rows + 60, legend=True)
    return figure.update_layout(margin={"t": 50}, legend={"y": 1.0 + 0.32 / rows})  # above the panels' titles


def _add_bands(panel: _Panel, bands: Sequence[Values]) -> None:
    """The middle 90 % and 50 % of what comes back, and the median."""
    low, lower, median, upper, high = bands
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    for bottom, top, opacity, name in ((low, high, 0.16, _WIDE), (lower, upper, 0.3, _INNER)):
        panel.add(bottom, name, **edge, showlegend=False)
        panel.add(top, name, **edge, fill="tonexty", fillcolor=faint(panel.colour, opacity))
    panel.add(
        median, "median", mode="lines", line={"color": panel.colour, "width": 2},
        customdata=list(zip(low, high, strict=True)),
        hovertemplate="%{x:.4g}: %{y:.4g} (90 %: %{customdata[0]:.4g} to %{customdata[1]:.4g})<extra></extra>",
    )  # fmt: skip


def _add_reaches(panel: _Panel, bands: Sequence[Values]) -> None:
    """The same at options beside each other: lines about the median."""
    low, lower, median, upper, high = bands
    for bottom, top, width, name in ((low, high, 2, _WIDE), (lower, upper, 8, _INNER)):
        bars = reach(bottom, median, top, color=panel.colour, thickness=width, width=0)
        marker = {"color": panel.colour, "size": 9, "symbol": "line-ew-open"}
        panel.add(median, name, mode="markers", error_y=bars, marker=marker,
                  hovertemplate="%{x}: %{y:.4g}<extra></extra>")  # fmt: skip


def _add_shares(panel: _Panel, shares: Mapping[str, Values]) -> None:
    """How often each option comes back."""
    for index, (option, row) in enumerate(shares.items()):
        line = {"color": colour(index), "width": 2}
        panel.add(row, f"comes back {option}", mode="lines+markers", line=line, marker={"size": 4},
                  hovertemplate=f"{option}: %{{y:.1%}}<extra></extra>")  # fmt: skip
