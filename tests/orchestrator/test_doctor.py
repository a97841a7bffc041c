"""What the doctor finds, each fault by name with a way out, and that looking changes nothing."""

import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from typer.testing import CliRunner

from experiments_db import schema
from experiments_db.database import Database
from orchestrator.api.app import make_app
from orchestrator.cli.main import app
from orchestrator.diagnosis import Check
from orchestrator.doctor import examine
from orchestrator.errors import RequestError
from orchestrator.settings import Settings
from tests.orchestrator.at_the_bench import create

CHECKS = ["settings", "home", "database", "tables", "clock", "broker", "workers", "leases", "commands", "api", "torch",
          "catalogue"]  # fmt: skip


def look(name: str, **more: bool) -> Check:
    (check,) = examine([name], **more)
    assert check.name == name
    return check


@pytest.fixture
def free_port(monkeypatch: pytest.MonkeyPatch) -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    monkeypatch.setenv("ORGANON_API_PORT", str(port))
    return port


# The broker that was started is a process which outlives the object that started it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_all_is_well(free_port: int) -> None:
    checks = examine()
    assert [check.name for check in checks] == CHECKS
    assert [check for check in checks if not check.ok or check.remedy] == []


def test_the_command(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = ["doctor", "--json", "--only", "home", "--only", "commands"]
    done = CliRunner().invoke(app, chosen)
    assert done.exit_code == 0
    assert [check["name"] for check in json.loads(done.stdout)] == ["home", "commands"]
    monkeypatch.setenv("ORGANON_COMMANDS", '{"a": {"run": ["/nowhere/program"]}}')
    done = CliRunner().invoke(app, chosen)
    assert done.exit_code == 2
    assert [check["ok"] for check in json.loads(done.stdout)] == [True, False]


def test_a_check_that_is_none() -> None:
    with pytest.raises(RequestError, match="--only 'disk' is no check; they are settings, home"):
        examine(["disk"])


def test_placeholders_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGANON_DATABASE_URL", "postgresql://organon:change-me@127.0.0.1/organon")
    check = look("settings")
    assert not check.ok
    assert check.found.startswith("the secret in ORGANON_DATABASE_URL is a placeholder")


def test_a_weak_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGANON_API_TOKEN", "short-one")
    assert "ORGANON_API_TOKEN has 9 characters" in look("settings").found


@pytest.mark.parametrize(("revision", "remedy"), [("0001", "organon db upgrade"), ("9999", "upgrade Organon")])
def test_tables_of_another_version_are_named_and_left(database: Database, revision: str, remedy: str) -> None:
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = ?", (revision,))
    assert look("database").ok
    check = look("tables")
    assert not check.ok
    assert revision in check.found
    assert remedy in check.remedy
    with database.read() as session:
        assert session.connection().exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == revision


def test_upgrade(database: Database) -> None:
    done = CliRunner().invoke(app, ["db", "upgrade"])
    assert (done.exit_code, done.stdout) == (0, f"The record has the tables of this version ({schema.HEAD})\n")


def test_servers_that_are_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGANON_DATABASE_URL", "postgresql://me:a-word@127.0.0.1:1/none")
    monkeypatch.setenv("ORGANON_BROKER_URL", "redis://:b-word@127.0.0.1:1/0")
    faults = {check.name: check.found for check in examine() if not check.ok}
    assert {"database", "tables", "clock", "broker", "workers", "leases"} <= faults.keys()
    assert "word" not in str(faults)


def test_no_workers_is_a_fault_where_some_are_needed() -> None:
    assert look("workers").ok
    check = look("workers", workers_needed=True)
    assert (check.ok, check.remedy) == (False, "start one: organon worker")


def test_blocks_whose_worker_is_gone(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, laboratory="simulate")
    with database.write() as session:
        session.connection().exec_driver_sql(
            "UPDATE block SET status = 'running', lease_owner = 'gone/1/1', lease_until = '2020-01-01 00:00:00'"
        )
    check = look("leases")
    assert (check.ok, check.found) == (
        False,
        "0 blocks are at work, 1 have lost their worker; of 0 jobs under way 0 have",
    )
    assert campaign.blocks


@pytest.mark.parametrize("fault", ["missing", "folder", "not executable"])
def test_programs_that_cannot_be_run(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program"
    if fault == "folder":
        program.mkdir()
    elif fault == "not executable":
        program.write_text("#!/bin/sh\n")
        program.chmod(0o600)
    listed = {"python": {"run": [sys.executable]}, "broken": {"run": [str(program)]}}
    monkeypatch.setenv("ORGANON_COMMANDS", json.dumps(listed))
    check = look("commands")
    assert (check.ok, check.found) == (False, f"broken: {program} is no program that we may run")


@pytest.fixture
def served(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Our HTTP interface at a port that the settings name."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
        monkeypatch.setenv("ORGANON_API_PORT", str(port))
        server = uvicorn.Server(uvicorn.Config(make_app(settings, database), log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]})
        thread.start()
        yield port
        server.should_exit = True
        thread.join()


def test_our_own_interface_at_its_port(served: int) -> None:
    assert look("api").found == f"it answers at 127.0.0.1:{served}"


def test_another_program_at_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("ORGANON_API_PORT", str(other.getsockname()[1]))
        check = look("api")
    assert not check.ok
    assert "ORGANON_API_PORT" in check.remedy
