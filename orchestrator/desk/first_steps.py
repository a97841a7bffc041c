"""The first campaign of a new installation, begun in one click."""

from dataclasses import dataclass

from orchestrator import services
from orchestrator.desk.base import Desk

FIRST = {"domain": "enzyme-kinetics", "laboratory": "replay:puromycin-treated"}


@dataclass(frozen=True)
class FirstStepsDesk(Desk):
    """Where a newcomer begins."""

    def begin(self) -> str:
        """Ask real measurements of an enzyme which law it follows; the campaign's id. ForbiddenError for a viewer."""
        why = self.acting()
        return services.create_campaign(self.settings, self.database, services.campaign_request(**FIRST), why).id
