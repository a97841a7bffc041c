"""The record that the pages read: opened once for each address."""

import streamlit as st

from experiments_db.database import Database, connect
from orchestrator.settings import load_settings


def open_database() -> Database:
    """The record that this process's settings name; OrganonError or RecordError says why it cannot be opened."""
    return _connect(load_settings().database)


@st.cache_resource(show_spinner=False)
def _connect(url: str) -> Database:
    return connect(url)
