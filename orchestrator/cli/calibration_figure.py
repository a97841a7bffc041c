"""The picture of a calibration: reliability of the laws' probabilities, and where truths lie among the particles."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from meta_learner.evaluation.calibration_report import Calibration, Result
from meta_learner.evaluation.calibration_statistics import BINS, LEVELS

_ACROSS = 5
_BAND, _WIDE = "rgba(120,120,120,0.45)", "rgba(120,120,120,0.2)"
_INSIDE, _OUTSIDE = "#2d7dd2", "#d6473c"
_BANDS = "grey: what an exact belief gives, 95 % and (light) as judged"


def calibration_figure(found: Calibration) -> go.Figure:
    """Over all domains: reliability, coverage, ranks; below, the ranks of every domain."""
    ranked = {name: results for name, results in found.domains.items() if _tenths(results, "ranks")}
    rows = 1 + math.ceil(len(ranked) / _ACROSS)
    first = [{"colspan": 2}, None, {"colspan": 2}, None, {}]
    figure = make_subplots(
        rows=rows,
        cols=_ACROSS,
        specs=[first, *[[{}] * _ACROSS] * (rows - 1)],
        subplot_titles=[
            "laws: share that holds by probability",
            "ranks of truths, all domains",
            "coverage by level",
            *ranked,
        ],
        row_heights=[1.6, *[1.0] * (rows - 1)],
        vertical_spacing=0.28 / rows,
        horizontal_spacing=0.045,
    )
    _reliability(figure, _tenths(found.together, "laws"))
    _histogram(figure, _tenths(found.together, "ranks"), 1, 3)
    _coverage(figure, [result for result in found.together if result.name.startswith("coverage")])
    for index, results in enumerate(ranked.values()):
        _histogram(figure, _tenths(results, "ranks"), 2 + index // _ACROSS, 1 + index % _ACROSS)
    figure.update_layout(
        title=f"Calibration of {len(found.runs)} worlds: {'inside' if found.ok else 'outside'} ({_BANDS})",
        height=330 + 190 * (rows - 1),
        template="plotly_white",
        showlegend=False,
        margin={"l": 45, "r": 20, "t": 90, "b": 40},
    )
    figure.update_annotations(font_size=12)
    return figure


def _tenths(results: Sequence[Result], of: str) -> list[Result]:
    return [result for result in results if result.name.startswith(f"{of} in tenth")]


def _which(result: Result) -> int:
    return int(result.name.rsplit(" ", 1)[1]) - 1


def _reliability(figure: go.Figure, results: Sequence[Result]) -> None:
    """Mean probability against the share of laws that hold, in tenths of probability."""
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": "#999", "dash": "dot"}, row=1, col=1)
    x = [result.mean / result.of for result in results]
    _bands(figure, results, x, row=1, col=1)
    text = [f"{result.observed:.0f} of {result.of} laws" for result in results]
    _points(figure, results, x, text=text, row=1, col=1)
    figure.update_xaxes(range=[-0.03, 1.03], row=1, col=1)
    figure.update_yaxes(range=[-0.05, 1.05], row=1, col=1)


def _coverage(figure: go.Figure, results: Sequence[Result]) -> None:
    """Share of central intervals that hold the truth."""
    x = [level for level in LEVELS if f"coverage {level:.0%}" in {result.name for result in results}]
    figure.add_scatter(x=[0.45, 1], y=[0.45, 1], mode="lines", line={"color": "#999", "dash": "dot"}, row=1, col=5)
    _bands(figure, results, x, row=1, col=5)
    _points(figure, results, x, text=[f"of {result.of} intervals" for result in results], row=1, col=5)


def _bands(figure: go.Figure, results: Sequence[Result], x: Sequence[float], *, row: int, col: int) -> None:
    """What an exact belief gives, as upright bars."""
    for colour, ends in ((_WIDE, [(r.low, r.high) for r in results]), (_BAND, [(r.low95, r.high95) for r in results])):
        shares = [(low / result.of, high / result.of) for (low, high), result in zip(ends, results, strict=True)]
        xs = [place for value in x for place in (value, value, None)]
        ys = [place for low, high in shares for place in (low, high, None)]
        line = {"color": colour, "width": 9}
        figure.add_scatter(x=xs, y=ys, mode="lines", line=line, hoverinfo="skip", row=row, col=col)


def _points(
    figure: go.Figure, results: Sequence[Result], x: Sequence[float], *, text: Sequence[str], row: int, col: int
) -> None:
    y = [result.observed / result.of for result in results]
    marker = {"color": [_colour(result) for result in results], "size": 8}
    figure.add_scatter(x=list(x), y=y, mode="markers", marker=marker, text=list(text), row=row, col=col)


def _histogram(figure: go.Figure, results: Sequence[Result], row: int, col: int) -> None:
    """Counts of ranks in tenths, with the bands behind."""
    x = [(_which(result) + 0.5) / BINS for result in results]
    for colour, ends in ((_WIDE, [(r.low, r.high) for r in results]), (_BAND, [(r.low95, r.high95) for r in results])):
        figure.add_bar(
            x=x,
            base=[low for low, _ in ends],
            y=[high - low for low, high in ends],
            width=1 / BINS,
            marker={"color": colour, "line": {"width": 0}},
            hoverinfo="skip",
            row=row,
            col=col,
        )
    counts = [result.observed for result in results]
    marker = {"color": [_colour(result) for result in results], "size": 7 if row == 1 else 5}
    line = {"color": _INSIDE, "width": 1}
    figure.add_scatter(x=x, y=counts, mode="lines+markers", marker=marker, line=line, row=row, col=col)
    figure.update_xaxes(range=[0, 1], tickvals=[0, 0.5, 1], row=row, col=col)
    figure.update_yaxes(rangemode="tozero", nticks=5, row=row, col=col)
    figure.update_layout(barmode="overlay")


def _colour(result: Result) -> str:
    return _OUTSIDE if result.outside else _INSIDE
