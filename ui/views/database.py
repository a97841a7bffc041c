"""``/database``."""

import streamlit as st

st.title("Database")
