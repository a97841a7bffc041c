"""The record on each database: SQLite always, PostgreSQL where ORGANON_TEST_POSTGRES_URL names a server."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from experiments_db import record
from experiments_db.database import Database, connect
from experiments_db.models import Campaign, Domain, Table


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """Address of a server on which databases may be created and dropped."""
    server = os.environ.get("ORGANON_TEST_POSTGRES_URL")
    if not server:
        pytest.skip("no PostgreSQL server: set ORGANON_TEST_POSTGRES_URL=postgresql://user@host:5432/postgres")
    return server


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """Address of a new, empty database that is dropped afterwards."""
    yield from _temporary_postgres(postgres_server)


@pytest.fixture(scope="session")
def shared_postgres_url(postgres_server: str) -> Iterator[str]:
    """Address of one database for the whole session: creating one takes longer than most tests."""
    yield from _temporary_postgres(postgres_server)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty record with the newest schema."""
    if request.param == "sqlite":
        opened = connect(f"sqlite:///{tmp_path}/organon.db")
    else:
        opened = connect(request.getfixturevalue("shared_postgres_url"))
        with opened.write() as session:
            names = ", ".join(table.name for table in Table.metadata.sorted_tables)
            session.connection().exec_driver_sql("SET LOCAL session_replication_role = replica")  # no triggers
            session.connection().exec_driver_sql(f"TRUNCATE {names}")
    yield opened
    opened.close()


@pytest.fixture
def add_campaign(database: Database) -> Callable[..., tuple[str, list[int]]]:
    """Records a campaign of five runs in blocks of three and two; returns its id and the blocks' ids."""

    def add(created_at: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)) -> tuple[str, list[int]]:
        identity = "d" * 64
        domain = Domain(
            identity=identity, name="cooling", title="Cooling", text="name: cooling", document={"name": "cooling"}
        )
        planned = Campaign(
            domain_identity=identity, policy="random", runs=5, budget=10.0, seed=2**40, created_at=created_at
        )
        with database.write() as session:
            record.save_domain(session, domain)
            blocks = record.create_campaign(session, planned, [3, 2])
        return planned.id, blocks

    return add


@pytest.fixture
def campaign(add_campaign: Callable[..., tuple[str, list[int]]]) -> tuple[str, list[int]]:
    """One such campaign."""
    return add_campaign()


def _temporary_postgres(server: str) -> Iterator[str]:
    name = f"organon_test_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as administrator:
        administrator.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            administrator.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
