"""A new campaign's form filled in from the address: with a domain, or as a campaign that is on record."""

from typing import Any

import streamlit as st

from domains import catalogue
from experiments_db import queries
from experiments_db.database import Database
from orchestrator.cloning import request_of
from ui.links_to_campaigns import said
from ui.new_steps import LARGEST_SEED

_FILLED = "new.filled"


def fill_in(database: Database) -> None:
    """Once for an address: what was changed since is kept."""
    new, like = said("new"), said("like")
    if st.session_state.get(_FILLED) == (new, like):
        return
    values = _as_recorded(database, like) if like else {} if new == "1" else {"domain": new}
    for name, value in values.items():
        st.session_state[f"new.{name}"] = value
    st.session_state[_FILLED] = (new, like)


def _as_recorded(database: Database, campaign_id: str) -> dict[str, Any]:
    """The fields as a recorded campaign was asked for. Given experiments are not among them: they are uploaded anew."""
    request = request_of(database, campaign_id)
    with database.read() as session:
        campaign = queries.get_campaign(session, campaign_id)
        domain = queries.get_domain(session, campaign.domain_identity)
    known = domain.name in catalogue.names()
    return {
        "domain": domain.name if known else f"{domain.name}@{domain.identity[:8]}",
        "laboratory": request.laboratory,
        "approval": request.approval,
        "due_hours": request.due_hours,
        "policy": request.policy,
        "runs": request.runs,
        "budget": request.budget,
        "batch": request.batch,
        "seed": min(request.seed, LARGEST_SEED),
        "particles": request.particles,
        "moves": request.moves,
        "stop_probability": request.stop.probability,
        "stop_parameters": list(request.stop.widths),
        **{f"stop_width.{name}": width for name, width in request.stop.widths.items()},
        "stop_information": request.stop.information,
        "priority": request.timetable.priority,
        "max_experiments": request.timetable.max_experiments,
        "max_cost": request.timetable.max_cost,
    }
