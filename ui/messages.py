"""What can go wrong, said in words: no page shows a stack trace."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.errors import EXPECTED
from ui.wording import message_markdown


@contextmanager
def in_words() -> Iterator[None]:
    """Show what people can mend as a message on the page; a fragment needs its own, for it is run by itself."""
    try:
        yield
    except EXPECTED as error:
        st.error(message_markdown(str(error)), icon=":material/error:")
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        st.error(
            message_markdown(f"The record could not be read: {reason}. `organon doctor` says what is wrong."),
            icon=":material/error:",
        )
