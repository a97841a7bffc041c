"""What every laboratory keeps to, whoever answers: one suite over all, by the blocks that a worker advances.

``answer`` says what a person would: approves what is proposed, tells what is open.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from domains import catalogue
from domains.loading import attachments, load_file
from domains.worlds import DomainModel
from experiments_db.database import Database, connect
from meta_learner.policies import POLICIES
from meta_learner.rollout import BlockSteps
from orchestrator import services
from orchestrator.commands import program
from orchestrator.export import export
from orchestrator.laboratories import open_laboratory
from orchestrator.settings import Settings
from tests.orchestrator.at_the_bench import Campaign, create, velocity

CODE = (
    "import json, sys\nasked = json.load(sys.stdin)\nsubstrate = asked['design']['substrate']\n"
    "json.dump({'outcome': {'velocity': 200 * substrate / (0.06 + substrate)}}, sys.stdout)"
)
DATA = "design.substrate,outcome.velocity\n0.02,76\n1.10,207\n0.11,\n"


@dataclass(frozen=True)
class Case:
    """A laboratory as a campaign asks for it, and how many experiments two runs then make."""

    laboratory: str
    asked: dict[str, Any] = field(default_factory=dict)
    experiments: int = 6


CASES = {
    "simulate": Case("simulate"),
    "replay": Case("replay:puromycin-treated"),
    "none": Case("none", {"data": True}, experiments=6),
    "manual": Case("manual"),
    "manual, two at a time": Case("manual", {"batch": 2}),
    "command": Case("command:enzyme"),
    "simulate, approved": Case("simulate", {"approval": True}),
    "replay, approved": Case("replay:puromycin-treated", {"approval": True}),
    "command, approved": Case("command:enzyme", {"approval": True, "batch": 2}),
    "manual, after data": Case("manual", {"data": True}, experiments=12),
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ORGANON_HOME", str(tmp_path))
    listed = json.dumps({"enzyme": {"run": [sys.executable, "-c", CODE]}})
    return Settings(home=tmp_path, task_seconds=60, commands=listed, block_runs=2)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = connect(settings.database)
    yield opened
    opened.close()


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


def begin(settings: Settings, database: Database, case: Case) -> Campaign:
    asked = dict(case.asked)
    if asked.pop("data", False):
        file = settings.folder / "made.csv"
        file.write_text(DATA)
        asked["data"] = file
    return create(settings, database, laboratory=case.laboratory, runs=2, seed=11, **asked)


def finish(campaign: Campaign, *, forget: bool = False) -> None:
    while "waiting" in campaign.advance():
        answer(campaign)
        for file in (campaign.settings.folder / "cache" / "beliefs").glob("*") if forget else ():
            file.unlink()


def answer(campaign: Campaign) -> None:
    for entry in campaign.waiting():
        if entry["status"] == "proposed":
            campaign.bench.approve(entry["id"])
        else:
            campaign.bench.tell(entry["id"], velocity(entry))


def test_it_comes_to_an_end_with_all_its_experiments_on_record(
    settings: Settings, database: Database, case: Case
) -> None:
    campaign = begin(settings, database, case)
    finish(campaign)
    status = campaign.status()
    assert (status["status"], status["message"]) == ("finished", "")
    assert status["progress"]["experiments"] == case.experiments
    rows = campaign.experiments()
    for run in (0, 1):
        steps = [row["step"] for row in rows if row["run_index"] == run]
        assert steps == list(range(case.experiments // 2))
    for row in rows:
        assert 0.01 <= row["design"]["substrate"] <= 2
        assert set(row["outcome"]) == {"velocity"}
    paid = [row["cost"] for row in rows if not row["given"]]
    assert sum(paid) <= 2 * status["budget"]
    path = settings.folder / "out.csv"
    assert export(database, campaign.id, path) == case.experiments


def test_a_lost_cache_and_a_pause_change_nothing(settings: Settings, database: Database, case: Case) -> None:
    seen = []
    for disturbed in (False, True):
        campaign = begin(settings, database, case)
        if disturbed:
            services.pause_campaign(database, campaign.id)
            assert set(campaign.advance()) == {"busy"}
            services.resume_campaign(settings, database, campaign.id)
        finish(campaign, forget=disturbed)
        rows = campaign.experiments()
        seen.append([(row["run_index"], row["design"], row["outcome"], row["belief"]) for row in rows])
    assert seen[0] == seen[1]


def test_cancelled_it_does_nothing_more(settings: Settings, database: Database, case: Case) -> None:
    campaign = begin(settings, database, case)
    services.cancel_campaign(database, campaign.id)
    assert set(campaign.advance()) == {"busy"}
    assert campaign.experiments() == []
    assert campaign.waiting() == []


@pytest.mark.parametrize("name", ["simulate", "replay:puromycin-treated", "none", "manual", "command:enzyme"])
def test_what_a_policy_sees_of_a_laboratory(settings: Settings, name: str) -> None:
    """A pool of distinct designs with what is left of each, never less than nothing; or none."""
    model = DomainModel(domain := load_file(catalogue.path("enzyme-kinetics")))
    laboratory = open_laboratory(
        model,
        name,
        seed=1,
        block=0,
        runs=3,
        attachments=attachments(domain),
        command=program(settings, name),
    )
    history = BlockSteps(model, POLICIES["random"](), laboratory, budget=9, seed=1, block=0).begin(3).belief.history
    pool = laboratory.pool(history)
    assert (laboratory.worlds is not None) == (name == "simulate")
    if pool is not None:
        assert pool.left.shape == (3, len(pool.designs))
        assert len(torch.unique(pool.designs, dim=0)) == len(pool.designs)
        assert bool((pool.left >= 0).all())
