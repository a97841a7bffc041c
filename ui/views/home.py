"""``/``: what runs, what needs a person, what was found; or how to begin."""

import streamlit as st

from ui.home_panel import is_empty, show_beginning, show_home

_REFRESH_SECONDS = 3

st.title("Home")
if is_empty():
    show_beginning()
else:
    st.fragment(show_home, run_every=_REFRESH_SECONDS)()
