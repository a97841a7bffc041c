"""Several campaigns steered at once: what is selected in the list."""

from collections.abc import Callable, Sequence

import streamlit as st

from experiments_db.models import GOES_ON
from experiments_db.queries import CampaignRecord
from orchestrator.desk.campaigns import CampaignDesk
from orchestrator.errors import EXPECTED
from ui.at_desk import at, may_act
from ui.wording import counted, message_markdown

_SAID, _CONFIRM = "campaigns.said", "campaigns.confirm"
_MOST_CLONES = 20
Act = Callable[[CampaignDesk, str], object]


def show_actions(chosen: Sequence[CampaignRecord]) -> None:
    """Buttons for the campaigns that are selected; what came of the last one pressed."""
    for good, words in st.session_state.pop(_SAID, []):
        (st.success if good else st.error)(message_markdown(words))
    if not chosen:
        st.session_state.pop(_CONFIRM, None)
        return
    may = may_act()
    st.markdown(f"**{counted(len(chosen), 'campaign')} selected**" + ("" if may else ": you may look and not act"))
    with st.container(horizontal=True):
        _button("Pause", "pause", [c for c in chosen if c.status in ("scheduled", "running")], may, CampaignDesk.pause)
        _button("Resume", "resume", [c for c in chosen if c.status == "paused"], may, CampaignDesk.resume)
        _button("Clone", "clone", chosen if len(chosen) <= _MOST_CLONES else [], may, CampaignDesk.clone)
        ending = [campaign for campaign in chosen if campaign.status in GOES_ON]
        if st.button(f"Cancel ({len(ending)})", key="campaigns.cancel", disabled=not (may and ending)):
            st.session_state[_CONFIRM] = [campaign.id for campaign in ending]
    if wanted := st.session_state.get(_CONFIRM):
        _confirm(wanted)


def _button(label: str, name: str, of: Sequence[CampaignRecord], may: bool, act: Act) -> None:
    ids = [campaign.id for campaign in of]
    st.button(
        f"{label} ({len(ids)})", key=f"campaigns.{name}", disabled=not (may and ids), on_click=_do,
        args=(label.lower(), act, ids), help=_HELP[name],
    )  # fmt: skip


_HELP = {
    "pause": "They stop after the step at hand and can be resumed.",
    "resume": "They go on from what is recorded.",
    "clone": "The same again on other worlds: with the next seed. At most 20 at a time.",
}


def _confirm(wanted: Sequence[str]) -> None:
    st.warning(
        f"Cancel {counted(len(wanted), 'campaign')} for good? What is on record stays; none of them can be resumed: "
        + ", ".join(f"`{campaign_id}`" for campaign_id in wanted[:10])
        + ("…" if len(wanted) > 10 else "")
    )
    with st.container(horizontal=True):
        st.button(
            "Yes, cancel", type="primary", key="campaigns.cancel.yes", on_click=_do,
            args=("cancel", CampaignDesk.cancel, list(wanted)),
        )  # fmt: skip
        st.button("No", key="campaigns.cancel.no", on_click=lambda: st.session_state.pop(_CONFIRM, None))


def _do(what: str, act: Act, ids: Sequence[str]) -> None:
    """Act on each; one that cannot be does not keep the others from it. Called before the page is drawn."""
    said, done = [], 0
    for campaign_id in ids:
        try:
            act(at(CampaignDesk), campaign_id)
            done += 1
        except EXPECTED as error:
            said.append((False, f"`{campaign_id}`: {error}"))
    past = {"pause": "paused", "resume": "resumed", "clone": "cloned", "cancel": "cancelled"}[what]
    if done:
        said.insert(0, (True, f"{counted(done, 'campaign')} {past}."))
    st.session_state.pop(_CONFIRM, None)
    st.session_state[_SAID] = said
    st.session_state["campaigns.acts"] = st.session_state.get("campaigns.acts", 0) + 1
