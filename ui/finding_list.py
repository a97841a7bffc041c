"""The list of findings: filtered, paged, and from it to one of them or to several side by side."""

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from experiments_db import found
from experiments_db.database import Database
from experiments_db.found import FindingFilter, FoundLine
from orchestrator.finding_names import finding_name
from ui.links import go, link
from ui.opening import open_database
from ui.tables import choice, linked_table, page_of, show_turning, turn_to
from ui.wording import moment, times_in, viewer_zone

PAGE_SIZE = 50
_KEY = "findings"
_VERDICTS = {
    "": "any",
    found.UNJUDGED: "not judged",
    "accepted": "accepted",
    "rejected": "rejected",
    found.JUDGED: "accepted or rejected",
}
_OF = {found.OF_CAMPAIGNS: "campaigns", found.OF_RUNS: "single runs", "": "both"}
VERDICT_SIGNS = {"accepted": "✓ accepted", "rejected": "✕ rejected", None: "○ not judged"}
_EMPTY = """
A **finding** is what a run or a campaign concludes: the law that holds, its constants with their intervals, how sure
that is, and what to beware of. It is written when the campaign ends, and stays as it was written. Here you judge it,
set it beside others, and take it along as a page, a PDF or data.
"""


def show_findings() -> None:
    """The page: newest first."""
    st.title("Findings")
    database = open_database()
    with database.read() as session:
        empty = not found.find_findings(session, FindingFilter(), limit=1)
    if empty:
        st.markdown(_EMPTY)
        link("campaigns", "Start a campaign: its finding will appear here")
        return
    wanted = _filters(database)
    page = page_of(_KEY)
    with database.read() as session:  # one more than is shown tells whether there is a next page
        lines = found.find_findings(session, wanted, limit=PAGE_SIZE + 1, offset=page * PAGE_SIZE)
    if lines:
        _table(lines[:PAGE_SIZE], viewer_zone())
    else:
        st.info("No finding fits these filters." if page == 0 else "There are no older findings.")
    show_turning(_KEY, len(lines[:PAGE_SIZE]), PAGE_SIZE, more=len(lines) > PAGE_SIZE)


def _filters(database: Database) -> FindingFilter:
    domain = str(st.session_state.get("findings.domain", ""))
    with database.read() as session:
        choices = found.finding_choices(session, domain)
    first, second = st.columns(4), st.columns([1, 1, 2])
    with first[0]:
        domain = choice(_KEY, "Domain", "domain", ["", *choices.domains])
    with first[1]:
        help_law = "The laws of the chosen domain." if domain else "Choose a domain to choose among its laws."
        law = choice(_KEY, "Law", "law", ["", *choices.laws], help=help_law, disabled=not choices.laws)
    with first[2]:
        policy = choice(_KEY, "Policy", "policy", ["", *choices.policies])
    with first[3]:
        verdict = choice(_KEY, "Verdict", "verdict", list(_VERDICTS), format_func=_VERDICTS.__getitem__)
    with second[0]:
        of = choice(_KEY, "Findings of", "of", list(_OF), format_func=_OF.__getitem__)
    with second[1]:
        campaign = st.text_input("Campaign", key="findings.of_campaign", on_change=turn_to, args=(_KEY, 0),
                                 placeholder="its whole id")  # fmt: skip
    with second[2]:
        words = st.text_input(
            "Words", key="findings.words", on_change=turn_to, args=(_KEY, 0),
            placeholder="in the finding, its question, or the campaign's id",
        )  # fmt: skip
    return FindingFilter(domain, policy, law if choices.laws else "", words.strip(), verdict, of, campaign.strip())


def _table(lines: list[FoundLine], zone: ZoneInfo) -> None:
    st.caption(f"Select a cell to open a finding; tick several to set them side by side. {times_in(zone)}")
    names = [finding_name(line.campaign_id, line.run_index) for line in lines]
    ticked = linked_table(
        [_row(line, zone) for line in lines],
        "findings",
        names,
        key=f"{_KEY}.table",
        ticks=True,
        config={
            "probability": st.column_config.NumberColumn("probability", format="percent"),
            "question": st.column_config.TextColumn("question", width=260),
        },
    )
    _beside(ticked, names)


def _beside(ticked: list[str], shown: list[str]) -> None:
    """The ways on from the table."""
    with st.container(horizontal=True):
        if len(ticked) == 1 and st.button("Open", key="findings.open"):
            go("findings", ticked[0])
        chosen = ticked if len(ticked) > 1 else shown
        label = f"Compare the {len(chosen)} {'chosen' if len(ticked) > 1 else 'shown'}"
        if len(chosen) > 1 and st.button(label, key="findings.compare"):
            go("findings", compare=",".join(chosen))


def _row(line: FoundLine, zone: ZoneInfo) -> dict[str, Any]:
    law, probability = _law(line.content)
    return {
        "verdict": VERDICT_SIGNS[line.verdict],
        "law": law,
        "probability": probability,
        "domain": line.domain_name,
        "question": line.domain_title,
        "policy": line.policy,
        "laboratory": line.laboratory,
        "finding": finding_name(line.campaign_id, line.run_index),
        "said": line.said,
        "found": moment(line.created_at, zone),
    }


def _law(content: dict[str, Any]) -> tuple[str, float | None]:
    """The law, with its probability; of several runs how often each was the most probable."""
    one = content if "mechanism" in content else content.get("run") or {}
    if one:
        return str(one["mechanism"]), float(one["probability"])
    return ", ".join(f"{law} in {count}" for law, count in (content.get("most_probable") or {}).items()), None
