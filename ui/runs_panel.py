"""Across the runs of a campaign: what they came to, and a table from which any one is opened."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from experiments_db import run_reads
from experiments_db.database import Database
from experiments_db.run_reads import RunLine
from orchestrator.run_statistics import Held, RunStatistics, run_statistics
from ui import run_plots
from ui.figure_style import CHART
from ui.links_to_campaigns import say
from ui.quantities import quantities
from ui.reading import CampaignView, kept
from ui.tables import numbered_page
from ui.wording import ABSENT, counted, status_words

PAGE_SIZE = 50
MOST = 2000  # runs that distributions are drawn of


def show_runs(database: Database, view: CampaignView) -> None:
    """Distributions over finished runs, and the table of all; read when opened, refreshed on a button."""
    if view.live and st.button("Refresh", key="runs.refresh", help="This part does not refresh itself."):
        st.rerun()
    finished = view.progress.finished_runs
    if finished == 0:
        st.caption("No run has finished yet: distributions are drawn of those that have.")
        leading: dict[str, int] = {}
    else:
        leading = _distributions(database, view, finished)
    _table(database, view, leading)


def _distributions(database: Database, view: CampaignView, finished: int) -> dict[str, int]:
    campaign_id = view.campaign.id

    def read() -> tuple[dict[str, int], RunStatistics]:
        with database.read() as session:
            outcomes = run_reads.run_outcomes(session, campaign_id, most=MOST)
            return run_reads.leading_laws(session, campaign_id), run_statistics(outcomes)

    leading, found = kept(f"runs {campaign_id}", (finished, view.campaign.status), read)
    if not found.count:
        return leading
    st.markdown(f"**{counted(sum(leading.values()), 'finished run')}**")
    if sum(leading.values()) > found.count:
        st.caption(f"Which law leads counts them all; the rest is of the first {found.count:,}.")
    if len(view.domain.document.get("mechanisms") or {}) > 1:
        _chart(run_plots.leading_figure(leading), "runs.leading")
    _spreads(found)
    _widths(view, found)
    _calibration(found)
    return leading


def _spreads(found: RunStatistics) -> None:
    drawn: list[tuple[str, Sequence[float], str, bool]] = [
        ("runs.probability", found.probability, "probability of the leading law", False),
        ("runs.experiments", found.experiments, "experiments of the run", True),
        ("runs.information", found.information, "information gained (nats)", False),
    ]
    shown = [entry for entry in drawn if entry[1]]
    for (key, values, title, whole), column in zip(shown, st.columns(len(shown)), strict=True):
        with column:
            _chart(run_plots.histogram(values, title, whole=whole), key)


def _widths(view: CampaignView, found: RunStatistics) -> None:
    if not found.widths:
        return
    named = quantities(view.domain.document)
    name = str(st.selectbox("Width of the 90 % interval of", list(found.widths), key="runs.parameter", width=300))
    unit = named.parameter(name).unit
    title = f"width of the 90 % interval of {name}" + (f" ({unit})" if unit else "")
    _chart(run_plots.histogram(found.widths[name], title), "runs.widths")
    st.caption(f"In the {counted(len(found.widths[name]), 'run')} whose leading law has it, under that law.")


def _calibration(found: RunStatistics) -> None:
    """Whether what was believed held, where the truth is known."""
    if not (found.laws or found.intervals):
        return
    st.markdown("**Was what it believed true?**")
    if found.laws:
        _chart(run_plots.held_figure(found.laws), "runs.calibration")
    if found.intervals:
        st.dataframe([_interval(held) for held in found.intervals], hide_index=True, key="runs.coverage")
        st.caption(
            "How often the 90 % interval held the truth, in the runs that found the true law: near 90 % where beliefs "
            "are calibrated; with few runs the 95 % interval of the share says how much that tells."
        )


def _interval(held: Held) -> dict[str, Any]:
    low, high = held.interval
    return {
        "parameter": held.name,
        "held the truth": f"{held.held} of {held.count}",
        "share": f"{held.share:.0%}",
        "95 % interval of the share": f"{low:.0%} to {high:.0%}",
    }


def _chart(figure: Any, key: str) -> None:
    st.plotly_chart(figure, config=CHART, key=key)


def _table(database: Database, view: CampaignView, leading: dict[str, int]) -> None:
    campaign = view.campaign
    st.markdown("**Every run**")
    law = None
    if len(leading) > 1:
        law = st.selectbox(
            "Led by", [None, *leading], format_func=lambda name: name or "any law", key="runs.law", width=300
        )
    count = leading[law] if law else campaign.runs
    page = numbered_page(f"runs.page.{campaign.id}.{law}", count, PAGE_SIZE)
    with database.read() as session:
        lines = run_reads.run_lines(session, campaign.id, limit=PAGE_SIZE, offset=page * PAGE_SIZE, law=law or "")
    shown = [line.index for line in lines]
    st.dataframe(
        [_line(line) for line in lines],
        hide_index=True,
        height="content",
        key="runs.table",
        on_select=lambda: _open(campaign.id, shown),
        selection_mode=["single-row", "single-cell"],
    )
    st.caption("Select a run to open it and step through its history.")


def _line(line: RunLine) -> dict[str, Any]:
    belief = line.belief or {}
    law = belief.get("most_probable")
    probability = belief.get("mechanism_probability", {}).get(law) if law else None
    told = {
        "run": line.index + 1,
        "status": status_words(line.status),
        "experiments": line.steps,
        "cost": round(line.cost, 6),
        "leading law": law or ABSENT,
        "probability": None if probability is None else f"{probability:.1%}",
    }
    if line.truth is not None:
        told |= {"true law": line.truth.get("mechanism", ABSENT)}
    diagnostics = belief.get("diagnostics", {})
    told |= {"beware": _beware(diagnostics)}
    return told


def _beware(diagnostics: dict[str, Any]) -> str:
    words = ["surprised"] if diagnostics.get("surprised") or not diagnostics.get("explained", True) else []
    return ", ".join(words + ([] if diagnostics.get("trusted", True) else ["poor particles"]))


def _open(campaign_id: str, shown: Sequence[int]) -> None:
    """Open the run that was selected; called before the page is drawn."""
    selection = st.session_state["runs.table"]["selection"]
    rows = [*selection["rows"], *(row for row, _ in selection["cells"])]
    if rows and rows[0] < len(shown):
        st.session_state[f"part of {campaign_id}"] = "run"
        st.session_state[f"run of {campaign_id}"] = shown[rows[0]] + 1
        say("part", "")
        say("run", str(shown[rows[0]] + 1))
