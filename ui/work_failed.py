"""What failed, why, and the button to try it again."""

import streamlit as st

from experiments_db import at_work, jobs
from orchestrator.desk.campaigns import CampaignDesk
from orchestrator.desk.jobs import JobDesk
from ui.at_desk import at, may_act
from ui.job_words import kind_words
from ui.links import link
from ui.messages import in_words
from ui.opening import open_database
from ui.wording import message_markdown, moment, plain, viewer_zone

_SHOWN = 10


def show_failures() -> None:
    """Failed campaigns and failed jobs, the newest first."""
    with in_words():
        with open_database().read() as session:
            campaigns = at_work.failed_campaigns(session, limit=_SHOWN + 1)
            failed = jobs.list_jobs(session, status="failed", limit=_SHOWN + 1)
        if not campaigns and not failed:
            st.caption("Nothing has failed. What does is kept here with its reason until it is tried again.")
        zone = viewer_zone()
        for campaign in campaigns[:_SHOWN]:
            when = moment(campaign.finished_at, zone)
            with st.container(border=True):
                link("campaigns", f"Campaign {campaign.id}: {plain(campaign.domain_title)}", campaign.id)
                _reason(when, campaign.message)
                _retry(f"campaign.{campaign.id}", CampaignDesk, campaign.id)
        for job in failed[:_SHOWN]:
            with st.container(border=True):
                link("workers", f"Job: {plain(kind_words(job.kind))}", job.id)
                _reason(moment(job.finished_at, zone), job.message)
                _retry(f"job.{job.id}", JobDesk, job.id)
        if len(campaigns) > _SHOWN:
            link("campaigns", "More campaigns have failed: all of them")
        if len(failed) > _SHOWN:
            st.caption("More jobs have failed: they are listed under Jobs.")


def _reason(when: str, message: str) -> None:
    st.markdown(message_markdown(message) or "No reason is on record.")
    st.caption(f"Failed at {when}")


def _retry(key: str, desk: type[CampaignDesk | JobDesk], name: str) -> None:
    if st.button("Try again", key=f"failed.{key}", disabled=not may_act()):
        with in_words():
            at(desk).retry(name)
            st.rerun()
