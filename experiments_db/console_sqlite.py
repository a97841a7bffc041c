"""The console on SQLite: the file is opened read-only, and an authorizer allows reading and nothing else."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL

from experiments_db.address import unreachable
from experiments_db.console_answers import SECRET, Room, Table, collect, refusal

# One call of a function is not interrupted; on values of this size the slowest (instr) takes seconds, not hours.
_MAX_VALUE_BYTES = 1 << 20
_MAX_COLUMNS = 64
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: _MAX_VALUE_BYTES,
    sqlite3.SQLITE_LIMIT_COLUMN: _MAX_COLUMNS,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1000,
}
_SQLITE_HIDDEN = {SECRET, "sqlite_dbpage", "dbstat"}  # and those by which the file's pages could be read
_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_SQLITE_REFUSED = {
    *("load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "fsdir"),  # reach outside the database
    *("printf", "format"),  # printf('%.*c', 2000000000, 'x') counts to its end, past every limit
}


def select_sqlite(url: URL, sql: str, seconds: float, room: Room) -> Table:
    """The answer to one query."""
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
            return collect(columns, cursor, room, deadline)
        except (sqlite3.Error, sqlite3.Warning, TimeoutError) as error:
            raise refusal(error, late=time.monotonic() > deadline, seconds=seconds) from error


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
    harmless = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _SQLITE_REFUSED
    hidden = action == sqlite3.SQLITE_READ and (first or "").lower() in _SQLITE_HIDDEN
    allowed = (harmless or action in _READING) and not hidden
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
