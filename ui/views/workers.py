"""``/workers``."""

import streamlit as st

st.title("Workers")
