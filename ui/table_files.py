"""A table as a file to take along."""

from collections.abc import Callable
from functools import partial

import streamlit as st

KINDS = {".csv": ("CSV", "text/csv"), ".parquet": ("Parquet", "application/vnd.apache.parquet")}


def table_buttons(name: str, made: Callable[[str], bytes], *, key: str, about: str = "") -> None:
    """A button for each kind of file; made: the file for its suffix, when somebody takes it."""
    for suffix, (kind, mime) in KINDS.items():
        st.download_button(
            f"Download {kind}", partial(made, suffix), f"{name}{suffix}", mime, key=f"{key}{suffix}",
            on_click="ignore", help=about or None,
        )  # fmt: skip
