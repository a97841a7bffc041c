"""Finding what is on record, the same on every database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import StatementError

from experiments_db import queries, record
from experiments_db.database import Database
from experiments_db.errors import NotFoundError
from experiments_db.models import Campaign, Domain, Measurements
from experiments_db.record import NewExperiment

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


def test_given_measurements_come_back_and_count_for_no_information(database: Database, campaign: Started) -> None:
    name, (block, _) = campaign
    rows = [{"design": {"x": 1.0}, "outcome": {"y": None}}, {"design": {"x": 0.1}, "outcome": {"y": 2.5}}]
    common = {"design": {}, "outcome": {}, "decision_ms": 0.0, "belief": {}, "candidates": []}
    given = NewExperiment(row=0, cost=0.0, information=None, given=True, **common)
    own = NewExperiment(row=0, cost=1.0, information=0.5, **common)
    about = {"owner": "o", "now": NOW, "lease_seconds": 60.0}
    with database.write() as session:
        record.save_measurements(session, Measurements(campaign_id=name, file="f.csv", sha256="ab", rows=rows))
        assert record.claim_block(session, block, **about, owner_is_alive=lambda _: True)
        record.record_step(session, block, step=0, experiments=[given], **about)
        assert queries.information_by_run(session, name) == [0.0] * 5  # a run without experiments gained nothing
        record.record_step(session, block, step=1, experiments=[own], **about)
    with database.read() as session:
        assert queries.given_measurements(session, name) == rows
        assert queries.data_source(session, name) == queries.DataSource("f.csv", "ab", 2)
        assert [row.given for row in queries.block_history(session, block)] == [True, False]
        assert [row["given"] for row in queries.experiments(session, name)] == [True, False]
        assert queries.information_by_run(session, name) == [0.5, 0.0, 0.0, 0.0, 0.0]
        assert queries.given_measurements(session, "other") == []
        assert queries.data_source(session, "other") is None


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
