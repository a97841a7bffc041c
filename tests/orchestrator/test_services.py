"""What the command line and the pages ask: requests checked completely before anything is written."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from domains.errors import DomainError
from experiments_db.database import Database
from experiments_db.errors import NotFoundError
from meta_learner.policies import POLICIES
from orchestrator import services
from orchestrator.errors import BrokerError, RequestError
from orchestrator.settings import Settings

TABLES = ("domain", "campaign", "block", "run", "experiment", "finding")


def counts(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {name: session.connection().scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in TABLES}


@given(runs=st.integers(1, 3000), largest=st.integers(1, 400))
def test_block_sizes(runs: int, largest: int) -> None:
    sizes = services.block_sizes(runs, largest)
    assert sum(sizes) == runs
    assert 1 <= min(sizes) <= max(sizes) <= largest
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)
    assert (len(sizes) - 1) * largest < runs, "no fewer blocks would do"


def test_policy_names_are_those_of_the_policies() -> None:
    assert set(services.POLICY_NAMES) == set(POLICIES)
    assert services.BEST_POLICY in POLICIES


@pytest.mark.parametrize(
    "module",
    [
        "orchestrator.services",
        "orchestrator.cli.main",
        "orchestrator.pool",
        "orchestrator.api.app",
        "orchestrator.client",
    ],
)
def test_commands_and_pages_load_no_torch(module: str) -> None:
    code = f"import sys, {module}; print([m for m in ('torch', 'langchain_core', 'streamlit') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"runs": 0}, r"--runs 0: .*greater than or equal to 1"),
        ({"runs": 2_000_000}, r"--runs 2000000: .*less than or equal to 1000000"),
        ({"budget": -1.0}, r"--budget -1\.0: .*greater than 0"),
        ({"budget": 0.0}, r"--budget 0\.0: .*greater than 0"),
        ({"budget": float("nan")}, r"--budget nan: .*finite"),
        ({"budget": float("inf")}, r"--budget inf: .*finite"),
        ({"seed": -1}, r"--seed -1: .*greater than or equal to 0"),
        ({"seed": 2**63}, r"--seed 9223372036854775808: .*less than"),
        ({"particles": 3}, r"--particles 3: .*greater than or equal to 50"),
        ({"moves": 0}, r"--moves 0: .*greater than or equal to 1"),
        ({"colour": "red"}, r"--colour red: extra inputs"),
    ],
)
def test_a_request_names_what_is_wrong(values: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        services.campaign_request(domain="enzyme-kinetics", **values)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"domain": "enzime-kinetics"}, DomainError, "did you mean 'enzyme-kinetics'"),
        ({"domain": "no/such.yaml"}, DomainError, "no/such.yaml"),
        ({"policy": "randon"}, RequestError, "did you mean 'random'"),
        ({"laboratory": "replay:nothing"}, RequestError, "it has simulate, replay:puromycin-treated"),
        ({"laboratory": "simulate:x"}, RequestError, "--laboratory 'simulate:x' is not one that enzyme-kinetics has"),
        ({"laboratory": "replay"}, RequestError, "--laboratory 'replay' is not one"),
        ({"policy": "expected-improvement"}, RequestError, "knows no laws .* enzyme-kinetics .*goal: learn has no obj"),
        ({"budget": 0.5}, RequestError, "pays for no experiment of enzyme-kinetics: each costs 1"),
    ],
)
def test_nothing_is_written_for_a_request_that_cannot_be_carried_out(
    settings: Settings, database: Database, values: dict[str, Any], error: type[Exception], message: str
) -> None:
    request = services.campaign_request(**{"domain": "enzyme-kinetics", **values})
    with pytest.raises(error, match=message):
        services.create_campaign(settings, database, request)
    assert set(counts(database).values()) == {0}


def test_nothing_is_written_while_the_broker_is_away(settings: Settings, database: Database) -> None:
    away = settings.model_copy(update={"broker_url": "redis://:secret@127.0.0.1:1/0"})
    with pytest.raises(
        BrokerError, match=r"redis://:\*\*@127\.0\.0\.1:1/0 does not answer .* unset that variable"
    ) as caught:
        services.create_campaign(away, database, services.campaign_request(domain="enzyme-kinetics"))
    assert "secret" not in str(caught.value)
    assert set(counts(database).values()) == {0}


def test_a_campaign_is_recorded_whole_and_waits_for_a_worker(settings: Settings, database: Database) -> None:
    small = settings.model_copy(update={"block_runs": 3})
    request = services.campaign_request(domain="enzyme-kinetics", runs=7, budget=4.9, seed=3)
    created = services.create_campaign(small, database, request)
    assert created.expected_cost == 4
    assert counts(database) == {"domain": 1, "campaign": 1, "block": 3, "run": 7, "experiment": 0, "finding": 0}
    status = services.campaign_status(database, created.id[:6])
    assert (status["status"], status["runs"], status["budget"], status["seed"]) == ("scheduled", 7, 4.9, 3)
    assert status["progress"] == {"share": 0, "runs_finished": 0, "experiments": 0, "cost": 0}
    assert status["finding"] is None
    progress = services.campaign_progress(database, created.id)
    assert progress == {"status": "scheduled", "message": "", "experiments": 0, "expected": 28}
    assert [line["id"] for line in services.list_campaigns(database, status="scheduled")] == [created.id]
    assert services.list_campaigns(database, status="finished") == []


def test_the_same_domain_is_recorded_once(settings: Settings, database: Database) -> None:
    for _ in range(2):
        services.create_campaign(settings, database, services.campaign_request(domain="source-location"))
    assert counts(database)["domain"] == 1
    assert counts(database)["campaign"] == 2


def test_a_replay_expects_no_more_than_its_rows(settings: Settings, database: Database) -> None:
    request = services.campaign_request(domain="enzyme-kinetics", laboratory="replay:puromycin-untreated", budget=99)
    assert services.create_campaign(settings, database, request).expected_cost == 11


def test_where_designs_cost_differently_the_number_of_experiments_is_open(
    settings: Settings, database: Database, costly_file: Path
) -> None:
    created = services.create_campaign(settings, database, services.campaign_request(domain=str(costly_file), budget=5))
    assert created.expected_cost == 5
    assert services.campaign_progress(database, created.id)["expected"] is None


def test_a_recorded_campaign_outlives_its_file(settings: Settings, database: Database, costly_file: Path) -> None:
    request = services.campaign_request(domain=str(costly_file), laboratory="replay:bench")
    created = services.create_campaign(settings, database, request)
    for file in (costly_file, costly_file.with_name("bench.csv")):
        file.unlink()
    assert services.campaign_status(database, created.id)["domain"] == "decay"


def test_unknown_names(database: Database) -> None:
    with pytest.raises(RequestError, match="--status 'done' is not a status; they are scheduled, running"):
        services.list_campaigns(database, status="done")
    with pytest.raises(NotFoundError, match="There is no campaign 'abc'"):
        services.campaign_status(database, "abc")
