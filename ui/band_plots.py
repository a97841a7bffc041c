"""Figures of what each law predicts, of measured points, and of the designs that were considered."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ui.plots import COLOURS, SYMBOLS, faint
from ui.quantities import Quantity

_POINT = "#888888"  # seen on white and on dark
_MOST = 12  # candidates in a figure


def band_figure(result: Mapping[str, Any], order: Sequence[str], axis: Quantity, outcome: Quantity) -> go.Figure:
    """Each law's median and 5 to 95 % band over one setting, and what was measured; order: of laws, for colours."""
    figure = go.Figure()
    numeric = all(not isinstance(value, str) for value in result["grid"])
    for law in result["laws"]:
        if outcome.name in law["outcomes"]:
            _add_band(figure, law, result["grid"], outcome, _colour(order, law["name"]), numeric=numeric)
    for near, name in ((True, "measured"), (False, "measured, other settings differ")):
        _add_points(
            figure, [p for p in result["points"] if p["near"] == near], result["axis"], outcome, name, near=near
        )
    following = result.get("next")
    if following is not None and numeric:
        figure.add_vline(x=following[result["axis"]], line={"color": _POINT, "dash": "dash", "width": 1})
    figure.update_xaxes(title_text=axis.heading, type="log" if result.get("scale") == "log" and numeric else None)
    figure.update_yaxes(title_text=outcome.heading)
    return _styled(figure, 380)


def _add_band(
    figure: go.Figure, law: Mapping[str, Any], grid: Sequence[Any], outcome: Quantity, colour: str, *, numeric: bool
) -> None:
    values, name = law["outcomes"][outcome.name], f"{law['name']} ({law['probability']:.0%})"
    middle, told = _middle(values)
    hover = f"{law['name']}, {told}: %{{y:.4g}} {outcome.unit}<extra></extra>"
    if not numeric:
        figure.add_scatter(
            x=grid, y=middle, name=name, mode="markers", hovertemplate=hover,
            marker={"color": colour, "size": 9}, error_y=_reach(values, middle, colour),
        )  # fmt: skip
        return
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False, "legendgroup": name}
    figure.add_scatter(x=grid, y=values["low"], **edge)
    figure.add_scatter(x=grid, y=values["high"], fill="tonexty", fillcolor=faint(colour), **edge)
    figure.add_scatter(
        x=grid, y=middle, name=name, mode="lines", legendgroup=name, hovertemplate=hover, line={"color": colour}
    )


def _middle(values: Mapping[str, Sequence[float | None]]) -> tuple[Sequence[float | None], str]:
    """The median; of an outcome that is 0 or 1, its probability."""
    ends = [value for key in ("low", "middle", "high") for value in values[key] if value is not None]
    return (
        (values["mean"], "probability of 1") if all(value in (0, 1) for value in ends) else (values["middle"], "median")
    )


def _reach(values: Mapping[str, Any], middle: Sequence[float | None], colour: str) -> dict[str, Any]:
    def apart(ends: Sequence[float | None]) -> list[float | None]:
        return [None if e is None or m is None else abs(e - m) for e, m in zip(ends, middle, strict=True)]

    return {
        "type": "data", "symmetric": False, "array": apart(values["high"]), "arrayminus": apart(values["low"]),
        "color": colour, "thickness": 1.5, "width": 4,
    }  # fmt: skip


def _add_points(
    figure: go.Figure, points: Sequence[Mapping[str, Any]], axis: str, outcome: Quantity, name: str, *, near: bool
) -> None:
    shown = [point for point in points if point["outcome"].get(outcome.name) is not None]
    if not shown:
        return
    figure.add_scatter(
        x=[point["design"][axis] for point in shown],
        y=[point["outcome"][outcome.name] for point in shown],
        customdata=[point["experiment"] for point in shown],
        name=name,
        mode="markers",
        marker={
            "color": _POINT, "size": 9 if near else 7, "symbol": "circle" if near else "circle-open",
            "line": {"color": _POINT, "width": 1},
        },
        hovertemplate=f"experiment %{{customdata}}: %{{y:.4g}} {outcome.unit}<extra></extra>",
    )  # fmt: skip


def next_figure(result: Mapping[str, Any], order: Sequence[str], outcome: Quantity) -> go.Figure:
    """What each law predicts at the next experiment: median and 5 to 95 %."""
    figure = go.Figure()
    for law in result["laws"]:
        values = {key: [value] for key, value in (law["next"] or {}).get(outcome.name, {}).items()}
        if not values:
            continue
        middle, told = _middle(values)
        colour = _colour(order, law["name"])
        reach = _reach(values, middle, colour)
        figure.add_scatter(
            x=middle, y=[f"{law['name']} ({law['probability']:.0%})"], error_x=reach, mode="markers",
            marker={"color": colour, "size": 10}, showlegend=False,
            hovertemplate=f"{told}: %{{x:.4g}} {outcome.unit}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text=outcome.heading)
    figure.update_yaxes(title_text="law", autorange="reversed")
    figure = _styled(figure, 90 + 34 * len(result["laws"]))
    return figure.update_layout(hovermode="closest")


def candidate_figure(candidates: Sequence[Mapping[str, Any]], axis: Quantity) -> go.Figure:
    """The leading designs with their scores over one setting; the first was chosen."""
    shown = candidates[:_MOST]
    figure = go.Figure()
    for name, few, symbol, size in (
        ("considered", shown[1:], "circle", 8),
        ("best", shown[:1], "star", 14),
    ):
        figure.add_scatter(
            x=[entry["design"][axis.name] for entry in few],
            y=[entry["score"] for entry in few],
            name=name,
            mode="markers",
            marker={"color": COLOURS[symbol == "star"], "symbol": symbol, "size": size},
            hovertemplate=f"{axis.name} = %{{x}} {axis.unit}, score %{{y:.4g}}<extra></extra>",
        )
    figure.update_xaxes(title_text=axis.heading)
    figure.update_yaxes(title_text="score of the design")
    return _styled(figure, 260).update_layout(hovermode="closest")


def symbol_of(order: Sequence[str], law: str) -> str:
    """A law's sign, told from others without colour."""
    return SYMBOLS[(list(order).index(law) if law in order else len(order)) % len(SYMBOLS)]


def _colour(order: Sequence[str], law: str) -> str:
    return COLOURS[(list(order).index(law) if law in order else len(order)) % len(COLOURS)]


def _styled(figure: go.Figure, height: int) -> go.Figure:
    return figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        uirevision="kept",
    )
