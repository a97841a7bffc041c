"""One agent: its card, how it learned, how it stands beside greedy, and what can be done with it."""

import streamlit as st

from experiments_db.errors import NotFoundError
from experiments_db.jobs import JobRecord
from orchestrator.agent_register import Entry, agent_names, entries, policy_choices, trainings_of
from orchestrator.agent_work import work_on
from orchestrator.settings import load_settings
from ui.agent_actions import show_actions
from ui.agent_adaptation import show_adaptation
from ui.agent_card import show_card, show_held_out, show_training
from ui.agent_comparison import show_comparison
from ui.agent_live import show_live
from ui.job_panel import watch
from ui.links import asked, link, link_back
from ui.opening import open_database
from ui.wording import message_markdown, moment, plain, viewer_zone

_STANDINGS = {"default": "The default policy of new campaigns.", "offered": "Offered for new campaigns."}


def show_agent() -> None:
    """The page of the agent that the address names, or of one that is being made."""
    link_back("agents", "All agents")
    name, settings = asked("agents"), load_settings()
    found = work_on(open_database(), name)
    entry = entries(settings, [name])[0] if name in agent_names(settings) else None
    if entry is None and not found and not trainings_of(open_database(), name):
        raise NotFoundError(f"There is no agent '{name}': the page of agents lists those that there are.")
    st.title(plain(name))
    _standing(entry)
    _under_way(name, found)
    if entry is not None and entry.stored is not None:
        _agent(entry, found)


def _standing(entry: Entry | None) -> None:
    if entry is None:
        st.caption("It is being made: there is no agent of this name yet.")
    elif entry.problem:
        st.error(message_markdown(entry.problem), icon=":material/error:")
    elif entry.retired is not None:
        when = moment(entry.retired.at, viewer_zone())
        why = f": {entry.retired.reason}" if entry.retired.reason else ""
        said = f"Retired by {entry.retired.by} at {when}{why}. "
        st.warning(plain(f"{said}Campaigns begun with it go on; new ones may not take it."))
    else:
        st.caption(_STANDINGS[entry.standing])


def _under_way(name: str, found: list[JobRecord]) -> None:
    """The newest work on it, live; what a training gives is seen as it comes."""
    newest = next(iter(found), None)
    if newest is None or newest.status == "finished":
        return
    words = f"Training of {name}" if newest.kind == "train" else f"Adapting {newest.arguments['agent']} to {name}"
    live = newest.kind == "train" and newest.open
    watch(newest, words, beside=(lambda: show_live(name)) if live else (lambda: None))
    if newest.kind == "train":
        link("distributions", "Its task distribution", newest.arguments["distribution"])


def _agent(entry: Entry, found: list[JobRecord]) -> None:
    assert entry.stored is not None
    card = entry.stored.card
    show_actions(entry)
    about, held_out, learning, comparing, adapting = st.tabs(
        ["Card", "Beside greedy", "How it learned", "Compare", "Adapt to a domain"]
    )
    with about:
        show_card(entry.stored)
    with held_out:
        show_held_out(card)
    with learning:
        under_way = any(job.open and job.kind == "train" for job in found)
        show_training(card, trainings_of(open_database(), card.name), under_way=under_way)
    with comparing:
        show_comparison(card.name, policy_choices(load_settings()))
    with adapting:
        show_adaptation(entry)
