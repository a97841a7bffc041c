"""Read-only SQL, whatever is typed: for the curious, and for assistants that must not be able to do harm.

SQLite: the file is opened read-only, an authorizer allows reading and nothing else, and no value may be larger than
1 MiB (the export has no such limit). PostgreSQL: a read-only transaction that is rolled back, with a statement timeout;
the statement is declared as a cursor, which the server accepts only for one query; a superuser's rights are put down to
reading; and functions that act outside the transaction are refused by name. A database user that may only read is the
stronger guard there; and one value may take up to 1 GB of memory.
"""

import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.string import TextLoader
from sqlalchemy import URL

from experiments_db import models
from experiments_db.address import parse, unreachable
from experiments_db.errors import ReadOnlyError

# One call of a function is not interrupted; on values of this size the slowest (instr) takes seconds, not hours.
_MAX_VALUE_BYTES = 1 << 20
MAX_TABLE_BYTES = 64 << 20
_MAX_COLUMNS = 64
_FETCH_ROWS = 20  # held at a time beside the answer; each may be large

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: _MAX_VALUE_BYTES,
    sqlite3.SQLITE_LIMIT_COLUMN: _MAX_COLUMNS,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1000,
}
SECRET = "token"  # the table of those who may speak, with hashes of their secrets: the console does not show it
_SQLITE_HIDDEN = {SECRET, "sqlite_dbpage", "dbstat"}  # and those by which the file's pages could be read
_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_SQLITE_REFUSED = {
    *("load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "fsdir"),  # reach outside the database
    *("printf", "format"),  # printf('%.*c', 2000000000, 'x') counts to its end, past every limit
}

# Functions that read or write files, other sessions, other servers or settings, or run SQL given as text; and U&"…",
# by which any name can be spelled past this list. Last: tables that hold secrets or what others are asking.
_POSTGRES_REFUSED = re.compile(
    r"""\b( lo_\w+ | loread | lowrite | dblink\w* | set_config | nextval | setval | txid_current
      | (query|cursor|table|schema|database)_to_xml\w* | xml_?parse\w* | ts_stat | ts_rewrite | crosstab\w* | connectby
      | pg_(read|ls|stat_file|stat_reset|terminate|cancel|reload|rotate|switch|create|drop|promote|logical|replication
           |advisory|try_advisory|export|notify|import|backup|start|stop|wal|file|copy|log|prewarm|execute|sync|sleep
           |hba|ident|statistic|stats|stat_activity|stat_statements|authid|shadow|user_mapping)\w*
      | get_raw_page\w* | heap_page\w* | token
      ) \b | U&["']""",
    re.IGNORECASE | re.VERBOSE,
)
_COMMENT_OR_SPACE = re.compile(r"(\s+|--[^\n]*(\n|$)|/\*.*?\*/|\()+", re.DOTALL)


@dataclass(frozen=True)
class Table:
    """The answer; `truncated` if there were more rows than asked for or than fit in memory."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    truncated: bool


@dataclass(frozen=True)
class _Room:
    """How large an answer may be."""

    rows: int
    bytes: int


def select(
    url: str, sql: str, *, seconds: float = 10.0, max_rows: int = 10_000, max_bytes: int = MAX_TABLE_BYTES
) -> Table:
    """Return the answer to one SQL query, changing nothing.

    Args:
        url: address of the database, as for `database.connect`.
        sql: one statement that begins with SELECT, WITH or VALUES.
        seconds: how long it may take.
        max_rows: how many rows to return at most.
        max_bytes: of about how many bytes the answer may be.

    Raises:
        ReadOnlyError: the statement is refused, wrong, or takes too long.
        UnreachableDatabaseError: the database cannot be opened.
    """
    address = parse(url)
    sql = sql.strip().rstrip(";").rstrip()
    _check_begins_like_a_query(sql)
    answer = _select_sqlite if address.drivername == "sqlite" else _select_postgres
    return answer(address, sql, seconds, _Room(max_rows, max_bytes))


def _check_begins_like_a_query(sql: str) -> None:
    """Give the plain answer to a plain mistake; the databases themselves enforce the rule."""
    start = _COMMENT_OR_SPACE.match(sql)
    word = re.match(r"\w*", sql[start.end() if start else 0 :])
    found = word.group() if word else ""
    if found.lower() not in ("select", "with", "values"):
        raise ReadOnlyError(f"The console only reads: a statement begins with SELECT, WITH or VALUES; found '{found}'.")


def _select_sqlite(url: URL, sql: str, seconds: float, room: _Room) -> Table:
    path = Path(str(url.database))
    deadline = time.monotonic() + seconds
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=seconds)
        connection.execute("SELECT count(*) FROM sqlite_master")  # opening reads nothing; this does
    except sqlite3.Error as error:
        raise unreachable(url, error) from error
    with closing(connection):
        connection.execute("PRAGMA query_only=ON")
        connection.text_factory = lambda value: value.decode(errors="replace")
        for limit, value in _LIMITS.items():
            connection.setlimit(limit, value)
        connection.set_authorizer(_authorize)
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 1000)
        try:
            cursor = connection.execute(sql)
            columns = tuple(column[0] for column in cursor.description or ())
            return _collect(columns, cursor, room, deadline)
        except (sqlite3.Error, sqlite3.Warning, TimeoutError) as error:
            raise _refusal(error, late=time.monotonic() > deadline, seconds=seconds) from error


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
    harmless = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _SQLITE_REFUSED
    hidden = action == sqlite3.SQLITE_READ and (first or "").lower() in _SQLITE_HIDDEN
    allowed = (harmless or action in _READING) and not hidden
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _select_postgres(url: URL, sql: str, seconds: float, room: _Room) -> Table:
    if refused := _POSTGRES_REFUSED.search(sql):
        raise ReadOnlyError(f"The console only reads tables: '{refused.group()}' is refused.")
    deadline = time.monotonic() + seconds
    with _reading_postgres(url, seconds) as connection, connection.cursor(name="console") as cursor:
        try:
            cursor.execute(sql.encode())  # DECLARE CURSOR: the server takes one query, and nothing that writes
            columns = tuple(column.name for column in cursor.description or ())
            return _collect(columns, _fetched(connection, cursor, deadline), room, deadline)
        except (psycopg.Error, TimeoutError) as error:
            late = isinstance(error, TimeoutError | psycopg.errors.QueryCanceled)
            raise _refusal(error, late=late, seconds=seconds) from error


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


def _collect(columns: tuple[str, ...], answer: Iterable[Any], room: _Room, deadline: float) -> Table:
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in answer:
        if time.monotonic() > deadline:
            raise TimeoutError
        if len(rows) == room.rows or size > room.bytes:
            return Table(columns, rows, truncated=True)
        rows.append(tuple(row))
        size += sum(len(value) if isinstance(value, str | bytes) else 32 for value in row)
    return Table(columns, rows, truncated=False)


def _refusal(error: BaseException, *, late: bool, seconds: float) -> ReadOnlyError:
    if late:
        return ReadOnlyError(f"The query took longer than {seconds:g} s and was stopped: ask for less, or add a LIMIT.")
    cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    missing = "no such table" in cause or "does not exist" in cause
    tables = f" The tables are {', '.join(sorted(models.Table.metadata.tables.keys() - {SECRET}))}." if missing else ""
    return ReadOnlyError(f"The console refused the statement: {cause}.{tables}")
