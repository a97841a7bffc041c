"""The whole record in one file, and back: the same file for SQLite and PostgreSQL, from either into either.

Read in one snapshot, so that workers may go on meanwhile. Restored in one transaction, into an empty record only.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Float, Integer, delete, func, insert, select
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session

from experiments_db import schema
from experiments_db.database import Database
from experiments_db.errors import RecordError
from experiments_db.models import Table, UtcDateTime, WorkerEvent, now_utc
from experiments_db.package import Limits, PackageError, Reader, Writer, open_package
from experiments_db.writing import written_whole

KIND = "organon-backup"
_AT_ONCE = 500  # rows of one insert
_LARGEST = 1 << 40  # bytes of a table: one's own backup is trusted to be long, and to nothing else
Told = Callable[[str, float], None]


def backup(database: Database, path: Path, told: Told = lambda _what, _share: None) -> dict[str, int]:
    """Write all tables to a file, whole or not at all; returns the rows of each."""
    rows = dict[str, int]()
    tables = Table.metadata.sorted_tables
    with written_whole(path) as target, database.read() as session:
        writer = Writer(target, {"kind": KIND, "format": 1, "schema": schema.HEAD, "made": now_utc().isoformat()})
        for place, table in enumerate(tables):
            told(table.name, place / len(tables))
            rows[table.name] = writer.lines(_member(table), _rows(session, table))
        writer.close(rows=rows)
    return rows


def restore(database: Database, path: Path, told: Told = lambda _what, _share: None) -> dict[str, int]:
    """Fill an empty record from a backup; returns the rows of each table.

    Raises:
        RecordError: the record is not empty; nothing is changed.
        PackageError: no backup, damaged, or of another schema; nothing is changed.
    """
    tables = Table.metadata.sorted_tables
    limits = Limits({_member(table): _LARGEST for table in tables}, file=_LARGEST)
    rows = dict[str, int]()
    with open_package(path, KIND, limits) as package, database.write() as session:
        _check_schema(package, tables)
        _check_empty(session, tables)
        for place, table in enumerate(tables):
            told(table.name, place / len(tables))
            rows[table.name] = _fill(session, table, package)
        if rows != package.manifest.get("rows"):
            raise package.refused("it does not hold the rows that its manifest counts")
    return rows


def _member(table: SqlTable) -> str:
    return f"{table.name}.jsonl"


def _rows(session: Session, table: SqlTable) -> Iterator[dict[str, Any]]:
    ordered = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_AT_ONCE)
    for row in session.execute(ordered).mappings():
        yield {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _check_schema(package: Reader, tables: list[SqlTable]) -> None:
    found = package.manifest.get("schema")
    if found != schema.HEAD:
        raise PackageError(
            f"The backup is of the schema '{found}', and this Organon's is '{schema.HEAD}': restore it by the Organon "
            "that wrote it, and open the record with this one, which brings it to the newest schema."
        )
    if package.names != {_member(table) for table in tables}:
        raise package.refused("it does not hold every table")


def _check_empty(session: Session, tables: list[SqlTable]) -> None:
    """Nothing but the history of workers is there, which begins before anybody can restore: that gives way."""
    session.execute(delete(WorkerEvent))
    for table in tables:
        if session.execute(select(*table.primary_key.columns).limit(1)).first() is not None:
            raise RecordError(
                f"A backup is restored into an empty record only, and the table '{table.name}' here is not empty: set "
                "ORGANON_DATABASE_URL or ORGANON_HOME to a new place. Nothing was changed."
            )


def _fill(session: Session, table: SqlTable, package: Reader) -> int:
    count, batch = 0, list[dict[str, Any]]()
    for row in package.lines(_member(table)):
        if not isinstance(row, dict) or row.keys() != set(table.columns.keys()):
            raise package.refused(f"a row of {table.name} has other columns than the table")
        batch.append({name: _value(table, name, value, package) for name, value in row.items()})
        if len(batch) == _AT_ONCE:
            session.execute(insert(table), batch)
            count, batch = count + len(batch), []
    if batch:
        session.execute(insert(table), batch)
    if session.get_bind().dialect.name == "postgresql" and "id" in table.columns:
        _continue_numbers(session, table)
    return count + len(batch)


def _value(table: SqlTable, name: str, value: Any, package: Reader) -> Any:
    kind = table.columns[name].type
    try:
        if value is not None and isinstance(kind, UtcDateTime | DateTime):
            return datetime.fromisoformat(value)
        return float(value) if isinstance(kind, Float) and isinstance(value, int) else value
    except (TypeError, ValueError):
        raise package.refused(f"{table.name}.{name} holds {str(value)[:50]!r}") from None


def _continue_numbers(session: Session, table: SqlTable) -> None:
    """PostgreSQL counts on from the rows that came with numbers of their own."""
    if isinstance(table.columns["id"].type, Integer):
        sequence = func.pg_get_serial_sequence(f'"{table.name}"', "id")
        following = select(func.coalesce(func.max(table.c.id), 0) + 1).scalar_subquery()
        session.execute(select(func.setval(sequence, following, False)))
