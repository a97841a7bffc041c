"""Retention: what is forgotten is archived first, leaves an event, and its log can go only so."""

from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from experiments_db import jobs, queries, retention
from experiments_db.canonical import digest
from experiments_db.chains import check_chain, read_chain
from experiments_db.database import Database
from experiments_db.errors import ConflictError
from experiments_db.events import campaign_digest
from orchestrator import services
from orchestrator.archives.reading import import_archive
from orchestrator.archives.retention import forget_campaign, prune, to_prune
from orchestrator.errors import RequestError
from orchestrator.settings import Settings
from orchestrator.verification.verify import verify
from tests.orchestrator.performed import performed


@pytest.fixture(params=["sqlite", "postgresql"])
def record_of(request: pytest.FixtureRequest) -> Database:
    """An empty record on each database."""
    found: Database = request.getfixturevalue("database" if request.param == "sqlite" else "postgres")
    return found


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, task_seconds=60, block_runs=1)


def counts(database: Database) -> dict[str, int]:
    names = ("domain", "campaign", "block", "run", "experiment", "finding", "measurements", "event")
    with database.read() as session:
        return {n: session.connection().exec_driver_sql(f"SELECT count(*) FROM {n}").scalar_one() for n in names}


def test_forgetting_leaves_an_archive_and_a_tombstone(settings: Settings, record_of: Database, tmp_path: Path) -> None:
    database = record_of
    kept, gone = performed(settings, database), performed(settings, database)
    with database.read() as session:
        was = campaign_digest(session, gone)
    kinds = (("bands", {"campaign": gone, "run": 0}), ("bands", {"campaign": kept, "run": 0}), ("power", {"runs": 9}))
    with database.write() as session:
        for kind, arguments in kinds:
            jobs.add_job(session, kind, arguments, "Ada")
    done = forget_campaign(settings, database, gone, tmp_path / "gone.organon", services.Why("Ada", "full disk"))
    with database.read() as session:  # what was computed of it holds its measurements
        left_jobs = [job.arguments for job in jobs.list_jobs(session)]
    assert gone not in str(left_jobs)
    assert len(left_jobs) == 2
    assert [each["id"] for each in services.list_campaigns(database)] == [kept]
    left = counts(database)
    assert (left["campaign"], left["block"], left["run"], left["experiment"], left["domain"]) == (1, 2, 2, 4, 1)
    with database.read() as session:
        (event,) = retention.forgotten(session)
        assert check_chain("retention", [event]) == []
        assert read_chain(session, gone) == read_chain(session, f"{gone}/0") == []
    assert event.said == {
        "campaign": gone, "digest": was, "archive": done.sha256, "by": "Ada", "reason": "full disk", "runs": 2,
        "experiments": 4, "policy": "random", "status": "finished", "domain": event.said["domain"],
    }  # fmt: skip
    assert verify(settings, database, kept).ok
    for statement in ("DELETE FROM event WHERE chain = 'retention'", "DELETE FROM event"):
        with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
            session.connection().exec_driver_sql(statement)
    import_archive(settings, database, tmp_path / "gone.organon")  # it comes back, and its events are kept again
    assert verify(settings, database, gone).ok
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.connection().exec_driver_sql(f"DELETE FROM event WHERE campaign_id = '{gone}' AND chain <> 'retention'")
    with database.read() as session:
        assert [each.kind for each in retention.forgotten(session)] == ["campaign forgotten", "campaign returned"]


def test_what_has_not_ended_or_was_changed_is_not_forgotten(settings: Settings, database: Database) -> None:
    campaign = performed(settings, database, to_the_end=False)
    before = counts(database)
    with pytest.raises(RequestError, match="is running; only one that has ended can be forgotten"):
        forget_campaign(settings, database, campaign)
    services.cancel_campaign(database, campaign)
    with pytest.raises(ConflictError, match="changed since it was archived"), database.write() as session:
        retention.forget(session, campaign, digest=digest("another"), said={})
    assert counts(database) == {**before, "event": before["event"] + 1}


def test_pruning_forgets_what_ended_long_ago(settings: Settings, database: Database, tmp_path: Path) -> None:
    old, new = performed(settings, database), performed(settings, database)
    with database.write() as session:
        session.connection().exec_driver_sql(
            f"UPDATE campaign SET finished_at = '2020-01-01 00:00:00' WHERE id = '{old}'"
        )
    assert to_prune(database, 30) == [old]
    with pytest.raises(RequestError, match="there is no such folder"):
        list(prune(settings, database, 30, tmp_path / "nowhere"))
    (done,) = prune(settings, database, 30)
    assert Path(done.file) == settings.folder / "archives" / f"{old}.organon"
    with database.read() as session:
        assert queries.get_campaign(session, new).id == new
    assert to_prune(database, 30) == []
