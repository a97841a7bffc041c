"""A job that somebody asked for and looks at: how far it is, how to stop it, why it failed."""

from collections.abc import Callable

import streamlit as st

from experiments_db import jobs
from experiments_db.jobs import JobRecord
from orchestrator.desk.agents import AgentDesk
from ui.at_desk import at, may_act
from ui.messages import in_words
from ui.opening import open_database
from ui.wording import message_markdown, moment, plain, viewer_zone

REFRESH_SECONDS = 2
_NO_WORKER = (
    "It waits for a worker. If none is at work, start one: `organon worker`, or `organon start` for the workers and "
    "these pages together."
)


def watch(job: JobRecord, what: str, *, beside: Callable[[], None] = lambda: None) -> None:
    """An open job, refreshed until it ends, when the whole page is drawn anew; beside: drawn with every refresh."""
    if job.open:
        st.fragment(_watched, run_every=REFRESH_SECONDS)(job.id, what, beside)
    else:
        ended(job, what)
        beside()


def ended(job: JobRecord, what: str) -> None:
    """What there is to say of a job that gave no result."""
    when = moment(job.finished_at, viewer_zone())
    if job.status == "failed":
        st.error(message_markdown(f"{what} failed at {when}: {job.message}"), icon=":material/error:")
        if st.button("Try again", key=f"job.retry.{job.id}", disabled=not may_act()):
            with in_words():
                at(AgentDesk).retry(job.id)
                st.rerun()
    elif job.status == "cancelled":
        st.info(plain(f"{what} was stopped at {when}."))


def _watched(job_id: str, what: str, beside: Callable[[], None]) -> None:
    with in_words():
        with open_database().read() as session:
            job = jobs.get_job(session, job_id)
        if not job.open:
            st.rerun()
        said = f"{what}: {job.saying}" if job.saying else what
        st.progress(min(1.0, max(0.0, job.share)), text=plain(f"{said} ({job.share:.0%}), asked for by {job.by}"))
        if job.status == "waiting":
            st.info(_NO_WORKER)
        if st.button("Stop it", key=f"job.stop.{job.id}", disabled=not may_act()):
            at(AgentDesk).stop(job.id)
            st.rerun()
        beside()
