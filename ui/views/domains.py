"""``/domains``."""

import streamlit as st

st.title("Domains")
