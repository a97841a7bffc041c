"""Campaigns whose experiments are answered later, advanced in this process: shared by the tests of the bench."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from experiments_db import models, queries
from experiments_db.database import Database
from orchestrator import services
from orchestrator.advance import advance
from orchestrator.bench import Bench
from orchestrator.settings import Settings
from orchestrator.suggestion_lines import pending


@dataclass(frozen=True)
class Campaign:
    """A small campaign and its blocks, advanced by hand."""

    settings: Settings
    database: Database
    id: str
    blocks: list[int]

    @property
    def bench(self) -> Bench:
        return Bench(self.settings, self.database, "Ada")

    def advance(self) -> list[str]:
        """Each block until it is finished, or waits."""
        outcomes = []
        for block in self.blocks:
            while (outcome := advance(self.database, self.settings, block)) == "again":
                pass
            outcomes.append(outcome)
        return outcomes

    def waiting(self) -> list[dict[str, Any]]:
        return pending(self.database, self.id)

    def all(self) -> list[dict[str, Any]]:
        return pending(self.database, self.id, every=True)

    def status(self) -> dict[str, Any]:
        return services.campaign_status(self.database, self.id)

    def experiments(self) -> list[dict[str, Any]]:
        with self.database.read() as session:
            return [dict(row) for row in queries.experiments(session, self.id)]

    def to_the_end(self, answer: Any) -> None:
        """Tell ``answer(suggestion)`` to every suggestion until the campaign has finished."""
        while "waiting" in self.advance():
            for entry in self.waiting():
                self.bench.tell(entry["id"], answer(entry))


def create(settings: Settings, database: Database, **values: Any) -> Campaign:
    """A campaign of enzyme-kinetics, manual unless told, small and quick."""
    small = {"domain": "enzyme-kinetics", "laboratory": "manual", "budget": 3, "particles": 100, "policy": "random"}
    created = services.create_campaign(settings, database, services.campaign_request(**{**small, **values}))
    with database.read() as session:
        query = select(models.Block.id).where(models.Block.campaign_id == created.id).order_by(models.Block.index)  # type: ignore[call-overload,arg-type]
        blocks = list(session.scalars(query))
    return Campaign(settings, database, created.id, blocks)


def velocity(entry: Mapping[str, Any]) -> dict[str, float]:
    """What a well-behaved enzyme would give at the design of a suggestion."""
    substrate = float(entry["design"]["substrate"])
    return {"velocity": 200 * substrate / (0.06 + substrate)}
