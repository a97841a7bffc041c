"""Figures of findings for files that leave the installation: laws' probabilities, intervals against their priors, and
intervals of several findings beside each other. Vector graphics; axes have names and units.
"""

import io
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestrator.colours import COLOURS
from orchestrator.finding_comparison import Compared
from orchestrator.finding_report import Constant, Report

_MARKERS = ("o", "s", "D", "^", "P", "v", "X", "*")
_PRIOR = "#b9bec5"
WIDTH = 6.6  # inches, of every figure
LAWS_HEIGHT, STRIP_HEIGHT, ROW_HEIGHT = 2.5, 0.62, 0.24
_LOCK = threading.Lock()  # matplotlib's settings are of the process, and pages are drawn in threads
_SETTINGS = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters everywhere
    "font.size": 8,
    "text.parse_math": False,  # other people's words may hold a $
    "pdf.fonttype": 42,  # letters stay letters: they can be searched and copied
    "svg.fonttype": "path",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "legend.frameon": False,
}


@contextmanager
def drawing(home: Path) -> Iterator[type[Any]]:
    """Matplotlib's figures, with our settings, one drawing at a time; what it keeps lies in the home."""
    os.environ.setdefault("MPLCONFIGDIR", str(home / "cache" / "matplotlib"))
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with _LOCK, mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # it is shown as a box
        yield Figure


def svg(home: Path, height: float, draw: Callable[[Any], None]) -> str:
    """One figure as SVG, without date and place."""
    with drawing(home) as figure_of:
        figure = figure_of(figsize=(WIDTH, height))
        draw(Area(figure, WIDTH, height))
        target = io.StringIO()
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return target.getvalue()


class Area:
    """A part of a sheet, in inches, from its upper left corner."""

    def __init__(self, figure: Any, width: float, height: float, left: float = 0.0, top: float = 0.0) -> None:
        self.figure, self.width, self.height, self._left, self._top = figure, width, height, left, top

    def axes(self, left: float, top: float, width: float, height: float) -> Any:
        """Axes at this place of the area."""
        sheet_width, sheet_height = self.figure.get_size_inches()
        bottom = sheet_height - self._top - top - height
        return self.figure.add_axes(
            ((self._left + left) / sheet_width, bottom / sheet_height, width / sheet_width, height / sheet_height)
        )


def draw_laws(area: Area, report: Report) -> None:
    """The probability of every law after each experiment."""
    axes = area.axes(0.6, 0.12, area.width - 2.2, area.height - 0.6)
    shown = [law.name for law in report.laws[: len(COLOURS)]]
    steps = [step.experiments for step in report.steps]
    for index, law in enumerate(shown):
        values = [step.probability.get(law) for step in report.steps]
        style = {"color": COLOURS[index], "marker": _MARKERS[index], "markersize": 3.5, "linewidth": 1.2}
        axes.plot(steps, values, label=_short(law), **style)
    axes.set_xlabel("experiments done")
    axes.set_ylabel("probability of the law")
    axes.set_ylim(-0.03, 1.03)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=7)


def draw_constants(area: Area, report: Report) -> None:
    """Each constant's 90 % interval over that of its prior, on an axis of its own."""
    for index, constant in enumerate(shown_constants(report)):
        axes = area.axes(1.3, index * STRIP_HEIGHT + 0.05, area.width - 1.6, STRIP_HEIGHT - 0.42)
        _strip(axes, constant, first=index == 0)


def shown_constants(report: Report) -> list[Constant]:
    """The constants that have an interval."""
    return [c for c in report.constants if None not in (c.mean, c.low90, c.high90)]


def _strip(axes: Any, constant: Constant, *, first: bool) -> None:
    low, high, mean = (float(end or 0.0) for end in (constant.low90, constant.high90, constant.mean))
    if constant.prior_low is not None and constant.prior_high is not None:
        axes.plot([constant.prior_low, constant.prior_high], [0, 0], color=_PRIOR, linewidth=7, label="prior, 90 %",
                  solid_capstyle="butt")  # fmt: skip
        ends = (constant.prior_low, low, constant.prior_high, high)
        if min(ends) > 0 and max(ends) > 30 * min(ends):
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")  # powers of ten would need formulas
    axes.plot([low, high], [0, 0], color=COLOURS[0], linewidth=2.4, solid_capstyle="butt", label="found, 90 %")
    axes.plot([mean], [0], color=COLOURS[0], marker="o", markersize=4, linestyle="none", label="mean")
    axes.set_yticks([0], [_heading(constant)])
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=6.5, pad=1)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-1, 1)
    if first:
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.62), ncols=3, fontsize=6, borderaxespad=0)


def draw_forest(area: Area, compared: Compared) -> None:
    """One constant of several findings: mean and 90 % interval each, by rows."""
    axes = area.axes(2.6, 0.08, area.width - 2.8, area.height - 0.55)
    laws = list(dict.fromkeys(entry.law for entry in compared.entries))
    for row, entry in enumerate(compared.entries):
        low, high, mean = (
            float(end or 0.0) for end in (entry.constant.low90, entry.constant.high90, entry.constant.mean)
        )
        colour = COLOURS[laws.index(entry.law) % len(COLOURS)]
        axes.plot([low, high], [row, row], color=colour, linewidth=1.6)
        marker = _MARKERS[laws.index(entry.law) % len(_MARKERS)]
        axes.plot([mean], [row], color=colour, marker=marker, markersize=4.5, linestyle="none")
    axes.set_yticks(range(len(compared.entries)), [_short(f"{e.finding}, {e.law}", 40) for e in compared.entries])
    axes.set_ylim(len(compared.entries) - 0.4, -0.6)
    axes.set_xlabel(compared.heading)
    axes.grid(axis="x", color="#e3e6ea", linewidth=0.6)


def forest_height(compared: Compared) -> float:
    """How tall a forest plot is, in inches."""
    return 0.75 + ROW_HEIGHT * len(compared.entries)


def constants_height(constants: Sequence[Constant]) -> float:
    """How tall the intervals of so many constants are, in inches."""
    return 0.1 + STRIP_HEIGHT * len(constants)


def _heading(constant: Constant) -> str:
    return _short(f"{constant.name} ({constant.unit})" if constant.unit else constant.name)


def _short(words: str, most: int = 24) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"
