"""``/domains``: all of them, the one that the address names, or the form for a new one."""

import streamlit as st

from ui.domain_editor import show_editor
from ui.domain_list import show_domains
from ui.domain_page import show_domain
from ui.links import asked

if st.query_params.get("new"):
    show_editor()
elif asked("domains"):
    show_domain()
else:
    show_domains()
