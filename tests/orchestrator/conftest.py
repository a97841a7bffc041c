"""Small domains, homes and a bench of steps, made afresh for each test."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from domains.loading import load_text
from domains.worlds import DomainModel
from experiments_db.database import Database, connect
from meta_learner.belief import BeliefSettings
from meta_learner.policies import POLICIES
from meta_learner.rollout import BlockSteps
from orchestrator.laboratories import open_laboratory
from orchestrator.settings import Settings
from tests.orchestrator.commands import Organon, runner

# What an experiment costs depends on the design: the runs of a block end at different steps.
COSTLY = """
format: 1
name: decay
title: How fast does it decay?
field: tests
designs:
  time: {real: [0.5, 4.0]}
  method: {choice: [quick, careful]}
parameters:
  rate: {prior: {lognormal: [0.0, 0.5]}}
mechanisms:
  exponential:
    let: {left: "exp(-rate * time)"}
  linear:
    parameters:
      start: {prior: {normal: [1.0, 0.2]}}
    let: {left: "start - 0.2 * rate * time"}
outcomes:
  amount: {normal: {mean: left, sd: 0.1}}
cost: "time + (2 if method == 'careful' else 0)"
budget: 9
goal: learn
replays:
  bench:
    file: bench.csv
    columns: {time: t, method: how, amount: a}
    source: made up for this test
"""
BENCH = "t,how,a\n1.0,quick,0.4\n1.0,quick,0.3\n2.0,careful,0.15\n3.0,quick,0.05\n4.0,quick,0.02\n0.5,careful,0.7\n"
BENCH += "4.0,careful,0.01\n0.5,quick,0.65\n0.5,quick,0.6\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ORGANON_HOME of the test's own; no other setting of ours reaches it."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ORGANON_{name.upper()}", raising=False)
    folder = tmp_path / "home"
    monkeypatch.setenv("ORGANON_HOME", str(folder))
    return folder


@pytest.fixture
def organon(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Organon:
    """Run a command in this process, as the installed ``organon`` does."""
    return runner(monkeypatch, capsys)


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, task_seconds=60)  # a small block gets to its end in one task, on a busy machine too


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = connect(settings.database)
    yield opened
    opened.close()


@pytest.fixture
def postgres() -> Iterator[Database]:
    """A record on PostgreSQL, made for a test and dropped after it."""
    server = os.environ.get("ORGANON_TEST_POSTGRES_URL")
    if not server:
        pytest.skip("no PostgreSQL server: set ORGANON_TEST_POSTGRES_URL=postgresql://user@host:5432/postgres")
    name = f"organon_test_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as administrator:
        administrator.execute(f"CREATE DATABASE {name}".encode())
        opened = connect(make_url(server).set(database=name).render_as_string(hide_password=False))
        try:
            yield opened
        finally:
            opened.close()
            administrator.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def costly_model() -> DomainModel:
    return DomainModel(load_text(COSTLY, attachments={"bench.csv": BENCH}))


@pytest.fixture
def costly_file(tmp_path: Path) -> Path:
    """The costly domain as a user would have it: a file with its table beside it."""
    (tmp_path / "bench.csv").write_text(BENCH)
    path = tmp_path / "decay.yaml"
    path.write_text(COSTLY)
    return path


@pytest.fixture
def make_steps() -> Callable[..., BlockSteps]:
    """The five steps for a small block."""

    def make(
        model: DomainModel, laboratory: str = "simulate", runs: int = 3, policy: str = "random", **conduct: Any
    ) -> BlockSteps:
        return BlockSteps(
            model,
            POLICIES[policy](),
            open_laboratory(model, laboratory, seed=7, block=1, runs=runs, attachments={"bench.csv": BENCH}),
            budget=model.domain.budget,
            seed=7,
            block=1,
            settings=BeliefSettings(particles=100, moves=2),
            **conduct,
        )

    return make
