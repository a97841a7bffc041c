"""Which schema a database has, and bringing it to the newest, by one process at a time."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from experiments_db.errors import NewerDatabaseError, UnreachableDatabaseError

# Oldest first; a test compares them with the migrations, so that opening needs no alembic.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
HEAD = REVISIONS[-1]

_MIGRATIONS = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x4F7267616E6F6E  # "Organon": any number that only Organon uses
_READ_REVISION = "SELECT version_num FROM alembic_version"


def sqlite_revision(path: Path) -> str | None:
    """Return the schema revision of a SQLite file, None if the file is new or empty. Changes nothing.

    Raises:
        sqlite3.Error: not a database, or not to be read.
        UnreachableDatabaseError: a database of some other program.
    """
    if not path.exists():
        return None
    # Not through the engine: its connections switch the file to WAL, and a foreign or newer file is left as it is.
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=30)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "alembic_version" not in tables:
            raise UnreachableDatabaseError(
                f"The file {path} is a database of another program (it has the table '{min(tables)}' and no schema "
                "version): choose another file by ORGANON_DATABASE_URL or ORGANON_HOME."
            )
        row = connection.execute(_READ_REVISION).fetchone() if tables else None
    return row and str(row[0])


def postgres_revision(connection: Connection) -> str | None:
    """Return the schema revision of a PostgreSQL database, None if it has none yet."""
    if connection.exec_driver_sql("SELECT to_regclass('alembic_version')").scalar() is None:
        return None
    return connection.exec_driver_sql(_READ_REVISION).scalar()


def check_known(revision: str | None, shown_url: str) -> None:
    """Refuse a database whose revision this version does not know.

    Raises:
        NewerDatabaseError: the revision is none of `REVISIONS`.
    """
    if revision is not None and revision not in REVISIONS:
        raise NewerDatabaseError(
            f"The database {shown_url} was written by a newer Organon: its schema is '{revision}' and this Organon "
            f"knows up to '{HEAD}'. Nothing was changed. Upgrade Organon, or choose another database by "
            "ORGANON_DATABASE_URL or ORGANON_HOME."
        )


def upgrade_sqlite(engine: Engine) -> None:
    """Bring the file to `HEAD` in one transaction: after a crash the old schema is there whole."""
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")  # batch migrations drop and rename referenced tables
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        _upgrade(connection)
        connection.commit()
    engine.dispose()  # the connection without foreign keys must not be used again


def upgrade_postgres(engine: Engine) -> None:
    """Bring the database to `HEAD` in one transaction, after any other process that is doing so."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    # Imported here: alembic is slow to import and needed only when the schema is not the newest.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock beside the SQLite file `path`; it goes with the process, however that ends.

    The first switch of a file to WAL does not wait for other processes; this lock does.
    """
    if sys.platform == "win32":  # no fcntl; BEGIN IMMEDIATE still lets one process migrate at a time
        yield
        return
    import fcntl

    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
