"""When a worker stops with a block between two steps: time is up, the campaign was stopped, or a cap is reached."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from experiments_db import accounts, queries, scheduling
from experiments_db.database import Database
from experiments_db.queries import BlockRecord
from orchestrator import caps


@dataclass(frozen=True)
class NextStep:
    """What the next step would run: so many experiments, at this cost at the least."""

    runs: int
    cost: float


class Pause:
    """Asked before every step whether to stop for now.

    The first question of a task is not about time: a task makes one step at least, however long restoring took.
    """

    def __init__(self, database: Database, block: BlockRecord, deadline: float) -> None:
        self._database, self._block, self._deadline = database, block, deadline
        self._asked = False
        self.crowded = False  # other blocks of the campaign may be running what is left of its cap

    def __call__(self, step: NextStep | None) -> bool:
        """step: None where the campaign's own caps are looked after elsewhere."""
        first, self._asked = not self._asked, True
        if not first and monotonic() >= self._deadline:
            return True
        with self._database.read() as session:
            campaign = queries.get_campaign(session, self._block.campaign_id)
            if campaign.status != "running" or caps.reached_by_agent(session, campaign):
                return True
            if step is None or not caps.has_caps(campaign):
                return False
            used = accounts.campaign_usage(session, campaign.id)
            running = accounts.in_flight(session, campaign.id, self._block.id, datetime.now(UTC))
        reached = caps.reached_by_campaign(campaign, used, step.runs, step.cost)
        if reached is not None:
            with self._database.write() as session:
                scheduling.pause_because(session, campaign.id, reached)
            return True
        self.crowded = caps.reached_by_campaign(campaign, used, step.runs + running, step.cost) is not None
        return self.crowded

    def until(self) -> datetime | None:
        """When to try again, where others were in the way: a moment of its own for each block, so one comes first."""
        if not self.crowded:
            return None
        return datetime.now(UTC) + timedelta(seconds=0.5 + 0.25 * (self._block.index % 8))
