"""A record as large as years of use make it, written in a minute: rows as workers write them, without the work."""

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from domains import catalogue
from domains.loading import find
from experiments_db import record
from experiments_db.database import Database
from experiments_db.models import Block, Campaign, Experiment, Finding, Run, Table
from orchestrator.domain_rows import domain_row

_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_AT_ONCE = 2000
_STATUSES = ("finished",) * 16 + ("failed", "cancelled", "paused", "scheduled")
_POLICIES = ("expected-information-gain", "experimenter", "random", "sobol")


def fill(database: Database, *, campaigns: int = 2000, runs: int = 10, experiments: int = 30) -> list[str]:
    """Campaigns over five domains of the catalogue, each run with so many experiments; returns their ids."""
    draw = random.Random(0)
    names = sorted(catalogue.names())[:: max(1, len(catalogue.names()) // 5)][:5]
    domains = [find(name) for name in names]
    made = [f"{index:012x}" for index in range(campaigns)]
    with database.write() as session:
        for domain in domains:
            record.save_domain(session, domain_row(domain))
        chosen = [domains[index % len(domains)] for index in range(campaigns)]
        _insert(session, Campaign, map(_campaign, made, chosen, itertools.count(), itertools.repeat(runs)))
        _insert(session, Block, (_block(index, campaign, runs) for index, campaign in enumerate(made)))
        _insert(session, Run, _runs(made, runs, experiments))
    laws = {domain.name: [mechanism.name for mechanism in domain.mechanisms] for domain in domains}
    for first in range(0, campaigns, 100):
        with database.write() as session:
            part = range(first, min(first + 100, campaigns))
            rows = (
                _experiment(draw, index * runs + run + 1, step, chosen[index], laws[chosen[index].name])
                for index in part
                if _status(index) != "scheduled"
                for run in range(runs)
                for step in range(experiments)
            )
            _insert(session, Experiment, rows)
            concluded = [(index, made[index], chosen[index]) for index in part if _status(index) == "finished"]
            _insert(session, Finding, _findings(concluded, runs, experiments))
    return made


def _insert(session: Session, table: type[Table], rows: Iterator[dict[str, Any]]) -> None:
    while part := list(itertools.islice(rows, _AT_ONCE)):
        session.execute(insert(table), part)


def _status(index: int) -> str:
    return _STATUSES[index % len(_STATUSES)]


def _campaign(identity: str, domain: Any, index: int, runs: int) -> dict[str, Any]:
    status = _status(index)
    begun = _NOON + timedelta(minutes=index)
    return {
        "id": identity,
        "domain_identity": domain.identity,
        "policy": _POLICIES[index % len(_POLICIES)],
        "laboratory": "simulate",
        "runs": runs,
        "budget": 30.0,
        "seed": index,
        "status": status,
        "message": "a worker died five times in a row over it" if status == "failed" else "",
        "settings": {"belief": {"particles": 2000, "moves": 5}, "expected_cost": 30.0, "expected_experiments": 30},
        "versions": {},
        "created_at": begun,
        "started_at": None if status == "scheduled" else begun,
        "finished_at": begun + timedelta(minutes=5) if status in ("finished", "failed", "cancelled") else None,
    }


def _block(index: int, campaign: str, runs: int) -> dict[str, Any]:
    status = {"paused": "running"}.get(_status(index), _status(index))
    return {"id": index + 1, "campaign_id": campaign, "index": 0, "first_run": 0, "runs": runs, "status": status}


def _runs(made: list[str], runs: int, experiments: int) -> Iterator[dict[str, Any]]:
    for index, campaign in enumerate(made):
        status = {"paused": "running"}.get(_status(index), _status(index))
        steps = 0 if status == "scheduled" else experiments
        for run in range(runs):
            yield {
                "id": index * runs + run + 1,
                "campaign_id": campaign,
                "block_id": index + 1,
                "index": run,
                "status": status,
                "steps": steps,
                "cost": float(steps),
            }


def _experiment(draw: random.Random, run: int, step: int, domain: Any, laws: list[str]) -> dict[str, Any]:
    sure = 1 - 0.9 ** (step + 1)
    share = (1 - sure) / max(1, len(laws) - 1) if len(laws) > 1 else 0.0
    probability = {law: share for law in laws} | {laws[0]: 1 - share * (len(laws) - 1)}
    design = {setting.name: round(draw.uniform(0, 1), 6) for setting in domain.designs}
    parameters = {
        name: {"mean": draw.gauss(1, 0.1), "sd": 0.1, "low90": 0.8, "high90": 1.2} for name in _entries(domain)[:6]
    }
    return {
        "run_id": run,
        "step": step,
        "design": design,
        "outcome": {name: draw.gauss(1, 0.2) for name in domain.outcome_entries},
        "cost": 1.0,
        "information": draw.expovariate(2.0),
        "decision_ms": 9.0,
        "belief": {
            "mechanism_probability": probability,
            "most_probable": laws[0],
            "parameters": parameters,
            "mechanisms": {law: parameters for law in laws},
            "diagnostics": {"trusted": True, "explained": True, "surprised": False, "lost": []},
        },
        "candidates": [{"design": design, "score": 1.0 / (place + 1)} for place in range(3)],
        "created_at": _NOON + timedelta(seconds=run + step),
    }


def _entries(domain: Any) -> list[str]:
    return [entry for parameter in domain.parameters for entry in parameter.entries]


def _findings(concluded: list[tuple[int, str, Any]], runs: int, experiments: int) -> Iterator[dict[str, Any]]:
    for index, campaign, domain in concluded:
        laws = [mechanism.name for mechanism in domain.mechanisms]
        whole = {
            "runs": runs,
            "most_probable": {laws[0]: runs},
            "experiments": runs * experiments,
            "given": 0,
            "cost": float(runs * experiments),
            "warnings": {},
        }
        at = _NOON + timedelta(minutes=index + 5)
        text = f"{domain.title}\n\n{runs} runs, {runs * experiments} experiments."
        yield {"campaign_id": campaign, "run_id": None, "content": whole, "text": text, "created_at": at}
        for run in range(runs):
            yield {
                "campaign_id": campaign,
                "run_id": index * runs + run + 1,
                "content": _run_finding(domain, laws, experiments),
                "text": f"The law {laws[0]} is established with probability 95.8 % after {experiments} experiments:",
                "created_at": at,
            }


def _run_finding(domain: Any, laws: list[str], experiments: int) -> dict[str, Any]:
    share = 0.042 / max(1, len(laws) - 1)
    return {
        "mechanism": laws[0],
        "probability": 0.958,
        "explained": True,
        "mechanism_probability": {law: share for law in laws} | {laws[0]: 0.958},
        "parameters": {name: {"mean": 1.0, "sd": 0.1, "low90": 0.8, "high90": 1.2} for name in _entries(domain)[:6]},
        "mechanisms": {},
        "units": {parameter.name: parameter.unit for parameter in domain.parameters},
        "experiments": experiments,
        "given": 0,
        "cost": float(experiments),
        "ended": "budget",
        "stop": None,
        "warnings": [],
    }
