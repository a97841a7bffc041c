"""Experiments of a campaign that wait for a person: a card each, to be approved, taken, told or refused."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from domains.document import Domain
from experiments_db.database import Database
from orchestrator.bench import recorded_domain
from orchestrator.desk.bench import BenchDesk
from orchestrator.settings import load_settings
from orchestrator.suggestion_lines import pending
from orchestrator.suggestion_rules import answers_elsewhere, is_suggested
from ui.access import who
from ui.at_desk import may_act
from ui.design_fields import design_fields, outcome_fields
from ui.messages import in_words
from ui.opening import open_database
from ui.quantities import Quantities, quantities
from ui.reading import CampaignView
from ui.suggestion_reasons import show_reasons
from ui.wording import counted, moment_said, plain, viewer_zone

Line = dict[str, Any]
_STATES = {"proposed": "to be approved", "open": "to be run"}


def show_waiting(database: Database, view: CampaignView) -> None:
    """What waits, and a card to answer one; nothing for campaigns that wait for nobody."""
    campaign = view.campaign
    if not view.live or not is_suggested(campaign.laboratory, campaign.settings):
        return
    outstanding = pending(database, campaign.id)
    waiting = [line for line in outstanding if line["status"] in _STATES]
    st.subheader("Experiments that wait")
    answered = len(outstanding) - len(waiting)
    if answered:
        st.caption(f"{counted(answered, 'result')} told and not yet taken up: a worker does that (`organon start`).")
    if not waiting:
        st.caption("None now: a worker is at it, or the next has not been planned yet.")
        return
    named = quantities(view.domain.document)
    _all(waiting, named)
    by_id = {line["id"]: line for line in sorted(waiting, key=lambda line: not line["overdue"])}
    chosen = st.selectbox(
        "Experiment", list(by_id), format_func=lambda number: _named(by_id[number], named), key="waiting.id"
    )
    with st.container(border=True):
        st.fragment(_card)(database, view, by_id[chosen])


def _all(waiting: Sequence[Line], named: Quantities) -> None:
    overdue = sum(line["overdue"] for line in waiting)
    told = counted(len(waiting), "experiment") + (f", **{overdue} of them overdue**" if overdue else "")
    st.markdown(told)
    if len(waiting) == 1:
        return
    rows = [
        {
            "id": line["id"],
            "run": line["run"] + 1,
            "design": named.settings(line["design"]),
            "state": _STATES[line["status"]],
            "taken by": line["taken_by"] or "",
            "due": ("overdue: " if line["overdue"] else "") + moment_said(line["due_at"], viewer_zone()),
        }
        for line in waiting
    ]
    st.dataframe(rows, hide_index=True, key="waiting.table", height="content" if len(rows) < 12 else "auto")


def _named(line: Line, named: Quantities) -> str:
    taken = f", taken by {line['taken_by']}" if line["taken_by"] else ""
    late = ", overdue" if line["overdue"] else ""
    return f"{line['id']}: {named.settings(line['design'])} ({_STATES[line['status']]}{late}{taken})"


def _card(database: Database, view: CampaignView, line: Line) -> None:
    with in_words():
        named = quantities(view.domain.document)
        domain = recorded_domain(database, view.domain.identity)
        st.markdown(f"**Run {line['run'] + 1}: {plain(named.settings(line['design']))}**")
        if line["overdue"]:
            st.warning(f"It was due by {moment_said(line['due_at'], viewer_zone())}: it is overdue.")
        show_reasons(database, view, line, named)
        if not may_act():
            st.caption("You may look and not act: an operator answers it.")
            return
        _answer(view, domain, line)


def _answer(view: CampaignView, domain: Domain, line: Line) -> None:
    """The fields and buttons for one suggestion; what they are pressed with is checked by the bench."""
    key = f"waiting.{line['id']}"
    person = st.text_input(
        "Your name", key="waiting.by", placeholder=who().name,
        help="It stays in the log beside the name of your token.",
    )  # fmt: skip
    press = _presser(person, key)
    with st.expander("Set otherwise than suggested"):
        design = design_fields(domain, line["design"], f"{key}.set")
    told = view.campaign.laboratory
    if line["status"] == "proposed":
        press("Approve", "approve", lambda desk: desk.approve(line["id"], design))
    elif answers_elsewhere(told):
        _taking(line, press)
        st.markdown("**What was measured**")
        outcome = outcome_fields(domain, {}, key)
        press("Record", "tell", lambda desk: desk.tell(line["id"], outcome, design))
    else:
        st.caption("It is approved; its program runs it.")
        return
    reason = st.text_input("Reason, if it failed or is refused", key=f"{key}.reason")
    if line["status"] == "open":
        press("It failed", "fail", lambda desk: desk.fail(line["id"], reason))
        st.caption("A failed experiment counts as made, with its cost; a refused one costs nothing.")
    press("Refuse", "reject", lambda desk: desk.reject(line["id"], reason))


Press = Callable[[str, str, Callable[[BenchDesk], object]], None]


def _presser(person: str, key: str) -> Press:
    def press(label: str, name: str, what: Callable[[BenchDesk], object]) -> None:
        if not st.button(label, key=f"{key}.{name}"):
            return
        with in_words():
            what(BenchDesk(load_settings(), open_database(), who(), person))
            st.rerun()  # what waits now is another list

    return press


def _taking(line: Line, press: Press) -> None:
    """That somebody runs it, so that nobody else does as well."""
    if line["taken_by"]:
        st.caption(plain(f"Taken by {line['taken_by']}."))
        press("Hand it back", "release", lambda desk: desk.release(line["id"]))
    else:
        press("I run it", "take", lambda desk: desk.take(line["id"]))
