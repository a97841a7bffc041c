"""Who is looking at the pages. The middleware lets nobody through without a token; here it is asked what it opens."""

import streamlit as st

from orchestrator.errors import UnknownHolderError
from orchestrator.page_tokens import COOKIE, page_holder
from orchestrator.settings import load_settings
from orchestrator.tokens import Holder
from ui.opening import open_database


def who() -> Holder:
    """The holder of the token that this browser sent; UnknownHolderError where it opens nothing (any more)."""
    token = sent_token()
    found = None if token is None else page_holder(load_settings(), open_database(), token)
    if found is None:
        raise UnknownHolderError("your login has ended: reload this page to log in again")
    return found


def sent_token() -> str | None:
    """The token in this browser's cookie."""
    return st.context.cookies.get(COOKIE)
