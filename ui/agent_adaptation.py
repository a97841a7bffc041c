"""Letting an agent become better at one domain: asked for on the page, done by a worker in slices."""

import streamlit as st

from orchestrator import services
from orchestrator.agent_register import Entry
from orchestrator.desk.agents import WHICH, AgentDesk
from ui.at_desk import at, may_act
from ui.links import go
from ui.messages import in_words

_WHICH = {
    "all": "all weights",
    "head": "the last layers alone",
    "low-rank": "a low-rank change of every layer",
}


def show_adaptation(entry: Entry) -> None:
    """The form; what comes of it is followed on the new agent's page."""
    assert entry.stored is not None
    if entry.stored.card.family != "experimenter":
        st.info("Only agents of the family experimenter adapt: they are the ones that look at any domain.")
        return
    st.markdown(
        "It goes on learning, from decisions that may come up in this one domain, by the document's laws and priors "
        "and from no world's outcomes. What comes of it is **another agent, for that domain alone**."
    )
    with in_words():
        _form(entry.name)


def _form(agent: str) -> None:
    left, right = st.columns(2)
    with left:
        domain = str(st.selectbox("Domain", services.domain_names(), key="agent.adapt.domain"))
        minutes = st.number_input("Minutes of learning", min_value=0.1, value=5.0, key="agent.adapt.minutes")
    with right:
        name = st.text_input("Name of the new agent", f"{agent}-{domain}", key=f"agent.adapt.name.{domain}")
        which = st.selectbox(
            "What may change", WHICH, format_func=lambda word: _WHICH[word], key="agent.adapt.which",
            help="Fewer weights change less of what it knows of other domains, and learn less of this one.",
        )  # fmt: skip
    if st.button("Adapt", type="primary", key="agent.adapt.ask", disabled=not may_act()):
        at(AgentDesk).adapt(agent, domain, name=name, minutes=float(minutes), which=str(which))
        go("agents", name)
