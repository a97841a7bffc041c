"""A job that a page follows: asked for by a button, how far it is, how to stop it, why it failed, what came of it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from experiments_db import jobs
from experiments_db.jobs import JobRecord
from orchestrator.desk.jobs import JobDesk
from ui.at_desk import at, may_act
from ui.links import link
from ui.messages import in_words
from ui.opening import open_database
from ui.roll import IF_NONE
from ui.wording import message_markdown, moment, plain, viewer_zone

_REFRESH_SECONDS = 1.0
Job = tuple[str, dict[str, Any]]  # its kind and its arguments
Draw = Callable[[dict[str, Any]], None]


def show_job(job: Job, *, button: str, key: str, draw: Draw) -> None:
    """The result of a job, drawn; before that a button that asks for it, how far it is, or why it failed."""
    found = _found(job)
    live = found is not None and found.open
    st.fragment(_panel, run_every=_REFRESH_SECONDS if live else None)(job, button, key, draw, live)


def watch(job: JobRecord, what: str, *, beside: Callable[[], None] = lambda: None) -> None:
    """A job without a result, refreshed until it ends: then the page is drawn anew. beside: drawn at every refresh."""
    if job.open:
        st.fragment(_watched, run_every=_REFRESH_SECONDS)(job.id, what, beside)
        return
    if job.status == "failed":
        _failed(job, what)
    elif job.status == "cancelled":
        st.info(plain(f"{what} was stopped at {moment(job.finished_at, viewer_zone())}."))
    beside()


def retry_button(job: JobRecord) -> None:
    """For a job that failed."""
    if st.button("Try again", key=f"job.retry.{job.id}", disabled=not may_act(), help="It begins anew."):
        with in_words():
            at(JobDesk).retry(job.id)
            st.rerun()


def stop_button(job: JobRecord) -> None:
    """For a job that is open."""
    help_ = "It stops at its next sign of progress."
    if st.button("Stop it", key=f"job.stop.{job.id}", disabled=not may_act(), help=help_):
        with in_words():
            at(JobDesk).stop(job.id)
            st.rerun()


def _panel(job: Job, button: str, key: str, draw: Draw, live: bool) -> None:
    with in_words():
        found = _found(job)
        if (found is not None and found.open) != live:
            st.rerun()  # the whole page, which then refreshes this panel, or no more
        if found is None or found.status == "cancelled":
            _asking(job, button, key)
        elif found.open:
            _under_way(found)
        elif found.status == "failed":
            _failed(found, "It")
        else:
            draw(found.result or {})


def _watched(job_id: str, what: str, beside: Callable[[], None]) -> None:
    with in_words():
        with open_database().read() as session:
            job = jobs.get_job(session, job_id)
        if not job.open:
            st.rerun()
        _under_way(job, f"{what}. ")
        beside()


def _found(job: Job) -> JobRecord | None:
    with open_database().read() as session:
        return jobs.asked_job(session, *job)


def _asking(job: Job, button: str, key: str) -> None:
    if st.button(button, key=f"{key}.ask", disabled=not may_act()):
        at(JobDesk).ask(*job)
        st.rerun()
    if not may_act():
        st.caption("Nobody has asked for it yet; an operator can.")


def _under_way(job: JobRecord, what: str = "") -> None:
    doing = "A worker is at it" if job.status == "running" else "It waits for a worker"
    said = f"{doing}: {job.saying}" if job.saying else doing
    st.progress(min(1.0, max(0.0, job.share)), text=plain(f"{what}{said} ({job.share:.0%}), asked for by {job.by}"))
    if job.status == "waiting":
        st.caption(IF_NONE)
    stop_button(job)


def _failed(job: JobRecord, what: str) -> None:
    when = moment(job.finished_at, viewer_zone())
    st.error(message_markdown(f"{what} failed at {when}: {job.message}"), icon=":material/error:")
    retry_button(job)
    link("workers", "The job among the workers' work", job.id)
