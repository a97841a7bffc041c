"""Charts of an answer: which columns, and what marks."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from orchestrator.errors import RequestError
from orchestrator.query_answers import Answer
from ui.figure_style import colour, laid_out, symbol

MARKS = ("points", "lines", "bars", "histogram", "boxes")
_MOST_GROUPS = 12
_NONE = "(none)"
_CHART: dict[str, Any] = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}


def show_chart(answer: Answer) -> None:
    """Choices, and the chart."""
    numbers = [name for name in answer.columns if answer.is_number(name)]
    if not numbers or len(answer.rows) < 2:
        st.caption("A chart needs a column of numbers and two rows.")
        return
    st.subheader("Chart")
    first, second, third, fourth = st.columns(4)
    mark = str(first.selectbox("Marks", MARKS, key="chart.mark"))
    varied = [name for name in numbers if len(set(answer.column(name))) > 1] or numbers
    first_x = answer.columns.index(varied[0])
    x = str(second.selectbox("Across (x)", answer.columns, index=first_x, key=f"chart.x.{answer.columns}"))
    y = ""
    if mark != "histogram":
        best = next((name for name in varied if name != x), varied[0])
        y = str(third.selectbox("Up (y)", numbers, index=numbers.index(best), key=f"chart.y.{answer.columns}"))
    by = str(fourth.selectbox("Colour", [_NONE, *answer.columns], key=f"chart.colour.{answer.columns}"))
    st.plotly_chart(chart(answer, mark, x, y, "" if by == _NONE else by), config=_CHART, key="database.chart")


def chart(answer: Answer, mark: str, x: str, y: str, by: str) -> go.Figure:
    """The chart of two columns, one of a histogram; a group for each value of a third.

    A third column of numbers colours points by a scale. RequestError for more groups than can be told apart.
    """
    figure = go.Figure()
    if by and mark == "points" and answer.is_number(by):
        bar = {"color": answer.column(by), "colorscale": "Viridis", "showscale": True, "colorbar": {"title": by}}
        figure.add_scatter(x=answer.column(x), y=answer.column(y), mode="markers", marker={**bar, "size": 7}, name=y)
    else:
        for index, (name, places) in enumerate(_groups(answer, by).items()):
            _add(
                figure,
                mark,
                _values(answer, x, places),
                _values(answer, y, places) if y else [],
                (index, name or y or x),
            )
    figure.update_xaxes(title_text=x)
    figure.update_yaxes(title_text=y or "rows")
    return laid_out(figure, 420, legend=bool(by)).update_layout(barmode="group", legend={"title": by})


def _groups(answer: Answer, by: str) -> dict[str, list[int]]:
    if not by:
        return {"": list(range(len(answer.rows)))}
    groups: dict[str, list[int]] = {}
    for place, value in enumerate(answer.column(by)):
        groups.setdefault("none" if value is None else str(value), []).append(place)
    if len(groups) > _MOST_GROUPS:
        raise RequestError(
            f"the column {by!r} has {len(groups):,} different values, and {_MOST_GROUPS} colours can be told apart: "
            "choose another, or points, which colour numbers by a scale"
        )
    return groups


def _values(answer: Answer, name: str, places: Sequence[int]) -> list[Any]:
    values = answer.column(name)
    return [values[place] for place in places]


def _add(figure: go.Figure, mark: str, x: list[Any], y: list[Any], group: tuple[int, str]) -> None:
    index, name = group
    if mark == "bars":
        figure.add_bar(x=x, y=y, name=name, marker_color=colour(index))
    elif mark == "histogram":
        figure.add_histogram(x=x, name=name, marker_color=colour(index))
    elif mark == "boxes":
        figure.add_box(x=x, y=y, name=name, marker_color=colour(index))
    else:
        style = {"color": colour(index), "symbol": symbol(index), "size": 7}
        mode = "lines+markers" if mark == "lines" else "markers"
        figure.add_scatter(x=x, y=y, name=name, mode=mode, marker=style, line={"color": colour(index)})
