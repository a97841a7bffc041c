"""In the sidebar: who is logged in, what they may do, and the way out."""

from html import escape

import streamlit as st

from orchestrator.tokens import Holder
from ui.gate import LOGOUT

MAY = {"operator": "operator: may look and act", "viewer": "viewer: may look, not act"}
# A form, for the cookie is cleared by POST; a link that somebody sends logs nobody out.
_LEAVE = (
    f'<form method="post" action="{LOGOUT}"><button type="submit" style="padding: 0.25rem 0.75rem; font: inherit; '
    "color: inherit; background: transparent; border: 1px solid currentColor; border-radius: 0.5rem; "
    'cursor: pointer">Log out</button></form>'
)


def show_holder(holder: Holder) -> None:
    """Name and role of whoever looks, and a button that ends their login."""
    with st.sidebar:
        st.html(f"<p><strong>{escape(holder.name)}</strong><br>{MAY[holder.role]}</p>{_LEAVE}")
