"""Finding what is on record, the same on every database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import StatementError

from experiments_db import queries, record
from experiments_db.database import Database
from experiments_db.errors import NotFoundError
from experiments_db.models import Campaign, Domain

Started = tuple[str, list[int]]
Add = Callable[..., Started]

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_a_recorded_domain_never_changes(database: Database, campaign: Started) -> None:
    with database.write() as session:
        record.save_domain(session, Domain(identity="d" * 64, name="other", text="changed"))
    with database.read() as session:
        found = queries.get_domain(session, "d" * 64)
    assert (found.name, found.document, found.attachments) == ("cooling", {"name": "cooling"}, {})


def test_times_come_back_aware_in_utc(database: Database, add_campaign: Add) -> None:
    written = datetime(2026, 11, 22, 14, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    name, _ = add_campaign(created_at=written)
    with database.read() as session:
        read = queries.get_campaign(session, name).created_at
    assert read == written
    assert read.utcoffset() == timedelta(0)


def test_a_time_without_zone_is_refused(database: Database, add_campaign: Add) -> None:
    with pytest.raises((StatementError, ValueError), match="needs a time zone"):
        add_campaign(created_at=datetime(2026, 1, 1))


def test_a_campaign_is_found_by_a_unique_beginning(database: Database) -> None:
    with database.write() as session:
        record.save_domain(session, Domain(identity="d", name="n"))
        for name in ("aaaa00000000", "aaab00000000"):
            record.create_campaign(session, Campaign(id=name, domain_identity="d", policy="p", runs=1, budget=1.0), [1])
    with database.read() as session:
        assert queries.get_campaign(session, "AAAB").id == "aaab00000000"
        for wrong, says in {
            "aaa": "more than one campaign",
            "aaab00000009": "nearest is 'aaab00000000'; `organon campaign list`",
            "%": "There is no campaign '%'",
            "": "There is no campaign ''",
        }.items():
            with pytest.raises(NotFoundError, match=says):
                queries.get_campaign(session, wrong)


def test_what_is_not_there_is_said_to_be_missing(database: Database) -> None:
    with database.read() as session:
        for ask in (
            lambda: queries.get_domain(session, "x"),
            lambda: queries.get_block(session, 1),
            lambda: queries.progress(session, "x"),
        ):
            with pytest.raises(NotFoundError):
                ask()
    with pytest.raises(NotFoundError, match="organon campaign list"), database.write() as session:
        record.finish_campaign(session, "x", NOW)
