"""The list of campaigns: filtered and paged in the record, steered by selecting."""

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from experiments_db import campaign_search, queries
from experiments_db.campaign_search import Sought
from experiments_db.database import Database
from experiments_db.models import CAMPAIGN_STATUSES
from orchestrator import services
from ui.links import go
from ui.links_to_campaigns import said, say
from ui.list_actions import show_actions
from ui.messages import in_words
from ui.opening import open_database
from ui.tables import linked_table, page_of, show_turning, shown_names, turn_to
from ui.wording import moment, status_words, times_in, viewer_zone

PAGE_SIZE = 50
_REFRESH_SECONDS = 5
_KEY = "campaigns"
_FILTERS = ("status", "domain", "policy", "words")
_EMPTY = """
A **campaign** sends the agent out to answer a question by experiment. It plans each experiment, has it run,
updates what it believes, and reports what it found and how sure it is. Start one by the button above, or in a terminal:
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
    if st.button("New campaign", type="primary", key="campaigns.new"):
        go("campaigns", new="1")
    for name in _FILTERS:  # an address that was kept, or a link from another page
        if (key := f"campaigns.{name}") not in st.session_state:
            st.session_state[key] = said(name)
    database = open_database()
    with database.read() as session:
        empty = not queries.list_campaigns(session, limit=1)
        offered = (
            {} if empty else _offered(campaign_search.domains_asked(session), campaign_search.policies_used(session))
        )
    if offered:
        _filters(offered)
    st.fragment(_list, run_every=_REFRESH_SECONDS)(empty)


def _offered(domains: list[str], policies: list[str]) -> dict[str, list[str]]:
    return {"domain": domains, "policy": policies}


def _filters(offered: dict[str, list[str]]) -> None:
    """What is looked for, but for the status; outside of what refreshes, so that nothing typed is lost."""
    left, middle, right = st.columns([1, 1, 2])
    for column, name, label in ((left, "domain", "Domain"), (middle, "policy", "Policy")):
        chosen = st.session_state[f"campaigns.{name}"]
        options = ["", *offered[name], *([chosen] if chosen and chosen not in offered[name] else [])]
        column.selectbox(
            label, options, format_func=lambda choice: choice or "all", key=f"campaigns.{name}", on_change=_turn_to,
            args=(_KEY, 0),
        )  # fmt: skip
    right.text_input(
        "Words", key="campaigns.words", placeholder="enzyme replay", on_change=_turn_to, args=(_KEY, 0),
        help="Each word is looked for in the id, the question, the domain, the policy and the laboratory.",
    )  # fmt: skip


def _list(empty: bool) -> None:
    with in_words():
        database = open_database()
        if empty:
            with database.read() as session:
                if queries.list_campaigns(session, limit=1):
                    st.rerun()
            _empty()
        else:
            _filtered(database)


def _empty() -> None:
    st.markdown(_EMPTY)
    for words, command in _WAYS:
        st.markdown(words)
        st.code(command, language=None, wrap_lines=True)
    st.caption("This page shows the campaign as soon as it is on record.")


def _sought() -> Sought:
    return Sought(**{name: str(st.session_state.get(f"campaigns.{name}", "")) for name in _FILTERS})


def _filtered(database: Database) -> None:
    page = page_of(_KEY)
    with database.read() as session:
        counts = campaign_search.count_by_status(session, _sought())
    status = st.selectbox(
        "Status",
        ["", *CAMPAIGN_STATUSES],
        format_func=lambda choice: _counted(choice, counts),
        key="campaigns.status",
        on_change=_turn_to,
        args=(_KEY, 0),
        width=220,
    )
    for name in _FILTERS:
        say(name, str(st.session_state.get(f"campaigns.{name}", "")))
    found, more = _page(database, page)
    if found:
        _table(found, viewer_zone())
    else:
        st.info(_nothing(status) if page == 0 else "There are no older campaigns.")
    show_turning(_KEY, len(found), PAGE_SIZE, more=more, turn=_turn_to)


def _counted(status: str, counts: dict[str, int]) -> str:
    count = counts.get(status, 0) if status else sum(counts.values())
    return f"{status_words(status) if status else 'all'} ({count:,})"


def _nothing(status: str) -> str:
    sought = _sought()
    narrowed = sought.domain or sought.policy or sought.words
    if not status:
        return "No campaign fits what you look for."
    return f"There is no {status} campaign{' that fits' if narrowed else ''}."


def _page(database: Database, page: int) -> tuple[list[queries.CampaignSummary], bool]:
    """The campaigns to show, and whether there are older ones. While some are selected the list stands still."""
    held = shown_names(_table_key()) if _selected_rows() else []
    with database.read() as session:
        if held:
            return campaign_search.campaigns_by_id(session, held), bool(st.session_state.get("campaigns.more"))
        # One more than is shown tells whether there is a next page.
        found = campaign_search.search_campaigns(session, _sought(), limit=PAGE_SIZE + 1, offset=page * PAGE_SIZE)
    st.session_state["campaigns.more"] = len(found) > PAGE_SIZE
    return found[:PAGE_SIZE], len(found) > PAGE_SIZE


def _selected_rows() -> list[int]:
    state = st.session_state.get(_table_key())
    return list(state["selection"]["rows"]) if state else []


def _table_key() -> str:
    """The table's name; another one after each act, so that nothing stays selected."""
    acts = st.session_state.get("campaigns.acts", 0)
    return f"{_KEY}.table.{acts}" if acts else f"{_KEY}.table"


def _table(found: list[queries.CampaignSummary], zone: ZoneInfo) -> None:
    ticked = linked_table(
        [_line(entry, zone) for entry in found],
        "campaigns",
        [entry.campaign.id for entry in found],
        key=_table_key(),
        ticks=True,
        config={
            "progress": st.column_config.ProgressColumn(
                "progress", format="percent", min_value=0, max_value=1, color="blue", width=110
            ),
            "question": st.column_config.TextColumn("question", width=260),
        },
    )
    st.caption(
        f"Click a cell to open its campaign; tick rows to pause, resume, cancel or clone several. {times_in(zone)}"
    )
    show_actions([entry.campaign for entry in found if entry.campaign.id in ticked])


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
        "id": entry.campaign.id,
    }


def _turn_to(key: str, page: int) -> None:
    """Turn to a page, on which nothing is selected."""
    turn_to(key, page)
    st.session_state["campaigns.acts"] = st.session_state.get("campaigns.acts", 0) + 1
