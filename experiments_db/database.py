"""Opening the record: one URL, the newest schema, and sessions that either read or write."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import Session

from experiments_db import schema
from experiments_db.address import masked, parse, unreachable
from experiments_db.errors import RecordError

_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON")


@dataclass(frozen=True)
class Database:
    """An open record. `url` is the full address (its password is not shown by `repr`)."""

    url: str = field(repr=False)
    engine: Engine

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session that sees one consistent state and cannot write."""
        with self._session() as session:
            if self._is_sqlite:
                self._begin(session, "PRAGMA query_only=ON", "BEGIN")
            else:
                self._begin(session, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session that is committed at the end and rolled back on an exception."""
        with self._session() as session:
            if self._is_sqlite:
                # IMMEDIATE: without the lock from the start, what was read may be old by the time it is written back.
                self._begin(session, "PRAGMA query_only=OFF", "BEGIN IMMEDIATE")
            else:
                self._begin(session)
            yield session
            session.commit()

    def close(self) -> None:
        """Close all connections; a later session opens new ones."""
        self.engine.dispose()

    @property
    def _is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def _session(self) -> Session:
        return Session(self.engine, expire_on_commit=False)  # rows outlive their session

    def _begin(self, session: Session, *statements: str) -> None:
        try:
            connection = session.connection()
            for statement in statements:
                connection.exec_driver_sql(statement)
        except DBAPIError as error:
            raise unreachable(self.engine.url, error) from error


def connect(url: str) -> Database:
    """Open the record at `url`, creating it or bringing it to the newest schema if need be.

    Args:
        url: `sqlite:////path/organon.db`, `postgresql://user@host/name` or `postgresql+psycopg://…`.

    Raises:
        UnreachableDatabaseError: wrong address, no server, no permission, or not a database of Organon.
        NewerDatabaseError: written by a newer version; nothing is changed.
    """
    address = parse(url)
    engine = _engine(address)
    try:
        if address.drivername == "sqlite":
            _prepare_sqlite(engine, Path(str(address.database)))
        else:
            _prepare_postgres(engine)
    except (DBAPIError, sqlite3.Error, OSError) as error:
        engine.dispose()
        raise unreachable(address, error) from error
    except RecordError:
        engine.dispose()
        raise
    return Database(address.render_as_string(hide_password=False), engine)


def to_json(value: Any) -> str:
    """Return `value` as JSON; floats come back exactly. NaN and infinity are refused: no JSON reader need know them.

    Raises:
        RecordError: a float is not finite.
    """
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except ValueError as error:
        raise RecordError(
            f"A value cannot be recorded ({error}): record None where there is no finite number."
        ) from None


def _engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        engine = create_engine(url, json_serializer=to_json, connect_args={"isolation_level": None})
        event.listen(engine, "connect", _set_pragmas)
    else:
        timeout = {} if "connect_timeout" in url.query else {"connect_timeout": 10}
        engine = create_engine(url, json_serializer=to_json, connect_args=timeout, pool_pre_ping=True)
    event.listen(engine, "connect", _note_process)
    event.listen(engine, "checkout", _refuse_after_fork)
    return engine


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _note_process(_connection: object, record: Any) -> None:
    record.info["process"] = os.getpid()


def _refuse_after_fork(_connection: object, record: Any, proxy: Any) -> None:
    # A connection belongs to the process that opened it; a forked worker opens its own and leaves this one alone.
    if record.info["process"] != os.getpid():
        record.dbapi_connection = proxy.dbapi_connection = None
        raise DisconnectionError("the connection was opened by the parent process")


def _prepare_sqlite(engine: Engine, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    writable = path if path.exists() else path.parent
    if not os.access(writable, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise PermissionError(f"no permission to write to {writable}")
    if _known_sqlite_revision(engine, path) == schema.HEAD:
        return
    with schema.file_lock(path):
        if _known_sqlite_revision(engine, path) != schema.HEAD:
            schema.upgrade_sqlite(engine)


def _known_sqlite_revision(engine: Engine, path: Path) -> str | None:
    revision = schema.sqlite_revision(path)
    schema.check_known(revision, masked(engine.url))
    return revision


def _prepare_postgres(engine: Engine) -> None:
    with engine.connect() as connection:
        revision = schema.postgres_revision(connection)
    schema.check_known(revision, masked(engine.url))
    if revision != schema.HEAD:
        schema.upgrade_postgres(engine)
