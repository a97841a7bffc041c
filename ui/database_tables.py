"""Campaigns, runs, experiments and findings, filtered; and the filtered rows as files."""

from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from experiments_db import found
from experiments_db.browsing import TABLES, Browse, browse
from experiments_db.database import Database
from experiments_db.models import CAMPAIGN_STATUSES, WORK_STATUSES
from orchestrator.downloads import MOST_ROWS, browsed_file
from orchestrator.query_answers import in_short
from ui.opening import open_database
from ui.table_files import table_buttons
from ui.tables import choice, linked_table, numbers, page_of, show_turning, turn_to
from ui.wording import moment, times_in, viewer_zone

PAGE_SIZE = 50
_KEY = "tables"
_OPENED = {"campaigns": "campaigns", "runs": "campaigns", "experiments": "campaigns", "findings": "findings"}


def show_tables() -> None:
    """Filters, a page of rows, and the files."""
    database, zone = open_database(), viewer_zone()
    wanted = _filters(database, zone)
    page = page_of(_KEY)
    with database.read() as session:  # one more than is shown tells whether there is a next page
        rows = browse(session, wanted, limit=PAGE_SIZE + 1, offset=page * PAGE_SIZE)
    if not rows:
        st.info(_nothing(wanted, page))
    else:
        _table(wanted, rows[:PAGE_SIZE], zone)
    show_turning(_KEY, len(rows[:PAGE_SIZE]), PAGE_SIZE, more=len(rows) > PAGE_SIZE)
    if rows:
        _files(database, wanted)


def _nothing(wanted: Browse, page: int) -> str:
    if page:
        return "There are no older rows."
    if wanted == Browse(wanted.table):
        return f"There are no {wanted.table} on record yet. A campaign makes them: start one on the page of campaigns."
    return f"None of the {wanted.table} fits these filters."


def _filters(database: Database, zone: ZoneInfo) -> Browse:
    with database.read() as session:
        choices = found.finding_choices(session)
    first, second = st.columns(4), st.columns([1, 1, 1, 1])
    with first[0]:
        table = choice(_KEY, "Table", "table", list(TABLES))
    with first[1]:
        domain = choice(_KEY, "Domain", "domain", ["", *choices.domains])
    with first[2]:
        policy = choice(_KEY, "Policy", "policy", ["", *choices.policies])
    with first[3]:
        known = WORK_STATUSES if table in ("runs", "experiments") else CAMPAIGN_STATUSES
        status = choice(
            _KEY, "Status", "status", ["", *known], help="Of the campaign; of runs and experiments, of the run."
        )
    with second[0]:
        since = st.date_input("From", None, key="tables.since", on_change=turn_to, args=(_KEY, 0))
    with second[1]:
        until = st.date_input("Until", None, key="tables.until", on_change=turn_to, args=(_KEY, 0))
    with second[2]:
        campaign = st.text_input("Campaign", key="tables.campaign", on_change=turn_to, args=(_KEY, 0),
                                 placeholder="its whole id")  # fmt: skip
    with second[3]:
        words = st.text_input(
            "Words", key="tables.words", on_change=turn_to, args=(_KEY, 0), placeholder="all of them, anywhere",
            help="In the campaign's id, question, message and laboratory; of findings in their text, too.",
        )  # fmt: skip
    return Browse(
        table, domain, status, policy, _midnight(since, zone), _midnight(until, zone, days=1), words.strip(),
        campaign.strip(),
    )  # fmt: skip


def _midnight(day: Any, zone: ZoneInfo, days: int = 0) -> datetime | None:
    """When a day begins for the viewer, or so many days later."""
    return datetime.combine(day + timedelta(days=days), time(), zone) if isinstance(day, date) else None


def _table(wanted: Browse, rows: list[dict[str, Any]], zone: ZoneInfo) -> None:
    st.caption(f"Newest first. Select a row to open what it is of. {times_in(zone)}")
    linked_table(
        [{name: _shown(value, zone) for name, value in row.items()} for row in rows],
        _OPENED[wanted.table],
        [_name(wanted.table, row) for row in rows],
        key=f"{_KEY}.rows.{wanted.table}",
        config=numbers({name: [row[name] for row in rows] for name in rows[0]}),
    )


def _name(table: str, row: dict[str, Any]) -> str:
    """What the page to open calls it: of runs and experiments, their campaign."""
    run = row.get("run") if table == "findings" else None
    return str(row["campaign"]) if run is None else f"{row['campaign']}.{run}"


def _shown(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, datetime):
        return moment(value, zone)
    return in_short(value) if isinstance(value, dict | list) else value


def _files(database: Database, wanted: Browse) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        table_buttons(wanted.table, partial(browsed_file, database, wanted), key=_KEY)
        st.caption(f"All rows that fit, the newest {MOST_ROWS:,} at most.")
