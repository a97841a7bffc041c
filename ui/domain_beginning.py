"""How a new domain may begin: blank, from the commented example, from another domain, from a table of measurements."""

import streamlit as st

from domains.errors import DomainError
from domains.from_table import ROLES, Column, Role, begin, guessed_roles, read_columns, table_name
from domains.loading import as_yaml
from domains.measurements import check_data_name, decode_table
from orchestrator.own_domains import domain_names
from ui.domain_draft import Draft, Editor
from ui.links import go
from ui.messages import in_words
from ui.opening import open_database
from ui.wording import plain

_BLANK, _EXAMPLE = "a blank document", "the commented example"


def show_beginnings(editor: Editor) -> None:
    """A closed panel with the ways to begin."""
    with st.expander("Begin from something else"):
        other, table = st.tabs(["Another domain", "A table of measurements (CSV)"])
        with other, in_words():
            _other()
        with table, in_words():
            _table(editor)


def _other() -> None:
    names = [_BLANK, _EXAMPLE, *domain_names(open_database())]
    chosen = str(st.selectbox("Begin from", names, key="begin.from", help="A copy is made; the original stays."))
    if not st.button("Begin", key="begin.other"):
        return
    if chosen == _BLANK:
        go("domains", new="1")
    if chosen == _EXAMPLE:
        go("domains", new="1", start="example")
    go("domains", new="1", copy="1", **{"from": chosen})


def _table(editor: Editor) -> None:
    st.caption(
        "A table with a row an experiment: its columns become designs and outcomes with their ranges, and the table "
        "itself a laboratory that answers from the real measurements."
    )
    upload = st.file_uploader("Measurements (CSV with a line of headings)", type="csv", key="begin.table")
    if upload is None:
        return
    check_data_name(upload.name)
    text = decode_table(upload.name, upload.getvalue())
    columns = read_columns(upload.name, text)
    roles = _roles(columns)
    if st.button("Begin from this table", key="begin.measurements", type="primary"):
        name = table_name(upload.name)
        document = begin("my-measurements", f"What do the measurements in {name} say?", name, columns, roles)
        editor.keep(Draft(as_yaml(document), {name: text}, f"the table {name}"))
        st.rerun()


def _roles(columns: list[Column]) -> dict[str, Role]:
    """What each column is, as guessed unless somebody says otherwise."""
    if not columns:
        raise DomainError("the table has no column with a heading")
    guessed = guessed_roles(columns)
    chosen: dict[str, Role] = {}
    for number, column in enumerate(columns, 1):
        left, right = st.columns([2, 3], vertical_alignment="bottom")
        with left:
            chosen[column.heading] = st.selectbox(
                f"Column {number}: {plain(column.heading)}",
                ROLES,
                index=ROLES.index(guessed[column.heading]),
                key=f"begin.column.{number}",
            )
        right.caption(plain(_described(column)))
    return chosen


def _described(column: Column) -> str:
    """``name conc, unit ppm: 0.02 to 1.1 in 23 rows, 2 empty``."""
    numbers = column.numbers
    found = (
        f"{min(numbers):g} to {max(numbers):g}"
        if numbers
        else ", ".join(list(dict.fromkeys(column.filled))[:4]) or "nothing"
    )
    empty = len(column.cells) - len(column.filled)
    unit = f", unit {column.unit}" if column.unit else ""
    return f"{column.name}{unit}: {found} in {len(column.cells)} rows{f', {empty} empty' if empty else ''}"
