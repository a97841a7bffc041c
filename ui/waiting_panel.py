"""Experiments of a campaign that wait for a person: to be approved, to be run and told, to be refused."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from experiments_db.database import Database
from orchestrator.bench import Bench, outcome_names
from orchestrator.settings import load_settings
from orchestrator.suggestion_lines import pending
from orchestrator.suggestion_rules import answers_elsewhere, is_suggested
from ui.messages import in_words
from ui.reading import CampaignView
from ui.wording import counted, plain

Line = dict[str, Any]


def show_waiting(database: Database, view: CampaignView) -> None:
    """What waits, and a place to answer; nothing for campaigns that wait for nobody."""
    campaign = view.campaign
    if not view.live or not is_suggested(campaign.laboratory, campaign.settings):
        return
    waiting = [line for line in pending(database, campaign.id) if line["status"] in ("proposed", "open")]
    st.subheader("Experiments that wait")
    if not waiting:
        st.caption("None now: a worker is at it, or the next has not been planned yet.")
        return
    overdue = sum(line["overdue"] for line in waiting)
    st.caption(counted(len(waiting), "experiment") + (f", {overdue} of them overdue" if overdue else ""))
    by_id = {line["id"]: line for line in waiting}
    chosen = st.selectbox("Experiment", list(by_id), format_func=lambda number: _named(by_id[number]), key="waiting.id")
    _answer(database, view, by_id[chosen])


def _named(line: Line) -> str:
    settings = ", ".join(f"{name} = {value:.6g}" if isinstance(value, float) else f"{name} = {value}"
                         for name, value in line["design"].items())  # fmt: skip
    state = "to be approved" if line["status"] == "proposed" else "to be run"
    taken = f", taken by {line['taken_by']}" if line["taken_by"] else ""
    return f"{line['id']}: {settings} ({state}{', overdue' if line['overdue'] else ''}{taken})"


def _answer(database: Database, view: CampaignView, line: Line) -> None:
    """The fields and buttons for one suggestion; what they are pressed with is checked by the bench."""
    key = f"waiting.{line['id']}"
    design = _design(line, key)
    by = st.text_input("Your name", key="waiting.by")

    def press(label: str, name: str, what: Callable[[Bench], object]) -> None:
        if not st.button(label, key=f"{key}.{name}"):
            return
        with in_words():
            what(Bench(load_settings(), database, by))
            st.rerun()  # what waits now is another list

    if line["status"] == "proposed":
        press("Approve", "approve", lambda bench: bench.approve(line["id"], design))
    elif answers_elsewhere(view.campaign.laboratory):
        names = outcome_names(database, view.domain.identity)
        outcome = {name: st.number_input(plain(name), value=None, key=f"{key}.{name}") for name in names}
        press("Record", "tell", lambda bench: bench.tell(line["id"], outcome, design))
    else:
        return
    reason = st.text_input("Reason, if it failed or is refused", key=f"{key}.reason")
    if line["status"] == "open":
        press("It failed", "fail", lambda bench: bench.fail(line["id"], reason))
    press("Refuse", "reject", lambda bench: bench.reject(line["id"], reason))


def _design(line: Line, key: str) -> dict[str, Any]:
    """What is set: as suggested, unless somebody writes otherwise."""
    with st.expander("Set otherwise than suggested"):
        return {
            name: st.text_input(plain(name), value, key=f"{key}.set.{name}")
            if isinstance(value, str)
            else st.number_input(plain(name), value=value, format=None if isinstance(value, int) else "%.6g",
                                 key=f"{key}.set.{name}")
            for name, value in line["design"].items()
        }  # fmt: skip
