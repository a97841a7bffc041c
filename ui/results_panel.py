"""Results that people or programs told: corrected or withdrawn, with a reason; old and new stay on record."""

from typing import Any

import streamlit as st

from experiments_db import suggestions
from experiments_db.database import Database
from orchestrator.bench import recorded_domain
from orchestrator.desk.bench import BenchDesk
from orchestrator.settings import load_settings
from orchestrator.suggestion_lines import show
from orchestrator.suggestion_rules import is_measured
from ui.access import who
from ui.at_desk import may_act
from ui.design_fields import design_fields, outcome_fields
from ui.messages import in_words
from ui.opening import open_database
from ui.quantities import Quantities, quantities
from ui.reading import CampaignView
from ui.wording import ABSENT, moment, plain, viewer_zone

PAGE_SIZE = 50
_TOLD = ("answered", "recorded")
Line = dict[str, Any]


def show_results(database: Database, view: CampaignView) -> None:
    """What was told, newest first, and a form to put one right."""
    campaign_id = view.campaign.id
    with database.read() as session:
        count = suggestions.count_results(session, campaign_id)
    if not count:
        st.caption("No result was told yet.")
        return
    pages = -(-count // PAGE_SIZE)
    page = (
        int(st.number_input(f"Page (1 to {pages:,})", 1, pages, 1, key="results.page", width=220)) if pages > 1 else 1
    )
    with database.read() as session:
        found = suggestions.suggestions(
            session, campaign_id=campaign_id, statuses=_TOLD, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE,
            newest_first=True,
        )  # fmt: skip
    named = quantities(view.domain.document)
    st.dataframe([_row(entry, named) for entry in found], hide_index=True, height="content", key="results.table")
    if not is_measured(view.campaign.laboratory):
        st.caption(f"What the laboratory {view.campaign.laboratory} gives is computed or looked up, and stands.")
        return
    by_id = {entry.id: f"{entry.id}: {named.settings(entry.used or entry.design)}" for entry in found}
    chosen = st.selectbox(
        "Put right", [None, *by_id], format_func=lambda number: by_id.get(number, "choose a result"), key="results.id"
    )
    if chosen is not None:
        with st.container(border=True):
            st.fragment(_form)(database, view, int(chosen), named)


def _row(entry: suggestions.SuggestionRecord, named: Quantities) -> Line:
    return {
        "id": entry.id,
        "run": entry.run_index + 1,
        "experiment": ABSENT if entry.step is None else str(entry.step + 1),
        "design": named.settings(entry.used or entry.design),
        "told": f"failed: {entry.failure}" if entry.failure is not None else named.results(entry.outcome or {}),
        "by": entry.answered_by or ABSENT,
        "when": moment(entry.answered_at, viewer_zone()),
    }


def _form(database: Database, view: CampaignView, suggestion_id: int, named: Quantities) -> None:
    with in_words():
        line = show(database, suggestion_id)
        held = _history(line, named)
        if not may_act():
            st.caption("You may look and not act: an operator puts it right.")
            return
        domain = recorded_domain(database, view.domain.identity)
        key = f"results.{suggestion_id}.{len(line['revisions'])}"
        design = design_fields(domain, held["design"], f"{key}.set")
        outcome = outcome_fields(domain, held["outcome"] or {}, key)
        reason = st.text_input("Why (it stays on record)", key=f"{key}.reason")
        person = st.text_input("Your name", key="results.by", placeholder=who().name)
        desk = BenchDesk(load_settings(), open_database(), who(), person)
        st.caption("The belief is computed anew; a finished campaign goes on, and its finding is written again.")
        with st.container(horizontal=True):
            if st.button("Correct", key=f"{key}.correct"):
                desk.correct(suggestion_id, outcome, reason=reason, design=design)
                st.rerun()
            if st.button("Withdraw: it counts for nothing", key=f"{key}.withdraw"):
                desk.withdraw(suggestion_id, reason=reason)
                st.rerun()


def _history(line: Line, named: Quantities) -> Line:
    """What was told and what was said of it since; returns what holds now."""
    held: Line = {"design": line["design"], "outcome": line["outcome"]}
    st.markdown(plain(f"Told: {named.settings(held['design'])} → {named.results(held['outcome'] or {}) or 'nothing'}"))
    for revision in line["revisions"]:
        held = revision["after"]
        told = f"{revision['kind']} by {revision['by']} (“{revision['reason']}”): {named.settings(held['design'])}"
        state = "" if revision["applied_at"] else "; a worker has yet to compute the belief anew"
        st.markdown(plain(f"{told} → {named.results(held['outcome'])}{state}"))
    return held
