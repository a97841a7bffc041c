"""What an empty installation offers: three ways to start."""

import streamlit as st

from orchestrator.desk.first_steps import FirstStepsDesk
from ui.at_desk import at, may_act
from ui.links import go, link
from ui.messages import in_words

_WELCOME = """
Organon does science by experiment: you write down a question, and an agent plans each experiment, has it run, updates
what it believes, and reports what it found and how sure it is. Nothing has been asked here yet. Three ways to start:
"""
_ONE_CLICK = """
How fast does an enzyme work? Real measurements of puromycin-treated enzyme are looked up one by one, in the order that
tells most, until it is clear which law they follow. It takes some seconds, once workers are at work.
"""
_OWN = """
What can be set, what is unknown, which laws are rivals, what comes back: a form asks for each, draws what you say, and
checks it as you type.
"""
_REPLAY = """
Measurements that were made already can be asked as if they were experiments: those that come with the catalogue's
questions, or a table (CSV) of your own.
"""


def show_first_steps() -> None:
    """The three, side by side."""
    st.markdown(_WELCOME)
    one_click, own, replay = st.columns(3)
    with one_click, st.container(border=True):
        st.subheader("A finding in one click")
        st.markdown(_ONE_CLICK)
        if st.button("Ask the enzyme", type="primary", key="first.begin", disabled=not may_act()):
            with in_words():
                go("campaigns", at(FirstStepsDesk).begin())
        if not may_act():
            st.caption("You may look: somebody with a token of the role operator can begin it.")
    with own, st.container(border=True):
        st.subheader("A question of your own")
        st.markdown(_OWN)
        link("domains", "Define a question", new="1")
    with replay, st.container(border=True):
        st.subheader("Measurements you have")
        st.markdown(_REPLAY)
        link("domains", "Questions of the catalogue")
        link("domains", "Bring a table of your own", new="1")
