"""All agents, those that are being made, and the classical policies."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from orchestrator.agent_register import CLASSICAL_SAID, Entry, agent_names, default_name, entries, standing_of
from orchestrator.agent_work import being_made
from orchestrator.settings import Settings, load_settings
from ui.links import link
from ui.messages import in_words
from ui.opening import open_database
from ui.tables import linked_table, page_of, show_turning
from ui.wording import message_markdown, plain

PAGE_SIZE = 25
_REFRESH_SECONDS = 2
_KEY = "agents"
_WHAT = """
An **agent** is a learned policy: from what is believed so far it chooses the next experiment. It comes with a card that
says how it was made, on what, and how it does, beside the best classical policy, in questions it was never trained on.
"""


def show_agents() -> None:
    """The page."""
    settings = load_settings()
    st.title("Agents")
    st.markdown(_WHAT)
    _default(settings)
    names = agent_names(settings)
    st.fragment(_under_way, run_every=_REFRESH_SECONDS)()
    first = PAGE_SIZE * page_of(_KEY)
    shown = names[first : first + PAGE_SIZE]
    if names:
        _table(entries(settings, shown))
        show_turning(_KEY, len(shown), PAGE_SIZE, more=first + PAGE_SIZE < len(names), newest_first=False)
    else:
        st.info("No agent yet. One comes from training on a task distribution, or by `organon agent import FOLDER`.")
    link("distributions", "Train another on a task distribution")
    _classical(default_name(settings)[0])


def _default(settings: Settings) -> None:
    default, problem = default_name(settings)
    if problem:
        st.error(message_markdown(problem), icon=":material/error:")
    else:
        st.caption(plain(f"New campaigns that name no policy take {default}."))


def _under_way() -> None:
    """Refreshed by itself; how far each is."""
    with in_words():
        for name, job in being_made(open_database()).items():
            doing = "in training" if job.kind == "train" else "being adapted"
            link("agents", f"{name}, {doing}: {job.share:.0%}", name)


def _table(found: Sequence[Entry]) -> None:
    linked_table(
        [_line(entry) for entry in found],
        "agents",
        [entry.name for entry in found],
        key=f"{_KEY}.table",
        config={
            "gain": st.column_config.TextColumn(
                "gain, share of greedy's",
                help="Beside expected-information-gain on domains it was not trained on; 95 % interval.",
            ),
            "trained on": st.column_config.TextColumn("trained on", width=230),
        },
    )
    st.caption("Select an agent to see its card, compare it, adapt it, promote or retire it.")


def _line(entry: Entry) -> dict[str, Any]:
    line: dict[str, Any] = {"name": entry.name, "standing": entry.standing}
    if entry.stored is None:
        return {**line, "family": "", "for": "", "gain": "", "trained on": entry.problem, "date": "", "from": ""}
    card = entry.stored.card
    pooled = standing_of(card).pooled
    return {
        **line,
        "family": card.family,
        "for": ", ".join(document.name for document in card.domains) or "any domain",
        "gain": "" if pooled is None else f"{pooled.value:.3f} ({pooled.low:.3f} to {pooled.high:.3f})",
        "trained on": "; ".join(card.training.tasks),
        "date": card.training.date,
        "from": "Organon" if entry.stored.shipped else "this home",
    }


def _classical(default: str | None) -> None:
    st.subheader("Classical policies")
    st.caption("They learn nothing beforehand and serve any domain that has what they need.")
    for name, said in CLASSICAL_SAID.items():
        mark = ", the default" if name == default else ""
        st.markdown(f"**{plain(name)}**{mark}: {plain(said)}.")
