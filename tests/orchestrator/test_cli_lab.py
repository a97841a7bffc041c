"""``organon lab`` and ``organon token``: what they print, and that they act."""

import json

import pytest
from typer.testing import CliRunner

from experiments_db.database import Database
from orchestrator import tokens
from orchestrator.cli.main import app
from orchestrator.errors import RequestError, StateError
from orchestrator.settings import Settings
from tests.orchestrator.at_the_bench import create


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=True)
    if done.exception is not None:
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_the_life_of_a_suggestion(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, batch=3, budget=5, due_hours=48)
    assert "Nothing waits" in run("lab", "pending")
    campaign.advance()
    assert run("lab", "pending").count("open") == 3
    waiting = json.loads(run("lab", "pending", campaign.id, "--json"))
    first, second, third = (entry["id"] for entry in waiting)
    assert json.loads(run("lab", "ask", campaign.id[:5], "--by", "Ada", "--json"))["id"] == first
    assert json.loads(run("lab", "release", str(first), "--json"))["taken_by"] is None
    told = json.loads(
        run("lab", "tell", str(second), "velocity=76", "--design", "substrate=0.05", "--by", "A", "--json")
    )
    assert (told["outcome"], told["design"], told["answered_by"]) == ({"velocity": 76.0}, {"substrate": 0.05}, "A")
    assert "reason   broken" in run("lab", "fail", str(first), "--reason", "broken")
    assert "rejected" in run("lab", "reject", str(third), "--reason", "no stock")
    campaign.advance()
    shown = run("lab", "correct", str(second), "velocity=77", "--reason", "misread")
    assert "corrected by" in shown
    assert "now velocity=77.0 (misread)" in shown
    assert "withdrawn" in run("lab", "withdraw", str(second), "--reason", "in doubt")
    lines = json.loads(run("lab", "show", str(second), "--json"))["revisions"]
    assert [line["kind"] for line in lines] == ["corrected", "withdrawn"]
    assert len(json.loads(run("lab", "pending", campaign.id, "--all", "--json"))) > 3
    with pytest.raises(StateError, match="is rejected"):
        run("lab", "tell", str(third), "velocity=")


def test_approval(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, laboratory="simulate", approval=True)
    campaign.advance()
    (entry,) = campaign.waiting()
    assert "proposed" in run("lab", "pending")
    assert "open" in run("lab", "approve", str(entry["id"]), "--design", "substrate=0.5")
    assert campaign.waiting()[0]["design"] == {"substrate": 0.5}


@pytest.mark.parametrize(
    ("told", "message"),
    [("velocity", "write NAME=VALUE"), ("=3", "write NAME=VALUE"), ("velocity=1 velocity=2", "already")],
)
def test_what_is_not_understood(settings: Settings, database: Database, told: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        run("lab", "tell", "1", *told.split())


def test_tokens(settings: Settings, database: Database) -> None:
    token = json.loads(run("token", "create", "--name", "bench 3", "--json"))["token"]
    assert tokens.holder(settings, database, token) == tokens.Holder("bench 3", "operator")
    shown = run("token", "create", "--name", "wall", "--role", "viewer").strip()
    assert tokens.holder(settings, database, shown) == tokens.Holder("wall", "viewer")
    listed = run("token", "list")
    assert "bench 3" in listed
    assert token.split("_", 2)[2] not in listed
    run("token", "revoke", token.split("_")[1])
    assert tokens.holder(settings, database, token) is None
    assert [bool(entry["revoked_at"]) for entry in json.loads(run("token", "list", "--json"))] == [True, False]
