"""What people do to campaigns through the pages: make, steer, clone and extend them."""

from dataclasses import dataclass
from typing import Any

from orchestrator import cloning, recurring, services, steering
from orchestrator.desk.base import Desk
from orchestrator.requests import CampaignRequest
from orchestrator.steering import Extended


@dataclass(frozen=True)
class CampaignDesk(Desk):
    """Campaigns, steered in the name of whoever sits here; each method as its service, ForbiddenError for a viewer."""

    def create(self, request: CampaignRequest, reason: str = "") -> str:
        """A campaign, checked, recorded and sent; returns its id."""
        why = self.acting(reason)
        return services.create_campaign(self.settings, self.database, request, why).id

    def clone(self, campaign_id: str, reason: str = "") -> str:
        """The same campaign on other worlds: with the next seed; returns the new one's id."""
        why = self.acting(reason or f"clone of {campaign_id}")
        request = cloning.with_next_seed(cloning.request_of(self.database, campaign_id))
        return services.create_campaign(self.settings, self.database, request, why).id

    def pause(self, campaign_id: str, reason: str = "") -> str:
        """Stop after the step at hand."""
        return services.pause_campaign(self.database, campaign_id, self.acting(reason))

    def resume(self, campaign_id: str, reason: str = "") -> str:
        """Let a paused one go on."""
        why = self.acting(reason)
        return services.resume_campaign(self.settings, self.database, campaign_id, why)

    def cancel(self, campaign_id: str, reason: str = "") -> str:
        """End it for good; what is on record stays."""
        return services.cancel_campaign(self.database, campaign_id, self.acting(reason))

    def retry(self, campaign_id: str, reason: str = "") -> str:
        """Let one that failed go on from what is recorded."""
        why = self.acting(reason)
        return steering.retry_campaign(self.settings, self.database, campaign_id, why)

    def extend(
        self,
        campaign_id: str,
        *,
        runs: int = 0,
        max_experiments: int | None = None,
        max_cost: float | None = None,
        reason: str = "",
    ) -> Extended:
        """More runs, or other caps."""
        caps: dict[str, Any] = {"max_experiments": max_experiments, "max_cost": max_cost}
        why = self.acting(reason)
        return steering.extend_campaign(self.settings, self.database, campaign_id, runs=runs, **caps, why=why)

    def stop_repeating(self, campaign_id: str) -> str:
        """Let it be repeated no more."""
        self.acting()
        return recurring.stop_recurring(self.database, campaign_id)
