"""What ``streamlit run ui/server.py`` serves: the pages behind a gate, and the login."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from ui.door import Door
from ui.gate import Gate
from ui.holders import whose

app = st.App(
    Path(__file__).with_name("app.py"),
    routes=Door(whose).routes(),
    middleware=[Middleware(Gate, whose=whose)],
)
