"""Findings as a PDF: A4, words that can be searched, figures as vectors."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from orchestrator import finding_figures as figures
from orchestrator.finding_comparison import Compared, compared_constants, comparison_rows
from orchestrator.finding_html import cell, facts, judgement_lines
from orchestrator.finding_report import Report
from orchestrator.finding_words import SECTIONS, in_words

_WIDTH, _HEIGHT, _MARGIN = 8.27, 11.69, 0.8  # inches
_LEADING = 1.45  # of a line, in heights of its letters
_GREY, _BLACK = "#5b6675", "#1d2430"


def pdf_file(home: Path, reports: Sequence[Report]) -> bytes:
    """The file: what is shared, then finding by finding, each on a page of its own."""
    from matplotlib.backends.backend_pdf import PdfPages

    title = reports[0].question if len(reports) == 1 else f"{len(reports)} findings"
    with figures.drawing(home) as figure_of:
        sheets = _Sheets(figure_of)
        if len(reports) > 1:
            _comparison(sheets, reports)
        for report in reports:
            _finding(sheets, report)
        target = io.BytesIO()
        with PdfPages(target, metadata={"Title": title, "Creator": "Organon", "CreationDate": None}) as pages:
            for number, sheet in enumerate(sheets.all, 1):
                words = f"Organon · page {number} of {len(sheets.all)}"
                sheet.text(_MARGIN / _WIDTH, 0.4 / _HEIGHT, words, fontsize=7, color=_GREY)
                pages.savefig(sheet)
    return target.getvalue()


class _Sheets:
    """Sheets filled from the top: lines of words and figures, a new sheet where there is no more room."""

    def __init__(self, figure_of: Any) -> None:
        self._figure_of = figure_of
        self.all: list[Any] = []
        self._top = _HEIGHT

    def turn(self) -> None:
        """Go on with a new sheet."""
        self.all.append(self._figure_of(figsize=(_WIDTH, _HEIGHT)))
        self._top = _MARGIN

    def words(self, text: str, size: float = 9, *, bold: bool = False, colour: str = _BLACK, gap: float = 0.04) -> None:
        """A paragraph, wrapped."""
        height = size / 72 * _LEADING
        for line in (line for given in text.split("\n") for line in _wrapped(given, size, bold)):
            self._room(height)
            weight = "bold" if bold else "normal"
            place = (_MARGIN / _WIDTH, 1 - self._top / _HEIGHT)
            self.all[-1].text(*place, line, fontsize=size, fontweight=weight, color=colour, va="top")
            self._top += height
        self._top += gap

    def heading(self, text: str, size: float) -> None:
        """A heading, with some of what follows on the same sheet."""
        self._top += 0.12
        self._room(1.0)
        self.words(text, size, bold=True)

    def figure(self, height: float, draw: Callable[[Any], None]) -> None:
        """A figure, whole on one sheet."""
        self._room(height)
        draw(figures.Area(self.all[-1], figures.WIDTH, height, _MARGIN, self._top))
        self._top += height + 0.08

    def _room(self, height: float) -> None:
        if not self.all or self._top + height > _HEIGHT - _MARGIN:
            self.turn()


def _finding(sheets: _Sheets, report: Report) -> None:
    words = in_words(report)
    sheets.turn()
    sheets.words(report.question, 15, bold=True, gap=0.08)
    sheets.words(facts(report), 7.5, colour=_GREY)
    for name, heading in SECTIONS.items():
        sheets.heading(heading, 11)
        for sentence in getattr(words, name):
            sheets.words(sentence)
        if name == "found":
            _figures(sheets, report)
    sheets.heading("Judgements", 11)
    for line in judgement_lines(report):
        sheets.words(line)
    sheets.heading("As recorded", 11)
    sheets.words(report.text, 8)


def _figures(sheets: _Sheets, report: Report) -> None:
    if len(report.steps) > 1 and len(report.laws) > 1:
        sheets.figure(figures.LAWS_HEIGHT, lambda area: figures.draw_laws(area, report))
    if constants := figures.shown_constants(report):
        sheets.figure(figures.constants_height(constants), lambda area: figures.draw_constants(area, report))


def _comparison(sheets: _Sheets, reports: Sequence[Report]) -> None:
    sheets.turn()
    sheets.words(f"{len(reports)} findings, side by side", 15, bold=True, gap=0.1)
    for row in comparison_rows(reports):
        named = [
            f"{name} {cell(name, value)}"
            for name, value in row.items()
            if name != "finding" and value not in ("", None)
        ]
        sheets.words(row["finding"], 9, bold=True, gap=0)
        sheets.words("; ".join(named), 8, gap=0.07)
    for compared in compared_constants(reports):
        if len(compared.entries) > 1:
            for part in _parts(compared):
                sheets.figure(figures.forest_height(part), partial(figures.draw_forest, compared=part))


def _parts(compared: Compared, most: int = 35) -> Iterator[Compared]:
    """Forests that fit on a sheet."""
    for start in range(0, len(compared.entries), most):
        yield replace(compared, entries=compared.entries[start : start + most])


def _wrapped(text: str, size: float, bold: bool) -> Iterator[str]:
    """Lines no wider than a sheet's; a word that is wider is cut."""
    indent = text[: len(text) - len(text.lstrip())]
    line = ""
    for word in _words(text.strip(), size, bold):
        longer = f"{line} {word}" if line else f"{indent}{word}"
        if line and _width(longer, size, bold) > figures.WIDTH:
            yield line
            longer = f"{indent}{word}"
        line = longer
    yield line


def _words(text: str, size: float, bold: bool) -> Iterator[str]:
    for given in text.replace(" %", "\u00a0%").split(" "):  # a number and its sign stay together
        word = given
        while len(word) > 1 and _width(word, size, bold) > figures.WIDTH:
            fits = next(
                k for k in range(len(word) - 1, 0, -1) if _width(word[:k], size, bold) <= figures.WIDTH or k == 1
            )
            yield word[:fits]
            word = word[fits:]
        yield word


@lru_cache(maxsize=20_000)
def _width(text: str, size: float, bold: bool) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) / 72
