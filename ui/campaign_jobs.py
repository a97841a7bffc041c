"""Something that workers compute for a page: asked for by a button, waited for, then drawn."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from experiments_db import jobs as recorded_jobs
from experiments_db.jobs import JobRecord
from orchestrator import jobs
from orchestrator.desk.campaigns import CampaignDesk
from ui.at_desk import at, may_act
from ui.messages import in_words
from ui.opening import open_database
from ui.wording import message_markdown

_REFRESH_SECONDS = 1.0
_NOBODY = "It waits for a worker. If none is at work, start one: `organon start`, or `organon worker`."

Draw = Callable[[dict[str, Any]], None]


def show_job(kind: str, arguments: dict[str, Any], *, button: str, key: str, draw: Draw) -> None:
    """The result of a job, or a button that asks for it; refreshed while workers are at it."""
    job = _job(kind, arguments, key)
    st.fragment(_job_panel, run_every=_REFRESH_SECONDS if job is not None and job.open else None)(
        kind, arguments, button, key, draw
    )


def _job_panel(kind: str, arguments: dict[str, Any], button: str, key: str, draw: Draw) -> None:
    with in_words():
        job = _job(kind, arguments, key)
        if job is not None and job.status == "finished" and job.result is not None:
            draw(job.result)
        elif job is not None and job.open:
            _waiting(job, key)
        else:
            _asking(job, kind, arguments, button, key)


def _asking(job: JobRecord | None, kind: str, arguments: dict[str, Any], button: str, key: str) -> None:
    if job is not None and job.message:
        st.error(message_markdown(f"It failed: {job.message}"))
    may = may_act()
    label = button if job is None or not job.message else "Try again"
    if st.button(label, key=f"{key}.ask", disabled=not may, help=None if may else "An operator can ask for it."):
        asked = at(CampaignDesk).ask(kind, arguments)
        st.session_state[f"{key}.job"] = asked.id
        st.rerun()


def _waiting(job: JobRecord, key: str) -> None:
    st.progress(job.share, text=job.saying or "waiting for a worker")
    if job.status == "waiting":
        st.caption(_NOBODY)
    if st.button("Stop computing it", key=f"{key}.stop", disabled=not may_act()):
        at(CampaignDesk).cancel_job(job.id)
        st.rerun()


def _job(kind: str, arguments: dict[str, Any], key: str) -> JobRecord | None:
    """The job that does this, or the one that was asked for here and failed."""
    database = open_database()
    found = jobs.look(database, kind, arguments)
    asked = st.session_state.get(f"{key}.job")
    if found is not None or asked is None:
        return found
    with database.read() as session:
        job = recorded_jobs.get_job(session, asked)
    return job if (job.kind, job.arguments) == (kind, arguments) else None
