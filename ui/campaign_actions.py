"""What can be done with one campaign: pause, resume, cancel, retry, extend, clone."""

from collections.abc import Callable

import streamlit as st

from experiments_db import recurrences
from experiments_db.models import GOES_ON
from orchestrator.desk.campaigns import CampaignDesk
from ui.at_desk import at, may_act
from ui.links import go, link
from ui.messages import in_words
from ui.opening import open_database
from ui.reading import CampaignView
from ui.wording import moment, number, plain, viewer_zone

_CONFIRM = "campaign.confirm"


def show_campaign_actions(view: CampaignView) -> None:
    """Buttons for what the campaign's status allows; hidden from who may only look."""
    campaign = view.campaign
    if campaign.settings.get("agent"):
        link("agents", f"The agent {campaign.policy}", campaign.policy)
    if not may_act():
        return
    with st.container(horizontal=True):
        for status, label, name, act in _STEERING:
            if campaign.status == status and campaign.imported is None:
                _press(label, name, act, campaign.id)
        if campaign.status in GOES_ON and st.button("Cancel", key="campaign.cancel"):
            st.session_state[_CONFIRM] = campaign.id
        _cloning(campaign.id)
    if st.session_state.get(_CONFIRM) == campaign.id:
        _confirm(campaign.id)
    if campaign.status not in ("failed", "cancelled") and campaign.imported is None:
        _extend(view)
    _repeats(campaign.id)


def _repeats(campaign_id: str) -> None:
    """That the campaign is repeated, and a way to stop that."""
    with open_database().read() as session:
        found = [entry for entry in recurrences.recurrences(session, campaign_id) if entry.active]
    for entry in found:
        zone = viewer_zone()
        of = "" if entry.times is None else f" of {entry.times:,}"
        every = f"every {number(entry.every_seconds / 3600)} hours"
        done = f"{entry.made:,}{of} made, the next at {moment(entry.next_at, zone)} ({zone.key})"
        st.caption(plain(f"It is repeated {every}, each time with the next seed: {done}."))
        if st.button("Repeat it no more", key="campaign.stop_repeating"):
            with in_words():
                at(CampaignDesk).stop_repeating(campaign_id)
                st.rerun()


_STEERING: tuple[tuple[str, str, str, Callable[[CampaignDesk, str], object]], ...] = (
    ("scheduled", "Pause", "pause", CampaignDesk.pause),
    ("running", "Pause", "pause", CampaignDesk.pause),
    ("paused", "Resume", "resume", CampaignDesk.resume),
    ("failed", "Try again", "retry", CampaignDesk.retry),
)


def _cloning(campaign_id: str) -> None:
    if st.button("Clone", key="campaign.clone", help="The same again on other worlds: with the next seed."):
        with in_words():
            go("campaigns", at(CampaignDesk).clone(campaign_id))
    if st.button("Clone and change", key="campaign.like", help="The form of a new campaign, filled in like this one."):
        go("campaigns", new="1", like=campaign_id)


def _press(label: str, name: str, act: Callable[[CampaignDesk, str], object], campaign_id: str) -> None:
    if st.button(label, key=f"campaign.{name}"):
        with in_words():
            act(at(CampaignDesk), campaign_id)
            st.rerun()


def _confirm(campaign_id: str) -> None:
    st.warning("Cancel this campaign for good? What is on record stays; it cannot be resumed.")
    reason = st.text_input("Why (optional; it stays in the log)", key=f"campaign.cancel.reason.{campaign_id}")
    with st.container(horizontal=True):
        if st.button("Yes, cancel it", type="primary", key="campaign.cancel.yes"):
            with in_words():
                at(CampaignDesk).cancel(campaign_id, reason)
                st.session_state.pop(_CONFIRM)
                st.rerun()
        if st.button("No", key="campaign.cancel.no"):
            st.session_state.pop(_CONFIRM)
            st.rerun()


def _extend(view: CampaignView) -> None:
    campaign = view.campaign
    with st.expander("More runs, or other caps"):
        left, middle, right = st.columns(3)
        runs = left.number_input("Further runs", 0, 1_000_000, 0, key=f"campaign.extend.runs.{campaign.id}")
        experiments = middle.number_input(
            "Experiments of all runs together, at most", 1, 2**31 - 1, None,
            key=f"campaign.extend.experiments.{campaign.id}", placeholder=_cap(campaign.max_experiments),
        )  # fmt: skip
        cost = right.number_input(
            "Cost of all runs together, at most", 0.0, None, None, key=f"campaign.extend.cost.{campaign.id}",
            placeholder=_cap(campaign.max_cost),
        )  # fmt: skip
        st.caption("One that stood at its cap goes on; a finished one that gets runs is concluded anew when they end.")
        if st.button("Extend", key="campaign.extend"):
            with in_words():
                at(CampaignDesk).extend(campaign.id, runs=int(runs), max_experiments=experiments, max_cost=cost)
                st.rerun()


def _cap(value: float | None) -> str:
    return "no cap" if value is None else f"{number(value)} now"
