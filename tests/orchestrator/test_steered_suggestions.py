"""Caps, retries, extensions and limits where experiments are answered later; and their events."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from experiments_db import queries, record, suggestions
from experiments_db.chains import read_chain
from experiments_db.database import Database
from experiments_db.errors import RecordError
from orchestrator import services
from orchestrator.advance import advance, advance_next
from orchestrator.archives.reading import import_archive
from orchestrator.archives.retention import forget_campaign, prune, to_prune
from orchestrator.archives.writing import archive
from orchestrator.errors import RequestError
from orchestrator.people import Why
from orchestrator.recurring import stop_recurring
from orchestrator.settings import Settings
from orchestrator.steering import extend_campaign, retry_campaign
from orchestrator.verification.verify import verify
from tests.orchestrator.at_the_bench import Campaign, create, velocity


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, task_seconds=60)


def kinds(database: Database, campaign: str) -> list[str]:
    with database.read() as session:
        return [event.kind for event in read_chain(session, campaign)]


def tell_all(campaign: Campaign) -> int:
    """Tell what is outstanding; returns how many that were."""
    entries = campaign.waiting()
    for entry in entries:
        campaign.bench.tell(entry["id"], velocity(entry))
    return len(entries)


def verified(settings: Settings, campaign: Campaign) -> None:
    report = verify(settings, campaign.database, campaign.id)
    assert report.found == []
    assert report.ok


@pytest.mark.parametrize(("cap", "first", "then"), [("max_experiments", 3, 1), ("max_cost", 3, 1)])
def test_a_cap_counts_what_is_outstanding(
    settings: Settings, database: Database, cap: str, first: int, then: int
) -> None:
    campaign = create(settings, database, budget=10, batch=3, timetable={cap: 4})
    assert campaign.advance() == ["waiting"]
    assert tell_all(campaign) == first
    assert campaign.advance() == ["waiting"]
    assert tell_all(campaign) == then
    campaign.advance()
    status = campaign.status()
    assert (status["status"], status["progress"]["experiments"]) == ("paused", 4)
    assert "the campaign's cap is 4" in status["message"]
    assert kinds(database, campaign.id)[-1] == "campaign paused at its cap"
    verified(settings, campaign)
    extend_campaign(settings, database, campaign.id, **{cap: 6}, why=Why("Ada", "more of it came"))  # type: ignore[arg-type]
    assert campaign.advance() == ["waiting"]
    assert tell_all(campaign) == 2
    campaign.advance()
    assert campaign.status()["status"] == "paused"
    verified(settings, campaign)


def test_two_runs_share_a_cap(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, budget=10, batch=2, runs=2, timetable={"max_experiments": 3})
    assert campaign.advance() == ["waiting", "waiting"]
    assert sorted(entry["run"] for entry in campaign.waiting()) == [0, 0, 1]
    assert tell_all(campaign) == 3
    outcomes = [advance(database, settings, block) for block in campaign.blocks]
    assert outcomes == ["again", "again"], "the first comes back later, since the other's answer might have left room"
    assert campaign.status()["status"] == "paused"
    assert campaign.status()["progress"]["experiments"] == 3
    verified(settings, campaign)


def test_a_rejection_leaves_room_under_a_cap(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, budget=10, timetable={"max_experiments": 1})
    campaign.advance()
    (entry,) = campaign.waiting()
    campaign.bench.reject(entry["id"], "too hot")
    assert campaign.advance() == ["waiting"]
    assert tell_all(campaign) == 1
    campaign.advance()
    assert campaign.status()["progress"]["experiments"] == 1
    verified(settings, campaign)


def test_resting_again_and_again_is_no_death_of_workers(home: Path, database: Database) -> None:
    settings = Settings(home=home, task_seconds=60, attempts=2)
    campaign = create(settings, database, approval=True)
    for _ in range(5):
        assert advance_next(database, settings, lambda: None) == ("waiting", campaign.blocks[0])
        with database.write() as session:
            suggestions.wake_block(session, campaign.blocks[0])
    assert campaign.status()["status"] == "running"
    assert campaign.status()["waits_for"] is None


def test_a_failed_campaign_that_waited_is_tried_again(settings: Settings, database: Database) -> None:
    campaign = create(settings, database)
    assert campaign.advance() == ["waiting"]
    with database.write() as session:
        record.fail_campaign(session, campaign.id, "the power went", datetime.now(UTC))
    assert advance_next(database, settings, lambda: None) == ("busy", None)
    retry_campaign(settings, database, campaign.id, Why("Ada", "it is back"))
    assert advance_next(database, settings, lambda: None) == ("waiting", campaign.blocks[0])
    campaign.to_the_end(velocity)
    assert kinds(database, campaign.id)[2:4] == ["campaign failed", "campaign retried"]
    with database.read() as session:
        assert read_chain(session, campaign.id)[3].said == {"by": "Ada", "reason": "it is back"}
    verified(settings, campaign)


@pytest.mark.parametrize("laboratory", ["manual", "simulate"])
def test_an_extended_campaign_is_verified(settings: Settings, database: Database, laboratory: str) -> None:
    campaign = create(settings, database, laboratory=laboratory, budget=2)
    campaign.to_the_end(velocity)
    extend_campaign(settings, database, campaign.id, runs=2)
    with database.read() as session:
        blocks = queries.unfinished_blocks(session, campaign.id)
    assert len(blocks) == (2 if laboratory == "manual" else 1), "runs that are answered later go each at its own pace"
    more = Campaign(settings, database, campaign.id, blocks)
    verified(settings, more)
    more.to_the_end(velocity)
    assert (more.status()["status"], more.status()["runs"], more.status()["finding"]["runs"]) == ("finished", 3, 3)
    verified(settings, more)
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE campaign SET runs = 4, max_experiments = 9")
    found = [each.field for each in verify(settings, database, campaign.id).found if each.check == "tables"]
    assert found == ["runs", "max_experiments"]


def test_what_was_imported_is_neither_tried_again_nor_extended(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    campaign = create(settings, database)
    campaign.advance()
    with database.write() as session:
        record.fail_campaign(session, campaign.id, "the power went", datetime.now(UTC))
    archive(settings, database, campaign.id, tmp_path / "it.organon")
    other = Settings(home=tmp_path / "other")
    there = services.open_database(other)
    import_archive(other, there, tmp_path / "it.organon")
    for steer in (retry_campaign, lambda *of: extend_campaign(*of, runs=1)):
        with pytest.raises(RequestError, match="was imported from another installation and never runs here"):
            steer(other, there, campaign.id)
    assert advance_next(there, other, lambda: None) == ("busy", None)
    assert services.campaign_status(there, campaign.id)["status"] == "failed"
    there.close()


def test_a_campaign_that_is_repeated_is_not_forgotten(settings: Settings, database: Database, tmp_path: Path) -> None:
    campaign = create(settings, database, budget=1, timetable={"every": 3600.0})
    campaign.to_the_end(velocity)
    assert to_prune(database, -1) == []
    with pytest.raises(RecordError, match=r"is repeated from time to time, .*organon campaign recurring --stop"):
        forget_campaign(settings, database, campaign.id, tmp_path / "it.organon")
    stop_recurring(database, campaign.id)
    (gone,) = prune(settings, database, -1)
    assert gone.campaign == campaign.id


def test_a_program_may_take_longer_than_a_step(home: Path, tmp_path: Path, database: Database) -> None:
    """The limit on steps is set anew while a program runs, which has its own."""
    program = tmp_path / "slow.py"
    program.write_text("import json, time\ntime.sleep(1.6)\nprint(json.dumps({'outcome': {'velocity': 1.0}}))\n")
    commands = f'{{"slow": {{"run": ["{sys.executable}", "{program}"], "seconds": 60}}}}'
    settings = Settings(home=home, task_seconds=60, commands=commands)
    campaign = create(settings, database, laboratory="command:slow", budget=1)
    called: list[str] = []
    assert advance_next(database, settings, lambda: called.append(""))[0] == "finished"
    assert campaign.status()["progress"]["experiments"] == 1
    assert len(called) >= 4, "a suggestion, an answer, and at least twice meanwhile"
