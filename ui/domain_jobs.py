"""A job about a domain: asked for by a button, followed while it is done, then shown."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from experiments_db.asked_jobs import asked_job
from experiments_db.jobs import JobRecord
from orchestrator.desk.domains import DomainDesk
from ui.at_desk import at, may_act
from ui.links import link
from ui.messages import in_words
from ui.opening import open_database
from ui.wording import message_markdown, plain

_REFRESH_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0
_NO_WORKER = "No worker has taken it up yet. If none is at work, start one: `organon start`, or `organon worker`."
Job = tuple[str, dict[str, str]]  # its kind and its arguments
Draw = Callable[[dict[str, Any]], None]


def show_job(job: Job, label: str, key: str, draw: Draw) -> None:
    """The result of a job, drawn; before that a button that asks for it, its progress, or why it failed."""
    found = _found(job)
    live = found is not None and found.open
    st.fragment(_panel, run_every=_REFRESH_SECONDS if live else None)(job, label, key, draw, live)


def _panel(job: Job, label: str, key: str, draw: Draw, live: bool) -> None:
    with in_words():
        found = _found(job)
        if (found is not None and found.open) != live:
            st.rerun()  # the whole page, which then refreshes this panel, or no more
        if found is None or found.status == "cancelled":
            _asking(job, label, key)
        elif found.open:
            _progress(found)
        elif found.status == "failed":
            _failed(found, key)
        else:
            draw(found.result or {})


def _found(job: Job) -> JobRecord | None:
    kind, arguments = job
    with open_database().read() as session:
        return asked_job(session, kind, arguments)


def _asking(job: Job, label: str, key: str) -> None:
    if st.button(label, key=f"{key}.ask", disabled=not may_act()):
        at(DomainDesk).ask(*job)
        st.rerun()
    if not may_act():
        st.caption("Nobody has asked for it yet; an operator can.")


def _progress(job: JobRecord) -> None:
    doing = "A worker is at it" if job.status == "running" else "It waits for a worker"
    st.progress(job.share, text=plain(f"{doing}: {job.saying}" if job.saying else f"{doing} …"))
    if job.status == "waiting" and (datetime.now(UTC) - job.created_at).total_seconds() > _PATIENCE_SECONDS:
        st.caption(_NO_WORKER)


def _failed(job: JobRecord, key: str) -> None:
    st.error(message_markdown(f"It failed: {job.message}"), icon=":material/error:")
    if st.button("Try again", key=f"{key}.retry", disabled=not may_act()):
        at(DomainDesk).retry(job.id)
        st.rerun()
    link("workers", "The job among the workers' work", job.id)
