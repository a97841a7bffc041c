"""Why an experiment is suggested: what it was chosen from, and what each law predicts there."""

from typing import Any

import streamlit as st

from experiments_db import run_reads
from experiments_db.database import Database
from orchestrator.suggestion_lines import show
from ui.bands_panel import show_predictions
from ui.job_panel import show_job
from ui.quantities import Quantities
from ui.reading import CampaignView, read_run
from ui.tables import columns

_FEW = 5  # candidates


def show_reasons(database: Database, view: CampaignView, line: dict[str, Any], named: Quantities) -> None:
    """On demand: the leading candidates, and the laws' predictions under the newest belief."""
    if not st.toggle("Why this one?", key=f"waiting.{line['id']}.why"):
        return
    candidates = show(database, line["id"])["candidates"][:_FEW]
    if candidates:
        rows = [
            {f"design.{name}": value for name, value in entry["design"].items()} | {"score": entry["score"]}
            for entry in candidates
        ]
        st.markdown("It scored best of the designs that were considered:")
        st.dataframe(rows, hide_index=True, key="waiting.candidates", column_config=columns(rows, named))
    _predictions(database, view, line, named)


def _predictions(database: Database, view: CampaignView, line: dict[str, Any], named: Quantities) -> None:
    designs = list(line["design"])
    axis = designs[0]
    if len(designs) > 1:
        axis = str(st.selectbox("Predictions over the setting", designs, key="waiting.axis", width=260))
    with database.read() as session:
        run = run_reads.get_run(session, view.campaign.id, line["run"])
    arguments = {
        "campaign": view.campaign.id,
        "run": line["run"],
        "known": run.steps,
        "axis": axis,
        "at": line["design"],
        "revised": read_run(database, view, line["run"]).revised,
        "suggestion": line["id"],
    }
    order = list(view.domain.document.get("mechanisms") or {})
    show_job(
        ("bands", arguments),
        button="What does each law predict there?",
        key=f"waiting.{line['id']}.bands",
        draw=lambda result: show_predictions(result, named, order, repr(arguments), "waiting"),
    )
