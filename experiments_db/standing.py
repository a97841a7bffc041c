"""Which schema a record has now, read without changing it."""

import sqlite3
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from experiments_db import schema
from experiments_db.address import parse, unreachable


def recorded_revision(url: str) -> str | None:
    """The schema revision of the record at `url`; None where it is new or empty. Upgrades nothing.

    Raises:
        UnreachableDatabaseError: wrong address, no server, no permission.
    """
    address = parse(url)
    if address.drivername == "sqlite":
        try:
            return schema.sqlite_revision(Path(str(address.database)))
        except (OSError, sqlite3.Error) as error:
            raise unreachable(address, error) from error
    engine = create_engine(address, connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            return schema.postgres_revision(connection)
    except DBAPIError as error:
        raise unreachable(address, error) from error
    finally:
        engine.dispose()


def session_revision(session: Session) -> str | None:
    """The schema revision that an open record has now: another process may have upgraded it since."""
    return str(session.connection().exec_driver_sql("SELECT version_num FROM alembic_version").scalar())
