"""One campaign: how far it is, what it found, and how the belief of a run came about."""

import streamlit as st

from experiments_db.database import Database
from orchestrator import services
from ui.links import asked, link_back
from ui.messages import in_words
from ui.opening import open_database
from ui.reading import CampaignView, read_campaign
from ui.run_panel import show_run
from ui.waiting_panel import show_waiting
from ui.wording import amount, counted, message_markdown, moment, number, plain, status_words, viewer_zone

_REFRESH_SECONDS = 2
_ADVICE = {
    "scheduled": "It waits for a worker. If none is at work, start one: `organon worker`, or `organon start` for the "
    "workers and these pages together.",
    "paused": "It is paused: no experiment is planned until it is resumed. What is resumed needs a worker: "
    "`organon worker`, or `organon start`.",
}


def show_campaign() -> None:
    """The page of the campaign that the address names, refreshed while it may still go on."""
    link_back("campaigns", "All campaigns")
    database = open_database()
    view = read_campaign(database, asked("campaigns"))
    st.fragment(_campaign, run_every=_REFRESH_SECONDS if view.live else None)(database, view.campaign.id, view.live)


def _campaign(database: Database, campaign_id: str, live: bool) -> None:
    with in_words():
        view = read_campaign(database, campaign_id)
        if view.live != live:
            st.rerun()  # the whole page: it then refreshes itself no more
        _heading(view)
        _standing(view)
        show_waiting(database, view)
        _finding(view)
        show_run(database, view)


def _heading(view: CampaignView) -> None:
    campaign = view.campaign
    st.title(plain(view.domain.title or view.domain.name))
    facts = [view.domain.name, campaign.policy, campaign.laboratory, counted(campaign.runs, "run")]
    budget = f"budget {number(campaign.budget)} a run"
    if view.data is not None:
        facts.append(f"started from {counted(view.data.rows, 'experiment')} of {view.data.file}")
    facts += [budget, *services.campaign_conduct(view.domain, campaign)]
    st.caption(plain(" · ".join([*facts, f"seed {campaign.seed}", f"campaign {campaign.id}"])))


def _standing(view: CampaignView) -> None:
    campaign, progress, settings = view.campaign, view.progress, view.campaign.settings
    experiments, cost = settings.get("expected_experiments"), settings.get("expected_cost")
    status, done, spent, runs = st.columns(4)
    status.metric("Status", status_words(campaign.status))
    done.metric("Experiments", amount(progress.experiments, experiments and experiments * campaign.runs))
    spent.metric("Cost", amount(progress.cost, cost and cost * campaign.runs))
    runs.metric("Runs finished", amount(progress.finished_runs, campaign.runs))
    st.progress(view.share, text=_when(view))
    if campaign.message:
        show = st.error if campaign.status == "failed" else st.info
        show(message_markdown(campaign.message))
    if advice := _ADVICE.get(campaign.status):
        st.info(advice)


def _when(view: CampaignView) -> str:
    campaign, zone = view.campaign, viewer_zone()
    times = {"created": campaign.created_at, "started": campaign.started_at, "ended": campaign.finished_at}
    told = [f"{word} {moment(time, zone)}" for word, time in times.items() if time is not None]
    return plain(f"{view.share:.0%} done; {', '.join(told)} ({zone.key})")


def _finding(view: CampaignView) -> None:
    st.subheader("Finding")
    if view.finding is not None:
        st.code(view.finding.text, language=None, wrap_lines=True)
    elif view.live:
        st.caption("It is written when the campaign has finished.")
    else:
        st.caption(f"None: the campaign {'failed' if view.campaign.status == 'failed' else 'was cancelled'}.")
