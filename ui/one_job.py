"""The page of one job: how far it is, what came of it, and what can be done about it."""

import json

import streamlit as st

from experiments_db import jobs
from experiments_db.jobs import JobRecord
from ui.job_panel import retry_button, stop_button
from ui.job_words import duration, kind_words, owner_words, time_taken
from ui.links import asked, link_back
from ui.messages import in_words
from ui.opening import open_database
from ui.roll import show_roll
from ui.wording import message_markdown, moment, plain, status_words, times_in, viewer_zone

_REFRESH_SECONDS = 2
_SHOWN_CHARACTERS = 20_000  # of a result; a longer one is to be downloaded


def show_job() -> None:
    """The job that the address names, refreshed while something may still come of it."""
    link_back("workers", "All work")
    job = _read()
    st.title(plain(kind_words(job.kind)))
    st.fragment(_follow, run_every=_REFRESH_SECONDS if job.open else None)()


def _read() -> JobRecord:
    with open_database().read() as session:
        return jobs.get_job(session, asked("workers"))


def _follow() -> None:
    with in_words():
        job = _read()
        _state(job)
        _act(job)
        _contents(job)


def _state(job: JobRecord) -> None:
    zone = viewer_zone()
    left, middle, right = st.columns(3)
    left.metric("Status", status_words(job.status))
    middle.metric("Time taken", duration(time_taken(job)))
    right.metric("Asked for", moment(job.created_at, zone))
    st.caption(f"By {plain(job.by)}. {times_in(zone)} Job {job.id}.")
    if job.open:
        st.progress(min(max(job.share, 0.0), 1.0), text=plain(job.saying) or "Waiting for a worker")
        if job.status == "running" and job.lease_owner:
            st.caption(f"At it: {plain(owner_words(job.lease_owner))}")
        else:
            show_roll()
    if job.message:
        (st.error if job.status == "failed" else st.warning)(message_markdown(job.message))


def _act(job: JobRecord) -> None:
    if job.status == "failed":
        retry_button(job)
    if job.open:
        stop_button(job)


def _contents(job: JobRecord) -> None:
    with st.expander("What was asked for", expanded=not job.result):
        st.json(job.arguments, expanded=1)
    if job.result is None:
        return
    text = json.dumps(job.result, ensure_ascii=False, indent=2)
    st.subheader("What came of it")
    if len(text) <= _SHOWN_CHARACTERS:
        st.json(job.result, expanded=2)
    else:
        st.caption(f"{len(text):,} characters: too much to show here.")
    st.download_button("Download the result (JSON)", text, f"{job.kind}-{job.id}.json", "application/json")
