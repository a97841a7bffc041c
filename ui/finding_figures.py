"""Figures of findings on the page: intervals against their priors, and forests of one constant in several findings."""

from collections.abc import Sequence

import plotly.graph_objects as go

from experiments_db.queries import BeliefStep
from orchestrator.finding_comparison import Compared
from orchestrator.finding_report import Constant, Report
from ui.figure_style import GREY, colour, faint, laid_out, reach, symbol

_PRIOR = faint(GREY, 0.45)
_ENDS = ("low90", "mean", "high90")


def steps(report: Report) -> list[BeliefStep]:
    """The laws' probabilities by experiment, as ``ui.plots`` takes them."""
    return [BeliefStep(step.experiments - 1, step.probability, {}) for step in report.steps]


def constant_figure(constant: Constant) -> go.Figure:
    """The 90 % interval of a constant, over that of its prior."""
    figure = go.Figure()
    low, high, mean = constant.low90, constant.high90, constant.mean
    if constant.prior_low is not None:
        _bar(figure, [constant.prior_low, constant.prior_high], _PRIOR, 16, "prior, 90 %")
    _bar(figure, [low, high], colour(0), 5, "found, 90 %")
    figure.add_scatter(x=[mean], y=[""], mode="markers", marker={"color": colour(0), "size": 9}, name="mean")
    figure.update_traces(hovertemplate=f"%{{x:.4g}} {constant.unit}", selector={"mode": "markers"})
    figure.update_xaxes(title_text=f"{constant.name} ({constant.unit})" if constant.unit else constant.name)
    ends = [end for end in (low, high, constant.prior_low, constant.prior_high) if end is not None]
    if ends and min(ends) > 0 and max(ends) > 30 * min(ends):
        figure.update_xaxes(type="log", dtick=1)
    figure.update_yaxes(visible=False)
    return laid_out(figure, 110)


def _bar(figure: go.Figure, ends: Sequence[float | None], line_colour: str, width: int, name: str) -> None:
    figure.add_scatter(x=list(ends), y=["", ""], mode="lines", line={"color": line_colour, "width": width}, name=name)


def forest_figure(compared: Compared) -> go.Figure:
    """Mean and 90 % interval of one constant in every finding; a colour and a sign for each law."""
    figure = go.Figure()
    laws = list(dict.fromkeys(entry.law for entry in compared.entries))
    for index, law in enumerate(laws):
        entries = [entry for entry in compared.entries if entry.law == law]
        low, middle, high = ([getattr(entry.constant, end) or 0.0 for entry in entries] for end in _ENDS)
        figure.add_scatter(
            x=middle,
            y=[entry.finding for entry in entries],
            customdata=[f"{entry.domain}, {entry.policy}" for entry in entries],
            error_x=reach(low, middle, high),
            mode="markers",
            marker={"color": colour(index), "symbol": symbol(index), "size": 9},
            name=law or "no law",
            hovertemplate=f"%{{y}} (%{{customdata}}): %{{x:.4g}} {compared.unit}<extra>{law}</extra>",
        )
    figure.update_xaxes(title_text=compared.heading)
    order = [entry.finding for entry in reversed(compared.entries)]
    figure.update_yaxes(title_text="finding", type="category", categoryorder="array", categoryarray=order)
    return laid_out(figure, 120 + 26 * len(order), legend=True)
