"""``/distributions``."""

import streamlit as st

st.title("Task distributions")
