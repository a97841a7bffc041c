"""A campaign's event log: what happened, newest first, and whether its chains hold."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from experiments_db import log_pages
from experiments_db.database import Database
from experiments_db.event_kinds import known_kinds
from experiments_db.log_pages import LoggedEvent
from orchestrator import jobs
from orchestrator.desk.jobs import JobDesk
from orchestrator.log_check import check_log
from ui.at_desk import at, may_act
from ui.event_words import event_words
from ui.job_panel import show_job
from ui.messages import in_words
from ui.opening import open_database
from ui.reading import CampaignView
from ui.tables import numbered_page
from ui.wording import counted, moment, moment_said, plain, times_in, viewer_zone

PAGE_SIZE = 50
_AT_ONCE = 2000  # events that a page checks itself; more are checked by a worker


def show_log(database: Database, view: CampaignView) -> None:
    """The events of all chains of a campaign, a page at a time."""
    campaign_id = view.campaign.id
    with database.read() as session:
        kinds = log_pages.kinds_in_log(session, campaign_id)
    total = sum(kinds.values())
    _check(database, campaign_id, total)
    kind = st.selectbox(
        "Kind of event", [None, *sorted(kinds)], key="log.kind",
        format_func=lambda name: f"all ({total:,})" if name is None else f"{name} ({kinds[name]:,})", width=380,
    )  # fmt: skip
    if kind:
        st.caption(plain(known_kinds().get(kind, "a kind of another version of Organon")))
    count = kinds.get(kind, 0) if kind else total
    page = numbered_page(f"log.page.{campaign_id}.{kind}", count, PAGE_SIZE)
    with database.read() as session:
        found = log_pages.events_page(session, campaign_id, limit=PAGE_SIZE, offset=page * PAGE_SIZE, kind=kind or "")
    if found:
        st.dataframe([_line(entry) for entry in found], hide_index=True, height="content", key="log.table")
        st.caption(f"Newest first. {times_in(viewer_zone())} Reload the page for what came since.")
    else:
        st.caption("The log has no events of this campaign: it is older than the log.")


def _line(entry: LoggedEvent) -> dict[str, Any]:
    event = entry.event
    _, _, block = event.chain.partition("/")
    return {
        "when": moment(entry.created_at, viewer_zone()),
        "where": f"block {int(block) + 1}" if block.isdigit() else "campaign",
        "what": event.kind,
        "in words": event_words(event.kind, event.said),
        "hash": event.hash[:12],
    }


def _check(database: Database, campaign_id: str, events: int) -> None:
    """On a button: whether every event follows from the one before it."""
    st.caption(
        "Each event's hash covers the one before it, so that nothing can be changed or left out unnoticed. "
        f"`organon verify {campaign_id}` also replays all decisions and beliefs."
    )
    key = f"log.check.{campaign_id}"
    if events > _AT_ONCE:
        _check_by_worker(campaign_id, events, key)
        return
    if st.button("Check the chains", key=key):
        with st.spinner("Checking…"):
            _checked(check_log(database, campaign_id))


def _check_by_worker(campaign_id: str, events: int, key: str) -> None:
    """As last checked, and again: what was changed since left the number of events as it was."""
    arguments: dict[str, Any] = {"campaign": campaign_id, "events": events}
    if asked := st.session_state.get(f"{key}.asked"):
        arguments["asked"] = asked
    show_job(("log-check", arguments), button="Check the chains", key=key, draw=_checked)
    done = jobs.look(open_database(), "log-check", arguments)
    if done is not None and not done.open and st.button("Check them again", key=f"{key}.again", disabled=not may_act()):
        with in_words():
            arguments["asked"] = datetime.now(UTC).isoformat()
            at(JobDesk).ask("log-check", arguments)
            st.session_state[f"{key}.asked"] = arguments["asked"]
            st.rerun()


def _checked(found: dict[str, Any]) -> None:
    when = moment_said(found.get("at"), viewer_zone())
    held = f"{counted(found['events'], 'event')} in {counted(found['chains'], 'chain')}"
    if not found["faulty"]:
        st.success(f"The chains hold: {held}. Digest `{found['digest']}`")
        st.caption(
            f"As of {when}. Keep the digest elsewhere: whoever can write to the database could not write another log "
            "with it."
        )
        return
    st.error(f"The log does not hold ({held}): {counted(found['faulty'], 'fault')}.")
    for fault in found["faults"]:
        st.markdown(f"- {plain(fault)}")
