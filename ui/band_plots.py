"""Figures of what each law predicts, of measured points, and of the designs that were considered."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ui.figure_style import COLOURS, GREY, add_band, colour, laid_out, reach
from ui.quantities import Quantity

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
        figure.add_vline(x=following[result["axis"]], line={"color": GREY, "dash": "dash", "width": 1})
    figure.update_xaxes(title_text=axis.heading, type="log" if result.get("scale") == "log" and numeric else None)
    figure.update_yaxes(title_text=outcome.heading)
    return laid_out(figure, 380, legend=True)


def _add_band(
    figure: go.Figure, law: Mapping[str, Any], grid: Sequence[Any], outcome: Quantity, shade: str, *, numeric: bool
) -> None:
    values, name = law["outcomes"][outcome.name], f"{law['name']} ({law['probability']:.0%})"
    middle, told = _middle(values)
    hover = f"{law['name']}, {told}: %{{y:.4g}} {outcome.unit}<extra></extra>"
    if not numeric:
        figure.add_scatter(
            x=grid, y=middle, name=name, mode="markers", hovertemplate=hover,
            marker={"color": shade, "size": 9}, error_y=_reach(values, middle, shade),
        )  # fmt: skip
        return
    add_band(figure, grid, values["low"], values["high"], shade, group=name)
    figure.add_scatter(
        x=grid, y=middle, name=name, mode="lines", legendgroup=name, hovertemplate=hover, line={"color": shade}
    )


def _middle(values: Mapping[str, Sequence[float | None]]) -> tuple[Sequence[float | None], str]:
    """The median; of an outcome that is 0 or 1, its probability."""
    ends = [value for key in ("low", "middle", "high") for value in values[key] if value is not None]
    return (
        (values["mean"], "probability of 1") if all(value in (0, 1) for value in ends) else (values["middle"], "median")
    )


def _reach(values: Mapping[str, Any], middle: Sequence[float | None], shade: str) -> dict[str, Any]:
    return reach(values["low"], middle, values["high"], color=shade, thickness=1.5, width=4)


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
            "color": GREY, "size": 9 if near else 7, "symbol": "circle" if near else "circle-open",
            "line": {"color": GREY, "width": 1},
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
        shade = _colour(order, law["name"])
        figure.add_scatter(
            x=middle, y=[f"{law['name']} ({law['probability']:.0%})"], mode="markers",
            error_x=_reach(values, middle, shade), marker={"color": shade, "size": 10},
            hovertemplate=f"{told}: %{{x:.4g}} {outcome.unit}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text=outcome.heading)
    figure.update_yaxes(title_text="law", autorange="reversed")
    return laid_out(figure, 90 + 34 * len(result["laws"])).update_layout(hovermode="closest")


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
    return laid_out(figure, 260, legend=True).update_layout(hovermode="closest")


def _colour(order: Sequence[str], law: str) -> str:
    return colour(list(order).index(law) if law in order else len(order))
