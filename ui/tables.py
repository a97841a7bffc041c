"""What the pages' tables have in common: lines that open things, pages that turn, columns with units and digits."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from ui.links import go
from ui.quantities import Quantities

_NUMBER = "%.4g"
Turn = Callable[[str, int], None]


def linked_table(
    lines: Sequence[Mapping[str, Any]],
    path: str,
    names: Sequence[str],
    *,
    key: str,
    ticks: bool = False,
    config: Mapping[str, Any] | None = None,
) -> list[str]:
    """A table in which selecting a line opens the thing of its name. ticks: rows are ticked instead, cells open;
    returns the names of those that are ticked.

    What was selected is looked up in the table as it was last drawn: there may be newer lines since.
    """
    event = st.dataframe(
        lines,
        hide_index=True,
        height="content",
        on_select="rerun",
        selection_mode=["multi-row" if ticks else "single-row", "single-cell"],
        key=key,
        column_config=config,
    )
    before, selection = shown_names(key), event["selection"]
    st.session_state[f"{key}.shown"] = list(names)
    cells = [row for row, _ in selection["cells"]]
    for row in cells if ticks else [*selection["rows"], *cells]:
        if row < len(before):
            go(path, before[row])
    return [before[row] for row in selection["rows"] if row < len(before)]


def shown_names(key: str) -> list[str]:
    """The names of a linked table's lines as it was last drawn."""
    names: list[str] = st.session_state.get(f"{key}.shown", [])
    return names


def page_of(key: str) -> int:
    """Which page of a list is to be shown, from 0."""
    return int(st.session_state.get(f"{key}.page", 0))


def turn_to(key: str, page: int) -> None:
    """Let a list show this page; called before the page is drawn."""
    st.session_state[f"{key}.page"] = page


def show_turning(
    key: str, shown: int, size: int, *, more: bool, newest_first: bool = True, turn: Turn = turn_to
) -> None:
    """The buttons to the pages before and after, where there are any; shown: how many lines this one has."""
    page = page_of(key)
    if not page and not more:
        return
    back, on = ("Newer", "Older") if newest_first else ("Previous", "Next")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(back, key=f"{key}.{back.lower()}", disabled=page == 0, on_click=turn, args=(key, page - 1))
        st.button(on, key=f"{key}.{on.lower()}", disabled=not more, on_click=turn, args=(key, page + 1))
        if shown:
            st.text(f"{page * size + 1} to {page * size + shown}{', newest first' if newest_first else ''}")


def choice(key: str, label: str, name: str, options: list[str], **more: Any) -> str:
    """What a list is narrowed to; empty for all. Another choice turns to the first page."""
    more = {"format_func": lambda option: option or "all", **more}
    return str(st.selectbox(label, options, key=f"{key}.{name}", on_change=turn_to, args=(key, 0), **more) or "")


def numbered_page(key: str, count: int, size: int) -> int:
    """Which page of a long list whose length is known, from 0; chosen by its number where there is more than one."""
    pages = max(1, -(-count // size))
    return int(st.number_input(f"Page (1 to {pages:,})", 1, pages, 1, key=key, width=220)) - 1 if pages > 1 else 0


def numbers(table: Mapping[str, Sequence[object]]) -> dict[str, Any]:
    """Six digits for the columns in which numbers are not whole."""
    return {
        name: st.column_config.NumberColumn(name, format="%.6g")
        for name, values in table.items()
        if any(isinstance(value, float) for value in values)
    }


def columns(rows: Sequence[Mapping[str, Any]], named: Quantities) -> dict[str, Any]:
    """A heading with its unit for each column ``design.NAME`` or ``outcome.NAME``, and four digits for numbers."""
    return {key: _column(heading(key, named), [row.get(key) for row in rows]) for key in rows[0]}


def heading(key: str, named: Quantities) -> str:
    """What stands above a column."""
    kind, _, name = key.partition(".")
    if not name:
        return key
    return named.design(name).heading if kind == "design" else named.outcome(name).heading


def _column(title: str, values: Sequence[object]) -> Any:
    if any(isinstance(value, float) for value in values):
        return st.column_config.NumberColumn(title, format=_NUMBER)
    return st.column_config.Column(title)
