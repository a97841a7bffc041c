"""Totals over the record, and which schema it has, on each database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from experiments_db import record, schema
from experiments_db.database import Database, connect
from experiments_db.errors import UnreachableDatabaseError
from experiments_db.models import Measurements
from experiments_db.standing import recorded_revision, session_revision
from experiments_db.totals import clock_ahead, totals
from tests.experiments_db.test_record import NOW, claim, step

Started = tuple[str, list[int]]


def test_leases_steps_and_times(database: Database, campaign: Started) -> None:
    _, (first, second) = campaign
    claim(database, first, "one")
    claim(database, second, "two")
    step(database, first, 0, [0, 1, 2], "one", decision_ms=100.0)
    step(database, first, 1, [0, 1], "one", decision_ms=300.0)
    with database.read() as session:
        now = totals(session, NOW)
        later = totals(session, NOW + timedelta(hours=1))
    assert (now.experiments, now.decisions, now.given, now.steps) == (5, 5, 0, 2)
    assert (now.held, now.expired, now.holders) == (2, 0, 2)
    assert (later.held, later.expired, later.holders) == (0, 2, 0)
    assert now.blocks == {"scheduled": 0, "running": 2, "finished": 0, "failed": 0, "cancelled": 0}
    assert now.decision_seconds == pytest.approx({0.5: 0.1, 0.9: 0.3, 0.99: 0.3})


def test_given_experiments_are_nobodys_decisions(database: Database, campaign: Started) -> None:
    campaign_id, (block, _) = campaign
    with database.write() as session:
        record.save_measurements(
            session, Measurements(campaign_id=campaign_id, file="a.csv", sha256="0" * 64, rows=[{}, {}])
        )
    claim(database, block)
    for number in range(3):
        step(database, block, number, [0, 1], given=number < 2)
    with database.read() as session:
        found = totals(session, NOW)
    assert (found.experiments, found.given, found.decisions) == (2, 4, 2)


def test_an_empty_record(database: Database) -> None:
    with database.read() as session:
        found = totals(session, NOW)
    assert (found.experiments, found.steps, found.decision_seconds) == (0, 0, {})


def test_the_clock(database: Database) -> None:
    with database.read() as session:
        ahead = clock_ahead(session, datetime.now(UTC))
        early = clock_ahead(session, datetime.now(UTC) - timedelta(hours=1))
    if database.engine.dialect.name == "sqlite":
        assert ahead is early is None
    else:
        assert ahead is not None
        assert early is not None
        assert abs(ahead) < timedelta(seconds=60)
        assert timedelta(minutes=59) < early < timedelta(minutes=61)


def test_the_revision_is_read_and_nothing_is_made(database: Database, tmp_path: Path) -> None:
    assert recorded_revision(database.url) == schema.HEAD
    with database.read() as session:
        assert session_revision(session) == schema.HEAD
    new = tmp_path / "new.db"
    assert recorded_revision(f"sqlite:///{new}") is None
    assert not new.exists()


def test_a_record_that_is_not_to_be_had(tmp_path: Path) -> None:
    with pytest.raises(UnreachableDatabaseError, match="cannot be opened"):
        recorded_revision("postgresql://me@127.0.0.1:1/none")
    (tmp_path / "text.db").write_text("no database at all, but a text that is long enough to be taken for a page" * 20)
    with pytest.raises(UnreachableDatabaseError):
        recorded_revision(f"sqlite:///{tmp_path / 'text.db'}")


def test_an_empty_postgresql_database_has_no_revision(empty_postgres_url: str) -> None:
    assert recorded_revision(empty_postgres_url) is None
    connect(empty_postgres_url).close()
    assert recorded_revision(empty_postgres_url) == schema.HEAD
