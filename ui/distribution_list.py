"""All task distributions: those that come with Organon, and one's own."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from orchestrator.distributions import Distribution, own_distributions, shipped_distributions
from ui.links import go, link
from ui.opening import open_database
from ui.wording import moment, plain, viewer_zone

PAGE_SIZE = 25
_PAGE = "distributions.page"
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
    page = int(st.session_state.get(_PAGE, 0))
    found = own_distributions(open_database(), limit=PAGE_SIZE + 1, offset=page * PAGE_SIZE)
    st.subheader("Your own")
    if found:
        _table(found[:PAGE_SIZE], "distributions.own")
        _turning(page, len(found))
    elif page:
        st.info("There are no more.")
        _turning(page, 0)
    else:
        st.info("None yet. Open one that comes with Organon, change it under Edit, and keep it under another name.")
    st.subheader("With Organon")
    _table(shipped_distributions(), "distributions.shipped")
    st.caption("Select one to see what it draws, to edit it, and to train on it.")
    link("agents", "The agents that came of training")


def _table(found: Sequence[Distribution], key: str) -> None:
    event = st.dataframe(
        [_line(each) for each in found],
        hide_index=True,
        height="content",
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],
        key=key,
        column_config={"trains on": st.column_config.TextColumn("trains on", width=380)},
    )
    chosen = event["selection"]
    rows = [*chosen["rows"], *(row for row, _ in chosen["cells"])]
    if rows and rows[0] < len(found):
        go("distributions", found[rows[0]].name)


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


def _turning(page: int, found: int) -> None:
    if not page and found <= PAGE_SIZE:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Before", key="distributions.before", disabled=page == 0, on_click=_turn_to, args=(page - 1,))
        last = found <= PAGE_SIZE
        st.button("Further", key="distributions.further", disabled=last, on_click=_turn_to, args=(page + 1,))
        st.text(plain(f"page {page + 1}, by name"))


def _turn_to(page: int) -> None:
    st.session_state[_PAGE] = page
