"""Backup and restore: from either database into either, a snapshot, whole or nothing."""

import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from experiments_db import events, queries, record
from experiments_db.chains import check_chain, read_chain
from experiments_db.database import Database, connect
from experiments_db.dump import backup, restore
from experiments_db.errors import RecordError
from experiments_db.models import Measurements, Table, WorkerEvent
from experiments_db.package import PackageError
from experiments_db.record import NewExperiment
from experiments_db.worker_events import add_worker_event

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
Started = tuple[str, list[int]]


def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    with database.read() as session:
        return {
            table.name: [
                dict(row) for row in session.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            ]
            for table in Table.metadata.sorted_tables
        }


@pytest.fixture
def filled(database: Database, campaign: Started) -> Database:
    """A record with something in most tables, and numbers that are hard to write down."""
    outcome = {"temperature": 0.1 + 0.2, "tiny": 5e-324, "minus": -0.0, "none": None, "name": "µ°"}
    entry = NewExperiment(0, {"time": 1.0}, outcome, 1 / 3, None, 3.25, {"p": 1e300}, [])
    with database.write() as session:
        record.save_measurements(session, Measurements(campaign_id=campaign[0], file="f", sha256="0", rows=[{"a": 1}]))
        block = campaign[1][0]
        assert record.claim_block(
            session, block, owner="me", now=NOW, lease_seconds=60, owner_is_alive=lambda _owner: True
        )
        record.record_step(session, block, owner="me", step=0, experiments=[entry], now=NOW, lease_seconds=60)
        record.save_finding(session, campaign[0], None, {"sure": 0.9}, "sure", NOW)
    return database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Another record, empty."""
    url = (
        f"sqlite:///{tmp_path}/other.db" if request.param == "sqlite" else request.getfixturevalue("empty_postgres_url")
    )
    opened = connect(url)
    yield opened
    opened.close()


def test_a_backup_restores_into_either_database(
    filled: Database, empty: Database, tmp_path: Path, campaign: Started, add_campaign: Callable[..., Started]
) -> None:
    rows = backup(filled, tmp_path / "all.backup")
    assert rows["experiment"] == 1
    assert restore(empty, tmp_path / "all.backup") == rows
    assert everything(empty) == everything(filled)
    with empty.write() as session:  # and work goes on in it, with numbers and chains continued
        record.record_step(
            session, campaign[1][0], owner="me", step=1, now=NOW, lease_seconds=60,
            experiments=[NewExperiment(1, {}, {}, 1.0, None, 0.0, {}, [])],
        )  # fmt: skip
    with empty.read() as session:
        chain = events.chain_of(campaign[0], 0)
        assert check_chain(chain, read_chain(session, chain)) == []
        assert len(queries.block_history(session, campaign[1][0])) == 2


def test_workers_that_have_been_started_are_no_reason_not_to_restore(
    filled: Database, empty: Database, tmp_path: Path
) -> None:
    """Theirs is the first thing on any record: whoever restores into a new installation may find it there."""
    for database in (filled, empty):
        with database.write() as session:
            add_worker_event(session, WorkerEvent(kind="started", host=str(database.engine.url), pid=1))
    rows = backup(filled, tmp_path / "all.backup")
    assert restore(empty, tmp_path / "all.backup") == rows
    assert everything(empty) == everything(filled)


def test_a_backup_is_a_snapshot_while_others_write(filled: Database, tmp_path: Path, campaign: Started) -> None:
    def meanwhile(table: str, _share: float) -> None:
        if table == "run":  # in the middle of it
            with filled.write() as session:
                record.pause_campaign(session, campaign[0])

    before = everything(filled)
    backup(filled, tmp_path / "all.backup", meanwhile)
    assert everything(filled) != before
    other = connect(f"sqlite:///{tmp_path}/snapshot.db")
    restore(other, tmp_path / "all.backup")
    assert everything(other) == before
    other.close()


def test_only_an_empty_record_is_restored_into(filled: Database, tmp_path: Path) -> None:
    backup(filled, tmp_path / "all.backup")
    before = everything(filled)
    with pytest.raises(RecordError, match="into an empty record only, and the table 'domain' here is not empty"):
        restore(filled, tmp_path / "all.backup")
    assert everything(filled) == before
    with pytest.raises(RecordError, match="There is a file"):
        backup(filled, tmp_path / "all.backup")


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A copy of a package with its members changed, but not its manifest unless that is changed, too."""
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    change(members)
    changed = path.with_suffix(".changed")
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)
    return changed


def test_a_damaged_backup_is_refused_and_nothing_is_written(filled: Database, tmp_path: Path) -> None:
    backup(filled, tmp_path / "all.backup")

    def one_digit(members: dict[str, bytes]) -> None:
        members["experiment.jsonl"] = members["experiment.jsonl"].replace(b"3.25", b"3.26")

    def older(members: dict[str, bytes]) -> None:
        members["manifest.json"] = json.dumps({**json.loads(members["manifest.json"]), "schema": "0001"}).encode()

    def without(members: dict[str, bytes]) -> None:
        del members["event.jsonl"]

    other = connect(f"sqlite:///{tmp_path}/other.db")
    for change, says in (
        (one_digit, "experiment.jsonl is not what its manifest says"),
        (older, "is of the schema '0001'"),
        (without, "does not name exactly the members"),
    ):
        with pytest.raises(PackageError, match=says):
            restore(other, rewritten(tmp_path / "all.backup", change))
    content = (tmp_path / "all.backup").read_bytes()
    (tmp_path / "cut.backup").write_bytes(content[: len(content) // 2])
    with pytest.raises(PackageError, match="not a file that Organon wrote"):
        restore(other, tmp_path / "cut.backup")
    with pytest.raises(PackageError, match="cannot be read"):
        restore(other, tmp_path / "nowhere.backup")
    assert not any(everything(other).values())
    other.close()
