"""Who acts at the desk, and whether they may."""

from dataclasses import dataclass

from experiments_db.database import Database
from orchestrator.errors import ForbiddenError
from orchestrator.people import Why
from orchestrator.settings import Settings
from orchestrator.tokens import Holder


@dataclass(frozen=True)
class Desk:
    """The record, the settings, and who is sitting at the desk. Every method that changes anything asks ``acting``."""

    settings: Settings
    database: Database
    who: Holder

    def acting(self, reason: str = "") -> Why:
        """In whose name something is done, for the log; ForbiddenError where they may only look."""
        if not self.who.operates:
            raise ForbiddenError(
                f"{self.who.name} may look and not act: log in with a token of the role operator for that"
            )
        return Why(self.who.name, reason)
