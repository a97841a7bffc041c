"""The page of the database: tables to look through, or questions in SQL."""

import streamlit as st

from ui.database_console import show_console
from ui.database_tables import show_tables

_FACES = {"sql": "Ask in SQL", "tables": "Look through the tables"}


def show_database() -> None:
    """The page, with the face that was chosen."""
    st.title("Database")
    st.caption(
        "Everything that Organon does is on record here: campaigns, their runs, every experiment with its belief, the "
        "findings. Looking changes nothing."
    )
    face = st.segmented_control(
        "How to look", list(_FACES), default="sql", format_func=_FACES.__getitem__, key="database.face",
        label_visibility="collapsed", required=True,
    )  # fmt: skip
    (show_tables if face == "tables" else show_console)()
