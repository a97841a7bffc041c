"""What waits, what is under way, and who is at it."""

from datetime import UTC, datetime

import streamlit as st

from experiments_db import at_work
from ui.job_words import kind_words, owner_words
from ui.links import link
from ui.messages import in_words
from ui.opening import open_database
from ui.roll import show_roll
from ui.wording import counted, number, plain

_SHOWN = 12


def show_now() -> None:
    """The queues and what each process holds, from the record; then whether workers answer."""
    with in_words():
        now = datetime.now(UTC)
        with open_database().read() as session:
            queues = at_work.queues(session, now)
            blocks = at_work.held_blocks(session, now, limit=_SHOWN)
            jobs = at_work.held_jobs(session, now, limit=_SHOWN)
        _queues(queues)
        show_roll()
        st.subheader("At work now")
        if not blocks and not jobs:
            st.caption("No process is at anything. " + ("It waits for workers." if queues.blocks_waiting else ""))
        for block in blocks:
            with st.container(horizontal=True, vertical_alignment="center"):
                link("campaigns", f"{plain(block.domain_title)}: block {block.index}", block.campaign_id)
                runs = counted(block.runs, "run")
                st.caption(f"{runs}, {counted(block.step, 'step')} recorded; {plain(owner_words(block.owner))}")
        for job in jobs:
            with st.container(horizontal=True, vertical_alignment="center"):
                link("workers", plain(kind_words(job.kind)), job.id)
                saying = f", {plain(job.saying)}" if job.saying else ""
                st.caption(f"{number(100 * job.share)} %{saying}; {plain(owner_words(job.owner))}, for {plain(job.by)}")
        hidden = queues.blocks_running + queues.jobs_running - len(blocks) - len(jobs)
        if hidden > 0:
            st.caption(f"and {hidden:,} more")


def _queues(queues: at_work.Queues) -> None:
    columns = st.columns(4)
    columns[0].metric("Blocks waiting", f"{queues.blocks_waiting:,}", help=_BLOCKS)
    columns[1].metric("Blocks under way", f"{queues.blocks_running:,}")
    columns[2].metric("Jobs waiting", f"{queues.jobs_waiting:,}", help=_JOBS)
    columns[3].metric("Jobs under way", f"{queues.jobs_running:,}")
    besides = []
    if queues.blocks_resting:
        besides.append(f"{counted(queues.blocks_resting, 'block')} for somebody's answer")
    if queues.blocks_later:
        besides.append(f"{counted(queues.blocks_later, 'block')} for a time that has not come")
    if besides:
        st.caption("Besides, there wait " + " and ".join(besides) + ".")


_BLOCKS = "Runs of a campaign advance together in blocks. These wait for a free process."
_JOBS = "Work beside campaigns: previews, checks, trainings. Their queue does not wait behind that of blocks."
