"""Jobs claimed by several workers at once, where several can write at once: on PostgreSQL."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from experiments_db import jobs
from experiments_db.database import Database, connect


@pytest.fixture
def database(empty_postgres_url: str) -> Iterator[Database]:
    opened = connect(empty_postgres_url)
    yield opened
    opened.close()


def claimed_by(session: Session, owner: str, alive: Callable[[str], bool] = lambda _: True) -> str | None:
    claimed = jobs.claim_job(session, owner=owner, now=datetime.now(UTC), lease_seconds=60.0, owner_is_alive=alive)
    return None if claimed is None else claimed.job.id


def test_a_job_claimed_while_another_worker_looks_around_is_not_claimed_twice(database: Database) -> None:
    with database.write() as session:
        first, second = (jobs.add_job(session, "double", {"number": number}, "Ada").id for number in (1, 2))
    with database.write() as session:
        assert claimed_by(session, "eldest") == first
    taken: list[str | None] = []

    def somebody_is_quicker(_: str) -> bool:
        """Asked of the eldest, between the look at who holds jobs and the claim of one."""
        with database.write() as other:
            taken.append(claimed_by(other, "quick"))
        return True

    with database.write() as session:
        assert claimed_by(session, "slow", somebody_is_quicker) is None
    assert taken == [second]


def test_a_job_that_another_transaction_is_claiming_is_passed_over(database: Database) -> None:
    with database.write() as session:
        first, second = (jobs.add_job(session, "double", {"number": number}, "Ada").id for number in (1, 2))
    with database.write() as one, database.write() as other:
        assert claimed_by(one, "one") == first
        assert claimed_by(other, "other") == second
