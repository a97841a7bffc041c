"""What decides whether an agent is offered: promote, retire, put back. Each is asked twice."""

import streamlit as st

from orchestrator.agent_register import GREEDY, Entry, standing_of
from orchestrator.desk.agents import AgentDesk
from ui.at_desk import at, may_act
from ui.messages import in_words
from ui.wording import plain


def show_actions(entry: Entry) -> None:
    """Buttons for whoever may act; each opens to what it means, and to the button that does it."""
    with st.container(horizontal=True):
        if entry.default:
            _demote(entry)
        elif entry.retired is None:
            _promote(entry)
            _retire(entry)
        else:
            _restore(entry)


def _promote(entry: Entry) -> None:
    assert entry.stored is not None
    lacking = standing_of(entry.stored.card).lacking
    with st.popover("Promote to default", disabled=not may_act()), in_words():
        if lacking:
            st.markdown(f"Its card does not show yet that it is at least as good as {plain(GREEDY)}:")
            st.markdown("\n".join(f"- {plain(each)}" for each in lacking))
            return
        st.markdown("New campaigns that name no policy will take this agent. Campaigns under way keep theirs.")
        if st.button("Make it the default", key="agent.promote", type="primary"):
            at(AgentDesk).promote(entry.name)
            st.rerun()


def _demote(entry: Entry) -> None:
    with st.popover("No longer the default", disabled=not may_act()), in_words():
        st.markdown(f"New campaigns that name no policy will take {plain(GREEDY)} again, not {plain(entry.name)}.")
        if st.button("Take the classical policy", key="agent.demote", type="primary"):
            at(AgentDesk).demote()
            st.rerun()


def _retire(entry: Entry) -> None:
    with st.popover("Retire", disabled=not may_act()), in_words():
        st.markdown("It is offered for no new campaign. Campaigns begun with it go on, and it can be put back.")
        reason = st.text_input("Reason", key="agent.retire.reason")
        if st.button("Retire it", key="agent.retire", type="primary"):
            at(AgentDesk).retire(entry.name, reason)
            st.rerun()


def _restore(entry: Entry) -> None:
    with st.popover("Put back", disabled=not may_act()), in_words():
        st.markdown("New campaigns may take it again.")
        if st.button("Offer it again", key="agent.restore", type="primary"):
            at(AgentDesk).restore(entry.name)
            st.rerun()
