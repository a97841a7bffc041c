"""What was done: jobs of all kinds, blocks, and the history of workers. From the record, whatever was restarted."""

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from experiments_db import at_work, jobs, worker_events
from experiments_db.desk_models import JOB_STATUSES
from experiments_db.jobs import JobRecord
from ui.job_words import duration, kind_words, time_taken
from ui.messages import in_words
from ui.opening import open_database
from ui.tables import linked_table, page_of, show_turning, turn_to
from ui.wording import moment, status_words, times_in, viewer_zone

PAGE_SIZE = 25
_ALL = "all"
_JOBS, _HISTORY = "jobs", "history"
_EVENT_SIGNS = {"started": "▶ started", "stopped": "■ stopped", "died": "✕ died"}


def job_filter() -> tuple[str | None, str | None]:
    """Which jobs are to be listed: kind and status. Outside of what refreshes, so that it stays as it was set."""
    with open_database().read() as session:
        kinds = at_work.job_kinds(session)
    left, right = st.columns(2)
    first: dict[str, Any] = {"on_change": turn_to, "args": (_JOBS, 0)}
    kind = left.selectbox("Kind", [_ALL, *kinds], key="jobs.kind", format_func=_kind, **first)
    status = right.selectbox("Status", [_ALL, *JOB_STATUSES], key="jobs.status", format_func=_said, **first)
    return (None if kind == _ALL else kind), (None if status == _ALL else status)


def _kind(kind: str) -> str:
    return kind if kind == _ALL else kind_words(kind)


def _said(status: str) -> str:
    return status if status == _ALL else status_words(status)


def show_jobs(kind: str | None, status: str | None) -> None:
    """Jobs as a table; selecting one opens it."""
    with in_words():
        with open_database().read() as session:
            page = page_of(_JOBS)
            found = jobs.list_jobs(session, kind=kind, status=status, limit=PAGE_SIZE + 1, offset=page * PAGE_SIZE)
        if not found and not page:
            st.caption(_NONE if kind is None and status is None else "There are no such jobs.")
            return
        zone = viewer_zone()
        shown = found[:PAGE_SIZE]
        lines = [_job_line(job, zone) for job in shown]
        linked_table(lines, "workers", [job.id for job in shown], key=f"jobs.table.{page}")
        show_turning(_JOBS, len(shown), PAGE_SIZE, more=len(found) > PAGE_SIZE)
        st.caption(f"Select a job to see what came of it. {times_in(zone)}")


_NONE = "No jobs yet. Previews, checks and trainings that somebody asks for on the other pages are listed here."


def _job_line(job: JobRecord, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "status": status_words(job.status),
        "kind": kind_words(job.kind),
        "asked for": moment(job.created_at, zone),
        "by": job.by,
        "time taken": duration(time_taken(job)),
        "message": job.message or job.saying,
        "result": "yes" if job.result is not None else "",
        "job": job.id,
    }


def show_blocks() -> None:
    """The blocks that ended last."""
    with in_words():
        with open_database().read() as session:
            found = at_work.done_blocks(session)
        if not found:
            st.caption("No block has ended yet: each holds some runs of a campaign.")
            return
        zone = viewer_zone()
        lines = [
            {
                "ended": moment(block.finished_at, zone),
                "question": block.domain_title,
                "block": block.index,
                "runs": block.runs,
                "steps": block.step,
                "campaign": block.campaign_id,
            }
            for block in found
        ]
        linked_table(lines, "campaigns", [block.campaign_id for block in found], key="blocks.table")
        st.caption("The last to end. Select one to open its campaign.")


def show_history() -> None:
    """Pools that started and stopped, processes that died and of what."""
    with in_words():
        with open_database().read() as session:
            page = page_of(_HISTORY)
            found = worker_events.worker_events(session, limit=PAGE_SIZE + 1, offset=page * PAGE_SIZE)
        if not found and not page:
            st.caption("No workers have been here.")
            return
        zone = viewer_zone()
        lines = [
            {
                "when": moment(event.created_at, zone),
                "what": _EVENT_SIGNS.get(event.kind, event.kind),
                "machine": event.host,
                "process": event.pid,
                "processes of the pool": event.processes,
                "why": event.message,
            }
            for event in found[:PAGE_SIZE]
        ]
        st.dataframe(lines, hide_index=True)
        show_turning(_HISTORY, len(lines), PAGE_SIZE, more=len(found) > PAGE_SIZE)
