"""The record on each database: SQLite always, PostgreSQL where ORGANON_TEST_POSTGRES_URL names a server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from experiments_db import record
from experiments_db.database import Database, connect
from experiments_db.models import Campaign, Domain, Table
from tests import servers


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """Address of a server on which databases may be created and dropped."""
    return servers.server_url("POSTGRES")


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """Address of a new, empty database that is dropped afterwards."""
    with servers.temporary_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def shared_postgres_url(postgres_server: str) -> Iterator[str]:
    """Address of one database for the whole session: creating one takes longer than most tests."""
    with servers.temporary_database(postgres_server) as url:
        yield url


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
