"""A new campaign, step by step: each step says what is wrong in it, the last what it will come to."""

from typing import Any

import streamlit as st

from orchestrator import services
from orchestrator.desk.campaigns import CampaignDesk
from orchestrator.services import CampaignRequest, CheckedCampaign
from orchestrator.settings import load_settings
from ui.at_desk import at, may_act
from ui.links import go, link_back
from ui.messages import in_words
from ui.new_filled import fill_in
from ui.new_steps import (
    ask_data,
    ask_domain,
    ask_laboratory,
    ask_policy,
    ask_runs,
    ask_stop,
)
from ui.new_times import ask_times
from ui.opening import open_database
from ui.power_panel import show_power
from ui.wording import counted, number, plain


def show_new_campaign() -> None:
    """The page ``/campaigns?new=1``; ``?new=DOMAIN`` begins with that domain, ``&like=ID`` as a recorded campaign."""
    link_back("campaigns", "All campaigns")
    st.title("New campaign")
    database, settings = open_database(), load_settings()
    fill_in(database)
    asked = ask_domain(database)
    if asked is None:
        return
    domain = asked.domain
    laboratory = ask_laboratory(settings, domain)
    policy = ask_policy(settings, domain)
    steps = [laboratory, policy, ask_runs(domain)]
    steps.append(ask_stop(domain, None if policy is None else policy["policy"]))
    steps += [ask_data(domain), ask_times(asked.named)]
    st.subheader("7. Check and start")
    if any(step is None for step in steps):
        st.info("Something above is not right yet: it is said where it stands.")
        return
    values: dict[str, Any] = {name: value for step in steps if step for name, value in step.items()}
    with in_words():
        request = services.campaign_request(domain=asked.named, **values)
        checked = services.check_campaign(settings, request)
        _expected(request, checked)
        _start(request)
        show_power(asked.named, request, checked)


def _start(request: CampaignRequest) -> None:
    may = may_act()
    reason = st.text_input("Why (optional; it stays on record)", key="new.reason")
    if st.button("Start", type="primary", key="new.start", disabled=not may):
        go("campaigns", at(CampaignDesk).create(request, reason))
    if not may:
        st.caption("You may look and not act: log in with an operator's token to start it.")


def _expected(request: CampaignRequest, checked: CheckedCampaign) -> None:
    """What it will do and cost at most."""
    runs, each = request.runs, checked.expected_experiments
    experiments, cost, times = st.columns(3)
    experiments.metric("Experiments at most", "depends on designs" if each is None else number(each * runs))
    cost.metric("Cost at most", number(checked.expected_cost * runs))
    times.metric("Runs", f"{runs:,}")
    a_run = "as many as the budget pays for" if each is None else counted(each, "experiment")
    words = [f"Each run: {a_run}, at a cost of at most {number(checked.expected_cost)}"]
    if checked.given is not None:
        words.append(f"every run starts from {counted(checked.given.count, 'given experiment')}, at no cost")
    table = request.timetable
    if table.max_experiments is not None or table.max_cost is not None:
        words.append("it pauses at its cap and goes on when that is raised")
    if request.stop.asks:
        words.append("runs that know enough end earlier")
    if request.approval or request.laboratory == "manual":
        words.append("its experiments wait for people on the campaign's page")
    st.caption(plain("; ".join(words) + "."))
