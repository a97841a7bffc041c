"""When and how far a new campaign runs: its start, repetitions, priority and caps."""

from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from orchestrator import services
from orchestrator.requests import Document
from ui.messages import in_words
from ui.wording import plain, viewer_zone

_NOW, _LATER = "at once", "at a time"


def ask_times(named: str | Document) -> dict[str, Any] | None:
    """The timetable; None, with what is wrong on the page, where it cannot be."""
    left, right = st.columns(2)
    with left:
        start = _start()
    with right:
        every, times = _repeats()
    with st.expander("Priority and caps"):
        first, second, third = st.columns(3)
        priority = first.number_input("Priority", -100, 100, 0, key="new.priority", help="Higher goes first.")
        experiments = second.number_input(
            "Experiments of all runs, at most", 1, 2**31 - 1, None, key="new.max_experiments",
            help="The campaign pauses before it would pass this.",
        )  # fmt: skip
        cost = third.number_input(
            "Cost of all runs, at most", 0.0, None, None, key="new.max_cost",
            help="The campaign pauses before it would cost more.",
        )  # fmt: skip
    table = {
        "priority": priority,
        "start": start,
        "every": every,
        "times": times,
        "max_experiments": experiments,
        "max_cost": cost or None,
    }
    with in_words():
        services.campaign_request(domain=named, timetable=table)
        return {"timetable": table}
    return None


def _start() -> datetime | None:
    """The moment before which it does not begin; None: now."""
    when = st.radio("Begins", [_NOW, _LATER], key="new.begins", horizontal=True)
    if when == _NOW:
        return None
    zone = viewer_zone()
    soon = (datetime.now(zone) + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    first = st.session_state.setdefault("new.soon", soon)  # a default that moves on would take back what was chosen
    chosen = st.datetime_input("Begins at", first, key="new.start_at", help=f"In your time zone, {plain(zone.key)}.")
    if chosen is None:
        return None
    start = chosen.replace(tzinfo=zone)
    if start <= datetime.now(zone):
        st.caption("That moment has passed: it begins at once.")
    return start


def _repeats() -> tuple[float | None, int | None]:
    """Every how many seconds it is repeated, and how often; None: not, or until stopped."""
    if not st.checkbox("Repeat it, each time with the next seed", key="new.repeats"):
        return None, None
    hours = st.number_input("Every so many hours", 0.01, 24.0 * 3660, 24.0, key="new.every_hours")
    times = st.number_input("So often", 1, 1_000_000, None, key="new.times", placeholder="until it is stopped")
    return float(hours) * 3600.0, None if times is None else int(times)
