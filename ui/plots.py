"""Figures of a run's beliefs. Colours are chosen to be told apart on a white and on a dark page."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import plotly.graph_objects as go

from experiments_db.queries import BeliefStep
from ui.quantities import Quantity

COLOURS = ("#2d7dd2", "#e07a1f", "#2a9d63", "#c44d9a", "#8a6fd6", "#b8930f", "#d6473c", "#1ba3b5")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "x", "star")
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
            line={"color": COLOURS[index % len(COLOURS)], "width": 2},
            marker={"symbol": SYMBOLS[index % len(SYMBOLS)], "size": 7},
            hovertemplate=f"{law}: %{{y:.1%}}<extra></extra>",
        )
    _mark(figure, known, len(steps))
    figure.update_yaxes(title_text="probability of the law", range=[-0.03, 1.03], tickvals=[0, 0.25, 0.5, 0.75, 1])
    return _styled(figure, len(steps), height=320)


def parameter_figure(beliefs: Sequence[BeliefStep], quantity: Quantity, known: int | None = None) -> go.Figure:
    """A parameter's mean and 90 % interval after each experiment, in the colour of the law they are of."""
    figure = go.Figure()
    every = laws(beliefs)
    having = [belief for belief in beliefs if quantity.name in belief.parameters]
    for law, group in groupby(having, key=_leading):
        _add_stretch(figure, list(group), quantity, law, every.index(law))
    _mark(figure, known, len(beliefs))
    figure.update_yaxes(title_text=quantity.heading)
    figure.update_layout(showlegend=False)
    return _styled(figure, len(beliefs), height=230)


def _mark(figure: go.Figure, known: int | None, last: int) -> None:
    """Where in the history one looks, unless at its end."""
    if known is not None and 0 < known < last:
        figure.add_vline(x=known, line={"color": "#888888", "width": 1, "dash": "dot"})


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
    colour = COLOURS[index % len(COLOURS)]
    steps = [belief.step + 1 for belief in beliefs]
    values: list[Mapping[str, float | None]] = [dict(belief.parameters[quantity.name]) for belief in beliefs]
    low, mean, high = ([value.get(key) for value in values] for key in ("low90", "mean", "high90"))
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    figure.add_scatter(x=steps, y=low, **edge)
    figure.add_scatter(x=steps, y=high, fill="tonexty", fillcolor=faint(colour), **edge)
    figure.add_scatter(
        x=steps,
        y=mean,
        error_y=_interval(low, mean, high, colour),
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"symbol": SYMBOLS[index % len(SYMBOLS)], "size": 6},
        customdata=list(zip(low, high, strict=True)),
        hovertemplate=f"%{{y:.4g}} {quantity.unit} (90 %: %{{customdata[0]:.4g}} to %{{customdata[1]:.4g}}), {law}"
        "<extra></extra>",
    )


def _interval(
    low: list[float | None], mean: list[float | None], high: list[float | None], colour: str
) -> dict[str, object]:
    def reach(ends: list[float | None], sign: int) -> list[float | None]:
        return [
            None if end is None or middle is None else sign * (end - middle)
            for end, middle in zip(ends, mean, strict=True)
        ]

    return {
        "type": "data",
        "symmetric": False,
        "array": reach(high, 1),
        "arrayminus": reach(low, -1),
        "color": colour,
        "thickness": 1,
        "width": 0,
    }


def faint(colour: str, opacity: float = 0.18) -> str:
    """The colour as one sees through."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _styled(figure: go.Figure, steps: int, *, height: int) -> go.Figure:
    figure.update_xaxes(title_text=_AXIS, range=[0.5, max(steps, 2) + 0.5], dtick=max(1, -(-steps // 12)), tick0=0)
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30 if figure.layout.showlegend is not False else 8, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        hovermode="x unified",
        uirevision="kept",  # a refresh keeps the viewer's zoom
    )
    return figure


def colour(index: int) -> str:
    """The colour of the law, or of whatever else, of this number."""
    return COLOURS[index % len(COLOURS)]


def symbol(index: int) -> str:
    """The sign that goes with the colour, for those who cannot tell colours apart."""
    return SYMBOLS[index % len(SYMBOLS)]
