"""The pages: what every one of them begins with. ``ui/server.py`` serves it."""

import streamlit as st

from ui.access import who
from ui.links import pages
from ui.messages import in_words
from ui.signed_in import show_holder

# Drawn here: Streamlit would fetch the picture of an emoji or a named icon from another host.
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="12" fill="none" '
    'stroke="#2d7dd2" stroke-width="5"/><circle cx="16" cy="16" r="4" fill="#e07a1f"/></svg>'
)


def main() -> None:
    """Draw the page that the address names, for whoever may look at it."""
    st.set_option("client.showErrorDetails", "none")
    st.set_page_config(page_title="Organon", page_icon=_ICON, layout="wide")
    page = st.navigation(pages())
    with in_words():
        show_holder(who())
        page.run()


main()
