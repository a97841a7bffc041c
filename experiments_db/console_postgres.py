"""The console on PostgreSQL: a read-only transaction that is rolled back, with the rights of one who only reads."""

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from psycopg.types.string import TextLoader
from sqlalchemy import URL

from experiments_db.address import unreachable
from experiments_db.console_answers import Room, Table, collect, refusal
from experiments_db.errors import ReadOnlyError

_FETCH_ROWS = 20  # held at a time beside the answer; each may be large
# Functions that read or write files, other sessions, other servers or settings, or run SQL given as text; and U&"…",
# by which any name can be spelled past this list. Last: tables that hold secrets or what others are asking.
_REFUSED = re.compile(
    r"""\b( lo_\w+ | loread | lowrite | dblink\w* | set_config | nextval | setval | txid_current
      | (query|cursor|table|schema|database)_to_xml\w* | xml_?parse\w* | ts_stat | ts_rewrite | crosstab\w* | connectby
      | pg_(read|ls|stat_file|stat_reset|terminate|cancel|reload|rotate|switch|create|drop|promote|logical|replication
           |advisory|try_advisory|export|notify|import|backup|start|stop|wal|file|copy|log|prewarm|execute|sync|sleep
           |hba|ident|statistic|stats|stat_activity|stat_statements|authid|shadow|user_mapping)\w*
      | get_raw_page\w* | heap_page\w* | token
      ) \b | U&["']""",
    re.IGNORECASE | re.VERBOSE,
)


def select_postgres(url: URL, sql: str, seconds: float, room: Room) -> Table:
    """The answer to one query."""
    if refused := _REFUSED.search(sql):
        raise ReadOnlyError(f"The console only reads tables: '{refused.group()}' is refused.")
    deadline = time.monotonic() + seconds
    with _reading_postgres(url, seconds) as connection, connection.cursor(name="console") as cursor:
        try:
            cursor.execute(sql.encode())  # DECLARE CURSOR: the server takes one query, and nothing that writes
            columns = tuple(column.name for column in cursor.description or ())
            return collect(columns, _fetched(connection, cursor, deadline), room, deadline)
        except (psycopg.Error, TimeoutError) as error:
            late = isinstance(error, TimeoutError | psycopg.errors.QueryCanceled)
            raise refusal(error, late=late, seconds=seconds) from error


def _fetched(connection: psycopg.Connection[Any], cursor: Any, deadline: float) -> Iterator[tuple[Any, ...]]:
    """The rows, a few at a time; each fetch is a statement of its own, which may take what is left of the time."""
    while (left := deadline - time.monotonic()) > 0:
        connection.execute(f"SET LOCAL statement_timeout = {max(1, int(left * 1000))}".encode())
        rows = cursor.fetchmany(_FETCH_ROWS)
        yield from rows
        if len(rows) < _FETCH_ROWS:
            return
    raise TimeoutError


@contextmanager
def _reading_postgres(url: URL, seconds: float) -> Iterator[psycopg.Connection[Any]]:
    try:
        connection = psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    except psycopg.Error as error:
        raise unreachable(url, error) from error
    with closing(connection):
        connection.read_only = True
        for kind in ("json", "jsonb"):
            connection.adapters.register_loader(kind, TextLoader)  # as SQLite gives it
        milliseconds = max(1, int(seconds * 1000))
        connection.execute(f"SET LOCAL statement_timeout = {milliseconds}".encode())
        connection.execute(f"SET LOCAL lock_timeout = {milliseconds}".encode())
        row = connection.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = current_user AND rolsuper "
            "AND EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'pg_read_all_data')"
        ).fetchone()
        if row:  # a superuser's functions reach the server's files; this role's do not
            connection.execute("SET LOCAL ROLE pg_read_all_data")
        yield connection
        connection.rollback()
