"""What needs a person: decisions, answers, campaigns that stopped, work that failed, alarms. Each entry leads there."""

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from experiments_db import attention, jobs
from experiments_db.database import Database
from ui.links import link
from ui.wording import counted, plain

_SHOWN = 5


@dataclass(frozen=True)
class Needs:
    """All of it, as one look at the record finds it."""

    asking: list[attention.Asking]
    capped: list[attention.Stopped]
    failed: list[attention.Stopped]
    alarms: list[attention.Alarm]
    failed_campaigns: int
    failed_jobs: int

    @property
    def nothing(self) -> bool:
        return not (self.asking or self.capped or self.alarms or self.failed_campaigns or self.failed_jobs)


def read_needs(database: Database) -> Needs:
    """What needs a person now."""
    with database.read() as session:
        return Needs(
            attention.asking(session, datetime.now(UTC), limit=_SHOWN),
            attention.stopped(session, status="paused", limit=_SHOWN),
            attention.stopped(session, status="failed", limit=_SHOWN),
            attention.alarms(session, limit=_SHOWN),
            attention.campaign_counts(session).get("failed", 0),
            jobs.job_counts(session).get("failed", 0),
        )


def show_needs(needs: Needs) -> None:
    """The list, the most urgent first."""
    st.subheader("Needs you")
    if needs.nothing:
        st.caption("Nothing now: no decision, answer or alarm waits for a person.")
    for asked in needs.asking:
        _entry(asked.domain_title, asked.campaign_id, _waiting(asked))
    for alarm in needs.alarms:
        runs = counted(alarm.runs, "run")
        _entry(alarm.domain_title, alarm.campaign_id, f"{runs} met outcomes that no law explains")
    for stop in needs.capped:
        _entry(stop.domain_title, stop.campaign_id, f"paused: {stop.message}")
    for stop in needs.failed:
        _entry(stop.domain_title, stop.campaign_id, f"failed: {stop.message}")
    more = needs.failed_campaigns - len(needs.failed)
    if more > 0:
        link("workers", f"{counted(more, 'more campaign')} failed")
    if needs.failed_jobs:
        link("workers", f"{counted(needs.failed_jobs, 'job')} failed: previews, checks or trainings")


def _waiting(asked: attention.Asking) -> str:
    parts = [
        f"{counted(asked.overdue, 'experiment')} overdue" if asked.overdue else "",
        f"{counted(asked.proposed, 'suggestion')} to approve" if asked.proposed else "",
        f"{counted(asked.open, 'experiment')} to run and report" if asked.open else "",
    ]
    return ", ".join(part for part in parts if part)


def _entry(title: str, campaign_id: str, why: str) -> None:
    link("campaigns", plain(title), campaign_id)
    st.caption(plain(_brief(why)))


def _brief(text: str, most: int = 240) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
