"""What the address of the campaigns' page says besides which one: the run, the part of its page, the filters."""

import streamlit as st


def said(name: str) -> str:
    """What the address says under a name, empty where nothing."""
    return str(st.query_params.get(name, ""))


def say(name: str, value: str) -> None:
    """Let the address say it, so that it can be kept; an empty value takes it out."""
    if value == said(name):
        return
    if value:
        st.query_params[name] = value
    else:
        del st.query_params[name]


def said_number(name: str, low: int, high: int) -> int:
    """A whole number that the address says, within bounds; the lower one where it says none."""
    try:
        return min(max(int(said(name)), low), high)
    except ValueError:
        return low
