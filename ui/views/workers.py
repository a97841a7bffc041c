"""``/workers``: queues, who is at work, what was done and what failed; or one job."""

from functools import partial

import streamlit as st

from ui.links import asked
from ui.one_job import show_job
from ui.work_failed import show_failures
from ui.work_now import show_now
from ui.work_past import job_filter, show_blocks, show_history, show_jobs

_LIVE_SECONDS = 2
_PAST_SECONDS = 5


def show_workers() -> None:
    """Everything about work, refreshed while it is open."""
    st.title("Workers")
    st.caption("Workers advance campaigns and do the jobs that pages ask for. All of this is read from the record.")
    st.fragment(show_now, run_every=_LIVE_SECONDS)()
    failures, jobs, blocks, history = st.tabs(["Failures", "Jobs", "Blocks", "History of workers"])
    with failures:
        st.fragment(show_failures, run_every=_PAST_SECONDS)()
    with jobs:
        st.fragment(partial(show_jobs, *job_filter()), run_every=_PAST_SECONDS)()
    with blocks:
        st.fragment(show_blocks, run_every=_PAST_SECONDS)()
    with history:
        st.fragment(show_history, run_every=_PAST_SECONDS)()


if asked("workers"):
    show_job()
else:
    show_workers()
