"""The list of campaigns."""

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from experiments_db import queries
from experiments_db.database import Database
from orchestrator import services
from ui.links import go
from ui.messages import in_words
from ui.new_campaign import new_campaign
from ui.opening import open_database
from ui.wording import STATUS_SIGNS, moment, plain, status_words, viewer_zone

PAGE_SIZE = 50
_REFRESH_SECONDS = 5
_TABLE, _SHOWN, _PAGE, _STATUS = "campaigns.table", "campaigns.shown", "campaigns.page", "campaigns.status"
_EMPTY = """
A **campaign** sends the agent out to answer a question by experiment. It plans each experiment, has it run,
updates what it believes, and reports what it found and how sure it is. Three ways to start one, in a terminal:
"""
_WAYS = (
    (
        "Ask real measurements of an enzyme; it takes some seconds:",
        "organon campaign run --domain enzyme-kinetics --laboratory replay:puromycin-treated",
    ),
    (
        "Simulate several worlds, whose truth is known afterwards:",
        "organon campaign run --domain source-location --runs 4 --budget 10",
    ),
    (
        "Leave it to the workers (`organon start`) and follow it here:",
        "organon campaign create --domain enzyme-kinetics --runs 20",
    ),
)


def show_campaigns() -> None:
    """The page: newest campaigns first, refreshed while it is open."""
    st.title("Campaigns")
    new_campaign()
    st.fragment(_list, run_every=_REFRESH_SECONDS)()


def _list() -> None:
    with in_words():
        database = open_database()
        with database.read() as session:
            empty = not queries.list_campaigns(session, limit=1)
        if empty:
            _empty()
        else:
            _filtered(database)


def _empty() -> None:
    st.markdown(_EMPTY)
    for words, command in _WAYS:
        st.markdown(words)
        st.code(command, language=None, wrap_lines=True)
    st.caption("This page shows the campaign as soon as it is on record.")


def _filtered(database: Database) -> None:
    status = st.selectbox(
        "Status",
        [None, *STATUS_SIGNS],
        format_func=lambda choice: "all" if choice is None else status_words(choice),
        key=_STATUS,
        on_change=_turn_to,
        args=(0,),
        width=220,
    )
    page = int(st.session_state.get(_PAGE, 0))
    with database.read() as session:
        # One more than is shown tells whether there is a next page.
        found = queries.list_campaigns(session, limit=PAGE_SIZE + 1, offset=page * PAGE_SIZE, status=status)
    if found:
        _table(found[:PAGE_SIZE], viewer_zone())
    else:
        st.info(f"There is no {status} campaign." if page == 0 else "There are no older campaigns.")
    if page or len(found) > PAGE_SIZE:
        _turning(page, len(found))


def _table(found: list[queries.CampaignSummary], zone: ZoneInfo) -> None:
    event = st.dataframe(
        [_line(entry, zone) for entry in found],
        hide_index=True,
        height="content",
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],
        key=_TABLE,
        column_config={
            "progress": st.column_config.ProgressColumn(
                "progress", format="percent", min_value=0, max_value=1, color="blue", width=110
            ),
            "question": st.column_config.TextColumn("question", width=260),
        },
    )
    _open_selected(event["selection"], st.session_state.get(_SHOWN, []))
    st.session_state[_SHOWN] = [entry.campaign.id for entry in found]
    st.caption(f"Select a campaign to open it. Times are those of {plain(zone.key)}.")


def _line(entry: queries.CampaignSummary, zone: ZoneInfo) -> dict[str, Any]:
    line = services.campaign_line(entry.campaign, entry.domain_name, entry.progress)
    return {
        "status": status_words(entry.campaign.status),
        "progress": line["progress"]["share"],
        "domain": entry.domain_name,
        "question": entry.domain_title,
        "policy": entry.campaign.policy,
        "laboratory": entry.campaign.laboratory,
        "runs": entry.campaign.runs,
        "created": moment(entry.campaign.created_at, zone),
    }


def _open_selected(selection: Any, shown: list[str]) -> None:
    """Open what was selected in the table as it was last shown: the record may have grown since."""
    rows = [*selection["rows"], *(row for row, _ in selection["cells"])]
    if rows and rows[0] < len(shown):
        go("campaigns", shown[rows[0]])


def _turning(page: int, found: int) -> None:
    first = page * PAGE_SIZE
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Newer", key="campaigns.newer", disabled=page == 0, on_click=_turn_to, args=(page - 1,))
        st.button("Older", key="campaigns.older", disabled=found <= PAGE_SIZE, on_click=_turn_to, args=(page + 1,))
        if found:
            st.text(f"{first + 1} to {first + min(found, PAGE_SIZE)}, newest first")


def _turn_to(page: int) -> None:
    st.session_state[_PAGE] = page
