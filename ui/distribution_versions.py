"""The versions of a task distribution, and what is different between two."""

import difflib
from collections.abc import Sequence

import streamlit as st

from experiments_db.distributions import DistributionVersion
from orchestrator.distributions import Distribution, find_distribution
from ui.links import link
from ui.opening import open_database
from ui.wording import moment, plain, viewer_zone


def show_versions(distribution: Distribution, versions: Sequence[DistributionVersion]) -> None:
    """Two choices, and the lines that differ."""
    if len(versions) < 2:
        st.info("There is one version. What you keep under Edit becomes the next; no version is ever changed.")
        return
    zone = viewer_zone()
    named = {each.version: f"{each.version}, by {each.by}, {moment(each.created_at, zone)}" for each in versions}
    numbers = list(named)
    before, after = st.columns(2)
    with before:
        old = st.selectbox(
            "From version", numbers, index=1, format_func=lambda number: named[number], key="distribution.version.from"
        )
    with after:
        new = st.selectbox(
            "To version", numbers, index=0, format_func=lambda number: named[number], key="distribution.version.to"
        )
    _difference(distribution.name, int(old), int(new))
    for number in (int(old), int(new)):
        link("distributions", f"Open version {number}", distribution.name, version=str(number))


def _difference(name: str, old: int, new: int) -> None:
    before, after = (find_distribution(open_database(), name, each).text.splitlines() for each in (old, new))
    lines = list(difflib.unified_diff(before, after, f"version {old}", f"version {new}", lineterm=""))
    if lines:
        st.code("\n".join(lines), language="diff", wrap_lines=True)
    else:
        st.caption(plain(f"Versions {old} and {new} say the same."))
