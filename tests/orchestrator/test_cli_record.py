"""The commands that keep and check what is on record, from one home to another."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from experiments_db import jobs
from experiments_db.block_rows import campaign_blocks
from experiments_db.database import Database
from experiments_db.models import WorkerEvent
from experiments_db.worker_events import add_worker_event, worker_events
from orchestrator import services
from orchestrator.advance import advance
from orchestrator.settings import Settings
from tests.orchestrator.commands import Organon


@pytest.fixture
def campaign(settings: Settings, database: Database) -> str:
    """A small finished campaign; its id."""
    values = {"domain": "enzyme-kinetics", "policy": "random", "particles": 60, "moves": 1, "budget": 2}
    found = services.create_campaign(settings, database, services.campaign_request(**values)).id
    with database.read() as session:
        (block,) = campaign_blocks(session, found)
    assert advance(database, settings, block) == "finished"
    return found


def test_verify_says_what_was_compared_and_ends_with_1_where_something_differs(
    organon: Organon, campaign: str, home: Path
) -> None:
    good = organon("verify", campaign[:8])
    assert (good.status, good.err) == (0, "")
    assert "to the last bit" in good.out
    assert good.out.rstrip().endswith("verified: nothing differs")
    with sqlite3.connect(home / "organon.db") as connection:
        connection.execute("UPDATE experiment SET cost = 0.5 WHERE step = 1")
    bad = organon("verify", campaign)
    assert bad.status == 1
    assert "run 0, step 1, cost: recorded 0.5, by the log 1.0" in bad.out
    told = organon("verify", campaign, "--json")
    assert told.status == 1
    assert {(each["check"], each["step"], each["field"]) for each in told.json["differences"]} == {
        ("tables", 1, "cost"),
        ("replay", 1, "cost"),
    }
    missing = organon("verify", "ffffffffffff")
    assert (missing.status, missing.out) == (2, "")


def test_from_one_home_to_another_and_back(
    organon: Organon, campaign: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "it.organon")
    sent = organon("campaign", "archive", campaign, "--out", file, "--json").json
    assert sent == {"campaign": campaign, "file": file, "digest": sent["digest"]}
    assert organon("campaign", "archive", campaign, "--out", file).status == 2
    assert sent["digest"] in organon("verify", campaign).out
    forgotten = organon("campaign", "forget", campaign, "--reason", "it is kept elsewhere", "--json").json
    assert Path(forgotten["file"]).exists()
    assert organon("campaign", "list", "--json").json == []
    monkeypatch.setenv("ORGANON_HOME", str(tmp_path / "other"))
    taken = organon("campaign", "import", file, "--by", "Ada", "--json").json
    assert (taken["campaign"], taken["digest"], taken["experiments"]) == (campaign, sent["digest"], 2)
    assert organon("campaign", "show", campaign, "--json").json["imported"] is True
    assert organon("verify", campaign, "--json").json["ok"] is True
    again = organon("campaign", "import", file)
    assert (again.status, again.out) == (2, "")
    assert "is here already" in again.err


def test_a_record_is_backed_up_and_restored_by_command(
    organon: Organon, campaign: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "all.backup")
    rows = organon("backup", file, "--json").json["rows"]
    assert (rows["campaign"], rows["experiment"]) == (1, 2)
    refused = organon("restore", file)
    assert refused.status == 2
    assert "into an empty record only" in refused.err
    monkeypatch.setenv("ORGANON_HOME", str(tmp_path / "other"))
    assert organon("restore", file, "--json").json == {"rows": rows}
    assert organon("verify", campaign, "--json").json["ok"] is True
    stranger = tmp_path / "stranger.backup"
    stranger.write_bytes(b"PK\x03\x04 and no more")
    assert "is not a file that Organon wrote" in organon("restore", str(stranger)).err


def test_pruning_says_what_it_would_do_first(organon: Organon, campaign: str) -> None:
    asked = organon("campaign", "prune", "--older-than", "0", "--json")
    assert asked.json == {"would_forget": [campaign]}
    assert len(organon("campaign", "list", "--json").json) == 1
    done = organon("campaign", "prune", "--older-than", "0", "--yes", "--json")
    assert [each["campaign"] for each in done.json["forgotten"]] == [campaign]
    assert organon("campaign", "list", "--json").json == []


def test_old_jobs_are_deleted_when_that_is_said(organon: Organon, database: Database) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=40)
    with database.write() as session:
        jobs.add_job(session, "power", {"number": 0}, "Ada")
        for moment in (long_ago, datetime.now(UTC)):
            old = jobs.claim_job(session, owner="o", now=moment, lease_seconds=9, owner_is_alive=lambda _: False)
            assert old is not None
            jobs.finish_job(session, old.job.id, "o", {}, moment)
            jobs.add_job(session, "power", {"number": old.job.id}, "Ada")
        add_worker_event(session, WorkerEvent(kind="started", host="h", pid=1, created_at=long_ago))
    assert organon("db", "prune", "--older-than", "30", "--json").json == {"would_delete": 1}
    assert organon("db", "prune", "--older-than", "30", "--yes", "--json").json == {"deleted": 1}
    with database.read() as session:
        assert jobs.job_counts(session) == {"finished": 1, "waiting": 1}
        assert worker_events(session) == []


def test_who_paused_and_why_is_in_the_log(organon: Organon, settings: Settings, database: Database) -> None:
    request = services.campaign_request(domain="enzyme-kinetics", budget=2)
    waiting = services.create_campaign(settings, database, request).id
    assert organon("campaign", "pause", waiting, "--by", "Ada", "--reason", "the lamp flickers").status == 0
    rows = organon("db", "query", "select kind, content from event order by id", "--json").json
    assert rows[-1] == {"kind": "campaign paused", "content": '{"by":"Ada","reason":"the lamp flickers"}'}
