"""Figures of a run's beliefs."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import plotly.graph_objects as go

from experiments_db.queries import BeliefStep
from ui.figure_style import COLOURS, GREY, add_band, colour, laid_out, reach, symbol
from ui.quantities import Quantity

_AXIS = "experiments done"


def mechanism_figure(beliefs: Sequence[BeliefStep], known: int | None = None) -> go.Figure:
    """The probability of every law after each experiment; known: at how many of them one looks."""
    figure = go.Figure()
    steps = [belief.step + 1 for belief in beliefs]
    for index, law in enumerate(laws(beliefs)):
        figure.add_scatter(
            x=steps,
            y=[belief.mechanism_probability.get(law) for belief in beliefs],
            name=law,
            mode="lines+markers",
            line={"color": colour(index), "width": 2},
            marker={"symbol": symbol(index), "size": 7},
            hovertemplate=f"{law}: %{{y:.1%}}<extra></extra>",
        )
    _mark(figure, known, len(steps))
    figure.update_yaxes(title_text="probability of the law", range=[-0.03, 1.03], tickvals=[0, 0.25, 0.5, 0.75, 1])
    return _by_step(figure, len(steps), 320, legend=len(figure.data) > 1)


def parameter_figure(beliefs: Sequence[BeliefStep], quantity: Quantity, known: int | None = None) -> go.Figure:
    """A parameter's mean and 90 % interval after each experiment, in the colour of the law they are of."""
    figure = go.Figure()
    every = laws(beliefs)
    having = [belief for belief in beliefs if quantity.name in belief.parameters]
    for law, group in groupby(having, key=_leading):
        _add_stretch(figure, list(group), quantity, law, every.index(law))
    _mark(figure, known, len(beliefs))
    figure.update_yaxes(title_text=quantity.heading)
    return _by_step(figure, len(beliefs), 230)


def _mark(figure: go.Figure, known: int | None, last: int) -> None:
    """Where in the history one looks, unless at its end."""
    if known is not None and 0 < known < last:
        figure.add_vline(x=known, line={"color": GREY, "width": 1, "dash": "dot"})


def laws(beliefs: Sequence[BeliefStep]) -> list[str]:
    """The laws in the domain's order, which fixes their colours; of many, those that were ever most probable."""
    if not beliefs:
        return []
    known = beliefs[0].mechanism_probability
    if len(known) <= len(COLOURS):
        return list(known)
    best = {law: max(belief.mechanism_probability.get(law, 0.0) for belief in beliefs) for law in known}
    leading = {_leading(belief) for belief in beliefs}
    most = sorted(known, key=lambda law: (law not in leading, -best[law]))[: max(len(COLOURS), len(leading))]
    return [law for law in known if law in most]


def parameters(beliefs: Sequence[BeliefStep]) -> list[str]:
    """Every parameter that the most probable law ever had, in the order of the laws."""
    return list(dict.fromkeys(name for belief in reversed(beliefs) for name in belief.parameters))


def _leading(belief: BeliefStep) -> str:
    return max(belief.mechanism_probability, key=lambda law: belief.mechanism_probability[law])


def _add_stretch(figure: go.Figure, beliefs: list[BeliefStep], quantity: Quantity, law: str, index: int) -> None:
    """Consecutive steps with one leading law: the band, and over it the means, each with its interval."""
    shade = colour(index)
    steps = [belief.step + 1 for belief in beliefs]
    values: list[Mapping[str, float | None]] = [dict(belief.parameters[quantity.name]) for belief in beliefs]
    low, mean, high = ([value.get(key) for value in values] for key in ("low90", "mean", "high90"))
    add_band(figure, steps, low, high, shade)
    figure.add_scatter(
        x=steps,
        y=mean,
        error_y=reach(low, mean, high, color=shade, thickness=1, width=0),
        mode="lines+markers",
        line={"color": shade, "width": 2},
        marker={"symbol": symbol(index), "size": 6},
        customdata=list(zip(low, high, strict=True)),
        hovertemplate=f"%{{y:.4g}} {quantity.unit} (90 %: %{{customdata[0]:.4g}} to %{{customdata[1]:.4g}}), {law}"
        "<extra></extra>",
    )


def _by_step(figure: go.Figure, steps: int, height: int, *, legend: bool = False) -> go.Figure:
    figure.update_xaxes(title_text=_AXIS, range=[0.5, max(steps, 2) + 0.5], dtick=max(1, -(-steps // 12)), tick0=0)
    return laid_out(figure, height, legend=legend).update_layout(hovermode="x unified")
