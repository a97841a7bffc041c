"""Taking a campaign's record away: as a table, or whole in an archive."""

import tempfile
from pathlib import Path

import streamlit as st

from experiments_db.database import Database
from orchestrator import services
from ui.messages import in_words
from ui.reading import CampaignView
from ui.table_files import KINDS
from ui.wording import counted

_PREPARED = "campaign.exported"  # which file, and its bytes; one at a time: it may be large


def show_export(database: Database, view: CampaignView) -> None:
    """The table of experiments as CSV or Parquet, and how to archive the whole campaign."""
    st.markdown(
        "**The experiments as a table**: a row each, with design, outcome, cost, belief and, where known, truth"
    )
    done = view.progress.experiments
    if done == 0:
        st.caption("There is no experiment on record yet.")
    for suffix, (name, mime) in KINDS.items() if done else ():
        _download(database, view, suffix, name, mime)
    st.markdown("**All that is on record**, to be verified elsewhere: in a terminal")
    st.code(f"organon campaign archive {view.campaign.id}", language=None)
    st.caption("One file with tables, log, domain and agent. `organon campaign import FILE` brings it in elsewhere.")
    st.code(f"organon verify {view.campaign.id}", language=None)
    st.caption("Checks log and tables, and replays every decision and belief from the seeds.")


def _download(database: Database, view: CampaignView, suffix: str, name: str, mime: str) -> None:
    """Written when asked for: a large campaign takes a while."""
    wanted = (view.campaign.id, view.progress.experiments, suffix)
    if st.session_state.get(_PREPARED, (None,))[0] != wanted:
        label = f"Prepare {name} ({counted(view.progress.experiments, 'experiment')})"
        if not st.button(label, key=f"campaign.export{suffix}"):
            return
        with in_words(), st.spinner(f"Writing {name}…"):
            st.session_state[_PREPARED] = (wanted, exported(database, view.campaign.id, suffix))
    if st.session_state.get(_PREPARED, (None,))[0] == wanted:
        st.download_button(
            f"Download {name}", st.session_state[_PREPARED][1], f"campaign-{view.campaign.id}{suffix}", mime,
            key=f"campaign.download{suffix}", on_click="ignore",
        )  # fmt: skip


def exported(database: Database, campaign_id: str, suffix: str) -> bytes:
    """The bytes of the table of a campaign's experiments."""
    with tempfile.TemporaryDirectory(prefix="organon-export-") as folder:
        path = Path(folder) / f"campaign{suffix}"
        services.export_campaign(database, campaign_id, path)
        return path.read_bytes()
