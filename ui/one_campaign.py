"""One campaign: how far it is, what it found, what waits, and its runs, log and export, one part at a time."""

import streamlit as st

from experiments_db.database import Database
from orchestrator import services, timetable
from orchestrator.suggestion_rules import is_suggested
from ui.campaign_actions import show_campaign_actions
from ui.export_panel import show_export
from ui.links import asked, link, link_back
from ui.links_to_campaigns import said, said_number, say
from ui.log_panel import show_log
from ui.messages import in_words
from ui.opening import open_database
from ui.reading import CampaignView, read_campaign, read_outstanding
from ui.results_panel import show_results
from ui.roll import IF_NONE
from ui.run_panel import show_run
from ui.runs_panel import show_runs
from ui.waiting_panel import show_waiting
from ui.wording import amount, counted, message_markdown, moment, number, plain, status_words, viewer_zone

_REFRESH_SECONDS = 2
_PARTS = {"run": "One run", "runs": "All runs", "results": "Results told", "log": "Log", "export": "Export"}
_ADVICE = {
    "scheduled": f"It waits for a worker. {IF_NONE}",
    "paused": f"It is paused: no experiment is planned until it is resumed. {IF_NONE}",
}


def show_campaign() -> None:
    """The page of the campaign that the address names, refreshed while it may still go on."""
    link_back("campaigns", "All campaigns")
    database = open_database()
    view = read_campaign(database, asked("campaigns"))
    _heading(view)
    st.fragment(_standing, run_every=_REFRESH_SECONDS if view.live else None)(
        database, view, _outstanding(database, view)
    )
    show_campaign_actions(view)
    show_waiting(database, view)
    _finding(view)
    _part(database, view)


def _outstanding(database: Database, view: CampaignView) -> object:
    suggested = is_suggested(view.campaign.laboratory, view.campaign.settings)
    return read_outstanding(database, view.campaign.id) if suggested and view.live else None


def _standing(database: Database, drawn: CampaignView, waited: object) -> None:
    """What changes all the time. Where more than numbers changed, the whole page is drawn anew."""
    with in_words():
        view = read_campaign(database, drawn.campaign.id)
        if (view.campaign.status, _outstanding(database, view)) != (drawn.campaign.status, waited):
            st.rerun()
        _numbers(view)
        if view.campaign.message:
            show = st.error if view.campaign.status == "failed" else st.info
            show(message_markdown(view.campaign.message))
        if advice := _ADVICE.get(view.campaign.status):
            st.info(advice)
        with database.read() as session:
            waits_for = timetable.schedule(session, view.campaign)["waits_for"] if view.live else None
        if waits_for:
            st.info(message_markdown(f"Of this campaign: {waits_for}."))


def _heading(view: CampaignView) -> None:
    campaign = view.campaign
    st.title(plain(view.domain.title or view.domain.name))
    facts = [view.domain.name, campaign.policy, campaign.laboratory, counted(campaign.runs, "run")]
    budget = f"budget {number(campaign.budget)} a run"
    if view.data is not None:
        facts.append(f"started from {counted(view.data.rows, 'experiment')} of {view.data.file}")
    facts += [budget, *services.campaign_conduct(view.domain, campaign), *_limits(view)]
    st.caption(plain(" · ".join([*facts, f"seed {campaign.seed}", f"campaign {campaign.id}"])))


def _limits(view: CampaignView) -> list[str]:
    """Caps and priority, where there are any, and by whom it was asked for."""
    campaign, told = view.campaign, []
    if campaign.max_experiments is not None:
        told.append(f"at most {counted(campaign.max_experiments, 'experiment')}")
    if campaign.max_cost is not None:
        told.append(f"at most a cost of {number(campaign.max_cost)}")
    if campaign.priority:
        told.append(f"priority {campaign.priority}")
    asked_by = campaign.settings.get("asked")
    return [*told, f"asked for by {asked_by['by']}"] if asked_by else told


def _numbers(view: CampaignView) -> None:
    campaign, progress, settings = view.campaign, view.progress, view.campaign.settings
    experiments, cost = settings.get("expected_experiments"), settings.get("expected_cost")
    status, done, spent, runs = st.columns(4)
    status.metric("Status", status_words(campaign.status))
    done.metric("Experiments", amount(progress.experiments, experiments and experiments * campaign.runs))
    spent.metric("Cost", amount(progress.cost, cost and cost * campaign.runs))
    runs.metric("Runs finished", amount(progress.finished_runs, campaign.runs))
    st.progress(view.share, text=_when(view))


def _when(view: CampaignView) -> str:
    campaign, zone = view.campaign, viewer_zone()
    times = {"created": campaign.created_at, "started": campaign.started_at, "ended": campaign.finished_at}
    told = [f"{word} {moment(time, zone)}" for word, time in times.items() if time is not None]
    return plain(f"{view.share:.0%} done; {', '.join(told)} ({zone.key})")


def _finding(view: CampaignView) -> None:
    st.subheader("Finding")
    if view.finding is not None:
        st.code(view.finding.text, language=None, wrap_lines=True)
        link("findings", "What speaks for and against it; judge it, export it", view.campaign.id)
    elif view.live:
        st.caption("It is written when the campaign has finished.")
    else:
        st.caption(f"None: the campaign {'failed' if view.campaign.status == 'failed' else 'was cancelled'}.")


def _part(database: Database, view: CampaignView) -> None:
    """The part of the page that is looked at; only that one is read and drawn."""
    campaign = view.campaign
    offered = [part for part in _PARTS if _has(view, part)]
    key = f"part of {campaign.id}"
    if st.session_state.get(key) not in offered:
        st.session_state[key] = said("part") if said("part") in offered else "run"
    part = st.segmented_control(
        "Part", offered, format_func=_PARTS.__getitem__, key=key, label_visibility="collapsed", required=True
    )
    say("part", "" if part == "run" else str(part))
    if part == "run":
        show_run(database, view, _choose_run(view))
    elif part == "runs":
        show_runs(database, view)
    elif part == "results":
        show_results(database, view)
    elif part == "log":
        show_log(database, view)
    else:
        show_export(database, view)


def _has(view: CampaignView, part: str) -> bool:
    if part == "runs":
        return view.campaign.runs > 1
    return part != "results" or is_suggested(view.campaign.laboratory, view.campaign.settings)


def _choose_run(view: CampaignView) -> int:
    """Which run is looked at, from 1; the address says it."""
    campaign = view.campaign
    st.subheader("Runs" if campaign.runs > 1 else "The run")
    if campaign.runs == 1:
        return 1
    key = f"run of {campaign.id}"
    if key not in st.session_state:
        st.session_state[key] = said_number("run", 1, campaign.runs)
    chosen = st.number_input(
        f"Run (1 to {campaign.runs:,})",
        min_value=1,
        max_value=campaign.runs,
        key=key,
        width=220,
        help="Runs and experiments are counted from 1 here; `run_index` and `step` in exports count from 0.",
    )
    say("run", "" if chosen == 1 else str(chosen))
    return int(chosen)
