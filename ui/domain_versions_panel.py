"""The versions of a domain, and what is different between two of them."""

import difflib

import streamlit as st

from domains.comparison import differences
from experiments_db import domain_versions
from experiments_db.domain_versions import DomainVersion
from experiments_db.queries import DomainRecord
from ui.domain_reading import DomainView
from ui.links import link
from ui.opening import open_database
from ui.wording import moment, plain, viewer_zone


def show_versions(view: DomainView) -> None:
    """Every version on record with its page, and a comparison of two; nothing where there is but one."""
    if len(view.versions) < 2 and not (view.versions and not view.own):
        return
    st.subheader("Versions")
    for version in view.versions:
        here = " (shown here)" if version.identity == view.identity else ""
        link("domains", plain(_named(version) + here), view.name, version=version.identity[:16])
    if len(view.versions) > 1:
        _comparison(view.versions)


def _named(version: DomainVersion) -> str:
    return f"{version.identity[:8]}, {moment(version.created_at, viewer_zone())}"


def _comparison(versions: list[DomainVersion]) -> None:
    by_id = {version.identity: version for version in versions}
    left, right = st.columns(2)
    older = left.selectbox(
        "Compare version", list(by_id), index=1, format_func=lambda i: _named(by_id[i]), key="domain.compare.from"
    )
    newer = right.selectbox(
        "with version", list(by_id), index=0, format_func=lambda i: _named(by_id[i]), key="domain.compare.to"
    )
    if older == newer:
        st.caption("Choose two different versions to compare.")
        return
    with open_database().read() as session:
        before, after = (
            domain_versions.find_version(session, by_id[identity].name, identity) for identity in (older, newer)
        )
    _differences(before, after)


def _differences(before: DomainRecord, after: DomainRecord) -> None:
    st.markdown("**In words**")
    words = differences(before.document, after.document)
    st.markdown("\n".join(f"- {plain(line)}" for line in words) or "Nothing but comments and layout, or a table.")
    lines = difflib.unified_diff(
        before.text.splitlines(), after.text.splitlines(), before.identity[:8], after.identity[:8], lineterm=""
    )
    st.markdown("**In lines**")
    st.code("\n".join(lines) or "The texts are the same.", language="diff")
