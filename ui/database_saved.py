"""Queries that come with Organon, and those that people kept."""

import streamlit as st

from experiments_db import saved_queries
from experiments_db.database import Database
from orchestrator.desk.record import RecordDesk
from orchestrator.example_queries import EXAMPLES
from ui.at_desk import at, may_act
from ui.links import asked, go
from ui.messages import in_words


def show_saved(database: Database) -> None:
    """Open a query, or keep the one at hand."""
    with database.read() as session:
        kept = [query.name for query in saved_queries.saved_queries(session)]
    here = asked("database")
    names = [*EXAMPLES, *kept]
    opened, keeping = st.columns([3, 1], vertical_alignment="bottom")
    with opened:
        chosen = st.selectbox(
            "Queries to open",
            names,
            index=names.index(here) if here in names else None,
            format_func=lambda name: name if name in EXAMPLES else f"{name} (kept)",
            placeholder="examples, and those that were kept",
            key=f"database.open.{here}",
        )
    with keeping, st.popover("Keep or delete"), in_words():
        _keep(here if here in kept else "")
    if chosen and chosen != here:
        go("database", str(chosen))


def _keep(here: str) -> None:
    allowed = may_act()
    name = st.text_input("Name", key="database.name", disabled=not allowed, help="Its address will be ?query=NAME.")
    if st.button("Keep the query below", key="database.keep", disabled=not allowed):
        at(RecordDesk).save_query(name, str(st.session_state.get("database.sql", "")))
        go("database", name.strip())
    if here and st.button(f"Delete “{here}”", key="database.delete", disabled=not allowed):
        at(RecordDesk).delete_query(here)
        go("database")
    if not allowed:
        st.caption("You may look and not keep: that takes a token of the role operator.")
