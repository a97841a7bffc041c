"""Opening the record: schema, versions, addresses that do not work, processes that start at once."""

import hashlib
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from experiments_db import queries, record, schema
from experiments_db.chains import check_chain, read_chain
from experiments_db.database import Database, connect, to_json
from experiments_db.errors import NewerDatabaseError, RecordError, UnreachableDatabaseError
from experiments_db.models import Measurements, Table

ROOT = Path(__file__).parents[2]


def _migrated_equals_models(database: Database, empty_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []
    created = create_engine(empty_url)
    Table.metadata.create_all(created)
    # alembic compares neither CHECK constraints nor the conditions of indexes
    assert _constraints(database.engine) == _constraints(created)
    created.dispose()
    database.close()


def _constraints(engine: Any) -> dict[str, Any]:
    inspector = inspect(engine)
    return {
        name: (
            inspector.get_check_constraints(name),
            inspector.get_pk_constraint(name)["name"],
            sorted(key["name"] or "" for key in inspector.get_foreign_keys(name)),
            sorted(
                (index["name"] or "", *map(str, index["dialect_options"].values()))
                for index in inspector.get_indexes(name)
            ),
        )
        for name in Table.metadata.tables
    }


def test_migrations_give_the_models_on_sqlite(tmp_path: Path) -> None:
    _migrated_equals_models(connect(f"sqlite:///{tmp_path}/migrated.db"), f"sqlite:///{tmp_path}/created.db")


def test_migrations_give_the_models_on_postgresql(empty_postgres_url: str, request: pytest.FixtureRequest) -> None:
    migrated = connect(request.getfixturevalue("shared_postgres_url"))
    _migrated_equals_models(migrated, empty_postgres_url.replace("postgresql://", "postgresql+psycopg://"))


def test_the_revisions_are_those_of_the_migrations() -> None:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))
    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == schema.REVISIONS


_OF_REVISION_1 = (
    "INSERT INTO domain VALUES ('d', 'n', '', '', '', '{}', '', '{}', '2026-11-22 12:00:00')",
    "INSERT INTO campaign VALUES ('aaaa00000000', 'd', 'random', 'simulate', 1, 2.0, 0, 'running', '', '{}', '{}', "
    "'2026-11-22 12:00:00', NULL, NULL)",
    "INSERT INTO block VALUES (1, 'aaaa00000000', 0, 0, 1, 2, 'running', NULL, NULL, NULL, NULL)",
    "INSERT INTO run VALUES (1, 'aaaa00000000', 1, 0, 'running', 2, 2.0, NULL)",
    "INSERT INTO experiment VALUES (1, 1, 0, '{\"x\":1}', '{\"y\":0.5}', 1.0, 0.25, 3.0, '{}', '[]', "
    "'2026-11-22 12:00:00')",
    "INSERT INTO experiment VALUES (2, 1, 1, '{\"x\":2}', '{\"y\":null}', 1.0, 0.5, 3.0, '{}', '[]', "
    "'2026-11-22 12:00:00')",
)


def _upgraded(url: str, engine_url: str) -> None:
    """A record of revision 0001 opens with all it holds; nothing in it was given, and data can be."""
    from alembic import command
    from alembic.config import Config

    old = create_engine(engine_url)
    with old.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
        command.upgrade(config, "0001")
        for statement in _OF_REVISION_1:
            connection.exec_driver_sql(statement)
    old.dispose()
    database = connect(url)
    with database.write() as session:
        history = queries.block_history(session, 1)
        assert [(row.design, row.outcome, row.cost, row.given) for row in history] == [
            ({"x": 1}, {"y": 0.5}, 1.0, False),
            ({"x": 2}, {"y": None}, 1.0, False),
        ]
        assert queries.information_by_run(session, "aaaa00000000") == [0.75]
        assert queries.data_source(session, "aaaa00000000") is None
        row = {"design": {"x": 1}, "outcome": {"y": 2.0}}
        given = Measurements(campaign_id="aaaa00000000", file="f.csv", sha256="0", rows=[row])
        record.save_measurements(session, given)
        assert queries.given_measurements(session, "aaaa00000000") == [row]
        (begun, added) = read_chain(session, "aaaa00000000")
        assert (begun.kind, begun.said) == (
            "log begun",
            {"blocks": [[2, "running"]], "message": "", "started": False, "status": "running"},
        )
        assert check_chain("aaaa00000000", [begun, added]) == []
    _downgraded(database)
    database.close()


def _downgraded(database: Database) -> None:
    """Back to the schema before the log: its table and triggers go, all else stays; and up again."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    for move, revision in ((command.downgrade, "0003"), (command.upgrade, "head")):
        with database.engine.begin() as connection:
            if database.engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            config.attributes["connection"] = connection
            move(config, revision)
        database.engine.dispose()
        assert inspect(database.engine).has_table("event") == (revision == "head")
    with database.write() as session:
        assert len(queries.block_history(session, 1)) == 2
        assert [event.kind for event in read_chain(session, "aaaa00000000")] == ["log begun"]
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        delete_from(session, "event")


def test_an_old_sqlite_record_is_upgraded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    _upgraded(url, url)


def test_an_old_postgresql_record_is_upgraded(empty_postgres_url: str) -> None:
    _upgraded(empty_postgres_url, empty_postgres_url.replace("postgresql://", "postgresql+psycopg://"))


def test_opening_the_newest_schema_imports_no_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/organon.db"
    connect(url).close()
    code = f"import sys; from experiments_db.database import connect; connect({url!r}); print('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout == "False\n"


def test_four_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    code = (
        "from experiments_db.database import connect; from experiments_db.queries import list_campaigns\n"
        f"d = connect('sqlite:///{tmp_path}/new.db')\nwith d.write() as s: pass\n"
        "with d.read() as s: print(list_campaigns(s))"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    started = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[0] for process in started] == ["[]\n"] * 4


def test_a_newer_sqlite_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "newer.db"
    connect(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
        connection.commit()
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(NewerDatabaseError, match=rf"'0999'.*knows up to '{schema.HEAD}'.*Upgrade Organon, or"):
        connect(f"sqlite:///{file}")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before


def test_a_newer_postgresql_database_is_refused(empty_postgres_url: str) -> None:
    database = connect(empty_postgres_url)
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
    database.close()
    with pytest.raises(NewerDatabaseError, match="'0999'"):
        connect(empty_postgres_url)


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(b"not a database, but long enough to be read as a header " * 40)
    before = file.read_bytes()
    with pytest.raises(UnreachableDatabaseError, match="file is not a database"):
        connect(f"sqlite:///{file}")
    assert file.read_bytes() == before


def test_the_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    before = file.read_bytes()
    with pytest.raises(UnreachableDatabaseError, match=r"another program.*'bookmarks'"):
        connect(f"sqlite:///{file}")
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite://", "a plain file"),
        ("sqlite:///:memory:", "a plain file"),
        ("mysql://user:secret@host/name", "no database of the kind 'mysql'"),
        ("organon.db", "cannot be read"),
        ("postgresql://user:secret@127.0.0.1:1/name", r"user:\*\*\*@127.0.0.1:1/name cannot be opened"),
        ("postgres://127.0.0.1:1/name?user=u&password=secret", "cannot be opened"),
        ("sqlite:////dev/null/organon.db", "/dev/null/organon.db cannot be opened"),
        ("sqlite:////proc/organon/organon.db", "cannot be opened"),
    ],
)
def test_an_address_that_does_not_work_is_explained_without_its_password(url: str, says: str) -> None:
    with pytest.raises(UnreachableDatabaseError, match=says) as caught:
        connect(url)
    assert "secret" not in str(caught.value)


def test_the_password_is_not_shown(tmp_path: Path) -> None:
    engine = create_engine("postgresql+psycopg://user:secret@host/name")
    assert "secret" not in repr(Database("postgresql://user:secret@host/name", engine))


def test_sqlite_is_opened_as_measured(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/organon.db")
    with database.read() as session:
        found = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 1, "busy_timeout": 30000, "foreign_keys": 1}


def test_a_read_session_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"), database.read() as session:
        session.connection().exec_driver_sql("DELETE FROM run")


def delete_from(session: Session, *tables: str) -> None:
    for table in tables:
        session.connection().exec_driver_sql(f"DELETE FROM {table}")


def test_an_exception_rolls_the_write_back(database: Database, campaign: tuple[str, list[int]]) -> None:
    with pytest.raises(DBAPIError, match="nowhere"), database.write() as session:
        delete_from(session, "run", "nowhere")
    with database.read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM run").scalar() == 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_opens_its_own_connection(database: Database, campaign: tuple[str, list[int]]) -> None:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with database.write() as session:
                delete_from(session, "run")
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    with database.read() as session:  # the parent's connection still works
        assert session.connection().exec_driver_sql("SELECT count(*) FROM run").scalar() == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(RecordError, match="record None where there is no finite number"):
        to_json({"mean": [value]})


def _revision_6_down(engine_url: str) -> None:
    """Usage is counted from what is on record; the way back leaves the record as it was."""
    from alembic import command
    from alembic.config import Config

    engine = create_engine(engine_url)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
        command.upgrade(config, "0001")
        for statement in _OF_REVISION_1:
            connection.exec_driver_sql(statement)
        before = inspect(connection).get_columns("block")
        command.upgrade(config, "0006")
        usage = connection.exec_driver_sql("SELECT block_id, day, experiments, cost FROM usage").all()
        assert [tuple(row) for row in usage] == [(1, "2026-11-22", 2, 2.0)]
        assert connection.exec_driver_sql("SELECT attempts, fault FROM block").all() == [(0, "")]
        command.downgrade(config, "0003")
        assert [column["name"] for column in inspect(connection).get_columns("block")] == [
            column["name"] for column in before
        ]
        assert connection.exec_driver_sql("SELECT count(*) FROM experiment").scalar() == 2
    engine.dispose()


def test_scheduling_counts_what_is_on_record_and_can_be_taken_back_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    _revision_6_down(url)


def test_scheduling_counts_what_is_on_record_and_can_be_taken_back_on_postgresql(empty_postgres_url: str) -> None:
    _revision_6_down(empty_postgres_url.replace("postgresql://", "postgresql+psycopg://"))
