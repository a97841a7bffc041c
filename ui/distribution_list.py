"""All task distributions: those that come with Organon, and one's own."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from orchestrator.distributions import Distribution, own_distributions, shipped_distributions
from ui.links import link
from ui.opening import open_database
from ui.tables import linked_table, page_of, show_turning
from ui.wording import moment, viewer_zone

PAGE_SIZE = 25
_KEY = "distributions"
_WHAT = """
A **task distribution** says on what agents train: random tables, random domains and domains by name, each with its
weight, how far worlds may lie from what was expected, how noisy and how long they are, for which goals, and which
domains are **held out**, so that results there are of what was never seen. What an agent is good at is what it trained
on.
"""


def show_distributions() -> None:
    """The page."""
    st.title("Task distributions")
    st.markdown(_WHAT)
    page = page_of(_KEY)
    found = own_distributions(open_database(), limit=PAGE_SIZE + 1, offset=page * PAGE_SIZE)
    st.subheader("Your own")
    if found:
        _table(found[:PAGE_SIZE], "distributions.own")
    elif page:
        st.info("There are no more.")
    else:
        st.info("None yet. Open one that comes with Organon, change it under Edit, and keep it under another name.")
    show_turning(_KEY, len(found[:PAGE_SIZE]), PAGE_SIZE, more=len(found) > PAGE_SIZE, newest_first=False)
    st.subheader("With Organon")
    _table(shipped_distributions(), "distributions.shipped")
    st.caption("Select one to see what it draws, to edit it, and to train on it.")
    link("agents", "The agents that came of training")


def _table(found: Sequence[Distribution], key: str) -> None:
    linked_table(
        [_line(each) for each in found],
        "distributions",
        [each.name for each in found],
        key=key,
        config={"trains on": st.column_config.TextColumn("trains on", width=380)},
    )


def _line(each: Distribution) -> dict[str, Any]:
    if each.recipe is None:
        said, held_out = f"cannot be read: {each.problems[0]}", ""
    else:
        said = "; ".join(each.recipe.in_words())
        held_out = ", ".join([*each.recipe.held_out.domains, *each.recipe.held_out.fields])
    return {
        "name": each.name,
        "version": "" if each.shipped else str(each.version),
        "trains on": said,
        "held out": held_out,
        "kept by": each.by,
        "when": "" if each.shipped else moment(each.created_at, viewer_zone()),
    }
