"""Findings as one HTML page that needs nothing else: figures are in it, no host is asked, all is escaped."""

import base64
from collections.abc import Sequence
from functools import partial
from html import escape
from pathlib import Path

from orchestrator import finding_figures as figures
from orchestrator.finding_comparison import compared_constants, comparison_rows
from orchestrator.finding_report import Report
from orchestrator.finding_words import SECTIONS, in_words
from orchestrator.findings import percent

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1d2430;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.25rem;margin-top:2.5rem}h3{font-size:1rem;margin-bottom:.3rem}
table{border-collapse:collapse;font-size:.85rem;display:block;overflow-x:auto}
th,td{border-bottom:1px solid #ccd2da;padding:.3rem .6rem;text-align:left;vertical-align:top}
pre{white-space:pre-wrap;background:#f2f4f7;padding:.8rem}img{max-width:100%;background:#fff}.small{color:#5b6675;font-size:.85rem}
@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#14181f}pre{background:#20262f}.small{color:#9aa5b4}}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def html_page(home: Path, reports: Sequence[Report]) -> str:
    """The page: what is shared, then finding by finding."""
    title = reports[0].question if len(reports) == 1 else f"{len(reports)} findings"
    body = [f"<h1>{escape(title)}</h1>"]
    if len(reports) > 1:
        body += _comparison(home, reports)
    for report in reports:
        body += _finding(home, report)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


def _finding(home: Path, report: Report) -> list[str]:
    words = in_words(report)
    parts = [f"<h2>{escape(report.question)}</h2>", f'<p class="small">{escape(facts(report))}</p>']
    for name, heading in SECTIONS.items():
        parts.append(f"<h3>{heading}</h3>")
        parts += [f"<p>{escape(sentence)}</p>" for sentence in getattr(words, name)]
        parts += _figures(home, report) if name == "found" else []
    parts.append("<h3>Judgements</h3>")
    parts += [f"<p>{escape(line)}</p>" for line in judgement_lines(report)]
    return [*parts, "<h3>As recorded</h3>", f"<pre>{escape(report.text)}</pre>"]


def _figures(home: Path, report: Report) -> list[str]:
    found = []
    if len(report.steps) > 1 and len(report.laws) > 1:
        drawn = figures.svg(home, figures.LAWS_HEIGHT, lambda area: figures.draw_laws(area, report))
        found.append(_image(drawn, "The probability of every law after each experiment"))
    if constants := figures.shown_constants(report):
        height = figures.constants_height(constants)
        drawn = figures.svg(home, height, lambda area: figures.draw_constants(area, report))
        found.append(_image(drawn, "The 90 % interval of every constant, over that of its prior"))
    return found


def _comparison(home: Path, reports: Sequence[Report]) -> list[str]:
    rows = comparison_rows(reports)
    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
    lines = ["".join(f"<td>{escape(cell(name, value))}</td>" for name, value in row.items()) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    parts = ["<h2>Side by side</h2>", f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"]
    for compared in compared_constants(reports):
        if len(compared.entries) > 1:
            height = figures.forest_height(compared)
            drawn = figures.svg(home, height, partial(figures.draw_forest, compared=compared))
            parts.append(
                _image(drawn, f"{compared.heading} in {len(compared.entries)} findings: mean and 90 % interval")
            )
    return parts


def _image(drawn: str, words: str) -> str:
    data = base64.b64encode(drawn.encode()).decode()
    alternative = escape(words, quote=True)
    image = f'<img alt="{alternative}" src="data:image/svg+xml;base64,{data}">'
    return f'<figure>{image}\n<figcaption class="small">{alternative}.</figcaption></figure>'


def cell(name: str, value: object) -> str:
    """A value of the table of comparison in words."""
    if name == "probability" and isinstance(value, float):
        return percent(value)
    return "" if value is None else str(value)


def facts(report: Report) -> str:
    """What a finding is of, in one line."""
    of = "the campaign" if report.run is None else f"run {report.run + 1}"
    return " · ".join(
        [
            f"finding {report.name} ({of})",
            f"domain {report.domain}",
            *([report.field] if report.field else []),
            f"policy {report.policy}",
            f"laboratory {report.laboratory}",
            f"cost {report.cost:.4g}",
            report.found_at.strftime("%Y-%m-%d %H:%M UTC"),
        ]
    )


def judgement_lines(report: Report) -> list[str]:
    """What people said of it, in order."""
    lines = [
        f"{judged.at:%Y-%m-%d %H:%M} UTC, {judged.by} {judged.verdict} it: {judged.reason}"
        + (" (holds)" if judged.holds else "")
        for judged in report.judgements
    ]
    return lines or ["Nobody has judged it yet."]
