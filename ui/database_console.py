"""Questions in SQL, answered and never obeyed: the console, the schema beside it, and queries that were kept."""

from time import monotonic

import streamlit as st

from experiments_db import queries, saved_queries
from experiments_db.database import Database
from experiments_db.described import DescribedTable, described_tables
from orchestrator.downloads import answer_file
from orchestrator.errors import RequestError
from orchestrator.example_queries import EXAMPLES, experiments_of
from orchestrator.query_answers import Answer, ask
from ui.database_chart import show_chart
from ui.database_saved import show_saved
from ui.links import asked
from ui.messages import in_words
from ui.opening import open_database
from ui.table_files import table_buttons
from ui.tables import numbers
from ui.wording import counted, message_markdown, plain

SECONDS = 10
_TEXT, _LOADED, _ANSWER = "database.sql", "database.loaded", "database.answer"
_KEPT = "database.kept"  # the text, for when the field is not on the page
_FIRST = """-- The newest campaigns.
SELECT id, status, policy, laboratory, runs, budget, created_at
FROM campaign
ORDER BY created_at DESC
LIMIT 20"""
_ROWS = (100, 1_000, 10_000)
_HELP = (
    f"One statement that begins with SELECT, WITH or VALUES. It is stopped after {SECONDS} s, and can neither write "
    "nor reach outside the database. Quote words of SQL: run.\"index\". A field of JSON: design ->> 'dose'."
)


def show_console() -> None:
    """Queries to open, the text, the answer with its chart and files; the schema beside them."""
    database = open_database()
    meaning = _load(database)
    left, right = st.columns([5, 2], gap="large")
    with right:
        _schema()
    with left:
        show_saved(database)
        if meaning:
            st.caption(plain(meaning))
        with in_words():
            _ask(database)
        _answered()


def _load(database: Database) -> str:
    """Fill in what the address names, once; returns what it is for."""
    name, campaign = asked("database"), str(st.query_params.get("campaign", ""))
    text, meaning = _FIRST, ""
    with in_words():
        if name:
            text, meaning = _named(database, name)
        elif campaign:
            with database.read() as session:
                known = queries.get_campaign(session, campaign)
                domain = queries.get_domain(session, known.domain_identity)
            text, meaning = experiments_of(known.id, domain.document), f"The experiments of campaign {known.id}."
    if st.session_state.get(_LOADED) != (name, campaign):
        st.session_state[_LOADED], st.session_state[_TEXT] = (name, campaign), text
        st.session_state.pop(_ANSWER, None)
    elif _TEXT not in st.session_state:
        st.session_state[_TEXT] = st.session_state.get(_KEPT, text)
    return meaning


def _named(database: Database, name: str) -> tuple[str, str]:
    if name in EXAMPLES:
        return EXAMPLES[name].text, EXAMPLES[name].meaning
    with database.read() as session:
        kept = saved_queries.get_query(session, name)
    if kept is None:
        raise RequestError(f"there is no query {name!r}: it was deleted, or the address was cut short")
    return kept.text, f"Kept by {kept.by}."


def _ask(database: Database) -> None:
    text = st.text_area("Query", key=_TEXT, height=240, help=_HELP)
    st.session_state[_KEPT] = text
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rows = st.selectbox(
            "Rows at most", _ROWS, index=1, format_func=lambda n: f"{n:,}", key="database.rows", width=140
        )
        pressed = st.button("Run", type="primary", key="database.run")
    if not pressed:
        return
    st.session_state.pop(_ANSWER, None)
    started = monotonic()
    with st.spinner(f"Asking the database, for at most {SECONDS} s", show_time=True):
        answer = ask(database.url, text, max_rows=int(rows))
    st.session_state[_ANSWER] = answer, monotonic() - started, int(rows)


def _answered() -> None:
    if _ANSWER not in st.session_state:
        st.caption("The answer will appear here.")
        return
    answer, seconds, asked_for = st.session_state[_ANSWER]
    st.markdown(f"**{counted(len(answer.rows), 'row')}** in {seconds:.2g} s")
    if answer.truncated:
        why = "the limit of rows above" if len(answer.rows) >= asked_for else "a page takes no more than 8 MB"
        st.warning(
            message_markdown(f"There are more rows: {why}. Narrow the query, or add an `ORDER BY` and a `LIMIT`.")
        )
    if not answer.columns:
        return
    _table(answer)
    _files(answer)
    with in_words():
        show_chart(answer)


def _table(answer: Answer) -> None:
    st.dataframe(
        {name: answer.column(name) for name in answer.columns},
        hide_index=True,
        key="database.table",
        column_config=numbers({name: answer.column(name) for name in answer.columns if answer.is_number(name)}),
    )


def _files(answer: Answer) -> None:
    def made(suffix: str) -> bytes:
        return answer_file(answer.columns, answer.rows, suffix)

    with st.container(horizontal=True):
        table_buttons("answer", made, key="database", about="The rows above, at full precision.")


def _schema() -> None:
    """What there is to ask for."""
    st.markdown("**Tables**")
    tables = {table.name: table for table in described_tables()}
    order = ["campaign", "run", "experiment", "finding"]
    names = [*order, *(name for name in tables if name not in order)]
    chosen = tables[str(st.selectbox("Table", names, key="database.schema", label_visibility="collapsed"))]
    st.caption(plain(_meaning(chosen)))
    st.dataframe(
        [
            {"column": c.name, "type": c.kind + (", or none" if c.optional else ""), "names": c.refers}
            for c in chosen.columns
        ],
        hide_index=True,
        height="content",
        key="database.columns",
    )
    st.button("Show its newest rows", key="database.peek", on_click=_peek, args=(chosen.name,))


def _meaning(table: DescribedTable) -> str:
    return " ".join(table.meaning.replace("`", "").split())


def _peek(name: str) -> None:
    """Write a query of a table's rows; it is run by whoever wants it."""
    key = {table.name: table.columns[0].name for table in described_tables()}[name]
    st.session_state[_TEXT] = f"SELECT *\nFROM {name}\nORDER BY {key} DESC\nLIMIT 20"
