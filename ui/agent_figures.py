"""Figures of agents: how they learned, how they stand beside greedy, how two do in the same worlds."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from orchestrator.agent_register import GREEDY, Standing
from ui.figure_style import COLOURS, GREY, add_band, laid_out, reach

MEASURES = {
    "sACE": "gain, nats about the hypothesis",
    "law": "gain, nats about the true law",
    "score": "gain, share of what there was",
}


def curve_figure(curve: Sequence[Sequence[float]], steps: int, unit: str, values: str) -> go.Figure:
    """A learning curve; steps: to the end of the training."""
    figure = go.Figure()
    figure.add_scatter(
        x=[point[0] for point in curve],
        y=[point[1] for point in curve],
        mode="lines+markers" if len(curve) < 40 else "lines",
        line={"color": COLOURS[0], "width": 2},
        hovertemplate=f"%{{y:.4g}} at {unit} %{{x:,}}<extra></extra>",
    )
    figure.update_xaxes(title_text=unit, range=[0, max(steps, 1) * 1.02])
    figure.update_yaxes(title_text=values)
    return laid_out(figure, 300)


def forest_figure(standing: Standing) -> go.Figure:
    """Gains as shares of greedy's, a line a domain, around 1; and all domains together."""
    found = [each for each in standing.domains if each.ratio is not None]
    found.sort(key=lambda each: each.ratio.value if each.ratio else 0.0)
    figure = go.Figure()
    for worse, colour in ((False, COLOURS[0]), (True, COLOURS[6])):
        some = [each for each in found if each.clearly_worse is worse]
        if some:
            _add_ratios(figure, some, colour, "clearly worse" if worse else "on one domain")
    if standing.pooled is not None:
        pooled = standing.pooled
        name = "all together"
        ends = [(pooled.low, pooled.value, pooled.high)]
        _add_points(figure, [name], ends, name=name, colour=COLOURS[1], symbol="diamond")
    figure.add_vline(x=1.0, line={"color": GREY, "dash": "dash", "width": 1})
    figure.update_xaxes(title_text=f"gain as a share of that of {GREEDY}, 95 % interval")
    figure.update_yaxes(
        title_text="domain", categoryorder="array", categoryarray=["all together", *(each.domain for each in found)]
    )
    return laid_out(figure, 140 + 26 * (len(found) + 1), legend=True)


def _add_ratios(figure: go.Figure, found: Sequence[Any], colour: str, name: str) -> None:
    ends = [(each.ratio.low, each.ratio.value, each.ratio.high) for each in found]
    _add_points(figure, [each.domain for each in found], ends, name=name, colour=colour)


def _add_points(
    figure: go.Figure,
    names: Sequence[str],
    ends: Sequence[tuple[float, float, float]],
    *,
    name: str,
    colour: str,
    symbol: str = "circle",
) -> None:
    low, middle, high = zip(*ends, strict=True)
    figure.add_scatter(
        x=middle,
        y=list(names),
        error_x=reach(low, middle, high, color=colour, thickness=2, width=4),
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 10},
        name=name,
        customdata=list(zip(low, high, strict=True)),
        hovertemplate="%{y}: %{x:.3f} (95 %: %{customdata[0]:.3f} to %{customdata[1]:.3f})<extra></extra>",
    )


def gains_figure(result: Mapping[str, Any], names: Sequence[str]) -> go.Figure:
    """Of two policies, the mean gain by experiment with its 95 % interval."""
    figure = go.Figure()
    for index, (policy, name) in enumerate(zip(result["policies"], names, strict=True)):
        _add_mean(figure, policy["by_experiment"], COLOURS[index], name)
    figure.update_xaxes(title_text="experiments done", rangemode="tozero")
    figure.update_yaxes(title_text=MEASURES[result["measure"]])
    return laid_out(figure, 340, legend=True)


def difference_figure(result: Mapping[str, Any], names: Sequence[str]) -> go.Figure:
    """The paired difference by experiment with its 95 % interval, around 0."""
    figure = go.Figure()
    _add_mean(figure, result["difference"], COLOURS[2], f"{names[0]} less {names[1]}")
    figure.add_hline(y=0.0, line={"color": GREY, "dash": "dash", "width": 1})
    figure.update_xaxes(title_text="experiments done", rangemode="tozero")
    figure.update_yaxes(title_text="difference of gains")
    return laid_out(figure, 260, legend=True)


def _add_mean(figure: go.Figure, rows: Sequence[Mapping[str, float]], colour: str, name: str) -> None:
    """A mean over its interval, by experiment from 0."""
    steps = list(range(len(rows)))
    add_band(figure, steps, [row["low"] for row in rows], [row["high"] for row in rows], colour)
    figure.add_scatter(
        x=steps,
        y=[row["mean"] for row in rows],
        mode="lines+markers",
        line={"color": colour, "width": 2},
        name=name,
        customdata=[(row["low"], row["high"]) for row in rows],
        hovertemplate=f"{name}: %{{y:.3g}} (95 %: %{{customdata[0]:.3g}} to %{{customdata[1]:.3g}})<extra></extra>",
    )
