"""The list of domains."""

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from ui.domain_reading import DomainLine, read_lines
from ui.links import go
from ui.opening import open_database
from ui.tables import linked_table
from ui.wording import ABSENT, counted, moment, times_in, viewer_zone

_EVERY, _OWN, _CATALOGUE = "all", "my own", "the catalogue"
_WHAT = (
    "A **domain** is a scientific question written down: which rival laws may hold, what is unknown, what an "
    "experimenter can set, what comes back, what it costs, and what you want to know. Organon plans experiments for it."
)


def show_domains() -> None:
    """The page: one's own domains, then the catalogue, by field; searchable by words."""
    st.title("Domains")
    st.markdown(_WHAT)
    if st.button("New domain", key="domains.new", type="primary", icon=":material/add:"):
        go("domains", new="1")
    with st.spinner("Reading the domains …"):
        lines = read_lines(open_database())
    shown = _filtered(lines)
    if not any(line.own for line in lines):
        st.caption("You have none of your own yet: begin with **New domain**, or edit a copy of one below.")
    if shown:
        _table(shown, viewer_zone())
    else:
        st.info("No domain has all of these words in its name, question or field: take one away.")


def _filtered(lines: list[DomainLine]) -> list[DomainLine]:
    words, field, source = st.columns([3, 2, 2])
    asked = words.text_input("Search domains", key="domains.search", placeholder="enzyme, dose, growth …")
    fields = sorted({line.field for line in lines if line.field})
    chosen = field.selectbox("Field", [_EVERY, *fields], key="domains.field")
    kind = source.selectbox("Whose", [_EVERY, _OWN, _CATALOGUE], key="domains.source")
    return [
        line
        for line in lines
        if line.matches(asked) and chosen in (_EVERY, line.field) and kind in (_EVERY, _OWN if line.own else _CATALOGUE)
    ]


def _table(lines: list[DomainLine], zone: ZoneInfo) -> None:
    linked_table(
        [_line(line, zone) for line in lines],
        "domains",
        [line.name for line in lines],
        key="domains.table",
        config={"question": st.column_config.TextColumn("question", width=380)},
    )
    told = counted(len(lines), "domain")
    st.caption(f"{told}. Select one to open it. {times_in(zone)}")


def _line(line: DomainLine, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "field": line.field or ABSENT,
        "name": line.name,
        "question": line.title,
        "whose": _OWN if line.own else _CATALOGUE,
        "campaigns": line.campaigns,
        "saved": moment(line.saved_at, zone),
    }
