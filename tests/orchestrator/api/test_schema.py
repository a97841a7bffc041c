"""Whatever is sent to the HTTP interface, it answers as its OpenAPI description says, and never with a 500.

schemathesis makes requests from the description, right ones and wrong ones: bounded in number, the same in every run.
On PostgreSQL, too, which refuses texts and numbers that SQLite takes.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import make_url

from experiments_db.database import Database, connect
from orchestrator import tokens
from orchestrator.api.app import make_app
from orchestrator.settings import Settings
from tests.orchestrator.at_the_bench import create, velocity

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 12  # of each route, right and wrong
SECONDS = 20.0  # any answer takes less


@dataclass(frozen=True)
class Interface:
    """What is asked: a description with its application, an operator's token, and what there is in its record."""

    schema: Any
    token: str
    campaigns: list[str]
    suggestions: list[int]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def interface(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Interface]:
    """An interface whose record holds suggestions of every status."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(f"ORGANON_{name.upper()}", raising=False)
        patch.setenv("ORGANON_HOME", str(home))
        drop: Callable[[], None] = lambda: None  # noqa: E731
        url = ""
        if request.param == "postgresql":
            url, drop = _postgres()
        settings = Settings(home=home, task_seconds=60, database_url=url)
        database = connect(settings.database)
        yield _filled(settings, database)
        database.close()
        drop()


def _postgres() -> tuple[str, Callable[[], None]]:
    """The address of a new database, and how to drop it."""
    server = os.environ.get("ORGANON_TEST_POSTGRES_URL")
    if not server:
        pytest.skip("no PostgreSQL server: set ORGANON_TEST_POSTGRES_URL=postgresql://user@host:5432/postgres")
    name = f"organon_test_{uuid4().hex[:12]}"
    _execute(server, f"CREATE DATABASE {name}")
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    return url, lambda: _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as administrator:
        administrator.execute(statement.encode())


def _filled(settings: Settings, database: Database) -> Interface:
    manual = create(settings, database, batch=3, budget=9)
    manual.advance()
    first, second, _ = manual.waiting()
    manual.bench.tell(first["id"], velocity(first))
    manual.advance()
    manual.bench.correct(first["id"], {"velocity": 3}, reason="the unit")
    manual.bench.reject(second["id"], "no")
    approved = create(settings, database, laboratory="simulate", approval=True)
    approved.advance()
    schema = schemathesis.openapi.from_asgi("/openapi.json", make_app(settings, database))
    token = tokens.create_token(database, "fuzz", "operator")
    ids = [entry["id"] for campaign in (manual, approved) for entry in campaign.all()]
    return Interface(schema, token, [manual.id, approved.id], ids)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_no_request_breaks_it(interface: Interface, mode: schemathesis.GenerationMode) -> None:
    asked = set()
    for found in interface.schema.get_all_operations():
        operation = found.ok()
        asked.add(operation.label)
        takes_nothing = not list(operation.iter_parameters()) and not list(operation.body)
        if takes_nothing and mode is schemathesis.GenerationMode.NEGATIVE:
            continue  # there is no wrong way to ask it
        _ask(interface, operation.as_strategy(generation_mode=mode))
    assert {"POST /v1/campaigns", "POST /v1/suggestions/{suggestion}/tell", "GET /health"} <= asked


def _ask(interface: Interface, cases: st.SearchStrategy[Any]) -> None:
    """Send requests of one route, to things that are there as often as to things that are not."""

    @bounded(
        max_examples=EXAMPLES,
        deadline=SECONDS * 1000,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, known=st.booleans(), data=st.data())
    def ask(case: Any, known: bool, data: st.DataObject) -> None:
        there = {"campaign": interface.campaigns, "suggestion": interface.suggestions}
        for name in case.path_parameters or {}:
            if known:
                case.path_parameters[name] = data.draw(st.sampled_from(there[name]))
        response = case.call(headers={"Authorization": f"Bearer {interface.token}"})
        case.validate_response(response, checks=CHECKS)

    ask()
