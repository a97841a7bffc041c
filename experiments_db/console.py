"""Read-only SQL, whatever is typed: for the curious, and for assistants that must not be able to do harm.

SQLite: the file is opened read-only, an authorizer allows reading and nothing else, and no value may be larger than
1 MiB (the export has no such limit). PostgreSQL: a read-only transaction that is rolled back, with a statement timeout;
the statement is declared as a cursor, which the server accepts only for one query; a superuser's rights are put down to
reading; and functions that act outside the transaction are refused by name. A database user that may only read is the
stronger guard there; and one value may take up to 1 GB of memory.
"""

import re

from experiments_db.address import parse
from experiments_db.console_answers import SECRET as SECRET
from experiments_db.console_answers import Room
from experiments_db.console_answers import Table as Table
from experiments_db.console_sqlite import select_sqlite
from experiments_db.errors import ReadOnlyError

MAX_TABLE_BYTES = 64 << 20
_COMMENT_OR_SPACE = re.compile(r"(\s+|--[^\n]*(\n|$)|/\*.*?\*/|\()+", re.DOTALL)


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
    room = Room(max_rows, max_bytes)
    if address.drivername == "sqlite":
        return select_sqlite(address, sql, seconds, room)
    from experiments_db.console_postgres import select_postgres  # its driver is slow to import

    return select_postgres(address, sql, seconds, room)


def _check_begins_like_a_query(sql: str) -> None:
    """Give the plain answer to a plain mistake; the databases themselves enforce the rule."""
    start = _COMMENT_OR_SPACE.match(sql)
    word = re.match(r"\w*", sql[start.end() if start else 0 :])
    found = word.group() if word else ""
    if found.lower() not in ("select", "with", "values"):
        raise ReadOnlyError(f"The console only reads: a statement begins with SELECT, WITH or VALUES; found '{found}'.")
