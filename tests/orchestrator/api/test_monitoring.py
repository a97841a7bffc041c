"""Health and metrics over HTTP: what they say, and to whom."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from experiments_db.database import Database, connect
from orchestrator import tokens
from orchestrator.api.app import make_app
from orchestrator.broker import broker
from orchestrator.settings import Settings

NEAR, FAR = ("127.0.0.1", 5000), ("192.0.2.7", 5000)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ORGANON_{name.upper()}", raising=False)
    return Settings(home=tmp_path)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = connect(settings.database)
    yield opened
    opened.close()


def get(settings: Settings, database: Database, path: str, *, client: tuple[str, int] = NEAR, **headers: str) -> Any:
    with TestClient(make_app(settings, database), client=client) as asking:
        return asking.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_alive_whatever_is_away(settings: Settings, database: Database) -> None:
    away = settings.model_copy(update={"broker_url": "redis://127.0.0.1:1/0"})
    answer = get(away, database, "/health/live", client=FAR)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


# The broker that was started is a process which outlives the object that started it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ready(settings: Settings, database: Database) -> None:
    answer = get(settings, database, "/health/ready", client=FAR)
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "tables": "ok", "broker": "idle"}
    with broker(settings):
        assert get(settings, database, "/health/ready").json()["broker"] == "ok"


def test_not_ready_without_the_broker(settings: Settings, database: Database) -> None:
    away = settings.model_copy(update={"broker_url": "redis://:secret-word@127.0.0.1:1/0"})
    answer = get(away, database, "/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "database": "ok", "tables": "ok", "broker": "away"}


@pytest.mark.parametrize(("revision", "found"), [("0001", "older"), ("9999", "newer")])
def test_not_ready_once_another_version_has_changed_the_tables(
    settings: Settings, database: Database, revision: str, found: str
) -> None:
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = ?", (revision,))
    answer = get(settings, database, "/health/ready")
    assert (answer.status_code, answer.json()["tables"]) == (503, found)


def test_not_ready_without_the_record(settings: Settings, database: Database) -> None:
    with database.write() as session:
        session.connection().exec_driver_sql("DROP TABLE alembic_version")
    answer = get(settings, database, "/health/ready")
    assert (answer.status_code, answer.json()["database"]) == (503, "away")


def test_metrics_for_this_machine(settings: Settings, database: Database) -> None:
    answer = get(settings, database, "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"organon_experiments", "organon_blocks", "organon_broker_up"} <= names


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_metrics_for_holders_of_a_token(settings: Settings, database: Database, role: str) -> None:
    token = tokens.create_token(database, "prometheus", role)
    answer = get(settings, database, "/metrics", client=FAR, Authorization=f"Bearer {token}")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        (FAR, {}),
        (FAR, {"Authorization": "Bearer organon_00000000_nothing"}),
        (NEAR, {"X_Forwarded_For": "127.0.0.1"}),  # a proxy on this machine asks for somebody else
        (NEAR, {"Forwarded": "for=127.0.0.1"}),
        (NEAR, {"Via": "1.1 proxy"}),
    ],
)
def test_metrics_for_nobody_else(
    settings: Settings, database: Database, client: tuple[str, int], headers: dict[str, str]
) -> None:
    answer = get(settings, database, "/metrics", client=client, **headers)
    assert answer.status_code == 401
    assert "a token is needed" in answer.json()["error"]
