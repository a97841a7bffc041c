"""Whether this installation can serve: the record answers with the schema we know, and the broker takes work."""

from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from experiments_db import schema
from experiments_db.database import Database
from experiments_db.errors import RecordError
from experiments_db.standing import session_revision
from orchestrator import broker
from orchestrator.errors import BrokerError
from orchestrator.settings import Settings


@dataclass(frozen=True)
class Readiness:
    """What was found of each part, in one word; addresses and reasons are for the log."""

    database: str
    tables: str
    broker: str

    @property
    def ready(self) -> bool:
        return self.database == "ok" and self.tables == "ok" and self.broker in {"ok", "idle"}


def readiness(settings: Settings, database: Database) -> Readiness:
    """Look at all three. tables: ``older`` or ``newer`` than ours; broker: ``idle`` where ours has nobody at work."""
    try:
        with database.read() as session:
            revision = session_revision(session)
        known = "ok" if revision == schema.HEAD else "older" if revision in schema.REVISIONS else "newer"
        return Readiness("ok", known, _broker(settings))
    except (RecordError, SQLAlchemyError):
        return Readiness("away", "unknown", _broker(settings))


def _broker(settings: Settings) -> str:
    if settings.embedded_broker:  # the first worker brings it; until then campaigns wait in the record
        return "ok" if broker.is_running(settings) else "idle"
    try:
        broker.check_reachable(settings)
    except BrokerError:
        return "away"
    return "ok"
