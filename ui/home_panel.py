"""The first page: what runs, what needs a person, what was found, and whether workers are at work."""

from datetime import UTC, datetime

import streamlit as st

from experiments_db import at_work, attention, queries
from experiments_db.database import Database
from orchestrator import services
from ui.first_steps import show_first_steps
from ui.links import link
from ui.messages import in_words
from ui.needs_you import read_needs, show_needs
from ui.opening import open_database
from ui.roll import roll_call, roll_words, show_absence
from ui.wording import counted, moment, number, plain, viewer_zone

_SHOWN = 6


def is_empty() -> bool:
    """Whether no campaign has ever been created here."""
    with open_database().read() as session:
        return not queries.list_campaigns(session, limit=1)


def show_beginning() -> None:
    """The page of an empty installation."""
    show_first_steps()
    st.fragment(_health, run_every=3)()


def show_home() -> None:
    """The page of one that is in use; drawn again by itself."""
    with in_words():
        database = open_database()
        _health_line(database)
        left, right = st.columns(2, gap="large")
        with left:
            show_needs(read_needs(database))
        with right:
            _running(database)
            _findings(database)


def _health() -> None:
    """Whether workers are there; as soon as somebody has begun a campaign, the page is another."""
    with in_words():
        _health_line(open_database())
        if not is_empty():
            st.rerun()


def _health_line(database: Database) -> None:
    with database.read() as session:
        queues = at_work.queues(session, datetime.now(UTC))
    blocks, jobs = queues.blocks_running, queues.jobs_running
    waiting = queues.blocks_waiting + queues.jobs_waiting
    words = roll_words()
    if words:
        work = f"{counted(blocks, 'block')} and {counted(jobs, 'job')} under way, {waiting:,} waiting"
        link("workers", f"{words}: {work}")
    else:
        show_absence(roll_call().look())
        if waiting:
            link("workers", f"{waiting:,} waiting for workers")


def _running(database: Database) -> None:
    st.subheader("Running now")
    with database.read() as session:
        running = queries.list_campaigns(session, status="running", limit=_SHOWN)
        counts = attention.campaign_counts(session)
    for entry in running:
        line = services.campaign_line(entry.campaign, entry.domain_name, entry.progress)
        share = float(line["progress"]["share"])
        link("campaigns", plain(entry.domain_title), entry.campaign.id)
        done = f"{counted(entry.progress.experiments, 'experiment')}, {number(100 * share)} % done"
        st.progress(share, text=f"{done}, by {plain(entry.campaign.policy)}")
    if not running:
        st.caption("No campaign is being advanced.")
    more = counts.get("running", 0) - len(running)
    besides = [f"{more:,} more running"] if more > 0 else []
    besides += [f"{counts[status]:,} {status}" for status in ("scheduled", "paused") if counts.get(status)]
    link("campaigns", "All campaigns" + (f" ({', '.join(besides)})" if besides else ""))


def _findings(database: Database) -> None:
    st.subheader("Latest findings")
    with database.read() as session:
        found = attention.newest_findings(session, limit=_SHOWN)
    zone = viewer_zone()
    for finding in found:
        link("findings", plain(finding.domain_title), finding.campaign_id)
        st.markdown(plain(_sentence(finding.text, finding.domain_title)))
        st.caption(moment(finding.created_at, zone))
    if found:
        link("findings", "All findings")
    else:
        st.caption("No campaign has concluded yet.")


def _sentence(text: str, title: str) -> str:
    """What was found, in its first sentence: the title that stands above it is there already."""
    lines = [line.strip() for line in text.splitlines()]
    return next((line for line in lines if line and line != title.strip()), "").rstrip(":")
